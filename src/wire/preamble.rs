//! The first bytes of a native stream, both ways: `7F 48 4F 42 4E 4F 42 31`, that is DEL, `HOBNOB`,
//! and the version as one printable character. No plain text begins with DEL, and the rest is text
//! without NUL, white space or colon, so that a plain program which reads it comes to no harm.

/// How many bytes.
pub const LEN: usize = 8;
/// What we send.
pub const OURS: [u8; LEN] = *b"\x7fHOBNOB1";

/// What the first bytes of a stream turn out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A beginning of our preamble; more must come.
    Partial,
    /// Ours.
    Ours,
    /// A preamble of another version, named by this character.
    Other(u8),
    /// No preamble.
    Not,
}

/// Judges a stream by `bytes`, its beginning; bytes after the preamble do not matter.
pub fn judge(bytes: &[u8]) -> Verdict {
    let marker = &OURS[..LEN - 1];
    let seen = bytes.len().min(marker.len());
    if bytes[..seen] != marker[..seen] {
        return Verdict::Not;
    }
    match bytes.get(LEN - 1) {
        None => Verdict::Partial,
        Some(&version) if version == OURS[LEN - 1] => Verdict::Ours,
        Some(&version) if version.is_ascii_graphic() => Verdict::Other(version),
        Some(_) => Verdict::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_program_can_read_it() {
        let text = std::str::from_utf8(&OURS).expect("text");
        assert!(
            text.starts_with('\x7f') && !text.contains(|c: char| c == '\0' || c == ':' || c.is_whitespace())
        );
    }

    #[test]
    fn first_bytes_decide() {
        for cut in 0..LEN {
            assert_eq!(judge(&OURS[..cut]), Verdict::Partial, "{cut} bytes");
        }
        assert_eq!(judge(b"\x7fHOBNOB1\0\x20rest"), Verdict::Ours);
        assert_eq!(judge(b"\x7fHOBNOB2"), Verdict::Other(b'2'));
        assert_eq!(judge(b"\x7fHOBNOB "), Verdict::Not);
        assert_eq!(judge(b"\x7fHOBNAB1"), Verdict::Not);
        assert_eq!(judge(b"127.0.0.1:5000 A hi"), Verdict::Not);
        assert_eq!(judge(b"GET / HTTP/1.1"), Verdict::Not);
    }
}

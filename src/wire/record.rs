//! Records in a torn stream: `len:u16 (big-endian) | bytes`. Cuts a stream that arrives in any
//! pieces back into what was sent; knows nothing of what a record holds.

use std::borrow::Cow;

/// The unfinished end of a stream. Holds at most one record, and no memory between records.
#[derive(Debug, Default)]
pub struct Splitter {
    partial: Vec<u8>,
}

/// A length prefix that is not allowed here. The stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of {length} bytes where {min} to {max} are allowed")]
pub struct BadLength {
    /// What the prefix said.
    pub length: usize,
    /// Fewest bytes allowed.
    pub min: usize,
    /// Most bytes allowed.
    pub max: usize,
}

const PREFIX: usize = 2;

impl Splitter {
    /// Takes the first whole record off what is held and `input` together. `None` when more must
    /// arrive; then all of `input` is held. A record that arrived in one piece is not copied.
    ///
    /// # Errors
    /// The prefix is out of `min..=max`, found before anything is kept for it.
    pub fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
        min: usize,
        max: usize,
    ) -> Result<Option<Cow<'a, [u8]>>, BadLength> {
        if self.partial.is_empty() {
            let bytes = *input;
            if let Some(length) = prefix(bytes, min, max)?
                && let Some((record, rest)) = bytes[PREFIX..].split_at_checked(length)
            {
                *input = rest;
                return Ok(Some(Cow::Borrowed(record)));
            }
            self.take(input, bytes.len());
            return Ok(None);
        }
        self.take(input, PREFIX);
        let Some(length) = prefix(&self.partial, min, max)? else {
            return Ok(None);
        };
        self.take(input, PREFIX + length);
        if self.partial.len() < PREFIX + length {
            return Ok(None);
        }
        let mut record = std::mem::take(&mut self.partial);
        record.drain(..PREFIX);
        Ok(Some(Cow::Owned(record)))
    }

    /// Bytes held of an unfinished record.
    pub fn held(&self) -> usize {
        self.partial.len()
    }

    fn take(&mut self, input: &mut &[u8], until: usize) {
        let wanted = until.saturating_sub(self.partial.len()).min(input.len());
        let (taken, rest) = input.split_at(wanted);
        self.partial.extend_from_slice(taken);
        *input = rest;
    }
}

/// Appends the prefix of a record of `length` bytes. `length` is at most 65,535.
pub fn put_prefix(length: usize, out: &mut Vec<u8>) {
    let length = u16::try_from(length).expect("callers cut records to 65,535 bytes");
    out.extend_from_slice(&length.to_be_bytes());
}

fn prefix(bytes: &[u8], min: usize, max: usize) -> Result<Option<usize>, BadLength> {
    let Some(&[high, low]) = bytes.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if (min..=max).contains(&length) { Ok(Some(length)) } else { Err(BadLength { length, min, max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut records = Vec::new();
        for piece in pieces {
            let mut input = *piece;
            while let Some(record) = splitter.next(&mut input, 1, 9).expect("good lengths") {
                records.push(record.to_vec());
            }
            assert!(input.is_empty());
        }
        records
    }

    #[test]
    fn any_cut_gives_the_same_records() {
        let stream = b"\0\x01a\0\x03bcd\0\x02ef";
        let whole = split(&[stream]);
        assert_eq!(whole, [b"a".to_vec(), b"bcd".to_vec(), b"ef".to_vec()]);
        for cut in 0..stream.len() {
            let (a, b) = stream.split_at(cut);
            assert_eq!(split(&[a, b]), whole);
        }
        assert_eq!(split(&stream.chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn a_huge_length_is_refused_before_anything_is_kept() {
        let mut splitter = Splitter::default();
        let refused = splitter.next(&mut &b"\xff\xff"[..], 1, 9);
        assert_eq!(refused, Err(BadLength { length: 65_535, min: 1, max: 9 }));
        assert_eq!(splitter.held(), 0);
    }
}

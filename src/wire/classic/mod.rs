//! The plain protocol: one UTF-8 text `IP:PORT TEAM TEXT` on each TCP connection, and the many
//! forms that programs made of it. `parse` turns what was read into messages and never fails,
//! `answer` says what the sender may be waiting for, `print` says our own words in each dialect.
//! No state but what one connection has said, no clock, no I/O; who a peer is, whether a claim is
//! true and whether anything is shown or dialled is decided above.

mod answer;
mod control;
mod headed;
mod json;
mod parse;
mod print;

pub use answer::{Answer, answer};
pub use parse::parse;
pub use print::{Sender, plain_name};

/// Of one burst, and of anything we send, header included. A reader stops there; longer bursts are
/// parsed too, in time linear in their length.
pub use crate::limits::{BURST_MAX, PLAIN_OUT_MAX as MESSAGE_MAX};

/// Bytes of our name in a header, so that most of `MESSAGE_MAX` is left for the text.
pub const NAME_MAX: usize = 64;

/// Bytes of an announced host: no host name is longer (RFC 1035 §2.3.4).
const HOST_MAX: usize = 255;

/// Bytes of a name that is announced once and then belongs to every line of a burst: repeated so
/// often, a longer one would make much of little.
const TEAM_MAX: usize = 255;

/// How a plain program writes its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `IP:PORT TEAM TEXT`.
    Flat,
    /// `IP:PORT WORD`: no team.
    FlatTwo,
    /// `<IP:PORT> TEAM TEXT`, `<IP:PORT> <TEAM> <TEXT>`.
    BracketFlat,
    /// `<IP:PORT> @ <TEAM>\nTEXT\n<end>`, `<IP:PORT> DISCONNECT`.
    Bracket,
    /// `{"type":…,"content":…,"sender_name":…,"sender_port":…}`.
    Json,
    /// `PORT\nTEAM\nCONNECT\n` once, then `TEXT\n` each on the same connection.
    Lines,
    /// `PORT:n` once and alone, then messages on the same connection.
    PortHello,
    /// Any other text.
    Raw,
}

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something was said.
    Message,
    /// The sender is there.
    Connect,
    /// The sender leaves. Recognised generously, since a later message takes it back.
    Exit,
    /// `PORT:n`, which wants ours in return.
    Hello,
}

/// One message. All of it is the sender's claim, and its texts may hold any character but NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// What it does.
    pub kind: Kind,
    /// How it was written, which is how the sender wants to be answered.
    pub dialect: Dialect,
    /// The announced host as it was written: an IP address, `localhost`, or with brackets any
    /// word. None where the dialect announces none, or only the receiver's.
    pub host: Option<String>,
    /// The announced port, never 0. None when the sender has no known listening port.
    pub port: Option<u16>,
    /// The sender's name.
    pub team: Option<String>,
    /// What was typed, control words included; empty only where the dialect itself says `kind`.
    pub text: String,
}

/// What a persistent connection has said before, so that a later burst is read in its light.
/// Every connection starts as the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Context {
    /// Nothing that binds: each burst stands for itself.
    #[default]
    Fresh,
    /// It opened with lines; all further lines are texts from there.
    Lines {
        /// The announced port.
        port: u16,
        /// The announced name, if it gave one.
        team: Option<String>,
    },
    /// It opened with `PORT:n`; all further texts are from there.
    PortHello {
        /// The announced port.
        port: u16,
    },
}

/// Whether a connection that begins so speaks plain; our own preamble begins otherwise. White space,
/// printable ASCII, or the first byte of a longer UTF-8 sequence.
pub fn is_plain_first_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0xc2..=0xf4)
}

/// A port as it is written: one to five ASCII digits, 1..=65535.
fn port(digits: &str) -> Option<u16> {
    // `parse` alone would take "+5", and zeros without end.
    let written = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| written && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_plain_digits_in_range() {
        assert_eq!(port("7202"), Some(7202));
        assert_eq!(port("00080"), Some(80));
        assert_eq!(port("65535"), Some(65535));
        for bad in ["", "0", "65536", "99999", "000080", "+5", "-5", "5 ", "٣"] {
            assert_eq!(port(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_first_byte_tells_plain_from_ours() {
        let plain = (0..=255).filter(|byte| is_plain_first_byte(*byte)).count();
        assert_eq!(plain, 3 + 0x5f + (0xf4 - 0xc2 + 1));
        for ours in [0, 0x7f, 0x80, 0xc1, 0xf5, 0xff] {
            assert!(!is_plain_first_byte(ours), "{ours:#x}");
        }
    }
}

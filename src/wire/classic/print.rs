//! Our own words in each dialect, such that programs which read once, decode strictly and split at
//! spaces understand them: valid UTF-8, at most `MESSAGE_MAX` bytes with the header, no control
//! characters but the dialect's own line feeds. Decides nothing about connections.

use std::net::SocketAddr;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::{Dialect, MESSAGE_MAX, NAME_MAX};

/// Room for the number before each part of a text that was split, `(2/3) ` or longer.
const NUMBER_MAX: usize = "(999999/999999) ".len();

/// Us, as one receiver sees us. The methods' results are each the whole content of one connection, or
/// one write on a persistent one.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The address by which the receiver reaches us.
    pub addr: SocketAddr,
    /// Our name in our own spelling.
    pub name: &'a str,
}

impl Sender<'_> {
    /// `text` as one or more writes, none for blank text. Control characters and line breaks become
    /// spaces. Longer texts are split between graphemes, within one only if it alone does not fit, and
    /// numbered, as each part may travel on a connection of its own.
    pub fn message(&self, dialect: Dialect, text: &str) -> Vec<Vec<u8>> {
        let text: String = text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect();
        let text = text.trim_end();
        let room = MESSAGE_MAX.saturating_sub(self.framed(dialect, "").len());
        let cost = match dialect {
            Dialect::Json => json_len,
            Dialect::Flat | Dialect::FlatTwo | Dialect::BracketFlat | Dialect::Bracket => str::len,
            Dialect::Lines | Dialect::PortHello | Dialect::Raw => str::len,
        };
        if cost(text) <= room {
            return said(text).map(|text| vec![self.framed(dialect, text).into_bytes()]).unwrap_or_default();
        }
        let pieces: Vec<_> =
            cut(text, room.saturating_sub(NUMBER_MAX), cost).into_iter().flat_map(said).collect();
        // All the others were blank.
        if let [only] = pieces[..] {
            return vec![self.framed(dialect, only).into_bytes()];
        }
        let count = pieces.len();
        let numbered = (1..).zip(pieces).map(|(number, piece)| format!("({number}/{count}) {piece}"));
        numbered.map(|piece| self.framed(dialect, &piece).into_bytes()).collect()
    }

    /// That we are here.
    pub fn connect(&self, dialect: Dialect) -> Vec<u8> {
        let text = match dialect {
            Dialect::Flat | Dialect::BracketFlat | Dialect::Bracket | Dialect::Raw => {
                self.framed(dialect, "connect")
            }
            Dialect::FlatTwo => format!("{} CONNECT_REQUEST", self.reached()),
            Dialect::Json => self.json("connect", "connect"),
            Dialect::Lines => self.lines_opening(),
            Dialect::PortHello => self.port_hello(),
        };
        text.into_bytes()
    }

    /// That we leave.
    pub fn exit(&self, dialect: Dialect) -> Vec<u8> {
        let text = match dialect {
            Dialect::Flat | Dialect::FlatTwo | Dialect::Raw => self.framed(dialect, "exit"),
            Dialect::BracketFlat => self.framed(dialect, "quit"),
            Dialect::Bracket => format!("<{}> DISCONNECT", self.reached()),
            // Some look at the type, some at the content.
            Dialect::Json => self.json("exit", "exit"),
            Dialect::Lines => "exit\n".to_owned(),
            Dialect::PortHello => "exit".to_owned(),
        };
        text.into_bytes()
    }

    /// What a connection of a persistent dialect begins with; its answer must come before the texts.
    pub fn opening(&self, dialect: Dialect) -> Option<Vec<u8>> {
        match dialect {
            Dialect::Lines => Some(self.lines_opening().into_bytes()),
            Dialect::PortHello => Some(self.port_hello().into_bytes()),
            Dialect::Flat | Dialect::FlatTwo | Dialect::BracketFlat | Dialect::Bracket => None,
            Dialect::Json | Dialect::Raw => None,
        }
    }

    /// The answer to `connect`.
    pub(super) fn connected(&self) -> Vec<u8> {
        self.framed(Dialect::Flat, "connected").into_bytes()
    }

    /// One text with its header. Two fields have no room for a text of several words, and a peer
    /// without a known dialect shows the whole line: both are spoken to flat.
    fn framed(&self, dialect: Dialect, text: &str) -> String {
        let (addr, name) = (self.reached(), plain_name(self.name));
        match dialect {
            Dialect::Flat | Dialect::FlatTwo | Dialect::PortHello | Dialect::Raw => {
                format!("{addr} {name} {text}")
            }
            Dialect::BracketFlat => format!("<{addr}> {name} {text}"),
            Dialect::Bracket => format!("<{addr}> @ <{name}>\n{text}\n<end>"),
            Dialect::Json => self.json("message", text),
            Dialect::Lines => format!("{text}\n"),
        }
    }

    fn json(&self, kind: &str, content: &str) -> String {
        let (content, name) = (Value::from(content), Value::from(plain_name(self.name)));
        let port = self.addr.port();
        format!(r#"{{"type":"{kind}","content":{content},"sender_name":{name},"sender_port":{port}}}"#)
    }

    fn lines_opening(&self) -> String {
        format!("{}\n{}\nCONNECT\n", self.addr.port(), plain_name(self.name))
    }

    fn port_hello(&self) -> String {
        format!("PORT:{}", self.addr.port())
    }

    /// Without the forms of an address that only our own system understands.
    fn reached(&self) -> SocketAddr {
        SocketAddr::new(self.addr.ip().to_canonical(), self.addr.port())
    }
}

/// Our name as plain programs can take it: without white space, control characters and `:<>|`, which
/// become `_`, not `@` alone, not ending in a digit, not empty, at most `NAME_MAX` bytes. Names that
/// differ in their last digit still differ, as some programs know their peers by name.
pub fn plain_name(name: &str) -> String {
    let mut plain = String::new();
    for grapheme in name.graphemes(true) {
        // One byte is left for what may have to follow a digit.
        if plain.len() + grapheme.len() >= NAME_MAX {
            break;
        }
        plain.extend(grapheme.chars().map(|c| {
            let splits = is_break(c) || c.is_whitespace() || matches!(c, ':' | '<' | '>' | '|');
            if splits { '_' } else { c }
        }));
    }
    if plain.is_empty() || plain == "@" {
        return "_".to_owned();
    }
    if plain.ends_with(char::is_numeric) {
        plain.push('_');
    }
    plain
}

/// What may end a line or move a cursor: control characters and Unicode's line and paragraph ends.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Programs drop blank text as malformed.
fn said(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.trim().is_empty())
}

/// Bytes of a text within a JSON string; control characters, which would need more, are gone.
fn json_len(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// Cuts a text into pieces that each cost at most `room`.
fn cut(text: &str, room: usize, cost: fn(&str) -> usize) -> Vec<&str> {
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    let mut place = |at: usize, bytes: usize| {
        if used + bytes > room {
            pieces.extend(text.get(start..at));
            (start, used) = (at, 0);
        }
        used += bytes;
    };
    for (at, grapheme) in text.grapheme_indices(true) {
        let whole = cost(grapheme);
        if whole <= room {
            place(at, whole);
        } else {
            for (offset, c) in grapheme.char_indices() {
                place(at + offset, cost(c.encode_utf8(&mut [0; 4])));
            }
        }
    }
    pieces.extend(text.get(start..));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bent_as_little_as_programs_need() {
        for (name, plain) in [
            ("alice", "alice"),
            ("Zoë", "Zoë"),
            ("@bob", "@bob"),
            ("two words", "two_words"),
            ("a:b<c>d|e", "a_b_c_d_e"),
            ("tab\tnl\r\n", "tab_nl__"),
            ("@", "_"),
            ("", "_"),
            ("alice2", "alice2_"),
            ("x٣", "x٣_"),
            ("\u{2028}\u{a0}\u{7f}", "___"),
        ] {
            assert_eq!(plain_name(name), plain, "{name:?}");
            assert_eq!(plain_name(plain), plain, "{name:?} twice");
        }
        let long = plain_name(&"9".repeat(1000));
        assert_eq!((long.len(), plain_name(&long) == long), (NAME_MAX, true));
    }

    #[test]
    fn what_is_left_of_a_text_of_blanks_has_no_number() {
        let own = Sender { addr: ([10, 0, 0, 1], 5000).into(), name: "us" };
        let text = format!("{}here", " ".repeat(2 * MESSAGE_MAX));
        let parts = own.message(Dialect::Lines, &text);
        let parts: Vec<_> = parts.iter().map(|part| String::from_utf8_lossy(part)).collect();
        assert!(matches!(&parts[..], [part] if part.trim() == "here"), "{parts:?}");
    }

    #[test]
    fn controls_and_exits_are_spelt_as_each_dialect_wants() {
        let own = Sender { addr: ([10, 0, 0, 1], 5000).into(), name: "us" };
        let text = |bytes| String::from_utf8(bytes).unwrap_or_default();
        for (dialect, connect, exit) in [
            (Dialect::Flat, "10.0.0.1:5000 us connect", "10.0.0.1:5000 us exit"),
            (Dialect::FlatTwo, "10.0.0.1:5000 CONNECT_REQUEST", "10.0.0.1:5000 us exit"),
            (Dialect::BracketFlat, "<10.0.0.1:5000> us connect", "<10.0.0.1:5000> us quit"),
            (Dialect::Bracket, "<10.0.0.1:5000> @ <us>\nconnect\n<end>", "<10.0.0.1:5000> DISCONNECT"),
            (
                Dialect::Json,
                r#"{"type":"connect","content":"connect","sender_name":"us","sender_port":5000}"#,
                r#"{"type":"exit","content":"exit","sender_name":"us","sender_port":5000}"#,
            ),
            (Dialect::Lines, "5000\nus\nCONNECT\n", "exit\n"),
            (Dialect::PortHello, "PORT:5000", "exit"),
            (Dialect::Raw, "10.0.0.1:5000 us connect", "10.0.0.1:5000 us exit"),
        ] {
            assert_eq!(
                (text(own.connect(dialect)).as_str(), text(own.exit(dialect)).as_str()),
                (connect, exit)
            );
        }
    }
}

//! What things are called: peers, links, requests, messages, and the names that people choose.
//! Decides which names exist at all; who bears one is the node's business.

use arrayvec::ArrayString;
use std::fmt;
use std::net::SocketAddr;
use unicode_normalization::UnicodeNormalization;

use crate::key::PeerKey;
use crate::limits::NAME_MAX;

/// A name as people type it: 1 to [`NAME_MAX`] bytes of letters, digits and `_ - . + ~`, in NFKC,
/// beginning with a letter or digit. It can be shown anywhere and is one shell word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(ArrayString<NAME_MAX>);

/// Why a name cannot be used. Nothing was renamed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left of it.
    #[error("a name needs at least one letter or digit")]
    Empty,
    /// It has this many bytes.
    #[error("a name of {0} bytes is too long; the limit is {NAME_MAX} bytes")]
    TooLong(usize),
    /// It has a character that no name may have, here escaped.
    #[error(
        "a name cannot contain '{0}'; letters, digits and _ - . + ~ can, and the first is a letter or digit"
    )]
    Character(String),
    /// The program itself speaks under that name.
    #[error("the name \"{0}\" is taken by the program itself")]
    Reserved(String),
}

/// Who a peer is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerId {
    /// A native peer is its key.
    Native(PeerKey),
    /// A plain peer is the address of its socket with the port that it claims to listen on; port 0
    /// when it never claimed one.
    Plain(SocketAddr),
}

/// One stream between us and somebody. The low bit says who opened it, so that both a driver's
/// accepts and a node's dials are numbered without asking each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(u64);

/// A command on its way, chosen by whoever gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What the store was asked to save, in the order of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SaveId(pub u64);

/// What the store was asked to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoadId(pub u64);

/// 128 random bits made when a message is made, and kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 16]);

/// Words under which the program itself speaks, or that the grammar reads as something else.
const RESERVED: [&str; 7] = ["you", "system", "hobnob", "all", "any", "off", "plain"];

impl Name {
    /// A name that a user of ours chose.
    ///
    /// # Errors
    /// It breaks one of the rules above; the error says which.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.len() > 4 * NAME_MAX {
            return Err(NameError::TooLong(text.len()));
        }
        let normal: String = text.nfkc().collect();
        let first_is_odd = |c: char| !c.is_alphanumeric();
        match normal.chars().next() {
            None => return Err(NameError::Empty),
            Some(c) if first_is_odd(c) => return Err(NameError::Character(shown(c))),
            Some(_) => {}
        }
        if let Some(odd) = normal.chars().find(|&c| !may_contain(c)) {
            return Err(NameError::Character(shown(odd)));
        }
        if RESERVED.contains(&normal.to_lowercase().as_str()) {
            return Err(NameError::Reserved(normal));
        }
        ArrayString::from(&normal).map(Self).map_err(|_| NameError::TooLong(normal.len()))
    }

    /// The nearest name to what somebody else claims to be called; if nothing is left of it, a name
    /// made from `fallback`, which is shown as `peer-…`.
    pub fn claimed(text: &str, fallback: &str) -> Self {
        let cut: String = text.chars().take(4 * NAME_MAX).collect();
        let mut kept = ArrayString::<NAME_MAX>::new();
        let cleaned =
            cut.trim().nfkc().map(|c| if c.is_whitespace() { '_' } else { c }).filter(|&c| may_contain(c));
        for c in cleaned.skip_while(|c| !c.is_alphanumeric()) {
            if kept.try_push(c).is_err() {
                break;
            }
        }
        Self::new(&kept).unwrap_or_else(|_| {
            let mut name = ArrayString::new();
            for c in "peer-".chars().chain(fallback.chars().filter(|&c| may_contain(c))) {
                if name.try_push(c).is_err() {
                    break;
                }
            }
            Self(name)
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl PeerId {
    /// Whether nothing of what it says is proven.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl LinkId {
    /// The `number`-th stream that somebody opened to us.
    pub fn accepted(number: u64) -> Self {
        Self(number << 1)
    }

    /// The `number`-th stream that we opened.
    pub fn dialled(number: u64) -> Self {
        Self(number << 1 | 1)
    }

    /// Whether we opened it.
    pub fn is_dialled(self) -> bool {
        self.0 & 1 == 1
    }

    /// A number for tables: unlike for unlike links.
    pub fn number(self) -> u64 {
        self.0
    }
}

fn may_contain(c: char) -> bool {
    (c.is_alphanumeric() && !crate::text::is_hidden(c)) || matches!(c, '_' | '-' | '.' | '+' | '~')
}

fn shown(c: char) -> String {
    crate::text::escape_display(&c.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_visible_word() {
        for good in ["alice", "Bob-2", "Žluťoučký", "日本", "a.b_c+d~"] {
            assert_eq!(Name::new(good).expect(good).as_str(), good);
        }
        for bad in [
            "",
            " ",
            "a b",
            "-x",
            "#x",
            "/x",
            "*",
            "@a",
            "a:b",
            "<a>",
            "[plain]",
            "a\u{200b}b",
            "a\x1bb",
            "\u{3164}",
            "a'b",
        ] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Name::new("System"), Err(NameError::Reserved("System".into())));
        assert_eq!(Name::new(&"x".repeat(10_240)), Err(NameError::TooLong(10_240)));
        assert_eq!(Name::new("ﬁn").expect("compatibility forms are folded").as_str(), "fin");
    }

    #[test]
    fn claims_become_names() {
        assert_eq!(Name::claimed("My Team", "x").as_str(), "My_Team");
        assert_eq!(Name::claimed("\x1b[2Jeve", "x").as_str(), "2Jeve");
        assert_eq!(Name::claimed("system", "ab12").as_str(), "peer-ab12");
        assert_eq!(Name::claimed("\u{3164} *", "ab12").as_str(), "peer-ab12");
        assert_eq!(Name::claimed(&"é".repeat(9_000), "x").as_str().len(), NAME_MAX);
    }

    #[test]
    fn a_link_says_who_opened_it() {
        assert!(LinkId::dialled(3).is_dialled());
        assert!(!LinkId::accepted(3).is_dialled());
        assert_ne!(LinkId::accepted(3).number(), LinkId::dialled(3).number());
    }
}

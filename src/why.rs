//! Why a link or a dial ended: one list for the node that decides by it, the screen that says it
//! and the reports that keep it.

use std::fmt;

/// The reason. Its text completes "lost bob: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The other side closed the stream without a goodbye.
    Eof,
    /// The stream was reset.
    Reset,
    /// Nothing listens at the address.
    Refused,
    /// No answer in time.
    TimedOut,
    /// No route to the address.
    Unreachable,
    /// The name has no address.
    NoSuchHost,
    /// We have no descriptors or no permission for another stream.
    System,
    /// It answered, but not with our preamble.
    NotHobnob,
    /// It speaks a version that we do not know.
    Version(u8),
    /// It did not finish the handshake in time.
    Stalled,
    /// It could not prove its key, or a record did not decrypt.
    Crypto,
    /// It sent what the protocol does not allow.
    Protocol,
    /// What it sent broke our own code.
    Broken,
    /// It is ourselves.
    Ourselves,
    /// It said nothing for a minute.
    Silent,
    /// It did not read what we sent.
    Slow,
    /// We have as many links as we allow.
    Full,
    /// A limit on who is let in.
    Limit(Limit),
    /// Plain connections are refused here.
    PlainRefused,
    /// Another key listens where it did, so its program has ended.
    Replaced,
    /// Only its own word says where a plain program listens, and that is not enough.
    OnlyClaimed,
    /// It has left, and nothing reaches it any more.
    Left,
    /// It waited too long for its peer.
    Expired,
    /// Another key than the peer's own has answered.
    KeyChanged,
    /// We closed it.
    Closed,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum StoreFault {
    /// There is no room; there may be some later.
    #[error("the disk is full")]
    Full,
    /// It cannot be trusted to keep anything any more, until the program starts anew.
    #[error("the disk does not keep what it is given")]
    Broken,
}

/// Which limit refused a stream; `limits::doors` has the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Streams of one source that have not said who they are.
    SourceStrangers,
    /// The same of all sources; a newer one took its place.
    Strangers,
    /// Handshakes under way with one source.
    SourceHandshakes,
    /// The same with all sources.
    Handshakes,
    /// Handshakes that one source begins.
    SourceHandshakeRate,
    /// The same of all sources.
    HandshakeRate,
    /// Handshakes that one key finishes.
    KeyHandshakeRate,
    /// Links of one source to peers that are not pinned.
    SourceLinks,
    /// Plain connections of one source that are open.
    SourcePlain,
    /// Plain connections that one source begins.
    SourcePlainRate,
    /// What the source did before.
    Penalty,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::SourceStrangers,
        Self::Strangers,
        Self::SourceHandshakes,
        Self::Handshakes,
        Self::SourceHandshakeRate,
        Self::HandshakeRate,
        Self::KeyHandshakeRate,
        Self::SourceLinks,
        Self::SourcePlain,
        Self::SourcePlainRate,
        Self::Penalty,
    ];
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eof => "connection closed without a goodbye",
            Self::Reset => "connection reset",
            Self::Refused => "refused (nothing listens there)",
            Self::TimedOut => "no answer in time",
            Self::Unreachable => "unreachable (no route)",
            Self::NoSuchHost => "no such host",
            Self::System => "the system allows no further connection",
            Self::NotHobnob => "does not speak hobnob",
            Self::Version(version) => {
                return write!(
                    f,
                    "speaks version {} of the protocol, we speak 1",
                    char::from(*version).escape_default()
                );
            }
            Self::Stalled => "handshake not finished in time",
            Self::Crypto => "could not prove who it is",
            Self::Protocol => "sent what the protocol does not allow",
            Self::Broken => "what it sent broke something here; please report it",
            Self::Ourselves => "that is you",
            Self::Silent => "nothing heard for 60 s",
            Self::Slow => "did not read what we sent",
            Self::Full => "too many links here",
            Self::Limit(limit) => {
                return write!(f, "over the limit \"{}\" (see `limits`)", crate::limits::doors::name(*limit));
            }
            Self::PlainRefused => "plain connections are refused here (--no-classic)",
            Self::Replaced => "another key is there now",
            Self::OnlyClaimed => "only its own word says where it listens; connect to its address instead",
            Self::Left => "it has left",
            Self::Expired => "it waited for 30 days",
            Self::KeyChanged => "another key answers there",
            Self::Closed => "closed by us",
        })
    }
}

//! What a front end asks of a node, and why it may be refused. A refused command changed nothing.

use std::time::Duration;

use crate::addr::Address;
use crate::id::{Name, PeerId};
use crate::key::PeerKey;
use crate::text::Body;
use crate::why::{StoreFault, Why};

/// A peer as somebody refers to it. It is looked up when the command is obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerRef {
    /// A name, or at least four hex digits at the beginning of a key.
    Word(String),
    /// Where it listens.
    At(Address),
    /// Exactly this one.
    Id(PeerId),
}

impl std::fmt::Display for PeerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => f.write_str(&crate::text::escape_display(word)),
            Self::At(address) => address.fmt(f),
            Self::Id(PeerId::Native(key)) => f.write_str(&key.short()),
            Self::Id(PeerId::Plain(addr)) => addr.fmt(f),
        }
    }
}

/// Which protocol a dial speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Ours, encrypted.
    Native,
    /// One line of text a connection. The address may show first that it is one of us.
    Plain,
}

/// Something to do. Every command is answered once, when it has had its effect or has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Queue a text for one peer, connecting to it if need be. Answered when it is queued; that it
    /// was delivered is an event.
    Send {
        /// To whom.
        to: PeerRef,
        /// What.
        text: Body,
        /// Whether a program made it, not a person.
        auto: bool,
    },
    /// Queue a text for every connected peer.
    Broadcast {
        /// What.
        text: Body,
        /// Whether a program made it, not a person.
        auto: bool,
    },
    /// Queue a text for whoever wrote last.
    Reply {
        /// What.
        text: Body,
    },
    /// Who is there.
    Peers {
        /// Also those that were there before.
        known: bool,
    },
    /// Connect to one peer or address; answered when it is usable.
    Connect {
        /// To whom.
        to: PeerRef,
        /// In which protocol; by default the one it spoke last, or the node's own default.
        dialect: Option<Dialect>,
    },
    /// Connect to every peer ever known; answered when each has been tried.
    ConnectKnown,
    /// Dial an address now and again for ever until it is connected, and whenever it is lost.
    Keep {
        /// Where.
        address: Address,
    },
    /// Say goodbye to a peer and close; nothing more is dialled to it by itself.
    Disconnect {
        /// To whom; `None` for all.
        peer: Option<PeerRef>,
    },
    /// Measure one round trip.
    Ping {
        /// To whom.
        peer: PeerRef,
    },
    /// Everything known of a peer.
    Whois {
        /// Of whom.
        peer: PeerRef,
    },
    /// Call a peer something of our own choice.
    Alias {
        /// The name.
        name: Name,
        /// Whose.
        peer: PeerRef,
    },
    /// A person has compared the peer's key with the peer itself.
    Trust {
        /// Whose.
        peer: PeerRef,
    },
    /// The key that answers in a peer's place is its key from now on.
    TrustReplace {
        /// Whose.
        peer: PeerRef,
        /// How the new key begins, in hexadecimal digits.
        key: String,
    },
    /// The peer is no longer where it was; somebody else may be.
    TrustForget {
        /// Which.
        peer: PeerRef,
    },
    /// Messages that were kept, the oldest first.
    Log {
        /// With this peer only.
        peer: Option<PeerRef>,
        /// The latest so many.
        last: usize,
        /// Only those with all of these words.
        find: Option<String>,
    },
    /// Do not show what a peer says.
    Ignore {
        /// Whom.
        peer: PeerRef,
    },
    /// Show it again.
    Unignore {
        /// Whom.
        peer: PeerRef,
    },
    /// Who am I, and from now on who shall I be.
    Me {
        /// The new name.
        name: Option<Name>,
    },
    /// Counters.
    Status,
    /// Say goodbye to all and stop; answered when it is said, or after two seconds.
    Quit,
}

/// Why a command was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nobody is called that; nothing was done.
    #[error("no peer called \"{name}\"{}", hint(.near, .peers))]
    UnknownPeer {
        /// What was asked for, escaped.
        name: String,
        /// A name that is spelt nearly so.
        near: Option<Name>,
        /// Everybody who could have been meant.
        peers: Vec<Name>,
    },
    /// More than one is called that; nothing was done.
    #[error("\"{name}\" could be {}; name one by its key or address", .candidates.join(" or "))]
    Ambiguous {
        /// What was asked for, escaped.
        name: String,
        /// Each, with its key or address.
        candidates: Vec<String>,
    },
    /// The machine or the peer at the other end: it could not be reached. Nothing was queued.
    #[error("{at} {why}{}", remedy(.why, .at))]
    Unreachable {
        /// Where.
        at: String,
        /// Why.
        why: Why,
    },
    /// There is nobody to say it to; nothing was sent.
    #[error("nobody is connected; try: connect :5001")]
    NobodyConnected,
    /// `connect` without a peer needs somebody known.
    #[error("no peer is known yet; try: connect :5001")]
    NobodyKnown,
    /// `reply` needs a message.
    #[error("no one has written yet")]
    NoOneWrote,
    /// The peer is known but not connected; nothing was done.
    #[error("{0} is not connected")]
    NotConnected(Name),
    /// The peer left and its key was for one run, so nothing can reach it; nothing was queued.
    #[error("{0} has left, and its key with it; when somebody of that name is back, send again")]
    Gone(Name),
    /// The peer takes no more until it has acknowledged some; the message was not queued.
    #[error("the outbox for {0} is full; it holds {limit} messages or 16 MiB", limit = crate::limits::OUTBOX_MESSAGES)]
    OutboxFull(Name),
    /// Another key than the peer's has answered in its place; nothing was said to it, and what waits
    /// for the peer waits on.
    #[error(
        "{name} has another key: {} ({}) answers in its place; compare it with {name}, then: trust {name} --replace {}; if somebody else is there now: trust {name} --forget",
        .shown.short(), .shown.words(), .shown.short()
    )]
    KeyChanged {
        /// Whose.
        name: Name,
        /// The key that answers.
        shown: PeerKey,
    },
    /// There is no other key that could take the place of the peer's.
    #[error("no other key than its own has answered for {0}; nothing is to be replaced")]
    SameKey(Name),
    /// The digits are not those of the key that answers; nothing was replaced.
    #[error("the key that answers for {name} begins with {}; type that, once you have compared it", .shown.short())]
    OtherKey {
        /// Whose.
        name: Name,
        /// The key that answers.
        shown: PeerKey,
    },
    /// A peer that has proven a key is never spoken to in plain text.
    #[error(
        "{0} has proven a key there, and is never spoken to in plain text; connect without --classic, or: trust {0} --forget"
    )]
    NotPlain(Name),
    /// Nothing can be saved now, so nothing is promised; the message was not queued.
    #[error("{0}, so nothing more can be queued")]
    Store(StoreFault),
    /// There is no store to look into.
    #[error("nothing is kept here (--ephemeral, or no data folder)")]
    NothingKept,
    /// A plain program knows no such thing.
    #[error("{0} is a plain program: it has no {1}")]
    PlainPeer(Name, &'static str),
    /// A plain peer that never said where it listens cannot be written to.
    #[error("{0} is a plain program that has not said where it listens; write to its address")]
    NoAddress(Name),
    /// A plain program named a place that its own word is not enough for; nothing was dialled.
    #[error("{name} {claim}; if you mean {at} all the same: connect --classic {at}")]
    OnlyClaimed {
        /// Who.
        name: Name,
        /// Where it would be.
        at: std::net::SocketAddr,
        /// What is wrong with that.
        claim: &'static str,
    },
    /// Nothing but control characters and blanks is left for a plain program.
    #[error("nothing of the text can be sent to a plain program")]
    NothingPlain,
    /// The name is in use by another peer.
    #[error("{0} is already the name of another peer")]
    NameTaken(Name),
    /// It had no effect in time; it may still have one (for a message: it stays queued).
    #[error("no answer from {who} within {}", show(*.within))]
    Timeout {
        /// From whom.
        who: String,
        /// How long was waited.
        within: Duration,
    },
    /// Whoever asks may not ask this here; nothing was done.
    #[error("{0}")]
    NotHere(&'static str),
    /// The node is on its way out; nothing was done.
    #[error("already saying goodbye")]
    Leaving,
}

/// A duration as the grammar writes it, exact to the microsecond: `500ms`, `2s`, `1m`.
pub fn show(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0 => "0ms".into(),
        _ if micros.is_multiple_of(60_000_000) => format!("{}m", micros / 60_000_000),
        _ if micros.is_multiple_of(1_000_000) => format!("{}s", micros / 1_000_000),
        _ if micros.is_multiple_of(1_000) => format!("{}ms", micros / 1_000),
        _ => format!("{micros}us"),
    }
}

fn hint(near: &Option<Name>, peers: &[Name]) -> String {
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    if peers.is_empty() {
        return format!("{near} (nobody is known yet; an address such as :5001 works too)");
    }
    let shown: Vec<_> = peers.iter().take(12).map(Name::as_str).collect();
    let more = if peers.len() > 12 { ", …" } else { "" };
    format!("{near} (peers: {}{more})", shown.join(", "))
}

fn remedy(why: &Why, at: &str) -> String {
    match why {
        Why::NotHobnob => format!("; if it is a plain program: connect --classic {at}"),
        _ => String::new(),
    }
}

//! What a node answers to a command: plain data, made into lines or JSON by the renderers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::Dialect;
use crate::api::event::Who;
use crate::id::Name;
use crate::key::PeerKey;
use crate::text::{Body, Untrusted};
use crate::time::Wall;
use crate::why::Why;

/// The answer to one command, of the command's own kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To `Send` and `Reply`: saved here and on its way.
    Queued {
        /// To whom.
        to: Who,
        /// Its number in our stream to that peer; parts of a long plain message count one each,
        /// and this is the last.
        seq: u64,
        /// The peer is connected; otherwise the message waits for it.
        connected: bool,
    },
    /// To `Broadcast`: each peer with the number of the message in its stream.
    Broadcast(Vec<(Who, u64)>),
    /// To `Peers`.
    Peers(Vec<PeerRow>),
    /// To `Connect`: it is usable.
    Connected {
        /// Which.
        who: Who,
        /// It was before.
        already: bool,
    },
    /// To `ConnectKnown`: who is connected now, and who could not be reached.
    ConnectedKnown {
        /// Connected.
        connected: Vec<Who>,
        /// Not.
        failed: Vec<(Who, Why)>,
    },
    /// To `Keep`: the first attempt has ended so.
    Kept(Result<Who, Why>),
    /// To `Disconnect`: these were told.
    Disconnected(Vec<Who>),
    /// To `Ping`: the round trip.
    Pong(Who, Duration),
    /// To `Whois`.
    Whois(Box<Whois>),
    /// To `Alias`: this is what it is called now.
    Aliased(Who),
    /// To `Trust` and its kin: what its key is worth now.
    Trusted {
        /// Whose, and what it is worth.
        who: Who,
        /// Its key.
        key: PeerKey,
    },
    /// To `Log`.
    Log(Vec<LogEntry>),
    /// To `Ignore` and `Unignore`: whether what it says is hidden now.
    Ignored(Who, bool),
    /// To `Me`.
    Me(Box<Me>),
    /// To `Status`.
    Status(Box<Status>),
    /// To `Quit`: everybody was told who could be.
    Goodbye,
}

/// A line of `peers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRow {
    /// Which.
    pub who: Who,
    /// Where it listens, if it says so; for a plain peer its port may be claimed only.
    pub listens: Option<SocketAddr>,
    /// Whether it can be talked to now.
    pub state: PeerState,
    /// Which protocol it speaks.
    pub dialect: Dialect,
    /// The last round trip.
    pub rtt: Option<Duration>,
    /// How long ago it was heard.
    pub heard: Option<Duration>,
    /// Messages of ours that it has not acknowledged.
    pub queued: usize,
    /// What it says is not shown.
    pub ignored: bool,
}

/// What a peer's key is worth to us. There is no other word for it anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// A person has compared it with the peer.
    Verified,
    /// It is the one that answered first.
    FirstUse,
    /// Another key has answered in its place since.
    Changed,
    /// It is for one run of a program, or was replaced, and nothing is held against it.
    Unknown,
    /// There is no key.
    Plain,
}

impl Trust {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Verified, Self::FirstUse, Self::Changed, Self::Unknown, Self::Plain];

    /// The word for it, the same wherever it is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::FirstUse => "first use",
            Self::Changed => "CHANGED",
            Self::Unknown => "unknown",
            Self::Plain => "plain",
        }
    }
}

/// What became of a message that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It came.
    Received,
    /// It waits for its peer.
    Queued,
    /// It is saved at its peer.
    Delivered,
    /// Its peer did not come back in time.
    Expired,
    /// Nothing could reach its peer any more.
    Failed,
    /// It was written to a plain program, which confirms nothing.
    Sent,
}

impl MessageState {
    /// The word for it, the same wherever it is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Sent => "sent, not confirmed",
        }
    }
}

/// A line of `log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// With whom.
    pub who: Who,
    /// We said it.
    pub ours: bool,
    /// When, by our clock.
    pub at: Wall,
    /// What.
    pub text: Untrusted<Body>,
    /// What became of it.
    pub state: MessageState,
}

/// Whether a peer can be talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Yes.
    Connected,
    /// It said goodbye, or we did.
    Left,
    /// It went without one.
    Lost,
}

impl PeerState {
    /// The word for it, the same wherever it is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Left => "left",
            Self::Lost => "lost",
        }
    }
}

/// Everything known of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whois {
    /// As in `peers`.
    pub row: PeerRow,
    /// What it calls itself, when we call it something else.
    pub claims: Option<Name>,
    /// Its key; a plain peer has none.
    pub key: Option<PeerKey>,
    /// How it writes: `native`, or which form of plain text it last used.
    pub dialect: &'static str,
    /// Messages received from it and sent to it in this run.
    pub received: u64,
    /// See `received`.
    pub sent: u64,
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// Our name.
    pub name: Name,
    /// Our key.
    pub key: PeerKey,
    /// Where we listen.
    pub listens: Option<SocketAddr>,
}

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How long we have been running.
    pub uptime: Duration,
    /// Streams open now, of whatever kind.
    pub links: usize,
    /// Peers connected now.
    pub connected: usize,
    /// Peers known.
    pub known: usize,
    /// Messages received, each once.
    pub received: u64,
    /// Messages sent, to each peer once.
    pub sent: u64,
    /// Of those, acknowledged.
    pub delivered: u64,
    /// Of those, waiting.
    pub queued: usize,
    /// Messages that arrived again and were not shown again.
    pub repeated: u64,
    /// Bytes read from links.
    pub bytes_in: u64,
    /// Bytes given to links.
    pub bytes_out: u64,
    /// Records of Noise among them; what is said at once goes in one.
    pub records_out: u64,
    /// Links closed for what they sent or did not send.
    pub dropped: u64,
    /// Messages of ignored peers that were not shown.
    pub ignored: u64,
    /// Streams that ended because what they brought broke our own code.
    pub broken: u64,
    /// Receipts for what was never sent, or of another stream; nothing turned delivered by them.
    pub false_receipts: u64,
    /// Messages that came under the number of another one, which was kept.
    pub conflicts: u64,
}

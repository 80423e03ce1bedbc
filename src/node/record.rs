//! What a node keeps: facts that survive a restart, what they add up to when it starts again, and
//! what may be asked of them. Plain data; who keeps it, and how, is the store's business.

use std::net::SocketAddr;

use crate::api::reply::MessageState;
use crate::id::{LoadId, MessageId, Name, PeerId, SaveId};
use crate::key::PeerKey;
use crate::text::{Body, Untrusted};
use crate::time::Wall;
use crate::why::StoreFault;

/// A fact that survives a restart.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// All we know of a peer but for its streams; replaces what was known.
    Peer(Facts),
    /// A message of ours to a peer.
    Queued {
        /// To whom.
        to: PeerKey,
        /// In which stream.
        epoch: u64,
        /// Its number there.
        seq: u64,
        /// Its name.
        id: MessageId,
        /// What it says.
        text: Body,
        /// A program made it.
        auto: bool,
        /// When, by our clock.
        at: Wall,
    },
    /// The peer has saved everything up to `seq`.
    Delivered {
        /// Which peer.
        to: PeerKey,
        /// In which stream.
        epoch: u64,
        /// Up to and with this number.
        seq: u64,
    },
    /// What waits up to `seq` will not arrive.
    Failed {
        /// For which peer.
        to: PeerKey,
        /// In which stream.
        epoch: u64,
        /// Up to and with this number.
        seq: u64,
        /// It waited too long; otherwise nothing could reach the peer any more.
        expired: bool,
    },
    /// What waits for `to` goes by another stream from now on, numbered from 1 in the same order.
    Renumbered {
        /// For which peer.
        to: PeerKey,
        /// The new stream.
        epoch: u64,
    },
    /// What waits for `from` waits for `to` from now on, after what waits there: in its stream
    /// `epoch`, where `next` is the number of the first.
    Moved {
        /// The key that was replaced.
        from: PeerKey,
        /// The key in its place.
        to: PeerKey,
        /// The stream to it.
        epoch: u64,
        /// The number of the first message there.
        next: u64,
    },
    /// A message of a peer to us. One that is known by its name is not kept twice; the stream goes on
    /// behind it either way.
    Received {
        /// From whom.
        from: PeerKey,
        /// In which stream.
        epoch: u64,
        /// Its number there.
        seq: u64,
        /// Its name.
        id: MessageId,
        /// What it says.
        text: Untrusted<Body>,
        /// A program made it.
        auto: bool,
        /// When it came, by our clock.
        at: Wall,
    },
    /// Something said in plain text. Nobody promises anything about it.
    Plain {
        /// With whom: see [`PeerId::Plain`].
        with: SocketAddr,
        /// What it calls itself, or we call it.
        name: Name,
        /// We said it.
        ours: bool,
        /// What.
        text: Untrusted<Body>,
        /// When, by our clock.
        at: Wall,
    },
}

/// What we know of a peer, but for its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Which.
    pub key: PeerKey,
    /// What it calls itself.
    pub claims: Name,
    /// What we call it, if that is something else.
    pub alias: Option<Name>,
    /// Where it listens, if it said so.
    pub listens: Option<SocketAddr>,
    /// Somebody has compared its key with the peer itself.
    pub verified: bool,
    /// What it says is not shown.
    pub ignored: bool,
    /// Its key ends with its program.
    pub passing: bool,
    /// Nothing reaches it any more: it left, and its key with it, or another key took its place.
    pub gone: bool,
    /// It was connected when anything was last heard of it, and nobody parted: it is looked for at the
    /// next start.
    pub wanted: bool,
}

/// What a node remembers when it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// A row a peer, each key once.
    pub peers: Vec<SavedPeer>,
}

/// A peer and the streams with it.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPeer {
    /// Which, and what we know of it.
    pub facts: Facts,
    /// Our stream to it: its name, and the number of the next message; 0 before there was one.
    pub epoch: u64,
    /// See `epoch`.
    pub next: u64,
    /// What it has not acknowledged, the oldest first, up to `next - 1`.
    pub outbox: Vec<SavedMessage>,
    /// Its stream to us, as far as we have it.
    pub heard: Option<Heard>,
    /// That is not the first stream of this peer to us.
    pub again: bool,
}

/// A message of ours that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedMessage {
    /// Its name.
    pub id: MessageId,
    /// What it says.
    pub text: Body,
    /// A program made it.
    pub auto: bool,
    /// When it was queued, by our clock.
    pub at: Wall,
}

/// How far a peer's stream to us is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Which stream.
    pub epoch: u64,
    /// The last number.
    pub seq: u64,
    /// The name of the message with that number.
    pub id: MessageId,
}

/// What comes of what a store was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Everything up to this save survives a power cut.
    Saved {
        /// Which.
        save: SaveId,
        /// Messages among what was received that were there before, and are not kept twice.
        known: Vec<(PeerKey, MessageId)>,
    },
    /// Nothing of this save was kept.
    Unsaved {
        /// Which.
        save: SaveId,
        /// Given back.
        records: Vec<Record>,
        /// Why.
        fault: StoreFault,
    },
    /// What was looked for.
    Found {
        /// Which question.
        load: LoadId,
        /// What was found, the oldest first.
        rows: Result<Vec<LogRow>, StoreFault>,
    },
}

/// What is looked for in the messages kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// With this peer only.
    pub with: Option<PeerId>,
    /// Only what has all these words.
    pub find: Option<String>,
    /// The latest so many.
    pub last: usize,
}

/// A message that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// With whom.
    pub with: PeerId,
    /// What the peer was called when nothing else is known of it.
    pub name: Name,
    /// We said it.
    pub ours: bool,
    /// When, by our clock.
    pub at: Wall,
    /// What.
    pub text: Untrusted<Body>,
    /// What became of it.
    pub state: MessageState,
}

impl Record {
    /// The native peer that it is about, if it is about one.
    pub fn peer(&self) -> Option<PeerKey> {
        match self {
            Self::Peer(facts) => Some(facts.key),
            Self::Queued { to, .. }
            | Self::Delivered { to, .. }
            | Self::Failed { to, .. }
            | Self::Renumbered { to, .. }
            | Self::Moved { to, .. } => Some(*to),
            Self::Received { from, .. } => Some(*from),
            Self::Plain { .. } => None,
        }
    }
}

impl Facts {
    /// What is known of somebody who was never heard of.
    pub fn new(key: PeerKey) -> Self {
        Self {
            key,
            claims: Name::claimed("", &key.short()),
            alias: None,
            listens: None,
            verified: false,
            ignored: false,
            passing: false,
            gone: false,
            wanted: false,
        }
    }
}

impl SavedPeer {
    /// Somebody nothing was said to or heard of.
    pub fn new(facts: Facts) -> Self {
        Self { facts, epoch: 0, next: 0, outbox: Vec::new(), heard: None, again: false }
    }
}

//! What a node tells its front end: what happened, once, in order. How it looks is decided by the
//! renderers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::addr::Address;
use crate::api::command::Dialect;
use crate::api::reply::Trust;
use crate::id::{MessageId, Name, PeerId};
use crate::key::PeerKey;
use crate::text::{Body, Untrusted};
use crate::time::Now;
use crate::why::{StoreFault, Why};

/// A peer, as it is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Which.
    pub id: PeerId,
    /// Our alias for it, or what it calls itself.
    pub name: Name,
    /// Another peer has the same name, so its key or address must stand beside it.
    pub twin: bool,
    /// What its key is worth; at first use nobody has compared it yet.
    pub trust: Trust,
}

/// What happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the input that caused it was read.
    pub at: Now,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A peer can be talked to.
    Joined {
        /// Which.
        who: Who,
        /// Where it listens, if it says so.
        listens: Option<SocketAddr>,
        /// We dialled it.
        dialled: bool,
    },
    /// A peer said goodbye, or we did to it.
    Left {
        /// Which.
        who: Who,
        /// It was our doing.
        ours: bool,
    },
    /// A peer is gone without a goodbye.
    Lost {
        /// Which.
        who: Who,
        /// How we noticed.
        why: Why,
    },
    /// A peer calls itself something else.
    Renamed {
        /// Which, by its new name.
        who: Who,
        /// What it was called before.
        before: Name,
    },
    /// Another key answers where a peer listened whose key was for one run: nothing can reach the
    /// old one any more.
    Superseded {
        /// The old one.
        who: Who,
        /// The new one.
        by: Who,
    },
    /// Somebody wrote.
    Message(Message),
    /// Our messages `first..=last` to a peer are saved there; for a plain peer: written, not
    /// confirmed.
    Delivered {
        /// To whom.
        to: Who,
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// Messages of ours will not arrive.
    Failed {
        /// To whom.
        to: Who,
        /// The number of the first of them.
        first: u64,
        /// The number of the last.
        last: u64,
        /// Why.
        why: Why,
    },
    /// Another key answers in the place of a peer, or says hello under its name; nothing was said to
    /// it.
    KeyChanged {
        /// Whose place it is.
        who: Who,
        /// Where.
        at: Option<SocketAddr>,
        /// The peer's key.
        pinned: PeerKey,
        /// The other.
        shown: PeerKey,
    },
    /// Messages of a peer's stream before what comes now never came here: they were given up, or
    /// delivered to a former installation of ours.
    Missed {
        /// Whose.
        from: Who,
        /// How many.
        count: u64,
    },
    /// A peer has messages of ours that we do not remember: our store was set back. What waits is
    /// sent anew.
    SetBack {
        /// Who has them.
        by: Who,
    },
    /// We are leaving, and messages stay here for a peer that is away.
    Kept {
        /// For whom.
        to: Who,
        /// How many.
        count: usize,
    },
    /// What happens is not saved any more. Said once until it is.
    StoreFailed(StoreFault),
    /// What happens is saved again.
    StoreWorks,
    /// An address that is kept, or a peer that is written to, does not answer. Said once until it
    /// has answered again.
    Unreachable {
        /// Who was looked for, if that is known.
        who: Option<Who>,
        /// Where.
        at: Address,
        /// Why.
        why: Why,
        /// When it is tried again.
        retry: Option<Duration>,
    },
    /// We are leaving: every peer was told.
    Leaving,
    /// A link that never became a peer was closed; of interest to those who want details.
    Dropped {
        /// From where, if known.
        from: Option<SocketAddr>,
        /// Why.
        why: Why,
    },
}

/// What somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who.
    pub from: Who,
    /// Its number in the sender's stream; for a plain peer we count ourselves.
    pub seq: u64,
    /// Its name; a plain message has none.
    pub id: Option<MessageId>,
    /// What.
    pub text: Untrusted<Body>,
    /// A program made it, not a person.
    pub auto: bool,
    /// Said in which protocol.
    pub dialect: Dialect,
    /// The claimed address of a plain message, where it differs from where it came from.
    pub claim: Option<Untrusted<String>>,
}

//! What we know of one peer: who it is, where it listens, the streams with it, and what its key is
//! worth. Knows no other peers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::Dialect;
use crate::api::reply::{PeerState, Trust};
use crate::id::{LinkId, Name, PeerId};
use crate::key::PeerKey;
use crate::limits::bucket::Bucket;
use crate::node::delivery::{Inbox, Outbox};
use crate::node::plain::PlainPeer;
use crate::node::record::Facts;
use crate::time::Mono;

/// What we know of one peer.
pub(super) struct Peer {
    pub(super) id: PeerId,
    /// What it calls itself.
    pub(super) claims: Name,
    pub(super) alias: Option<Name>,
    pub(super) ignored: bool,
    pub(super) state: PeerState,
    /// It left, and its key with it: nothing can reach it any more.
    pub(super) gone: bool,
    pub(super) passing: bool,
    /// Somebody has compared its key with the peer itself.
    pub(super) verified: bool,
    /// Another key has answered at its place.
    pub(super) changed: Option<PeerKey>,
    /// The last that was refused in its place: whether we had dialled it, and its key.
    pub(super) refused: Option<(bool, PeerKey)>,
    /// To be looked for at the next start.
    pub(super) wanted: bool,
    /// Since when what waits for it seems too old.
    pub(super) overdue: Option<Mono>,
    /// Open links, the one that we speak on last.
    pub(super) links: Vec<LinkId>,
    /// Streams that mean it, be they links yet or not.
    pub(super) held: usize,
    pub(super) listens: Option<SocketAddr>,
    /// The life of its program that said hello last.
    pub(super) life: u64,
    /// Where it has proven its key to us, until it says where it listens.
    pub(super) proven: Option<SocketAddr>,
    pub(super) rtt: Option<Duration>,
    pub(super) heard: Option<Mono>,
    pub(super) outbox: Outbox,
    pub(super) inbox: Inbox,
    pub(super) plain: Option<Box<PlainPeer>>,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// What it has used up of what its key may do.
    pub(super) handshakes: Bucket,
    pub(super) messages: Bucket,
    /// In the list of peers that have something to say at the next flush.
    pub(super) ready: bool,
    /// In the list of peers that something is to be saved about.
    pub(super) unsaved: bool,
    /// Something about it is being saved.
    pub(super) saving: bool,
    /// Bytes of its outbox as counted in the sum of all.
    pub(super) counted: usize,
    /// Another peer that can still be meant has the same name.
    pub(super) twin: bool,
}

impl Peer {
    pub(super) fn new(id: PeerId, claims: Name, outbox: Outbox) -> Self {
        Self {
            id,
            claims,
            alias: None,
            ignored: false,
            state: PeerState::Left,
            gone: false,
            passing: false,
            verified: false,
            changed: None,
            refused: None,
            wanted: false,
            overdue: None,
            links: Vec::new(),
            held: 0,
            listens: None,
            life: 0,
            proven: None,
            rtt: None,
            heard: None,
            outbox,
            inbox: Inbox::default(),
            plain: id.is_plain().then(Box::default),
            received: 0,
            sent: 0,
            handshakes: Bucket::default(),
            messages: Bucket::default(),
            ready: false,
            unsaved: false,
            saving: false,
            counted: 0,
            twin: false,
        }
    }

    /// One that is remembered.
    pub(super) fn known(facts: &Facts, outbox: Outbox) -> Self {
        let mut peer = Self::new(PeerId::Native(facts.key), facts.claims, outbox);
        (peer.alias, peer.listens, peer.verified) = (facts.alias, facts.listens, facts.verified);
        (peer.ignored, peer.passing, peer.wanted) = (facts.ignored, facts.passing, facts.wanted);
        peer
    }

    pub(super) fn name(&self) -> Name {
        self.alias.unwrap_or(self.claims)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state == PeerState::Connected
    }

    /// The link to speak on.
    pub(super) fn link(&self) -> Option<LinkId> {
        self.links.last().copied()
    }

    /// Whether nothing refers to it or waits for it. A plain peer that never says goodbye counts as
    /// connected for ever, which is no reason to remember it for ever.
    pub(super) fn is_idle(&self) -> bool {
        let unused = self.held == 0 && !self.unsaved && !self.saving;
        let silent = self.outbox.len() == 0 && self.plain.as_ref().is_none_or(|plain| plain.is_idle());
        unused && silent && (self.id.is_plain() || !self.is_connected())
    }

    /// The least is forgotten first.
    pub(super) fn worth(&self) -> (bool, bool, Option<Mono>) {
        (!self.id.is_plain() && !self.gone, self.is_connected(), self.heard)
    }

    pub(super) fn dialect(&self) -> Dialect {
        if self.id.is_plain() { Dialect::Plain } else { Dialect::Native }
    }

    /// Its key, if it has one.
    pub(super) fn key(&self) -> Option<PeerKey> {
        match self.id {
            PeerId::Native(key) => Some(key),
            PeerId::Plain(_) => None,
        }
    }

    /// Whether its key is held against whoever answers at its place.
    pub(super) fn is_pinned(&self) -> bool {
        !self.id.is_plain() && !self.gone && !self.passing
    }

    /// Where to reach it.
    pub(super) fn place(&self) -> Option<SocketAddr> {
        self.listens.or(self.proven)
    }

    /// What its key is worth.
    pub(super) fn trust(&self) -> Trust {
        match self.id {
            PeerId::Plain(_) => Trust::Plain,
            PeerId::Native(_) if self.changed.is_some() => Trust::Changed,
            PeerId::Native(_) if self.gone => Trust::Unknown,
            PeerId::Native(_) if self.verified => Trust::Verified,
            PeerId::Native(_) if self.is_pinned() => Trust::FirstUse,
            PeerId::Native(_) => Trust::Unknown,
        }
    }

    /// What is to be remembered of it, if it can prove who it is.
    pub(super) fn facts(&self) -> Option<Facts> {
        Some(Facts {
            key: self.key()?,
            claims: self.claims,
            alias: self.alias,
            listens: self.place(),
            verified: self.verified,
            ignored: self.ignored,
            passing: self.passing,
            gone: self.gone,
            wanted: self.wanted,
        })
    }
}

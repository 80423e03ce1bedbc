//! A node with what belongs to it: its store, its streams, and what it said that nobody has taken.
//! Decides when its front end or its network keeps it from reading; knows no sockets.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use crate::api::event::Event;
use crate::id::{LinkId, LoadId, Name, RequestId, SaveId};
use crate::key::PeerKey;
use crate::live::ready::Token;
use crate::live::replies::Replies;
use crate::live::world::disk::Disk;
use crate::live::world::member::Life;
use crate::node::Node;
use crate::node::record::{Answer, Query, Record, Snapshot};
use crate::store::Store;
use crate::time::{Mono, Now, Wall};

/// A node and what belongs to it.
pub(super) struct Host {
    pub(super) name: Name,
    pub(super) key: PeerKey,
    /// `None` while its program does not run.
    pub(super) node: Option<Node>,
    pub(super) store: Keeping,
    pub(super) listens: Option<SocketAddr>,
    pub(super) listener: Option<Token>,
    pub(super) streams: BTreeMap<LinkId, Token>,
    pub(super) accepts: u64,
    pub(super) requests: u64,
    pub(super) events: VecDeque<Event>,
    /// The number of each among all that all hosts ever said, where that is asked for: in a cast.
    pub(super) numbers: VecDeque<u64>,
    pub(super) replies: Replies,
    /// Things that there were to take, ever.
    pub(super) news: u64,
    /// On the list of those.
    pub(super) stirred: bool,
    pub(super) armed: Option<Mono>,
    /// It reads nothing before this.
    pub(super) slow: Option<Mono>,
    /// How far its date is ahead, in microseconds.
    pub(super) skew: i64,
    /// Wishes of its node until it crashes.
    pub(super) fuse: Option<u64>,
    /// What its program takes to start anew, if it is one that may end and start.
    pub(super) life: Option<Box<Life>>,
}

/// Where a node's records are kept.
pub(super) enum Keeping {
    Store(Box<dyn Store>),
    Disk(Box<Disk>),
}

/// Events that may wait for a front end before its node reads no more.
const EVENTS_MAX: usize = 65_536;

impl Host {
    pub(super) fn new(node: Node, store: Keeping, life: Option<Box<Life>>) -> Self {
        Self {
            name: node.name(),
            key: node.key(),
            node: Some(node),
            store,
            listens: None,
            listener: None,
            streams: BTreeMap::new(),
            accepts: 0,
            requests: 0,
            events: VecDeque::new(),
            numbers: VecDeque::new(),
            replies: Replies::default(),
            news: 0,
            stirred: false,
            armed: None,
            slow: None,
            skew: 0,
            fuse: None,
            life,
        }
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// Both clocks as this machine has them.
    pub(super) fn now(&self, now: Now) -> Now {
        Now { mono: now.mono, wall: Wall(now.wall.0.saturating_add(self.skew)) }
    }

    /// Its front end takes nothing, so it reads nothing either.
    pub(super) fn is_stuffed(&self) -> bool {
        self.events.len() >= EVENTS_MAX
    }

    /// Whether it reads what comes.
    pub(super) fn reads(&self, now: Mono) -> bool {
        let behind = self.node.as_ref().is_some_and(Node::is_behind);
        !self.is_stuffed() && !behind && self.slow.is_none_or(|slow| slow <= now)
    }

    /// When it is to be looked at even if nothing happens.
    pub(super) fn deadline(&self) -> Option<Mono> {
        let node = self.node.as_ref().and_then(Node::deadline);
        match &self.store {
            Keeping::Store(_) if self.slow.is_none() => node,
            Keeping::Store(_) => [node, self.slow].into_iter().flatten().min(),
            Keeping::Disk(disk) => [node, disk.due(), self.slow].into_iter().flatten().min(),
        }
    }
}

impl Keeping {
    pub(super) fn load(&mut self) -> Snapshot {
        match self {
            Self::Store(store) => store.load(),
            Self::Disk(disk) => disk.load(),
        }
    }

    pub(super) fn keeps(&self) -> bool {
        match self {
            Self::Store(store) => store.keeps(),
            Self::Disk(_) => true,
        }
    }

    /// Whether its answer comes from another thread.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Store(store) if store.is_busy())
    }

    /// Whether something is on its way to it.
    pub(super) fn is_saving(&self) -> bool {
        match self {
            Self::Store(store) => store.is_busy(),
            Self::Disk(disk) => disk.due().is_some(),
        }
    }

    pub(super) fn save(&mut self, now: Mono, save: SaveId, records: Vec<Record>) {
        match self {
            Self::Store(store) => store.save(save, records),
            Self::Disk(disk) => disk.save(now, save, records),
        }
    }

    pub(super) fn look_up(&mut self, load: LoadId, query: Query) {
        match self {
            Self::Store(store) => store.look_up(load, query),
            Self::Disk(disk) => disk.look_up(load, query),
        }
    }

    /// The next thing that is done.
    pub(super) fn answer(&mut self, now: Mono) -> Option<Answer> {
        match self {
            Self::Store(store) => store.answer(),
            Self::Disk(disk) => disk.answer(now),
        }
    }
}

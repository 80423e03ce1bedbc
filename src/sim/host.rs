//! A machine of the imaginary world: a node while its program runs, and what outlives the program,
//! which is the disk, the key, the date and what was said to its front end.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use crate::api::command::CommandError;
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::{LinkId, Name, RequestId};
use crate::key::Keys;
use crate::link;
use crate::node::Node;
use crate::node::io::Config;
use crate::rng::{Rng, Seed};
use crate::sim::Cipher;
use crate::sim::disk::Disk;
use crate::sim::medium::MakeMedium;
use crate::sim::sham::SHAM;
use crate::sim::streams::StreamNo;
use crate::time::{Mono, Now, Wall};

/// A machine with a node on it.
pub(super) struct Host {
    pub(super) name: Name,
    pub(super) addr: SocketAddr,
    pub(super) keys: Keys,
    config: Config,
    cipher: Cipher,
    /// Its own stream of chance: a seed for each life of its node ...
    pub(super) lives: Rng,
    /// ... and one for each stream that it dials.
    pub(super) streams: Rng,
    /// `None` while the program does not run.
    pub(super) node: Option<Node>,
    /// Which start of the program this is.
    pub(super) life: u64,
    pub(super) disk: Disk,
    /// The streams that its node knows.
    pub(super) ends: BTreeMap<LinkId, StreamNo>,
    pub(super) accepts: u64,
    pub(super) dials: u64,
    requests: u64,
    /// Each with its number among all that there ever was to take.
    pub(super) events: VecDeque<(u64, Event)>,
    pub(super) replies: BTreeMap<RequestId, Result<Reply, CommandError>>,
    /// Things that there were to take, ever.
    pub(super) news: u64,
    /// The alarm that counts; an earlier one in the queue has been overtaken.
    pub(super) alarm: Option<Mono>,
    /// Its node has been given something since it was last flushed.
    pub(super) stirred: bool,
    /// It reads nothing before this.
    pub(super) slow: Mono,
    /// Its program does nothing before this.
    pub(super) held: Mono,
    /// How far its date is ahead, in microseconds.
    pub(super) skew: i64,
    /// Wishes of its node until it crashes.
    pub(super) fuse: Option<u64>,
}

/// Events that wait for a front end before its host reads no more.
const EVENTS_MAX: usize = 65_536;
/// The world's date at its beginning: 2026-01-01, in microseconds.
const DATE: i64 = 1_767_225_600_000_000;

impl Host {
    /// A host whose every chance follows from `seed` and from its name.
    pub(super) fn new(
        config: Config,
        addr: SocketAddr,
        seed: Seed,
        cipher: Cipher,
        medium: Option<MakeMedium>,
    ) -> Self {
        let name = config.name;
        let mut rng = Rng::of_name(seed, name.as_str());
        Self {
            name,
            addr,
            keys: Keys::from_seed(rng.fork()),
            config,
            cipher,
            lives: Rng::new(rng.fork()),
            streams: Rng::new(rng.fork()),
            node: None,
            life: 0,
            disk: Disk::on(medium.map(|make| make(rng.fork()))),
            ends: BTreeMap::new(),
            accepts: 0,
            dials: 0,
            requests: 0,
            events: VecDeque::new(),
            replies: BTreeMap::new(),
            news: 0,
            alarm: None,
            stirred: false,
            slow: Mono::default(),
            held: Mono::default(),
            skew: 0,
            fuse: None,
        }
    }

    /// Its program starts, with what the disk remembers.
    pub(super) fn start(&mut self) {
        self.life += 1;
        let (config, seed) = (self.config.clone(), self.lives.fork());
        let cipher = match self.cipher {
            Cipher::Noise => link::cipher::Cipher::NOISE,
            Cipher::Sham => SHAM,
        };
        let saved = self.disk.load();
        self.node = Some(Node::with_cipher(config, self.keys.clone(), saved, seed, cipher));
    }

    /// Its program ends.
    pub(super) fn stop(&mut self) {
        self.node = None;
        self.alarm = None;
        self.fuse = None;
        self.held = Mono::default();
    }

    pub(super) fn next_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Both clocks of this machine, when the world's has this time.
    pub(super) fn now(&self, mono: Mono) -> Now {
        now(mono, self.skew)
    }

    /// Its front end takes nothing or its disk keeps nothing, so it reads nothing either.
    pub(super) fn is_stuffed(&self) -> bool {
        self.events.len() >= EVENTS_MAX || self.node.as_ref().is_some_and(Node::is_behind)
    }
}

/// Both clocks of a machine whose date is `skew` microseconds ahead, when the world's time is this.
pub(super) fn now(mono: Mono, skew: i64) -> Now {
    let passed = i64::try_from(mono.0).unwrap_or(i64::MAX);
    Now { mono, wall: Wall(DATE.saturating_add(passed).saturating_add(skew)) }
}

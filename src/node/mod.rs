//! Everything a peer decides and nothing it does: a state machine that is told what happened
//! ([`Input`]) and says what to do about it ([`Effect`]). It owns no socket, clock, thread, file or
//! lock, and one seed, one order of inputs give one order of effects.
//!
//! A driver hands over all that is ready with [`Node::handle`], then calls [`Node::flush`] before
//! it waits: only then are messages saved, sealed and written, a whole turn's worth at a time.

pub mod admission;
mod command;
mod delivery;
mod dial;
mod expiry;
mod flow;
mod guard;
pub mod io;
mod join;
mod keep;
mod links;
mod peer;
mod peers;
mod plain;
mod queue;
pub mod record;
pub mod shelter;
mod talk;
mod trust;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::api::command::CommandError;
use crate::api::event::{Event, What};
use crate::api::reply::{Reply, Status};
use crate::id::{LinkId, LoadId, Name, PeerId, RequestId};
use crate::key::{Keys, PeerKey};
use crate::link::cipher::Cipher;
use crate::rng::{Rng, Seed};
use crate::time::{Mono, Now};
use admission::Admission;
use delivery::{Inbox, Outbox, Outgoing};
use dial::Redial;
use io::{Config, Effect, Input};
use keep::Keep;
use links::Conn;
use peer::Peer;
use peers::{PeerIx, Peers};
use record::Snapshot;
use waiting::Waiting;

/// One of us.
pub struct Node {
    config: Config,
    keys: Keys,
    rng: Rng,
    /// Tells this run of the program from those before it.
    life: u64,
    now: Now,
    started: Option<Mono>,
    links: BTreeMap<LinkId, Conn>,
    dials: u64,
    peers: Peers,
    redials: Vec<Redial>,
    waiting: BTreeMap<RequestId, Waiting>,
    last_writer: Option<PeerId>,
    /// The one deadline that comes out is the first of these.
    timers: BTreeSet<(Mono, Timer)>,
    /// Links with something to write, peers with something to say.
    dirty: Vec<LinkId>,
    ready: VecDeque<PeerIx>,
    keep: Keep,
    /// Questions that the store was asked, and whose.
    loads: BTreeMap<LoadId, RequestId>,
    /// The age of what waits is looked at.
    watching: bool,
    outbox_bytes: usize,
    /// Nobody is counted without.
    admission: Option<Admission>,
    sniffing: usize,
    counters: Status,
    cipher: Cipher,
    plaintext: Vec<u8>,
    spare: Vec<Vec<u8>>,
}

/// How much a node holds at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Streams, of whatever kind.
    pub links: usize,
    /// Bytes that wait for peers.
    pub outbox_bytes: usize,
    /// Facts that wait to be saved.
    pub unsaved: usize,
    /// Things to be done at some time.
    pub timers: usize,
    /// Addresses that are dialled again and again.
    pub redials: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Link(LinkId),
    Answer(LinkId),
    Redial,
    Waiting(RequestId),
    /// A disk that was full may have room again.
    Store,
    /// Whether anything waits too long.
    Expiry,
}

/// Peers whose messages are sealed in one go; what a driver writes before it asks for more is sealed
/// into the same few buffers again.
const SHARE: usize = 4;

impl Node {
    /// A node that was not there before, or that goes on from `saved`.
    pub fn new(config: Config, keys: Keys, saved: Snapshot, seed: Seed) -> Self {
        Self::with_cipher(config, keys, saved, seed, Cipher::NOISE)
    }

    /// The same, with another cipher than the usual one, for whoever has one.
    pub(crate) fn with_cipher(
        config: Config,
        keys: Keys,
        saved: Snapshot,
        seed: Seed,
        cipher: Cipher,
    ) -> Self {
        let admission = config.doors.map(Admission::new);
        let mut node = Self {
            config,
            keys,
            rng: Rng::new(seed),
            life: 0,
            now: Now::default(),
            started: None,
            links: BTreeMap::new(),
            dials: 0,
            peers: Peers::default(),
            redials: Vec::new(),
            waiting: BTreeMap::new(),
            last_writer: None,
            timers: BTreeSet::new(),
            dirty: Vec::new(),
            ready: VecDeque::new(),
            keep: Keep::default(),
            loads: BTreeMap::new(),
            watching: false,
            outbox_bytes: 0,
            admission,
            sniffing: 0,
            counters: Status::default(),
            cipher,
            plaintext: Vec::new(),
            spare: Vec::new(),
        };
        node.life = node.rng.next_u64();
        for row in saved.peers {
            let waiting: Vec<_> = row.outbox.into_iter().map(Outgoing::saved).collect();
            // Whoever has only written to us has no stream from us yet.
            let outbox = match row.next {
                0 => Outbox::new(node.first_epoch()),
                next => Outbox::restored(row.epoch, next, waiting),
            };
            let mut peer = Peer::known(&row.facts, outbox);
            peer.inbox = Inbox::restored(row.heard, row.again);
            let ix = node.peers.add(peer);
            node.peers.set_gone(ix, row.facts.gone);
            node.recount_outboxes(ix);
        }
        // Whom it knows it may have to look for, though nobody asks for anything.
        if node.peers.len() > 0 {
            node.timers.insert((Mono::default(), Timer::Redial));
        }
        node
    }

    /// Our public key.
    pub fn key(&self) -> PeerKey {
        self.keys.public()
    }

    /// What we call ourselves.
    pub fn name(&self) -> Name {
        self.config.name
    }

    /// Takes in one thing that happened. Never fails and never blocks; what it leads to is appended
    /// to `out`, but for writes and saves, which gather until [`Self::flush`].
    pub fn handle(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Effect>) {
        self.now = now;
        if self.started.is_none() {
            self.started = Some(now.mono);
            self.recall(out);
        }
        match input {
            Input::Tick => {}
            Input::Command { request, command } => self.command(request, command, out),
            Input::Opened { link, remote, local } => self.opened(link, remote, local, out),
            Input::Received { link, bytes } => self.received(link, bytes, out),
            Input::Flushed { link, count } => self.flushed(link, count, out),
            Input::Closed { link, why } => self.closed(link, why, out),
            Input::Stored(answer) => self.stored(answer, out),
        }
        self.tick(out);
    }

    /// Ends a turn: asks for what gathered to be saved, and seals and writes all that may be said, a
    /// few peers' at a time. Call it until it asks for nothing.
    pub fn flush(&mut self, out: &mut Vec<Effect>) {
        self.save_gathered(out);
        let before = out.len();
        loop {
            for _ in 0..SHARE {
                let Some(ix) = self.ready.pop_front() else { break };
                self.peers.get_mut(ix).ready = false;
                self.pump(ix);
            }
            if self.ready.is_empty() {
                self.part_when_done(out);
                self.leave_when_done(out);
            }
            self.write_out(out);
            if self.ready.is_empty() || out.len() > before {
                return;
            }
        }
    }

    /// Takes back a buffer that was written, to be filled again.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        crate::link::recycle(&mut self.spare, buffer);
    }

    /// When [`Self::handle`] wants a [`Input::Tick`] at the latest.
    pub fn deadline(&self) -> Option<Mono> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// How much it holds now.
    pub fn weight(&self) -> Weight {
        Weight {
            links: self.links.len(),
            outbox_bytes: self.outbox_bytes,
            unsaved: self.unsaved(),
            timers: self.timers.len(),
            redials: self.redials.len(),
        }
    }

    /// The next thing to be done by itself but for keeping open links alive; a redial counts if it is
    /// due by `soon`. Whoever has none is at rest as long as nothing happens to it.
    pub fn errand(&self, soon: Mono) -> Option<Mono> {
        let is_open = |id: &LinkId| {
            let Some(conn) = self.links.get(id) else { return true };
            conn.resumes.is_none() && conn.link.as_ref().is_none_or(|link| link.is_open())
        };
        let is_errand = |(at, timer): &&(Mono, Timer)| match timer {
            Timer::Link(link) => !is_open(link),
            Timer::Redial => *at <= soon && self.redials.iter().any(|redial| redial.is_due_at(*at)),
            Timer::Answer(_) | Timer::Waiting(_) => true,
            // They may come to nothing for days.
            Timer::Store | Timer::Expiry => false,
        };
        self.timers.iter().find(is_errand).map(|&(at, _)| at)
    }

    fn tick(&mut self, out: &mut Vec<Effect>) {
        while let Some(&(at, timer)) = self.timers.first()
            && at <= self.now.mono
        {
            self.timers.pop_first();
            match timer {
                Timer::Link(link) => self.link_due(link, out),
                Timer::Answer(link) => self.answer_due(link),
                Timer::Redial => self.redial_due(out),
                Timer::Waiting(request) => self.waiting_due(request, out),
                Timer::Store => self.store_due(),
                Timer::Expiry => self.expiry_due(out),
            }
        }
    }

    fn make_ready(&mut self, ix: PeerIx) {
        let peer = self.peers.get_mut(ix);
        if !peer.ready {
            peer.ready = true;
            self.ready.push_back(ix);
        }
    }

    fn emit(&self, what: What, out: &mut Vec<Effect>) {
        out.push(Effect::Emit(Event { at: self.now, what }));
    }

    fn answer(&self, request: RequestId, result: Result<Reply, CommandError>, out: &mut Vec<Effect>) {
        out.push(Effect::Reply { request, result });
    }
}

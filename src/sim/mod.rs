//! Nodes in an imaginary world: real nodes with real handshakes, but the network, the disks and the
//! time are made up, and everything that chance decides follows from one seed. One seed and one
//! order of commands give one trace, to the byte. Decides when what happens; what it means is the
//! nodes' business.

mod digest;
mod disk;
mod ends;
mod harm;
mod host;
mod medium;
mod mix;
pub mod proof;
mod queue;
mod sham;
mod stream;
mod streams;
mod trace;
mod world;

pub use harm::Harm;
pub use medium::{MakeMedium, Medium};
pub use world::Face;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::api::command::Dialect;
use crate::api::reply::Reply;
use crate::id::Name;
use crate::limits;
use crate::node::io::{Config, Effect, Input};
use crate::node::record::Record;
use crate::planted::{self, Planted};
use crate::rng::Seed;
use crate::time::Mono;
use crate::world::fault::Fault;
use crate::world::{PeerNo, Shape, WorldError};
use host::Host;
use queue::{Due, Queue};
use stream::Stream;
use streams::Streams;
use trace::Trace;

/// An imaginary world.
pub struct Sim {
    seed: Seed,
    cipher: Cipher,
    /// What disks stand on, if not on memory.
    medium: Option<MakeMedium>,
    now: Mono,
    queue: Queue,
    hosts: Vec<Host>,
    names: BTreeMap<Name, PeerNo>,
    dialect: Dialect,
    fault: Fault,
    streams: Streams<Stream>,
    /// Those not yet up.
    dialling: usize,
    /// Whose turn is to be ended before time goes on.
    stirred: Vec<PeerNo>,
    /// Who had something to do when it was last asked whether anybody has.
    busy: PeerNo,
    news: u64,
    /// Whose first event has which number; what is out of date is passed over.
    fresh: BinaryHeap<Reverse<(u64, PeerNo)>>,
    steps: u64,
    bytes: u64,
    /// What is looked for on the wire, and how often it was seen.
    tap: Option<(Vec<u8>, u64)>,
    trace: Trace,
    effects: Vec<Effect>,
    piece: Vec<u8>,
}

/// What seals the links of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cipher {
    /// The real one, as in production.
    #[default]
    Noise,
    /// One that is none: as many messages of the same sizes, and whatever is changed is refused, but
    /// nothing is hidden and nobody proves anything. For thousands of peers.
    Sham,
}

/// The usual way between two peers: a local network.
pub const LAN: Shape = Shape {
    delay: Duration::from_millis(1),
    jitter: Duration::ZERO,
    bandwidth: None,
    pieces: None,
    glue: Duration::ZERO,
};
/// Where every host listens.
const PORT: u16 = 5_000;
/// The first host's address, 10.0.0.1; the others follow.
const FIRST: u32 = 0x0A00_0001;
/// A redial that is due within this time is waited for when the world settles.
const SOON: Duration = Duration::from_secs(2);

impl Sim {
    /// A world with nobody in it.
    pub fn new(seed: Seed) -> Self {
        Self::with_cipher(seed, Cipher::Noise)
    }

    /// The same, where links are sealed by this.
    pub fn with_cipher(seed: Seed, cipher: Cipher) -> Self {
        Self {
            seed,
            cipher,
            medium: None,
            now: Mono::default(),
            queue: Queue::default(),
            hosts: Vec::new(),
            names: BTreeMap::new(),
            dialect: Dialect::Native,
            fault: Fault::new(LAN),
            streams: Streams::default(),
            dialling: 0,
            stirred: Vec::new(),
            busy: PeerNo(0),
            news: 0,
            fresh: BinaryHeap::new(),
            steps: 0,
            bytes: 0,
            tap: None,
            trace: Trace::new(limits::TRACE_MAX),
            effects: Vec::new(),
            piece: Vec::new(),
        }
    }

    /// A new peer with settings of its own; where it listens is the world's to say.
    ///
    /// # Errors
    /// The name is taken, or the world is full.
    pub fn cast_as(&mut self, mut config: Config) -> Result<PeerNo, WorldError> {
        if self.names.contains_key(&config.name) {
            return Err(WorldError::NameTaken(config.name));
        }
        let who = PeerNo(self.hosts.len());
        let number = u32::try_from(who.0).unwrap_or(u32::MAX);
        if who.0 >= limits::CAST_MAX {
            return Err(WorldError::Full(limits::CAST_MAX));
        }
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::from(FIRST + number)), PORT);
        config.listens = Some(addr);
        self.names.insert(config.name, who);
        self.trace.note(self.now, Some(who), format_args!("cast {}", config.name));
        let mut host = Host::new(config, addr, self.seed, self.cipher, self.medium);
        host.start();
        self.hosts.push(host);
        Ok(who)
    }

    /// Keeps the latest `entries` of the trace from now on.
    pub fn keep_trace(&mut self, entries: usize) {
        self.trace.keep(entries);
    }

    /// Everything that a peer's disk ever had, in the order of being saved: what it has received and
    /// what it has queued, whatever its node says of itself. Nothing for a number that nobody has.
    pub fn written(&self, who: PeerNo) -> Vec<Record> {
        self.hosts.get(who.0).map_or_else(Vec::new, |host| host.disk.written())
    }

    /// How many things have happened to nodes, commands among them, and how many bytes have arrived.
    pub fn work(&self) -> (u64, u64) {
        (self.steps, self.bytes)
    }

    /// How many lines the trace ever had.
    pub fn trace_count(&self) -> u64 {
        self.trace.count()
    }

    /// Who listens at an address.
    fn listener(&self, addr: SocketAddr) -> Option<PeerNo> {
        let IpAddr::V4(ip) = addr.ip() else { return None };
        let at = usize::try_from(u32::from(ip).checked_sub(FIRST)?).ok()?;
        (addr.port() == PORT && at < self.hosts.len()).then_some(PeerNo(at))
    }

    /// Lets things happen until `stop` says so or it is `until`. False in the last case.
    fn run_until(&mut self, until: Mono, stop: impl Fn(&Self) -> bool) -> bool {
        loop {
            if stop(self) {
                return true;
            }
            if !self.step(until) {
                return false;
            }
        }
    }

    /// Lets one thing happen. Everything of one instant comes before the turns end that it began;
    /// then time goes on. False when nothing happens until `until`, which it is then.
    fn step(&mut self, until: Mono) -> bool {
        if let Some((at, due)) = self.queue.pop(self.now) {
            self.happen(at, due);
            return true;
        }
        if !self.stirred.is_empty() {
            let mut stirred = std::mem::take(&mut self.stirred);
            if planted::is(Planted::HashOrder) {
                stirred = planted::in_hash_order(stirred);
            }
            for who in stirred {
                self.flush(who);
            }
            return true;
        }
        match self.queue.next() {
            Some(next) if next <= until => {
                self.now = next;
                true
            }
            _ => {
                self.now = self.now.max(until);
                false
            }
        }
    }

    fn happen(&mut self, at: Mono, due: Due) {
        let held = self.concerns(due).map_or(Mono::default(), |who| self.hosts[who.0].held);
        if held > self.now {
            return self.put_off(due, held);
        }
        match due {
            Due::Alarm(who) => self.alarm(who, at),
            Due::Knock(no) => self.knock(no),
            Due::DialLimit(no) => self.dial_limit(no),
            Due::Arrival(no, side) => self.arrival(no, side, at),
            Due::Taken(no, side, count) => self.taken(no, side, count),
            Due::CloseLimit(no, side) => self.close_limit(no, side),
            Due::Saved(who, life, save) => {
                let host = &mut self.hosts[who.0];
                if host.life == life && host.node.is_some() {
                    host.disk.finish(save);
                    self.hear_disk(who);
                }
            }
            Due::Looked(who, life) => {
                if self.hosts[who.0].life == life {
                    self.hear_disk(who);
                }
            }
        }
    }

    /// Nothing is under way and nobody has anything to do but what may wait.
    fn is_at_rest(&mut self) -> bool {
        if self.queue.moving() > 0 || self.dialling > 0 || !self.stirred.is_empty() {
            return false;
        }
        let soon = self.now.plus(SOON);
        let is_busy = |host: &Host| host.node.as_ref().is_some_and(|node| node.errand(soon).is_some());
        // Whoever was busy is asked first: it mostly still is, and then nobody else need be asked.
        if self.hosts.get(self.busy.0).is_some_and(is_busy) {
            return false;
        }
        match self.hosts.iter().position(is_busy) {
            Some(busy) => {
                self.busy = PeerNo(busy);
                false
            }
            None => true,
        }
    }

    fn alarm(&mut self, who: PeerNo, at: Mono) {
        let host = &mut self.hosts[who.0];
        if host.alarm != Some(at) {
            return;
        }
        host.alarm = None;
        match host.node.as_ref().and_then(|node| node.deadline()) {
            Some(deadline) if deadline <= self.now => self.give(who, Input::Tick),
            _ => self.set_alarm(who),
        }
    }

    /// A node's deadline is in the queue, or an earlier time that will look at it again.
    fn set_alarm(&mut self, who: PeerNo) {
        let host = &mut self.hosts[who.0];
        if let Some(deadline) = host.node.as_ref().and_then(|node| node.deadline())
            && host.alarm.is_none_or(|alarm| deadline < alarm)
        {
            let at = deadline.max(self.now);
            host.alarm = Some(at);
            self.queue.push(at, Due::Alarm(who));
        }
    }

    fn give(&mut self, who: PeerNo, input: Input<'_>) {
        let host = &mut self.hosts[who.0];
        let Some(node) = host.node.as_mut() else { return };
        self.steps += 1;
        self.trace.input(self.now, who, &input);
        let now = host::now(self.now, host.skew);
        let mut effects = std::mem::take(&mut self.effects);
        node.handle(now, input, &mut effects);
        if !std::mem::replace(&mut host.stirred, true) {
            self.stirred.push(who);
        }
        self.perform(who, &mut effects);
        self.effects = effects;
    }

    /// Ends a node's turn.
    fn flush(&mut self, who: PeerNo) {
        self.hosts[who.0].stirred = false;
        // It asks for a few peers' writes at a time.
        while let Some(node) = self.hosts[who.0].node.as_mut() {
            let mut effects = std::mem::take(&mut self.effects);
            node.flush(&mut effects);
            let done = effects.is_empty();
            self.perform(who, &mut effects);
            self.effects = effects;
            if done {
                return;
            }
        }
    }

    /// Does what a node wishes, in order, as long as its program lives.
    fn perform(&mut self, who: PeerNo, effects: &mut Vec<Effect>) {
        let mut leaves = false;
        for effect in effects.drain(..) {
            leaves |= matches!(effect, Effect::Reply { result: Ok(Reply::Goodbye), .. });
            self.fulfil(who, effect);
            if let Some(fuse) = &mut self.hosts[who.0].fuse {
                *fuse -= 1;
                if *fuse == 0 {
                    return self.crash(who);
                }
            }
        }
        if leaves {
            self.trace.note(self.now, Some(who), format_args!("has left"));
            self.hosts[who.0].stop();
            self.hosts[who.0].disk.close();
            self.close_all(who, true);
        }
        self.set_alarm(who);
    }

    fn fulfil(&mut self, who: PeerNo, effect: Effect) {
        self.trace.effect(self.now, who, &effect);
        let host = &mut self.hosts[who.0];
        match effect {
            Effect::Emit(event) => {
                host.news += 1;
                self.news += 1;
                host.events.push_back((self.news, event));
                if host.events.len() == 1 {
                    self.fresh.push(Reverse((self.news, who)));
                    self.freshen();
                }
            }
            Effect::Reply { request, result } => {
                host.replies.insert(request, result);
                host.news += 1;
                self.news += 1;
            }
            Effect::Save { save, records } => {
                host.disk.save(save, records);
                self.queue.push(self.now.plus(host.disk.delay), Due::Saved(who, host.life, save));
            }
            Effect::Load { load, query } => {
                host.disk.look_up(load, query);
                self.queue.push(self.now.plus(host.disk.delay), Due::Looked(who, host.life));
            }
            Effect::Dial { link, to } => self.dial(who, link, &to),
            Effect::Write { link, bytes } => {
                self.tap(&bytes);
                self.write(who, link, bytes);
            }
            Effect::Finish { link } => self.finish(who, link),
            Effect::Close { link } => self.close(who, link),
            Effect::Cut { link } => self.cut(who, link),
            Effect::Pause { link, until } => self.pause(who, link, until),
        }
    }

    /// The program dies at once. Its system ends the streams.
    fn crash(&mut self, who: PeerNo) {
        self.trace.note(self.now, Some(who), format_args!("crashes"));
        // Whoever waits is to see that before anything that comes of it.
        self.news += 1;
        self.hosts[who.0].stop();
        self.hosts[who.0].disk.cut();
        self.close_all(who, false);
    }
}

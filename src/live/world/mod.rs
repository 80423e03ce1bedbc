//! The loopback world: the cast of a script as real nodes on real sockets of 127.0.0.1, all of them
//! on one thread. Between any two of them lies a relay, so what the network does to them is done
//! without any rights on this machine. Time is real, so nothing is the same twice but what nodes
//! promise.

pub(super) mod disk;
pub(super) mod member;
pub(super) mod net;
pub(super) mod relay;
mod rest;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::{Command, CommandError, Dialect};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::{Name, RequestId};
use crate::key::PeerKey;
use crate::limits;
use crate::live::host::{Host, Keeping};
use crate::live::{Face, Live, OpenError, Woken};
use crate::node::io::Config;
use crate::node::record::Record;
use crate::rng::Seed;
use crate::session::{Bell, Session};
use crate::time::{Mono, Now};
use crate::world::{Entry, Network, PeerNo, Rest, Shape, World, WorldError, check};
use net::Net;

/// A world of real nodes on 127.0.0.1.
pub struct Loopback {
    live: Live,
    seed: Seed,
    names: BTreeMap<Name, PeerNo>,
    dialect: Dialect,
}

/// One peer's face.
struct Member<'a> {
    face: Face<'a>,
}

/// How long it must have been quiet where that is all there is to go by.
const QUIET: Duration = Duration::from_millis(300);

impl Loopback {
    /// A world with nobody in it. Keys and what nodes draw follow from the seed; when things happen
    /// does not.
    ///
    /// # Errors
    /// The system has no descriptors left.
    pub fn new(seed: Seed) -> Result<Self, OpenError> {
        let mut live = Live::new()?;
        live.net = Some(Box::new(Net::new(seed)));
        Ok(Self { live, seed, names: BTreeMap::new(), dialect: Dialect::Native })
    }

    /// Something that any thread may ring to end whatever the world is waiting for.
    pub fn bell(&self) -> Bell {
        self.live.bell()
    }

    /// Whether everybody who could be heard from is in this world, so that its rest is known and not
    /// guessed from quiet.
    pub fn is_exact(&self) -> bool {
        self.live.is_exact()
    }

    /// A new peer with settings of its own; where it listens is the world's to say.
    ///
    /// # Errors
    /// The name is taken, the world is full, or the system has no descriptor or port left.
    pub fn cast_as(&mut self, config: Config) -> Result<PeerNo, WorldError> {
        let name = config.name;
        if self.names.contains_key(&name) {
            return Err(WorldError::NameTaken(name));
        }
        if self.live.hosts.len() >= limits::CAST_MAX {
            return Err(WorldError::Full(limits::CAST_MAX));
        }
        let at = self.live.cast(config, self.seed).map_err(|error| unable("cast", &error))?;
        self.names.insert(name, PeerNo(at));
        Ok(PeerNo(at))
    }

    /// Everything that a peer's disk ever had, in the order of being saved. Nothing for a number that
    /// nobody has.
    pub fn written(&self, who: PeerNo) -> Vec<Record> {
        match self.live.hosts.get(who.0).map(|host| &host.store) {
            Some(Keeping::Disk(disk)) => disk.written(),
            _ => Vec::new(),
        }
    }

    fn host(&self, who: PeerNo) -> Result<&Host, WorldError> {
        self.live.hosts.get(who.0).ok_or(WorldError::UnknownPeer(who, self.live.hosts.len()))
    }

    /// Does to a program what is done only to those that this world has started.
    fn program(&self, verb: &'static str, who: PeerNo) -> Result<usize, WorldError> {
        let host = self.host(who)?;
        match host.life {
            Some(_) => Ok(who.0),
            None => {
                let why = format!("{} is this program itself; cast another peer for that", host.name);
                Err(WorldError::Unable(verb, why))
            }
        }
    }

    fn heal(&mut self) {
        for at in 0..self.live.hosts.len() {
            if self.live.hosts[at].slow.take().is_some() {
                self.live.read_again(at);
            }
            self.live.arm_host(at);
        }
    }

    /// Changes what the network does, and lets go on whatever may.
    fn change(&mut self, change: impl FnOnce(&mut crate::world::fault::Fault, Mono)) {
        let now = self.live.clock.now().mono;
        if let Some(net) = &mut self.live.net {
            change(&mut net.fault, now);
        }
        self.live.wake_relays();
    }

    fn slow(&mut self, who: PeerNo, time: Duration) {
        let until = self.live.clock.now().mono.plus(time);
        let slow = &mut self.live.hosts[who.0].slow;
        *slow = (*slow).max(Some(until));
        self.live.arm_host(who.0);
    }
}

impl World for Loopback {
    fn cast(&mut self, name: Name) -> Result<PeerNo, WorldError> {
        let dialect = self.dialect;
        // Two of us that listened first would find each other out, and speak our own protocol.
        self.cast_as(Config { dialect, probes: false, doors: None, ..Config::new(name) })
    }

    fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    fn peers(&self) -> usize {
        self.live.hosts.len()
    }

    fn usual(&self) -> Shape {
        self.live.net.as_ref().map_or_else(Shape::default, |net| net.fault.usual_shape())
    }

    fn find(&self, name: Name) -> Option<PeerNo> {
        self.names.get(&name).copied()
    }

    fn name(&self, who: PeerNo) -> Result<Name, WorldError> {
        self.host(who).map(|host| host.name)
    }

    fn key(&self, who: PeerNo) -> Result<PeerKey, WorldError> {
        self.host(who).map(|host| host.key)
    }

    fn address(&self, who: PeerNo) -> Result<SocketAddr, WorldError> {
        let host = self.host(who)?;
        host.listens.ok_or_else(|| WorldError::Unable("address", format!("{} does not listen", host.name)))
    }

    fn is_up(&self, who: PeerNo) -> Result<bool, WorldError> {
        self.host(who).map(|host| host.node.is_some())
    }

    fn session(&mut self, who: PeerNo) -> Result<Box<dyn Session + '_>, WorldError> {
        self.host(who)?;
        Ok(Box::new(Member { face: self.live.face(who.0) }))
    }

    fn apply(&mut self, change: &Network) -> Result<(), WorldError> {
        check(self, change)?;
        match *change {
            Network::Default(shape) => self.change(|fault, _| fault.usual(shape)),
            Network::Link { a, b, shape } => self.change(|fault, _| fault.link(a, b, shape)),
            Network::Partition { ref from, ref to, one_way } => {
                self.change(|fault, _| fault.partition(from, to, one_way));
            }
            Network::Heal => {
                self.heal();
                self.change(|fault, _| fault.heal());
            }
            Network::Hold(a, b) => self.change(|fault, _| fault.hold(a, b)),
            Network::Release(a, b) => self.change(|fault, _| fault.release(a, b)),
            Network::Reset(a, b) => {
                let now = self.live.clock.now();
                self.live.reset_between(a, b, now);
            }
            Network::HalfOpen(a, b) => self.live.half_open_between(a, b),
            Network::Refuse(who, refuse) => self.change(|fault, _| fault.refuse(who, refuse)),
            Network::Clog(a, b, time) => self.change(|fault, now| fault.clog(a, b, now.plus(time))),
            Network::Slow(who, time) => self.slow(who, time),
            Network::Disk(who, delay) => {
                let at = self.program("disk", who)?;
                if let Keeping::Disk(disk) = &mut self.live.hosts[at].store {
                    disk.delay = delay;
                }
            }
            Network::Crash(who) | Network::CrashAfter(who, 0) => {
                let at = self.program("crash", who)?;
                self.live.crash(at);
            }
            Network::CrashAfter(who, wishes) => {
                let at = self.program("crash", who)?;
                self.live.hosts[at].fuse = Some(wishes);
            }
            Network::Restart(who) => {
                let at = self.program("restart", who)?;
                self.live.restart(at).map_err(|error| unable("restart", &error))?;
            }
            Network::Skew(who, skew) => self.live.hosts[who.0].skew = skew,
        }
        Ok(())
    }

    fn now(&self) -> Now {
        self.live.clock.now()
    }

    fn run(&mut self, patience: Duration) -> bool {
        self.live.wake(patience) != Woken::Late
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now().mono.plus(time);
        while self.live.wake(until.since(self.now().mono)) == Woken::News && self.now().mono < until {}
    }

    fn rest(&mut self, patience: Duration) -> Rest {
        self.live.rest(patience)
    }

    fn take_event(&mut self) -> Option<(PeerNo, Event)> {
        let first = |(at, host): (usize, &Host)| host.numbers.front().map(|number| (*number, at));
        let (_, at) = self.live.hosts.iter().enumerate().filter_map(first).min()?;
        self.live.face(at).take_event().map(|event| (PeerNo(at), event))
    }

    fn trace(&self) -> Box<dyn Iterator<Item = &Entry> + '_> {
        Box::new(std::iter::empty())
    }

    fn digest(&self) -> Option<u64> {
        None
    }
}

fn unable(verb: &'static str, error: &OpenError) -> WorldError {
    WorldError::Unable(verb, error.to_string())
}

impl Session for Member<'_> {
    fn submit(&mut self, command: Command) -> RequestId {
        self.face.submit(command)
    }

    fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        self.face.take_reply(request)
    }

    fn take_event(&mut self) -> Option<Event> {
        self.face.take_event()
    }

    fn wait(&mut self, patience: Duration) -> bool {
        let (live, at) = (&mut *self.face.live, self.face.at);
        let (until, before) = (live.clock.now().mono.plus(patience), live.hosts[at].news);
        loop {
            let left = until.since(live.clock.now().mono);
            match live.wake(left) {
                Woken::News if live.hosts[at].news != before => return true,
                Woken::News if left.is_zero() => return false,
                Woken::News => {}
                Woken::Bell => return true,
                Woken::Late => return false,
            }
        }
    }

    fn now(&self) -> Now {
        self.face.now()
    }
}

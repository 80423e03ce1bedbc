//! The imaginary world as scripts and front ends see it: the cast, the network's changes, and a face
//! for each peer whose waiting lets the imaginary time run.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::{Command, CommandError, Dialect};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::{Name, RequestId};
use crate::key::PeerKey;
use crate::node::io::{Config, Input};
use crate::session::Session;
use crate::sim::Sim;
use crate::sim::host::{self, Host};
use crate::time::Now;
use crate::world::{Entry, Network, PeerNo, Rest, Shape, World, WorldError, check};

/// Notes of whose event is next that are never gone through.
const FRESH_MIN: usize = 64;

/// One peer's face.
pub struct Face<'a> {
    sim: &'a mut Sim,
    who: PeerNo,
}

impl World for Sim {
    fn cast(&mut self, name: Name) -> Result<PeerNo, WorldError> {
        let dialect = self.dialect;
        // Two of us that listened first would find each other out, and speak our own protocol.
        self.cast_as(Config { dialect, probes: false, doors: None, ..Config::new(name) })
    }

    fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    fn peers(&self) -> usize {
        self.hosts.len()
    }

    fn usual(&self) -> Shape {
        self.fault.usual_shape()
    }

    fn find(&self, name: Name) -> Option<PeerNo> {
        self.names.get(&name).copied()
    }

    fn name(&self, who: PeerNo) -> Result<Name, WorldError> {
        self.host(who).map(|host| host.name)
    }

    fn key(&self, who: PeerNo) -> Result<PeerKey, WorldError> {
        self.host(who).map(|host| host.keys().public())
    }

    fn address(&self, who: PeerNo) -> Result<SocketAddr, WorldError> {
        self.host(who).map(|host| host.addr)
    }

    fn is_up(&self, who: PeerNo) -> Result<bool, WorldError> {
        self.host(who).map(|host| host.node.is_some())
    }

    fn session(&mut self, who: PeerNo) -> Result<Box<dyn Session + '_>, WorldError> {
        self.host(who)?;
        Ok(Box::new(Face { sim: self, who }))
    }

    fn apply(&mut self, change: &Network) -> Result<(), WorldError> {
        check(self, change)?;
        self.trace.note(self.now, None, format_args!("{change:?}"));
        match *change {
            Network::Default(shape) => self.fault.usual(shape),
            Network::Link { a, b, shape } => self.fault.link(a, b, shape),
            Network::Partition { ref from, ref to, one_way } => self.fault.partition(from, to, one_way),
            Network::Heal => {
                self.fault.heal();
                self.hosts.iter_mut().for_each(|host| host.slow = self.now);
                self.wake();
            }
            Network::Hold(a, b) => self.fault.hold(a, b),
            Network::Release(a, b) => {
                self.fault.release(a, b);
                self.wake();
            }
            Network::Reset(a, b) => self.reset(a, b),
            Network::HalfOpen(a, b) => self.half_open(a, b),
            Network::Refuse(who, refuse) => self.fault.refuse(who, refuse),
            Network::Clog(a, b, time) => self.fault.clog(a, b, self.now.plus(time)),
            Network::Slow(who, time) => {
                let slow = &mut self.hosts[who.0].slow;
                *slow = self.now.plus(time).max(*slow);
            }
            Network::Disk(who, delay) => self.hosts[who.0].disk.delay = delay,
            Network::Crash(who) | Network::CrashAfter(who, 0) => self.crash(who),
            Network::CrashAfter(who, wishes) => self.hosts[who.0].fuse = Some(wishes),
            Network::Restart(who) => {
                self.hosts[who.0].start();
                self.set_alarm(who);
            }
            Network::Skew(who, skew) => self.hosts[who.0].skew = skew,
        }
        Ok(())
    }

    fn now(&self) -> Now {
        host::now(self.now, 0)
    }

    fn run(&mut self, patience: Duration) -> bool {
        let before = self.news;
        self.run_until(self.now.plus(patience), |sim| sim.news != before)
    }

    fn rest(&mut self, patience: Duration) -> Rest {
        let (until, before) = (self.now.plus(patience), self.news);
        loop {
            if self.news != before {
                return Rest::News;
            }
            if self.is_at_rest() {
                return Rest::Quiet;
            }
            if !self.step(until) {
                return if self.is_at_rest() { Rest::Quiet } else { Rest::Waited };
            }
        }
    }

    fn take_event(&mut self) -> Option<(PeerNo, Event)> {
        while let Some(Reverse((number, who))) = self.fresh.pop() {
            let is_next = |(first, _): &(u64, Event)| *first == number;
            if self.hosts[who.0].events.front().is_some_and(is_next) {
                let event = self.take_event_of(who)?;
                if let Some((number, _)) = self.hosts[who.0].events.front() {
                    self.fresh.push(Reverse((*number, who)));
                }
                return Some((who, event));
            }
        }
        None
    }

    fn trace(&self) -> Box<dyn Iterator<Item = &Entry> + '_> {
        Box::new(self.trace.entries())
    }

    fn digest(&self) -> Option<u64> {
        Some(self.trace.digest())
    }
}

impl Sim {
    fn host(&self, who: PeerNo) -> Result<&Host, WorldError> {
        self.hosts.get(who.0).ok_or(WorldError::UnknownPeer(who, self.hosts.len()))
    }

    fn take_event_of(&mut self, who: PeerNo) -> Option<Event> {
        let host = &mut self.hosts[who.0];
        let stuffed = host.is_stuffed();
        let (_, event) = host.events.pop_front()?;
        if stuffed && !self.hosts[who.0].is_stuffed() {
            self.wake_host(who);
        }
        Some(event)
    }

    /// Forgets what was noted of events that their own sessions have taken since.
    pub(super) fn freshen(&mut self) {
        if self.fresh.len() > 2 * self.hosts.len() + FRESH_MIN {
            let first = |(at, host): (usize, &Host)| Some(Reverse((host.events.front()?.0, PeerNo(at))));
            self.fresh = self.hosts.iter().enumerate().filter_map(first).collect();
        }
    }
}

impl Session for Face<'_> {
    fn submit(&mut self, command: Command) -> RequestId {
        let host = &mut self.sim.hosts[self.who.0];
        let request = host.next_request();
        if host.node.is_some() {
            self.sim.give(self.who, Input::Command { request, command });
        } else {
            host.replies.insert(request, Err(CommandError::Leaving));
        }
        request
    }

    fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        self.sim.hosts[self.who.0].replies.remove(&request)
    }

    fn take_event(&mut self) -> Option<Event> {
        let event = self.sim.take_event_of(self.who);
        let sim = &mut *self.sim;
        if let Some((number, _)) = sim.hosts[self.who.0].events.front() {
            sim.fresh.push(Reverse((*number, self.who)));
            sim.freshen();
        }
        event
    }

    fn wait(&mut self, patience: Duration) -> bool {
        let (at, before) = (self.who.0, self.sim.hosts[self.who.0].news);
        self.sim.run_until(self.sim.now.plus(patience), |sim| sim.hosts[at].news != before)
    }

    fn now(&self) -> Now {
        self.sim.hosts[self.who.0].now(self.sim.now)
    }
}

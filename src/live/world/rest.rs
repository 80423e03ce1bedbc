//! Whether anything is under way between nodes that are all ours. Every byte is counted where it is
//! written and where it is read, so nothing need be guessed from how long it was quiet, however busy
//! the machine is. Only who talks to strangers leaves nothing but that.

use crate::live::Live;
use crate::live::host::Host;
use crate::live::ready::Token;
use crate::live::slab::Thing;
use crate::live::stream::Stream;
use crate::live::world::QUIET;
use crate::live::world::relay::{Relay, Stage};
use crate::node::Node;
use crate::time::Mono;
use crate::world::Rest;
use crate::world::fault::{Fault, Gate};
use std::time::Duration;

/// A redial that is due within this time is waited for.
const SOON: Duration = Duration::from_secs(2);

impl Live {
    /// Lets nodes run until there is news, or nothing is under way between them.
    pub(super) fn rest(&mut self, patience: Duration) -> Rest {
        self.clock.set();
        let start = self.clock.now().mono;
        let (until, before, mut looked) = (start.plus(patience), self.news, false);
        // Until when strangers are waited for, and what had been heard by all when that was set.
        let (mut given, mut quiet) = (self.given, start.plus(QUIET));
        loop {
            self.flush();
            self.turn();
            let now = self.clock.now().mono;
            if self.news != before {
                return Rest::News;
            }
            if self.ready.take_bell() {
                return Rest::Waited;
            }
            if std::mem::replace(&mut given, self.given) != self.given {
                quiet = now.plus(QUIET);
            }
            let exact = self.is_exact();
            let resting = self.is_at_rest(exact);
            if resting && (exact || now >= quiet) {
                return Rest::Quiet;
            }
            if looked && now >= until {
                return Rest::Waited;
            }
            let next = if resting { quiet.min(until) } else { until };
            self.look_until(next, now);
            looked = true;
        }
    }

    /// Whether nothing is under way and nobody has anything to do but what may wait. What the network
    /// withholds until it is told otherwise is not under way.
    fn is_at_rest(&mut self, exact: bool) -> bool {
        if !self.stirred.is_empty() || self.ready.any() || !self.queued.is_empty() {
            return false;
        }
        let now = self.clock.now().mono;
        // Whatever was under way is asked first: it mostly still is, and then nothing else need be.
        if self.is_moving(self.moving, now) {
            return false;
        }
        let moving = self.things.view().find(|(token, _)| self.is_moving(*token, now));
        if let Some((token, _)) = moving {
            self.moving = token;
            return false;
        }
        let soon = now.plus(SOON);
        let is_busy = |host: &Host| {
            let errand = host.node.as_ref().and_then(|node: &Node| node.errand(soon));
            // A stranger may leave us waiting for its first byte for as long as we care to.
            errand.is_some_and(|at| exact || at <= soon) || host.store.is_saving()
        };
        !self.hosts.iter().any(is_busy)
    }

    /// Whether all who could be heard from are ours, so that rest is known and not guessed.
    pub(super) fn is_exact(&self) -> bool {
        let is_strange = |stream: &Stream| stream.wire().is_none();
        self.hosts.iter().all(|host| host.life.is_some()) && !self.things.streams().any(is_strange)
    }

    fn is_moving(&self, token: Token, now: Mono) -> bool {
        match self.things.look(token) {
            Some(Thing::Relay(relay)) => self.net.as_ref().is_none_or(|net| {
                relay.stage != Stage::Open
                    || (!relay.hole && [0, 1].iter().any(|to| self.is_carrying(relay, *to, &net.fault, now)))
            }),
            Some(Thing::Stream(stream)) => match stream.wire() {
                // Its relay is gone and it has not heard of that yet.
                Some(wire) => self.things.look(wire.relay).is_none_or(|thing| match thing {
                    Thing::Relay(relay) => relay.no != wire.no,
                    _ => true,
                }),
                None => stream.is_dialling() || stream.is_writing(),
            },
            Some(Thing::Listener(_) | Thing::Far(_)) | None => false,
        }
    }

    /// Whether anything is on its way to one side of a relay.
    fn is_carrying(&self, relay: &Relay, to: usize, fault: &Fault, now: Mono) -> bool {
        let from = 1 - to;
        let (source, sink) = (&relay.sides[from], &relay.sides[to]);
        let shut = fault.gate(relay.ends[from], relay.ends[to], now) == Gate::Shut;
        let stuffed = self.hosts[relay.ends[to].0].is_stuffed();
        let withheld = shut || stuffed;
        // From the relay to the stream.
        if !sink.gone && !stuffed {
            let read =
                sink.stream.and_then(|stream| self.things.peek(stream)).map(|stream| stream.counts().1);
            // Until the end is read, the stream is there to read it.
            if sink.shut || read.is_none_or(|read| !sink.is_drained(read)) {
                return true;
            }
        }
        // In the relay.
        if !withheld && !sink.shut && !relay.pipes[to].is_empty() {
            return true;
        }
        // From the stream to the relay, which reads on until it is full.
        if relay.pipes[to].is_stuck() && withheld {
            return false;
        }
        match source.stream.and_then(|stream| self.things.peek(stream)) {
            Some(stream) => stream.is_writing() || stream.counts().0 != source.read,
            None => !source.heard_end,
        }
    }
}

//! Streams between hosts, as TCP makes and ends them: a dial knocks, is answered, refused or never
//! heard of again; bytes go both ways; each end goes in its own time. Decides what an end means for
//! the other side, and asks the network's faults before anything passes.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::addr::Address;
use crate::id::LinkId;
use crate::limits;
use crate::node::io::Input;
use crate::planted::{self, Planted};
use crate::rng::Rng;
use crate::sim::Sim;
use crate::sim::queue::Due;
use crate::sim::streams::StreamNo;
use crate::time::Mono;
use crate::why::Why;
use crate::world::fault::Gate;
use crate::world::pipe::{Pipe, Taken};
use crate::world::{PeerNo, Shape};

/// A stream: side 0 dialled it, side 1 accepted it.
pub(super) struct Stream {
    pub(super) stage: Stage,
    pub(super) ends: [End; 2],
    /// The bytes on their way *to* each side.
    pub(super) pipes: [Pipe; 2],
    /// The next step of the dial is in the queue.
    knocking: bool,
    /// Nothing comes of it any more.
    pub(super) hole: bool,
    local: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The dial is on its way, or nobody can ever be reached by it.
    Dialled(Result<(), Why>),
    /// The refusal is on its way back.
    Refused,
    /// The other side has it; the answer is on its way back.
    Answered,
    Open,
}

/// One side of a stream.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) who: PeerNo,
    pub(super) link: LinkId,
    /// Its node knows the stream and hears of it.
    pub(super) open: bool,
    /// Its node reads nothing of it before this.
    pub(super) paused: Mono,
}

impl Stream {
    /// Who is at this side.
    pub(super) fn at(&self, side: usize) -> PeerNo {
        self.ends[side].who
    }

    /// Whom the next step of a dial reaches.
    pub(super) fn knocks_at(&self) -> PeerNo {
        let side = usize::from(matches!(self.stage, Stage::Dialled(_)));
        self.ends[side].who
    }
}

impl Sim {
    pub(super) fn dial(&mut self, who: PeerNo, link: LinkId, to: &Address) {
        let found = to.socket().map(|addr| self.listener(addr));
        let (target, known) = match found {
            Some(Some(target)) => (target, Ok(())),
            Some(None) => (who, Err(Why::Refused)),
            None => (who, Err(Why::NoSuchHost)),
        };
        let host = &mut self.hosts[who.0];
        host.dials += 1;
        let port = 40_000 + u16::try_from(host.dials % 20_000).unwrap_or(0);
        let local = SocketAddr::new(host.addr.ip(), port);
        let mut pipe = || {
            let seeded = host.streams.fork();
            let leaks = planted::is(Planted::UnseededChance);
            Pipe::new(Rng::new(if leaks { planted::unseeded() } else { seeded }))
        };
        let mut pipes = [pipe(), pipe()];
        let arrives = self.now.plus(pipes[1].travel(&self.fault.shape(who, target)));
        let paused = Mono::default();
        let ends = [End { who, link, open: true, paused }, End { who: target, link, open: false, paused }];
        let stage = Stage::Dialled(known);
        let no = self.streams.add(Stream { stage, ends, pipes, knocking: true, hole: false, local });
        self.hosts[who.0].ends.insert(link, no);
        self.dialling += 1;
        self.queue.push(arrives, Due::Knock(no));
        self.queue.push(self.now.plus(limits::DIAL), Due::DialLimit(no));
    }

    /// A dial reaches the other side, or its answer the dialler.
    pub(super) fn knock(&mut self, no: StreamNo) {
        let Some(stream) = self.streams.get_mut(no) else { return };
        stream.knocking = false;
        let [End { who: from, link, .. }, End { who: to, .. }] = stream.ends;
        match stream.stage {
            Stage::Open => return,
            Stage::Refused => return self.dial_failed(no, Why::Refused),
            Stage::Dialled(Err(why)) => return self.dial_failed(no, why),
            Stage::Dialled(Ok(())) | Stage::Answered => {}
        }
        let again = match self.fault.gate_both(from, to, self.now) {
            Gate::Open => None,
            Gate::Until(at) => Some(at),
            // TCP knocks again when the way is free.
            Gate::Shut => return,
        };
        let back = self.now.plus(stream.pipes[0].travel(&self.fault.shape(from, to)));
        if let Some(at) = again {
            stream.knocking = true;
            self.queue.push(at, Due::Knock(no));
        } else if stream.stage == Stage::Answered {
            stream.stage = Stage::Open;
            self.dialling -= 1;
            let local = stream.local;
            if stream.ends[0].open {
                let remote = self.hosts[to.0].addr;
                self.give(from, Input::Opened { link, remote, local });
            }
            self.arm(no, 0);
        } else {
            stream.knocking = true;
            self.queue.push(back, Due::Knock(no));
            let host = &mut self.hosts[to.0];
            if host.node.is_none() || self.fault.refuses(to) {
                stream.stage = Stage::Refused;
                return;
            }
            stream.stage = Stage::Answered;
            host.accepts += 1;
            let (link, remote, local) = (LinkId::accepted(host.accepts), stream.local, host.addr);
            stream.ends[1] = End { who: to, link, open: true, paused: Mono::default() };
            host.ends.insert(link, no);
            self.give(to, Input::Opened { link, remote, local });
        }
    }

    /// The dial has had its time. If the other side has it already, it hears of the end.
    pub(super) fn dial_limit(&mut self, no: StreamNo) {
        let Some(stream) = self.streams.get_mut(no) else { return };
        match stream.stage {
            Stage::Open => {}
            Stage::Dialled(_) | Stage::Refused => self.dial_failed(no, Why::TimedOut),
            Stage::Answered => {
                stream.stage = Stage::Open;
                self.dialling -= 1;
                let End { who, link, open, .. } = stream.ends[0];
                self.close_side(no, 0, |pipe, now, shape| pipe.cut(now, shape));
                if open {
                    self.give(who, Input::Closed { link, why: Why::TimedOut });
                }
            }
        }
    }

    fn dial_failed(&mut self, no: StreamNo, why: Why) {
        let Some(stream) = self.streams.remove(no) else { return };
        self.dialling -= 1;
        let End { who, link, .. } = stream.ends[0];
        self.hosts[who.0].ends.remove(&link);
        self.give(who, Input::Closed { link, why });
    }

    pub(super) fn write(&mut self, who: PeerNo, link: LinkId, bytes: Vec<u8>) {
        if let Some((no, side)) = self.end(who, link)
            && let Some(stream) = self.streams.get_mut(no)
        {
            stream.pipes[1 - side].write(bytes);
            self.fill(no, 1 - side);
        }
    }

    /// Something may pass again that could not: everything that waited for it goes on.
    pub(super) fn wake(&mut self) {
        let all: Vec<_> = self.streams.numbers().collect();
        for no in all {
            self.wake_stream(no);
        }
    }

    /// A host reads again.
    pub(super) fn wake_host(&mut self, who: PeerNo) {
        let ends: Vec<_> = self.hosts[who.0].ends.values().copied().collect();
        for no in ends {
            self.wake_stream(no);
        }
    }

    fn wake_stream(&mut self, no: StreamNo) {
        let Some(stream) = self.streams.get_mut(no) else { return };
        if stream.stage != Stage::Open && !stream.knocking {
            stream.knocking = true;
            self.queue.push(self.now, Due::Knock(no));
        }
        let [a, b] = stream.ends.map(|end| end.who);
        for (side, (writer, reader)) in [(b, a), (a, b)].into_iter().enumerate() {
            let reachable = self.fault.gate(reader, writer, self.now) == Gate::Open;
            if let Some(stream) = self.streams.get_mut(no) {
                stream.pipes[side].read(0, reachable);
                self.fill(no, side);
            }
        }
    }

    /// Bytes, or an end, may have reached a side of a stream.
    pub(super) fn arrival(&mut self, no: StreamNo, side: usize, at: Mono) {
        let now = self.now;
        let Some(stream) = self.streams.get_mut(no) else { return };
        let pipe = &mut stream.pipes[side];
        if pipe.armed.take_if(|armed| *armed == at).is_none() || stream.hole {
            return;
        }
        let (End { who: to, link, open, paused }, from) = (stream.ends[side], stream.ends[1 - side].who);
        match self.fault.gate(from, to, now) {
            Gate::Open => {}
            Gate::Until(at) => return self.arm_at(no, side, at),
            Gate::Shut => return,
        }
        let host = &self.hosts[to.0];
        let deaf = host.slow.max(host.held).max(paused);
        if open && deaf > now {
            return self.arm_at(no, side, deaf);
        }
        if open && host.is_stuffed() {
            return;
        }
        let mut piece = std::mem::take(&mut self.piece);
        match pipe.take(now, &self.fault.shape(from, to), &mut piece) {
            Taken::Nothing => self.arm(no, side),
            Taken::Bytes => {
                pipe.read(piece.len(), self.fault.gate(to, from, now) == Gate::Open);
                self.bytes += piece.len() as u64;
                self.fill(no, side);
                if open {
                    self.give(to, Input::Received { link, bytes: &piece });
                }
            }
            Taken::End(why) => {
                if open {
                    self.close_side(no, side, |pipe, _, _| pipe.give_up());
                    self.give(to, Input::Closed { link, why });
                }
            }
        }
        self.piece = piece;
    }

    /// The stream has taken bytes from a node.
    pub(super) fn taken(&mut self, no: StreamNo, side: usize, count: usize) {
        let end = self.streams.get(no).map(|stream| stream.ends[side]);
        if let Some(End { who, link, .. }) = end.filter(|end| end.open) {
            self.give(who, Input::Flushed { link, count });
        }
    }

    /// Lets the pipe to `side` take what it can.
    pub(super) fn fill(&mut self, no: StreamNo, side: usize) {
        let Some(stream) = self.streams.get_mut(no) else { return };
        let shape = self.fault.shape(stream.ends[0].who, stream.ends[1].who);
        let count = stream.pipes[side].fill(self.now, &shape);
        if count > 0 && stream.ends[1 - side].open {
            self.queue.push(self.now, Due::Taken(no, 1 - side, count));
        }
        self.arm(no, side);
    }

    /// One side is gone, and its pipe to the other side is ended so. A stream that nobody hears of is
    /// forgotten.
    pub(super) fn close_side(
        &mut self,
        no: StreamNo,
        side: usize,
        end: impl FnOnce(&mut Pipe, Mono, &Shape),
    ) {
        let Some(stream) = self.streams.get_mut(no) else { return };
        let End { who, link, .. } = stream.ends[side];
        stream.ends[side].open = false;
        self.hosts[who.0].ends.remove(&link);
        if !stream.ends[1 - side].open {
            self.dialling -= usize::from(stream.stage != Stage::Open);
            self.streams.remove(no);
            return;
        }
        let shape = self.fault.shape(stream.ends[0].who, stream.ends[1].who);
        end(&mut stream.pipes[1 - side], self.now, &shape);
        self.fill(no, 1 - side);
    }

    /// Sees to it that the next arrival at `side` is in the queue.
    pub(super) fn arm(&mut self, no: StreamNo, side: usize) {
        if let Some(due) = self.streams.get(no).and_then(|stream| stream.pipes[side].due()) {
            self.arm_at(no, side, due.max(self.now));
        }
    }

    pub(super) fn arm_at(&mut self, no: StreamNo, side: usize, at: Mono) {
        let Some(stream) = self.streams.get_mut(no) else { return };
        // What is sent before the dialler knows of its stream waits for that.
        if stream.hole || (side == 0 && stream.stage != Stage::Open) {
            return;
        }
        let armed = &mut stream.pipes[side].armed;
        if armed.is_none_or(|armed| at < armed) {
            *armed = Some(at);
            self.queue.push(at, Due::Arrival(no, side));
        }
    }

    pub(super) fn end(&self, who: PeerNo, link: LinkId) -> Option<(StreamNo, usize)> {
        let no = *self.hosts[who.0].ends.get(&link)?;
        let is_mine = |end: &End| end.who == who && end.link == link && end.open;
        Some((no, self.streams.get(no)?.ends.iter().position(is_mine)?))
    }

    /// Every stream between two hosts. One that neither knows is forgotten, so they know them all.
    pub(super) fn between(&self, a: PeerNo, b: PeerNo) -> Vec<StreamNo> {
        let between = |no: &StreamNo| {
            self.streams.get(*no).is_some_and(|stream| {
                let who = stream.ends.map(|end| end.who);
                who == [a, b] || who == [b, a]
            })
        };
        let known = [a, b].into_iter().flat_map(|who| self.hosts[who.0].ends.values().copied());
        known.filter(between).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

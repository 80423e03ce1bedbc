//! How streams end: a node finishes its half or closes it, its program dies, or the network resets
//! what is between two machines.

use crate::id::LinkId;
use crate::limits;
use crate::node::io::Input;
use crate::sim::Sim;
use crate::sim::queue::Due;
use crate::sim::stream::{End, Stage, Stream};
use crate::sim::streams::StreamNo;
use crate::time::Mono;
use crate::why::Why;
use crate::world::PeerNo;

impl Sim {
    /// A node ends its half.
    pub(super) fn finish(&mut self, who: PeerNo, link: LinkId) {
        if let Some((no, side)) = self.end(who, link)
            && let Some(stream) = self.streams.get_mut(no)
        {
            stream.pipes[1 - side].finish();
            self.fill(no, 1 - side);
        }
    }

    /// A node wants to hear no more of a stream; what it has written still goes out.
    pub(super) fn close(&mut self, who: PeerNo, link: LinkId) {
        let Some((no, side)) = self.end(who, link) else { return };
        self.close_side(no, side, |pipe, _, _| pipe.finish());
        let stuck = |stream: &Stream| stream.pipes[1 - side].is_stuck();
        if self.streams.get(no).is_some_and(stuck) {
            self.queue.push(self.now.plus(limits::GOODBYE), Due::CloseLimit(no, 1 - side));
        }
    }

    /// A node wants to hear no more of a stream, and whatever is on its way is lost.
    pub(super) fn cut(&mut self, who: PeerNo, link: LinkId) {
        if let Some((no, side)) = self.end(who, link) {
            self.close_side(no, side, |pipe, now, shape| pipe.cut(now, shape));
        }
    }

    /// A node reads nothing of a stream for a while.
    pub(super) fn pause(&mut self, who: PeerNo, link: LinkId, until: Mono) {
        let Some((no, side)) = self.end(who, link) else { return };
        self.streams.get_mut(no).into_iter().for_each(|stream| stream.ends[side].paused = until);
    }

    /// A closed stream has had its time to take the last bytes.
    pub(super) fn close_limit(&mut self, no: StreamNo, side: usize) {
        if let Some(stream) = self.streams.get_mut(no) {
            stream.pipes[side].give_up();
            self.fill(no, side);
        }
    }

    /// The program on a host is gone, and its streams with it.
    pub(super) fn close_all(&mut self, who: PeerNo, in_order: bool) {
        for (_, no) in std::mem::take(&mut self.hosts[who.0].ends) {
            let side = match self.streams.get(no) {
                Some(stream) if stream.ends[0].who == who && stream.ends[0].open => 0,
                _ => 1,
            };
            self.close_side(
                no,
                side,
                |pipe, now, shape| {
                    if in_order { pipe.finish() } else { pipe.die(now, shape) }
                },
            );
        }
    }

    /// Both ends of every stream between two hosts are told that it was reset.
    pub(super) fn reset(&mut self, a: PeerNo, b: PeerNo) {
        let up = |stream: &Stream| matches!(stream.stage, Stage::Answered | Stage::Open);
        for no in self.between(a, b) {
            let Some(stream) = self.streams.get(no).filter(|stream| up(stream)) else { continue };
            self.dialling -= usize::from(stream.stage == Stage::Answered);
            let ends = stream.ends;
            self.streams.remove(no);
            for End { who, link, .. } in ends.into_iter().filter(|end| end.open) {
                self.hosts[who.0].ends.remove(&link);
                self.give(who, Input::Closed { link, why: Why::Reset });
            }
        }
    }

    /// Every stream between two hosts becomes a hole.
    pub(super) fn half_open(&mut self, a: PeerNo, b: PeerNo) {
        for no in self.between(a, b) {
            if let Some(stream) = self.streams.get_mut(no) {
                stream.hole = stream.stage == Stage::Open;
            }
        }
    }
}

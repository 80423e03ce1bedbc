//! What is still to happen, in the order in which it will: by time, and at one time in the order of
//! having been asked for. Nothing is moved in time to break a tie.

use std::collections::{BTreeMap, VecDeque};

use crate::id::SaveId;
use crate::sim::streams::StreamNo;
use crate::time::Mono;
use crate::world::PeerNo;

/// Something that is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A node may have asked to be woken.
    Alarm(PeerNo),
    /// The next step of a dial: it reaches the other side, or its answer comes back.
    Knock(StreamNo),
    /// A dial has had its time.
    DialLimit(StreamNo),
    /// Bytes, or an end, may have reached this side of a stream.
    Arrival(StreamNo, usize),
    /// The stream has taken so many bytes from the node at this side.
    Taken(StreamNo, usize, usize),
    /// A closed stream has had its time to take the last bytes of this side.
    CloseLimit(StreamNo, usize),
    /// A save of this life of a node is done.
    Saved(PeerNo, u64, SaveId),
    /// A question of this life of a node to its disk is answered.
    Looked(PeerNo, u64),
}

impl Due {
    /// Whether it belongs to something under way; the others are watches that mostly go off for
    /// nothing.
    fn is_moving(self) -> bool {
        match self {
            Self::Knock(_) | Self::Arrival(..) | Self::Taken(..) | Self::Saved(..) | Self::Looked(..) => true,
            Self::Alarm(_) | Self::DialLimit(_) | Self::CloseLimit(..) => false,
        }
    }
}

/// All of it. Much happens at one time, so what is due stands in a line for each time: what a world
/// does next is at the front of a small tree, however many peers have something to do much later.
#[derive(Default)]
pub(super) struct Queue {
    lines: BTreeMap<Mono, VecDeque<Due>>,
    /// Empty lines, to be used again.
    spare: Vec<VecDeque<Due>>,
    moving: usize,
}

/// Empty lines that are kept, and things that such a line may have room for.
const SPARE_MAX: usize = 64;
const ROOM_MAX: usize = 1_024;

impl Queue {
    pub(super) fn push(&mut self, at: Mono, due: Due) {
        self.moving += usize::from(due.is_moving());
        let line = self.lines.entry(at).or_insert_with(|| self.spare.pop().unwrap_or_default());
        line.push_back(due);
    }

    /// The next thing, if it is due by `now`.
    pub(super) fn pop(&mut self, now: Mono) -> Option<(Mono, Due)> {
        let mut line = self.lines.first_entry().filter(|line| *line.key() <= now)?;
        let at = *line.key();
        let due = line.get_mut().pop_front();
        if line.get().is_empty() {
            let line = line.remove();
            if self.spare.len() < SPARE_MAX && line.capacity() <= ROOM_MAX {
                self.spare.push(line);
            }
        }
        let due = due?;
        self.moving -= usize::from(due.is_moving());
        Some((at, due))
    }

    /// When the next thing is due.
    pub(super) fn next(&self) -> Option<Mono> {
        self.lines.first_key_value().map(|(at, _)| *at)
    }

    /// How many things are under way.
    pub(super) fn moving(&self) -> usize {
        self.moving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_time_and_then_by_the_order_of_asking() {
        let mut queue = Queue::default();
        for (at, who) in [(5, 0), (3, 9), (5, 1), (3, 2)] {
            queue.push(Mono(at), Due::Alarm(PeerNo(who)));
        }
        assert_eq!(queue.pop(Mono(2)), None);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop(Mono(9))).collect();
        let alarm = |at, who| (Mono(at), Due::Alarm(PeerNo(who)));
        assert_eq!(order, [alarm(3, 9), alarm(3, 2), alarm(5, 0), alarm(5, 1)]);
    }

    #[test]
    fn watches_do_not_count_as_under_way() {
        let mut queue = Queue::default();
        queue.push(Mono(1), Due::Alarm(PeerNo(0)));
        queue.push(Mono(2), Due::Knock(StreamNo(0)));
        assert_eq!(queue.moving(), 1);
        assert!(queue.pop(Mono(1)).is_some());
        assert_eq!(queue.moving(), 1);
        assert!(queue.pop(Mono(2)).is_some());
        assert_eq!(queue.moving(), 0);
    }
}

//! What a peer of the cast has saved. It outlives the peer's program, but for what was still on its
//! way to it; how long a save takes is the world's to say.

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::{LoadId, SaveId};
use crate::node::record::{Answer, Query, Record, Snapshot};
use crate::store::{Memory, Store};
use crate::time::Mono;

/// A disk of its own for one peer.
#[derive(Default)]
pub(in crate::live) struct Disk {
    memory: Memory,
    pending: VecDeque<(Mono, SaveId, Vec<Record>)>,
    /// How long a save takes.
    pub(super) delay: Duration,
}

impl Disk {
    pub(in crate::live) fn load(&mut self) -> Snapshot {
        self.memory.load()
    }

    pub(in crate::live) fn save(&mut self, now: Mono, save: SaveId, records: Vec<Record>) {
        let after = self.pending.back().map_or(now, |(due, _, _)| now.max(*due));
        // A disk that has become faster still keeps the order.
        self.pending.push_back((now.plus(self.delay).max(after), save, records));
    }

    pub(in crate::live) fn look_up(&mut self, load: LoadId, query: Query) {
        self.memory.look_up(load, query);
    }

    /// The next thing that is done.
    pub(in crate::live) fn answer(&mut self, now: Mono) -> Option<Answer> {
        while self.due().is_some_and(|due| due <= now)
            && let Some((_, save, records)) = self.pending.pop_front()
        {
            self.memory.save(save, records);
        }
        self.memory.answer()
    }

    /// When the next save is done.
    pub(in crate::live) fn due(&self) -> Option<Mono> {
        self.pending.front().map(|(due, _, _)| *due)
    }

    /// The program is dead: what was on its way is lost, and nobody is told any more of what was not.
    pub(super) fn lose(&mut self) {
        self.pending.clear();
        self.memory.forget_answers();
    }

    /// Everything that was ever safe here, in the order of being saved.
    pub(super) fn written(&self) -> Vec<Record> {
        self.memory.written()
    }
}

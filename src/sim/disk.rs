//! The disk of an imaginary machine: what its programs have saved, and what is on its way there. It
//! may be slow, full or broken, and be put back as it once was.

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::{LoadId, SaveId};
use crate::node::record::{Answer, Query, Record, Snapshot};
use crate::store::{Memory, Store};
use crate::why::StoreFault;

/// What programs have saved. It outlives them, but for what was still on its way to it.
#[derive(Default)]
pub(super) struct Disk {
    memory: Memory,
    /// How many records there were after each save.
    saves: Vec<usize>,
    pending: VecDeque<(SaveId, Vec<Record>)>,
    answers: VecDeque<Answer>,
    /// How long a save takes.
    pub(super) delay: Duration,
    pub(super) full: bool,
    pub(super) broken: bool,
}

impl Disk {
    /// What a program that starts finds. Whatever was broken is put right before.
    pub(super) fn load(&mut self) -> Snapshot {
        self.broken = false;
        self.memory.load()
    }

    /// Begins a save; one without delay is safe at once.
    pub(super) fn save(&mut self, save: SaveId, records: Vec<Record>) {
        self.pending.push_back((save, records));
        if self.delay.is_zero() {
            self.finish(save);
        }
    }

    /// Everything up to this save is safe now, or refused.
    pub(super) fn finish(&mut self, save: SaveId) {
        while self.pending.front().is_some_and(|(id, _)| *id <= save)
            && let Some((save, records)) = self.pending.pop_front()
        {
            let fault = match (self.broken, self.full) {
                (true, _) => Some(StoreFault::Broken),
                (false, true) => Some(StoreFault::Full),
                (false, false) => None,
            };
            if let Some(fault) = fault {
                self.answers.push_back(Answer::Unsaved { save, records, fault });
                continue;
            }
            self.memory.save(save, records);
            self.saves.push(self.memory.len());
            self.answers.extend(self.memory.answer());
        }
    }

    /// Whatever is on its way becomes safe.
    pub(super) fn finish_all(&mut self) {
        if let Some((last, _)) = self.pending.back() {
            self.finish(*last);
        }
    }

    pub(super) fn look_up(&mut self, load: LoadId, query: Query) {
        self.memory.look_up(load, query);
        self.answers.extend(self.memory.answer());
    }

    pub(super) fn answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// The program is dead: what was on its way is lost, and nobody is told any more of what was not.
    pub(super) fn lose(&mut self) {
        self.pending.clear();
        self.answers.clear();
    }

    /// Everything that is safe here, in the order of being saved.
    pub(super) fn written(&self) -> Vec<Record> {
        self.memory.written()
    }

    /// How often something was saved.
    pub(super) fn saves(&self) -> usize {
        self.saves.len()
    }

    /// It is as it was after so many saves.
    pub(super) fn set_back(&mut self, saves: usize) {
        self.saves.truncate(saves);
        self.memory.set_back(self.saves.last().copied().unwrap_or(0));
    }
}

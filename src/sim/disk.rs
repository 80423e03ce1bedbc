//! The disk of an imaginary machine: what its programs have saved, and what is on its way there. It
//! may be slow, full or broken, and be put back as it once was. All of it is in memory. If there is a
//! medium below, that has the say, and is held to what memory makes of the same records.

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::{LoadId, SaveId};
use crate::node::record::{Answer, Query, Record, Snapshot};
use crate::sim::medium::Medium;
use crate::store::{Memory, Store};
use crate::why::StoreFault;

/// What programs have saved. It outlives them, but for what was still on its way to it.
#[derive(Default)]
pub(super) struct Disk {
    memory: Memory,
    medium: Option<Box<dyn Medium>>,
    /// How many records there were after each save.
    saves: Vec<usize>,
    /// After how many saves the medium was copied.
    copies: Vec<usize>,
    pending: VecDeque<(SaveId, Vec<Record>)>,
    /// What was being saved when the medium failed: it has all of that or nothing.
    doubtful: Option<Vec<Record>>,
    /// How the medium was first found to be other than it must be.
    odd: Option<String>,
    answers: VecDeque<Answer>,
    /// How long a save takes.
    pub(super) delay: Duration,
    full: bool,
    broken: bool,
}

/// All messages.
const ALL: Query = Query { with: None, find: None, last: 1_000_000 };

impl Disk {
    pub(super) fn on(medium: Option<Box<dyn Medium>>) -> Self {
        Self { medium, ..Self::default() }
    }

    /// What a program that starts finds. Whatever was broken is put right before.
    pub(super) fn load(&mut self) -> Snapshot {
        self.broken = false;
        let Some(medium) = &mut self.medium else { return self.memory.load() };
        let (doubtful, found) = (self.doubtful.take(), medium.load());
        match found {
            Ok(found) => {
                self.look_at(&found, doubtful);
                found
            }
            Err(what) => {
                self.is_odd(what);
                self.memory.load()
            }
        }
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
            let answer = match (&mut self.medium, self.broken, self.full) {
                (None, true, _) => Answer::Unsaved { save, records, fault: StoreFault::Broken },
                (None, false, true) => Answer::Unsaved { save, records, fault: StoreFault::Full },
                (None, false, false) => self.keep(save, records),
                (Some(medium), ..) => match medium.save(&records) {
                    Ok(known) => {
                        let answer = self.keep(save, records);
                        if answer != (Answer::Saved { save, known }) {
                            self.is_odd(format!("knew other messages than memory: {answer:?}"));
                        }
                        answer
                    }
                    Err(fault) => {
                        // Once it is broken it is not even tried.
                        if fault == StoreFault::Broken && !std::mem::replace(&mut self.broken, true) {
                            self.doubtful = Some(records.clone());
                        }
                        Answer::Unsaved { save, records, fault }
                    }
                },
            };
            self.answers.push_back(answer);
        }
    }

    /// Whatever is on its way becomes safe.
    pub(super) fn finish_all(&mut self) {
        if let Some((last, _)) = self.pending.back() {
            self.finish(*last);
        }
    }

    pub(super) fn look_up(&mut self, load: LoadId, query: Query) {
        let rows = self.medium.as_mut().map(|medium| medium.look_up(&query));
        self.memory.look_up(load, query);
        let expected = self.memory.answer();
        let Some(rows) = rows else { return self.answers.extend(expected) };
        let is_fault = rows.is_err();
        let found = Some(Answer::Found { load, rows });
        if !is_fault && found != expected {
            self.is_odd("found other messages than memory".into());
        }
        self.answers.extend(found);
    }

    pub(super) fn answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }

    /// The program has ended by itself, and nobody is told any more of what was not.
    pub(super) fn close(&mut self) {
        self.forget();
        if let Some(medium) = &mut self.medium {
            medium.close();
        }
    }

    /// The program is dead: what was on its way is lost. A medium loses its power with it, be it in the
    /// midst of that.
    pub(super) fn cut(&mut self) {
        if let Some(medium) = &mut self.medium {
            medium.wane();
            self.finish_all();
        }
        if let Some(medium) = &mut self.medium {
            medium.cut();
        }
        self.forget();
    }

    /// Takes nothing more, or does again.
    pub(super) fn fill(&mut self, full: bool) {
        self.full = full;
        if let Some(medium) = &mut self.medium {
            medium.fill(full);
        }
    }

    /// Fails until a program starts anew.
    pub(super) fn breaks(&mut self) {
        match &mut self.medium {
            Some(medium) => medium.breaks(),
            None => self.broken = true,
        }
    }

    /// Everything that is safe here, in the order of being saved.
    pub(super) fn written(&self) -> Vec<Record> {
        self.memory.written()
    }

    /// How often something was saved.
    pub(super) fn saves(&self) -> usize {
        self.saves.len()
    }

    /// It is as it was after so many saves, or after the last ones before that of which there is a copy.
    pub(super) fn set_back(&mut self, mut saves: usize) {
        if let Some(medium) = &mut self.medium {
            self.copies.retain(|copy| *copy <= saves);
            saves = self.copies.last().copied().unwrap_or(0);
            medium.set_back(saves);
            self.doubtful = None;
        }
        self.saves.truncate(saves);
        self.memory.set_back(self.saves.last().copied().unwrap_or(0));
    }

    /// It is empty.
    pub(super) fn anew(&mut self) {
        self.set_back(0);
        if let Some(medium) = &mut self.medium {
            medium.anew();
        }
    }

    /// How the medium was first found to be other than it must be.
    pub(super) fn odd(&self) -> Option<&str> {
        self.odd.as_deref()
    }

    /// Whether a save that was refused may be there all the same.
    pub(super) fn may_doubt(&self) -> bool {
        self.medium.is_some()
    }

    /// Memory has these, and the medium is copied once it has half as much again as at the last copy.
    fn keep(&mut self, save: SaveId, records: Vec<Record>) -> Answer {
        self.memory.save(save, records);
        self.saves.push(self.memory.len());
        let (saves, last) = (self.saves.len(), self.copies.last().copied().unwrap_or(0));
        if let Some(medium) = &mut self.medium
            && saves > last + last / 2
        {
            medium.copy(saves);
            self.copies.push(saves);
        }
        self.memory.answer().unwrap_or(Answer::Saved { save, known: Vec::new() })
    }

    /// What a medium gives back adds up to all that was saved, and to what is doubtful, or to all but
    /// that.
    fn look_at(&mut self, found: &Snapshot, doubtful: Option<Vec<Record>>) {
        let Some(medium) = &mut self.medium else { return };
        let load = LoadId(0);
        let found = (found.clone(), Some(Answer::Found { load, rows: medium.look_up(&ALL) }));
        let differs = |memory: &mut Memory| {
            memory.look_up(load, ALL);
            let expected = (memory.load(), memory.answer());
            (expected != found).then(|| difference(&expected, &found))
        };
        let before = self.memory.len();
        if let Some(records) = doubtful {
            self.memory.save(SaveId(0), records);
            self.memory.forget_answers();
            if differs(&mut self.memory).is_none() {
                return self.saves.push(self.memory.len());
            }
            self.memory.set_back(before);
        }
        if let Some(what) = differs(&mut self.memory) {
            self.is_odd(what);
        }
    }

    fn is_odd(&mut self, what: String) {
        self.odd.get_or_insert(what);
    }

    fn forget(&mut self) {
        self.pending.clear();
        self.answers.clear();
    }
}

/// In what two differ, in few words: the first peer that is not the same, or the first message.
fn difference(expected: &(Snapshot, Option<Answer>), found: &(Snapshot, Option<Answer>)) -> String {
    fn first<T: std::fmt::Debug + PartialEq>(expected: &[T], found: &[T]) -> Option<String> {
        let count = expected.len().max(found.len());
        let at = (0..count).find(|at| expected.get(*at) != found.get(*at))?;
        Some(format!("{at} should be {:.900?}, is {:.900?}", expected.get(at), found.get(at)))
    }
    let rows = |answer: &Option<Answer>| match answer {
        Some(Answer::Found { rows: Ok(rows), .. }) => rows.clone(),
        _ => Vec::new(),
    };
    let peers = first(&expected.0.peers, &found.0.peers).map(|what| format!("peer {what}"));
    peers
        .or_else(|| Some(format!("message {}", first(&rows(&expected.1), &rows(&found.1))?)))
        .unwrap_or_default()
}

//! A store that forgets everything when the program ends: for worlds that we host, where it outlives
//! the node that uses it, and for tests. Keeps all that it was ever given, as a disk does.

use std::collections::{BTreeSet, VecDeque};

use crate::api::reply::MessageState;
use crate::id::{LoadId, MessageId, PeerId, SaveId};
use crate::key::PeerKey;
use crate::node::record::{Answer, LogRow, Query, Record, Snapshot};
use crate::store::Store;
use crate::store::fold::Fold;
use crate::store::log::Log;
use crate::store::words::Asked;
use crate::text::Untrusted;

/// Everything that was saved, and what it adds up to.
#[derive(Default)]
pub struct Memory {
    fold: Fold,
    log: Log,
    /// What came and was known, each with how many records were there before: it says how far a stream
    /// is, and nothing else of it is kept.
    known: Vec<(usize, Record)>,
    answers: VecDeque<Answer>,
}

impl Memory {
    /// Everything that was ever saved, in that order.
    pub fn written(&self) -> Vec<Record> {
        self.log.records()
    }

    /// How many records it was ever given, to be set back to.
    pub fn len(&self) -> usize {
        self.log.len() + self.known.len()
    }

    /// Whether nothing was ever saved.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// It is as it was when it had so many records.
    pub fn set_back(&mut self, len: usize) {
        let mut records = std::mem::take(&mut self.log).records();
        // From the front: each is put where it stood among all.
        for (at, record) in std::mem::take(&mut self.known) {
            records.insert(at, record);
        }
        records.truncate(len);
        *self = Self::default();
        for record in &records {
            self.add(record);
        }
    }

    /// False for a message that is known.
    fn add(&mut self, record: &Record) -> bool {
        let log = &self.log;
        let is_new = self.fold.add(record, |from| Self::names(log, from));
        match record {
            Record::Received { .. } if !is_new => self.known.push((self.len(), record.clone())),
            _ => self.log.add(record),
        }
        is_new
    }

    /// Forgets whatever was not taken: whoever asked is no more.
    pub fn forget_answers(&mut self) {
        self.answers.clear();
    }

    fn names(log: &Log, from: PeerKey) -> BTreeSet<MessageId> {
        let name = |record: Record| match record {
            Record::Received { from: key, id, .. } if key == from => Some(id),
            _ => None,
        };
        log.records().into_iter().filter_map(name).collect()
    }
}

impl Store for Memory {
    fn load(&mut self) -> Snapshot {
        self.fold.snapshot()
    }

    fn save(&mut self, save: SaveId, records: Vec<Record>) {
        let mut known = Vec::new();
        for record in records {
            let is_new = self.add(&record);
            if let Record::Received { from, id, .. } = record
                && !is_new
            {
                known.push((from, id));
            }
        }
        self.answers.push_back(Answer::Saved { save, known });
    }

    fn look_up(&mut self, load: LoadId, query: Query) {
        let rows = rows(&self.log.records(), &self.fold.snapshot(), &query);
        self.answers.push_back(Answer::Found { load, rows: Ok(rows) });
    }

    fn answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }
}

/// The messages among all that was saved that are asked for, the oldest first.
fn rows(records: &[Record], now: &Snapshot, query: &Query) -> Vec<LogRow> {
    let mut rows: Vec<LogRow> = Vec::new();
    let mut ids: Vec<Option<MessageId>> = Vec::new();
    for record in records {
        match record {
            Record::Queued { to, id, text, at, .. } => {
                let text = Untrusted::new(text.clone());
                let with = PeerId::Native(*to);
                let state = MessageState::Queued;
                rows.push(LogRow { with, name: name(now, *to), ours: true, at: *at, text, state });
                ids.push(Some(*id));
            }
            Record::Received { from, text, at, .. } => {
                let (with, state) = (PeerId::Native(*from), MessageState::Received);
                let text = text.clone();
                rows.push(LogRow { with, name: name(now, *from), ours: false, at: *at, text, state });
                ids.push(None);
            }
            Record::Plain { with, name, ours, text, at } => {
                let state = if *ours { MessageState::Sent } else { MessageState::Received };
                let (with, text) = (PeerId::Plain(*with), text.clone());
                rows.push(LogRow { with, name: *name, ours: *ours, at: *at, text, state });
                ids.push(None);
            }
            Record::Peer(_)
            | Record::Delivered { .. }
            | Record::Failed { .. }
            | Record::Renumbered { .. }
            | Record::Moved { .. } => {}
        }
    }
    settle(records, &mut rows, &ids);
    let asked = query.find.as_deref().map(Asked::new);
    let is_wanted = |row: &LogRow| {
        query.with.is_none_or(|with| with == row.with)
            && asked.as_ref().is_none_or(|asked| asked.are_in(row.text.expose()))
    };
    rows.retain(is_wanted);
    rows.split_off(rows.len().saturating_sub(query.last))
}

/// Finds out what became of what we sent, by doing it all again.
fn settle(records: &[Record], rows: &mut [LogRow], ids: &[Option<MessageId>]) {
    use std::collections::{BTreeMap, VecDeque};
    let mut places: Vec<usize> = (0..rows.len()).filter(|&at| ids[at].is_some()).rev().collect();
    let mut waiting: BTreeMap<PeerKey, (u64, u64, VecDeque<usize>)> = BTreeMap::new();
    let mut end = |front: &mut (u64, u64, VecDeque<usize>), epoch: u64, seq: u64, state| {
        while front.0 == epoch
            && front.1 <= seq
            && let Some(at) = front.2.pop_front()
        {
            front.1 += 1;
            rows[at].state = state;
        }
    };
    for record in records {
        match record {
            Record::Queued { to, epoch, seq, .. } => {
                let Some(at) = places.pop() else { return };
                let front = waiting.entry(*to).or_default();
                if front.2.is_empty() {
                    (front.0, front.1) = (*epoch, *seq);
                }
                front.2.push_back(at);
            }
            Record::Delivered { to, epoch, seq } => {
                end(waiting.entry(*to).or_default(), *epoch, *seq, MessageState::Delivered);
            }
            Record::Failed { to, epoch, seq, expired } => {
                let state = if *expired { MessageState::Expired } else { MessageState::Failed };
                end(waiting.entry(*to).or_default(), *epoch, *seq, state);
            }
            Record::Renumbered { to, epoch } => {
                let front = waiting.entry(*to).or_default();
                (front.0, front.1) = (*epoch, 1);
            }
            Record::Moved { from, to, epoch, next } => {
                let moved = std::mem::take(&mut waiting.entry(*from).or_default().2);
                let front = waiting.entry(*to).or_default();
                if front.2.is_empty() {
                    (front.0, front.1) = (*epoch, *next);
                }
                front.2.extend(moved);
            }
            Record::Peer(_) | Record::Received { .. } | Record::Plain { .. } => {}
        }
    }
}

fn name(now: &Snapshot, key: PeerKey) -> crate::id::Name {
    let known = now.peers.iter().find(|peer| peer.facts.key == key);
    known.map_or_else(
        || crate::node::record::Facts::new(key).claims,
        |peer| peer.facts.alias.unwrap_or(peer.facts.claims),
    )
}

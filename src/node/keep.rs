//! What a node keeps: facts gather until the end of a turn and while a save is on its way, and
//! whatever may only be said once they are safe waits for that. Decides what a store that fails
//! means: what was not promised is taken back, what came is not acknowledged. Knows no links.

use std::collections::VecDeque;

use crate::api::command::CommandError;
use crate::api::event::{Message, What, Who};
use crate::api::reply::{LogEntry, Reply, Trust};
use crate::id::{LoadId, MessageId, RequestId, SaveId};
use crate::key::PeerKey;
use crate::limits;
use crate::node::io::Effect;
use crate::node::peers::PeerIx;
use crate::node::record::{Answer, Heard, LogRow, Query, Record};
use crate::node::{Node, Timer};
use crate::planted::{self, Planted};
use crate::why::StoreFault;

/// What waits to be saved, and what waits for that.
#[derive(Default)]
pub(super) struct Keep {
    unsaved: Vec<Record>,
    /// Peers that records of `unsaved` are about.
    peers: Vec<PeerIx>,
    marks: Vec<Mark>,
    saving: VecDeque<(SaveId, Vec<Mark>)>,
    saves: u64,
    lookups: Vec<(RequestId, Query)>,
    loads: u64,
    fault: Option<StoreFault>,
    /// The user was told of a fault.
    told: bool,
}

/// What is true once a save is done.
pub(super) enum Mark {
    /// Our messages to a peer are queued up to a number of a stream, and we have its own up to one.
    Streams { ix: PeerIx, epoch: u64, queued: u64, heard: Option<Heard> },
    /// A message is queued, which is the answer to a command.
    Queued { request: RequestId, ix: PeerIx, seq: u64, connected: bool },
    /// Messages are queued, which is the answer to a command.
    Broadcast(RequestId, Box<Reply>),
    /// This command has had its effect.
    Answer(RequestId, Box<Reply>),
    /// A message came that may be known already.
    Doubted { from: PeerKey, id: MessageId, message: Box<Message> },
}

/// Entries that a list of one turn may keep room for.
const ROOM_MAX: usize = 8_192;

impl Node {
    /// Something about this peer is to be saved, if anything is.
    pub(super) fn save(&mut self, ix: PeerIx, record: impl FnOnce() -> Record) {
        self.save_fact(record);
        self.mark_unsaved(ix);
    }

    /// Something that no stream depends on is to be saved, if anything is.
    pub(super) fn save_fact(&mut self, record: impl FnOnce() -> Record) {
        if self.config.keeps && self.keep.fault != Some(StoreFault::Broken) {
            self.keep.unsaved.push(record());
        }
    }

    fn mark_unsaved(&mut self, ix: PeerIx) {
        let peer = self.peers.get_mut(ix);
        if !std::mem::replace(&mut peer.unsaved, true) {
            self.keep.peers.push(ix);
        }
    }

    /// All we know of a peer is to be saved.
    pub(super) fn remember(&mut self, ix: PeerIx) {
        if let Some(facts) = self.peers.get(ix).facts() {
            self.save_fact(|| Record::Peer(facts));
        }
    }

    /// Says this once all that there is to be saved now is.
    pub(super) fn once_saved(&mut self, mark: Mark) {
        self.keep.marks.push(mark);
    }

    /// Whether everything that happened is safe.
    pub(super) fn all_saved(&self) -> bool {
        self.keep.unsaved.is_empty() && self.keep.peers.is_empty() && self.keep.saving.is_empty()
    }

    /// Why nothing can be kept now.
    pub(super) fn store_fault(&self) -> Option<StoreFault> {
        self.keep.fault
    }

    /// Facts that wait to be saved.
    pub(super) fn unsaved(&self) -> usize {
        self.keep.unsaved.len()
    }

    /// Whether its store is so far behind that nothing more should be read from anybody.
    pub fn is_behind(&self) -> bool {
        self.keep.unsaved.len() >= limits::UNSAVED_MAX || self.keep.fault == Some(StoreFault::Broken)
    }

    /// Looks for messages once what was said before is saved.
    pub(super) fn look_up(&mut self, request: RequestId, query: Query) -> Result<(), CommandError> {
        if !self.config.keeps {
            return Err(CommandError::NothingKept);
        }
        self.keep.lookups.push((request, query));
        Ok(())
    }

    /// Asks for what gathered to be saved, unless a save is on its way: what comes meanwhile goes with
    /// the next.
    pub(super) fn save_gathered(&mut self, out: &mut Vec<Effect>) {
        let keep = &mut self.keep;
        let anything = !keep.unsaved.is_empty() || !keep.peers.is_empty() || !keep.marks.is_empty();
        if anything && keep.saving.is_empty() && keep.fault.is_none() {
            keep.saves += 1;
            let save = SaveId(keep.saves);
            for ix in keep.peers.drain(..) {
                let peer = self.peers.get_mut(ix);
                (peer.unsaved, peer.saving) = (false, true);
                let (epoch, queued, heard) = (peer.outbox.epoch(), peer.outbox.last(), peer.inbox.last());
                keep.marks.push(Mark::Streams { ix, epoch, queued, heard });
                if let Some(heard) = heard.filter(|_| planted::is(Planted::AckBeforeCommit)) {
                    peer.inbox.saved(heard);
                }
            }
            keep.saving.push_back((save, std::mem::take(&mut keep.marks)));
            if self.config.keeps {
                // The next turn is likely to have as much to say.
                let room = Vec::with_capacity(keep.unsaved.len().min(ROOM_MAX));
                out.push(Effect::Save { save, records: std::mem::replace(&mut keep.unsaved, room) });
            } else {
                self.saved(save, &[], out);
            }
        }
        if self.keep.unsaved.is_empty() {
            for (request, query) in std::mem::take(&mut self.keep.lookups) {
                self.keep.loads += 1;
                let load = LoadId(self.keep.loads);
                self.loads.insert(load, request);
                out.push(Effect::Load { load, query });
            }
        }
    }

    pub(super) fn stored(&mut self, answer: Answer, out: &mut Vec<Effect>) {
        match answer {
            Answer::Saved { save, known } => self.saved(save, &known, out),
            Answer::Unsaved { save, records, fault } => self.not_saved(save, records, fault, out),
            Answer::Found { load, rows } => {
                let Some(request) = self.loads.remove(&load) else { return };
                let rows = rows.map_err(CommandError::Store);
                let entries = rows.map(|rows| rows.into_iter().map(|row| self.entry(row)).collect());
                self.answer(request, entries.map(Reply::Log), out);
            }
        }
    }

    fn entry(&self, row: LogRow) -> LogEntry {
        let LogRow { with, name, ours, at, text, state } = row;
        let known = self.peers.find(with).map(|ix| self.peers.who(ix));
        let who = known.unwrap_or_else(|| {
            let trust = if with.is_plain() { Trust::Plain } else { Trust::Unknown };
            Who { id: with, name, twin: false, trust }
        });
        LogEntry { who, ours, at, text, state }
    }

    fn saved(&mut self, save: SaveId, known: &[(PeerKey, MessageId)], out: &mut Vec<Effect>) {
        if std::mem::take(&mut self.keep.told) {
            self.emit(What::StoreWorks, out);
        }
        while let Some((id, _)) = self.keep.saving.front()
            && *id <= save
        {
            let Some((_, mut marks)) = self.keep.saving.pop_front() else { return };
            for mark in marks.drain(..) {
                self.is_true(mark, known, out);
            }
            if self.keep.marks.capacity() == 0 && marks.capacity() <= ROOM_MAX {
                self.keep.marks = marks;
            }
        }
    }

    fn is_true(&mut self, mark: Mark, known: &[(PeerKey, MessageId)], out: &mut Vec<Effect>) {
        match mark {
            Mark::Streams { ix, epoch, queued, heard } => {
                let peer = self.peers.get_mut(ix);
                peer.saving = false;
                peer.outbox.saved(epoch, queued);
                if let Some(heard) = heard {
                    peer.inbox.saved(heard);
                }
                self.make_ready(ix);
            }
            Mark::Queued { request, ix, seq, connected } => {
                // It may have left between the command and the save.
                let peer = self.peers.get(ix);
                let reply = Reply::Queued { to: self.peers.who(ix), seq, connected };
                let result = if peer.gone { Err(CommandError::Gone(peer.name())) } else { Ok(reply) };
                self.answer(request, result, out);
            }
            Mark::Broadcast(request, reply) | Mark::Answer(request, reply) => {
                self.answer(request, Ok(*reply), out);
            }
            Mark::Doubted { from, id, message } => {
                if known.contains(&(from, id)) && !planted::is(Planted::KnownShown) {
                    self.counters.repeated += 1;
                } else {
                    self.emit(What::Message(*message), out);
                }
            }
        }
    }

    /// What waited for one peer waits for another, `first` there as `next` here: whoever is still to hear
    /// that something of it is queued hears it of the other.
    pub(super) fn moved(&mut self, old: PeerIx, new: PeerIx, first: u64, next: u64) {
        let Keep { marks, saving, .. } = &mut self.keep;
        for mark in marks.iter_mut().chain(saving.iter_mut().flat_map(|(_, marks)| marks)) {
            if let Mark::Queued { ix, seq, .. } = mark
                && *ix == old
            {
                (*ix, *seq) = (new, next + seq.saturating_sub(first));
            }
        }
    }

    /// Nothing of a save was kept. What we were to send is taken back and refused; what came stays
    /// until it can be kept, unacknowledged, so that its sender keeps it too.
    fn not_saved(
        &mut self,
        save: SaveId,
        mut records: Vec<Record>,
        fault: StoreFault,
        out: &mut Vec<Effect>,
    ) {
        let marks = match self.keep.saving.front() {
            Some((id, _)) if *id == save => self.keep.saving.pop_front(),
            Some(_) | None => None,
        };
        let Some((_, marks)) = marks else { return };
        let marks: Vec<_> = marks.into_iter().chain(std::mem::take(&mut self.keep.marks)).collect();
        if planted::is(Planted::FullDiskForgets) {
            records.retain(|record| !matches!(record, Record::Received { .. }));
        }
        if planted::is(Planted::RetryOutOfOrder) {
            std::mem::swap(&mut records, &mut self.keep.unsaved);
        }
        records.append(&mut self.keep.unsaved);
        // Numbers that others were counted from cannot be taken back.
        let whole = records.iter().any(|record| {
            matches!(record, Record::Moved { .. } | Record::Renumbered { .. } | Record::Failed { .. })
        });
        let withdraws = !whole || fault == StoreFault::Broken;
        if withdraws {
            records.retain(|record| !matches!(record, Record::Queued { .. }));
        }
        if fault == StoreFault::Broken {
            records.clear();
        }
        self.keep.unsaved = records;
        for mark in marks {
            match mark {
                Mark::Streams { ix, .. } => {
                    self.peers.get_mut(ix).saving = false;
                    self.mark_unsaved(ix);
                }
                Mark::Queued { .. } | Mark::Broadcast(..) if planted::is(Planted::FailureIsQueued) => {
                    self.is_true(mark, &[], out);
                }
                Mark::Queued { request, .. } | Mark::Broadcast(request, _) if withdraws => {
                    self.answer(request, Err(CommandError::Store(fault)), out);
                }
                Mark::Answer(request, _) if fault == StoreFault::Broken => {
                    self.answer(request, Err(CommandError::Store(fault)), out);
                }
                later => self.keep.marks.push(later),
            }
        }
        if withdraws && !planted::is(Planted::WithdrawNothing) {
            self.withdraw();
        }
        self.keep.fault = Some(fault);
        if !std::mem::replace(&mut self.keep.told, true) {
            self.emit(What::StoreFailed(fault), out);
        }
        if fault == StoreFault::Full {
            self.timers.insert((self.now.mono.plus(limits::STORE_RETRY), Timer::Store));
        }
    }

    /// Takes back every message that was not promised to anybody yet.
    fn withdraw(&mut self) {
        for ix in self.keep.peers.clone() {
            let peer = self.peers.get_mut(ix);
            let withdrawn = peer.outbox.withdraw() as u64;
            peer.sent = peer.sent.saturating_sub(withdrawn);
            self.counters.sent = self.counters.sent.saturating_sub(withdrawn);
            self.recount_outboxes(ix);
        }
    }

    /// A disk that was full is tried again.
    pub(super) fn store_due(&mut self) {
        if self.keep.fault == Some(StoreFault::Full) {
            self.keep.fault = None;
        }
    }
}

//! What records add up to: for each peer what is known of it and the streams with it, as a node
//! starts with them. The meaning of each record, in one place, for stores that are not a data base.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::id::MessageId;
use crate::key::PeerKey;
use crate::node::record::{Facts, Heard, Record, SavedMessage, SavedPeer, Snapshot};
use crate::planted::{self, Planted};

/// All peers.
#[derive(Default)]
pub(super) struct Fold {
    peers: BTreeMap<PeerKey, Known>,
}

#[derive(Default)]
struct Known {
    facts: Option<Facts>,
    epoch: u64,
    next: u64,
    outbox: VecDeque<SavedMessage>,
    heard: Option<Heard>,
    again: bool,
    /// Names of all that it ever sent, once it sends by another stream.
    names: Option<BTreeSet<MessageId>>,
}

impl Fold {
    /// Adds a record. `before` gives the names of all that was received from a peer, if they are
    /// asked for. False for a message that is known already.
    pub(super) fn add(
        &mut self,
        record: &Record,
        before: impl FnOnce(PeerKey) -> BTreeSet<MessageId>,
    ) -> bool {
        if let Record::Moved { from, to, epoch, next } = record {
            let moved = std::mem::take(&mut self.peers.entry(*from).or_default().outbox);
            let known = self.peers.entry(*to).or_default();
            (known.epoch, known.next) = (*epoch, next + moved.len() as u64);
            known.outbox.extend(moved);
            return true;
        }
        let Some(key) = record.peer() else { return true };
        self.peers.entry(key).or_default().add(record, || before(key))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let row = |(key, known): (&PeerKey, &Known)| SavedPeer {
            facts: known.facts.unwrap_or_else(|| Facts::new(*key)),
            epoch: known.epoch,
            next: known.next,
            outbox: known.outbox.iter().cloned().collect(),
            heard: known.heard,
            again: known.again,
        };
        Snapshot { peers: self.peers.iter().map(row).collect() }
    }
}

impl Known {
    fn add(&mut self, record: &Record, before: impl FnOnce() -> BTreeSet<MessageId>) -> bool {
        match record {
            Record::Peer(facts) => self.facts = Some(*facts),
            Record::Queued { to: _, epoch, seq, id, text, auto, at } => {
                (self.epoch, self.next) = (*epoch, seq + 1);
                self.outbox.push_back(SavedMessage { id: *id, text: text.clone(), auto: *auto, at: *at });
            }
            Record::Delivered { epoch, seq, .. } | Record::Failed { epoch, seq, .. } => {
                self.drop_front(*epoch, *seq);
            }
            Record::Renumbered { to: _, epoch } => {
                (self.epoch, self.next) = (*epoch, self.outbox.len() as u64 + 1);
            }
            Record::Received { from: _, epoch, seq, id, at, .. } => {
                let other = self.heard.is_some_and(|heard| heard.epoch != *epoch || heard.seq >= *seq);
                self.again |= other;
                self.heard = Some(Heard { epoch: *epoch, seq: *seq, id: *id });
                if self.again {
                    let by_time = MessageId(i128::from(at.0).to_be_bytes());
                    let name = if planted::is(Planted::DedupByTime) { by_time } else { *id };
                    let is_new = self.names.get_or_insert_with(before).insert(name);
                    return is_new || planted::is(Planted::NoDedup);
                }
            }
            Record::Moved { .. } | Record::Plain { .. } => {}
        }
        true
    }

    fn drop_front(&mut self, epoch: u64, seq: u64) {
        if epoch == self.epoch {
            let first = self.next - self.outbox.len() as u64;
            let end = seq + 1 + u64::from(planted::is(Planted::DeliveredOneMore));
            let done = usize::try_from(end.saturating_sub(first)).unwrap_or(usize::MAX);
            self.outbox.drain(..done.min(self.outbox.len()));
        }
    }
}

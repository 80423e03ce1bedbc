//! A store that forgets everything when the program ends: for `--ephemeral`, and for simulations,
//! where it outlives the node that uses it. Holds what a restart needs, no history.

use std::collections::{BTreeMap, VecDeque};

use crate::id::{MessageId, SaveId};
use crate::key::PeerKey;
use crate::node::io::{Record, SavedPeer, Snapshot};
use crate::store::Store;
use crate::text::Body;

/// The two streams with each peer.
#[derive(Default)]
pub struct Memory {
    peers: BTreeMap<PeerKey, Streams>,
    saved: Option<SaveId>,
}

#[derive(Default)]
struct Streams {
    epoch: u64,
    next: u64,
    outbox: VecDeque<(MessageId, Body, bool)>,
    heard: Option<(u64, u64)>,
}

impl Streams {
    fn take(&mut self, record: Record) {
        match record {
            Record::Queued { to: _, epoch, seq, id, text, auto } => {
                self.epoch = epoch;
                self.next = seq + 1;
                self.outbox.push_back((id, text, auto));
            }
            Record::Delivered { to: _, epoch: _, seq } => {
                let first = self.next - self.outbox.len() as u64;
                let done = usize::try_from((seq + 1).saturating_sub(first)).unwrap_or(usize::MAX);
                self.outbox.drain(..done.min(self.outbox.len()));
            }
            Record::Received { from: _, epoch, seq, id: _, text: _ } => self.heard = Some((epoch, seq)),
        }
    }
}

impl Store for Memory {
    fn load(&mut self) -> Snapshot {
        let row = |(key, streams): (&PeerKey, &Streams)| SavedPeer {
            key: *key,
            epoch: streams.epoch,
            next: streams.next,
            outbox: streams.outbox.iter().cloned().collect(),
            heard: streams.heard,
        };
        Snapshot { peers: self.peers.iter().map(row).collect() }
    }

    fn save(&mut self, save: SaveId, records: Vec<Record>) {
        let mut records = records.into_iter().peekable();
        // Records of one peer come in runs, and looking it up costs more than what a record does.
        while let Some(key) = records.peek().map(Record::peer) {
            let streams = self.peers.entry(key).or_default();
            while let Some(record) = records.next_if(|record| record.peer() == key) {
                streams.take(record);
            }
        }
        self.saved = Some(save);
    }

    fn saved(&mut self) -> Option<SaveId> {
        self.saved.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Untrusted;

    #[test]
    fn a_snapshot_has_what_is_not_acknowledged() {
        let (to, epoch) = (PeerKey([1; 32]), 7);
        let body = |text| Body::new(text).expect("a body");
        let mut store = Memory::default();
        let queued = |seq, text| Record::Queued {
            to,
            epoch,
            seq,
            id: MessageId([2; 16]),
            text: body(text),
            auto: false,
        };
        store.save(SaveId(1), vec![queued(1, "a"), queued(2, "b"), queued(3, "c")]);
        let text = Untrusted::new(body("x"));
        store.save(
            SaveId(2),
            vec![
                Record::Delivered { to, epoch, seq: 2 },
                Record::Received { from: to, epoch: 9, seq: 4, id: MessageId([3; 16]), text },
            ],
        );
        assert_eq!((store.saved(), store.saved()), (Some(SaveId(2)), None));
        let outbox = vec![(MessageId([2; 16]), body("c"), false)];
        assert_eq!(store.load().peers, [SavedPeer { key: to, epoch, next: 4, outbox, heard: Some((9, 4)) }]);
    }
}

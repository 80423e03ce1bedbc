//! One peer's stream to us: what came, what of it is saved, what is to be acknowledged.

use crate::id::MessageId;
use crate::node::record::Heard;
use crate::planted::{self, Planted};
use crate::wire::message::Have;

/// One peer's stream to us.
#[derive(Debug, Default)]
pub(in crate::node) struct Inbox {
    epoch: u64,
    last: u64,
    saved: u64,
    acked: u64,
    /// The name of the last message, if any came.
    last_id: Option<MessageId>,
    /// It is not the first stream of this peer, so what comes may be known by its name.
    again: bool,
}

/// What an arriving number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum Arrival {
    /// It is the next one.
    New,
    /// We have it.
    Repeat,
    /// We have another one under this number, the latest, and keep that.
    Conflict,
    /// Something before it is missing, which TCP cannot do to an honest peer.
    Gap,
}

impl Inbox {
    pub(in crate::node) fn restored(heard: Option<Heard>, again: bool) -> Self {
        let Some(Heard { epoch, seq, id }) = heard else { return Self::default() };
        let id = Some(id);
        Self { epoch, last: seq, saved: seq, acked: seq, last_id: id, again }
    }

    /// The peer's stream is called `epoch` and goes on at `base` or later. What is new to us starts
    /// there. Gives how many messages before that never came here: they were given up, or delivered
    /// to whoever had our key then.
    pub(in crate::node) fn begin(&mut self, epoch: u64, base: u64) -> u64 {
        let before = base.saturating_sub(1);
        if epoch < self.epoch {
            // Said before the later one, or by a peer that was set back and hears of that from us.
            return 0;
        }
        if planted::is(Planted::NoEpoch) && self.epoch != 0 {
            self.epoch = epoch;
        }
        let known = if epoch == self.epoch { self.last } else { 0 };
        let here = epoch == self.epoch && before <= self.last;
        if here && (self.last_id.is_some() || before == self.last) {
            return 0;
        }
        // A peer that takes back what it said of its own stream was set back, and gives those numbers
        // to other messages.
        let again = self.again || here || epoch != self.epoch && self.epoch != 0;
        *self = Self { epoch, last: before, saved: before, acked: before, again, ..Self::default() };
        before.saturating_sub(known)
    }

    pub(in crate::node) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether what comes may be known by its name, so that only the store can tell whether it is new.
    pub(in crate::node) fn is_doubtful(&self) -> bool {
        self.again
    }

    /// The latest message that arrived, if any did since the stream began here.
    pub(in crate::node) fn last(&self) -> Option<Heard> {
        self.last_id.map(|id| Heard { epoch: self.epoch, seq: self.last, id })
    }

    /// What we have saved, for the peer to go on from; if there is nothing, at least of which stream.
    pub(in crate::node) fn have(&self) -> Option<Have> {
        let epoch = self.epoch;
        let have = match self.last_id {
            Some(MessageId(id)) => {
                let saved = if planted::is(Planted::HaveUnsaved) { self.last } else { self.saved };
                Have { epoch, saved, last: self.last, id }
            }
            None => Have { epoch, saved: 0, last: 0, id: [0; 16] },
        };
        (epoch != 0).then_some(have)
    }

    /// A message numbered `seq` arrived.
    pub(in crate::node) fn arrive(&mut self, seq: u64, id: MessageId) -> Arrival {
        if seq <= self.last {
            if !planted::is(Planted::RepeatUnanswered) {
                self.acked = self.acked.min(seq.saturating_sub(1));
            }
            let other = seq == self.last && self.last_id.is_some_and(|last| last != id);
            if other { Arrival::Conflict } else { Arrival::Repeat }
        } else if seq == self.last + 1 {
            self.last = seq;
            self.last_id = Some(id);
            Arrival::New
        } else {
            Arrival::Gap
        }
    }

    /// Everything up to this message is saved here.
    pub(in crate::node) fn saved(&mut self, heard: Heard) {
        if heard.epoch == self.epoch && heard.seq > self.saved {
            self.saved = heard.seq;
        }
    }

    /// The last acknowledgement may not have arrived: it is due again.
    pub(in crate::node) fn repeat(&mut self) {
        self.acked = self.acked.min(self.saved.saturating_sub(1));
    }

    /// The acknowledgement that is due, if one is; it counts as said.
    pub(in crate::node) fn due(&mut self) -> Option<(u64, u64)> {
        let saved = if planted::is(Planted::AckReceived) { self.last } else { self.saved };
        (saved > self.acked).then(|| {
            self.acked = saved;
            (self.epoch, saved)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: MessageId = MessageId([1; 16]);

    #[test]
    fn an_inbox_takes_each_number_once() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.begin(5, 1), 0);
        assert_eq!(inbox.arrive(1, ID), Arrival::New);
        assert_eq!(inbox.arrive(1, ID), Arrival::Repeat);
        assert_eq!(inbox.arrive(1, MessageId([2; 16])), Arrival::Conflict);
        assert_eq!(inbox.arrive(3, ID), Arrival::Gap);
        assert_eq!((inbox.due(), inbox.have().map(|have| have.saved)), (None, Some(0)), "not saved yet");
        inbox.saved(Heard { epoch: 4, seq: 9, id: ID });
        assert_eq!(inbox.due(), None, "another stream was saved");
        inbox.saved(Heard { epoch: 5, seq: 1, id: ID });
        assert_eq!((inbox.due(), inbox.due()), (Some((5, 1)), None));
        assert_eq!(inbox.arrive(1, ID), Arrival::Repeat);
        assert_eq!(inbox.due(), Some((5, 1)), "a repeat is answered again");
        inbox.repeat();
        assert_eq!((inbox.due(), inbox.due()), (Some((5, 1)), None), "the first may be lost");
    }

    #[test]
    fn what_is_missing_before_a_stream_is_counted() {
        let mut inbox = Inbox::default();
        assert_eq!((inbox.begin(5, 4), inbox.is_doubtful()), (3, false), "a peer that knew us before");
        assert_eq!(inbox.have().map(|have| have.last), Some(0), "nothing of it came here");
        assert_eq!(inbox.arrive(4, ID), Arrival::New);
        assert_eq!((inbox.begin(5, 4), inbox.begin(5, 9)), (0, 4), "some were given up");
        assert_eq!((inbox.begin(5, 6), inbox.is_doubtful()), (0, true), "it was set back since");
        assert_eq!(inbox.arrive(6, ID), Arrival::New);
        assert_eq!((inbox.begin(6, 1), inbox.is_doubtful()), (0, true), "names tell from now on");
        inbox.begin(5, 1);
        assert_eq!(inbox.epoch(), 6, "what is earlier is late");
    }
}

//! Delivery between two keys: in order, each message once. A stream is named by its epoch and
//! numbers its messages from 1 without a gap; the receiver acknowledges up to a number once that is
//! saved; after a break the sender goes on behind what the receiver says it has (go-back-n, as in
//! RFC 3366 §2). Knows no links and no clock: it is asked for what may be sent, and told what came.

use std::collections::VecDeque;

use crate::id::MessageId;
use crate::limits::{OUTBOX_BYTES, OUTBOX_MESSAGES, WINDOW_BYTES, WINDOW_MESSAGES};
use crate::text::Body;
use crate::wire::message::ChatTail;

/// Our stream to one peer.
#[derive(Debug)]
pub(super) struct Outbox {
    epoch: u64,
    /// The number of the front of `queue`.
    first: u64,
    /// Everything before this number is saved.
    saved: u64,
    /// The next number to go on the wire.
    cursor: u64,
    queue: VecDeque<Outgoing>,
    bytes: usize,
    on_wire: usize,
}

/// A message of ours that was not acknowledged yet, encoded. Whoever it goes to shares its
/// text.
#[derive(Clone, Debug)]
pub(super) struct Outgoing(ChatTail);

/// One peer's stream to us.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    epoch: u64,
    last: u64,
    saved: u64,
    acked: u64,
}

/// What an arriving number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is the next one.
    New,
    /// We have it.
    Repeat,
    /// Something before it is missing, which TCP cannot do to an honest peer.
    Gap,
}

impl Outgoing {
    pub(super) fn new(id: MessageId, auto: bool, text: Body) -> Self {
        Self(ChatTail::new(id, auto, text))
    }

    /// Appends it to a run, under its number.
    pub(super) fn put(&self, seq: u64, run: &mut Vec<u8>) {
        self.0.put(seq, run);
    }

    /// Bytes that it takes there, but for the number.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn cost(&self) -> usize {
        self.0.len() + 48
    }
}

impl Outbox {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, first: 1, saved: 1, cursor: 1, queue: VecDeque::new(), bytes: 0, on_wire: 0 }
    }

    /// Goes on where `next` was the number of the next message and `waiting` the last ones before.
    pub(super) fn restored(epoch: u64, next: u64, waiting: Vec<Outgoing>) -> Self {
        let first = next - waiting.len() as u64;
        let bytes = waiting.iter().map(Outgoing::cost).sum();
        Self { epoch, first, saved: next, cursor: first, queue: waiting.into(), bytes, on_wire: 0 }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The number of the oldest message not acknowledged, or of the next one.
    pub(super) fn base(&self) -> u64 {
        self.first
    }

    /// Messages not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= OUTBOX_MESSAGES || self.bytes >= OUTBOX_BYTES
    }

    /// Queues a message and gives it its number. It may go out once that number is saved.
    pub(super) fn push(&mut self, message: Outgoing) -> u64 {
        self.bytes += message.cost();
        self.queue.push_back(message);
        self.last()
    }

    /// The number of the latest message; one less than the next one's.
    pub(super) fn last(&self) -> u64 {
        self.first + self.queue.len() as u64 - 1
    }

    /// Everything up to `seq` is saved here.
    pub(super) fn saved(&mut self, seq: u64) {
        self.saved = self.saved.max(seq + 1);
    }

    /// The next message that may go on the wire, if the window allows one; it counts as sent.
    pub(super) fn next(&mut self) -> Option<(u64, &Outgoing)> {
        let in_flight = self.cursor - self.first;
        let open = in_flight < WINDOW_MESSAGES as u64 && self.on_wire < WINDOW_BYTES;
        if !open || self.cursor >= self.saved {
            return None;
        }
        let message = self.queue.get(usize::try_from(in_flight).ok()?)?;
        self.on_wire += message.cost();
        self.cursor += 1;
        Some((self.cursor - 1, message))
    }

    /// The peer has everything up to `seq` of stream `epoch`. Gives the numbers that this is news
    /// of. What was never sent, or is of another stream, cannot be acknowledged.
    pub(super) fn acknowledge(&mut self, epoch: u64, seq: u64) -> Option<(u64, u64)> {
        if epoch != self.epoch || seq < self.first || seq >= self.cursor {
            return None;
        }
        let first = self.first;
        while self.first <= seq {
            let Some(message) = self.queue.pop_front() else { break };
            self.bytes -= message.cost();
            self.on_wire = self.on_wire.saturating_sub(message.cost());
            self.first += 1;
        }
        if self.queue.is_empty() && self.queue.capacity() > SMALL {
            self.queue = VecDeque::new();
        }
        Some((first, seq))
    }

    /// A new link: the peer says what it has. Everything behind that goes out (again).
    pub(super) fn resume(&mut self, have: Option<(u64, u64)>) -> Option<(u64, u64)> {
        let news = match have {
            Some((epoch, seq)) => {
                // What it has was sent by us, on whatever link, so it counts as on the wire.
                self.cursor = self.cursor.max(self.saved);
                self.acknowledge(epoch, seq)
            }
            None => None,
        };
        self.cursor = self.first;
        self.on_wire = 0;
        news
    }

    /// Takes everything back that was not acknowledged.
    pub(super) fn drain(&mut self) -> usize {
        let waiting = self.queue.len();
        self.queue.clear();
        (self.first, self.cursor) = (self.first + waiting as u64, self.first + waiting as u64);
        (self.bytes, self.on_wire) = (0, 0);
        waiting
    }
}

/// A queue up to this capacity is kept when it is empty.
const SMALL: usize = 64;

impl Inbox {
    pub(super) fn restored(heard: Option<(u64, u64)>) -> Self {
        let (epoch, last) = heard.unwrap_or_default();
        Self { epoch, last, saved: last, acked: last }
    }

    /// The peer's stream is called `epoch` and goes on at `base` or later. What is new to us starts
    /// there: what came before was acknowledged by whoever had our key then.
    pub(super) fn begin(&mut self, epoch: u64, base: u64) {
        let before = base.saturating_sub(1);
        if epoch != self.epoch || before > self.last {
            *self = Self { epoch, last: before, saved: before, acked: before };
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The latest message that arrived: its stream and its number.
    pub(super) fn last(&self) -> (u64, u64) {
        (self.epoch, self.last)
    }

    /// What we have saved, for the peer to go on from.
    pub(super) fn have(&self) -> Option<(u64, u64)> {
        (self.saved > 0).then_some((self.epoch, self.saved))
    }

    /// A message numbered `seq` arrived.
    pub(super) fn arrive(&mut self, seq: u64) -> Arrival {
        if seq <= self.last {
            self.acked = self.acked.min(seq.saturating_sub(1));
            Arrival::Repeat
        } else if seq == self.last + 1 {
            self.last = seq;
            Arrival::New
        } else {
            Arrival::Gap
        }
    }

    /// Everything up to `seq` of stream `epoch` is saved here.
    pub(super) fn saved(&mut self, epoch: u64, seq: u64) {
        if epoch == self.epoch {
            self.saved = self.saved.max(seq);
        }
    }

    /// The last acknowledgement may not have arrived: it is due again.
    pub(super) fn repeat(&mut self) {
        self.acked = self.acked.min(self.saved.saturating_sub(1));
    }

    /// The acknowledgement that is due, if one is; it counts as said.
    pub(super) fn due(&mut self) -> Option<(u64, u64)> {
        (self.saved > self.acked).then(|| {
            self.acked = self.saved;
            (self.epoch, self.saved)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Outgoing {
        Outgoing::new(MessageId([0; 16]), false, Body::new(text).expect("a body"))
    }

    fn sent(outbox: &mut Outbox) -> Vec<u64> {
        std::iter::from_fn(|| outbox.next().map(|(seq, _)| seq)).collect()
    }

    #[test]
    fn nothing_goes_out_before_it_is_saved() {
        let mut outbox = Outbox::new(7);
        for _ in 0..3 {
            outbox.push(message("x"));
        }
        assert!(sent(&mut outbox).is_empty());
        outbox.saved(2);
        assert_eq!(sent(&mut outbox), [1, 2]);
        outbox.saved(3);
        assert_eq!(sent(&mut outbox), [3]);
    }

    #[test]
    fn an_acknowledgement_must_fit_the_stream() {
        let mut outbox = Outbox::new(7);
        (0..3).for_each(|_| assert!(outbox.push(message("x")) > 0));
        outbox.saved(3);
        outbox.next();
        outbox.next();
        assert_eq!(outbox.acknowledge(8, 1), None, "another stream");
        assert_eq!(outbox.acknowledge(7, 3), None, "not sent yet");
        assert_eq!(outbox.acknowledge(7, 0), None, "nothing");
        assert_eq!(outbox.acknowledge(7, 2), Some((1, 2)));
        assert_eq!(outbox.acknowledge(7, 2), None, "no news");
        assert_eq!((outbox.len(), sent(&mut outbox)), (1, vec![3]));
    }

    #[test]
    fn a_new_link_goes_on_behind_what_the_peer_has() {
        let mut outbox = Outbox::new(7);
        (0..5).for_each(|_| assert!(outbox.push(message("x")) > 0));
        outbox.saved(5);
        sent(&mut outbox);
        assert_eq!(outbox.resume(Some((7, 3))), Some((1, 3)));
        assert_eq!(sent(&mut outbox), [4, 5]);
        assert_eq!(outbox.resume(None), None);
        assert_eq!(sent(&mut outbox), [4, 5], "a peer that lost its memory gets what we still have");
        assert_eq!(outbox.resume(Some((9, 4))), None, "it speaks of another stream");
        assert_eq!(sent(&mut outbox), [4, 5]);
    }

    #[test]
    fn the_window_closes_and_opens() {
        let mut outbox = Outbox::new(1);
        (0..WINDOW_MESSAGES + 10).for_each(|_| assert!(outbox.push(message("x")) > 0));
        outbox.saved(WINDOW_MESSAGES as u64 + 10);
        assert_eq!(sent(&mut outbox).len(), WINDOW_MESSAGES);
        outbox.acknowledge(1, 4);
        assert_eq!(sent(&mut outbox).len(), 4);
    }

    #[test]
    fn an_inbox_takes_each_number_once() {
        let mut inbox = Inbox::default();
        inbox.begin(5, 1);
        assert_eq!(inbox.arrive(1), Arrival::New);
        assert_eq!(inbox.arrive(1), Arrival::Repeat);
        assert_eq!(inbox.arrive(3), Arrival::Gap);
        assert_eq!(inbox.due(), None, "not saved yet");
        inbox.saved(4, 9);
        assert_eq!(inbox.due(), None, "another stream was saved");
        inbox.saved(5, 1);
        assert_eq!((inbox.due(), inbox.due()), (Some((5, 1)), None));
        assert_eq!(inbox.arrive(1), Arrival::Repeat);
        assert_eq!(inbox.due(), Some((5, 1)), "a repeat is answered again");
        inbox.repeat();
        assert_eq!((inbox.due(), inbox.due()), (Some((5, 1)), None), "the first may be lost");
    }
}

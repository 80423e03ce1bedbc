//! Our stream to one peer: what waits, what is on the wire, what may be sent next.

use std::collections::VecDeque;

use crate::id::MessageId;
use crate::limits::{OUTBOX_BYTES, OUTBOX_MESSAGES, WINDOW_BYTES, WINDOW_MESSAGES};
use crate::node::record::SavedMessage;
use crate::planted::{self, Planted};
use crate::text::Body;
use crate::time::Wall;
use crate::wire::message::{ChatTail, Have};

/// Our stream to one peer.
#[derive(Debug)]
pub(in crate::node) struct Outbox {
    epoch: u64,
    /// The number of the front of `queue`.
    first: u64,
    /// Everything before this number is saved.
    saved: u64,
    /// The next number to go on the wire.
    cursor: u64,
    /// Everything before this number may have been on some wire.
    reached: u64,
    queue: VecDeque<Outgoing>,
    bytes: usize,
    on_wire: usize,
}

/// A message of ours that was not acknowledged yet, encoded. Whoever it goes to shares its
/// text.
#[derive(Clone, Debug)]
pub(in crate::node) struct Outgoing {
    tail: ChatTail,
    at: Wall,
}

/// What a peer's word of what it has means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::node) enum Resumed {
    /// No news.
    Same,
    /// These are delivered.
    Delivered(u64, u64),
    /// It has a message under a number that is not ours: our memory was set back, and those after us
    /// used the number for something else.
    Conflict,
}

impl Outgoing {
    pub(in crate::node) fn new(id: MessageId, auto: bool, text: Body, at: Wall) -> Self {
        Self { tail: ChatTail::new(id, auto, text), at }
    }

    pub(in crate::node) fn saved(message: SavedMessage) -> Self {
        Self::new(message.id, message.auto, message.text, message.at)
    }

    /// Appends it to a run, under its number.
    pub(in crate::node) fn put(&self, seq: u64, run: &mut Vec<u8>) {
        self.tail.put(seq, run);
    }

    /// Bytes that it takes there, but for the number.
    pub(in crate::node) fn len(&self) -> usize {
        self.tail.len()
    }

    fn cost(&self) -> usize {
        self.tail.len() + 48
    }
}

impl Outbox {
    pub(in crate::node) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            first: 1,
            saved: 1,
            cursor: 1,
            reached: 1,
            queue: VecDeque::new(),
            bytes: 0,
            on_wire: 0,
        }
    }

    /// Goes on where `next` was the number of the next message and `waiting` the last ones before.
    pub(in crate::node) fn restored(epoch: u64, next: u64, waiting: Vec<Outgoing>) -> Self {
        let first = next.saturating_sub(waiting.len() as u64).max(1);
        let bytes = waiting.iter().map(Outgoing::cost).sum();
        Self {
            epoch,
            first,
            saved: next,
            cursor: first,
            reached: next,
            queue: waiting.into(),
            bytes,
            on_wire: 0,
        }
    }

    pub(in crate::node) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The number of the oldest message not acknowledged, or of the next one.
    pub(in crate::node) fn base(&self) -> u64 {
        self.first
    }

    /// Messages not acknowledged.
    pub(in crate::node) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes that they take.
    pub(in crate::node) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(in crate::node) fn is_full(&self) -> bool {
        self.queue.len() >= OUTBOX_MESSAGES || self.bytes >= OUTBOX_BYTES
    }

    /// Queues a message and gives it its number. It may go out once that number is saved.
    pub(in crate::node) fn push(&mut self, message: Outgoing) -> u64 {
        self.bytes += message.cost();
        self.queue.push_back(message);
        self.last()
    }

    /// The number of the latest message; one less than the next one's.
    pub(in crate::node) fn last(&self) -> u64 {
        self.first + self.queue.len() as u64 - 1
    }

    /// Everything up to `seq` of stream `epoch` is saved here.
    pub(in crate::node) fn saved(&mut self, epoch: u64, seq: u64) {
        if epoch == self.epoch {
            self.saved = self.saved.max(seq + 1);
        }
    }

    /// The next message that may go on the wire, if the window allows one; it counts as sent.
    pub(in crate::node) fn next(&mut self) -> Option<(u64, &Outgoing)> {
        let in_flight = self.cursor - self.first;
        let open = in_flight < WINDOW_MESSAGES as u64 && self.on_wire < WINDOW_BYTES;
        if !open || self.cursor >= self.saved && !planted::is(Planted::SendUnsaved) {
            return None;
        }
        let message = self.queue.get(usize::try_from(in_flight).ok()?)?;
        self.on_wire += message.cost();
        self.cursor += 1;
        self.reached = self.reached.max(self.cursor);
        Some((self.cursor - 1, message))
    }

    /// The peer has everything up to `seq` of stream `epoch`. Gives the numbers that this is news
    /// of. What was never sent, or is of another stream, cannot be acknowledged.
    pub(in crate::node) fn acknowledge(&mut self, epoch: u64, seq: u64) -> Option<(u64, u64)> {
        let any = planted::is(Planted::AnyAck);
        if any {
            self.cursor = self.cursor.max(seq + 1);
        }
        if epoch != self.epoch && !any || seq < self.first || seq >= self.cursor {
            return None;
        }
        let (first, seq) = (self.first, seq + u64::from(planted::is(Planted::AckOneMore)));
        self.drop_front(seq);
        Some((first, seq))
    }

    /// Whether the peer can have that message of ours at all, by this link or an earlier one.
    pub(in crate::node) fn was_sent(&self, epoch: u64, seq: u64) -> bool {
        epoch == self.epoch && seq < self.reached.max(self.first)
    }

    /// A new link: the peer says what it has. Everything behind that goes out (again).
    pub(in crate::node) fn resume(&mut self, have: Option<Have>) -> Resumed {
        if planted::is(Planted::SentIsDelivered) && self.cursor > self.first {
            let sent = (self.first, self.cursor - 1);
            self.give_up(sent.1);
            return Resumed::Delivered(sent.0, sent.1);
        }
        let resumed = match have {
            Some(have) if have.epoch > self.epoch => Resumed::Conflict,
            Some(have) if have.epoch == self.epoch && have.last >= self.first => self.confirm(have),
            // It has less than we know to be delivered, or of an earlier stream: it was set back, or is
            // new, and gets what we still have.
            Some(_) | None => Resumed::Same,
        };
        self.break_off();
        resumed
    }

    /// What was on the wire is not there any more.
    pub(in crate::node) fn break_off(&mut self) {
        self.cursor = self.first + u64::from(planted::is(Planted::ResumeBehind));
        self.on_wire = 0;
    }

    fn confirm(&mut self, have: Have) -> Resumed {
        let at = usize::try_from(have.last - self.first).ok();
        let ours = at.and_then(|at| self.queue.get(at)).map(|message| message.tail.id().0);
        let same = ours == Some(have.id) || planted::is(Planted::HaveByNumber);
        if have.last >= self.saved || !same || have.saved > have.last {
            return Resumed::Conflict;
        }
        let first = self.first;
        self.drop_front(have.saved);
        if have.saved >= first { Resumed::Delivered(first, have.saved) } else { Resumed::Same }
    }

    /// What waits goes by another stream from now on, numbered from 1; none of it is saved so.
    pub(in crate::node) fn renumber(&mut self, epoch: u64) {
        let epoch = if planted::is(Planted::RenumberKeepsEpoch) { self.epoch } else { epoch };
        (self.epoch, self.first, self.saved, self.cursor, self.on_wire) = (epoch, 1, 1, 1, 0);
        self.reached = 1;
    }

    /// Takes everything back that was not acknowledged.
    pub(in crate::node) fn drain(&mut self) -> VecDeque<Outgoing> {
        let waiting = std::mem::take(&mut self.queue);
        self.first += waiting.len() as u64;
        self.saved = self.saved.max(self.first);
        (self.cursor, self.bytes, self.on_wire) = (self.first, 0, 0);
        waiting
    }

    /// Takes back what is not saved, the latest ones. Gives their number.
    pub(in crate::node) fn withdraw(&mut self) -> usize {
        let saved = usize::try_from(self.saved - self.first).unwrap_or(usize::MAX);
        let waiting = self.queue.len();
        while self.queue.len() > saved {
            let Some(message) = self.queue.pop_back() else { break };
            self.bytes -= message.cost();
        }
        waiting - self.queue.len()
    }

    /// The number of the latest message of those at the front that were queued before `before`, if any
    /// are. Only while nothing is on the wire.
    pub(in crate::node) fn older(&self, before: Wall) -> Option<u64> {
        let count = self.queue.iter().take_while(|message| message.at < before).count() as u64;
        (count > 0).then_some(self.first + count - 1).filter(|seq| *seq < self.saved)
    }

    /// Gives up everything up to `seq`. Only while nothing is on the wire.
    pub(in crate::node) fn give_up(&mut self, seq: u64) {
        self.drop_front(seq);
        self.break_off();
    }

    fn drop_front(&mut self, seq: u64) {
        while self.first <= seq {
            let Some(message) = self.queue.pop_front() else { break };
            self.bytes -= message.cost();
            self.on_wire = self.on_wire.saturating_sub(message.cost());
            self.first += 1;
        }
        if self.queue.is_empty() && self.queue.capacity() > SMALL {
            self.queue = VecDeque::new();
        }
    }
}

/// A queue up to this capacity is kept when it is empty.
const SMALL: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: u8) -> Outgoing {
        Outgoing::new(MessageId([name; 16]), false, Body::new("x").expect("a body"), Wall(i64::from(name)))
    }

    /// An outbox with so many messages, named by their numbers, all saved.
    fn filled(epoch: u64, count: u8) -> Outbox {
        let mut outbox = Outbox::new(epoch);
        (1..=count).for_each(|name| assert!(outbox.push(message(name)) > 0));
        outbox.saved(epoch, u64::from(count));
        outbox
    }

    fn sent(outbox: &mut Outbox) -> Vec<u64> {
        std::iter::from_fn(|| outbox.next().map(|(seq, _)| seq)).collect()
    }

    fn heard(epoch: u64, seq: u64, name: u8) -> Option<Have> {
        Some(Have { epoch, saved: seq, last: seq, id: [name; 16] })
    }

    #[test]
    fn nothing_goes_out_before_it_is_saved() {
        let mut outbox = Outbox::new(7);
        (1..=3).for_each(|name| assert!(outbox.push(message(name)) > 0));
        assert!(sent(&mut outbox).is_empty());
        outbox.saved(6, 3);
        assert!(sent(&mut outbox).is_empty(), "another stream was saved");
        outbox.saved(7, 2);
        assert_eq!(sent(&mut outbox), [1, 2]);
        outbox.saved(7, 3);
        assert_eq!(sent(&mut outbox), [3]);
    }

    #[test]
    fn an_acknowledgement_must_fit_the_stream() {
        let mut outbox = filled(7, 3);
        outbox.next();
        outbox.next();
        let told = [(7, 2), (7, 1), (7, 3), (8, 1), (6, 1)].map(|(epoch, seq)| outbox.was_sent(epoch, seq));
        assert_eq!(told, [true, true, false, false, false]);
        assert_eq!(outbox.acknowledge(8, 1), None, "another stream");
        assert_eq!(outbox.acknowledge(7, 3), None, "not sent yet");
        assert_eq!(outbox.acknowledge(7, 0), None, "nothing");
        assert_eq!(outbox.acknowledge(7, 2), Some((1, 2)));
        assert_eq!(outbox.acknowledge(7, 2), None, "no news");
        assert_eq!((outbox.len(), sent(&mut outbox)), (1, vec![3]));
        outbox.break_off();
        assert!(outbox.was_sent(7, 3), "an earlier link had it");
    }

    #[test]
    fn a_new_link_goes_on_behind_what_the_peer_has() {
        let mut outbox = filled(7, 5);
        sent(&mut outbox);
        assert_eq!(outbox.resume(heard(7, 3, 3)), Resumed::Delivered(1, 3));
        assert_eq!(sent(&mut outbox), [4, 5]);
        assert_eq!(outbox.resume(None), Resumed::Same);
        assert_eq!(sent(&mut outbox), [4, 5], "a peer that lost its memory gets what we still have");
        assert_eq!(outbox.resume(heard(6, 4, 4)), Resumed::Same, "it speaks of an earlier stream");
        assert_eq!(outbox.resume(heard(7, 1, 1)), Resumed::Same, "it was set back");
        assert_eq!(sent(&mut outbox), [4, 5]);
    }

    #[test]
    fn what_came_and_is_not_saved_yet_comes_again() {
        let mut outbox = filled(7, 5);
        let have = Have { epoch: 7, saved: 1, last: 3, id: [3; 16] };
        assert_eq!(outbox.resume(Some(have)), Resumed::Delivered(1, 1));
        assert_eq!(sent(&mut outbox), [2, 3, 4, 5]);
        assert_eq!(outbox.resume(Some(have)), Resumed::Same);
        let other = Have { id: [9; 16], ..have };
        assert_eq!(outbox.resume(Some(other)), Resumed::Conflict, "number 3 was another message");
    }

    #[test]
    fn a_sender_that_was_set_back_notices() {
        let mut outbox = filled(7, 5);
        assert_eq!(outbox.resume(heard(7, 6, 6)), Resumed::Conflict, "it never sent so many");
        assert_eq!(outbox.resume(heard(7, 3, 9)), Resumed::Conflict, "number 3 was another message");
        assert_eq!(outbox.resume(heard(8, 0, 0)), Resumed::Conflict, "it knows of a later stream");
        outbox.renumber(9);
        assert!(sent(&mut outbox).is_empty(), "nothing is saved under the new numbers");
        outbox.saved(9, 5);
        assert_eq!((outbox.base(), sent(&mut outbox)), (1, vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn what_is_not_saved_can_be_taken_back() {
        let mut outbox = filled(7, 2);
        outbox.push(message(3));
        assert_eq!((outbox.withdraw(), outbox.len(), outbox.last()), (1, 2, 2));
        assert_eq!((outbox.withdraw(), sent(&mut outbox)), (0, vec![1, 2]));
    }

    #[test]
    fn what_is_old_is_at_the_front() {
        let mut outbox = filled(7, 5);
        assert_eq!((outbox.older(Wall(1)), outbox.older(Wall(3))), (None, Some(2)));
        outbox.give_up(2);
        assert_eq!((outbox.base(), sent(&mut outbox)), (3, vec![3, 4, 5]));
    }

    #[test]
    fn the_window_closes_and_opens() {
        let mut outbox = Outbox::new(1);
        (0..WINDOW_MESSAGES + 10).for_each(|_| assert!(outbox.push(message(1)) > 0));
        outbox.saved(1, WINDOW_MESSAGES as u64 + 10);
        assert_eq!(sent(&mut outbox).len(), WINDOW_MESSAGES);
        outbox.acknowledge(1, 4);
        assert_eq!(sent(&mut outbox).len(), 4);
    }
}

//! Which messages of ours are still on their way, in the order they were sent: a batch goes on
//! while they travel and is told when one fails. Knows numbers, not texts.

use std::collections::{BTreeMap, VecDeque};

use crate::api::event::Who;
use crate::id::{PeerId, RequestId};
use crate::time::Mono;

/// Where in a batch a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The line, counted from 1.
    pub line: usize,
    /// The verb, for error messages.
    pub verb: &'static str,
}

/// A message to one peer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// To whom.
    pub to: Who,
    /// Its number.
    pub seq: u64,
    /// Where it came from.
    pub origin: Origin,
}

/// What is on its way.
#[derive(Default)]
pub(super) struct Receipts {
    /// Not answered by the node yet, the oldest first.
    asked: VecDeque<(RequestId, Origin)>,
    /// Answered, and not delivered; per peer the lowest number first.
    sent: BTreeMap<PeerId, VecDeque<Sent>>,
    count: usize,
    progress: Mono,
}

impl Receipts {
    /// A command that sends was given.
    pub(super) fn ask(&mut self, request: RequestId, origin: Origin, now: Mono) {
        if self.is_empty() {
            self.progress = now;
        }
        self.asked.push_back((request, origin));
    }

    /// The oldest command without an answer.
    pub(super) fn oldest(&self) -> Option<RequestId> {
        self.asked.front().map(|(request, _)| *request)
    }

    /// That one was answered.
    pub(super) fn answered(&mut self, now: Mono) -> Option<Origin> {
        self.progress = now;
        self.asked.pop_front().map(|(_, origin)| origin)
    }

    /// A message is on its way.
    pub(super) fn sent(&mut self, sent: Sent) {
        self.count += 1;
        self.sent.entry(sent.to.id).or_default().push_back(sent);
    }

    /// A peer has everything up to `last`.
    pub(super) fn delivered(&mut self, to: PeerId, last: u64, now: Mono) {
        let Some(waiting) = self.sent.get_mut(&to) else { return };
        while waiting.front().is_some_and(|sent| sent.seq <= last) {
            waiting.pop_front();
            self.count -= 1;
            self.progress = now;
        }
        if waiting.is_empty() {
            self.sent.remove(&to);
        }
    }

    /// Messages `first..=last` to a peer will not arrive; gives the first that we waited for.
    pub(super) fn failed(&mut self, to: PeerId, first: u64, last: u64) -> Option<Sent> {
        let waiting = self.sent.get_mut(&to)?;
        let found = waiting.iter().find(|sent| (first..=last).contains(&sent.seq)).copied();
        let before = waiting.len();
        waiting.retain(|sent| !(first..=last).contains(&sent.seq));
        self.count -= before - waiting.len();
        found
    }

    /// What waits for a peer stays here for another time.
    pub(super) fn kept(&mut self, to: PeerId) {
        self.count -= self.sent.remove(&to).map_or(0, |waiting| waiting.len());
    }

    /// One of those that wait the longest.
    pub(super) fn stuck(&self) -> Option<Sent> {
        self.sent.values().filter_map(VecDeque::front).min_by_key(|sent| sent.origin.line).copied()
    }

    /// The first command without an answer.
    pub(super) fn unanswered(&self) -> Option<Origin> {
        self.asked.front().map(|(_, origin)| *origin)
    }

    /// When something last went forward.
    pub(super) fn progress(&self) -> Mono {
        self.progress
    }

    /// How many are on their way.
    pub(super) fn len(&self) -> usize {
        self.asked.len() + self.count
    }

    /// Whether none is.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets them all: the batch has ended.
    pub(super) fn clear(&mut self) {
        *self = Self { progress: self.progress, ..Self::default() };
    }
}

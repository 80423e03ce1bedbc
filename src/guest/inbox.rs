//! What a front end has put down for a script: answers, events, lines to evaluate. Bounded: the front
//! end never waits for a script, so of events that nobody takes the oldest go, and are counted.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::api::command::CommandError;
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::RequestId;
use crate::limits::{PROMPT_EVENTS_MAX, PROMPT_LINES_MAX};

/// An answer to a command.
pub(super) type Answer = Result<Reply, CommandError>;

/// See the module.
#[derive(Default)]
pub(super) struct Inbox(Mutex<Letters>);

#[derive(Default)]
struct Letters {
    /// As many as there are commands under way, which are bounded where they are given.
    replies: VecDeque<(RequestId, Answer)>,
    events: VecDeque<Event>,
    lines: VecDeque<String>,
    missed: u64,
    closed: bool,
}

impl Inbox {
    pub(super) fn reply(&self, request: RequestId, answer: Answer) {
        self.lock().replies.push_back((request, answer));
    }

    pub(super) fn event(&self, event: Event) {
        let mut letters = self.lock();
        if letters.events.len() >= PROMPT_EVENTS_MAX {
            letters.events.pop_front();
            letters.missed += 1;
        }
        letters.events.push_back(event);
    }

    /// False when too many are waiting.
    pub(super) fn line(&self, line: String) -> bool {
        let mut letters = self.lock();
        let has_room = letters.lines.len() < PROMPT_LINES_MAX;
        if has_room {
            letters.lines.push_back(line);
        }
        has_room
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn take_line(&self) -> Option<String> {
        self.lock().lines.pop_front()
    }

    /// All answers and events, and how many events were dropped since this was last asked.
    pub(super) fn take(&self) -> (VecDeque<(RequestId, Answer)>, VecDeque<Event>, u64) {
        let mut letters = self.lock();
        let missed = std::mem::take(&mut letters.missed);
        (std::mem::take(&mut letters.replies), std::mem::take(&mut letters.events), missed)
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::event::What;
    use crate::time::Now;

    #[test]
    fn a_script_that_does_not_listen_misses_the_oldest() {
        let inbox = Inbox::default();
        let event = Event { at: Now::default(), what: What::Leaving };
        (0..PROMPT_EVENTS_MAX + 3).for_each(|_| inbox.event(event.clone()));
        let (_, events, missed) = inbox.take();
        assert_eq!((events.len(), missed), (PROMPT_EVENTS_MAX, 3));
        assert_eq!(inbox.take().2, 0);
    }
}

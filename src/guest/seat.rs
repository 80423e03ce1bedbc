//! The prompt's own peer as a script has it: commands go out to the front end, answers and events come
//! back when they come. What a script may not ask of it is refused here.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::api::command::{Command, CommandError};
use crate::api::event::{Event, What};
use crate::guest::host::Said;
use crate::guest::inbox::{Answer, Inbox};
use crate::id::RequestId;
use crate::key::PeerKey;
use crate::limits::{PROMPT_ASKED_MAX, QUIET};
use crate::session::Bell;
use crate::time::Mono;

/// The prompt's own peer, as others know it.
#[derive(Clone, Copy, Debug)]
pub struct Me {
    /// Its key.
    pub key: PeerKey,
    /// Where it is dialled from this machine.
    pub addr: SocketAddr,
}

/// Where a script's words go: to the front end, which is woken.
#[derive(Clone)]
pub(super) struct Voice {
    pub(super) said: SyncSender<Said>,
    pub(super) bell: Bell,
}

/// The prompt's own peer, from the script's side.
pub(super) struct Seat {
    pub(super) me: Me,
    voice: Voice,
    inbox: Arc<Inbox>,
    next: u64,
    /// Commands without an answer.
    pub(super) asked: usize,
    replies: BTreeMap<RequestId, Answer>,
    events: VecDeque<Event>,
    /// The last message that was given, until its number is taken, when that was, and whether the
    /// number could have been taken.
    newest: Option<RequestId>,
    said: Mono,
    held: bool,
    /// When something was last said or heard.
    pub(super) stirred: Mono,
}

impl Voice {
    /// Says something; false when nobody listens any more. Waits while too much was said.
    pub(super) fn say(&self, said: Said) -> bool {
        let is_heard = self.said.send(said).is_ok();
        self.bell.ring();
        is_heard
    }
}

impl Seat {
    pub(super) fn new(me: Me, voice: Voice, inbox: Arc<Inbox>) -> Self {
        Self {
            me,
            voice,
            inbox,
            next: 0,
            asked: 0,
            replies: BTreeMap::new(),
            events: VecDeque::new(),
            newest: None,
            said: Mono::default(),
            held: false,
            stirred: Mono::default(),
        }
    }

    pub(super) fn submit(&mut self, command: Command, now: Mono) -> RequestId {
        self.next += 1;
        let request = RequestId(self.next);
        self.stirred = now;
        let refusal = match command {
            Command::Quit => Some("me is your own program: type quit at its prompt to leave"),
            _ if self.asked >= PROMPT_ASKED_MAX => Some("too many commands of me wait for an answer"),
            _ => None,
        };
        if let Some(why) = refusal {
            self.replies.insert(request, Err(CommandError::NotHere(why)));
            return request;
        }
        self.newest = match &command {
            Command::Send { .. } | Command::Broadcast { .. } | Command::Reply { .. } => Some(request),
            _ => None,
        };
        (self.held, self.said) = (false, now);
        if self.voice.say(Said::Command { request, command }) {
            self.asked += 1;
        } else {
            self.replies.insert(request, Err(CommandError::Leaving));
        }
        request
    }

    /// Takes in what has come; whether anything has.
    pub(super) fn hear(&mut self, now: Mono) -> bool {
        let (replies, events, missed) = self.inbox.take();
        if missed > 0 {
            let words = format!("* the script is slow: it has missed {missed} events of me");
            self.voice.say(Said::Line(words));
        }
        if replies.is_empty() && events.is_empty() {
            return false;
        }
        self.stirred = now;
        self.asked = self.asked.saturating_sub(replies.len());
        self.replies.extend(replies);
        self.events.extend(events);
        true
    }

    pub(super) fn take_reply(&mut self, request: RequestId) -> Option<Answer> {
        let answer = self.replies.remove(&request);
        if answer.is_some() && self.newest == Some(request) {
            self.newest = None;
        }
        answer
    }

    /// For how much longer what others heard is to wait, so that a message is on the list as said
    /// before it is there as heard: its number has not come. Not for ever, as it may have to be
    /// connected first.
    pub(super) fn waits(&self, now: Mono) -> Option<Duration> {
        self.newest.filter(|newest| !self.replies.contains_key(newest))?;
        let left = self.said.plus(QUIET).since(now);
        Some(left).filter(|left| !left.is_zero())
    }

    /// Whether that is so, or the number has come and was not looked at. The latter once only, as
    /// whoever asked may be waiting for something else by now.
    pub(super) fn holds(&self, now: Mono) -> bool {
        let is_here = self.newest.is_some_and(|newest| self.replies.contains_key(&newest));
        (is_here && !self.held) || self.waits(now).is_some()
    }

    /// The number that has come could be looked at.
    pub(super) fn release(&mut self) {
        self.held |= self.newest.is_some_and(|newest| self.replies.contains_key(&newest));
    }

    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether a message is among the events. What caused it is on the list already; what it caused
    /// may lie elsewhere.
    pub(super) fn has_message(&self) -> bool {
        self.events.iter().any(|event| matches!(event.what, What::Message(_)))
    }

    pub(super) fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

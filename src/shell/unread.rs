//! Messages that `expect` may still take. A selective receive: the oldest that matches is taken,
//! the others stay, so that the order in which two peers happen to write does not matter.

use std::collections::VecDeque;

use crate::api::event::{Message, Who};
use crate::api::pattern::Pattern;
use crate::limits::UNREAD_MAX;
use crate::text::{Body, Untrusted};

/// What was heard and not expected yet, the oldest first.
#[derive(Default)]
pub(super) struct Unread {
    messages: VecDeque<(Who, Untrusted<Body>)>,
    dropped: u64,
}

/// Messages that a failure shows.
const SHOWN: usize = 10;

impl Unread {
    /// Holds a message; when there are too many, the oldest goes and is counted.
    pub(super) fn push(&mut self, message: &Message) {
        if self.messages.len() >= UNREAD_MAX {
            self.messages.pop_front();
            self.dropped += 1;
        }
        self.messages.push_back((message.from, message.text.clone()));
    }

    /// Takes the oldest message that `from` accepts and `pattern` matches.
    pub(super) fn take(
        &mut self,
        from: impl Fn(&Who) -> bool,
        pattern: &Pattern,
    ) -> Option<(Who, Untrusted<Body>)> {
        let at = self.messages.iter().position(|(who, text)| from(who) && pattern.matches(text.expose()))?;
        self.messages.remove(at)
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// What is unread, for a failure to show: the latest, with the nearest miss marked.
    pub(super) fn explain(&self, from: impl Fn(&Who) -> bool, pattern: &Pattern) -> String {
        if self.messages.is_empty() {
            return "nothing is unread".into();
        }
        let skipped = self.messages.len().saturating_sub(SHOWN);
        let shown: Vec<_> = self.messages.iter().skip(skipped).collect();
        let likeness = |(who, text): &(Who, Untrusted<Body>)| {
            let distance = strsim::damerau_levenshtein(pattern.as_str(), &clip(text.expose()));
            // Another sender is as far off as half the pattern.
            let elsewhere = if from(who) { 0 } else { pattern.as_str().chars().count() / 2 };
            std::cmp::Reverse(distance + elsewhere)
        };
        let nearest = shown.iter().enumerate().max_by_key(|(_, message)| likeness(message)).map(|(at, _)| at);
        let line = |(at, (who, text)): (usize, &&(Who, Untrusted<Body>))| {
            let mark = if Some(at) == nearest && shown.len() > 1 { "   (nearest)" } else { "" };
            format!("\n  <{}> {}{mark}", who.name, Untrusted::new(clip(text.expose())).display())
        };
        let lines: String = shown.iter().enumerate().map(line).collect();
        let more = if skipped > 0 { format!("\n  and {skipped} before") } else { String::new() };
        let dropped =
            if self.dropped > 0 { format!("\n  and {} dropped", self.dropped) } else { String::new() };
        format!("unread:{lines}{more}{dropped}")
    }
}

fn clip(text: &str) -> String {
    let mut clipped: String = text.chars().take(120).collect();
    if clipped.len() < text.len() {
        clipped.push('…');
    }
    clipped
}

//! How what was kept looks on a screen: messages of the past, what became of each, and what a key is
//! worth. Decides no colours.

use std::net::SocketAddr;

use crate::api::event::Who;
use crate::api::reply::{LogEntry, MessageState, Trust};
use crate::id::{Name, PeerId};
use crate::key::PeerKey;
use crate::shell::render::Look;

/// What a key is worth, and what to do about it.
pub(super) fn worth(trust: Trust, name: Name) -> String {
    match trust {
        Trust::FirstUse => format!("first use; compare the words with {name}, then: trust {name}"),
        Trust::Changed => "CHANGED: another key answers in its place, and is told nothing".into(),
        Trust::Unknown => "for one run of its program, or replaced".into(),
        Trust::Verified | Trust::Plain => trust.word().into(),
    }
}

/// What stands behind the name of a peer whose key nobody has compared yet: somebody in the middle of
/// the first contact would look the same.
pub(super) fn unsure(who: &Who) -> &'static str {
    match who.trust {
        Trust::FirstUse | Trust::Unknown | Trust::Changed => "?",
        Trust::Verified | Trust::Plain => "",
    }
}

impl Look {
    /// The lines of `log`.
    pub(super) fn log(&self, entries: &[LogEntry]) -> Vec<String> {
        if entries.is_empty() {
            return vec![self.news("no message is kept that fits")];
        }
        entries.iter().flat_map(|entry| self.entry(entry)).collect()
    }

    fn entry(&self, entry: &LogEntry) -> Vec<String> {
        let who = self.who(&entry.who);
        let mark = match entry.state {
            MessageState::Received => "  ",
            MessageState::Delivered => "✓✓",
            MessageState::Queued | MessageState::Sent => "✓ ",
            MessageState::Expired | MessageState::Failed => "✗ ",
        };
        let head = match (entry.ours, entry.who.id) {
            (true, _) => format!("you to {who} ({}):", entry.state.word()),
            (false, PeerId::Plain(_)) => format!("{} <{}>", "[plain]", who.trim_start_matches("[plain] ")),
            (false, PeerId::Native(_)) => format!("<{who}{}>", unsure(&entry.who)),
        };
        let mut lines = entry.text.display_lines().into_iter();
        let first = lines.next().unwrap_or_default();
        let mut shown = vec![format!("{} {mark} {head} {first}", self.dim(&entry.at.date()))];
        shown.extend(lines.map(|line| format!("  | {line}")));
        shown
    }

    /// Another key answers in somebody's place, as loud as lines get.
    pub(super) fn key_changed(
        &self,
        who: &Who,
        at: Option<SocketAddr>,
        pinned: PeerKey,
        shown: PeerKey,
    ) -> Vec<String> {
        let (name, place) = (who.name, at.map(|at| format!(" at {at}")).unwrap_or_default());
        vec![
            self.bad(&format!("✗ ANOTHER KEY ANSWERS FOR {name}{place}; nothing was said to it")),
            format!("  {} {} is {name}'s key", pinned.short(), pinned.words()),
            format!("  {} {} is what it shows", shown.short(), shown.words()),
            format!("  if {name} has told you of a new key: trust {name} --replace {}", shown.short()),
            format!("  if somebody else is there now:  trust {name} --forget"),
        ]
    }

    /// Messages that came faster than they could be shown.
    pub(super) fn left_out(&self, left_out: &[(Who, u64)]) -> String {
        let count: u64 = left_out.iter().map(|(_, count)| count).sum();
        let names: Vec<_> = left_out.iter().map(|(who, _)| self.who(who)).collect();
        let whose = match left_out {
            [(who, _)] if !who.twin => format!(" {}", who.name),
            _ => String::new(),
        };
        self.news(&format!("{count} more from {}: log{whose} -n {count}", names.join(", ")))
    }

    /// What a key is worth now, in words.
    pub(super) fn trusted(&self, who: &Who, words: &str) -> String {
        let name = self.keyed(who);
        match who.trust {
            Trust::Verified => self.news(&format!("{name} is verified: {words}")),
            Trust::FirstUse => self.news(&format!(
                "{name} has this key from now on: {words}; once compared: trust {}",
                who.name
            )),
            Trust::Changed | Trust::Unknown | Trust::Plain => {
                self.news(&format!("nothing is held against {name}'s place any more"))
            }
        }
    }
}

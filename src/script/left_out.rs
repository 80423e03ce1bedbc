//! A run that leaves something out, as when a failing script is reduced: who is not cast in it, and
//! what its script may still do. What is asked of somebody who is left out has no answer, so a check
//! that such an answer led to says nothing. Knows no verbs, and not why something is left out.

use crate::id::Name;
use crate::play::Ev;
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, Spot};
use crate::script::record::text;
use crate::script::stage::Stage;
use crate::world::PeerNo;

/// What the script was answered since it last checked something.
#[derive(Default)]
pub(super) struct Answers {
    /// Somebody who is left out was asked, and whatever is checked may rest on that ...
    pub(super) void: bool,
    /// ... until somebody is asked again after something was checked.
    checked: bool,
    /// What somebody is who is left out was looked at, such as its state. That decides mostly whether
    /// anything is asked at all, so it counts for what was looked at within one condition only.
    glanced: bool,
    /// The latest answers, and the line that asked.
    line: u32,
    said: Vec<String>,
    /// The latest message that was expected and came, and the line.
    got: Option<(u32, String)>,
}

/// Characters of a message that the failure of a check shows.
const SHOWN: usize = 80;

impl Answers {
    /// Something is checked: gives what it may rest on.
    pub(super) fn check(&mut self) -> Self {
        let next = Self { void: self.void, checked: true, ..Self::default() };
        std::mem::replace(self, next)
    }

    /// Whether a condition rests on what somebody is, or says, who is left out.
    pub(super) fn is_void(&self) -> bool {
        self.void || self.glanced
    }

    /// Somebody answers.
    pub(super) fn come(&mut self) {
        self.void &= !std::mem::take(&mut self.checked);
    }

    /// What a check on this line rested on, for its failure to say: the peers that it asked for, and
    /// the message that was expected there or just above.
    pub(super) fn on(&self, line: u32) -> String {
        let got = self.got.as_ref().filter(|(at, _)| (line.saturating_sub(1)..=line).contains(at));
        let got = got.map(|(_, text)| format!("got \"{text}\""));
        let said = self.said.iter().filter(|_| self.line == line).cloned();
        let all: Vec<_> = said.chain(got).collect();
        if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
    }
}

impl Stage {
    /// Whether the script may do this, or this run leaves it out.
    pub(super) fn may(
        &mut self,
        spot: &Spot,
        kind: DeedKind,
        part: &str,
        line: impl FnOnce() -> String,
    ) -> bool {
        let auto = self.in_handler;
        // Nobody types what a handler does, so it is no line of a batch.
        self.deeds.may(spot, kind, part, || if auto { format!("# in a handler: {}", line()) } else { line() })
    }

    /// Whether a test is to be played.
    pub(super) fn may_test(&mut self, spot: &Spot, title: &str) -> bool {
        self.may(spot, DeedKind::Test, title, || format!("# test: {title}"))
    }

    /// Casts a peer, unless this run leaves it out.
    pub(super) fn cast_unless_left_out(
        &mut self,
        name: Name,
        spot: &Spot,
    ) -> Result<Option<PeerNo>, Failure> {
        // A batch casts whoever speaks; to say who one is does nothing else.
        if self.may(spot, DeedKind::Peer, name.as_str(), || format!("{name}> me")) {
            self.left_out.remove(&name);
            return self.cast(name, spot).map(Some);
        }
        self.left_out.insert(name);
        Ok(None)
    }

    /// Whether this run leaves out a peer of this name.
    pub(super) fn is_left_out(&self, name: Name) -> bool {
        self.left_out.contains(&name)
    }

    /// Whether this run leaves out any peer at all.
    pub(super) fn leaves_out_anybody(&self) -> bool {
        !self.left_out.is_empty()
    }

    /// Nobody is left out any more but who is so again.
    pub(super) fn left_out_none(&mut self) {
        self.left_out.clear();
    }

    /// A part of the script begins.
    pub(super) fn step(&mut self, spot: &Spot, title: &str) {
        let line = || format!("step {}", crate::api::words::quote_text(title));
        if self.may(spot, DeedKind::Step, title, line) {
            self.record(None, Ev::Step, |moment| {
                moment.line = Some(spot.line);
                moment.text = text(title);
            });
        }
    }

    /// The script asked somebody for a list of peers; this is the answer.
    pub(super) fn answered_peers(&mut self, spot: &Spot, asked: &str, peers: &[String]) {
        if self.answers.line != spot.line {
            self.answers.line = spot.line;
            self.answers.said.clear();
        }
        let ended = |name: &str| {
            let actor = self.scene.actors.iter().find(|actor| actor.name.as_str() == name)?;
            Some(if actor.ended? == Ev::Crash { " (crashed)" } else { " (has left)" })
        };
        // Whether one on the list is there at all is what people want to know next.
        let shown = peers.iter().map(|name| format!("{name}{}", ended(name).unwrap_or_default()));
        let shown = shown.collect::<Vec<_>>().join(", ");
        let shown = if shown.is_empty() { "nobody".to_owned() } else { shown };
        self.answers.said.push(format!("{asked}: {shown}"));
    }

    /// The script expected something, and this came.
    pub(super) fn answered_text(&mut self, spot: &Spot, words: &str) {
        let mut shown: String = words.chars().take(SHOWN).collect();
        if shown.len() < words.len() {
            shown.push('…');
        }
        self.answers.come();
        self.answers.got = Some((spot.line, crate::text::escape_display(&shown)));
    }

    /// Whether a line of the script is about somebody who is left out.
    pub(super) fn names_left_out(&self, spot: &Spot) -> bool {
        if self.left_out.is_empty() {
            return false;
        }
        let line = self.quote(spot).unwrap_or_default();
        let is_left_out = |word: &str| self.left_out.iter().any(|name| name.as_str() == word);
        line.split(|c: char| !c.is_alphanumeric() && c != '_').any(is_left_out)
    }

    /// The script looked at somebody who is left out.
    pub(super) fn not_seen(&mut self) {
        self.answers.glanced = true;
    }

    /// The script asked somebody who is left out.
    pub(super) fn not_answered(&mut self) {
        self.answers.come();
        self.answers.void = true;
    }
}

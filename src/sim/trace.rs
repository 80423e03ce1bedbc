//! What happened, as one ordered list, and a number that stands for all of it: two runs of one seed
//! have the same, to the byte. The list keeps the latest entries only; the number forgets nothing, and
//! is the same whether a list is kept or not.

use std::collections::VecDeque;
use std::fmt;

use crate::node::io::{Effect, Input};
use crate::node::record::Answer;
use crate::sim::digest;
use crate::sim::mix::Mix;
use crate::time::Mono;
use crate::world::{Entry, PeerNo};

/// Everything that happened.
pub(super) struct Trace {
    entries: VecDeque<Entry>,
    keep: usize,
    count: u64,
    hash: Mix,
}

/// Bytes as a trace shows them: how many, and a number for what they are.
struct Blob<'a>(&'a [u8]);

impl Trace {
    /// Keeps the latest `keep` entries.
    pub(super) fn new(keep: usize) -> Self {
        Self { entries: VecDeque::new(), keep, count: 0, hash: Mix::default() }
    }

    pub(super) fn keep(&mut self, keep: usize) {
        self.keep = keep;
        let over = self.entries.len().saturating_sub(keep);
        self.entries.drain(..over);
    }

    /// Adds something that is no input and no effect.
    pub(super) fn note(&mut self, at: Mono, who: Option<PeerNo>, what: fmt::Arguments<'_>) {
        let line = what.to_string();
        self.begin(at, who);
        self.hash.bytes(line.as_bytes());
        if self.keep > 0 {
            self.push(at, who, line);
        }
    }

    /// Adds what a node is told.
    pub(super) fn input(&mut self, at: Mono, who: PeerNo, input: &Input<'_>) {
        self.begin(at, Some(who));
        digest::input(&mut self.hash, input);
        if self.keep > 0 {
            self.push(at, Some(who), told(input));
        }
    }

    /// Adds what a node wishes.
    pub(super) fn effect(&mut self, at: Mono, who: PeerNo, effect: &Effect) {
        self.begin(at, Some(who));
        digest::effect(&mut self.hash, effect);
        if self.keep > 0 {
            self.push(at, Some(who), wished(effect));
        }
    }

    fn begin(&mut self, at: Mono, who: Option<PeerNo>) {
        self.count += 1;
        self.hash.add(at.0);
        self.hash.add(who.map_or(u64::MAX, |who| who.0 as u64));
    }

    fn push(&mut self, at: Mono, who: Option<PeerNo>, what: String) {
        if self.entries.len() >= self.keep {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, who, what });
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many lines there ever were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn digest(&self) -> u64 {
        self.hash.number()
    }
}

fn told(input: &Input<'_>) -> String {
    match input {
        Input::Tick => "> tick".to_owned(),
        Input::Command { request, command } => format!("> R{} {command:?}", request.0),
        Input::Opened { link, remote, local } => format!("> L{} opened {local} {remote}", link.number()),
        Input::Received { link, bytes } => format!("> L{} got {}", link.number(), Blob(bytes)),
        Input::Flushed { link, count } => format!("> L{} took {count}", link.number()),
        Input::Closed { link, why } => format!("> L{} closed {why:?}", link.number()),
        Input::Stored(Answer::Saved { save, known }) if known.is_empty() => format!("> S{} saved", save.0),
        Input::Stored(Answer::Saved { save, known }) => format!("> S{} saved, {} known", save.0, known.len()),
        Input::Stored(Answer::Unsaved { save, fault, .. }) => format!("> S{} not saved: {fault:?}", save.0),
        Input::Stored(Answer::Found { load, rows }) => {
            format!("> Q{} found {:?}", load.0, rows.as_ref().map(Vec::len))
        }
    }
}

fn wished(effect: &Effect) -> String {
    match effect {
        Effect::Dial { link, to } => format!("< L{} dial {to}", link.number()),
        Effect::Write { link, bytes } => format!("< L{} write {}", link.number(), Blob(bytes)),
        Effect::Finish { link } => format!("< L{} finish", link.number()),
        Effect::Close { link } => format!("< L{} close", link.number()),
        Effect::Cut { link } => format!("< L{} cut", link.number()),
        Effect::Pause { link, until } => format!("< L{} pause until {} us", link.number(), until.0),
        Effect::Save { save, records } => format!("< S{} save {} records", save.0, records.len()),
        Effect::Load { load, query } => format!("< Q{} {query:?}", load.0),
        Effect::Reply { request, result } => format!("< R{} {result:?}", request.0),
        Effect::Emit(event) => format!("< {:?} {:?}", event.at.wall, event.what),
    }
}

impl fmt::Display for Blob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut mix = Mix::default();
        mix.bytes(self.0);
        write!(f, "{} bytes #{:016x}", self.0.len(), mix.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(lines: &[(u64, Option<usize>, &str)]) -> Trace {
        let mut trace = Trace::new(2);
        for (at, who, line) in lines {
            trace.note(Mono(*at), who.map(PeerNo), format_args!("{line}"));
        }
        trace
    }

    #[test]
    fn the_list_is_bounded_and_the_number_is_not() {
        let all = trace(&[(1, None, "a"), (2, Some(0), "b"), (3, Some(1), "c")]);
        let kept: Vec<_> = all.entries().map(|entry| entry.what.as_str()).collect();
        assert_eq!((kept, all.count()), (vec!["b", "c"], 3));
        let others: [&[(u64, Option<usize>, &str)]; 4] = [
            &[(2, Some(0), "b"), (3, Some(1), "c")],
            &[(1, None, "a"), (2, Some(1), "b"), (3, Some(1), "c")],
            &[(1, None, "a"), (2, Some(0), "b"), (4, Some(1), "c")],
            &[(1, None, "a"), (3, Some(1), "c"), (2, Some(0), "b")],
        ];
        for other in others {
            assert_ne!(trace(other).digest(), all.digest(), "{other:?}");
        }
    }
}

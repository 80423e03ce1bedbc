//! Reducing a failing run: deeds are left out, peers first, then faults, then what is said, as long as
//! it still fails in the same place for the same reason (Zeller and Hildebrandt 2002, ddmin). What is
//! left is printed as a batch, with its picture.

use std::collections::BTreeSet;

use crate::cli::args::Flags;
use crate::cli::scripts::args::Script;
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::{Ends, Manner, play};
use crate::cli::scripts::sweep::{once, why};
use crate::play::Ev;
use crate::report::diagram;
use crate::script::deeds::{DeedId, DeedKind, Deeds};
use crate::script::{Outcome, Source};

/// How many runs it may take. What is found until then is shown.
const RUNS_MAX: u64 = 5_000;
/// Columns of the picture.
const COLUMNS: usize = 100;

/// Reduces the run of one seed, and prints what is left.
pub(super) fn shrink(source: &Source, script: &Script, seed: u64, ends: &Ends, flags: &Flags) {
    let whole = once(source, script, seed, ends);
    let Some(wanted) = why(&whole) else { return };
    let mut search =
        Search { source, script, seed, ends, wanted, best: whole, left_out: BTreeSet::new(), runs: 0 };
    let before = arrows(&search.best);
    search.reduce();
    if flags.json {
        drop(say(&crate::report::events::write(&search.best.play)));
        return;
    }
    drop(say(search.show(before).as_bytes()));
}

/// Messages that arrived, and links that came up: what a picture draws as arrows.
pub(super) fn arrows(outcome: &Outcome) -> usize {
    outcome.play.moments.iter().filter(|moment| matches!(moment.ev, Ev::Recv)).count()
}

struct Search<'a> {
    source: &'a Source,
    script: &'a Script,
    seed: u64,
    ends: &'a Ends,
    /// How it has to fail.
    wanted: String,
    /// The smallest run so far that fails so.
    best: Outcome,
    left_out: BTreeSet<DeedId>,
    runs: u64,
}

impl Search<'_> {
    /// Leaves out as much as can be left out.
    fn reduce(&mut self) {
        loop {
            let before = self.left_out.len();
            for kind in [DeedKind::Peer, DeedKind::Fault, DeedKind::Talk] {
                self.leave_out(kind);
            }
            if self.left_out.len() == before || self.is_over() {
                return;
            }
        }
    }

    fn is_over(&self) -> bool {
        self.runs >= RUNS_MAX || self.ends.stop.asked().is_some()
    }

    /// Leaves out deeds of one kind, in ever smaller parts.
    fn leave_out(&mut self, kind: DeedKind) {
        let mut part = self.of_kind(kind).len().div_ceil(2);
        while part > 0 {
            let mut at = 0;
            loop {
                let deeds = self.of_kind(kind);
                if at >= deeds.len() || self.is_over() {
                    break;
                }
                let some: Vec<_> = deeds.iter().skip(at).take(part).cloned().collect();
                if !self.fails_without(&some) {
                    at += part;
                }
            }
            if self.is_over() {
                return;
            }
            part = if part == 1 { 0 } else { part.div_ceil(2) };
        }
    }

    fn of_kind(&self, kind: DeedKind) -> Vec<DeedId> {
        self.best.deeds.done.iter().filter(|deed| deed.kind == kind).map(|deed| deed.id.clone()).collect()
    }

    /// Whether it fails as before without these too; then that is the best so far.
    fn fails_without(&mut self, some: &[DeedId]) -> bool {
        let mut left_out = self.left_out.clone();
        left_out.extend(some.iter().cloned());
        self.runs += 1;
        let manner = Manner {
            seed: self.seed,
            tcp: self.script.tcp,
            ends: self.ends.clone(),
            deeds: Deeds::without(left_out.clone()),
            ..Manner::default()
        };
        let outcome = play(self.source, manner);
        if why(&outcome).as_ref() != Some(&self.wanted) {
            return false;
        }
        (self.best, self.left_out) = (outcome, left_out);
        true
    }

    /// What is left, as a batch and as a picture.
    fn show(&self, before: usize) -> String {
        let name = crate::text::escape_display(&self.source.name);
        let (after, runs, seed) = (arrows(&self.best), self.runs, self.seed);
        let mut text = format!("\n# {name}, seed {seed}: {}\n", self.wanted);
        text.push_str(&format!("# reduced in {runs} runs from {before} arrows to {after}\n"));
        if self.source.name.ends_with(".rhai") {
            text.push_str(&format!("# its handlers and checks stay in {name}\n"));
        }
        for deed in &self.best.deeds.done {
            text.push_str(&deed.line);
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&diagram::write(&self.best.play, COLUMNS));
        text
    }
}

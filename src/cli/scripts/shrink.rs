//! Reducing a failing run: deeds are left out, peers first, then faults, then what is said, what is
//! expected and what is waited for, as long as it still fails in the same place for the same reason.
//! What is left is printed as a batch, with its picture. How parts are chosen stands in `ddmin`.

use std::collections::BTreeSet;

use crate::api::pattern::Pattern;
use crate::cli::args::Flags;
use crate::cli::scripts::args::Script;
use crate::cli::scripts::ddmin::{Failing, reduce};
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::{Ends, Manner, play};
use crate::cli::scripts::sweep::{once, why};
use crate::play::{Ev, Moment};
use crate::report::diagram;
use crate::script::deeds::{Deed, DeedId, DeedKind, Deeds};
use crate::script::{Outcome, Source, Watch};
use crate::text::{Untrusted, escape_display};

/// How many runs it may take. What is found until then is shown.
const RUNS_MAX: u64 = 5_000;
/// Columns of the picture, and rows; of a longer one, which is a storm, both ends are shown.
const COLUMNS: usize = 100;
const ROWS: usize = 80;

/// Reduces the run of one seed, prints what is left, and gives it.
pub(super) fn shrink(source: &Source, script: &Script, seed: u64, ends: &Ends, flags: &Flags) -> Outcome {
    let whole = once(source, script, seed, ends);
    let Some(wanted) = Failure::of(&whole) else { return whole };
    let before = arrows(&whole);
    let mut search =
        Search { source, script, seed, ends, wanted, best: whole, left_out: BTreeSet::new(), runs: 0 };
    reduce(&mut search, &DeedKind::ALL);
    if flags.json {
        drop(say(&crate::report::events::write(&search.best.play)));
    } else {
        drop(say(search.show(before).as_bytes()));
    }
    search.best
}

/// Messages that arrived: what a picture draws as arrows.
fn arrows(outcome: &Outcome) -> usize {
    outcome.play.moments.iter().filter(|moment| moment.ev == Ev::Recv).count()
}

/// How a run failed.
#[derive(PartialEq)]
struct Failure {
    /// Where, and in what words.
    why: String,
    /// Somebody had said what was expected. Without this a message that got lost would be reduced
    /// to one that nobody ever sent.
    was_said: bool,
}

impl Failure {
    fn of(outcome: &Outcome) -> Option<Self> {
        Some(Self { why: why(outcome)?, was_said: was_said(&outcome.play.moments) })
    }
}

/// Whether what the first failed expectation waited for had been said.
fn was_said(moments: &[Moment]) -> bool {
    let Some(failed) = moments.iter().find(|moment| moment.ev == Ev::ExpectFail) else { return false };
    let expected = failed.more.as_ref().and_then(|more| more.expected.as_ref());
    let Some(Ok(pattern)) = expected.map(|expected| expected.expose().parse::<Pattern>()) else {
        return false;
    };
    moments.iter().filter(|moment| matches!(moment.ev, Ev::Send | Ev::Queued)).any(|sent| {
        let to_it = sent.with.is_none() || sent.with == failed.peer;
        let by_it = failed.with.is_none() || sent.peer == failed.with;
        to_it && by_it && sent.text.as_ref().map(Untrusted::expose).is_some_and(|text| pattern.matches(text))
    })
}

struct Search<'a> {
    source: &'a Source,
    script: &'a Script,
    seed: u64,
    ends: &'a Ends,
    /// How it has to fail.
    wanted: Failure,
    /// The smallest run so far that fails so.
    best: Outcome,
    left_out: BTreeSet<DeedId>,
    runs: u64,
}

impl Failing for Search<'_> {
    type Kind = DeedKind;
    type Part = DeedId;

    fn parts(&self, kind: Option<DeedKind>) -> Vec<DeedId> {
        let of_kind = |deed: &&Deed| kind.is_none_or(|kind| deed.kind == kind);
        loose(&self.best.deeds.done).into_iter().filter(of_kind).map(|deed| deed.id.clone()).collect()
    }

    fn fails_without(&mut self, some: &[DeedId]) -> bool {
        let mut left_out = self.left_out.clone();
        left_out.extend(some.iter().cloned());
        self.runs += 1;
        // What is less makes no more messages arrive; a storm without its check would have no end.
        let ends = Ends::default();
        let (own, whole, most) = (ends.clone(), self.ends.clone(), arrows(&self.best));
        let mut arrived = 0;
        let watch: Watch = Box::new(move |_, moment| {
            arrived += usize::from(moment.ev == Ev::Recv);
            if arrived > most || whole.stop.asked().is_some() {
                own.stop.interrupt();
            }
        });
        let manner = Manner {
            seed: self.seed,
            tcp: self.script.tcp,
            deeds: Deeds::without(left_out.clone()),
            watch: Some(watch),
            ends,
            ..Manner::default()
        };
        let outcome = play(self.source, manner);
        if Failure::of(&outcome).as_ref() != Some(&self.wanted) || self.does_more(&outcome) {
            return false;
        }
        (self.best, self.left_out) = (outcome, left_out);
        true
    }

    fn is_over(&self) -> bool {
        self.runs >= RUNS_MAX || self.ends.stop.asked().is_some()
    }
}

impl Search<'_> {
    /// Whether a run does what the best so far does not: it went on where that one failed, and fails
    /// so for another reason. Or whoever was to hear something else, or nothing, hears what another
    /// expectation is no longer there to take.
    fn does_more(&self, outcome: &Outcome) -> bool {
        let failed = outcome.play.moments.iter().find(|moment| moment.ev == Ev::ExpectFail);
        if failed.and_then(|failed| failed.peer).is_some_and(|who| outcome.deeds.untaken.contains(&who)) {
            return true;
        }
        let known: BTreeSet<_> = self.best.deeds.done.iter().map(|deed| &deed.id).collect();
        outcome.deeds.done.iter().any(|deed| !known.contains(&deed.id))
    }

    /// What is left, as a batch and as a picture.
    fn show(&self, before: usize) -> String {
        let name = escape_display(&self.source.name);
        let (after, runs, seed) = (arrows(&self.best), self.runs, self.seed);
        let mut text = format!("\n# {name}, seed {seed}, reduced in {runs} runs");
        text.push_str(&format!(" from {before} messages that arrived to {after}; it still fails so:\n"));
        text.push_str(&format!("# {}\n", self.wanted.why));
        for line in lines(&self.best.deeds.done) {
            text.push_str(&escape_display(line));
            text.push('\n');
        }
        text.push('\n');
        let picture = diagram::write(&self.best.play, COLUMNS);
        let rows: Vec<_> = picture.lines().collect();
        let (above, below) = if rows.len() > ROWS { (ROWS / 2, rows.len() - ROWS / 2) } else { (0, 0) };
        for (at, row) in rows.iter().enumerate().filter(|(at, _)| !(above + 1..below).contains(at)) {
            if above > 0 && at == above {
                text.push_str(&format!("   ({} rows more)\n", below - above));
            } else {
                text.push_str(row);
                text.push('\n');
            }
        }
        text
    }
}

/// The deeds that may be left out: not the one that failed, as then it would fail elsewhere or not at
/// all; nor what a check, which itself waits for nothing, came after with the time that it took.
fn loose(done: &[Deed]) -> Vec<&Deed> {
    let Some((last, before)) = done.split_last().filter(|(last, _)| last.kind == DeedKind::Expect) else {
        return done.iter().collect();
    };
    let is_look = |deed: &Deed| deed.kind == DeedKind::Step || deed.line.starts_with('#');
    let waits = |deed: &Deed| matches!(deed.kind, DeedKind::Pause | DeedKind::Expect);
    let nearest = before.iter().rposition(|deed| !is_look(deed));
    let waited = nearest.filter(|&at| last.line.starts_with("# check") && waits(&before[at]));
    before.iter().enumerate().filter(|(at, _)| Some(*at) != waited).map(|(_, deed)| deed).collect()
}

/// The lines that do what was done. Whoever says anything is cast by that.
fn lines(done: &[Deed]) -> impl Iterator<Item = &str> {
    let speaks = |line: &str| {
        done.iter().any(|deed| deed.kind != DeedKind::Peer && speaker(&deed.line) == speaker(line))
    };
    done.iter().filter(move |deed| deed.kind != DeedKind::Peer || !speaks(&deed.line)).map(|deed| &*deed.line)
}

fn speaker(line: &str) -> Option<&str> {
    line.split_once("> ").map(|(name, _)| name).filter(|name| !name.contains(' '))
}

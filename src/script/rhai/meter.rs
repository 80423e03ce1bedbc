//! Counts what a script computes, and ends one that only computes. A script that is run may go on as
//! long as time passes in it; a line at a prompt, and each handler that it left behind, has a bound
//! of operations and of time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::limits;
use crate::script::error::Failure;
use crate::script::stop::{Halt, Stop};
use crate::time::Mono;

/// What one line at a prompt may compute, or one handler.
#[derive(Clone)]
pub struct Pace {
    /// Operations.
    pub operations: u64,
    /// Time, but for what is spent waiting for others.
    pub time: Duration,
    /// Tells the time.
    pub clock: fn() -> Mono,
}

/// Counts what a script computes.
pub(super) struct Meter {
    stop: Stop,
    progress: Rc<Cell<u64>>,
    pace: Option<Pace>,
    spent: Cell<Spent>,
}

/// What was spent, by whoever is computing now.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    /// The stage's progress when it was last looked at.
    seen: u64,
    /// The engine's count when this began to count, and the latest.
    base: Option<u64>,
    last: u64,
    /// What verbs have cost.
    extra: u64,
    since: Mono,
}

/// Operations between two looks at the clock.
const LOOK: u64 = 64;

impl Meter {
    pub(super) fn new(stop: Stop, progress: Rc<Cell<u64>>, pace: Option<Pace>) -> Self {
        Self { stop, progress, pace, spent: Cell::default() }
    }

    /// Whether each line and handler has a bound of its own.
    pub(super) fn is_paced(&self) -> bool {
        self.pace.is_some()
    }

    /// A line or a handler begins; gives what [`Self::end`] wants back.
    pub(super) fn begin(&self) -> Spent {
        match &self.pace {
            None => self.spent.get(),
            Some(pace) => self.spent.replace(Spent { since: (pace.clock)(), ..Spent::default() }),
        }
    }

    /// It has ended. Whoever was computing before is not charged for it.
    pub(super) fn end(&self, before: Spent) {
        if self.pace.is_none() {
            return;
        }
        let spent = self.spent.get();
        let inner = spent.base.map_or(0, |base| spent.last.saturating_sub(base));
        let base = before.base.map(|base| base.saturating_add(inner));
        self.spent.set(Spent { base, ..before });
    }

    /// A verb was called.
    pub(super) fn charge(&self) {
        let spent = self.spent.get();
        self.spent.set(Spent { extra: spent.extra.saturating_add(limits::SCRIPT_VERB_COST), ..spent });
    }

    /// The time, before a verb that may wait; see [`Self::waited`].
    pub(super) fn time(&self) -> Mono {
        self.pace.as_ref().map_or(Mono::default(), |pace| (pace.clock)())
    }

    /// What a verb took is not computing.
    pub(super) fn waited(&self, from: Mono) {
        if let Some(pace) = &self.pace {
            let spent = self.spent.get();
            let since = spent.since.plus((pace.clock)().since(from));
            self.spent.set(Spent { since, ..spent });
        }
    }

    /// Looks whether the script may go on after so many operations; if not, why.
    pub(super) fn look(&self, operations: u64) -> Option<Failure> {
        match self.stop.asked() {
            Some(Halt::Interrupted) => return Some(Failure::Interrupted),
            Some(Halt::TimedOut) => return Some(Failure::TimedOut),
            None => {}
        }
        let mut spent = self.spent.get();
        spent.last = operations;
        let progress = self.progress.get();
        if self.pace.is_none() && spent.seen != progress {
            (spent.seen, spent.base, spent.extra) = (progress, Some(operations), 0);
        }
        let base = *spent.base.get_or_insert(operations.saturating_sub(1));
        self.spent.set(spent);
        let all = operations.saturating_sub(base).saturating_add(spent.extra);
        match &self.pace {
            None => (all > limits::SCRIPT_IDLE_MAX).then(endless),
            Some(pace) if all > pace.operations => {
                let words = format!(
                    "more than the {} operations that a line or a handler at a prompt may have; put it in a \
                     file, and: run FILE",
                    pace.operations
                );
                Some(Failure::Bound(words))
            }
            Some(pace)
                if operations.is_multiple_of(LOOK) && (pace.clock)().since(spent.since) > pace.time =>
            {
                let most = crate::api::command::show(pace.time);
                let words = format!(
                    "it computes for longer than the {most} that a line or a handler at a prompt may take; \
                     put it in a file, and: run FILE"
                );
                Some(Failure::Bound(words))
            }
            Some(_) => None,
        }
    }
}

fn endless() -> Failure {
    Failure::Bound(format!(
        "the script computes without end: {} operations in which no time passed and nothing was asked of a peer",
        limits::SCRIPT_IDLE_MAX
    ))
}

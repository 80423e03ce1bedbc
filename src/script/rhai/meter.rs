//! Counts what a script computes, and ends one that only computes. A script that is run may go on as
//! long as time passes in it; a line at a prompt, and each handler that it left behind, has a bound
//! of operations and of time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::limits;
use crate::script::error::Failure;
use crate::script::stage::Effort;
use crate::script::stop::{Halt, Stop};

/// What one line at a prompt may compute, or one handler.
#[derive(Clone)]
pub struct Pace {
    /// Operations.
    pub operations: u64,
    /// Computing, but for what verbs take.
    pub time: Duration,
}

/// Counts what a script computes.
pub(super) struct Meter {
    stop: Stop,
    progress: Rc<Cell<u64>>,
    effort: Effort,
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
    /// Operations when the effort was last looked at, and the effort when this began to count.
    looked: u64,
    since: Option<Duration>,
}

/// Operations between two looks at how long they took.
const LOOK: u64 = 512;

impl Meter {
    pub(super) fn new(stop: Stop, progress: Rc<Cell<u64>>, effort: Effort, pace: Option<Pace>) -> Self {
        Self { stop, progress, effort, pace, spent: Cell::default() }
    }

    /// Whether each line and handler has a bound of its own.
    pub(super) fn is_paced(&self) -> bool {
        self.pace.is_some()
    }

    /// A line or a handler begins; gives what [`Self::end`] wants back.
    pub(super) fn begin(&self) -> Spent {
        match &self.pace {
            None => self.spent.get(),
            Some(_) => self.spent.take(),
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

    /// The effort before a verb; see [`Self::done`].
    pub(super) fn effort(&self) -> Duration {
        if self.is_paced() { (self.effort)() } else { Duration::ZERO }
    }

    /// What the verb took, with the handlers that were called meanwhile, is not the line's own.
    pub(super) fn done(&self, before: Duration) {
        let spent = self.spent.get();
        if let (true, Some(since)) = (self.is_paced(), spent.since) {
            let since = since.saturating_add((self.effort)().saturating_sub(before));
            self.spent.set(Spent { since: Some(since), ..spent });
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
        let progress = self.progress.get();
        if self.pace.is_none() && spent.seen != progress {
            let (seen, base) = (progress, Some(operations));
            spent = Spent { seen, base, looked: operations, ..Spent::default() };
        }
        spent.last = operations;
        let base = *spent.base.get_or_insert(operations.saturating_sub(1));
        let most = self.pace.as_ref().map_or(limits::SCRIPT_IDLE_MAX, |pace| pace.operations);
        let all = operations.saturating_sub(base).saturating_add(spent.extra);
        let mut failure = (all > most).then(|| self.too_many(most));
        // A handler's operations may be counted anew.
        if operations.abs_diff(spent.looked) >= LOOK {
            spent.looked = operations;
            let effort = (self.effort)();
            let since = *spent.since.get_or_insert(effort);
            let most = self.pace.as_ref().map_or(limits::SCRIPT_IDLE_TIME, |pace| pace.time);
            if effort.saturating_sub(since) > most {
                failure = failure.or_else(|| Some(self.too_long(most)));
            }
        }
        self.spent.set(spent);
        failure
    }

    fn too_many(&self, most: u64) -> Failure {
        Failure::Bound(match self.pace {
            None => format!(
                "the script computes without end: {most} operations in which no time passed and nothing was sent"
            ),
            Some(_) => format!(
                "it takes more than the {most} operations that a line or a handler at a prompt may have; {REMEDY}"
            ),
        })
    }

    fn too_long(&self, most: Duration) -> Failure {
        let most = crate::api::command::show(most);
        Failure::Bound(match self.pace {
            None => format!(
                "the script computes without end: {most} in which nothing was sent and no time passed in its world"
            ),
            Some(_) => {
                format!("it takes longer than the {most} that a line or a handler at a prompt may; {REMEDY}")
            }
        })
    }
}

/// Where there is room for more.
const REMEDY: &str = "a file may: run FILE";

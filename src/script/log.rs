//! The list of what happened, as it grows. Each moment is final once it is on the list, and whoever
//! watches is told of it then. Bounded: a script that says too much ends, and of one that never ends
//! only the latest is kept.

use crate::limits::MOMENTS_MAX;
use crate::play::{Ev, Head, Moment, Play};
use crate::script::error::Failure;

/// Is told every moment as it happens, with its number.
pub type Watch = Box<dyn FnMut(u64, &Moment)>;

/// The list of a run.
pub(super) struct Log {
    play: Play,
    watch: Option<Watch>,
    full: bool,
    /// Moments that were forgotten, and how many of the latest are kept, if any are to be forgotten.
    before: u64,
    keep: Option<usize>,
}

impl Log {
    pub(super) fn new(head: Head, watch: Option<Watch>) -> Self {
        Self {
            play: Play { head, moments: Vec::new(), end: None },
            watch,
            full: false,
            before: 0,
            keep: None,
        }
    }

    /// Adds a moment; gives its number.
    pub(super) fn push(&mut self, moment: Moment) -> u64 {
        let number = self.before + self.play.moments.len() as u64;
        if let Some(keep) = self.keep.filter(|keep| self.play.moments.len() >= 2 * keep) {
            self.play.moments.drain(..keep);
            self.before += keep as u64;
        }
        if self.play.moments.len() >= MOMENTS_MAX && !matches!(moment.ev, Ev::ExpectFail | Ev::Test) {
            self.full = true;
            return number.saturating_sub(1);
        }
        if let Some(watch) = &mut self.watch {
            watch(number, &moment);
        }
        self.play.moments.push(moment);
        number
    }

    /// What came behind so many is forgotten. Whoever watched has seen it.
    pub(super) fn forget(&mut self, from: u64) {
        let from = usize::try_from(from.saturating_sub(self.before)).unwrap_or(usize::MAX);
        self.play.moments.truncate(from);
    }

    /// All of it so far.
    pub(super) fn play(&self) -> &Play {
        &self.play
    }

    /// From now on only the latest are kept, at least so many.
    pub(super) fn keep(&mut self, latest: usize) {
        self.keep = Some(latest.max(1));
    }

    /// Whether there is room for more.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.full {
            return Err(Failure::Bound(format!(
                "more happened than the {MOMENTS_MAX} moments that a run may have"
            )));
        }
        Ok(())
    }

    pub(super) fn head(&self) -> &Head {
        &self.play.head
    }

    /// How many moments there ever were.
    pub(super) fn count(&self) -> u64 {
        self.before + self.play.moments.len() as u64
    }

    pub(super) fn get(&self, number: u64) -> Option<&Moment> {
        self.play.moments.get(usize::try_from(number.checked_sub(self.before)?).ok()?)
    }

    /// All of it; nothing is left.
    pub(super) fn take(&mut self) -> Play {
        let head = self.play.head.clone();
        std::mem::replace(&mut self.play, Play { head, moments: Vec::new(), end: None })
    }
}

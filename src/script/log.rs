//! The list of what happened, as it grows. Each moment is final once it is on the list, and whoever
//! watches is told of it then. Bounded: a script that says too much ends.

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
}

impl Log {
    pub(super) fn new(head: Head, watch: Option<Watch>) -> Self {
        Self { play: Play { head, moments: Vec::new(), end: None }, watch, full: false }
    }

    /// Adds a moment; gives its number.
    pub(super) fn push(&mut self, moment: Moment) -> u64 {
        let number = self.play.moments.len() as u64;
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

    /// How many moments there are.
    pub(super) fn count(&self) -> usize {
        self.play.moments.len()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Moment> {
        self.play.moments.get(usize::try_from(number).ok()?)
    }

    /// All of it; nothing is left.
    pub(super) fn take(&mut self) -> Play {
        let head = self.play.head.clone();
        std::mem::replace(&mut self.play, Play { head, moments: Vec::new(), end: None })
    }
}

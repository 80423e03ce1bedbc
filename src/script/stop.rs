//! The wish that a script end now, from another thread: a person's, or a clock's. Whoever plays the
//! script looks at it between two steps; a world that is waiting meanwhile is woken by its bell.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::session::Bell;

/// Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Stop(Arc<Asked>);

#[derive(Default)]
struct Asked {
    halt: AtomicU8,
    /// Of the script's own world, and of the latest test's: either may be the one that waits.
    bells: Mutex<(Option<Bell>, Option<Bell>)>,
}

/// Why a script is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Somebody interrupted it.
    Interrupted,
    /// It has had its time.
    TimedOut,
}

impl Stop {
    /// Somebody wants it to end.
    pub fn interrupt(&self) {
        self.0.halt.store(1, Ordering::Release);
        self.ring();
    }

    /// Its time is over.
    pub fn time_out(&self) {
        self.0.halt.store(2, Ordering::Release);
        self.ring();
    }

    /// Whether it is to end.
    pub fn asked(&self) -> Option<Halt> {
        match self.0.halt.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Halt::Interrupted),
            _ => Some(Halt::TimedOut),
        }
    }

    /// What was to end has ended; what comes next may go on.
    pub fn clear(&self) {
        self.0.halt.store(0, Ordering::Release);
    }

    /// A world was made; this wakes it.
    pub fn wakes(&self, bell: Bell) {
        {
            let mut bells = self.0.bells.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *bells {
                (own @ None, _) => *own = Some(bell),
                (Some(_), latest) => *latest = Some(bell),
            }
        }
        // It may have been asked for while there was nobody to wake.
        if self.asked().is_some() {
            self.ring();
        }
    }

    /// Ends whatever wait is under way, or the next one.
    pub fn ring(&self) {
        let (own, latest) = self.0.bells.lock().unwrap_or_else(PoisonError::into_inner).clone();
        [own, latest].into_iter().flatten().for_each(|bell| bell.ring());
    }

    /// A run begins: the worlds of one before it need no waking.
    pub(super) fn begin(&self) {
        *self.0.bells.lock().unwrap_or_else(PoisonError::into_inner) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn the_world_around_the_tests_is_woken_too() {
        let stop = Stop::default();
        let rung: Vec<_> = (0..3).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        for count in &rung {
            let count = Arc::clone(count);
            stop.wakes(Bell::new(move || {
                count.fetch_add(1, Ordering::Relaxed);
            }));
        }
        stop.interrupt();
        let rung: Vec<_> = rung.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        // The script's own world, and the test's that is under way, but none that is over.
        assert_eq!(rung, [1, 0, 1]);
        assert_eq!(stop.asked(), Some(Halt::Interrupted));
    }
}

//! The wish that a script end now, from another thread: a person's, or a clock's. Whoever plays the
//! script looks at it between two steps; nothing here wakes anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicU8>);

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
        self.0.store(1, Ordering::Release);
    }

    /// Its time is over.
    pub fn time_out(&self) {
        self.0.store(2, Ordering::Release);
    }

    /// Whether it is to end.
    pub fn asked(&self) -> Option<Halt> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Halt::Interrupted),
            _ => Some(Halt::TimedOut),
        }
    }
}

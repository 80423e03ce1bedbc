//! The only place that asks the system what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Mono, Now, Wall};

/// Time since it was made, and the date.
pub(super) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now() }
    }

    pub(super) fn now(&self) -> Now {
        let mono = Mono::default().plus(self.origin.elapsed());
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Now { mono, wall: Wall(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)) }
    }
}

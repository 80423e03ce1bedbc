//! The only place that asks the system what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Mono, Now, Wall};

/// The date, in microseconds since 1970, for a report that says when it was made.
pub fn wall() -> Wall {
    Wall(micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)))
}

/// Time since it was made, and the date. The date is asked for once a turn and then goes on with
/// the time, because a front end may give a million commands a second.
pub(super) struct Clock {
    origin: Instant,
    /// What the date was when the time began, if neither had jumped since.
    epoch: i64,
}

impl Clock {
    pub(super) fn new() -> Self {
        let mut clock = Self { origin: Instant::now(), epoch: 0 };
        clock.set();
        clock
    }

    /// Looks at the date again.
    pub(super) fn set(&mut self) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let passed = self.origin.elapsed();
        self.epoch = micros(since).saturating_sub(micros(passed));
    }

    pub(super) fn now(&self) -> Now {
        let passed = self.origin.elapsed();
        let wall = Wall(self.epoch.saturating_add(micros(passed)));
        Now { mono: Mono::default().plus(passed), wall }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

//! A token bucket: so many at once, then one more every so often. It remembers one time, that at which
//! it will be full, so that nothing is rounded and nothing need be refilled (the generic cell rate
//! algorithm, ITU-T I.371).

use crate::limits::doors::Rate;
use crate::time::Mono;

/// How much of a rate is used up. A new one is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    full: Mono,
}

impl Bucket {
    /// Whether one more may pass now; if so, it has.
    pub fn take(&mut self, rate: Rate, now: Mono) -> bool {
        let passes = self.has(rate, now);
        if passes {
            self.full = self.full.max(now).plus(rate.every);
        }
        passes
    }

    /// Whether one more may pass now.
    pub fn has(&self, rate: Rate, now: Mono) -> bool {
        self.next(rate, now) <= now
    }

    /// When one more may pass, which may be now.
    pub fn next(&self, rate: Rate, now: Mono) -> Mono {
        // One may pass as soon as what is used up leaves room for it.
        let room = rate.every.saturating_mul(rate.burst.max(1) - 1);
        let (full, room) = (self.full.max(now), u64::try_from(room.as_micros()).unwrap_or(u64::MAX));
        Mono(full.0.saturating_sub(room)).max(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, proptest};
    use std::time::Duration;

    use super::*;

    /// How many of requests at these times pass.
    fn passed(rate: Rate, times: &[u64]) -> Vec<u64> {
        let mut bucket = Bucket::default();
        times.iter().copied().filter(|at| bucket.take(rate, Mono(*at))).collect()
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate(
            every in 1_u64..2_000_000,
            burst in 1_u32..50,
            gaps in proptest::collection::vec(0_u64..3_000_000, 1..400),
        ) {
            let rate = Rate { every: Duration::from_micros(every), burst };
            let times: Vec<u64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let passed = passed(rate, &times);
            // In no span at all, not only from the beginning.
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let most = f64::from(burst) + (to - from) as f64 / every as f64;
                    prop_assert!((last - first + 1) as f64 <= most + 1e-9);
                }
            }
        }

        #[test]
        fn never_fewer_than_that_minus_one(
            gap in 500_u64..2_000_000,
            asks in 1_u64..8,
            burst in 1_u32..50,
            turns in 1_u64..2_000,
        ) {
            // Whoever asks whenever one more may pass, and in between, and never rests.
            let every = gap * asks;
            let rate = Rate { every: Duration::from_micros(every), burst };
            let mut times: Vec<u64> = vec![0; burst as usize * 2];
            times.extend((0..=turns).map(|turn| turn * gap));
            let passed = passed(rate, &times).len() as f64;
            let most = f64::from(burst) + (turns * gap) as f64 / every as f64;
            prop_assert!(passed <= most + 1e-9 && passed >= most - 1.0, "{passed} of {most}");
        }

        #[test]
        fn it_says_when_the_next_may_pass(every in 1_u64..2_000_000, burst in 1_u32..50, used in 0_u32..100, at in 0_u64..9_000_000) {
            let rate = Rate { every: Duration::from_micros(every), burst };
            let mut bucket = Bucket::default();
            for _ in 0..used {
                bucket.take(rate, Mono(at));
            }
            let next = bucket.next(rate, Mono(at));
            if next > Mono(at) {
                prop_assert!(!bucket.clone().take(rate, Mono(next.0 - 1)));
            }
            prop_assert!(bucket.take(rate, next));
        }
    }

    #[test]
    fn fractions_of_a_second_count() {
        let rate = Rate { every: Duration::from_millis(200), burst: 2 };
        let mut bucket = Bucket::default();
        let mut at = |ms: u64| bucket.take(rate, Mono(ms * 1_000));
        assert_eq!(
            [at(0), at(0), at(0), at(199), at(200), at(399), at(400)],
            [true, true, false, false, true, false, true]
        );
    }

    #[test]
    fn the_end_of_time_is_no_trap() {
        let rate = Rate { every: Duration::from_secs(u64::MAX / 2_000_000), burst: u32::MAX };
        let mut bucket = Bucket { full: Mono(u64::MAX) };
        assert!(bucket.take(rate, Mono(u64::MAX)));
        assert!(Bucket::default().take(rate, Mono(0)));
    }
}

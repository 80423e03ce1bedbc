//! The hunt for mistakes that were made on purpose (`planted`): seed after seed, until one breaks a
//! promise. Only in a build for tests.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::planted;
use crate::sim::MakeMedium;
use crate::sim::proof::{self, Course, Violation};

/// Where a mistake was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The first seed that finds it.
    pub seed: u64,
    /// What it breaks: one of the invariants, or `panic`.
    pub rule: &'static str,
}

/// The first of these seeds that finds what is called so, and finds nothing without it; none if none
/// does.
///
/// # Panics
/// Nothing is called so.
pub fn find(mutant: &str, seeds: Range<u64>) -> Option<Found> {
    find_by(|seed| proof::run(seed, 0), mutant, seeds)
}

/// The same where disks stand on these.
///
/// # Panics
/// Nothing is called so.
pub fn find_on(medium: MakeMedium, mutant: &str, seeds: Range<u64>) -> Option<Found> {
    find_by(|seed| proof::run_on(medium, seed, 0), mutant, seeds)
}

fn find_by(
    run: impl Fn(u64) -> Result<Course, Box<Violation>>,
    mutant: &str,
    mut seeds: Range<u64>,
) -> Option<Found> {
    let is_well = |found: &Found| run(found.seed).is_ok();
    seeds.find_map(|seed| {
        // A program that stops where it should not has been found as well.
        let played = catch_unwind(AssertUnwindSafe(|| planted::with(mutant, || run(seed))));
        let found = match played {
            Ok(Ok(_)) => None,
            Ok(Err(violation)) => Some(Found { seed, rule: violation.rule }),
            Err(_) => Some(Found { seed, rule: "panic" }),
        };
        found.filter(is_well)
    })
}

//! What the store on a disk promises: that records mean there what they mean everywhere, that what was
//! reported as saved survives, and that a folder or a file which cannot be trusted is refused.

mod damage;
#[allow(dead_code, reason = "the proof does more with it")]
mod disk;
mod folders;
mod power_cuts;
mod same_meaning;
mod script;
mod threads;

use hobnob::store::sqlite::OpenError;
use hobnob::store::{Sqlite, Store};
use std::path::Path;

/// A store in `folder` that wakes nobody.
fn open(folder: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(folder, Box::new(|| {}))
}

/// The next answer, waited for.
fn answer(store: &mut impl Store) -> hobnob::node::record::Answer {
    for _ in 0..10_000 {
        if let Some(answer) = store.answer() {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("no answer within 10 s");
}

/// Plays so many seeds, or what `HOBNOB_SEEDS` says; `HOBNOB_SEED` plays that one again.
#[expect(clippy::print_stderr, reason = "whoever runs the tests should know how to see it again")]
fn each_seed(seeds: u64, play: fn(u64)) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HOBNOB_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HOBNOB_SEEDS").unwrap_or(seeds),
    };
    for seed in seeds {
        if let Err(why) = std::panic::catch_unwind(|| play(seed)) {
            eprintln!("replay with HOBNOB_SEED={seed}");
            std::panic::resume_unwind(why);
        }
    }
}

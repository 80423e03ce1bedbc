//! The proof, as much of it as each run of the tests has time for. The long run is examples/assure.rs;
//! what its seeds have found stands as tests of its own in delivery and in keys.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use hobnob::sim::proof::{self, Course, Violation};

use crate::sqlite_disk;

const SEEDS: u64 = 500;
/// Each of so many plays on SQLite as well.
const SHARE: u64 = 5;

type Played = Result<Course, Box<Violation>>;

fn on_memory(seed: u64) -> Played {
    proof::run(seed, 40)
}

fn on_sqlite(seed: u64) -> Played {
    proof::run_on(sqlite_disk::make, seed, 40)
}

/// Plays each of these, on two threads; shows the first that fails with the command that plays it again.
fn play(run: fn(u64) -> Played, flags: &str, seeds: &[u64]) {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None::<String>));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while failed.lock().expect("sound").is_none() {
                    let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).expect("few");
                    let Some(&seed) = seeds.get(at) else { return };
                    if let Err(violation) = run(seed) {
                        let seeds = format!("{flags}--seeds {seed}..{}", seed + 1);
                        let again = format!("cargo run --example assure -- {seeds}");
                        *failed.lock().expect("sound") = Some(format!("{again}\n{violation}"));
                    }
                }
            });
        }
    });
    if let Some(text) = failed.into_inner().expect("sound") {
        panic!("{text}");
    }
}

#[test]
fn five_hundred_seeds_keep_every_promise() {
    play(on_memory, "", &(0..SEEDS).collect::<Vec<_>>());
}

#[test]
fn a_share_of_the_seeds_keeps_every_promise_on_sqlite_through_power_cuts() {
    play(on_sqlite, "--sqlite ", &(0..SEEDS).filter(|seed| seed % SHARE == 2).collect::<Vec<_>>());
}

#[test]
fn one_seed_is_one_course_of_things_on_sqlite() {
    for seed in [11, 250] {
        assert_eq!(on_sqlite(seed).expect("kept"), on_sqlite(seed).expect("kept"));
    }
}

#[test]
fn one_seed_is_one_course_of_things() {
    for seed in [7, 11, 100, 250] {
        assert_eq!(proof::run(seed, 0).expect("kept"), proof::run(seed, 0).expect("kept"));
    }
}

#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    // A message that waited for a full disk was said to be for nobody when its peer's key was replaced
    // meanwhile, and arrived.
    play(on_memory, "", &[9_685]);
}

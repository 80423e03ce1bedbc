//! The proof, as much of it as each run of the tests has time for. The long run is examples/assure.rs;
//! what its seeds have found stands as tests of its own in delivery and in keys.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use hobnob::sim::proof;

const SEEDS: u64 = 500;

/// Plays each of these, on two threads; shows the first that fails with the command that plays it again.
fn play(seeds: &[u64]) {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None::<String>));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while failed.lock().expect("sound").is_none() {
                    let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).expect("few");
                    let Some(&seed) = seeds.get(at) else { return };
                    if let Err(violation) = proof::run(seed, 40) {
                        let again = format!("cargo run --example assure -- --seeds {seed}..{}", seed + 1);
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
    play(&(0..SEEDS).collect::<Vec<_>>());
}

#[test]
fn one_seed_is_one_course_of_things() {
    for seed in [7, 11, 100, 250] {
        assert_eq!(proof::run(seed, 0).expect("kept"), proof::run(seed, 0).expect("kept"));
    }
}

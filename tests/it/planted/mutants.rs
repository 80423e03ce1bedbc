//! The proof finds mistakes: thirty of them in the code of delivery and trust, and four in the store on a
//! disk, each of which somebody could have made, and each found by a seed that has nothing to say against
//! the healthy program.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hobnob::planted::{DISK_MUTANTS, MUTANTS};
use hobnob::sim::proof::hunt;

use crate::sqlite_disk;

/// Each must be found with so many, from the first; most are with a few dozen.
const SEEDS: u64 = 10_000;

#[test]
fn the_proof_finds_each_of_thirty_mistakes() {
    assert_eq!(MUTANTS.iter().collect::<BTreeSet<_>>().len(), 30);
    // From where to look: fourteen hundred seeds have nothing to say of it.
    let first = |mutant| if mutant == "other-link-goes-on" { 1_400 } else { 0 };
    let (next, survivors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(mutant) = MUTANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if hunt::find(mutant, first(*mutant)..SEEDS).is_none() {
                        survivors.lock().expect("sound").push(*mutant);
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().expect("sound");
    assert!(survivors.is_empty(), "nothing was found of {}", survivors.join(", "));
}

#[test]
fn the_proof_on_sqlite_finds_each_of_four_mistakes_in_the_store() {
    // From where to look: nearly five hundred seeds have nothing to say of the last.
    let hunted =
        [("commit-late", 0), ("sync-spared", 0), ("refused-is-minded", 20), ("same-stream-new", 470)];
    let names = hunted.map(|(name, _)| name);
    assert_eq!(BTreeSet::from(names), DISK_MUTANTS.iter().copied().collect());
    let found = |(name, first): (&str, u64)| hunt::find_on(sqlite_disk::make, name, first..SEEDS);
    let survivors: Vec<_> = hunted.into_iter().filter(|one| found(*one).is_none()).collect();
    assert!(survivors.is_empty(), "nothing was found of {survivors:?}");
}

#[test]
fn the_command_says_what_was_found_and_what_was_not() {
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--offline", "--features", "planted", "--example", "mutants", "--"])
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (exit, said) = run(&["queued-before-saved", "--seeds", "50"]);
    assert!(exit == Some(0) && said.contains(" S1 ") && said.contains("1 mutants, 0 survive 50"), "{said}");
    let (exit, said) = run(&["other-link-goes-on", "--seeds", "2"]);
    assert!(exit == Some(4) && said.contains("SURVIVES") && said.contains("1 mutants, 1 survive"), "{said}");
}

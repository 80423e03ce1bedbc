//! Every script that we ship: in the imaginary world with a hundred seeds, over sockets five times
//! and five times more when the machine is busy, always with the one stable transcript that is kept
//! beside it.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hobnob::play::WorldKind;
use hobnob::report::stable;

use crate::play::{file, play};

/// A rubric for other people's programs, which no imaginary world can start; tests/it/rubric.rs plays it.
const NEEDS_A_PROGRAM: &str = "cs216.rhai";

/// Every script in the folder.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "rhai" || end == "hob"))
        .filter(|path| !path.ends_with(NEEDS_A_PROGRAM))
        .collect();
    found.sort();
    assert!(found.len() >= 7, "{found:?}");
    found
}

/// Plays a script once, and compares its stable transcript with the one that is kept.
fn once(path: &Path, seed: u64, world: WorldKind) {
    let outcome = play(&file(path), seed, world);
    let flag = if world == WorldKind::Tcp { "--tcp " } else { "" };
    let again = format!("hobnob run {flag}--seed {seed} {}", path.display());
    let failed = outcome.error.iter().chain(outcome.failed.iter().map(|(_, error)| error)).next();
    assert!(failed.is_none(), "{again}\n{}", failed.map(ToString::to_string).unwrap_or_default());
    let kept = std::fs::read_to_string(path.with_extension("stable")).expect("hobnob run --update writes it");
    assert!(
        stable::write(&outcome.play) == kept,
        "{again} --golden {}\n{}",
        path.with_extension("stable").display(),
        stable::write(&outcome.play)
    );
}

/// All scripts beside each other: over sockets they mostly wait.
fn all(times: u64, world: WorldKind) {
    thread::scope(|scope| {
        for path in scripts() {
            scope.spawn(move || (1..=times).for_each(|seed| once(&path, seed, world)));
        }
    });
}

#[test]
fn a_hundred_seeds_give_one_transcript() {
    all(100, WorldKind::Sim);
}

#[test]
fn sockets_give_the_same_transcript() {
    all(5, WorldKind::Tcp);
}

#[test]
fn sockets_give_the_same_transcript_when_the_machine_is_busy() {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    black_box((0..1_000u64).fold(1, |hash: u64, n| hash.wrapping_mul(31).wrapping_add(n)));
                }
            });
        }
        // Whatever becomes of it, the machine is to be idle again.
        let result = std::panic::catch_unwind(|| all(5, WorldKind::Tcp));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

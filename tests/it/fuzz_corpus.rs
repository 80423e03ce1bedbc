//! What the fuzz targets have been fed with and must go on to bear: each input that was kept is
//! replayed, without libFuzzer and without its compiler, and none takes long. docs/fuzzing.md says how they are found.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::fuzz::TARGETS;
use crate::proc::PATIENCE;

/// What a clone has to carry, for each target.
const INPUTS: std::ops::RangeInclusive<usize> = 10..=220;
const BYTES_MAX: usize = 200 * 1024;

fn inside(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inside: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    inside.sort();
    inside
}

fn names(folder: &str) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    inside(folder).into_iter().map(stem).collect()
}

/// What a thread may calculate for one input, without optimization and whatever else the machine does.
const COMPUTE: Duration = Duration::from_millis(100);

fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).expect("since its start"), 0)
        + Duration::from_nanos(u64::try_from(time.tv_nsec).expect("below a second"))
}

/// Replays all inputs; says of each which it is, and what it took.
fn replay(told: &Sender<(PathBuf, Option<Duration>)>) {
    for (name, target) in TARGETS {
        let inputs = inside(&format!("corpus/{name}"));
        assert!(INPUTS.contains(&inputs.len()), "{name} has a corpus of {}", inputs.len());
        let mut size = 0;
        for input in inputs {
            let bytes = std::fs::read(&input).expect("readable");
            size += bytes.len();
            told.send((input.clone(), None)).expect("somebody listens");
            let took = || {
                let began = computed();
                let borne = catch_unwind(|| target(&bytes));
                assert!(borne.is_ok(), "cargo +nightly fuzz run -s none {name} {}", input.display());
                computed() - began
            };
            // What is calculated once, by whoever is first, is no input's own.
            let took = Some(took()).filter(|took| *took <= COMPUTE).unwrap_or_else(took);
            told.send((input, Some(took))).expect("somebody listens");
        }
        assert!((1..=BYTES_MAX).contains(&size), "{name} has a corpus of {size} bytes");
    }
}

#[test]
fn every_input_that_was_kept_is_borne_and_soon_done_with() {
    let (told, hear) = channel();
    let thread = std::thread::spawn(move || replay(&told));
    let (mut slowest, mut under_way) = (Duration::ZERO, PathBuf::new());
    loop {
        match hear.recv_timeout(2 * PATIENCE) {
            Ok((input, None)) => under_way = input,
            Ok((input, Some(took))) => {
                assert!(took <= COMPUTE, "{} takes {took:?}", input.display());
                slowest = slowest.max(took);
            }
            Err(RecvTimeoutError::Timeout) => panic!("{} has no end", under_way.display()),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    assert!(thread.join().is_ok(), "{}", under_way.display());
    assert!(slowest > Duration::ZERO, "the clock counts what is calculated");
}

#[test]
fn whatever_is_fuzzed_is_replayed() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = include_str!("../../fuzz/Cargo.toml");
    let bins = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let bins: BTreeSet<_> = bins.filter_map(|line| line.strip_suffix(".rs\"")).map(str::to_owned).collect();
    assert_eq!(bins, targets);
}

//! What the fuzz targets have been fed with and must go on to bear: each input that was kept is
//! replayed, without libFuzzer and without its compiler. docs/fuzzing.md says how they are found.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::fuzz::TARGETS;

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

#[test]
fn every_input_that_was_kept_is_borne() {
    for (name, target) in TARGETS {
        let inputs = inside(&format!("corpus/{name}"));
        assert!(INPUTS.contains(&inputs.len()), "{name} has a corpus of {}", inputs.len());
        let mut size = 0;
        for input in inputs {
            let bytes = std::fs::read(&input).expect("readable");
            size += bytes.len();
            let borne = catch_unwind(|| target(&bytes));
            assert!(borne.is_ok(), "cargo +nightly fuzz run -s none {name} {}", input.display());
        }
        assert!((1..=BYTES_MAX).contains(&size), "{name} has a corpus of {size} bytes");
    }
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

//! What the fuzz targets have been fed with and must go on to bear: each input that was kept is
//! replayed, without libFuzzer and without its compiler.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::fuzz::TARGETS;

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    inputs.sort();
    inputs
}

#[test]
fn every_input_that_was_kept_is_borne() {
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(inputs.len() >= 10, "{name} has a corpus of {}", inputs.len());
        for input in inputs {
            let bytes = std::fs::read(&input).expect("readable");
            let borne = catch_unwind(|| target(&bytes));
            assert!(borne.is_ok(), "cd fuzz && cargo +nightly fuzz run {name} {}", input.display());
        }
    }
}

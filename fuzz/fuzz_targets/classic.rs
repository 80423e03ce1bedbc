//! libFuzzer's bytes for the target `classic`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hobnob_fuzz::run("classic", data));

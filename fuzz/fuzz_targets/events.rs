//! libFuzzer's bytes for the target `events`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hobnob_fuzz::run("events", data));

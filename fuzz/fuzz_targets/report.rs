//! libFuzzer's bytes for the target `report`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hobnob_fuzz::run("report", data));

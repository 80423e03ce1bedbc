//! libFuzzer's bytes for the target `message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hobnob_fuzz::run("message", data));

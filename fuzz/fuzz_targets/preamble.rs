//! libFuzzer's bytes for the target `preamble`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hobnob_fuzz::run("preamble", data));

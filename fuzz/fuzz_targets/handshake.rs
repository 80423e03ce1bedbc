//! libFuzzer's bytes for the target `handshake`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hobnob_fuzz::run("handshake", data));

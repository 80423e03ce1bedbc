//! The real program is killed at any moment, again and again, and what it has promised is still so. The
//! long run of the same is in the example's header.

use crate::examples::example;

#[test]
fn what_was_promised_survives_kills() {
    let args = ["--cycles", "15", "--seed", "1", "--program", env!("CARGO_BIN_EXE_hobnob")];
    let text = example("kill", "cargo run --release --example kill -- --cycles 1000", &args);
    assert!(text.starts_with("15 cycles in "), "{text}");
    assert!(text.ends_with("; 0 lost, 0 doubled, 0 out of order, 0 damaged\n"), "{text}");
}

//! The targets as libFuzzer runs them: the same functions that tests/it replays the corpus with.

#[path = "../../tests/it/fuzz/mod.rs"]
mod targets;

/// Gives `data` to the target of this name, which panics when it finds something.
///
/// # Panics
/// There is no such target, or it has found something.
pub fn run(name: &str, data: &[u8]) {
    let target = targets::TARGETS.iter().find(|target| target.0 == name);
    target.expect("the name of a target").1(data);
}

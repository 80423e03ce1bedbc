//! Every example runs by the command in its header, and says what it is to say.

use std::process::Command;

/// Runs an example as `cargo test` has built it, after a look at its header.
pub(crate) fn example(name: &str, header: &str, args: &[&str]) -> String {
    let path = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).expect("an example");
    let begins = source.lines().take_while(|line| line.starts_with("//!"));
    assert!(begins.into_iter().any(|line| line.contains(header)), "its header has the command: {header}");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--example", name, "--"])
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn broadcast() {
    let text = example("broadcast", "cargo run --release --example broadcast", &["20"]);
    assert!(text.contains("20 peers"), "{text}");
}

#[test]
fn two_nodes() {
    let text = example("two_nodes", "cargo run --example two_nodes", &[]);
    let said =
        "alice: bob joined\nbob: alice joined\nbob: alice says hello, without a socket\nalice: bob has #1\n";
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&text), sorted(said));
}

#[test]
fn bot() {
    let text = example("bot", "cargo run --example bot", &[]);
    assert!(text.starts_with("bot: listens on 127.0.0.1:"), "{text}");
    for line in
        ["bot: visitor says bye", "visitor: bot says you said: hello", "visitor: bot says you said: bye"]
    {
        assert!(text.lines().any(|said| said == line), "{line}\n{text}");
    }
}

#[test]
fn lossy_world() {
    for seed in ["1", "2", "3", "4", "5"] {
        let text = example("lossy_world", "cargo run --example lossy_world -- 7", &[seed]);
        assert!(text.ends_with(": all arrived, once, in order\n"), "{text}");
    }
}

#[test]
fn every_example_is_run_here() {
    let folder = format!("{}/examples", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "assure.rs",
            "bot.rs",
            "broadcast.rs",
            "chat",
            "kill",
            "kill.rs",
            "lossy_world.rs",
            "mutants.rs",
            "two_nodes.rs"
        ]
    );
}

//! Faults that a build for tests has on purpose, one at a time: `hobnob verify` names the first event
//! that a leak of time or chance makes differ, and `hobnob sweep --shrink` finds each classic fault
//! with a script and reduces it to a handful of messages. Without the fault the same commands find
//! nothing. What the proof finds is in `mutants`.

mod mutants;

use std::process::Output;

use crate::proc::hobnob;

/// Seeds of a sweep.
const SEEDS: &str = "1..60";
/// Messages that a reduced run may have at most.
const ARROWS_MAX: usize = 6;

/// What a command printed, and its exit code.
struct Said {
    exit: i32,
    out: String,
    err: String,
}

/// Runs the program with this fault, or healthy.
fn run(planted: Option<&str>, args: &[&str]) -> Said {
    let mut command = hobnob(args);
    if let Some(planted) = planted {
        command.env("HOBNOB_PLANTED", planted);
    }
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Said { exit: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
}

fn script(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The healthy program does the same twice; with the leak it does not, and the event is named.
fn leaks(planted: &str, name: &str) {
    let path = script(name);
    let healthy = run(None, &["verify", &path]);
    assert_eq!(healthy.exit, 0, "{name}: {}", healthy.err);
    assert!(healthy.out.starts_with("identical: "), "{}", healthy.out);
    let sick = run(Some(planted), &["verify", &path]);
    assert_eq!(sick.exit, 5, "{planted}: {}{}", sick.out, sick.err);
    let mut lines = sick.err.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("hobnob: verify: not deterministic; event "), "{}", sick.err);
    let shown = |line: Option<&str>, mark: &str| {
        let line = line.and_then(|line| line.trim_start().strip_prefix(mark)).map(str::trim);
        line.unwrap_or_else(|| panic!("{}", sick.err)).to_owned()
    };
    let (one, other) = (shown(lines.next(), "first"), shown(lines.next(), "second"));
    assert!(one.starts_with("{\"v\":1,\"n\":") && one != other, "{}", sick.err);
}

#[test]
fn verify_finds_a_hash_map_that_decides_an_order() {
    leaks("hash-order", "tests/planted/order.rhai");
}

#[test]
fn verify_finds_a_read_of_the_real_clock() {
    leaks("real-clock", "scripts/demo.rhai");
}

#[test]
fn verify_finds_chance_without_a_seed() {
    leaks("unseeded-chance", "scripts/demo.rhai");
}

#[test]
fn a_fault_that_is_not_there_is_no_quiet_success() {
    let said = run(Some("hash-oder"), &["verify", &script("scripts/demo.rhai")]);
    // Not 0, as if all were well, nor 5, as if a leak were found.
    assert_eq!(said.exit, 3, "{}{}", said.out, said.err);
    assert!(said.err.contains("nothing is called \"hash-oder\"; there are hash-order "), "{}", said.err);
}

/// What is left of the first failing run: the lines of the script, and the picture.
fn reduced(planted: &str, name: &str) -> (Vec<String>, String) {
    let path = script(name);
    let healthy = run(None, &["sweep", &path, "--seeds", SEEDS, "--shrink"]);
    assert_eq!((healthy.exit, healthy.out.as_str()), (0, "60 seeds, all well\n"), "{name}: {}", healthy.err);
    let sick = run(Some(planted), &["sweep", &path, "--seeds", SEEDS, "--shrink"]);
    assert_eq!(sick.exit, 4, "{planted}: {}{}", sick.out, sick.err);
    let (_, left) = sick.out.split_once("\n\n").expect("what is left stands below the seeds");
    let (lines, picture) = left.split_once("\n\n").expect("the picture stands below the lines");
    let head = lines.lines().next().unwrap_or_default();
    let count = head.split(" to ").nth(1).and_then(|rest| rest.split(';').next()?.parse::<usize>().ok());
    let drawn = picture.chars().filter(|c| matches!(c, '▶' | '◀')).count();
    assert_eq!(count, Some(drawn), "{left}");
    assert!(drawn <= ARROWS_MAX, "{drawn} messages are left:\n{left}");
    assert!(picture.contains('✗') && picture.trim_end().ends_with("failed"), "{picture}");
    (lines.lines().skip(1).map(str::to_owned).collect(), picture.to_owned())
}

/// Who is left, in the first row of a picture.
fn peers(picture: &str) -> usize {
    picture.lines().next().unwrap_or_default().split_whitespace().count()
}

#[test]
fn a_sweep_finds_messages_cut_where_a_read_ended() {
    let (lines, picture) = reduced("split-message", "tests/planted/split.rhai");
    assert!(lines.iter().any(|line| line.starts_with("link ") && line.contains(" split=")), "{lines:?}");
    assert_eq!(peers(&picture), 2, "{picture}");
}

#[test]
fn a_sweep_finds_messages_that_come_twice_after_a_crash() {
    let (lines, picture) = reduced("double-delivery", "tests/planted/twice.hob");
    assert_eq!(picture.matches("bring eggs").count(), 2, "{picture}");
    assert_eq!(peers(&picture), 2, "{picture}");
    // What is left is a script of its own: it fails as it did, and only with the fault.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("left.hob");
    std::fs::write(&path, lines.join("\n") + "\n").expect("it is written");
    let path = path.to_str().expect("UTF-8");
    let (healthy, sick) = (run(None, &["run", path]), run(Some("double-delivery"), &["run", path]));
    assert_eq!(healthy.exit, 0, "{}", healthy.err);
    assert_eq!(sick.exit, 4, "{lines:?}");
    assert!(sick.err.contains("expect_none: ben was to get nothing"), "{}", sick.err);
}

#[test]
fn a_sweep_finds_one_who_has_left_and_is_still_listed() {
    let (lines, picture) = reduced("stale-peer", "tests/planted/stale.rhai");
    assert!(lines.iter().any(|line| line.ends_with("> quit")), "{lines:?}");
    assert_eq!(peers(&picture), 2, "{picture}");
}

#[test]
fn a_sweep_finds_a_broadcast_that_feeds_itself() {
    let (lines, picture) = reduced("broadcast-storm", "tests/planted/storm.rhai");
    let said = |line: &&String| line.contains("> send ") || line.contains("> broadcast ");
    assert_eq!(lines.iter().filter(said).count(), 1, "one message is enough for a storm: {lines:?}");
    assert_eq!(peers(&picture), 2, "{picture}");
}

#[test]
fn a_sweep_finds_two_who_dial_each_other_and_both_hang_up() {
    let (lines, picture) = reduced("crossed-dials", "tests/planted/crossed.rhai");
    assert_eq!(lines.iter().filter(|line| line.contains(".connect(")).count(), 2, "{lines:?}");
    assert_eq!(peers(&picture), 2, "{picture}");
}

#[test]
fn what_is_left_of_a_check_is_what_it_was_about() {
    let path = script("scripts/demo.rhai");
    let sick = run(Some("stale-peer"), &["sweep", &path, "--seeds", "1", "--shrink"]);
    assert_eq!(sick.exit, 4, "{}", sick.err);
    // Were bob's leaving left out, or alice, the check would fail as well and mean nothing.
    for wanted in ["alice.peers(): bob (has left), carol", "\nbob> quit\n", "\nsettle\n", "\nalice> "] {
        assert!(sick.out.contains(wanted), "{wanted:?} is missing:\n{}", sick.out);
    }
    assert!(!sick.out.contains("> expect ") && !sick.out.contains("> broadcast "), "{}", sick.out);
}

#[test]
fn a_program_that_breaks_puts_its_terminal_right_and_keeps_what_it_promised() {
    let folder = crate::proc::home().display().to_string();
    let program = env!("CARGO_BIN_EXE_hobnob");
    // A peer that was there once, so that something can wait for it.
    let mut bob = crate::proc::Peer::start("bob", &[]);
    let (at, line) = (bob.at(), format!("send {} hello", bob.at()));
    let alice = ["alice", "0", "--listen", "127.0.0.1", "--data", &folder];
    assert_eq!(run(None, &[&alice[..], &["-c", &line]].concat()).exit, 0);
    bob.expect("hello");
    bob.quit();
    let script = format!("read -r go; exec '{program}' alice 0 --listen 127.0.0.1 --data '{folder}'");
    let mut pty = crate::pty::Pty::start("sh", &["-c", &script], &[("HOBNOB_PLANTED", "panic")]);
    let before = pty.modes();
    pty.keys("go\n");
    pty.at("alice (0)>");
    assert_ne!(pty.modes(), before);
    pty.keys("send bob a promise\r");
    pty.line("queued");
    pty.keys("status\r");
    assert_eq!(pty.end(), 101);
    assert_eq!(pty.modes(), before);
    let raw = pty.seen(|seen| String::from_utf8_lossy(&seen.raw).into_owned());
    assert!(raw.rfind("\x1b[?2004l") > raw.rfind("\x1b[?2004h") && raw.contains("planted"), "{raw:?}");
    let kept = run(None, &[&alice[..], &["-c", "log bob --find promise"]].concat());
    assert!(kept.out.contains("a promise"), "{}{} ({at})", kept.out, kept.err);
}

/// What breaks while it is read ends its own stream: the prompt, the terminal and the others go on.
#[test]
fn what_breaks_while_it_is_read_ends_one_link_and_is_counted() {
    use std::io::{Read, Write};
    let (mut alice, at) =
        crate::pty::Pty::hobnob("alice", &["--ephemeral"], &[("HOBNOB_PLANTED", "breaking-text")]);
    let mut bob = crate::proc::Peer::start("bob", &["--peer", &at]);
    bob.expect("* alice joined");
    alice.line("bob joined");
    let modes = alice.modes();
    let to: std::net::SocketAddr = at.parse().expect("an address");
    let ended = |stream: &mut std::net::TcpStream| {
        stream.set_read_timeout(Some(crate::proc::PATIENCE)).expect("a socket");
        let mut rest = Vec::new();
        // A reset is an end as well, if something of ours was not read.
        let _ = stream.read_to_end(&mut rest);
    };
    for said in ["break the link", "127.0.0.1:7202 Team break the burst"] {
        let mut stream = std::net::TcpStream::connect(to).expect("it listens");
        stream.write_all(said.as_bytes()).expect("it reads");
        ended(&mut stream);
    }
    let mut stream = std::net::TcpStream::connect(to).expect("it listens");
    let (mut caller, mut bytes) = (crate::caller::Caller::new(1), [0; 4_096]);
    while !caller.is_open() {
        stream.write_all(&caller.take()).expect("it reads");
        let count = stream.read(&mut bytes).expect("it answers");
        assert!(caller.hear(&bytes[..count]));
    }
    caller.hello("eve");
    stream.write_all(&caller.take()).expect("it reads");
    alice.line("eve joined");
    caller.chat(1, "and now break the run");
    stream.write_all(&caller.take()).expect("it reads");
    ended(&mut stream);
    alice.line("lost eve");
    alice.keys("status\r");
    alice.line("broken     3 links");
    assert_eq!(alice.modes(), modes, "the editor still has the terminal");
    bob.say("send alice still there");
    alice.line("<bob?> still there");
    alice.keys("send bob so am I\r");
    bob.expect("so am I");
    let raw = alice.seen(|seen| String::from_utf8_lossy(&seen.raw).into_owned());
    assert!(!raw.contains("panicked"), "{raw:?}");
    alice.keys("quit\r");
    assert_eq!(alice.end(), 0);
}

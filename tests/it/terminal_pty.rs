//! The prompt's terminal: what arrives while a line is half typed, what must never reach it, and how
//! every end leaves it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use expectrl::process::unix::Signal;

use crate::proc::{PATIENCE, Peer};
use crate::prompt_pty::{CTRL_C, CTRL_D, ENTER, alice, alice_and_bob, quit};
use crate::pty::Pty;

/// Messages of bob's that were shown or counted, each in its place; or the first line that is torn, as one
/// may be for a moment while the screen is drawn.
fn accounted(lines: &[String]) -> Result<usize, String> {
    let first = lines.iter().position(|line| line.contains("number ")).unwrap_or(lines.len());
    let mut next = 0;
    for line in lines[first..].iter().filter(|line| !line.starts_with("alice (1)>")) {
        if let Some(number) = line.strip_prefix("<bob?> number ").and_then(|line| line.strip_suffix('.')) {
            if number.parse() != Ok(next) {
                return Err(format!("{line} is not number {next}"));
            }
            next += 1;
        } else if let Some(count) =
            line.strip_prefix("* ").and_then(|line| line.strip_suffix(" lines omitted"))
        {
            next += count.parse::<usize>().expect("a count");
        } else if let Some((count, again)) =
            line.strip_prefix("* ").and_then(|line| line.split_once(" more from bob: log bob -n "))
        {
            if count != again {
                return Err(format!("garbled: {line:?}"));
            }
            next += count.parse::<usize>().expect("a count");
        } else {
            return Err(format!("garbled: {line:?}"));
        }
    }
    Ok(next)
}

const MESSAGES: usize = 3_000;

#[test]
fn a_half_typed_line_survives_a_flood_and_nothing_is_lost() {
    let (mut alice, bob) = alice_and_bob();
    let lines = flooded(&mut alice, bob);
    let shown = lines.iter().filter(|line| line.starts_with("<bob?> number")).count();
    assert!(shown > MESSAGES / 2, "what is nowhere else is shown: {shown}");
    quit(alice);
}

#[test]
fn of_a_flood_a_prompt_shows_what_can_be_read_and_log_has_the_rest() {
    let (mut alice, at) = Pty::hobnob("alice", &[], &[]);
    let bob = Peer::start("bob", &["--peer", &at]);
    alice.at("alice (1)>");
    let lines = flooded(&mut alice, bob);
    let shown = lines.iter().filter(|line| line.starts_with("<bob?> number")).count();
    // Its burst, and then twenty a second for as long as it took.
    assert!((200..MESSAGES / 2).contains(&shown), "{shown} of {MESSAGES} shown");
    alice.keys(&format!("log bob -n 2800 --find 1234{ENTER}"));
    alice.line("<bob?> number 1234.");
    quit(alice);
}

/// Bob says a thousand a second while alice types; all that her screen has then.
fn flooded(alice: &mut Pty, mut bob: Peer) -> Vec<String> {
    alice.keys("send bob half-ty");
    alice.at("alice (1)> send bob half-ty");
    let begun = Instant::now();
    for n in 0..MESSAGES {
        bob.say(&format!("send alice number {n}."));
        if n % 10 == 9 {
            let due = begun + Duration::from_millis(u64::try_from(n).expect("small"));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        if n == MESSAGES / 2 {
            alice.keys("p");
        }
    }
    alice.expect("all of them, in order", |screen| accounted(&screen.lines()) == Ok(MESSAGES));
    alice.at("alice (1)> send bob half-typ");
    alice.keys(&format!("ed{ENTER}"));
    bob.expect("half-typed");
    alice.seen(|seen| seen.screen.lines())
}

#[test]
fn messages_come_through_while_esc_was_pressed() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys("abc\x1b");
    alice.expect("the line", |screen| screen.current().contains("abc"));
    bob.say("send alice there you are");
    alice.line("there you are");
    quit(alice);
}

#[test]
fn what_peers_write_cannot_steer_the_terminal() {
    let (mut alice, mut bob) = alice_and_bob();
    let hostile = "a\x1b[2Jb\x1b]52;c;aGk=\x07c\rd\u{9b}31me\x1b[6nf\x08g\u{202e}h";
    bob.say(&format!("send alice {hostile} end1"));
    let line = alice.line("end1");
    assert!(line.contains("\\x1b[2J") && line.contains("\\r") && line.contains("\\u{202e}"), "{line}");
    // Typed by ourselves, too.
    alice.keys("\x16\x1b]52;x");
    alice.expect("the line", |screen| screen.current().contains("52;x"));
    alice.keys(CTRL_C);
    alice.at("alice (1)>");
    let raw = alice.seen(|seen| String::from_utf8_lossy(&seen.raw).into_owned());
    for part in ["\x1b[2J", "\x1b]", "\u{9b}", "\x1b[6n", "\x08", "\u{202e}"] {
        assert!(!raw.contains(part), "{part:?} reached the terminal");
    }
    quit(alice);
}

#[test]
fn a_terminals_own_answers_are_swallowed() {
    let (mut alice, _) = alice();
    alice.keys("\x1b[1;1R\x1b[24;80R");
    alice.keys(&format!("me{ENTER}"));
    alice.line("you are alice");
    // Of longer ones something may stay on the line, where it can be seen; nothing of it runs.
    alice.keys("\x1b[?62;4c\x1b[>0;276;0c\x1b[8;24;80t;quit");
    alice.expect("the end of it", |screen| screen.current().ends_with("quit"));
    alice.keys(CTRL_C);
    alice.at("alice (0)>");
    alice.keys(&format!("me zoe{ENTER}"));
    alice.at("zoe (0)>");
    assert!(!alice.seen(|seen| String::from_utf8_lossy(&seen.raw).contains("unknown command")));
    quit(alice);
}

/// Alice behind a shell that waits for a line first, so that the terminal can be seen as it was.
fn alice_held() -> (Pty, String) {
    let program = env!("CARGO_BIN_EXE_hobnob");
    let script = "read -r go; exec \"$0\" alice 0 --listen 127.0.0.1 --ephemeral";
    let mut pty = Pty::start("sh", &["-c", script, program], &[]);
    let before = pty.modes();
    pty.keys("go\n");
    pty.expect("the prompt", |screen| screen.current() == "alice (0)>");
    assert_ne!(pty.modes(), before);
    (pty, before)
}

#[test]
fn every_end_puts_the_terminal_right() {
    for (keys, signal, code) in [
        ("send bob half", Some(Signal::SIGTERM), 130),
        ("", Some(Signal::SIGHUP), 130),
        // In a search, which no signal interrupts.
        ("\x12xyz", Some(Signal::SIGTERM), 130),
        ("\x1b", Some(Signal::SIGTERM), 130),
        ("quit\r", None, 0),
        ("\x04", None, 0),
        ("menu\r0\r", None, 0),
    ] {
        let (mut pty, before) = alice_held();
        pty.keys(keys);
        if signal.is_some() && !keys.is_empty() {
            let text = keys.trim_start_matches(|c: char| c.is_control());
            pty.expect("the keys", |screen| screen.has(text));
        }
        let begun = Instant::now();
        if let Some(signal) = signal {
            pty.signal(signal);
        }
        assert_eq!(pty.end(), code, "{keys:?} {signal:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{keys:?}: {:?}", begun.elapsed());
        assert_eq!(pty.modes(), before, "{keys:?} {signal:?}");
        let raw = pty.seen(|seen| String::from_utf8_lossy(&seen.raw).into_owned());
        assert_eq!(raw.matches("\x1b[?2004h").count() > 0, raw.contains("\x1b[?2004l"), "{keys:?}");
        assert!(raw.rfind("\x1b[?2004l") > raw.rfind("\x1b[?2004h"), "{keys:?}: pastes are still marked");
    }
}

#[test]
fn sigint_from_outside_clears_the_line_as_ctrl_c_does() {
    let (mut alice, _) = alice();
    alice.keys("half");
    alice.expect("the line", |screen| screen.current().contains("half"));
    alice.signal(Signal::SIGINT);
    alice.at("alice (0)>");
    quit(alice);
}

#[test]
fn a_closed_terminal_ends_the_program() {
    // Script has a terminal of its own for its child; with script gone, that is closed.
    let program = env!("CARGO_BIN_EXE_hobnob");
    let inner = format!("echo PID $$; exec {program} alice 0 --listen 127.0.0.1 --ephemeral");
    let mut script = Pty::start("script", &["-q", "-c", &inner, "/dev/null"], &[("SHELL", "/bin/sh")]);
    let line = script.line("PID ");
    let pid = line.rsplit_once(' ').expect("a pid").1.to_owned();
    script.expect("the prompt", |screen| screen.has("alice (0)>"));
    script.signal(Signal::SIGKILL);
    let until = Instant::now() + PATIENCE;
    let is_there = || {
        let stat = fs::read_to_string(Path::new("/proc").join(&pid).join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    while is_there() {
        assert!(Instant::now() < until, "it goes on without a terminal");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let args = ["alice", "0", "--listen", "127.0.0.1", "--ephemeral"];
    let mut alice = Pty::start(env!("CARGO_BIN_EXE_hobnob"), &args, &[("TERM", "dumb")]);
    let line = alice.line("listens on 127.0.0.1:");
    let at = line.rsplit_once(' ').expect("an address").1.to_owned();
    let mut bob = Peer::start("bob", &["--peer", &at]);
    alice.line("bob joined");
    alice.keys("send bob plainly\n");
    bob.expect("plainly");
    bob.say("send alice hello");
    alice.line("<bob?> hello");
    alice.keys("quit\n");
    assert_eq!(alice.end(), 0);
    assert!(!alice.seen(|seen| seen.raw.contains(&0x1b)));
}

#[test]
fn without_colour_nothing_is_painted() {
    let (mut alice, at) = Pty::hobnob("alice", &["--ephemeral"], &[("NO_COLOR", "1")]);
    let mut bob = Peer::start("bob", &["--peer", &at]);
    alice.at("alice (1)>");
    alice.keys("sned");
    alice.at("alice (1)> sned");
    alice.keys(&format!("\x15send bob hi{ENTER}"));
    bob.expect("hi");
    let raw = alice.seen(|seen| String::from_utf8_lossy(&seen.raw).into_owned());
    let is_paint =
        |part: &str| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m');
    assert!(!raw.split("\x1b[").skip(1).any(is_paint), "{raw:?}");
    quit(alice);
}

#[test]
fn a_storm_of_sizes_does_no_harm() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys("send bob this is a line that goes on for a while and is wider than small windows");
    alice.expect("the line", |screen| screen.lines().join("").contains("small windows"));
    let sizes = [(1, 1), (65_535, 65_535), (2, 5), (0, 0), (80, 24), (7, 3), (300, 2)];
    for (n, &(columns, rows)) in sizes.iter().cycle().take(2_000).enumerate() {
        alice.resize(columns, rows);
        if n % 100 == 0 {
            bob.say(&format!("send alice storm {n}"));
            alice.keys(".");
        }
    }
    alice.resize(80, 24);
    alice.keys(&format!(" end{ENTER}"));
    alice.wait("a receipt", |seen| String::from_utf8_lossy(&seen.raw).contains("delivered").then_some(()));
    bob.expect("windows.................... end");
    alice.keys(&format!("me{ENTER}"));
    alice
        .wait("an answer", |seen| String::from_utf8_lossy(&seen.raw).contains("you are alice").then_some(()));
    alice.keys(CTRL_D);
    assert_eq!(alice.end(), 0);
}

//! Keys and files that are not what they were: refused loudly, with what helps, and nothing is lost.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::kept::{Kept, met};
use crate::proc::{Peer, hobnob, run};

/// Alice has met bob, and somebody else is at bob's place now; it is not running yet.
fn bob_is_new() -> (Kept, Kept) {
    let ((alice, at_alice), (bob, at_bob)) = met();
    at_alice.quit();
    at_bob.quit();
    std::fs::remove_dir_all(&bob.data).expect("bob's folder");
    (alice, bob)
}

#[test]
fn a_changed_key_is_refused_loudly_until_it_is_replaced() {
    let (alice, bob) = bob_is_new();
    let mut at_bob = bob.start();
    at_bob.say("me");
    let key = at_bob.expect("  key ").split_whitespace().last().expect("a key").to_owned();
    let (code, out, err) = alice.obey("send bob held");
    assert_eq!(code, 3, "{out}{err}");
    assert!(out.contains("✗ ANOTHER KEY ANSWERS FOR bob at 127.0.0.1:"), "{out}");
    assert!(out.contains(&format!("trust bob --replace {}", &key[..8])), "{out}");
    assert!(err.starts_with("-c:1: send: ") && err.contains(&key[..8]), "{err}");
    assert!(out.contains("1 message stays for bob queued"), "{out}");
    for line in [format!("connect :{}", bob.port), "connect bob".into(), "ping bob".into()] {
        let (code, out, err) = alice.obey(&line);
        assert_eq!((code, err.is_empty()), (3, false), "{line}: {out}");
    }
    let mut at_alice = alice.start();
    at_alice.expect("✗ ANOTHER KEY ANSWERS FOR bob");
    at_alice.say("! trust bob");
    at_alice.say("! trust bob --replace 00000000");
    at_alice.say(&format!("! trust bob --replace {}", &key[..7]));
    at_alice.say(&format!("trust bob --replace {}", &key[..8]));
    let line = at_alice.expect("has this key from now on");
    assert!(line.ends_with("; once compared: trust bob"), "{line}");
    at_bob.expect("<alice?> held");
    at_alice.expect("✓✓ bob #1 delivered");
    at_alice.quit();
    let said = at_bob.quit();
    assert_eq!(said.iter().filter(|line| line.contains("<alice?>")).count(), 1, "{said:#?}");
}

#[test]
fn who_is_forgotten_at_a_place_makes_room_for_somebody_else() {
    let (alice, bob) = bob_is_new();
    let carol = Kept { name: "carol", ..bob };
    let mut at_carol = carol.start();
    let (code, out, err) = alice.obey(&format!("send :{} hi", carol.port));
    assert_eq!(code, 3, "{out}{err}");
    let (code, out, err) = alice.obey("trust bob --forget");
    assert_eq!((code, &*err), (0, ""), "{out}");
    let (code, out, err) = alice.obey(&format!("send :{} hello", carol.port));
    assert_eq!((code, &*err), (0, ""), "{out}");
    at_carol.expect("<alice?> hello");
}

/// Why a folder is refused; whatever is in it stays as it is.
fn refused(alice: &Kept, why: &str) {
    let before = std::fs::read(alice.file()).expect("still there");
    let (code, out, err) = alice.obey("me");
    assert_eq!((code, &*out), (3, ""), "{err}");
    assert!(err.starts_with("hobnob: ") && err.contains(why), "{err}");
    assert_eq!(std::fs::read(alice.file()).expect("still there"), before);
}

#[test]
fn files_that_cannot_be_trusted_are_refused_and_left_alone() {
    let alice = Kept::new("alice");
    assert_eq!(alice.obey("me").0, 0);
    let mode = |mode| std::fs::set_permissions(alice.file(), PermissionsExt::from_mode(mode)).expect("ours");
    mode(0o644);
    refused(&alice, "chmod 600");
    mode(0o600);
    let db = rusqlite::Connection::open(alice.file()).expect("a data base");
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
    db.execute_batch("PRAGMA user_version = 4711").expect("it is set");
    refused(&alice, "was written by a newer hobnob (its schema is 4711");
    db.execute_batch(&format!("PRAGMA user_version = {version}")).expect("it is set");
    drop(db);
    assert_eq!(alice.obey("me").0, 0);
    let whole = std::fs::read(alice.file()).expect("bytes");
    for (damage, why) in [
        (vec![0x55; whole.len()], "is damaged ("),
        (whole[..whole.len() / 2].to_vec(), "is damaged ("),
        (Vec::new(), "damaged"),
    ] {
        std::fs::write(alice.file(), damage).expect("ours");
        refused(&alice, why);
    }
    std::fs::write(alice.file(), whole).expect("ours");
    assert_eq!(alice.obey("me").0, 0);
}

#[test]
fn a_file_that_cannot_grow_refuses_what_is_said_until_the_next_start() {
    let ((alice, at_alice), (bob, at_bob)) = met();
    at_alice.quit();
    // A file of hers may grow by so much and no further, as with a quota.
    let size = std::fs::metadata(alice.file()).expect("there").len() / 512 + 64;
    let mut command = hobnob(&[]);
    let script = format!("trap '' XFSZ; ulimit -f {size}; exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", &script]).arg(command.get_program());
    shell.args(["alice", &alice.port, "--listen", "127.0.0.1", "--data", &alice.data]);
    shell.env_clear().env("USER", "tester").stdin(Stdio::null());
    command = shell;
    let mut at_alice = Peer::spawn(command, &[]);
    let long = "long ".repeat(2_000);
    for _ in 0..20 {
        at_alice.say(&format!("? send bob {long}"));
    }
    let line = at_alice.expect("✗ ");
    assert!(line.contains("nothing is promised until it does"), "{line}");
    at_alice.signal("-TERM");
    at_alice.wait();
    let mut at_alice = alice.start();
    at_alice.say("send bob there is room");
    drop(bob);
    let mut at_bob = at_bob;
    at_bob.expect("<alice?> there is room");
    at_alice.expect("delivered");
}

#[test]
fn signals_and_the_end_of_input_leave_everything_in_order() {
    let ((alice, mut at_alice), (_bob, mut at_bob)) = met();
    let (mut said, mut shown) = (0, Vec::new());
    for signal in ["-TERM", "-HUP", "-INT", "-TERM", "-HUP", "-INT"] {
        for _ in 0..10 {
            said += 1;
            at_alice.say(&format!("send bob number {said}"));
        }
        // In the midst of what it does, at another place each time.
        at_bob.expect(&format!("<alice?> number {}", said - 9 + said / 10));
        at_alice.signal(signal);
        assert_eq!(at_alice.wait(), 130, "{signal}");
        shown = at_bob.output();
        at_alice = alice.start();
    }
    at_alice.say("send bob the last");
    at_bob.expect("<alice?> the last");
    at_alice.close();
    assert_eq!(at_alice.wait(), 0);
    assert!(!shown.is_empty());
    let numbers: Vec<u32> = at_bob
        .output()
        .iter()
        .filter_map(|line| line.strip_prefix("<alice?> number ")?.parse().ok())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    let (code, out, _) = run(&["alice", "--listen", "127.0.0.1", "--data", &alice.data, "-c", "log -n 100"]);
    assert_eq!((code, out.matches("(delivered): number ").count()), (0, numbers.len()), "{out}");
}

#[test]
fn a_question_mark_stands_behind_a_name_until_its_key_was_compared() {
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    bob.expect("alice joined");
    bob.say("send alice who am I?");
    alice.expect("<bob?> who am I?");
    alice.say("trust bob");
    alice.expect("is verified");
    bob.say("send alice and now?");
    alice.expect("<bob> and now?");
    // What was said before is his as well.
    alice.say("log bob");
    alice.expect("   <bob> who am I?");
    alice.say("send bob you are bob");
    bob.expect("<alice?> you are bob");
    bob.quit();
    alice.quit();
}

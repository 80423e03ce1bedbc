//! Scripts at a prompt, in `-c` and in pipes: files that are run with the prompt's own peer as `me`,
//! lines that are evaluated, and what is recorded and played again.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::proc::{Peer, run};
use crate::prompt_pty::{CTRL_C, ENTER, alice, quit};

/// A folder with a file in it, and the file's path.
fn file(name: &str, text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    let path = path.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

/// `hobnob alice -c LINE -c …`, on this machine only.
fn batch(lines: &[&str]) -> (i32, String, String) {
    let mut args = vec!["alice", "0", "--listen", "127.0.0.1"];
    lines.iter().for_each(|line| args.extend(["-c", line]));
    run(&args)
}

/// Where the lines stand, in order.
fn in_order(text: &str, lines: &[&str]) {
    let mut rest = text;
    for line in lines {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line:?} behind what came before in:\n{text}"));
        rest = &rest[at + line.len()..];
    }
}

const TALK: &str = r#"
cast(["bob"]);
step("a talk");
bob.on("message", |me, m| if m.text == "ping" { me.send(m.from, "pong") });
me.connect(bob);
me.send(bob, "ping");
me.expect("pong", #{ from: bob });
settle();
check(me.peers() == ["bob"] && bob.peers() == ["me"], "each knows the other");
test("a world of its own", || { cast(["x", "y"]); x.send(y, "hi"); y.expect("hi"); });
bob.quit();
me.expect_left(bob);
"#;

#[test]
fn a_script_is_run_with_me_in_it() {
    let (_folder, path) = file("talk.rhai", TALK);
    let (code, out, error) = batch(&[&format!("run {path}"), "peers"]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    in_order(
        &out,
        &[
            "#  a talk",
            "me   -> bob  #1 \"ping\"",
            "bob  <- me   #1 \"ping\"",
            "bob  -> me   #1 \"pong\"",
            "me   <- bob  #1 \"pong\"",
            "#  passed: each knows the other",
            "talk.rhai: 1 of 1 tests passed",
            "nobody is connected",
        ],
    );
    // What came was shown as it always is.
    assert!(out.lines().any(|line| line == "<bob?> pong"), "{out}");
}

#[test]
fn a_batch_without_a_speaker_is_mine() {
    let (_folder, path) = file(
        "mine.hob",
        "bob> connect me\nbob> send me hello\nexpect bob hello\nsend bob 'and you'\nbob> expect me *you*\n= 1 + 2\n",
    );
    let (code, out, error) = batch(&[&format!("run {path}")]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    in_order(&out, &["bob  -> me   #1 \"hello\"", "note: 3", "mine.hob: passed"]);
}

#[test]
fn a_batch_ends_as_its_script_does() {
    for (text, code, said) in [
        ("let a = 1;\nlet b = ;\n", 2, ["bad.rhai:2:9:", "     2 | let b = ;", "^"]),
        ("cast([\"bob\"]);\nbob.connect(\":1\");\n", 3, ["bad.rhai:2:5: connect:", ":1 refused", "2 | bob"]),
        (
            "cast([\"bob\"]); bob.send(me, \"pung\");\nme.expect(\"pong\", #{ within: 200.ms });\n",
            4,
            ["bad.rhai:2:4: expect: me got no message", "unread by me", "bob \"pung\"   <- the nearest"],
        ),
        ("test(\"t\", || check(1 > 2, \"so\"));", 4, ["test \"t\"", "bad.rhai:1:", "check: so"]),
        ("crash(me);", 3, ["crash: me is your own program", "cast another peer", "1 | crash(me);"]),
        ("me.quit();", 3, ["quit: me is your own program", "type quit at its prompt", "bad.rhai:1:4"]),
        (
            "cast([\"bob\"]); link(me, bob, #{ delay: 1.s });",
            3,
            ["link: me is your own", "real one", ":1:16"],
        ),
        ("cast([\"bob\"]); partition([me], [bob]);", 3, ["partition: me is your", "real one", ":1:16"]),
    ] {
        let (_folder, path) = file("bad.rhai", text);
        let (exit, out, error) = batch(&[&format!("run {path}"), "step not reached"]);
        assert_eq!(exit, code, "{text}: {error}");
        said.iter().for_each(|said| assert!(error.contains(said), "{text}: no {said:?} in {error}"));
        assert!(error.starts_with("-c:1: ") && !out.contains("not reached"), "{error}");
    }
    let (code, _, error) = batch(&["run /nonexistent.rhai"]);
    assert!(code == 3 && error.starts_with("-c:1: run: /nonexistent.rhai: "), "{error}");
    let (code, _, error) = batch(&["run /etc/passwd"]);
    assert!(code == 3 && error.contains("passwd is no script: it must end in .rhai"), "{error}");
}

#[test]
fn the_prompt_is_live_while_a_script_waits_and_ctrl_c_ends_the_script_alone() {
    let (_folder, path) = file("slow.rhai", "note(\"it waits\");\nwait(1.h);\n");
    let (mut alice, at) = alice();
    alice.keys(&format!("run {path}{ENTER}"));
    alice.line("note: it waits");
    alice.keys(&format!("me{ENTER}"));
    alice.line("you are alice");
    let mut bob = Peer::start("bob", &["--peer", &at]);
    alice.line("bob joined");
    alice.keys(&format!("send bob still here{ENTER}"));
    bob.expect("still here");
    alice.keys(&format!("run {path}{ENTER}"));
    alice.line("slow.rhai has not ended yet; Ctrl-C ends it");
    alice.keys(CTRL_C);
    alice.line("slow.rhai: interrupted");
    // Another may be run now.
    alice.keys(&format!("run {path}{ENTER}"));
    alice.expect("a second run", |screen| {
        screen.lines().iter().filter(|line| line.contains("note: it waits")).count() == 2
    });
    // To leave ends it too.
    let from = Instant::now();
    quit(alice);
    assert!(from.elapsed() < Duration::from_secs(5));
    bob.expect("alice left");
}

#[test]
fn a_line_is_evaluated_and_what_it_says_stays() {
    let (mut alice, _) = alice();
    for (line, said) in [
        ("= 1 + 1", "2"),
        ("= let a = [1, \"x\", 2.s];", ""),
        ("= a", "[1, \"x\", 2s]"),
        ("= fn twice(n) { n * 2 }", ""),
        ("= twice(21)", "42"),
        ("= me", "me"),
        ("= 1 +", "=: Script is incomplete (column 4 of the expression)"),
        ("= nobody", "=: no variable and no peer is called `nobody` (peers here: me)"),
        ("= crash(me)", "=: crash: me is your own program, and its network the real one;"),
        ("= loop { }", "=: it takes more than the 500000 operations"),
        ("= let s = \"x\"; loop { s += s }", "=: "),
        ("= eval(\"1\")", "=: "),
    ] {
        let from = Instant::now();
        alice.keys(&format!("{line}{ENTER}"));
        alice.expect(line, |screen| {
            let lines = screen.lines();
            let asked = lines.iter().rposition(|seen| seen.ends_with(line));
            let next = asked.and_then(|at| lines.get(at + 1)).cloned().unwrap_or_default();
            let answered =
                if said.is_empty() { next.starts_with("alice (0)>") } else { next.starts_with(said) };
            answered && screen.current() == "alice (0)>"
        });
        assert!(from.elapsed() < Duration::from_secs(5), "{line}");
    }
    quit(alice);
}

#[test]
fn a_bot_answers_another_process() {
    let mut alice = Peer::start("alice", &[]);
    alice.say("= me.on(\"message\", |me, m| if m.text == \"ping\" { me.send(m.from, \"pong\") })");
    alice.say("= \"ready\"");
    alice.expect("\"ready\"");
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    for _ in 0..3 {
        bob.say("send alice ping");
        bob.expect("<alice?> pong");
    }
    alice.expect("me   -> bob  #3 \"pong\"");
    // What a peer says is text, whatever it looks like.
    bob.say("send alice \"); me.send(\"bob\", \"pwned\"); (\"");
    bob.say("send alice = me.send(\"bob\", \"pwned\")");
    bob.say("send alice ping");
    bob.expect("<alice?> pong");
    let said = bob.quit();
    assert!(!said.iter().any(|line| line.contains("<alice?> pwned")), "{said:#?}");
    alice.quit();
}

#[test]
fn two_bots_do_not_answer_each_other_for_ever() {
    let bot = "= me.on(\"message\", |me, m| me.send(m.from, \"you said \" + m.text))";
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    for peer in [&mut alice, &mut bob] {
        peer.say(bot);
        peer.say("= \"ready\"");
        peer.expect("\"ready\"");
    }
    bob.say("send alice hello");
    bob.expect("<alice?> you said hello");
    // By now a bot that answers bots would have answered.
    bob.say("expect alice *hello");
    bob.say("expect-none 300ms");
    bob.say("send alice good night");
    bob.expect("<alice?> you said good night");
    let (alice, bob) = (alice.quit(), bob.quit());
    let heard = |lines: &[String]| lines.iter().filter(|line| line.starts_with('<')).count();
    assert_eq!((heard(&alice), heard(&bob)), (2, 2), "{alice:#?}");
}

#[test]
fn a_plain_bot_is_not_answered_for_ever() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    let mut alice = Peer::start("alice", &["--classic"]);
    let at = alice.at();
    // A program that answers every line with another, on connections of its own, for ever.
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in socket.incoming() {
            let _ = stream.and_then(|mut stream| stream.read(&mut [0; 1_024]));
            let n = counted.fetch_add(1, Ordering::Relaxed) + 1;
            let line = format!("127.0.0.1:{port} robot you said {n}");
            let _ = TcpStream::connect(&at).and_then(|mut stream| stream.write_all(line.as_bytes()));
        }
    });
    alice.say("= me.on(\"message\", |me, m| me.send(m.from, \"I heard \" + m.text))");
    alice.say(&format!("send :{port} hello"));
    alice.expect("<robot> you said 1");
    alice.expect("<robot> you said 2");
    alice.say("wait 400ms");
    alice.say("step over");
    alice.expect("# over");
    assert_eq!(count.load(Ordering::Relaxed), 2, "{:#?}", alice.output());
}

#[test]
fn a_handler_that_fails_is_said_once_and_then_called_no_more() {
    let mut alice = Peer::start("alice", &[]);
    alice.say("= let calls = 0;");
    alice.say("= me.on(\"message\", |me, m| throw \"no \" + m.text)");
    alice.say("= me.on(\"message\", |me, m| loop { })");
    alice.say("= me.on(\"message\", |me, m| me.send(m.from, \"got \" + m.text))");
    alice.say("= \"ready\"");
    alice.expect("\"ready\"");
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    for n in 0..7 {
        bob.say(&format!("send alice {n}"));
        bob.expect(&format!("<alice?> got {n}"));
    }
    bob.quit();
    let said = alice.quit();
    let count = |words: &str| said.iter().filter(|line| line.contains(words)).count();
    assert_eq!(count("a handler failed: prompt"), 2, "{said:#?}");
    assert_eq!(count("a handler failed 5 times in a row and is called no more"), 2, "{said:#?}");
    assert_eq!(count("no 0"), 1);
}

#[test]
fn what_is_recorded_plays_in_both_worlds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("day.hob");
    let path = path.to_str().expect("UTF-8");
    let mut bob = Peer::start("bob", &[]);
    let (mut alice, at) = alice();
    alice.keys(&format!("record {path}{ENTER}"));
    alice.line("recording into");
    alice.keys(&format!("connect {}{ENTER}", bob.at()));
    alice.line("bob joined");
    alice.keys(&format!("send bob what? *ever*{ENTER}"));
    bob.expect("what? *ever*");
    alice.line("✓✓ bob #1 delivered");
    bob.say("send alice /a regex?/");
    alice.line("<bob?> /a regex?/");
    bob.say("= me.send(\"alice\", \"two\\nlines \\x1b[2J\")");
    alice.line("lines \\x1b[2J");
    let mut carol = Peer::start("carol", &["--peer", &at]);
    alice.line("carol joined");
    alice.keys(&format!("broadcast \"'quoted'\"{ENTER}"));
    carol.expect("'quoted'");
    alice.line("✓✓ carol #1 delivered");
    alice.line("✓✓ bob #2 delivered");
    carol.quit();
    alice.line("carol left");
    alice.keys(&format!("send nobody x{ENTER}status{ENTER}"));
    alice.line("messages   ");
    drop(bob);
    alice.line("lost bob");
    let mut bob = Peer::start("bob", &["--peer", &at]);
    alice.expect("bob again", |screen| {
        screen.lines().iter().filter(|line| line.contains(" joined at ")).count() == 3
    });
    bob.say("send alice back");
    alice.expect("back", |screen| screen.has("> back"));
    quit(alice);
    bob.expect("alice left");
    let text = fs::read_to_string(path).expect("a script");
    in_order(
        &text,
        &[
            "# recorded by hobnob ",
            "alice> connect bob\n",
            "alice> send bob what? *ever*\n",
            "bob> expect alice /\\Awhat\\? \\*ever\\*\\z/\n",
            "bob> send alice /a regex?/\nalice> expect bob /\\A\\/a regex\\?\\/\\z/\n",
            "= peer(\"bob\").send(peer(\"alice\"), \"two\\nlines \\U0000001b[2J\")\n",
            "carol> connect alice\n",
            "alice> broadcast \"'quoted'\"\n",
            "carol> quit\nsettle\n",
            "# alice> send nobody x: ",
            "crash bob\nsettle\nrestart bob\nbob> connect alice\n",
            "bob> send alice back\nalice> expect bob back\n",
            "alice> quit\n",
        ],
    );
    let mode = fs::metadata(path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for args in [&["run", "-q", path][..], &["run", "-q", "--tcp", path]] {
        let (code, out, error) = run(args);
        assert_eq!((code, error.as_str()), (0, ""), "{args:?}: {out}\n{text}");
    }
}

#[test]
fn a_recording_writes_over_nothing_and_ends_when_told() {
    let (folder, full) = file("full.hob", "# mine\n");
    let (code, _, error) = batch(&[&format!("record {full}")]);
    assert!(code == 3 && error.contains("nothing is written over; choose another name"), "{error}");
    assert_eq!(fs::read_to_string(&full).expect("a file"), "# mine\n");
    let link = folder.path().join("link.hob");
    std::os::unix::fs::symlink(folder.path().join("else"), &link).expect("a link");
    let (code, _, error) = batch(&[&format!("record {}", link.display())]);
    assert!(
        code == 3 && error.contains("link.hob: ") && !Path::exists(&folder.path().join("else")),
        "{error}"
    );

    let path = folder.path().join("new.hob");
    fs::write(&path, "").expect("an empty file");
    let record = format!("record {}", path.display());
    let (code, _, error) = batch(&["record off"]);
    assert!(code == 3 && error.contains("nothing is being recorded; try: record demo.hob"), "{error}");
    let (code, _, error) = batch(&[&record, &record]);
    assert!(code == 3 && error.contains("is being recorded; to end that: record off"), "{error}");
    fs::write(&path, "").expect("an empty file");
    let (code, _, error) = batch(&[&record, "step one", "wait 10ms", "record off", "step two"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let text = fs::read_to_string(&path).expect("a script");
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["step one", "wait 10ms"]);
}

//! The prompt as a person meets it, in a real terminal: what is typed, completed, remembered and
//! asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::proc::Peer;
use crate::pty::{Pty, Screen};

pub(crate) const ENTER: &str = "\r";
const TAB: &str = "\t";
const UP: &str = "\x1b[A";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_D: &str = "\x04";
const CTRL_R: &str = "\x12";

pub(crate) fn alice() -> (Pty, String) {
    Pty::hobnob("alice", &["--ephemeral"], &[])
}

/// Alice at her prompt, and bob connected to her.
pub(crate) fn alice_and_bob() -> (Pty, Peer) {
    let (mut alice, at) = alice();
    let bob = Peer::start("bob", &["--peer", &at]);
    alice.line("bob joined");
    alice.at("alice (1)>");
    (alice, bob)
}

pub(crate) fn quit(mut pty: Pty) {
    pty.keys(&format!("\x15quit{ENTER}"));
    assert_eq!(pty.end(), 0);
    assert_eq!(pty.seen(|seen| seen.screen.strange.clone()), [""; 0]);
}

#[test]
fn tab_completes_verbs_peers_settings_and_files() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys(&format!("whoi{TAB}"));
    alice.at("alice (1)> whois ⟨peer⟩");
    alice.keys(&format!("b{TAB}"));
    alice.at("alice (1)> whois bob");
    alice.keys(&format!("\x15sen{TAB}b{TAB}hello{ENTER}"));
    bob.expect("hello");
    alice.keys(&format!("set col{TAB}ne{TAB}"));
    alice.at("alice (1)> set color never");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("my batch.hob"), "").expect("a file");
    let folder = folder.path().to_str().expect("UTF-8");
    alice.keys(&format!("\x15source {folder}/m{TAB}"));
    alice.expect("a quoted path", |screen| screen.lines().join("").contains("my batch.hob'"));
    quit(alice);
    bob.expect("alice left");
}

#[test]
fn grey_hints_show_what_follows_and_are_never_sent() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys("send");
    alice.at("alice (1)> send ⟨peer⟩ ⟨text⟩");
    alice.keys(" bob");
    alice.at("alice (1)> send bob ⟨text⟩");
    alice.keys(&format!(" hi there{ENTER}"));
    bob.expect("hi there");
    // What was typed before is suggested behind what no argument is missing from.
    alice.at("alice (1)>");
    alice.keys("send bob hi");
    alice.at("alice (1)> send bob hi there");
    alice.keys("\x1b[C!\r");
    bob.expect("hi there!");
    quit(alice);
}

#[test]
fn what_was_typed_is_remembered_for_its_owner_alone() {
    let data = tempfile::tempdir().expect("a folder");
    let args = ["--data", data.path().to_str().expect("UTF-8")];
    let (mut alice, _) = Pty::hobnob("alice", &args, &[]);
    for line in ["me", " status", "peers", "peers", "me", "limits"] {
        alice.keys(&format!("{line}{ENTER}"));
        alice.at("alice (0)>");
    }
    alice.keys(UP);
    alice.at("alice (0)> limits");
    alice.keys(UP);
    alice.at("alice (0)> me [⟨name⟩]");
    alice.keys(UP);
    alice.at("alice (0)> peers [--known]");
    quit(alice);
    let file = data.path().join("history");
    let text = fs::read_to_string(&file).expect("UTF-8");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines, ["peers", "me", "limits", "quit"]);
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);

    let (mut alice, _) = Pty::hobnob("alice", &args, &[]);
    alice.keys(&format!("{UP}{UP}"));
    alice.at("alice (0)> limits");
    alice.keys(&format!("\x15{CTRL_R}ee"));
    alice.expect("the line found", |screen| screen.current().ends_with("`ee': peers"));
    // Esc leaves the search.
    alice.keys("\x1b");
    alice.at("alice (0)>");
    quit(alice);
}

#[test]
fn ctrl_c_clears_the_line_and_ctrl_d_leaves() {
    let (mut alice, _) = alice();
    alice.keys("send bob half");
    alice.expect("the line", |screen| screen.current().contains("half"));
    // Not with characters on the line.
    alice.keys(CTRL_D);
    alice.keys(CTRL_C);
    alice.at("alice (0)>");
    alice.keys(&format!("me{ENTER}"));
    alice.line("you are alice");
    alice.at("alice (0)>");
    alice.keys(CTRL_D);
    assert_eq!(alice.end(), 0);
}

#[test]
fn several_lines_at_once_are_all_obeyed() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys(&(0..20).map(|n| format!("send bob early {n}{ENTER}")).collect::<String>());
    for n in 0..20 {
        bob.expect(&format!("early {n}"));
    }
    quit(alice);
}

#[test]
fn what_is_missing_is_asked_for() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys(&format!("send{ENTER}"));
    alice.at("peer:");
    alice.keys(&format!("b{TAB}{ENTER}"));
    alice.at("text:");
    alice.keys(&format!("\"two words\" 'and quotes{ENTER}"));
    bob.expect("\"two words\" 'and quotes");
    alice.at("alice (1)>");
    alice.keys(&format!("send bob{ENTER}"));
    alice.expect("the question", |screen| screen.current() == "text:");
    alice.keys(CTRL_C);
    alice.line("given up");
    alice.at("alice (1)>");
    quit(alice);
}

#[test]
fn the_menu_asks_for_each_field() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys(&format!("menu{ENTER}"));
    alice.line("1. send");
    alice.at("Enter your choice:");
    alice.keys(&format!("1{ENTER}"));
    alice.expect("the recipient", |screen| screen.current().starts_with("Enter the recipient"));
    alice.keys(&format!("bob{ENTER}"));
    alice.at("Enter your message:");
    alice.keys(&format!("x{ENTER}4{ENTER}to all; quit{ENTER}"));
    bob.expect("x");
    bob.expect("to all; quit");
    alice.at("Enter your choice:");
    alice.keys(ENTER);
    alice.at("alice (1)>");
    alice.keys(&format!("menu{ENTER}0{ENTER}"));
    assert_eq!(alice.end(), 0);
    bob.expect("alice left");
}

#[test]
fn a_chat_takes_every_line() {
    let (mut alice, mut bob) = alice_and_bob();
    alice.keys(&format!("chat bob{ENTER}"));
    alice.at("alice → bob>");
    alice.keys(&format!("quit{ENTER}"));
    bob.expect("quit");
    alice.at("alice → bob>");
    alice.keys(CTRL_D);
    alice.at("alice (1)>");
    alice.keys(&format!("chat bob{ENTER}hi{ENTER}/end{ENTER}"));
    bob.expect("hi");
    alice.at("alice (1)>");
    quit(alice);
}

#[test]
fn a_paste_of_lines_runs_nothing_unasked() {
    let (mut alice, mut bob) = alice_and_bob();
    let paste = |text: &str| format!("\x1b[200~{text}\x1b[201~");
    alice.keys(&paste("send bob pasted 1\nquit\n"));
    alice.keys(ENTER);
    alice.line("2 lines");
    alice.keys(ENTER);
    alice.at("alice (1)>");
    alice.keys(&paste("send bob pasted 2\nsecond line"));
    alice.keys(&format!("{ENTER}o{ENTER}"));
    bob.expect("pasted 2");
    bob.expect("second line");
    alice.keys(&paste("peers\nsend bob pasted 3"));
    alice.keys(&format!("{ENTER}y{ENTER}"));
    bob.expect("pasted 3");
    assert!(!bob.output().iter().any(|line| line.contains("pasted 1")));
    quit(alice);
}

#[test]
fn the_prompt_counts_who_is_there_as_they_come_and_go() {
    let (mut alice, at) = alice();
    alice.keys("me");
    let bob = Peer::start("bob", &["--peer", &at]);
    alice.at("alice (1)> me [⟨name⟩]");
    let carol = Peer::start("carol", &["--peer", &at]);
    alice.at("alice (2)> me [⟨name⟩]");
    bob.quit();
    alice.at("alice (1)> me [⟨name⟩]");
    drop(carol);
    alice.expect("nobody", |screen: &Screen| screen.current().starts_with("alice (0)>"));
    quit(alice);
}

#[test]
fn lines_to_start_with_are_those_of_a_file_of_ours_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".config/hobnob");
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir_all(&config).expect("a folder");
    let rc = config.join("rc");
    for (mode, linked, is_read) in
        [(0o600, false, true), (0o622, false, false), (0o660, false, false), (0o600, true, false)]
    {
        let _ = fs::remove_file(&rc);
        let file = if linked { &elsewhere } else { &rc };
        fs::write(file, "me zoe\n").expect("a file");
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("ours");
        if linked {
            symlink(&elsewhere, &rc).expect("a link");
        }
        let folder = home.path().to_str().expect("UTF-8");
        let (mut alice, _) = Pty::hobnob_from(folder, &[("HOME", folder)]);
        if !is_read {
            alice.line("is not read");
        }
        alice.keys(&format!("me{ENTER}"));
        alice.line(if is_read { "you are zoe" } else { "you are alice" });
        quit(alice);
    }
    // What lies where somebody happens to be, or among what was received, is never read.
    fs::remove_file(&rc).expect("it was there");
    for name in ["rc", ".hobnobrc", "hobnob.rc", "init.rhai", "rc.hob"] {
        fs::write(home.path().join(name), "me zoe\n").expect("a file");
    }
    let folder = home.path().to_str().expect("UTF-8");
    let (mut alice, _) = Pty::hobnob_from(folder, &[("HOME", folder)]);
    alice.keys(&format!("me{ENTER}"));
    alice.line("you are alice");
    quit(alice);
}

//! What a data folder is good for: the history, what waits for somebody who is away, and all that was
//! said of peers are there in the next run.

use std::path::{Path, PathBuf};

use crate::proc::{Peer, hobnob, home, run};
use crate::pty::Pty;
use crate::two_processes::free_port;

/// A name with a place of its own on the network and on the disk.
pub(crate) struct Kept {
    pub(crate) name: &'static str,
    pub(crate) port: String,
    pub(crate) data: String,
}

impl Kept {
    pub(crate) fn new(name: &'static str) -> Self {
        let data = home().join("data").display().to_string();
        Self { name, port: free_port().to_string(), data }
    }

    pub(crate) fn file(&self) -> PathBuf {
        Path::new(&self.data).join("hobnob.db")
    }

    pub(crate) fn start(&self) -> Peer {
        Peer::start_at(self.name, &self.port, &["--data", &self.data])
    }

    /// One command, from another port than its own.
    pub(crate) fn obey(&self, line: &str) -> (i32, String, String) {
        run(&[self.name, "--listen", "127.0.0.1", "--data", &self.data, "-c", line])
    }

    fn log(&self, options: &str) -> Vec<String> {
        let (code, out, err) = self.obey(&format!("log {options}"));
        assert_eq!((code, &*err), (0, ""), "{out}");
        out.lines().map(str::to_owned).collect()
    }
}

/// Two who have met and said a word each, and are running.
pub(crate) fn met() -> ((Kept, Peer), (Kept, Peer)) {
    let (alice, bob) = (Kept::new("alice"), Kept::new("bob"));
    let (mut at_alice, mut at_bob) = (alice.start(), bob.start());
    at_alice.say(&format!("send :{} first", bob.port));
    at_bob.expect("<alice?> first");
    at_bob.say("send alice second");
    at_alice.expect("<bob?> second");
    at_bob.expect("✓✓ alice #1 delivered");
    ((alice, at_alice), (bob, at_bob))
}

/// The words of the second line that begins so.
fn word(out: &str, begins: &str) -> String {
    let line = out.lines().find(|line| line.trim_start().starts_with(begins)).expect(begins);
    line.split_whitespace().last().expect("a word").to_owned()
}

#[test]
fn the_history_is_there_in_the_next_run() {
    let ((alice, mut at_alice), (bob, at_bob)) = met();
    for text in ["Deployed at noon", "the café closes", "lunch?"] {
        at_alice.say(&format!("send bob {text}"));
    }
    at_alice.expect("#4 delivered");
    at_alice.quit();
    at_bob.quit();
    let lines = alice.log("");
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert!(lines[0].ends_with("✓✓ you to bob (delivered): first"), "{lines:#?}");
    assert!(lines[1].ends_with("<bob?> second"), "{lines:#?}");
    assert_eq!(alice.log("bob -n 2"), lines[3..]);
    assert_eq!(alice.log("--find deploy"), lines[2..3]);
    assert_eq!(alice.log("bob --find CAFE"), lines[3..4]);
    assert_eq!(bob.log("-n 1")[0].split_once("    ").map(|(_, said)| said), Some("<alice?> lunch?"));
    assert_eq!(alice.log("--find nowhere"), ["* no message is kept that fits"]);
    let (code, _, err) = alice.obey("log carol");
    assert_eq!((code, err.contains("no peer called \"carol\"")), (3, true), "{err}");
}

#[test]
fn one_command_for_a_peer_that_is_away_queues_it_and_says_so() {
    let ((alice, at_alice), (bob, at_bob)) = met();
    at_bob.quit();
    at_alice.quit();
    let begun = std::time::Instant::now();
    for (number, stay) in [(2, "1 message stays"), (3, "2 messages stay")] {
        let (code, out, err) = alice.obey(&format!("send bob number {number}"));
        assert_eq!((code, &*err), (0, ""), "{out}");
        assert!(out.contains(&format!("✓ bob #{number} queued; it goes out when bob is back\n")), "{out}");
        assert!(out.contains("* bob is away: 127.0.0.1:"), "{out}");
        assert!(out.ends_with(&format!("* {stay} for bob queued until you both run\n")), "{out}");
    }
    assert!(begun.elapsed().as_secs() < 9, "nobody waits for who is away: {:?}", begun.elapsed());
    let lines = alice.log("bob -n 2");
    assert!(lines[1].ends_with("✓  you to bob (queued): number 3"), "{lines:#?}");
    // Both go out at the next chance, once and in order.
    let (mut at_alice, mut at_bob) = (alice.start(), bob.start());
    at_bob.expect("<alice?> number 2");
    at_bob.expect("<alice?> number 3");
    at_alice.expect("#3 delivered");
    at_alice.say("send bob number 4");
    at_bob.expect("<alice?> number 4");
    at_alice.quit();
    let said = at_bob.quit();
    assert_eq!(said.iter().filter(|line| line.contains("<alice?>")).count(), 3, "{said:#?}");
    assert!(alice.log("").iter().all(|line| !line.contains("queued")));
}

#[test]
fn what_waits_is_delivered_by_one_command_too_when_its_peer_is_back() {
    let ((alice, at_alice), (bob, at_bob)) = met();
    at_bob.quit();
    at_alice.quit();
    assert_eq!(alice.obey("send bob before").0, 0);
    let mut at_bob = bob.start();
    let (code, out, _) = alice.obey("send bob after");
    assert_eq!(code, 0, "{out}");
    at_bob.expect("<alice?> before");
    at_bob.expect("<alice?> after");
    assert!(out.contains("delivered") && !out.contains("queued until"), "{out}");
}

#[test]
fn a_pipe_goes_on_while_its_peer_is_away_and_is_killed_with_what_waits() {
    let ((alice, mut at_alice), (bob, mut at_bob)) = met();
    at_bob.signal("-KILL");
    at_bob.wait();
    at_alice.expect("* lost bob");
    for number in 0..20 {
        at_alice.say(&format!("send bob number {number}"));
    }
    at_alice.expect("✓ bob #21 queued; it goes out when bob is back");
    at_alice.signal("-KILL");
    at_alice.wait();
    let (mut at_bob, mut at_alice) = (bob.start(), alice.start());
    for number in 0..20 {
        at_bob.expect(&format!("<alice?> number {number}"));
    }
    at_alice.expect("#21 delivered");
    at_bob.say("log alice -n 20");
    at_bob.expect("<alice?> number 19");
    at_alice.quit();
    let said = at_bob.quit();
    let shown = said.iter().filter(|line| line.starts_with("<alice?>")).count();
    assert_eq!(shown, 20, "{said:#?}");
}

#[test]
fn the_key_and_all_that_was_said_of_a_peer_stay() {
    let ((alice, mut at_alice), (_bob, at_bob)) = met();
    at_alice.say("me");
    let key = at_alice.expect("  key ");
    for line in ["trust bob", "alias robert bob", "ignore robert", "set times on"] {
        at_alice.say(line);
    }
    at_alice.expect("* ignoring robert");
    let lines = at_alice.quit();
    assert!(lines.iter().any(|line| line.contains("is verified:")), "{lines:#?}");
    at_bob.quit();
    assert!(alice.obey("me").1.contains(&key));
    let (code, out, err) = alice.obey("whois robert");
    assert_eq!((code, &*err), (0, ""));
    assert_eq!((word(&out, "calls itself"), word(&out, "ignored")), ("bob".into(), "yes".into()), "{out}");
    assert_eq!(word(&out, "trust"), "verified", "{out}");
    let (_, peers, _) = alice.obey("peers --known");
    assert!(peers.contains("verified") && peers.contains("ignored"), "{peers}");
}

#[test]
fn peers_are_found_again_at_start() {
    let ((alice, at_alice), (_bob, mut at_bob)) = met();
    at_alice.quit();
    at_bob.expect("* alice left");
    let mut at_alice = alice.start();
    at_alice.expect("* bob joined");
    at_bob.expect("* alice joined");
    // Who was parted from by a command is not looked for.
    at_alice.say("disconnect bob");
    at_bob.expect("* alice left");
    at_alice.quit();
    let mut at_alice = alice.start();
    at_alice.say("peers");
    at_alice.expect("nobody is connected");
    at_alice.say("connect bob");
    at_alice.expect("* bob joined");
}

#[test]
fn a_second_instance_is_refused_where_it_was_told_to_be_and_keeps_nothing_elsewhere() {
    let alice = Kept::new("alice");
    let running = alice.start();
    let (code, out, err) = alice.obey("me");
    assert_eq!((code, &*out), (3, ""));
    let pid = running.proc("stat").split(' ').next().expect("its own").to_owned();
    assert!(err.contains(&format!("is in use by process {pid}; give another folder with --data")), "{err}");
    // By default it goes on without.
    let folder = home();
    let start = |name: &str| {
        let mut command = hobnob(&[name, "0", "--listen", "127.0.0.1"]);
        command.env("HOME", &folder);
        Peer::spawn(command, &[])
    };
    let mut first = start("carol");
    first.say("me");
    let key = first.expect("  key ");
    let mut second = start("carol");
    second.expect_error("hobnob: nothing is kept, and the key is for this run only:");
    second.say("me");
    assert_ne!(second.expect("  key "), key);
    second.say(&format!("send :{} hi", first.addr.port()));
    second.expect("✓✓ carol #1 delivered");
    second.say("log");
    second.expect_error("log: nothing is kept here");
    assert_eq!(second.wait(), 3);
    assert!(folder.join(".local/share/hobnob/carol/hobnob.db").exists());
    let mut other = start("dave");
    other.say("me");
    assert_ne!(other.expect("  key "), key, "each name has a folder");
}

#[test]
fn ephemeral_leaves_no_file() {
    let folder = home();
    let mut command = hobnob(&["alice", "--listen", "127.0.0.1", "--ephemeral", "-c", "me", "-c", "peers"]);
    let output = command.env("HOME", &folder).output().expect("it runs");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
    assert_eq!(std::fs::read_dir(&folder).expect("there").count(), 0);
}

#[test]
fn who_was_met_in_an_earlier_run_is_completed() {
    let ((alice, at_alice), (_bob, at_bob)) = met();
    at_bob.quit();
    at_alice.quit();
    let (mut prompt, _) = Pty::hobnob("alice", &["--data", &alice.data], &[]);
    prompt.keys("log b\t");
    prompt.expect("the name", |screen| screen.current().starts_with("alice (0)> log bob"));
    prompt.keys("\r");
    prompt.line("<bob?> second");
    prompt.keys("trust bob --replace 12345678 --forget\r");
    prompt.line("trust: --replace and --forget exclude each other");
    prompt.keys("quit\r");
    assert_eq!(prompt.end(), 0);
}

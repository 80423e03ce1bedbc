//! Two real processes over real sockets: every verb, as a user of a pipe meets it.

use crate::proc::{Peer, home, run, run_with};

/// Alice, and bob who keeps her connected; both know it.
fn pair() -> (Peer, Peer) {
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    bob.expect("* alice joined");
    alice.expect("* bob joined");
    (alice, bob)
}

#[test]
fn they_talk_both_ways_and_see_each_other_by_listening_address() {
    let (mut alice, mut bob) = pair();
    for number in 0..50 {
        alice.say(&format!("send bob to bob {number}"));
        bob.say(&format!("@alice to alice {number}"));
    }
    for number in 0..50 {
        bob.expect(&format!("<alice?> to bob {number}"));
        alice.expect(&format!("<bob?> to alice {number}"));
    }
    alice.say("peers");
    assert!(alice.expect("connected").contains(&bob.at()), "by the port that it listens on");
    bob.say("peers");
    assert!(bob.expect("connected").contains(&alice.at()));
    bob.quit();
    alice.expect("* bob left");
}

#[test]
fn a_death_is_a_loss_and_no_goodbye() {
    let (mut alice, mut bob) = pair();
    bob.signal("-KILL");
    bob.wait();
    let line = alice.expect("bob");
    assert!(line.starts_with("* lost bob: "), "{line}");
}

#[test]
fn broadcast_and_reply_reach_whom_they_should() {
    let (mut alice, mut bob) = pair();
    let mut carol = Peer::start("carol", &["--peer", &alice.at()]);
    alice.expect("* carol joined");
    alice.say("* hello, all");
    alice.expect("✓ to 2 peers: bob, carol");
    bob.expect("<alice?> hello, all");
    carol.expect("<alice?> hello, all");
    carol.say("reply just to you");
    alice.expect("<carol?> just to you");
    alice.say("r and back");
    carol.expect("<alice?> and back");
    assert!(!bob.output().iter().any(|line| line.contains("and back")));
}

#[test]
fn chat_sends_every_line_until_it_is_ended() {
    let (mut alice, mut bob) = pair();
    for line in ["chat bob", "quit", "help", "  two  spaces  ", "/end", "me"] {
        alice.say(line);
    }
    bob.expect("<alice?> quit");
    bob.expect("<alice?> help");
    bob.expect("<alice?>   two  spaces  ");
    alice.expect("* you are alice");
}

#[test]
fn connect_disconnect_ping_whois_status_limits_and_help_answer() {
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &[]);
    alice.say(&format!("connect {}", bob.at()));
    alice.expect("* bob joined");
    alice.say(&format!("connect {}", bob.at()));
    alice.expect("* bob is connected already");
    alice.say("ping bob -n 3");
    alice.expect("* pong from bob in");
    alice.expect("* 3 round trips: least");
    alice.say("whois bob");
    let key = alice.expect("key").split_whitespace().last().map(str::to_owned).expect("a key");
    assert_eq!(key.len(), 64);
    assert_eq!(alice.expect("words").matches('-').count(), 5);
    alice.expect(&bob.at());
    alice.say(&format!("send {} by key", &key[..6]));
    bob.expect("<alice?> by key");
    alice.say("status");
    alice.expect("1 connected, 1 known");
    alice.expect("1 sent, 1 delivered, 0 queued");
    alice.say("limits");
    alice.expect("32 KiB");
    alice.say("help send");
    alice.expect("send PEER TEXT");
    alice.say("set");
    alice.expect("receipts");
    alice.say("disconnect bob");
    alice.expect("* disconnected from bob");
    bob.expect("* alice left");
    alice.say("connect");
    alice.expect("* bob joined");
    alice.expect("* 1 peer connected: bob");
    alice.say("disconnect --all");
    bob.expect("* alice left");
    alice.quit();
}

#[test]
fn names_change_and_aliases_stay() {
    let (mut alice, mut bob) = pair();
    bob.say("me robert");
    alice.expect("* bob is now robert");
    alice.say("alias rob robert");
    alice.say("send rob hi");
    bob.expect("<alice?> hi");
    bob.say("send alice it is me");
    alice.expect("<rob?> it is me");
    alice.say("expect rob *me");
    alice.say("ignore rob");
    alice.expect("* ignoring rob");
    alice.say("! expect rob * --within 200ms");
    bob.say("send alice unheard");
    bob.say("ping alice");
    bob.expect("pong");
    alice.say("unignore rob");
    alice.say("me");
    alice.expect("* you are alice");
    bob.say("send alice heard");
    alice.expect("<rob?> heard");
    assert!(!alice.quit().iter().any(|line| line.contains("unheard")));
}

#[test]
fn expect_takes_what_matches_and_leaves_the_rest() {
    let (mut alice, mut bob) = pair();
    bob.say("send alice one");
    bob.say("send alice two");
    for line in ["expect bob two", "expect * o?e", "expect-none 100ms", "wait 10ms", "me"] {
        alice.say(line);
    }
    alice.expect("* you are alice");
    bob.say("send alice three");
    alice.expect("<bob?> three");
    alice.say("expect bob /fo+ur/ --within 100ms");
    alice.expect_error("expect: no message from bob matched /fo+ur/ within 100ms; unread:");
    alice.expect_error("<bob> three");
    assert_eq!(alice.wait(), 4);
    bob.expect("* alice left");
}

#[test]
fn a_kept_address_is_reported_once_and_found_when_it_is_there() {
    let port = free_port();
    let mut bob = Peer::start("bob", &["--peer", &format!("127.0.0.1:{port}")]);
    bob.expect("refused (nothing listens there); trying again from time to time");
    bob.say("me");
    bob.expect("* you are bob");
    let data = home().display().to_string();
    let mut alice = Peer::start_at("alice", &port.to_string(), &["--data", &data]);
    bob.expect("* alice joined");
    alice.expect("* bob joined");
    alice.quit();
    bob.expect("* alice left");
    let mut alice = Peer::start_at("alice", &port.to_string(), &["--data", &data]);
    bob.expect("* alice joined");
    bob.say("send alice again");
    alice.expect("<bob?> again");
    let lines = bob.quit();
    assert!(lines.iter().filter(|line| line.contains("trying again")).count() <= 2, "{lines:#?}");
}

#[test]
fn one_command_waits_for_its_own_effect() {
    let mut alice = Peer::start("alice", &[]);
    let data = home().display().to_string();
    let bob = ["bob", "--listen", "127.0.0.1", "--data", &data];
    let (code, out, err) = run(&[&bob[..], &["-c", &format!("send {} hi", alice.at())]].concat());
    assert_eq!((code, &*out, &*err), (0, "✓✓ alice #1 delivered\n", ""));
    alice.expect("<bob?> hi");
    let long = "x".repeat(32 * 1024);
    let input = format!("send {} {long}\n", alice.at());
    assert_eq!(run_with(&[&bob[..], &["-q"]].concat(), input.as_bytes()), (0, String::new(), String::new()));
    alice.expect(&format!("<bob?> {long}"));
}

#[test]
fn a_pipe_is_obeyed_in_order_to_its_last_line() {
    let mut alice = Peer::start("alice", &["--json"]);
    let lines: String = (0..20_000).map(|number| format!("send {} number {number}\n", alice.at())).collect();
    let (code, _, err) = run_with(&["bob", "--listen", "127.0.0.1"], lines.trim_end().as_bytes());
    assert_eq!((code, &*err), (0, ""));
    alice.expect("\"ev\":\"left\"");
    let numbers: Vec<_> = alice.output().iter().filter(|line| line.contains("\"recv\"")).cloned().collect();
    assert_eq!(numbers.len(), 20_000);
    for (number, line) in numbers.iter().enumerate() {
        assert!(line.contains(&format!("\"text\":\"number {number}\"")), "{line}");
    }
}

#[test]
fn tail_prints_as_many_messages_as_asked() {
    let mut tail = Peer::start_tail(&["-n", "3", "--json"]);
    let sends: Vec<_> = (0..3).flat_map(|n| ["-c".to_owned(), format!("send {} m{n}", tail.at())]).collect();
    let args: Vec<_> =
        ["bob", "--listen", "127.0.0.1"].into_iter().chain(sends.iter().map(String::as_str)).collect();
    assert_eq!(run(&args).0, 0);
    assert_eq!(tail.wait(), 0);
    let lines = tail.output();
    assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert_eq!(lines.iter().filter(|line| line.contains("\"ev\":\"recv\"")).count(), 3);
    assert!(lines.last().is_some_and(|line| line.contains("\"ev\":\"end\"")));
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

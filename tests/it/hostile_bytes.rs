//! Whatever a stranger sends, it gets a closed link and nothing else happens: no panic, no hang, no
//! memory, and honest peers go on.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, TestRunner};

use crate::proc::{PATIENCE, Peer};

/// Sends `bytes` and waits until the other side closes; gives what it said until then.
fn provoke(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it was not closed"),
    }
    said
}

fn still_well(alice: &mut Peer) {
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    bob.expect("* alice joined");
    bob.say("send alice are you well?");
    alice.expect("<bob?> are you well?");
    alice.say("reply yes");
    bob.expect("<alice?> yes");
    bob.quit();
    alice.expect("* bob left");
}

#[test]
fn strangers_are_closed_at_once_and_honest_peers_are_served() {
    let mut alice = Peer::start("alice", &["-v"]);
    let began = Instant::now();
    let zero_key = [&b"\x7fHOBNOB1\x00\x20"[..], &[0; 32]].concat();
    for (bytes, said) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "sent what the protocol does not allow"),
        (b"\x00\x00\x00\x00", "sent what the protocol does not allow"),
        (b"\xff\xff\xff\xff\xff", "sent what the protocol does not allow"),
        (b"\x7fHOBNOX1xxxxxxx", "sent what the protocol does not allow"),
        (b"\x7fHOBNOB9", "speaks version 9 of the protocol, we speak 1"),
        (b"\x7fHOBNOB1\xff\xff", "sent what the protocol does not allow"),
        (b"\x7fHOBNOB1\x00\x00", "sent what the protocol does not allow"),
        (&zero_key, "could not prove who it is"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n127.0.0.1:5 T hi\r\n", "sent what the protocol does not allow"),
    ] {
        provoke(alice.addr, bytes);
        alice.expect(said);
    }
    assert!(began.elapsed() < Duration::from_secs(10), "none had to wait for a deadline");
    still_well(&mut alice);
    assert!(!alice.quit().iter().any(|line| line.contains("hi")), "the browser's text was not heard");
}

#[test]
fn a_stalled_handshake_ends_by_its_deadline() {
    let mut alice = Peer::start("alice", &["-v"]);
    let began = Instant::now();
    provoke(alice.addr, b"\x7fHOB");
    alice.expect("handshake not finished in time");
    assert!((2..8).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    let began = Instant::now();
    provoke(alice.addr, b"\x7fHOBNOB1\x00\x20\x09");
    alice.expect("handshake not finished in time");
    assert!((10..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[test]
fn a_listener_that_never_speaks_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = silent.local_addr().expect("bound");
    let mut alice = Peer::start("alice", &[]);
    let began = Instant::now();
    alice.say(&format!("connect {at}"));
    alice.expect_error("does not speak hobnob; if it is a plain program: connect --classic");
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(alice.wait(), 3);
}

#[test]
fn a_hundred_silent_streams_do_not_keep_an_honest_peer_out() {
    let mut alice = Peer::start("alice", &[]);
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(alice.addr).expect("it listens")).collect();
    let began = Instant::now();
    still_well(&mut alice);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(silent);
}

#[test]
fn any_bytes_leave_it_well() {
    let mut alice = Peer::start("alice", &[]);
    let to = alice.addr;
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let preambles = proptest::sample::select(vec![&b""[..], b"\x7f", b"\x7fHOBNOB1", b"\x7fHOBNOB1\x00\x20"]);
    let rest = proptest::collection::vec(proptest::num::u8::ANY, 0..300);
    runner
        .run(&(preambles, rest), |(preamble, rest)| {
            let mut stream = TcpStream::connect(to).expect("it listens");
            let _ = stream.write_all(&[preamble, &rest].concat());
            Ok(())
        })
        .expect("it still listens");
    still_well(&mut alice);
}

#[test]
fn hostile_text_is_shown_and_does_nothing() {
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    bob.expect("* alice joined");
    bob.say("send alice \u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{9b}31m\u{202e}x\u{2028}* carol left");
    let line = alice.expect("<bob?>");
    assert_eq!(line, "<bob?> \\x1b]52;c;aGk=\\x07\\x1b[2J\\u{9b}31m\\u{202e}x\\u{2028}* carol left");
    let mut stream = TcpStream::connect(alice.addr).expect("it listens");
    stream.write_all(b"127.0.0.1:7 Eve one\n* bob left\n<bob?> two").expect("it reads");
    alice.expect("[plain] <Eve> one");
    assert_eq!(alice.expect("bob left"), "  | * bob left");
    assert_eq!(alice.expect("two"), "  | <bob?> two");
}

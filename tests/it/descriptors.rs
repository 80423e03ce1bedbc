//! Too few descriptors: said in words at the start, and lived through later.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::proc::{PATIENCE, Peer, limited};
use crate::pty::Pty;

#[test]
fn too_few_to_begin_with_are_said_in_words() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/demo.rhai");
    let kinds: [&[&str]; 3] =
        [&["tester", "--listen", "127.0.0.1", "-c", "me"], &["tester"], &["run", script]];
    for args in kinds {
        let mut well = 0;
        for descriptors in 4..=40 {
            let output = limited(descriptors, args).output().expect("it starts");
            let err = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(0) => well += 1,
                Some(3) => {
                    assert!(err.contains("too few file descriptors"), "{descriptors}: {err}");
                    assert_eq!(well, 0, "{descriptors} are fewer than enough");
                }
                other => panic!("{args:?} with {descriptors} descriptors: {other:?} {err}"),
            }
        }
        assert!((15..=30).contains(&well), "{args:?} needs {} of them", 41 - well);
    }
}

#[test]
fn a_prompt_comes_up_with_few_or_says_why_not() {
    for descriptors in [6, 12, 18, 20, 28] {
        let script = format!(
            "ulimit -n {descriptors} && exec '{}' alice 0 --listen 127.0.0.1 --ephemeral",
            env!("CARGO_BIN_EXE_hobnob")
        );
        let mut pty = Pty::start("/bin/sh", &["-c", &script], &[]);
        let up = pty.wait("a prompt, or why there is none", |seen| {
            let lines = seen.screen.lines().join("\n");
            assert!(!lines.contains("panicked"), "{descriptors}: {lines}");
            let refused = lines.contains("too few file descriptors");
            (refused || lines.contains("alice (0)>")).then_some(!refused)
        });
        assert_eq!(up, descriptors >= 19, "{descriptors}");
        if up {
            pty.keys("quit\r");
        }
        assert_eq!(pty.end(), if up { 0 } else { 3 });
    }
}

/// Time that it has had a processor.
fn cpu(peer: &Peer) -> Duration {
    let stat = peer.proc("stat");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

/// Takes every stream at a port of all addresses of this machine, and begins a handshake on each that it
/// never goes on with, until it is told to let go.
fn holder() -> (u16, std::sync::mpsc::Sender<()>, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    listener.set_nonblocking(true).expect("a socket");
    let (let_go, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut held = Vec::new();
        while told.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            match listener.accept() {
                Ok((mut stream, _)) => {
                    stream.write_all(b"\x7fHOBNOB1").expect("it reads");
                    held.push(stream);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        held.len()
    });
    (port, let_go, thread)
}

#[test]
fn when_none_is_left_streams_are_turned_away_until_there_are_some() {
    let (port, let_go, thread) = holder();
    // It keeps dialling more addresses than it has descriptors.
    let peers: Vec<String> = (1..=60).map(|n| format!("127.0.0.{n}:{port}")).collect();
    let args: Vec<&str> = peers.iter().flat_map(|peer| ["--peer", peer]).collect();
    let mut alice = Peer::start_with(32, "alice", &args);
    let (mut away, began, before) = (0, Instant::now(), cpu(&alice));
    while away < 20 {
        assert!(began.elapsed() < PATIENCE, "nobody was turned away: {away}");
        let mut stream = TcpStream::connect(alice.addr).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket");
        // Whoever is let in is greeted after a while.
        match stream.read(&mut [0; 1]) {
            Ok(0) => away += 1,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "left waiting");
                away += 1;
            }
        }
    }
    let (spent, passed) = (cpu(&alice) - before, began.elapsed());
    assert!(spent < passed / 4 + Duration::from_millis(200), "{spent:?} of a processor in {passed:?}");
    let_go.send(()).expect("it runs");
    assert!(thread.join().expect("it held them") > 10);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    alice.expect("* bob joined");
    bob.expect("* alice joined");
    assert!(alice.proc("status").contains("hobnob"));
}

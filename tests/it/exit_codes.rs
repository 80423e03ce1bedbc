//! How a run ends: the exit code and the one line that says why.

use std::net::TcpListener;
use std::process::Stdio;

use crate::proc::{Peer, hobnob, home, run, run_with};

#[test]
fn every_kind_of_end_has_its_code_and_its_line() {
    let here = ["tester", "--listen", "127.0.0.1"];
    for (args, code, said) in [
        (&["-c", "me"][..], 0, ""),
        (&["--no-such-flag"], 1, "unexpected argument '--no-such-flag'"),
        (&["-c", "me", "--timeout", "5"], 1, "unit"),
        (&["-c", "sned bob hi"], 2, "-c:1: unknown command \"sned\"; did you mean send?"),
        (&["-c", "hello everybody"], 2, "-c:1: "),
        (&["-c", "me", "-c", "expect bob"], 2, "-c:2: "),
        (&["-c", "send bob hi"], 3, "-c:1: send: no peer called \"bob\""),
        (&["-c", "broadcast hi"], 3, "-c:1: broadcast: nobody is connected; try: connect :5001"),
        (&["-c", "reply hi"], 3, "-c:1: reply: no one has written yet"),
        (&["-c", "connect 127.0.0.1:1"], 3, "-c:1: connect: 127.0.0.1:1 refused (nothing listens there)"),
        (&["-c", "send 127.0.0.1:1 hi"], 3, "-c:1: send: 127.0.0.1:1 refused (nothing listens there)"),
        (&["-c", "source /no/such/file"], 3, "-c:1: source: /no/such/file: "),
        (
            &["-c", "expect * * --within 50ms"],
            4,
            "-c:1: expect: no message from anybody matched * within 50ms",
        ),
        (&["-c", "! me"], 4, "-c:1: this was to fail and did not: me"),
        (&["-c", "! send bob hi", "-c", "? reply x"], 0, ""),
    ] {
        let args: Vec<_> = here.iter().chain(args).copied().collect();
        let (found, _, err) = run(&args);
        assert_eq!(found, code, "{args:?}: {err}");
        assert!(err.contains(said) && err.is_empty() == said.is_empty(), "{args:?}: {err}");
    }
    // Nothing was done when a later line is no command.
    let (_, out, _) = run(&["tester", "--listen", "127.0.0.1", "-c", "me", "-c", "nonsense"]);
    assert_eq!(out, "");
}

#[test]
fn a_name_of_ten_kilobytes_is_refused_by_name() {
    let (code, _, err) = run(&[&"x".repeat(10_240), "0"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("a name of 10240 bytes is too long; the limit is 32 bytes"),
        "{}",
        &err[err.len() - 300..]
    );
}

#[test]
fn a_body_that_is_too_long_is_refused_by_name() {
    let line = format!("send :5000 {}\n", "x".repeat(32 * 1024 + 1));
    let (code, _, err) = run_with(&["tester", "--listen", "127.0.0.1"], line.as_bytes());
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("32769") && err.contains("32768"), "{err}");
}

#[test]
fn a_port_in_use_is_said_and_no_other_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    for listen in [&["--listen", "127.0.0.1"][..], &[]] {
        let args: Vec<_> =
            ["tester", &port].into_iter().chain(listen.iter().copied()).chain(["-c", "me"]).collect();
        let (code, _, err) = run(&args);
        assert_eq!(code, 3);
        assert!(err.contains("the port is in use; choose another"), "{err}");
    }
}

#[test]
fn a_port_is_free_again_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("bound").port();
    for _ in 0..5 {
        let mut alice = Peer::start_at("alice", &port.to_string(), &[]);
        let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
        alice.expect("* bob joined");
        // With a link open, whose end the system remembers for a minute.
        alice.signal("-KILL");
        assert_eq!(alice.wait(), -1);
        bob.expect("* lost alice");
    }
}

#[test]
fn of_many_at_once_one_has_the_folder_and_the_others_say_whose_it_is() {
    let folder = home().display().to_string();
    let args = ["alice", "0", "--listen", "127.0.0.1", "--data", &folder];
    for _ in 0..3 {
        let start = |_| {
            let mut command = hobnob(&args);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("it starts")
        };
        let mut racers: Vec<_> = (0..6).map(start).collect();
        // The one that has it runs on until its input ends; the others end by themselves.
        let mut lost = Vec::new();
        let until = std::time::Instant::now() + crate::proc::PATIENCE;
        while lost.len() < 5 {
            assert!(std::time::Instant::now() < until, "only {} have ended", lost.len());
            let ended = racers.iter_mut().position(|racer| racer.try_wait().expect("a child").is_some());
            match ended {
                Some(at) => lost.push(racers.remove(at).wait_with_output().expect("it has ended")),
                None => std::thread::sleep(std::time::Duration::from_millis(2)),
            }
        }
        let winner = racers.pop().expect("one is left");
        for output in lost {
            let err = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{err}");
            // In the very first moment it has not said yet who it is.
            let by = [format!("process {}", winner.id()), "another process".into()];
            assert!(by.iter().any(|by| err.contains(&format!("is in use by {by}"))), "{err}");
        }
        let (code, _, err) = run(&args);
        assert!(code == 3 && err.contains(&format!("is in use by process {}", winner.id())), "{code} {err}");
        assert_eq!(winner.wait_with_output().expect("it ends").status.code(), Some(0));
    }
}

#[test]
fn a_signal_ends_it_with_a_goodbye() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut alice = Peer::start("alice", &[]);
        let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
        bob.expect("* alice joined");
        bob.signal(signal);
        alice.expect("* bob left");
        assert_eq!(bob.wait(), 130);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut alice = Peer::start("alice", &[]);
    let mut child = hobnob(&["bob", "--listen", "127.0.0.1", "--peer", &alice.at()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    alice.expect("* bob joined");
    drop(child.stdout.take());
    alice.say("send bob is anybody reading?");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    alice.expect("* bob left");
}

#[test]
fn standard_input_that_is_closed_or_empty_ends_at_once() {
    for input in [Stdio::null(), Stdio::piped()] {
        let output = hobnob(&["tester", "--listen", "127.0.0.1"]).stdin(input).output().expect("it ends");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn what_is_not_text_is_refused_with_its_line() {
    let (code, _, err) = run_with(&["tester", "--listen", "127.0.0.1"], b"me\n\xff\xfe\n");
    assert_eq!((code, &*err), (2, "stdin:2: this line is not UTF-8 text\n"));
    let long = [&b"x"[..]; 100_000].concat();
    let (code, _, err) = run_with(&["tester", "--listen", "127.0.0.1"], &long);
    assert_eq!(code, 2);
    assert!(err.starts_with("stdin:1: "), "{err}");
}

#[test]
fn completions_come_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, err) = run(&["completions", shell]);
        assert_eq!((code, &*err), (0, ""));
        assert!(out.contains("hobnob") && out.contains("classic"), "{shell}");
    }
}

#[test]
fn sourced_files_name_their_lines_and_end_when_they_source_themselves() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(folder.path().join("bad.hob"), "# fine\nme\nsend nobody hi\n").expect("written");
    std::fs::write(folder.path().join("self.hob"), format!("source {}\n", path("self.hob")))
        .expect("written");
    let (code, _, err) =
        run(&["tester", "--listen", "127.0.0.1", "-c", &format!("source {}", path("bad.hob"))]);
    assert_eq!(code, 3);
    assert!(
        err.starts_with(&format!("-c:1: {}:3: send: no peer called \"nobody\"", path("bad.hob"))),
        "{err}"
    );
    let (code, _, err) =
        run(&["tester", "--listen", "127.0.0.1", "-c", &format!("source {}", path("self.hob"))]);
    assert_eq!(code, 3);
    assert!(err.contains("sourced 16 deep"), "{err}");
}

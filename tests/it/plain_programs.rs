//! Plain programs on the same port, played byte by byte with bare sockets: what they send is shown
//! and answered as they expect, what they are sent is what they can read.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::proc::{PATIENCE, Peer, run};

/// One text on a connection of its own, as nearly all plain programs do.
fn tell(to: SocketAddr, text: &[u8]) {
    let mut stream = TcpStream::connect(to).expect("it listens");
    stream.write_all(text).expect("it reads");
    stream.shutdown(Shutdown::Write).expect("still open");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("no reset");
}

/// A plain program that listens.
struct Program(TcpListener);

impl Program {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().expect("bound").port()
    }

    fn accept(&self) -> TcpStream {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("a socket");
                    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
                    return stream;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(error) => panic!("nobody connected: {error}"),
            }
        }
    }

    /// All of one connection, which must end by itself after a single write.
    fn hear(&self) -> String {
        let mut stream = self.accept();
        let mut bytes = vec![0; 4_096];
        let count = stream.read(&mut bytes).expect("something is said");
        assert_eq!(stream.read(&mut bytes[count..]).expect("then it ends"), 0, "one write");
        String::from_utf8(bytes[..count].to_vec()).expect("UTF-8")
    }
}

#[test]
fn what_they_send_is_shown_and_they_are_listed_by_the_port_they_claim() {
    let mut alice = Peer::start("alice", &[]);
    tell(alice.addr, b"127.0.0.1:7202 Theirs hello there");
    alice.expect("* [plain] Theirs joined at 127.0.0.1:7202");
    alice.expect("[plain] <Theirs> hello there");
    tell(alice.addr, b"127.0.1.1:7202 Theirs from another of my addresses");
    alice.expect("[plain] <Theirs> from another of my addresses");
    alice.say("peers");
    let row = alice.expect("Theirs");
    assert!(row.contains("127.0.0.1:7202") && row.contains("plain"), "{row}");
    tell(alice.addr, b"127.0.0.1:7202 Theirs exit");
    alice.expect("* [plain] Theirs left");
    alice.say("peers");
    alice.expect("nobody is connected");
    alice.say("peers --known");
    alice.expect("Theirs");
    tell(alice.addr, b"127.0.0.1:7202 Theirs I am back");
    alice.expect("* [plain] Theirs joined");
    assert_eq!(alice.quit().iter().filter(|line| line.contains("Theirs joined")).count(), 2);
}

#[test]
fn one_byte_at_a_time_is_one_message() {
    let mut alice = Peer::start("alice", &[]);
    let mut stream = TcpStream::connect(alice.addr).expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    for byte in b"127.0.0.1:7202 Slow h\xc3\xbcllo" {
        stream.write_all(&[*byte]).expect("it reads");
        std::thread::sleep(Duration::from_millis(3));
    }
    alice.expect("[plain] <Slow> hüllo");
}

#[test]
fn a_program_that_waits_is_answered() {
    let alice = Peer::start("alice", &[]);
    let port = alice.addr.port();
    for (sent, answer) in [
        ("127.0.0.1:7202 CONNECT_REQUEST".to_owned(), "CONNECTED".to_owned()),
        ("127.0.0.1:7202 Theirs connect".into(), format!("127.0.0.1:{port} alice connected")),
        ("127.0.0.1:7202 Theirs hi".into(), format!("[ACK] Message received from {port}")),
        ("PORT:7202".into(), format!("PORT:{port}")),
        ("7202\nTheirs\nCONNECT\n".into(), "OK\n".into()),
    ] {
        let mut stream = TcpStream::connect(alice.addr).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.write_all(sent.as_bytes()).expect("it reads");
        let mut bytes = [0; 200];
        let count = stream.read(&mut bytes).expect("an answer");
        assert_eq!(std::str::from_utf8(&bytes[..count]), Ok(&*answer), "to {sent:?}");
    }
}

#[test]
fn connect_and_send_use_one_connection_and_one_write_each_and_quit_tells_them() {
    let program = Program::new();
    let mut alice = Peer::start("alice2", &[]);
    let own = alice.addr;
    alice.say(&format!("connect --classic :{}", program.port()));
    assert_eq!(program.hear(), format!("{own} alice2_ connect"));
    alice.expect("* [plain] peer-");
    alice.say(&format!("send :{} don't worry", program.port()));
    assert_eq!(program.hear(), format!("{own} alice2_ don't worry"));
    alice.expect("sent, not confirmed");
    alice.say("* to all\u{7}");
    assert_eq!(program.hear(), format!("{own} alice2_ to all"));
    alice.close();
    assert_eq!(program.hear(), format!("{own} alice2_ exit"));
    assert_eq!(alice.wait(), 0);
}

#[test]
fn they_are_told_in_the_dialect_they_use() {
    let program = Program::new();
    let port = program.port();
    for (sent, expected) in [
        (format!("<127.0.0.1:{port}> @ <Team>\nhi\n<end>"), "<{own}> @ <alice>\nback\n<end>"),
        (format!("<127.0.0.1:{port}> Team hi"), "<{own}> alice back"),
        (format!("127.0.0.1:{port} Team hi"), "{own} alice back"),
    ] {
        let mut alice = Peer::start("alice", &[]);
        tell(alice.addr, sent.as_bytes());
        alice.expect("<Team> hi");
        alice.say("reply back");
        assert_eq!(program.hear(), expected.replace("{own}", &alice.at()));
    }
}

#[test]
fn a_program_that_keeps_its_connection_is_served_on_one() {
    let program = Program::new();
    let mut alice = Peer::start("alice", &[]);
    let mut theirs = TcpStream::connect(alice.addr).expect("it listens");
    theirs.set_read_timeout(Some(PATIENCE)).expect("a socket");
    theirs.write_all(format!("{}\nLiner\nCONNECT\n", program.port()).as_bytes()).expect("it reads");
    let mut answer = [0; 16];
    assert!(theirs.read(&mut answer).expect("an answer") > 0);
    theirs.write_all(b"first line\n").expect("it reads");
    alice.expect("[plain] <Liner> first line");
    alice.say("send Liner one");
    let mut ours = program.accept();
    let mut bytes = [0; 200];
    let count = ours.read(&mut bytes).expect("an opening");
    assert_eq!(bytes[..count], *format!("{}\nalice\nCONNECT\n", alice.addr.port()).as_bytes());
    ours.write_all(b"OK\n").expect("it reads");
    let count = ours.read(&mut bytes).expect("a text");
    assert_eq!(bytes[..count], *b"one\n");
    alice.expect("sent, not confirmed");
    alice.say("send Liner two");
    let count = ours.read(&mut bytes).expect("a text");
    assert_eq!(bytes[..count], *b"two\n");
    drop(theirs);
    alice.expect("* [plain] Liner left");
}

#[test]
fn a_long_text_goes_in_parts_that_a_plain_program_can_read() {
    let program = Program::new();
    let mut alice = Peer::start("alice", &[]);
    let text = "ü😀".repeat(400);
    alice.say(&format!("connect --classic :{}", program.port()));
    program.hear();
    alice.say(&format!("send :{} {text}", program.port()));
    let mut whole = String::new();
    while whole.len() < text.len() {
        let part = program.hear();
        assert!(part.len() <= 1_024, "{}", part.len());
        whole.push_str(part.split(' ').next_back().expect("a text"));
    }
    assert_eq!(whole, text);
    alice.expect("sent, not confirmed");
}

#[test]
fn an_unknown_address_may_turn_out_to_be_one_of_us() {
    let mut alice = Peer::start("alice", &[]);
    let at = alice.at();
    let (code, out, err) =
        run(&["bob", "--listen", "127.0.0.1", "--classic", "-c", &format!("send {at} hi")]);
    assert_eq!((code, &*out, &*err), (0, "✓✓ alice #1 delivered\n", ""), "by our own protocol");
    alice.expect("<bob?> hi");
    let program = Program::new();
    let args = ["bob", "--listen", "127.0.0.1", "--classic", "-c"];
    let line = format!("send :{} hi", program.port());
    let sender = std::thread::spawn(move || run(&[&args[..], &[&line]].concat()));
    assert!(program.hear().ends_with(" bob hi"));
    assert!(program.hear().ends_with(" bob exit"));
    let (code, out, _) = sender.join().expect("it ran");
    assert_eq!(code, 0);
    assert!(out.contains("sent, not confirmed"), "{out}");
}

#[test]
fn nothing_goes_out_in_plain_text_unless_somebody_asked() {
    let program = Program::new();
    let line = format!("send :{} the canary", program.port());
    let sender = std::thread::spawn(move || run(&["bob", "--listen", "127.0.0.1", "-c", &line]));
    let mut stream = program.accept();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it gives up by itself");
    assert_eq!(bytes, b"\x7fHOBNOB1");
    let (code, _, err) = sender.join().expect("it ran");
    assert_eq!(code, 3);
    let at = format!("127.0.0.1:{}", program.port());
    assert!(
        err.contains(&format!(
            "{at} does not speak hobnob; if it is a plain program: connect --classic {at}"
        )),
        "{err}"
    );
}

#[test]
fn plain_lines_can_be_refused() {
    let mut alice = Peer::start("alice", &["--no-classic", "-v"]);
    let mut stream = TcpStream::connect(alice.addr).expect("it listens");
    stream.write_all(b"127.0.0.1:7202 Theirs hello").expect("it reads");
    alice.expect("plain connections are refused here (--no-classic)");
    assert!(!alice.quit().iter().any(|line| line.contains("hello")));
}

#[test]
fn a_plain_claim_changes_nothing_of_a_native_peer() {
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    alice.expect("* bob joined");
    tell(alice.addr, format!("{} bob exit", bob.at()).as_bytes());
    tell(alice.addr, format!("{} bob I am not bob", bob.at()).as_bytes());
    let line = alice.expect("I am not bob");
    assert!(line.starts_with("[plain] <bob"), "{line}");
    alice.say("send bob still you?");
    bob.expect("<alice?> still you?");
    assert!(!alice.quit().iter().any(|line| line.contains("bob left")));
}

#[test]
fn a_claim_from_elsewhere_is_shown_as_a_claim() {
    let mut alice = Peer::start("alice", &[]);
    tell(alice.addr, b"10.0.0.9:7202 Far hello");
    alice.expect("[plain] <Far> (says 10.0.0.9:7202) hello");
}

#[test]
fn liveness_probes_leave_no_trace() {
    let mut alice = Peer::start("alice", &["-v"]);
    for _ in 0..50 {
        drop(TcpStream::connect(alice.addr).expect("it listens"));
    }
    tell(alice.addr, b"127.0.0.1:7202 Theirs now really");
    alice.expect("now really");
    let lines = alice.quit();
    assert_eq!(lines.len(), 3, "the start, a peer, its message: {lines:#?}");
}

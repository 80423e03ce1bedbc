//! Floods against the real program at its prompt: it grows by no more than 32 MiB, somebody honest
//! connects within a second, and what is typed is echoed within 50 ms. `FLOODS=full cargo test --release
//! --test it floods -- --nocapture` makes the big ones and prints figures; otherwise they are a tenth.
//! The flooders have addresses of 127/8 that are not 127.0.0.1, so they are strangers like any other.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::caller::Caller;
use crate::proc::{PATIENCE, Peer, run};
use crate::pty::Pty;

/// A tenth of what is promised, unless it is asked for.
pub(crate) fn scale() -> u64 {
    if std::env::var("FLOODS").is_ok_and(|value| value == "full") { 10 } else { 1 }
}

/// Descriptors that a flood may hold, after asking for as many as we may have.
pub(crate) fn descriptors() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let most = Some(maximum.unwrap_or(20_000).min(20_000));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum });
    let all = getrlimit(Resource::Nofile).current.unwrap_or(20_000);
    let all = usize::try_from(all).expect("small").saturating_sub(500);
    // Two floods may go on at a time, and all the other tests beside them.
    if scale() == 10 { all } else { all / 3 }
}

/// A stream to `to` from an address of our choice.
pub(crate) fn dial(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(from, 0))?;
    rustix::net::connect(&socket, &to)?;
    let stream = TcpStream::from(socket);
    stream.set_write_timeout(Some(Duration::from_millis(200)))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    Ok(stream)
}

/// The n-th of very many sources, 250 in a network of 16 bits.
fn source(n: u64) -> Ipv4Addr {
    let byte = |n: u64| u8::try_from(n % 250).expect("small") + 1;
    Ipv4Addr::new(127, byte(n / 250) + 2, 1, byte(n))
}

/// What is done to the program until it is told to stop, and how much of it.
pub(crate) struct Flood {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Flood {
    /// `act` does so much each time that it is called.
    pub(crate) fn start(mut act: impl FnMut(u64, &AtomicBool) -> u64 + Send + 'static) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            for turn in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                count.fetch_add(act(turn, &stopped), Ordering::Relaxed);
            }
        });
        Self { stop, done, thread }
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it did not panic");
        self.done.load(Ordering::Relaxed)
    }
}

/// Streams that are held open, the oldest let go when there are too many.
pub(crate) struct Held(std::collections::VecDeque<TcpStream>, usize);

impl Held {
    pub(crate) fn new(most: usize) -> Self {
        Self(std::collections::VecDeque::new(), most)
    }

    pub(crate) fn hold(&mut self, stream: TcpStream) {
        if self.0.len() >= self.1 {
            self.0.pop_front();
        }
        self.0.push_back(stream);
    }
}

/// Writes until the other side has closed, or for a while; gives how many frames went out.
fn pour(stream: &mut TcpStream, frames: &[u8], frame: usize, stop: &AtomicBool) -> u64 {
    let mut poured = 0;
    let until = Instant::now() + Duration::from_secs(2);
    while !stop.load(Ordering::Relaxed) && Instant::now() < until {
        match stream.write(frames) {
            Ok(0) => break,
            Ok(count) => poured += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    (poured / frame) as u64
}

/// A genuine handshake; `None` if we are not let in.
fn shake(stream: &mut TcpStream, number: u64) -> Option<Caller> {
    let mut caller = Caller::new(number);
    let mut bytes = [0; 4_096];
    stream.write_all(&caller.take()).ok()?;
    while !caller.is_open() {
        let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
        assert!(caller.hear(&bytes[..count]), "it speaks our protocol");
        stream.write_all(&caller.take()).ok()?;
    }
    caller.hello(&format!("flooder{number}"));
    stream.write_all(&caller.take()).ok()?;
    Some(caller)
}

fn kib(status: &str, field: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with(field)).expect("a field");
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number")
}

/// How long it takes until a key is echoed, the median of many.
fn echo(alice: &mut Pty) -> (Duration, Duration) {
    let mut took = Vec::new();
    let mut typed = String::new();
    for key in "abcdefghijklmnopqrst".chars() {
        typed.push(key);
        let began = Instant::now();
        alice.keys(&key.to_string());
        alice.expect("an echo", |screen| screen.current().contains(&typed));
        took.push(began.elapsed());
    }
    alice.keys("\x15");
    alice
        .expect("an empty line", |screen| !screen.current().contains('a') || screen.current().ends_with('>'));
    took.sort_unstable();
    (took[10], took[19])
}

/// How long somebody honest takes from nothing to a link, the worst of three.
fn honest(at: &str) -> Duration {
    let connect = || {
        let began = Instant::now();
        let (code, _, err) =
            run(&["honest", "--ephemeral", "--listen", "127.0.0.1", "-c", &format!("connect {at}")]);
        assert_eq!(code, 0, "{err}");
        began.elapsed()
    };
    (0..3).map(|_| connect()).max().expect("three")
}

/// Lets a flood loose on a program at its prompt and looks at what is promised.
fn survive(what: &str, amount: u64, flood: impl FnOnce(SocketAddr) -> Flood) {
    let (mut alice, at) = Pty::hobnob("alice", &["--ephemeral"], &[]);
    let to: SocketAddr = at.parse().expect("an address");
    // The machine may be busy with other tests, which is not the flood's doing.
    let (calm_echo, _) = echo(&mut alice);
    let calm_honest = honest(&at);
    let before = kib(&alice.proc("status"), "VmRSS");
    let began = Instant::now();
    let flood = flood(to);
    while flood.done() == 0 && began.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    let mut echoes = Vec::new();
    let mut links = Vec::new();
    let least = Duration::from_secs(if scale() == 10 { 5 } else { 1 });
    while began.elapsed() < least || (flood.done() < amount && began.elapsed() < 2 * PATIENCE) {
        echoes.push(echo(&mut alice));
        links.push(honest(&at));
    }
    let (passed, done) = (began.elapsed(), flood.stop());
    let status = alice.proc("status");
    let (after, peak) = (kib(&status, "VmRSS"), kib(&status, "VmHWM"));
    let echo = echoes.iter().map(|(median, _)| *median).max().expect("some");
    let worst = echoes.iter().map(|(_, worst)| *worst).max().expect("some");
    let link = *links.iter().max().expect("some");
    let figures = format!(
        "{what}: {done} in {passed:.1?}; memory {before} KiB, then {after}, at most {peak}; echo median \
         {echo:.1?}, worst {worst:.1?} (calm {calm_echo:.1?}); honest peer {link:.0?} (calm {calm_honest:.0?})"
    );
    if scale() == 10 {
        let _ = writeln!(std::io::stderr(), "{figures}");
    }
    let held = echo <= Duration::from_millis(50) + 4 * calm_echo
        && link <= Duration::from_secs(1) + 4 * calm_honest
        && peak <= (before + 32 * 1024).min(128 * 1024);
    assert!(held && done >= amount, "{figures}; {amount} were wanted");
    alice.keys("quit\r");
    assert_eq!(alice.end(), 0);
}

#[test]
fn the_prompt_and_honest_peers_survive_floods() {
    let (scale, most) = (scale(), descriptors());
    let streams = 1_000 * scale;
    if scale == 10 && most < 10_000 {
        let _ = writeln!(std::io::stderr(), "no more than {most} streams are held at once: `ulimit -n`");
    }
    survive("streams of one source", streams, move |to| {
        let mut held = Held::new(most);
        Flood::start(move |_, _| {
            dial(Ipv4Addr::new(127, 0, 0, 2), to).map_or(0, |stream| {
                held.hold(stream);
                1
            })
        })
    });
    survive("silent streams of many sources", streams, move |to| {
        let mut held = Held::new(most);
        Flood::start(move |n, _| {
            dial(source(n), to).map_or(0, |stream| {
                held.hold(stream);
                1
            })
        })
    });
    survive("frames of junk before a handshake", 100_000 * scale, move |to| {
        let junk = [&[0, 30][..], &[0xaa; 30]].concat().repeat(1_000);
        Flood::start(move |n, stop| dial(source(n), to).map_or(0, |mut s| pour(&mut s, &junk, 32, stop)))
    });
    survive("frames of junk after a genuine handshake", 100_000 * scale, move |to| {
        let junk = [&[0, 30][..], &[0xaa; 30]].concat().repeat(1_000);
        Flood::start(move |n, stop| {
            let Ok(mut stream) = dial(source(n), to) else { return 0 };
            // A short while for each, or the rate of handshakes is all that is tested.
            shake(&mut stream, n).map_or(0, |_| pour(&mut stream, &junk, 32, stop))
        })
    });
    survive("messages of one at first use", 60_000 * scale, move |to| {
        let mut stranger = Stranger::meet(to);
        Flood::start(move |turn, _| stranger.talk(turn))
    });
}

/// Somebody met for the first time who wants to say ten thousand messages a second.
struct Stranger {
    stream: TcpStream,
    caller: Caller,
    began: Instant,
    said: u64,
    /// What the stream has not taken yet.
    rest: Vec<u8>,
}

impl Stranger {
    fn meet(to: SocketAddr) -> Self {
        let mut stream = dial(Ipv4Addr::new(127, 0, 0, 2), to).expect("it listens");
        let caller = shake(&mut stream, 1).expect("let in");
        stream.set_nonblocking(true).expect("a socket");
        Self { stream, caller, began: Instant::now(), said: 0, rest: Vec::new() }
    }

    /// Wants to say a hundred more, a hundredth of a second after the last.
    fn talk(&mut self, turn: u64) -> u64 {
        let due = self.began + Duration::from_millis(10 * turn);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if self.rest.is_empty() {
            for _ in 0..100 {
                self.said += 1;
                self.caller.chat(self.said, "some hundred bytes of text, as people write them, more or less");
            }
            self.rest = self.caller.take();
        }
        match self.stream.write(&self.rest) {
            Ok(count) => drop(self.rest.drain(..count)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "its link stays"),
        }
        // Acknowledgements.
        while matches!(self.stream.read(&mut [0; 4_096]), Ok(1..)) {}
        100
    }
}

/// A stranger's messages are taken at its rate, and the others are not lost but wait.
#[test]
fn a_stranger_is_heard_at_its_rate_and_no_faster() {
    let mut alice = Peer::start("alice", &["--json"]);
    let mut stranger = Stranger::meet(alice.addr);
    let began = Instant::now();
    let flood = Flood::start(move |turn, _| stranger.talk(turn));
    alice.expect("\"ev\":\"recv\"");
    let heard = |alice: &Peer| alice.output().iter().filter(|line| line.contains("\"recv\"")).count() as f64;
    let seconds = 4.0 * f64::from(u32::try_from(scale()).expect("small"));
    let mut before = 0.0;
    while began.elapsed().as_secs_f64() < seconds {
        let most = |at: f64| 2_000.0 + 200.0 * at + 1.0;
        let now = heard(&alice);
        assert!(now <= most(began.elapsed().as_secs_f64()), "{now} heard");
        assert!(now >= before);
        before = now;
        std::thread::sleep(Duration::from_millis(20));
    }
    let wanted = flood.stop();
    assert!(wanted as f64 > 2_000.0 + 200.0 * seconds, "it wanted to say more: {wanted}");
    alice.say("status");
    let status = alice.expect("received");
    let now = heard(&alice);
    assert!(now > 2_000.0 + 100.0 * seconds, "{now} heard of {wanted}: {status}");
}

/// One byte a second, from as many as make a crowd: none of them lasts, and nobody is kept out.
#[test]
fn dribblers_are_cut_off_and_keep_nobody_out() {
    let mut alice = Peer::start("alice", &[]);
    let mut dribblers: Vec<_> = (0..64).map(|n| dial(source(n), alice.addr).expect("it listens")).collect();
    let hello = Caller::new(1).take();
    let began = Instant::now();
    for (second, byte) in (1..).zip(&hello) {
        // The system tells a writer of the end only after it has written once more.
        dribblers.retain_mut(|stream| stream.write_all(&[*byte]).is_ok());
        if dribblers.is_empty() {
            break;
        }
        let took = honest(&alice.at());
        assert!(took < Duration::from_secs(4), "{took:?}");
        let next = began + Duration::from_secs(second);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    assert!(dribblers.is_empty(), "a preamble has two seconds, whatever dribbles in");
    alice.say("me");
    alice.expect("* you are alice");
}

/// A peer that is stopped and goes on: what was said meanwhile arrives, once and in order.
#[test]
fn a_peer_that_was_stopped_hears_everything_once() {
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    bob.expect("* alice joined");
    alice.expect("* bob joined");
    alice.signal("-STOP");
    let stopped = Instant::now();
    for number in 0..1_000 {
        bob.say(&format!("send alice number {number}."));
    }
    std::thread::sleep((stopped + Duration::from_secs(5)).saturating_duration_since(Instant::now()));
    alice.signal("-CONT");
    for number in 0..1_000 {
        alice.expect(&format!("<bob?> number {number}."));
    }
    bob.say("send alice that was all");
    alice.expect("that was all");
    let heard = alice.output().iter().filter(|line| line.contains("<bob?> number")).count();
    assert_eq!(heard, 1_000);
    bob.quit();
}

//! A flood from thousands of sources of one network, against the real program: the links of peers that it
//! knows live through it, and somebody who never was there before is let in within a second.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use hobnob::wire::message::Message;

use crate::caller::Caller;
use crate::floods::{Flood, Held, descriptors, dial, scale};
use crate::proc::{PATIENCE, Peer};

/// The n-th of 65,536 sources.
fn source(n: u64) -> Ipv4Addr {
    let [.., high, low] = n.to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// A peer at the other end of a link.
struct Friend {
    stream: TcpStream,
    caller: Caller,
    nonce: u64,
}

impl Friend {
    /// Shakes hands from `from`; `None` if it is turned away.
    fn meet(from: Ipv4Addr, to: SocketAddr, number: u64) -> Option<Self> {
        let mut stream = dial(from, to).ok()?;
        let (mut caller, mut bytes) = (Caller::new(number), [0; 4_096]);
        let name = format!("friend{number}");
        stream.write_all(&caller.take()).ok()?;
        while !caller.is_open() {
            let count = stream.read(&mut bytes).ok().filter(|count| *count > 0)?;
            assert!(caller.hear(&bytes[..count]), "it speaks our protocol");
            stream.write_all(&caller.take()).ok()?;
        }
        let hello =
            Message::Hello { name: &name, port: 0, passing: false, epoch: 1, base: 1, have: None, life: 0 };
        caller.say(&hello);
        let mut friend = Self { stream, caller, nonce: number << 32 };
        // Being let in is to be answered, not to have been accepted.
        friend.is_answered().then_some(friend)
    }

    /// Whether a ping comes back.
    fn is_answered(&mut self) -> bool {
        self.nonce += 1;
        self.caller.say(&Message::Ping { nonce: self.nonce });
        let until = Instant::now() + PATIENCE;
        let mut bytes = [0; 4_096];
        if self.stream.write_all(&self.caller.take()).is_err() {
            return false;
        }
        while Instant::now() < until {
            match self.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(count) => assert!(self.caller.hear(&bytes[..count])),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return false,
            }
            let run = self.caller.heard();
            let mut rest = &run[..];
            while !rest.is_empty() {
                if Message::take(&mut rest).expect("well formed") == (Message::Pong { nonce: self.nonce }) {
                    return true;
                }
            }
        }
        false
    }
}

/// How long somebody takes to be let in who tries again when it is turned away.
fn newcomer(number: u64, to: SocketAddr) -> Duration {
    let began = Instant::now();
    let from = Ipv4Addr::new(127, 200, 7, u8::try_from(number % 250).expect("small") + 1);
    while Friend::meet(from, to, 1_000 + number).is_none() {
        assert!(began.elapsed() < PATIENCE, "it is never let in");
        std::thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

#[test]
fn peers_we_know_and_newcomers_outlive_a_flood_from_a_whole_network() {
    let mut alice = Peer::start("alice", &[]);
    let to = alice.addr;
    // They are of the same network as the flood, and known from an earlier link.
    for number in 1..=8 {
        drop(Friend::meet(source(number), to, number).expect("let in"));
        alice.expect(&format!("friend{number} joined"));
        alice.expect(&format!("lost friend{number}"));
    }
    let mut friends: Vec<_> =
        (1..=8).map(|number| Friend::meet(source(number), to, number).expect("let in again")).collect();
    let calm = (0..3).map(|number| newcomer(number, to)).max().expect("three");
    let wanted = 1_000 * scale();
    let mut held = Held::new(descriptors());
    let hello = Caller::new(77).take();
    let flood = Flood::start(move |n, _| {
        let Ok(mut stream) = dial(source(256 + n), to) else { return 0 };
        // Silence, a handshake that goes no further, and junk, in turn.
        let _ = match n % 64 {
            0 => stream.write(&hello),
            1 => stream.write(&[0xaa; 64]),
            _ => Ok(0),
        };
        held.hold(stream);
        1
    });
    let began = Instant::now();
    let mut worst = Duration::ZERO;
    let mut number = 10;
    while flood.done() < wanted || began.elapsed() < Duration::from_secs(2) {
        assert!(began.elapsed() < 2 * PATIENCE, "{} of {wanted}", flood.done());
        worst = worst.max(newcomer(number, to));
        number += 1;
        for friend in &mut friends {
            assert!(friend.is_answered(), "a link of a peer that it knows");
        }
    }
    let (passed, done) = (began.elapsed(), flood.stop());
    let figures = format!(
        "{done} streams of as many sources in {passed:.1?}; {} newcomers, the slowest {worst:.0?} (calm {calm:.0?})",
        number - 10
    );
    if scale() == 10 {
        let _ = writeln!(std::io::stderr(), "{figures}");
    }
    assert!(worst <= Duration::from_secs(1) + 4 * calm, "{figures}");
    assert!(friends.iter_mut().all(Friend::is_answered));
    drop(friends);
    alice.say("me");
    alice.expect("* you are alice");
}

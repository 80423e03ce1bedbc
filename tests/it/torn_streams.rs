//! Between two real processes a relay that tears the stream: a byte at a time, or in random cuts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use hobnob::rng::{Rng, Seed};

use crate::proc::Peer;

/// Relays one connection after another to `to`, in pieces of at most `piece` bytes.
fn tear(to: SocketAddr, piece: u64, seed: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(1).flatten() {
            let Ok(there) = TcpStream::connect(to) else { return };
            let (back, back_there) =
                (stream.try_clone().expect("a socket"), there.try_clone().expect("a socket"));
            std::thread::spawn(move || pump(stream, there, piece, seed));
            std::thread::spawn(move || pump(back_there, back, piece, seed + 1));
        }
    });
    at
}

fn pump(mut from: TcpStream, mut to: TcpStream, piece: u64, seed: u64) {
    let mut rng = Rng::new(Seed::from_number(seed));
    to.set_nodelay(true).expect("a socket");
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let mut rest = &bytes[..count];
        while !rest.is_empty() {
            let cut = usize::try_from(1 + rng.below(piece)).expect("small").min(rest.len());
            if to.write_all(&rest[..cut]).is_err() {
                return;
            }
            rest = &rest[cut..];
        }
    }
}

#[test]
fn every_message_survives_any_cut() {
    for (piece, seed) in [(1, 1), (3, 2), (700, 3)] {
        let mut alice = Peer::start("alice", &[]);
        let relay = tear(alice.addr, piece, seed);
        let mut bob = Peer::start("bob", &["--peer", &relay.to_string()]);
        bob.expect("* alice joined");
        alice.expect("* bob joined");
        let long = "ü".repeat(2_000);
        for number in 0..30 {
            bob.say(&format!("send alice {number} {long}"));
            alice.say(&format!("send bob {number} {long}"));
        }
        for number in 0..30 {
            alice.expect(&format!("<bob?> {number} {long}"));
            bob.expect(&format!("<alice?> {number} {long}"));
        }
        bob.quit();
        alice.expect("* bob left");
    }
}

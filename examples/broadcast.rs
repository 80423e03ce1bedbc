//! How much an imaginary world costs: some peers with eight links each, then a broadcast by twenty
//! of them. Prints what happened a second and what a peer takes.
//!
//!     cargo run --release --example broadcast -- 100 1000
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::{Duration, Instant};

use hobnob::api::command::Command;
use hobnob::id::Name;
use hobnob::node::record::Record;
use hobnob::rng::Seed;
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::world::{PeerNo, World};

const DIALS: usize = 4;
const BROADCASTS: usize = 20;
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut counts: Vec<usize> = Vec::new();
    for arg in std::env::args().skip(1) {
        counts.push(arg.parse()?);
    }
    if counts.is_empty() {
        counts = vec![100, 1_000];
    }
    for peers in counts {
        measure(peers)?;
    }
    Ok(())
}

fn measure(peers: usize) -> Result<(), Box<dyn std::error::Error>> {
    let before = resident();
    let mut sim = Sim::new(Seed::from_number(1));
    sim.keep_trace(0);
    for number in 0..peers {
        sim.cast(Name::new(&format!("p{number}"))?)?;
    }
    // Everybody dials the next, the one behind it, and so on in strides: a ring with short cuts.
    let (start, events) = (Instant::now(), sim.work().0);
    for number in 0..peers {
        for dial in 0..DIALS {
            let to = PeerNo((number + [1, 2, 7, 31][dial]) % peers);
            let address = sim.address(to)?.into();
            sim.session(PeerNo(number))?.submit(Command::Keep { address });
        }
    }
    if !sim.settle(LIMIT) {
        return Err("the links do not come up".into());
    }
    report(&sim, peers, "connect", start, events, 0);
    let (start, (events, bytes)) = (Instant::now(), sim.work());
    for number in 0..BROADCASTS {
        let who = PeerNo(number * peers / BROADCASTS);
        let text = Body::new("a broadcast of some forty bytes, as chat has")?;
        sim.session(who)?.submit(Command::Broadcast { text, auto: false });
    }
    if !sim.settle(LIMIT) {
        return Err("the broadcasts do not arrive".into());
    }
    report(&sim, peers, "broadcast", start, events, bytes);
    let is_received = |record: &&Record| matches!(record, Record::Received { .. });
    let heard: usize =
        (0..peers).map(|who| sim.written(PeerNo(who)).iter().filter(is_received).count()).sum();
    let (start, (events, bytes)) = (Instant::now(), sim.work());
    sim.pass(Duration::from_secs(600));
    report(&sim, peers, "10 min idle", start, events, bytes);
    let memory = resident().saturating_sub(before) * 1_024 / peers;
    println!(
        "{peers:>6} peers: {heard} of {} messages heard; {memory} bytes of memory a peer",
        8 * BROADCASTS
    );
    Ok(())
}

fn report(sim: &Sim, peers: usize, what: &str, start: Instant, events: u64, bytes: u64) {
    let took = start.elapsed();
    let (events, bytes) = (sim.work().0 - events, sim.work().1 - bytes);
    let rate = u128::from(events) * 1_000_000 / took.as_micros().max(1);
    let each = bytes / peers as u64;
    println!(
        "{peers:>6} peers: {what:<12} {events:>8} events in {:>9.3} s, {rate:>8} a second, {each:>6} bytes a peer",
        took.as_secs_f64()
    );
}

/// KiB of memory that this process has.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

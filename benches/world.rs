//! An imaginary world with many peers, eight links each: what a thing that happens costs, and what a
//! peer takes. A thing that happens is an input to a node: a command, bytes that arrived or were
//! taken, a save that is done, a stream's beginning or end, time. Each size runs in a process of its
//! own, whose growth is what its peers take. A line of JSON a result on the standard output, a table on
//! the standard error.
//!
//!     cargo bench --bench world -- 100 1000 10000
//!
//! `noise` before the sizes seals with the real cipher, `trace` keeps what a default world keeps of
//! its trace, `rounds=N` is how often each broadcasts, `speakers=N` how many do.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is what a benchmark is for")]

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Instant;

use hobnob::rng::Seed;
use hobnob::sim::{Cipher, Sim};
use hobnob::world::World;

#[path = "../tests/it/crowd.rs"]
mod crowd;

use crowd::Crowd;

/// What is asked for.
#[derive(Clone)]
struct Plan {
    peers: Vec<usize>,
    rounds: usize,
    speakers: Option<usize>,
    noise: bool,
    trace: bool,
    /// This is the process for one size.
    one: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut plan =
        Plan { peers: Vec::new(), rounds: 20, speakers: None, noise: false, trace: false, one: false };
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            // What cargo adds.
            "--bench" => {}
            "noise" => plan.noise = true,
            "trace" => plan.trace = true,
            "one" => plan.one = true,
            other => match other.split_once('=') {
                Some(("rounds", rounds)) => plan.rounds = rounds.parse()?,
                Some(("speakers", speakers)) => plan.speakers = Some(speakers.parse()?),
                _ => plan.peers.push(other.parse()?),
            },
        }
    }
    if plan.one {
        return plan.peers.iter().try_for_each(|&peers| measure(&plan, peers));
    }
    if plan.peers.is_empty() {
        plan.peers = vec![100, 500, 1_000];
    }
    eprintln!(
        " peers cipher phase       inputs        s    s CPU  inputs/s  µs each deliveries/s KiB/peer and peak"
    );
    for peers in &plan.peers {
        let mut args = vec!["one".to_owned(), peers.to_string(), format!("rounds={}", plan.rounds)];
        args.extend(plan.speakers.map(|speakers| format!("speakers={speakers}")));
        args.extend(plan.noise.then(|| "noise".to_owned()));
        args.extend(plan.trace.then(|| "trace".to_owned()));
        let status = Command::new(std::env::current_exe()?).args(args).stdin(Stdio::null()).status()?;
        if !status.success() {
            return Err(format!("{peers} peers: {status}").into());
        }
    }
    Ok(())
}

fn measure(plan: &Plan, peers: usize) -> Result<(), Box<dyn Error>> {
    let before = resident()?.0;
    let speakers = plan.speakers.unwrap_or(peers).min(peers);
    let cipher = if plan.noise { Cipher::Noise } else { Cipher::Sham };
    let mut sim = Sim::with_cipher(Seed::from_number(1), cipher);
    if !plan.trace {
        sim.keep_trace(0);
    }
    let mut meter = Meter { plan, peers, before, start: Instant::now(), cpu: cpu()?, inputs: 0, heard: 0 };
    let mut crowd = Crowd::new(sim, peers, 1);
    meter.report(&crowd, "cast")?;
    crowd.connect();
    meter.report(&crowd, "connect")?;
    for _ in 0..plan.rounds {
        crowd.round(speakers);
    }
    crowd.settle();
    meter.report(&crowd, "storm")?;
    let all = speakers * crowd::DEGREE * plan.rounds;
    if (crowd.heard, crowd.delivered) != (all, all as u64) {
        return Err(format!("{} heard, {} delivered of {all}", crowd.heard, crowd.delivered).into());
    }
    Ok(())
}

/// Where the phase began.
struct Meter<'a> {
    plan: &'a Plan,
    peers: usize,
    before: u64,
    start: Instant,
    cpu: f64,
    inputs: u64,
    heard: usize,
}

impl Meter<'_> {
    /// Says what the phase took, and begins the next.
    fn report(&mut self, crowd: &Crowd, phase: &str) -> Result<(), Box<dyn Error>> {
        let seconds = self.start.elapsed().as_secs_f64();
        let on_cpu = cpu()? - self.cpu;
        let inputs = crowd.sim.work().0 - self.inputs;
        let deliveries = crowd.heard - self.heard;
        let (now, peak) = resident()?;
        let a_peer = |bytes: u64| bytes.saturating_sub(self.before) as f64 / 1_024.0 / self.peers as f64;
        let cipher = if self.plan.noise { "noise" } else { "sham" };
        let (rate, each) = (inputs as f64 / seconds, seconds * 1e6 / inputs.max(1) as f64);
        let heard = deliveries as f64 / seconds;
        let (now, peak) = (a_peer(now), a_peer(peak));
        eprintln!(
            "{:>6} {cipher:<6} {phase:<7} {inputs:>10} {seconds:>8.3} {on_cpu:>8.3} {rate:>9.0} {each:>8.3} {heard:>12.0} {now:>7.1} {peak:>7.1}",
            self.peers,
        );
        println!(
            "{{\"peers\":{},\"cipher\":\"{cipher}\",\"phase\":\"{phase}\",\"inputs\":{inputs},\"seconds\":{seconds:.6},\
             \"cpu_seconds\":{on_cpu:.6},\"inputs_per_s\":{rate:.0},\"us_per_input\":{each:.4},\"deliveries\":{deliveries},\
             \"deliveries_per_s\":{heard:.0},\"kib_per_peer\":{now:.2},\"kib_per_peer_peak\":{peak:.2},\"digest\":\"{:016x}\"}}",
            self.peers,
            crowd.sim.digest().unwrap_or(0),
        );
        (self.inputs, self.heard) = (crowd.sim.work().0, crowd.heard);
        (self.start, self.cpu) = (Instant::now(), cpu()?);
        Ok(())
    }
}

/// Seconds that this process was on a CPU: what others on the machine did is not in it.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanos: f64 = stat.split(' ').next().ok_or("schedstat has numbers")?.parse()?;
    Ok(nanos / 1e9)
}

/// Bytes of memory that this process has, and the most that it ever had.
fn resident() -> Result<(u64, u64), Box<dyn Error>> {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm")?
        .split(' ')
        .nth(1)
        .ok_or("statm has a second number")?
        .parse()?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("status has a peak")?;
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    Ok((pages * 4_096, peak * 1_024))
}

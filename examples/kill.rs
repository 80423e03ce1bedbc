//! Kills hobnob again and again: two processes with a data folder each talk both ways on loopback, and
//! one of them or both are ended by SIGKILL at any moment and started again. Then both histories are
//! compared with what was promised: what was printed as queued is there once and in order, what was
//! printed as delivered was in the other's history, and both files are whole. The processes are this
//! very program, in which the environment says that it is to be hobnob; or another one, by --program.
//!
//!     cargo run --release --example kill -- --cycles 1000
//!     cargo run --release --example kill -- --cycles 1000 --seed 7 --program target/release/hobnob

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use hobnob::rng::{Rng, Seed};
use indicatif::ProgressBar;

#[path = "kill/side.rs"]
mod side;

use side::{Side, Violation};

#[derive(Parser)]
#[command(about = "Kills two hobnobs under traffic, and looks what became of their messages")]
struct Args {
    /// How many times one of them or both are killed.
    #[arg(long, default_value_t = 100)]
    cycles: u64,
    /// What is killed when, and who says how much, follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The hobnob to kill.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Set for the processes that are to be hobnob.
const IS_HOBNOB: &str = "HOBNOB_EXAMPLE_KILL";
/// Messages that a side says at most in a cycle: all of them together fit one answer of `log`.
const SAID_MAX: u64 = 40;
/// Cycles with one history, as the whole of it is read at the end; whatever is beyond begins a new one
/// with the next seed.
const HISTORY_CYCLES: usize = 1_000;
/// Deaths of each before it has met the other.
const EARLY: u64 = 10;

fn main() -> ExitCode {
    if std::env::var_os(IS_HOBNOB).is_some() {
        return hobnob::cli::main();
    }
    let args = Args::parse();
    let began = Instant::now();
    let bar = ProgressBar::new(args.cycles);
    let mut course = Course::default();
    for (nth, first) in (0..args.cycles).step_by(HISTORY_CYCLES).enumerate() {
        let seed = args.seed + nth as u64;
        let cycles = (args.cycles - first).min(HISTORY_CYCLES as u64);
        if let Err(violation) = run(&args, seed, cycles, &mut course, &bar) {
            bar.abandon();
            println!("seed {seed}: {violation}");
            return ExitCode::from(4);
        }
    }
    bar.finish_and_clear();
    let took = began.elapsed().as_secs_f64();
    println!(
        "{} cycles in {took:.1} s: {:.1} cycles/s, {} kills, {} messages said, {} queued, {} delivered; \
         0 lost, 0 doubled, 0 out of order, 0 damaged",
        args.cycles,
        args.cycles as f64 / took,
        course.kills,
        course.said,
        course.queued,
        course.delivered
    );
    ExitCode::SUCCESS
}

#[derive(Default)]
struct Course {
    kills: u64,
    said: u64,
    queued: usize,
    delivered: usize,
}

fn run(args: &Args, seed: u64, cycles: u64, course: &mut Course, bar: &ProgressBar) -> Result<(), Violation> {
    let program = args.program.clone().map_or_else(std::env::current_exe, Ok);
    let program = program.map_err(|error| Violation(format!("no program: {error}")))?;
    let root = tempfile::tempdir().map_err(|error| Violation(format!("no folder: {error}")))?;
    let (one, two) = (free_port()?, free_port()?);
    let mut sides = [("alice", "bob", one, two), ("bob", "alice", two, one)]
        .map(|(name, other, port, peer)| Side::new(name, other, port, peer, &program, root.path()));
    let mut rng = Rng::new(Seed::from_number(seed));
    // Their folders are made under fire too.
    for _ in 0..EARLY {
        for side in &mut sides {
            side.start()?;
            std::thread::sleep(Duration::from_micros(rng.below(20_000)));
            side.kill()?;
        }
    }
    for side in &mut sides {
        side.start()?;
    }
    // From here on each knows the other by name, whatever happens.
    for side in &mut sides {
        side.until("\"with\":\"")?;
    }
    for at in 0..2 {
        sides[at].say(1);
        sides[at].until_delivered()?;
        sides[1 - at].until("\"ev\":\"recv\"")?;
    }
    course.kills += 2 * EARLY;
    for cycle in 0..cycles {
        course.kills +=
            play(&mut rng, &mut sides).map_err(|error| Violation(format!("cycle {cycle}: {error}")))?;
        bar.inc(1);
    }
    for side in &mut sides {
        side.say(1);
        side.until_delivered()?;
    }
    for side in &mut sides {
        course.said += side.said();
        side.quit()?;
    }
    for at in 0..2 {
        let (queued, delivered) = sides[at].compare(&sides[1 - at])?;
        course.queued += queued;
        course.delivered += delivered;
    }
    Ok(())
}

/// Traffic, a death or two, and a new life. How many were killed.
fn play(rng: &mut Rng, sides: &mut [Side; 2]) -> Result<u64, Violation> {
    for side in &mut *sides {
        side.say(rng.below(SAID_MAX));
    }
    let killed = match rng.below(5) {
        0 | 1 => 0..1,
        2 | 3 => 1..2,
        _ => 0..2,
    };
    // Most die in the midst of their traffic, some while they start.
    let amidst = rng.below(4) > 0;
    if amidst {
        sides[killed.start].say(1);
        sides[killed.start].until("\"ev\":\"queued\"")?;
    }
    std::thread::sleep(Duration::from_micros(rng.below(if amidst { 30_000 } else { 60_000 })));
    for side in &mut sides[killed.clone()] {
        side.kill()?;
    }
    if killed.len() == 2 {
        // What one has printed as delivered the other must have, as nobody can tell it any more.
        sides[0].was_true(&sides[1])?;
        sides[1].was_true(&sides[0])?;
    } else if rng.below(3) == 0 {
        std::thread::sleep(Duration::from_micros(rng.below(30_000)));
    }
    for side in &mut sides[killed.clone()] {
        side.start()?;
    }
    Ok(killed.len() as u64)
}

fn free_port() -> Result<u16, Violation> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map(|addr| addr.port()).map_err(|error| Violation(format!("no port: {error}")))
}

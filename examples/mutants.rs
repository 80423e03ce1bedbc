//! Whether the proof finds mistakes in the code of delivery and trust, and with SQLite below its disks those
//! in the store: each of those that are planted in a build for tests (src/planted.rs), with the first seed
//! that finds it and what it breaks there.
//!
//!     cargo run --release --features planted --example mutants

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use hobnob::planted::{DISK_MUTANTS, MUTANTS};
use hobnob::sim::proof::hunt;

#[path = "../tests/it/sqlite_disk.rs"]
mod sqlite_disk;

#[derive(Parser)]
#[command(about = "Plants mistakes, and looks whether the proof finds each")]
struct Args {
    /// Only these.
    names: Vec<String>,
    /// How many seeds each is hunted with, from 0.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// How many at a time; as many as there are cores if not said.
    #[arg(long)]
    jobs: Option<usize>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let names: Vec<&str> = match args.names.as_slice() {
        [] => [MUTANTS, DISK_MUTANTS].concat(),
        names => names.iter().map(String::as_str).collect(),
    };
    // A mistake that makes the program stop is found; what it says of that is not to be read.
    std::panic::set_hook(Box::new(|_| {}));
    let jobs = args.jobs.or(std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let (next, survivors) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = show(name, 0..args.seeds);
                    survivors.fetch_add(usize::from(!found), Ordering::Relaxed);
                }
            });
        }
    });
    let survivors = survivors.into_inner();
    let took = began.elapsed().as_secs_f64();
    println!("{} mutants, {survivors} survive {} seeds; {took:.1} s", names.len(), args.seeds);
    if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::from(4) }
}

/// Hunts one; whether it was found.
fn show(name: &str, seeds: Range<u64>) -> bool {
    let began = Instant::now();
    let found = match DISK_MUTANTS.contains(&name) {
        true => hunt::find_on(sqlite_disk::make, name, seeds),
        false => hunt::find(name, seeds),
    };
    let took = began.elapsed().as_secs_f64();
    match found {
        Some(found) => println!("{name:<24} seed {:<6} {:<6} {took:>6.1} s", found.seed, found.rule),
        None => println!("{name:<24} SURVIVES            {took:>6.1} s"),
    }
    found.is_some()
}

//! The long run of the proof: seeds without end, on every core, until one breaks a promise. Each seed
//! is a cast in the imaginary world, with faults of its own (docs/assurance.md). Says how many seeds
//! a second and how much time passed in them; a seed that fails is said with the command that plays
//! it again.
//!
//!     cargo run --release --example assure -- --seeds 100000
//!     cargo run --release --example assure -- --seeds 4711..4712
//!     cargo run --release --example assure -- --sqlite --seeds 1000

#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use hobnob::sim::proof::{self, Course, Violation};
use indicatif::{ProgressBar, ProgressStyle};

#[path = "../tests/it/sqlite_disk.rs"]
mod sqlite_disk;

#[derive(Parser)]
#[command(about = "Plays seeds of the imaginary world until one breaks a promise")]
struct Args {
    /// How many, from 0, or which: FIRST..END.
    #[arg(long, default_value = "1000", value_parser = range)]
    seeds: Range<u64>,
    /// How many at a time; as many as there are cores if not said.
    #[arg(long)]
    jobs: Option<usize>,
    /// Disks are real SQLite on a file system that loses its power in each crash.
    #[arg(long)]
    sqlite: bool,
    /// Plays each hundredth seed twice: both must be the same course of things.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    twice: bool,
    /// How many lines of its trace a seed that fails shows.
    #[arg(long, default_value_t = 60)]
    tail: usize,
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    promised: u64,
    arrived: u64,
    faults: u64,
    time: Duration,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let jobs = args.jobs.or(std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let (next, stop) = (AtomicU64::new(args.seeds.start), AtomicBool::new(false));
    let (sum, failed) = (Mutex::new(Sum::default()), Mutex::new(None::<Box<Violation>>));
    let bar = ProgressBar::new(args.seeds.end - args.seeds.start);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds  {per_sec}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= args.seeds.end {
                        return;
                    }
                    match play(seed, &args) {
                        Ok(course) => lock(&sum).add(&course),
                        Err(violation) => {
                            stop.store(true, Ordering::Relaxed);
                            let mut failed = lock(&failed);
                            if failed.as_ref().is_none_or(|other| violation.seed < other.seed) {
                                *failed = Some(violation);
                            }
                        }
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let (sum, took) = (lock(&sum), began.elapsed().as_secs_f64());
    println!(
        "{} seeds in {took:.1} s: {:.1} seeds/s, {:.1} simulated hours, {} faults, {} promised, {} arrived",
        sum.seeds,
        sum.seeds as f64 / took,
        sum.time.as_secs_f64() / 3_600.0,
        sum.faults,
        sum.promised,
        sum.arrived
    );
    match &*lock(&failed) {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("{violation}");
            let seed = violation.seed;
            let flags = if args.sqlite { "--sqlite --seeds" } else { "--seeds" };
            println!("to see it again: cargo run --release --example assure -- {flags} {seed}..{}", seed + 1);
            ExitCode::from(4)
        }
    }
}

/// Plays a seed; some twice, which must come to the same.
fn play(seed: u64, args: &Args) -> Result<Course, Box<Violation>> {
    let run = || match args.sqlite {
        true => proof::run_on(sqlite_disk::make, seed, args.tail),
        false => proof::run(seed, args.tail),
    };
    let course = run()?;
    if args.twice && seed.is_multiple_of(100) {
        let again = run()?;
        if again != course {
            let what = format!("two plays came to {course:?} and {again:?}");
            return Err(Box::new(Violation { seed, rule: "S14", what, tail: String::new() }));
        }
    }
    Ok(course)
}

impl Sum {
    fn add(&mut self, course: &Course) {
        self.seeds += 1;
        self.promised += course.promised;
        self.arrived += course.arrived;
        self.faults += course.faults;
        self.time += course.time;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} is no number of a seed"));
    let range = match text.split_once("..") {
        Some((first, end)) => number(first)?..number(end)?,
        None => 0..number(text)?,
    };
    if range.is_empty() { Err("there is no seed in that".into()) } else { Ok(range) }
}

//! `hobnob bench`: how fast it is, measured with the real stack between processes on 127.0.0.1, and
//! the same work done by a bare encrypted stream to compare with. One line of JSON a result on
//! stdout. Decides which workloads there are; each has a file that says how it is measured.
//!
//! ```text
//! w1     one sender, one receiver: messages a second
//! w2     request and answer: microseconds
//! w3     one to many: deliveries a second, and how long until the last has it
//! w5     links a second, from the dial until both sides can use it
//! w5mem  memory of an idle link
//! w6     start-up
//! durable  w1 with what is said saved at both ends, beside SQLite alone
//! ```
//!
//! A workload runs in this process and starts the others, of the same executable: `bench role …`.

mod all;
mod durable;
mod figure;
mod hob;
mod numbered;
mod options;
mod process;
mod raw;
mod raw_cast;
mod raw_dials;
mod raw_noise;
mod raw_wire;
mod w1;
mod w2;
mod w3;
mod w5;
mod w5mem;
mod w6;

use std::io::Write;
use std::process::ExitCode;

use figure::Figure;
use options::Options;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// It was called wrongly.
    #[error("{0}\n{USAGE}")]
    Usage(String),
    /// The system refused something.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// The same.
    #[error("{0}")]
    Errno(#[from] rustix::io::Errno),
    /// What was measured did not do what it should, so there is nothing to measure.
    #[error("{0}")]
    Wrong(String),
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sys {
    /// Real nodes.
    Hobnob,
    /// The same, with what they say saved and synced.
    Disk,
    /// The yardstick.
    Raw,
    /// The yardstick for what is saved.
    Sqlite,
}

const USAGE: &str = "usage: hobnob bench [raw] WORKLOAD [--key value …]
  w1 [--secs 1.5] [--payload 100]     w2 [--n 5000]     w3 --n N [--secs 1.5] [--ones 200]
  w5 [--n 1500] [--at-once 16]        w5mem --n N       w6 [--n 10]
  durable [--secs 1.5]                w1 with all saved, beside SQLite alone
  all [--rounds 5] [--only w1,w2]     each workload and its raw twin in turn: medians and ratios";

/// `hobnob bench ARGS…`.
pub fn main(args: Vec<String>) -> ExitCode {
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Nobody may be there to read it; the exit code says it too.
            let _ = writeln!(std::io::stderr().lock(), "bench: {fault}");
            ExitCode::from(if matches!(fault, Fault::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn run(args: &[String]) -> Result<(), Fault> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["role", sys, role, ..] => play(sys, role, &args[3..]),
        ["durable", ..] => durable::measure(&Options::parse(&args[1..])?)?.iter().try_for_each(Figure::print),
        ["all", ..] => all::run(&Options::parse(&args[1..])?),
        ["raw", workload, ..] => measure(Sys::Raw, workload, &Options::parse(&args[2..])?)?.print(),
        [workload, ..] => measure(Sys::Hobnob, workload, &Options::parse(&args[1..])?)?.print(),
        [] => Err(Fault::Usage("which workload?".into())),
    }
}

fn measure(sys: Sys, workload: &str, options: &Options) -> Result<Figure, Fault> {
    match workload {
        "w1" => w1::measure(sys, options),
        "w2" => w2::measure(sys, options),
        "w3" => w3::measure(sys, options),
        "w5" => w5::measure(sys, options),
        "w5mem" => w5mem::measure(sys, options),
        "w6" => w6::measure(sys, options),
        other => Err(Fault::Usage(format!("no workload \"{other}\""))),
    }
}

/// One of the processes that a workload starts.
fn play(sys: &str, role: &str, args: &[String]) -> Result<(), Fault> {
    process::end_with_parent()?;
    let numbers: Result<Vec<u64>, _> = args.iter().map(|arg| arg.parse()).collect();
    let numbers = numbers.map_err(|error| Fault::Wrong(error.to_string()))?;
    let sys = if sys == Sys::Disk.name() {
        durable::keep()?;
        Sys::Hobnob.name()
    } else {
        sys
    };
    let result = match (sys, role, &numbers[..]) {
        ("hobnob", "durable-ask", &[port, payload]) => durable::ask(port, payload),
        ("hobnob", "w1-receive", &[payload]) => w1::receive(payload),
        ("hobnob", "w1-send", &[port, payload, millis]) => w1::send(port, payload, millis),
        ("hobnob", "w2-answer", &[]) => w2::answer(),
        ("hobnob", "w2-ask", &[port, n]) => w2::ask(port, n),
        ("hobnob", "w3-send", &[n, ones, millis]) => w3::send(n, ones, millis),
        ("hobnob", "w3-receive", &[port, n, ones]) => w3::receive(port, n, ones),
        ("hobnob", "w5-accept", &[n]) => w5::accept(n),
        ("hobnob", "w5-dial", &[port, n, at_once]) => w5::dial(port, n, at_once),
        ("raw", "w1-receive", &[payload]) => raw::w1_receive(payload),
        ("raw", "w1-send", &[port, payload, millis]) => raw::w1_send(port, payload, millis),
        ("raw", "w2-answer", &[]) => raw::w2_answer(),
        ("raw", "w2-ask", &[port, n]) => raw::w2_ask(port, n),
        ("raw", "w3-send", &[n, ones, millis]) => raw_cast::w3_send(n, ones, millis),
        ("raw", "w3-receive", &[port, n, ones]) => raw_cast::w3_receive(port, n, ones),
        ("raw", "w5-accept", &[n]) => raw_dials::w5_accept(n),
        ("raw", "w5-dial", &[port, n, at_once]) => raw_dials::w5_dial(port, n, at_once),
        ("raw", "w6-start", &[]) => raw_dials::w6_start(),
        _ => Err(Fault::Usage(format!("no role \"{sys} {role}\" with {} numbers", numbers.len()))),
    };
    durable::clear();
    match result {
        Ok(()) => process::wait_for_parent(),
        Err(fault) => process::tell_fault(&fault),
    }
}

impl Sys {
    fn name(self) -> &'static str {
        match self {
            Self::Hobnob => "hobnob",
            Self::Disk => "hobnob-disk",
            Self::Raw => "raw",
            Self::Sqlite => "raw-sqlite",
        }
    }
}

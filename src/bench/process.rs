//! The other processes of a workload: started from our own executable, told their numbers as
//! arguments, heard by lines on their stdout (`name number number …`), and gone when we are: a
//! child ends when its stdin does, and in any case after a while.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::bench::{Fault, Sys};

/// No workload takes longer; a child that does is stuck.
const LIFETIME: Duration = Duration::from_secs(180);

/// A process of ours.
pub(super) struct Child {
    child: std::process::Child,
    lines: BufReader<ChildStdout>,
    role: &'static str,
}

impl Child {
    /// Starts one.
    pub(super) fn start(sys: Sys, role: &'static str, numbers: &[u64]) -> Result<Self, Fault> {
        let mut args = vec!["bench".into(), "role".into(), sys.name().into(), role.into()];
        args.extend(numbers.iter().map(u64::to_string));
        Self::program(role, &args)
    }

    /// Starts the program as a user would.
    pub(super) fn program(role: &'static str, args: &[String]) -> Result<Self, Fault> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = child.stdout.take().ok_or_else(|| Fault::Wrong("a child without stdout".into()))?;
        Ok(Self { child, lines: BufReader::new(lines), role })
    }

    /// Its next line; empty when there is none.
    pub(super) fn line(&mut self) -> Result<String, Fault> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line)
    }

    /// Its next line, which must be called `name`.
    pub(super) fn hear_all(&mut self, name: &str) -> Result<Vec<u64>, Fault> {
        let line = self.line()?;
        let numbers = line.strip_prefix(name).map(|rest| rest.split_whitespace().map(str::parse).collect());
        match numbers {
            Some(Ok(numbers)) => Ok(numbers),
            _ if line.is_empty() => Err(Fault::Wrong(format!("{} ended before its \"{name}\"", self.role))),
            _ => Err(Fault::Wrong(format!("{}: {}", self.role, line.trim_end()))),
        }
    }

    /// The same when it has exactly `N` numbers.
    pub(super) fn hear<const N: usize>(&mut self, name: &str) -> Result<[u64; N], Fault> {
        let numbers = self.hear_all(name)?;
        let wrong =
            |numbers: Vec<u64>| Fault::Wrong(format!("{}: {name} with {} numbers", self.role, numbers.len()));
        numbers.try_into().map_err(wrong)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it is left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a child: says a line.
pub(super) fn tell(name: &str, numbers: &[u64]) -> Result<(), Fault> {
    let mut line = name.to_owned();
    for number in numbers {
        line += &format!(" {number}");
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// In a child: says why nothing more will come, and ends.
pub(super) fn tell_fault(fault: &Fault) -> ! {
    // If the parent cannot be told, it is gone.
    let _ = writeln!(std::io::stdout().lock(), "fault {fault}");
    std::process::exit(1)
}

/// In a child: ends the process when the parent lets go of our stdin, or after [`LIFETIME`].
pub(super) fn end_with_parent() -> Result<(), Fault> {
    raise_descriptors();
    std::thread::Builder::new().stack_size(64 * 1024).spawn(|| {
        let mut rest = [0; 64];
        while std::io::stdin().lock().read(&mut rest).is_ok_and(|count| count > 0) {}
        std::process::exit(0)
    })?;
    std::thread::Builder::new().stack_size(64 * 1024).spawn(|| {
        std::thread::sleep(LIFETIME);
        std::process::exit(1)
    })?;
    Ok(())
}

/// In a child: has said all that it had to; the parent ends it.
pub(super) fn wait_for_parent() -> ! {
    loop {
        std::thread::park();
    }
}

/// As many descriptors as the system lets us have.
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If it may not be raised, a workload with many links will say that it cannot dial.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Nanoseconds on a clock that all processes of this machine share.
pub(super) fn monotonic() -> u64 {
    nanos(ClockId::Monotonic)
}

/// Nanoseconds of processor time, user and system, of all threads of this process.
pub(super) fn cpu() -> u64 {
    nanos(ClockId::ProcessCPUTime)
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let (secs, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    secs.unwrap_or(0) * 1_000_000_000 + nanos.unwrap_or(0)
}

/// Bytes of memory that this process has in use, from Linux's `/proc`.
pub(super) fn resident() -> Result<u64, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Fault::Wrong("/proc/self/status is not as expected".into()))
}

/// A folder of our own that goes with us.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// A new one, for this process alone.
    pub(super) fn new(name: impl std::fmt::Display) -> Result<Self, Fault> {
        let path = std::env::temp_dir().join(format!("hobnob-bench-{}-{name}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// It goes at once.
    pub(super) fn clear(&self) {
        // What cannot be removed stays where temporary things are.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.clear();
    }
}

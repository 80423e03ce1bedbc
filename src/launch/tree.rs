//! Ending a program with all that it has started, whatever it did to get away: its session is killed,
//! then everything that descends from it or carries its mark, again and again until nothing does.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::BTreeMap;
use std::fs;

/// Every process has this in its environment, unless it took it away.
pub(super) const MARK: &str = "HOBNOB_LAUNCHED";
/// Rounds of killing; a fork bomb needs a few.
const ROUNDS: usize = 200;

/// From now on orphans of ours come to us and not to the system, so that they can be found.
pub fn adopt() {
    // Without it, marks still find all but those that hide on purpose.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Ends the session of `leader`, and everything that came of it.
pub(super) fn end(leader: u32, mark: &str) {
    let Some(leader) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process_group(leader, Signal::KILL);
    for _ in 0..ROUNDS {
        let found = descendants(leader, mark);
        if found.is_empty() {
            return;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
        reap();
    }
}

/// How many processes came of it.
pub(super) fn count(leader: u32, mark: &str) -> usize {
    let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
    leader.map_or(0, |leader| descendants(leader, mark).len())
}

/// Everything alive that descends from it, is of its session, or carries the mark.
pub(super) fn descendants(leader: Pid, mark: &str) -> Vec<Pid> {
    let own = std::process::id();
    let all = processes();
    let is_of = |process: &Process| {
        let mut at = Some(process.parent);
        // A chain of parents is as long as there are processes, if nothing changes meanwhile.
        for _ in 0..all.len() {
            match at {
                Some(pid) if pid == leader.as_raw_pid().unsigned_abs() => return true,
                Some(pid) => at = all.get(&pid).map(|process| process.parent),
                None => return false,
            }
        }
        false
    };
    let wanted = format!("{MARK}={mark}");
    let marked = |pid: u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
    };
    let leader = leader.as_raw_pid().unsigned_abs();
    all.iter()
        .filter(|(pid, process)| **pid != own && **pid != leader && process.is_alive)
        .filter(|(pid, process)| process.session == leader || is_of(process) || marked(**pid))
        .filter_map(|(pid, _)| i32::try_from(*pid).ok().and_then(Pid::from_raw))
        .collect()
}

struct Process {
    parent: u32,
    session: u32,
    is_alive: bool,
}

/// All processes (proc(5), /proc/PID/stat).
fn processes() -> BTreeMap<u32, Process> {
    let Ok(folder) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may contain anything; what follows its last bracket does not.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        Some((pid, Process { parent, session, is_alive: !matches!(state, "Z" | "X") }))
    })
    .collect()
}

/// Orphans that have come to us and are dead are let go. Those that somebody here waits for are not
/// touched: only processes of other sessions are.
fn reap() {
    let own = std::process::id();
    for (pid, process) in processes() {
        if process.parent == own && !process.is_alive && process.session == pid {
            continue;
        }
        if process.parent == own
            && !process.is_alive
            && let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        {
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
        }
    }
}

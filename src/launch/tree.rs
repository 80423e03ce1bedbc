//! Ending a program with all that it has started, whatever it did to get away: its session is killed,
//! then everything that descends from it, carries its mark, or has come to us as an orphan that took
//! its mark off; first stopped, so that nothing new is born meanwhile, again and again until nothing
//! is left.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Mutex, PoisonError};

/// Every process has this in its environment, unless it took it away.
pub(super) const MARK: &str = "HOBNOB_LAUNCHED";
/// Rounds of killing; a fork bomb needs a few.
const ROUNDS: usize = 200;
/// The programs that were started and not ended: these children of ours are no orphans.
static LEADERS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// From now on orphans of ours come to us and not to the system, so that they can be found.
pub fn adopt() {
    // Without it, marks still find all but those that hide on purpose.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// A program was started.
pub(super) fn begin(leader: u32) {
    LEADERS.lock().unwrap_or_else(PoisonError::into_inner).insert(leader);
}

/// Ends the session of `leader`, and everything that came of it.
pub(super) fn end(leader: u32, mark: &str) {
    let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    // One call for a whole group leaves nobody the time to fork.
    let _ = kill_process_group(pid, Signal::KILL);
    // What is stopped starts nothing, and nothing can be started in its place while the system bounds
    // how many there are. So all of it is stopped before any of it is killed.
    let mut stopped = BTreeSet::new();
    for _ in 0..ROUNDS {
        let found = descendants(pid, mark);
        let new: Vec<_> = found.iter().filter(|pid| stopped.insert(pid.as_raw_pid())).collect();
        for pid in &new {
            let _ = kill_process(**pid, Signal::STOP);
        }
        if new.is_empty() {
            for pid in &found {
                let _ = kill_process(*pid, Signal::KILL);
            }
            reap();
        }
        if found.is_empty() {
            break;
        }
    }
    reap();
    LEADERS.lock().unwrap_or_else(PoisonError::into_inner).remove(&leader);
}

/// How many processes came of it.
pub(super) fn count(leader: u32, mark: &str) -> usize {
    let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
    leader.map_or(0, |leader| descendants(leader, mark).len())
}

/// Everything alive whose user this is.
pub(super) fn of_user(number: u32) -> Vec<Pid> {
    let found = numbers().filter(|pid| status_of_user(*pid, number).is_some());
    found.filter_map(|pid| i32::try_from(pid).ok().and_then(Pid::from_raw)).collect()
}

/// How many processes and threads are this user's.
pub(super) fn tasks_of_user(number: u32) -> u64 {
    let threads = |status: String| field(&status, "Threads:")?.parse::<u64>().ok();
    numbers().filter_map(|pid| status_of_user(pid, number).and_then(threads)).sum()
}

/// What the system says of a process (proc(5), /proc/PID/status) that is alive and this user's, be it
/// that it has become somebody else meanwhile and kept that.
fn status_of_user(pid: u32, number: u32) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let is_own = users.split_whitespace().any(|user| user.parse() == Ok(number));
    let is_alive = !field(&status, "State:")?.starts_with(['Z', 'X']);
    (is_own && is_alive).then_some(status)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Everything alive that descends from it, is of its session, or carries the mark.
pub(super) fn descendants(leader: Pid, mark: &str) -> Vec<Pid> {
    let own = std::process::id();
    let all = processes();
    let leaders = LEADERS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let own_session = all.get(&own).map(|process| process.session);
    // A child of ours in a session that we did not make was orphaned by one of the programs. If it has
    // no mark either, it hides, and is anybody's.
    let is_stray = |pid: u32, process: &Process| {
        let orphan = process.parent == own && Some(process.session) != own_session && !leaders.contains(&pid);
        orphan && !carries(pid, &format!("{MARK}="))
    };
    let is_of = |process: &Process| {
        let mut at = Some(process.parent);
        // A chain of parents is as long as there are processes, if nothing changes meanwhile.
        for _ in 0..all.len() {
            match at {
                Some(pid) if pid == leader.as_raw_pid().unsigned_abs() => return true,
                Some(pid) => match all.get(&pid) {
                    Some(process) if is_stray(pid, process) => return true,
                    found => at = found.map(|process| process.parent),
                },
                None => return false,
            }
        }
        false
    };
    // A mark ends with a number, so none is the beginning of another with this behind it.
    let wanted = format!("{MARK}={mark}\0");
    let leader = leader.as_raw_pid().unsigned_abs();
    all.iter()
        .filter(|(pid, process)| **pid != own && **pid != leader && process.is_alive)
        .filter(|(pid, process)| {
            process.session == leader || is_of(process) || is_stray(**pid, process) || carries(**pid, &wanted)
        })
        .filter_map(|(pid, _)| i32::try_from(*pid).ok().and_then(Pid::from_raw))
        .collect()
}

/// Whether its environment begins an entry so.
fn carries(pid: u32, entry: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let is_there = |at: usize| at == 0 || environment.get(at - 1) == Some(&0);
    let ends = environment.windows(entry.len()).enumerate();
    ends.into_iter().any(|(at, window)| window == entry.as_bytes() && is_there(at))
}

struct Process {
    parent: u32,
    session: u32,
    is_alive: bool,
}

/// The numbers of all processes.
fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// All processes (proc(5), /proc/PID/stat).
fn processes() -> BTreeMap<u32, Process> {
    numbers()
        .filter_map(|pid| {
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
/// touched: the programs themselves, and what else we have started, which is in our own session.
pub(super) fn reap() {
    let own = std::process::id();
    let all = processes();
    let leaders = LEADERS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let own_session = all.get(&own).map(|process| process.session);
    for (pid, process) in &all {
        let orphan = process.parent == own && Some(process.session) != own_session && !leaders.contains(pid);
        if orphan
            && !process.is_alive
            && let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw)
        {
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
        }
    }
}

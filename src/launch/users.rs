//! Users of their own for programs that root starts: numbers that nobody on this machine has, one for
//! each program, held while it runs. Root has no bound on its processes and may kill and read what it
//! likes; such a user has the bound, reaches only what is everybody's, and all that is its own can be
//! ended with one call, whatever it did to get away.

use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::thread::CapabilitySet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::launch::shim;
use crate::launch::tree;

/// Where numbers begin that systemd's table of users and groups names as unused: the first for any
/// machine, the second for a container that has 65,536 users.
const BASES: [u32; 2] = [1_900_000_000, 60_600];
/// How many programs may run at once.
const PROGRAMS: u32 = 128;
/// What it takes to give things away, to become somebody, and to clear up after them.
const NEEDED: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);
/// Rounds of killing, each a few milliseconds; one is enough for all but what the kernel holds on to.
const ROUNDS: usize = 500;
/// What was killed takes a moment to die.
const PAUSE: Duration = Duration::from_millis(2);

/// A number that is one program's alone, as its user and its group.
pub(super) struct User {
    number: u32,
    /// Locked until it is dropped, and then by itself.
    _held: OwnedFd,
}

impl User {
    /// One that nobody has; `None` if we could not make a program run as somebody else.
    ///
    /// # Errors
    /// All are taken, or it cannot be held.
    pub(super) fn claim() -> io::Result<Option<Self>> {
        let Some(base) = base() else { return Ok(None) };
        let folder = locks()?;
        for number in (0..PROGRAMS).map(|n| base + 2 * n) {
            let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let held = rustix::fs::openat(&folder, number.to_string(), flags, Mode::RUSR | Mode::WUSR)?;
            let is_held = rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok();
            // Whoever held it may have been killed before what it had started.
            if is_held && tree::of_user(number).is_empty() {
                return Ok(Some(Self { number, _held: held }));
            }
        }
        Err(io::Error::other(format!("{PROGRAMS} programs run already, each as a user of its own")))
    }

    /// The user's number, and its group's.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Gives it what is there, as long as that is no link.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::lchown(path, Some(self.number), Some(self.number))
    }

    /// Ends all that is this user's.
    pub(super) fn end(&self, shim: &Path) {
        for _ in 0..ROUNDS {
            if tree::of_user(self.number).is_empty() {
                break;
            }
            // The one that ends it has the next number besides, so that it cannot be killed in return.
            let ender = Command::new(shim)
                .args([shim::WORD, shim::END])
                .args([self.number.to_string(), (self.number + 1).to_string()])
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if !ender.is_ok_and(|status| status.success()) {
                break;
            }
            tree::reap();
            thread::sleep(PAUSE);
        }
    }
}

/// Where the numbers begin that can be had here, if any can.
fn base() -> Option<u32> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let own = rustix::thread::capabilities(None).ok()?.effective;
    let maps = ["uid_map", "gid_map"].map(|map| fs::read_to_string(format!("/proc/self/{map}")));
    let [Ok(users), Ok(groups)] = maps else { return None };
    let is_here = |base: &u32| [&users, &groups].iter().all(|map| has(map, *base, 2 * PROGRAMS));
    own.contains(NEEDED).then(|| BASES.into_iter().find(is_here)).flatten()
}

/// Whether a map of users (user_namespaces(7)) has these numbers: each line has the first, what it is
/// outside, and how many.
fn has(map: &str, first: u32, count: u32) -> bool {
    map.lines().any(|line| {
        let numbers: Vec<u64> = line.split_whitespace().flat_map(str::parse).collect();
        let wanted = u64::from(first)..u64::from(first) + u64::from(count);
        matches!(numbers[..], [begin, _, length] if begin <= wanted.start && wanted.end <= begin + length)
    })
}

/// A folder of root's alone, in which numbers are held.
fn locks() -> io::Result<OwnedFd> {
    let mut refused = io::Error::from(io::ErrorKind::NotFound);
    for place in [PathBuf::from("/run"), std::env::temp_dir()] {
        let path = place.join("hobnob-users");
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => refused = error,
            Ok(()) | Err(_) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let folder = rustix::fs::open(&path, flags, Mode::empty())?;
                let found = rustix::fs::fstat(&folder)?;
                if found.st_uid == 0 && found.st_mode & 0o077 == 0 {
                    return Ok(folder);
                }
                refused = io::Error::other(format!("{} is not root's alone", path.display()));
            }
        }
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_what_lies_in_one_of_its_lines() {
        let whole = "         0          0 4294967295\n";
        let some = "0 1000 1\n1 100000 65535\n";
        assert!(has(whole, BASES[0], 2 * PROGRAMS) && has(some, BASES[1], 2 * PROGRAMS));
        assert!(!has(some, BASES[0], 2 * PROGRAMS) && !has(some, 0, 2) && !has("", 0, 1) && has(some, 0, 1));
    }

    #[test]
    fn no_two_programs_are_the_same_user() {
        // Only root gives numbers away.
        let (Ok(Some(one)), Ok(Some(other))) = (User::claim(), User::claim()) else { return };
        assert_ne!(one.number(), other.number());
        assert!(BASES.iter().any(|base| (0..2 * PROGRAMS).contains(&one.number().wrapping_sub(*base))));
    }
}

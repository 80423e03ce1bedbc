//! What runs between us and a program: this same executable, started anew, which makes a session,
//! takes the terminal, sets the bounds, and becomes the program. So no bound is set too late, and all
//! of it is ordinary code and none between fork and exec. It also ends all that is a user's, as that
//! user.

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Gid, Resource, Rlimit, Signal, Uid};
use rustix::termios::{LocalModes, OptionalActions, OutputModes};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::launch::tree;
use crate::limits;

/// The word that asks for it.
pub const WORD: &str = "__launch";
/// And then: start a program.
pub(super) const START: &str = "start";
/// And then: end all that is a user's.
pub(super) const END: &str = "end";
/// The user of a program that has none of its own.
const SAME: &str = "same";
/// A program that is shut in, and one that is not.
const SHUT: [&str; 2] = ["open", "shut"];
/// The exit code of a program that could not be started, as shells have it.
const NOT_STARTED: u8 = 127;

/// As whom a program is started, and how much the shim itself has to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    /// The user to become.
    pub(super) user: Option<u32>,
    /// What starts it shuts it in.
    pub(super) is_shut: bool,
}

impl Manner {
    /// As it is told to the shim.
    pub(super) fn words(self) -> [String; 2] {
        let user = self.user.map_or_else(|| SAME.to_owned(), |user| user.to_string());
        [user, SHUT[usize::from(self.is_shut)].to_owned()]
    }

    fn read(user: &OsStr, shut: &OsStr) -> Option<Self> {
        let user = match user.to_str()? {
            SAME => None,
            number => Some(number.parse().ok()?),
        };
        Some(Self { user, is_shut: SHUT.iter().position(|word| *word == shut)? == 1 })
    }
}

/// Does what its words say. Comes back from a start only if that is impossible.
pub fn main(args: &[OsString]) -> ExitCode {
    match args {
        [what, user, besides] if what == END => match end(user, besides) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        [what, user, shut, pty, argv @ ..] if what == START => start(Manner::read(user, shut), pty, argv),
        _ => ExitCode::from(NOT_STARTED),
    }
}

/// Becomes the program.
fn start(manner: Option<Manner>, pty: &OsStr, argv: &[OsString]) -> ExitCode {
    let Some(manner) = manner else { return ExitCode::from(NOT_STARTED) };
    let error = match prepare(pty, manner) {
        Err((what, error)) => format!("cannot {what}: {error}"),
        Ok(()) => match argv.split_first() {
            None => "nothing is to be started".to_owned(),
            Some((program, args)) => {
                let error = Command::new(program).args(args).exec();
                let whom = match manner.user {
                    Some(_) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                        "; it runs as a user of its own, who must be allowed to start it"
                    }
                    _ => "",
                };
                let program = crate::text::escape_display(&program.to_string_lossy());
                format!("cannot start {program}: {error}{whom}")
            }
        },
    };
    // Its terminal is where everything that it says is read.
    let _ = rustix::io::write(rustix::stdio::stderr(), format!("hobnob: {error}\n").as_bytes());
    ExitCode::from(NOT_STARTED)
}

/// Files that were open when we were started, and are nobody's business.
fn close_what_is_open() {
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The folder's own is closed already.
        let _ = nix::unistd::close(number);
    }
}

fn prepare(pty: &OsStr, manner: Manner) -> std::result::Result<(), (&'static str, Errno)> {
    close_what_is_open();
    take_terminal(pty).map_err(|error| ("take its terminal", error))?;
    set_bounds(manner).map_err(|error| ("set its bounds", error))?;
    if let Some(number) = manner.user {
        become_user(number).map_err(|error| ("become a user of its own", error))?;
    }
    let last = || {
        if !manner.is_shut {
            // What makes whoever starts it root does so no more. Bubblewrap sees to that by itself.
            rustix::thread::set_no_new_privs(true)?;
        }
        // Whoever started it may be killed, by the program itself for one; nobody would end it then. To
        // become somebody else takes this back, so it comes last.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
    };
    last().map_err(|error| ("give its rights away", error))
}

fn take_terminal(pty: &OsStr) -> Result<()> {
    rustix::process::setsid()?;
    // The first terminal that the leader of a session opens is the session's own.
    let terminal = rustix::fs::open(pty, OFlags::RDWR, Mode::empty())?;
    let mut modes = rustix::termios::tcgetattr(&terminal)?;
    // What is written to it is not printed too, and lines end as the program ends them.
    modes.local_modes.remove(LocalModes::ECHO);
    modes.output_modes.remove(OutputModes::OPOST);
    rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &modes)?;
    rustix::stdio::dup2_stdin(&terminal)?;
    rustix::stdio::dup2_stdout(&terminal)?;
    rustix::stdio::dup2_stderr(&terminal)
}

fn set_bounds(manner: Manner) -> Result<()> {
    let tasks = match manner.user {
        Some(_) => Some(limits::LAUNCH_TASKS),
        // It has no bound, whatever is set.
        None if rustix::process::getuid().is_root() => None,
        None => {
            let now = tree::tasks_of_user(rustix::process::getuid().as_raw());
            Some(now + limits::LAUNCH_TASKS_SHARED)
        }
    };
    for (resource, most) in [
        (Resource::Cpu, Some(limits::LAUNCH_CPU.as_secs())),
        (Resource::As, Some(limits::LAUNCH_MEMORY)),
        (Resource::Nofile, Some(limits::LAUNCH_FILES)),
        (Resource::Fsize, Some(limits::LAUNCH_FILE_BYTES)),
        (Resource::Core, Some(0)),
        (Resource::Nproc, tasks),
    ] {
        let Some(most) = most else { continue };
        // Whoever has less already cannot have more.
        let most = rustix::process::getrlimit(resource).maximum.map_or(most, |maximum| maximum.min(most));
        rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

fn become_user(number: u32) -> Result<()> {
    let (user, group) = (Uid::from_raw(number), Gid::from_raw(number));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)
}

/// Kills all that is a user's, as that user, so that it can be nobody else's. It has another number
/// besides, so that it cannot be killed by what it kills.
fn end(user: &OsStr, besides: &OsStr) -> Result<()> {
    let number = |word: &OsStr| word.to_str().and_then(|word| word.parse().ok()).ok_or(Errno::INVAL);
    let (user, besides) = (Uid::from_raw(number(user)?), Uid::from_raw(number(besides)?));
    if user.is_root() || besides.is_root() {
        return Err(Errno::PERM);
    }
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(None, Gid::from_raw(user.as_raw()), None)?;
    rustix::thread::set_thread_res_uid(besides, user, besides)?;
    // All that one may kill is all that there is while one is root.
    if rustix::process::getuid() != besides || rustix::process::geteuid() != user {
        return Err(Errno::PERM);
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(-1), nix::sys::signal::Signal::SIGKILL)
        .map_err(|error| Errno::from_raw_os_error(error as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manner_is_read_as_it_was_told() {
        for manner in [Manner { user: None, is_shut: true }, Manner { user: Some(60_600), is_shut: false }] {
            let [user, shut] = manner.words();
            assert_eq!(Manner::read(user.as_ref(), shut.as_ref()), Some(manner));
        }
        assert_eq!(Manner::read("root".as_ref(), "shut".as_ref()), None);
    }

    #[test]
    fn all_that_is_roots_is_not_ended() {
        for [user, besides] in [["0", "7"], ["7", "0"], ["x", "7"]] {
            assert!(end(user.as_ref(), besides.as_ref()).is_err());
        }
    }
}

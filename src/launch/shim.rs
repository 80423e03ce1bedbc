//! What runs between us and a program: this same executable, started anew, which makes a session,
//! takes the terminal, sets the bounds, and becomes the program. So no bound is set too late, and all
//! of it is ordinary code and none between fork and exec.

use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit};
use rustix::termios::{LocalModes, OptionalActions, OutputModes};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use crate::limits;

/// The word that asks for it.
pub const WORD: &str = "__launch";
/// The exit code of a program that could not be started, as shells have it.
const NOT_STARTED: u8 = 127;

/// Becomes the program: `PTY PROGRAM ARGS…`. Comes back only if that is impossible.
pub fn main(args: &[OsString]) -> ExitCode {
    let Some((pty, argv)) = args.split_first() else { return ExitCode::from(NOT_STARTED) };
    let error = match prepare(pty) {
        Err(error) => format!("cannot take its terminal: {error}"),
        Ok(()) => match argv.split_first() {
            None => "nothing is to be started".to_owned(),
            Some((program, args)) => {
                let error = Command::new(program).args(args).exec();
                format!("cannot start {}: {error}", crate::text::escape_display(&program.to_string_lossy()))
            }
        },
    };
    // Its terminal is where everything that it says is read.
    let _ = rustix::io::write(rustix::stdio::stderr(), format!("hobnob: {error}\n").as_bytes());
    ExitCode::from(NOT_STARTED)
}

fn prepare(pty: &OsStr) -> rustix::io::Result<()> {
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
    rustix::stdio::dup2_stderr(&terminal)?;
    for (resource, most) in [
        (Resource::Cpu, limits::LAUNCH_CPU.as_secs()),
        (Resource::As, limits::LAUNCH_MEMORY),
        (Resource::Nofile, limits::LAUNCH_FILES),
        (Resource::Fsize, limits::LAUNCH_FILE_BYTES),
        (Resource::Core, 0),
    ] {
        rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

//! A program that runs: what it is started with, its terminal, and its end.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::pty::OpenptFlags;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::launch::folder::Folder;
use crate::launch::output::{Output, Taken};
use crate::launch::sandbox::Sandbox;
use crate::launch::shim::Manner;
use crate::launch::users::User;
use crate::launch::{shim, tree};
use crate::session::Bell;

/// How a program is to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program and its arguments. Relative to its folder, or on the PATH.
    pub argv: Vec<OsString>,
    /// What was handed in: copied for each start.
    pub folder: Option<PathBuf>,
    /// How it is shut in.
    pub sandbox: Sandbox,
    /// This very program, which prepares the start.
    pub shim: PathBuf,
}

/// A program that was started.
pub struct Program {
    child: Child,
    terminal: File,
    output: Arc<Output>,
    mark: String,
    ended: Option<Ended>,
    shim: PathBuf,
    /// Gone only after the program is.
    _folder: Folder,
    /// Somebody else's only after all of it is.
    user: Option<User>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// Why a program cannot be started; nothing was.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is nothing to start.
    #[error("no program is named; write it behind --")]
    Nothing,
    /// It can be nobody.
    #[error("it gets no user of its own: {0}")]
    User(std::io::Error),
    /// Its folder cannot be copied.
    #[error("its folder cannot be copied: {0}")]
    Folder(std::io::Error),
    /// It gets no terminal.
    #[error("it gets no terminal: {0}")]
    Terminal(std::io::Error),
    /// The system refuses a process.
    #[error("it cannot be started: {0}")]
    Process(std::io::Error),
}

impl Launch {
    /// Starts it; `bell` is rung when it has said something.
    ///
    /// # Errors
    /// It cannot be started; nothing is left behind.
    pub fn start(&self, bell: Bell) -> Result<Program, LaunchError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if self.argv.is_empty() {
            return Err(LaunchError::Nothing);
        }
        let user = User::claim().map_err(LaunchError::User)?;
        let folder = Folder::new(self.folder.as_deref(), user.as_ref()).map_err(LaunchError::Folder)?;
        let terminal_error = |error: rustix::io::Errno| LaunchError::Terminal(error.into());
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .map_err(terminal_error)?;
        rustix::pty::grantpt(&master).map_err(terminal_error)?;
        rustix::pty::unlockpt(&master).map_err(terminal_error)?;
        let name = rustix::pty::ptsname(&master, Vec::new()).map_err(terminal_error)?;
        let name = PathBuf::from(OsString::from_vec(name.into_bytes()));
        if let Some(user) = &user {
            user.give(&name).map_err(LaunchError::Terminal)?;
        }
        let manner = Manner {
            user: user.as_ref().map(User::number),
            is_shut: matches!(self.sandbox, Sandbox::Bubblewrap(_)),
        };
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let work = folder.work();
        let child = Command::new(&self.shim)
            .args([shim::WORD, shim::START])
            .args(manner.words())
            .arg(&name)
            .args(self.sandbox.around(folder.root(), &work, &self.argv))
            .current_dir(&work)
            .env_clear()
            .env("HOME", folder.home())
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()))
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env(tree::MARK, &mark)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(LaunchError::Process)?;
        // A program that does not read is not to stop whoever types.
        rustix::io::ioctl_fionbio(&master, true).map_err(terminal_error)?;
        let terminal = File::from(master);
        tree::begin(child.id());
        let output = Arc::new(Output::default());
        let mut reads = terminal.try_clone().map_err(LaunchError::Terminal)?;
        let heard = Arc::clone(&output);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            // The terminal ends, with an error, when nobody holds its other side any more.
            while readable(&reads) {
                match reads.read(&mut buffer) {
                    Ok(count @ 1..) if heard.add(&buffer[..count]) => bell.ring(),
                    Ok(1..) => {}
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                    Ok(0) | Err(_) => break,
                }
            }
            heard.end();
            bell.ring();
        });
        let shim = self.shim.clone();
        Ok(Program { child, terminal, output, mark, ended: None, shim, _folder: folder, user })
    }
}

impl Program {
    /// What it has printed since this was last asked.
    pub fn take(&mut self) -> Taken {
        self.output.take()
    }

    /// Types this at its terminal. That it does not read is no error: it may have ended, and what its
    /// terminal has no room for is lost, as it is when a person types.
    pub fn write(&mut self, text: &str) {
        let _ = self.terminal.write_all(text.as_bytes());
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<Ended> {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended = Some(ended(status));
        }
        self.ended
    }

    /// How many processes it consists of, itself not counted.
    pub fn processes(&self) -> usize {
        match &self.user {
            Some(user) => tree::of_user(user.number()).len().saturating_sub(1),
            None => tree::count(self.child.id(), &self.mark),
        }
    }

    /// Ends it, and all that it has started. How it had ended by itself, if it had.
    pub fn end(&mut self) -> Option<Ended> {
        let by_itself = self.ended();
        let _ = self.child.kill();
        if let Some(user) = &self.user {
            user.end(&self.shim);
        }
        tree::end(self.child.id(), &self.mark);
        let _ = self.child.wait();
        by_itself
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits until its terminal has something to say, be it that it has ended.
fn readable(terminal: &File) -> bool {
    let mut wanted = [PollFd::new(terminal, PollFlags::IN)];
    matches!(poll(&mut wanted, None), Ok(_) | Err(rustix::io::Errno::INTR))
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exit(code),
        (None, signal) => Ended::Signal(signal.unwrap_or(0)),
    }
}

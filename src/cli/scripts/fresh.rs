//! Runs of a script in processes of their own, as `verify` wants them: whatever one leaves behind,
//! the next does not find. A signal that ends us ends the run under way, too.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::Script;
use crate::session::Bell;
use crate::shell::signals;
use crate::text::escape_display;

/// How a Rust program ends that panics.
const PANICKED: i32 = 101;

/// Runs of one script.
pub(super) struct Fresh<'a> {
    script: &'a Script,
    flags: &'a Flags,
    interrupted: Arc<AtomicBool>,
    child: Arc<Mutex<Option<Pid>>>,
}

impl<'a> Fresh<'a> {
    pub(super) fn new(script: &'a Script, flags: &'a Flags) -> Self {
        let (interrupted, child) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let own = Arc::clone(&child);
        let end = move || {
            if let Some(pid) = *own.lock().unwrap_or_else(PoisonError::into_inner) {
                // It may have ended by itself.
                let _ = kill_process(pid, Signal::INT);
            }
        };
        signals::watch(Arc::clone(&interrupted), Bell::new(end));
        Self { script, flags, interrupted, child }
    }

    /// Whether somebody wants no more of it.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// One run: what it prints, and its exit code.
    ///
    /// # Errors
    /// It did not run, or not to its end; the text says why.
    pub(super) fn run(&self, what: &str) -> Result<(String, i32), String> {
        if self.is_interrupted() {
            return Err("interrupted".into());
        }
        let program =
            std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
        let (start, mut command) = (crate::live::wall(), Command::new(program));
        command.args(self.args(what)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| format!("cannot start this program: {error}");
        let child = command.spawn().map_err(failed)?;
        self.hold(Some(Pid::from_child(&child)));
        if self.is_interrupted() {
            // The signal came before there was anybody to end.
            let _ = kill_process(Pid::from_child(&child), Signal::INT);
        }
        let run = child.wait_with_output();
        self.hold(None);
        let took = i128::from(crate::live::wall().0) - i128::from(start.0);
        let run = run.map_err(failed)?;
        let Some(exit) = run.status.code() else {
            return Err(format!("a run was killed: {}", run.status));
        };
        // Two runs that fall over at the same place are alike, and yet nobody is to hear that all is well.
        if exit == PANICKED {
            let said = String::from_utf8_lossy(&run.stderr);
            let words: Vec<_> = said.trim().lines().take(2).map(escape_display).collect();
            return Err(format!("this program fell over: {}", words.join(" ")));
        }
        // Where the clock ended it is no two times the same, and says nothing of the script.
        let late = self
            .flags
            .timeout
            .is_some_and(|timeout| took >= i128::try_from(timeout.as_micros()).unwrap_or(i128::MAX));
        if late && exit == i32::from(Exit::Runtime.code()) {
            return Err("a run took longer than --timeout allows".into());
        }
        let text = String::from_utf8(run.stdout).map_err(|_| "a run printed no text".to_owned())?;
        if text.is_empty() {
            return Err(String::from_utf8_lossy(&run.stderr).trim().to_owned());
        }
        Ok((text, exit))
    }

    fn args(&self, what: &str) -> Vec<OsString> {
        let Self { script, flags, .. } = self;
        let mut args: Vec<OsString> = vec!["run".into(), what.into(), "--quiet".into(), "--seed".into()];
        args.push(script.seed.to_string().into());
        args.extend(script.tcp.then(|| "--tcp".into()));
        if let Some(timeout) = flags.timeout {
            args.extend(["--timeout".into(), crate::api::command::show(timeout).into()]);
        }
        // Its name, or an argument, may look like a flag.
        args.push("--".into());
        args.push(script.file.clone().into());
        args.extend(script.args.iter().map(OsString::from));
        args
    }

    fn hold(&self, child: Option<Pid>) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = child;
    }
}

//! SIGINT, SIGTERM and SIGHUP: the first sets a flag and rings the bell, and the program ends in
//! good order; the second ends it at once. Our own SIGINT, which ends the line editor, is none.

use async_signal::{Signal, Signals};
use nix::sys::signal::SigSet;
use smol::stream::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::session::Bell;
use crate::shell::terminal;

/// The exit code of a program that was interrupted twice.
const AT_ONCE: i32 = 130;

/// Whether a SIGINT is our own.
static OWN: AtomicBool = AtomicBool::new(false);

/// While it is held, a SIGINT is our own, and a little longer: the last has to be taken.
pub(super) struct Own(());

/// Watches for signals from now on, on a thread of its own that sleeps otherwise.
pub fn watch(interrupted: Arc<AtomicBool>, bell: Bell) {
    let Ok(mut signals) = Signals::new([Signal::Int, Signal::Term, Signal::Hup]) else { return };
    thread::spawn(move || {
        smol::block_on(async {
            while let Some(signal) = signals.next().await {
                if matches!(signal, Ok(Signal::Int)) && OWN.load(Ordering::Relaxed) {
                    continue;
                }
                if interrupted.swap(true, Ordering::Relaxed) {
                    terminal::put_right();
                    std::process::exit(AT_ONCE);
                }
                bell.ring();
            }
        });
    });
}

/// Has SIGWINCH handled on a thread of its own. The line editor's handler writes to a pipe that only
/// the editor empties, and waits when it is full: a storm of resizes on a terminal that is slow to
/// take output would hold up every thread that the signal falls on, the editor among them, for ever.
/// To be called before any other thread is started, as those inherit what this one blocks.
pub fn resize_apart() {
    let mut resize = SigSet::empty();
    resize.add(nix::sys::signal::Signal::SIGWINCH);
    if resize.thread_block().is_err() {
        return;
    }
    thread::spawn(move || {
        if resize.thread_unblock().is_ok() {
            loop {
                thread::park();
            }
        }
    });
}

impl Own {
    pub(super) fn new() -> Self {
        OWN.store(true, Ordering::Relaxed);
        Self(())
    }

    /// Sends ourselves a SIGINT, for the line editor; between two lines it does not take it.
    pub(super) fn interrupt(&self) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        const TAKEN: Duration = Duration::from_millis(200);
        thread::spawn(|| {
            thread::sleep(TAKEN);
            OWN.store(false, Ordering::Relaxed);
        });
    }
}

//! SIGINT, SIGTERM and SIGHUP: the first sets a flag and rings the bell, and the program ends in
//! good order; the second ends it at once. Our own SIGINT, which ends the line editor, is none.

use async_signal::{Signal, Signals};
use smol::stream::StreamExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::session::Bell;
use crate::shell::terminal;

/// The exit code of a program that was interrupted twice.
const AT_ONCE: i32 = 130;

/// Until when a SIGINT is our own.
static OWN: Mutex<Option<Instant>> = Mutex::new(None);

/// Watches for signals from now on, on a thread of its own that sleeps otherwise.
pub fn watch(interrupted: Arc<AtomicBool>, bell: Bell) {
    let Ok(mut signals) = Signals::new([Signal::Int, Signal::Term, Signal::Hup]) else { return };
    std::thread::spawn(move || {
        smol::block_on(async {
            while let Some(signal) = signals.next().await {
                if matches!(signal, Ok(Signal::Int)) && is_own() {
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

/// Sends ourselves a SIGINT, for the line editor; between two lines it does not take it.
pub(super) fn interrupt_editor() {
    const TAKEN: Duration = Duration::from_millis(250);
    *OWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + TAKEN);
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT);
}

fn is_own() -> bool {
    OWN.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
}

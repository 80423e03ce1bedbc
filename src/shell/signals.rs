//! SIGINT, SIGTERM and SIGHUP: the first sets a flag and rings the bell, and the program ends in
//! good order; the second ends it at once.

use async_signal::{Signal, Signals};
use smol::stream::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::session::Bell;

/// The exit code of a program that was interrupted twice.
const AT_ONCE: i32 = 130;

/// Watches for signals from now on, on a thread of its own that sleeps otherwise.
pub fn watch(interrupted: Arc<AtomicBool>, bell: Bell) {
    let Ok(mut signals) = Signals::new([Signal::Int, Signal::Term, Signal::Hup]) else { return };
    std::thread::spawn(move || {
        smol::block_on(async {
            while signals.next().await.is_some() {
                if interrupted.swap(true, Ordering::Relaxed) {
                    std::process::exit(AT_ONCE);
                }
                bell.ring();
            }
        });
    });
}

//! What a program has printed, as it waits to be taken: bounded, and what does not fit is counted and
//! thrown away while the program is still read, so that it neither waits nor fills our memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::LAUNCH_OUTPUT_WAITING;

/// Filled by the thread that reads, emptied by whoever listens.
#[derive(Default)]
pub(super) struct Output(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    lost: u64,
    ended: bool,
}

/// What was taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Bytes, in the order of being printed.
    pub bytes: Vec<u8>,
    /// How many more there were that nobody can have any more.
    pub lost: u64,
    /// Nothing comes any more.
    pub ended: bool,
}

impl Output {
    /// Adds what was read; true if whoever listens was to be woken.
    pub(super) fn add(&self, bytes: &[u8]) -> bool {
        let mut waiting = self.lock();
        let was_empty = waiting.bytes.is_empty();
        let room = LAUNCH_OUTPUT_WAITING.saturating_sub(waiting.bytes.len()).min(bytes.len());
        waiting.bytes.extend_from_slice(&bytes[..room]);
        waiting.lost += (bytes.len() - room) as u64;
        was_empty
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        self.lock().ended = true;
    }

    /// Takes all that waits.
    pub(super) fn take(&self) -> Taken {
        let mut waiting = self.lock();
        let (bytes, lost) = (std::mem::take(&mut waiting.bytes), std::mem::take(&mut waiting.lost));
        Taken { bytes, lost, ended: waiting.ended }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let output = Output::default();
        assert!(output.add(b"ab"));
        assert!(!output.add(&vec![7; LAUNCH_OUTPUT_WAITING]));
        let taken = output.take();
        assert_eq!((taken.bytes.len(), taken.lost, taken.ended), (LAUNCH_OUTPUT_WAITING, 2, false));
        output.end();
        assert_eq!(output.take(), Taken { bytes: Vec::new(), lost: 0, ended: true });
    }
}

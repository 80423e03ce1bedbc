//! What only reads what a stream brought: whatever breaks there breaks that stream alone. Decides what
//! is left of it; that it does not happen is shown by the tests and the fuzzers, for whom nothing is
//! sheltered, so that they see it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::id::LinkId;
use crate::link::Link;
use crate::node::Node;
use crate::planted::{self, Planted};

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread ends no more than a stream, so that the terminal is still in use.
pub fn holds() -> bool {
    HERE.get()
}

/// Reads; `None` if that broke. Nothing that it has changed may be used then.
pub(super) fn read<T>(sheltered: bool, reads: impl FnOnce() -> T) -> Option<T> {
    if !sheltered {
        return Some(reads());
    }
    let before = HERE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(reads));
    HERE.set(before);
    result.ok()
}

/// Breaks, if that is planted and what was read ends with the word.
pub(super) fn breaks(read: &[u8], word: &str) {
    assert!(!(planted::is(Planted::BreakingText) && read.ends_with(word.as_bytes())), "planted");
}

impl Node {
    /// Reading from a link broke in the midst of it, so nothing of it may be used.
    pub(super) fn broken(&mut self, id: LinkId, plaintext: &mut Vec<u8>) {
        // A record that was not proven whole may be among them; what was comes again.
        plaintext.clear();
        if let Some(conn) = self.links.get_mut(&id) {
            conn.link = Some(Link::accepted(self.now.mono, true));
        }
    }
}

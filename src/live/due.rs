//! What is due when: a node's own deadline, the end of a dial or of a closing stream, a listener's
//! rest. Ordered, so that a wait need not ask a thousand of them for the earliest.

use std::collections::BTreeSet;

use crate::live::ready::Token;
use crate::time::Mono;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    Host(usize),
    Thing(Token),
}

/// Deadlines, each with its owner, who remembers it as `armed`.
#[derive(Default)]
pub(super) struct Due(BTreeSet<(Mono, Whose)>);

impl Due {
    /// From now on `whose` is due at `at`, and no longer at what was `armed`.
    pub(super) fn arm(&mut self, whose: Whose, armed: &mut Option<Mono>, at: Option<Mono>) {
        if *armed == at {
            return;
        }
        if let Some(old) = std::mem::replace(armed, at) {
            self.0.remove(&(old, whose));
        }
        if let Some(at) = at {
            self.0.insert((at, whose));
        }
    }

    /// The earliest.
    pub(super) fn next(&self) -> Option<Mono> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the earliest if it is due; its owner is no longer armed.
    pub(super) fn take(&mut self, now: Mono) -> Option<Whose> {
        if self.next().is_some_and(|at| at <= now) {
            self.0.pop_first().map(|(_, whose)| whose)
        } else {
            None
        }
    }
}

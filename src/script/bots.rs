//! Two programs that answer each other do so for ever, unless one can tell that the other is one. Ours
//! say so of their messages; in the plain protocol there is no way to, so what a plain peer says right
//! after a handler has written to it is taken for an answer of a program. Only where a script stands:
//! one that is run ends by itself, and what it has its plain peers say is its own.

use std::collections::BTreeMap;

use crate::limits::{PLAIN_ANSWERS, PLAIN_ANSWERS_MAX};
use crate::script::stage::Stage;
use crate::time::Mono;

/// When handlers wrote to whom, by the names that they used.
pub(super) type Spoken = BTreeMap<String, Mono>;

impl Stage {
    /// Somebody is written to, by a handler or not.
    pub(super) fn bot_speaks(&mut self, whom: &str, auto: bool) {
        let now = self.scene.world.now().mono;
        let Some(spoken) = self.spoken.as_mut().filter(|_| auto) else { return };
        if spoken.len() >= PLAIN_ANSWERS_MAX {
            spoken.retain(|_, at| now.since(*at) < PLAIN_ANSWERS);
        }
        if spoken.len() < PLAIN_ANSWERS_MAX {
            spoken.insert(whom.to_owned(), now);
        }
    }

    /// Whether what somebody says in the plain protocol is likely a program's answer to ours.
    pub(super) fn is_answer(&self, who: &str) -> bool {
        let now = self.scene.world.now().mono;
        let at = self.spoken.as_ref().and_then(|spoken| spoken.get(who));
        at.is_some_and(|at| now.since(*at) < PLAIN_ANSWERS)
    }
}

//! A store that keeps nothing, for a node whose program is not to leave a trace: what it queues is in
//! its own outboxes, and nobody could ever read a second copy.

use std::collections::VecDeque;

use crate::id::{LoadId, SaveId};
use crate::node::record::{Answer, Query, Record, Snapshot};
use crate::store::Store;

/// Keeps nothing.
#[derive(Default)]
pub struct Ephemeral {
    answers: VecDeque<Answer>,
}

impl Store for Ephemeral {
    fn keeps(&self) -> bool {
        false
    }

    fn load(&mut self) -> Snapshot {
        Snapshot::default()
    }

    fn save(&mut self, save: SaveId, _: Vec<Record>) {
        self.answers.push_back(Answer::Saved { save, known: Vec::new() });
    }

    fn look_up(&mut self, load: LoadId, _: Query) {
        self.answers.push_back(Answer::Found { load, rows: Ok(Vec::new()) });
    }

    fn answer(&mut self) -> Option<Answer> {
        self.answers.pop_front()
    }
}

//! A store that keeps nothing, for a node whose program is not to leave a trace: what it queues is in
//! its own outboxes, and nobody could ever read a second copy.

use crate::id::SaveId;
use crate::node::io::{Record, Snapshot};
use crate::store::Store;

/// Keeps nothing.
#[derive(Default)]
pub struct Ephemeral {
    saved: Option<SaveId>,
}

impl Store for Ephemeral {
    fn keeps(&self) -> bool {
        false
    }

    fn load(&mut self) -> Snapshot {
        Snapshot::default()
    }

    fn save(&mut self, save: SaveId, _: Vec<Record>) {
        self.saved = Some(save);
    }

    fn saved(&mut self) -> Option<SaveId> {
        self.saved.take()
    }
}

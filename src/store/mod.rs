//! What survives a restart. A store is a peripheral like a socket: records go in, word that they
//! are safe comes out later. Knows what is to be kept and nothing of why.

mod ephemeral;
mod memory;

pub use ephemeral::Ephemeral;
pub use memory::Memory;

use crate::id::SaveId;
use crate::node::io::{Record, Snapshot};

/// Keeps records. What it has reported as saved is in the next [`Store::load`].
pub trait Store {
    /// Whether it keeps anything at all; if not, a node need not ask it to.
    fn keeps(&self) -> bool {
        true
    }

    /// What was saved before.
    fn load(&mut self) -> Snapshot;

    /// Begins to save `records`, in order, all or none, after all that was given before.
    fn save(&mut self, save: SaveId, records: Vec<Record>);

    /// The latest save that is done, with all before it; `None` if no more are since the last call.
    fn saved(&mut self) -> Option<SaveId>;
}

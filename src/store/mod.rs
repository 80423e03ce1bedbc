//! What survives a restart. A store is a peripheral like a socket: records and questions go in, word
//! that they are safe and what was found come out later, in the order of asking. Knows what is to be
//! kept and nothing of why.

mod ephemeral;
mod fold;
mod log;
mod memory;
pub mod sqlite;
mod words;

pub use ephemeral::Ephemeral;
pub use memory::Memory;
pub use sqlite::Sqlite;

use crate::id::{LoadId, SaveId};
use crate::node::record::{Answer, Query, Record, Snapshot};

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

    /// Begins to look for this among everything that was given before.
    fn look_up(&mut self, load: LoadId, query: Query);

    /// The next thing that is done, in the order of asking; `None` if there is none yet.
    fn answer(&mut self) -> Option<Answer>;

    /// Whether something that it was asked is not done yet, so that an answer may come by itself.
    fn is_busy(&self) -> bool {
        false
    }
}

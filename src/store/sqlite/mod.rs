//! A store on a disk, in SQLite. What it reports as saved survives a power cut, and what it cannot
//! save it gives back. A thread of its own does all that waits for the disk; whoever uses the store
//! asks and goes on, and is woken when there is an answer.

mod book;
mod db;
mod error;
mod find;
mod folder;
mod read;
mod schema;
mod thread;
mod write;

pub use db::Db;
pub use error::OpenError;
pub use thread::{Settings, Sqlite};

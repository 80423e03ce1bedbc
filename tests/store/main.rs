//! What the store on a disk promises: that records mean there what they mean everywhere, that what was
//! reported as saved survives, and that a folder or a file which cannot be trusted is refused.

mod disk;
mod power_cuts;
mod same_meaning;
mod script;
mod threads;

use hobnob::store::sqlite::OpenError;
use hobnob::store::{Sqlite, Store};
use std::path::Path;

/// A store in `folder` that wakes nobody.
fn open(folder: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(folder, Box::new(|| {}))
}

/// The next answer, waited for.
fn answer(store: &mut impl Store) -> hobnob::node::record::Answer {
    for _ in 0..10_000 {
        if let Some(answer) = store.answer() {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("no answer within 10 s");
}

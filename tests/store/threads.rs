//! The store with its thread: answers in the order of asking, a bell for each, settings, and the next
//! program finds what the one before was told is safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hobnob::id::{LoadId, SaveId};
use hobnob::node::record::{Answer, Query};
use hobnob::store::{Sqlite, Store};

use crate::script::Script;
use crate::{answer, open};

#[test]
fn answers_come_in_order_and_ring() {
    let folder = tempfile::tempdir().expect("a folder");
    let rung = Arc::new(AtomicUsize::new(0));
    let bell = Arc::clone(&rung);
    let wake = Box::new(move || {
        bell.fetch_add(1, Ordering::SeqCst);
    });
    let mut store = Sqlite::open(&folder.path().join("new"), wake).expect("opens");
    assert!(!store.is_busy() && store.answer().is_none());
    let mut script = Script::new(5);
    let query = Query { with: None, find: None, last: 1_000 };
    for number in 0..10 {
        store.save(SaveId(number), script.records(20));
        store.look_up(LoadId(number), query.clone());
    }
    assert!(store.is_busy());
    let mut rows = 0;
    for number in 0..10 {
        assert!(matches!(answer(&mut store), Answer::Saved { save, .. } if save == SaveId(number)));
        let found = answer(&mut store);
        let Answer::Found { load, rows: Ok(found) } = found else { panic!("{found:?}") };
        assert_eq!(load, LoadId(number));
        assert!(found.len() > rows, "a question sees what was given before");
        rows = found.len();
    }
    assert!(!store.is_busy());
    assert_eq!(rung.load(Ordering::SeqCst), 20);
    let before = store.load();
    let (seed, settings) = (store.identity(), store.settings_handle().expect("open"));
    settings.put("name", "alice").and_then(|()| settings.put("name", "ann")).expect("kept");
    drop(store);
    assert_eq!(settings.put("name", "late"), Err(hobnob::why::StoreFault::Broken));
    let mut store = open(&folder.path().join("new")).expect("opens again");
    assert_eq!(store.load(), before);
    assert!(store.identity() == seed, "the same identity");
    assert_eq!(store.settings(), Ok(vec![("name".to_owned(), "ann".to_owned())]));
}

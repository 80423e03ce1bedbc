//! A file with wrong bytes in it, and a schema that changes while the power goes: nothing panics, and
//! what was there stays.

use hobnob::id::SaveId;
use hobnob::node::record::Query;
use hobnob::rng::{Rng, Seed};
use hobnob::store::sqlite::Db;
use hobnob::store::{Memory, Store};
use rusqlite::{Connection, OpenFlags};

use crate::disk::{Disk, Plan};
use crate::script::{Script, finds};

/// A thousand files with one to three wrong bytes. SQLite keeps no sums of its pages, so a letter of a
/// message may change unseen; whatever is not what a file must be is refused or a fault, and nothing is
/// ever half done.
#[test]
fn wrong_bytes_are_no_panic() {
    let (disk, mut script, mut rng) = (Disk::new(), Script::new(4), Rng::new(Seed::from_number(2)));
    let open = || Db::open_on(disk.system(), &disk.file("test.db"), Seed::from_number(1));
    let mut db = open().expect("opens");
    for _ in 0..4 {
        db.apply(&script.records(30)).expect("saved");
    }
    db.index(100).expect("indexed");
    drop(db);
    let mut whole = Vec::new();
    disk.edit("test.db", |bytes| whole = bytes.clone());
    let mut refused = 0;
    for _ in 0..1_000 {
        disk.edit("test.db", |bytes| {
            bytes.clone_from(&whole);
            for _ in 0..1 + rng.below(3) {
                // Half of them where the structure is: the header, or the beginning of a page.
                let at = if rng.below(2) == 0 {
                    rng.below(whole.len() as u64)
                } else {
                    rng.below(whole.len() as u64 / 4_096) * 4_096 + rng.below(120)
                };
                bytes[usize::try_from(at).expect("small")] = rng.bytes::<1>()[0];
            }
        });
        let Ok(mut db) = open() else {
            refused += 1;
            continue;
        };
        let _ = (db.snapshot(), db.settings(), db.index(100), db.is_whole());
        for find in finds() {
            let _ = db.rows(&Query { with: None, find: find.map(str::to_owned), last: 100 });
        }
        let _ = (db.apply(&script.records(10)), db.checkpoint());
        drop(db);
        disk.remove("test.db-wal");
    }
    assert!(refused > 100, "{refused} of 1,000 were refused");
}

#[test]
fn the_power_may_go_while_the_schema_changes() {
    let mut call = 0;
    loop {
        call += 1;
        let (disk, mut script, mut memory) = (Disk::new(), Script::new(7), Memory::default());
        let mut chance = Rng::new(Seed::from_number(call));
        let file = disk.file("test.db");
        let open = || Db::open_on(disk.system(), &file, Seed::from_number(1));
        let records = script.records(40);
        open().expect("opens").apply(&records).expect("saved");
        memory.save(SaveId(1), records);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let old = Connection::open_with_flags_and_vfs(&file, flags, disk.system()).expect("opens");
        old.execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE;
             DROP TABLE words; DROP TABLE indexed; PRAGMA user_version = 1;",
        )
        .expect("older");
        drop(old);
        disk.plan(Plan { cut: Some(call), ..Plan::default() });
        let went = open();
        let was_cut = disk.is_off();
        drop(went);
        disk.crash(&mut chance);
        let mut db = open().expect("opens");
        assert!(db.is_whole());
        assert_eq!(db.snapshot(), Ok(memory.load()));
        if !was_cut {
            break;
        }
    }
    assert!(call > 20, "{call} calls were enough");
}

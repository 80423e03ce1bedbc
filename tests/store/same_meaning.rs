//! The same records on a disk and in memory: what a node starts with, what was known, and whatever can
//! be asked are the same, also after the file was closed and opened, and whatever the index has.

use hobnob::id::{LoadId, PeerId, SaveId};
use hobnob::node::record::{Answer, Query, Record};
use hobnob::rng::Seed;
use hobnob::store::sqlite::Db;
use hobnob::store::{Memory, Store};

use crate::disk::Disk;
use crate::each_seed;
use crate::script::{Script, finds, is_ours, key, plain};

fn db(disk: &Disk) -> Db {
    Db::open_on(disk.system(), &disk.file("test.db"), Seed::from_number(1)).expect("opens")
}

fn plays(seed: u64) {
    let place = Disk::new();
    let (mut disk, mut memory, mut script) = (db(&place), Memory::default(), Script::new(seed));
    let mut said = Vec::new();
    for save in 0..1 + script.below(8) {
        let count = script.below(40);
        let records = script.records(count);
        said.extend(records.clone());
        memory.save(SaveId(save), records.clone());
        let known = disk.apply(&records).expect("saved");
        assert_eq!(memory.answer(), Some(Answer::Saved { save: SaveId(save), known }), "{said:#?}");
        match script.below(4) {
            0 => {
                drop(disk);
                disk = db(&place);
            }
            1 => drop(disk.index(i64::try_from(script.below(20)).expect("small")).expect("indexed")),
            _ => {}
        }
        assert_eq!(disk.snapshot(), Ok(memory.load()), "{said:#?}");
    }
    for with in
        [None, Some(PeerId::Native(key(1))), Some(PeerId::Native(key(9))), Some(PeerId::Plain(plain(2)))]
    {
        for find in finds() {
            for last in [0, 1, 7, 10_000] {
                let query = Query { with, find: find.map(str::to_owned), last };
                memory.look_up(LoadId(1), query.clone());
                let found = memory.answer();
                let rows = disk.rows(&query);
                assert!(rows.iter().flatten().all(|row| row.ours == is_ours(row.state)));
                assert_eq!(found, Some(Answer::Found { load: LoadId(1), rows }), "{query:?} {said:#?}");
            }
        }
    }
    assert!(disk.is_whole());
}

#[test]
fn records_mean_on_a_disk_what_they_mean_in_memory() {
    each_seed(200, plays);
}

#[test]
fn a_message_of_a_later_stream_is_known_by_its_name() {
    let place = Disk::new();
    let (mut disk, mut script) = (db(&place), Script::new(1));
    let Record::Received { from, id, text, auto, at, .. } = script.received(0) else { unreachable!() };
    let again = |epoch| Record::Received { from, epoch, seq: 1, id, text: text.clone(), auto, at };
    assert_eq!(disk.apply(&[again(1)]), Ok(vec![]));
    assert_eq!(disk.apply(&[again(2)]), Ok(vec![(from, id)]));
    drop(disk);
    let mut disk = db(&place);
    assert_eq!(disk.apply(&[again(3), again(4)]), Ok(vec![(from, id), (from, id)]));
    let all = Query { with: None, find: None, last: 10 };
    assert_eq!(disk.rows(&all).map(|rows| rows.len()), Ok(1));
}

//! The same records on a disk and in memory: what a node starts with, what was known, and whatever can
//! be asked are the same, also after the file was closed and opened, and whatever the index has.

use std::time::{Duration, Instant};

use hobnob::id::{LoadId, MessageId, PeerId, SaveId};
use hobnob::key::PeerKey;
use hobnob::node::record::{Answer, Query, Record};
use hobnob::rng::Seed;
use hobnob::store::sqlite::Db;
use hobnob::store::{Memory, Store};
use hobnob::text::{Body, Untrusted};
use hobnob::time::Wall;

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

/// Message number `n` of a stream, by a name that a sender may choose as it likes.
fn named(from: PeerKey, epoch: u64, n: u64, id: [u8; 16], text: &str) -> Record {
    let text = Untrusted::new(Body::new(text).expect("a body"));
    Record::Received { from, epoch, seq: n, id: MessageId(id), text, auto: false, at: Wall(0) }
}

/// As many names as two bytes can tell apart, all of which begin, or end, in the same way.
const NAMES: u64 = 1 << 16;

/// Two senders say as much as that by a second stream, and the same names with other texts by a third.
/// Gives how long the disk took.
fn alike(name: impl Fn(u64) -> [u8; 16]) -> Duration {
    let place = Disk::new();
    let (mut disk, mut memory, mut took) = (db(&place), Memory::default(), Duration::ZERO);
    let senders = [key(1), key(2)];
    let mut save = |save, records: Vec<Record>| {
        let began = Instant::now();
        let known = disk.apply(&records).expect("saved");
        took += began.elapsed();
        memory.save(SaveId(save), records);
        assert_eq!(memory.answer(), Some(Answer::Saved { save: SaveId(save), known: known.clone() }));
        known.len() as u64
    };
    assert_eq!(save(0, senders.map(|from| named(from, 1, 1, [0xff; 16], "the first")).into()), 0);
    let all = |epoch, text: &str| -> Vec<_> {
        (0..NAMES).flat_map(|n| senders.map(|from| named(from, epoch, n + 1, name(n), text))).collect()
    };
    assert_eq!(save(1, all(2, "kept")), 0, "no name of one is a name of the other");
    assert_eq!(save(2, all(3, "not what I said")), 2 * NAMES, "each is known");
    let find = |text: &str| Query { with: None, find: Some(text.into()), last: 200_000 };
    assert_eq!(disk.rows(&find("kept")).map(|rows| rows.len() as u64), Ok(2 * NAMES));
    assert_eq!(disk.rows(&find("what I said")), Ok(vec![]), "the first is kept");
    took
}

#[test]
fn names_that_are_alike_are_told_apart_as_soon_as_others() {
    let two = |n: u64| u16::try_from(n).expect("two bytes").to_be_bytes();
    let mixed = alike(|n| {
        let mixed = u128::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        mixed.to_be_bytes()
    });
    let begin = alike(|n| [&[7; 14][..], &two(n)].concat().try_into().expect("sixteen"));
    let end = alike(|n| [&two(n), &[7; 14][..]].concat().try_into().expect("sixteen"));
    // The machine may be busy with something else meanwhile.
    let most = 5 * mixed + Duration::from_secs(2);
    assert!(begin < most && end < most, "mixed {mixed:?}, one beginning {begin:?}, one end {end:?}");
}

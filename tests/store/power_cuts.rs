//! Power cuts, failing calls and full disks, under real SQLite on a disk that has them: what was
//! reported as saved is there, what was not is there whole or not at all, and nothing is there twice.

use hobnob::id::{LoadId, SaveId};
use hobnob::node::record::{Answer, LogRow, Query, Record, Snapshot};
use hobnob::rng::{Rng, Seed};
use hobnob::store::sqlite::{Db, OpenError};
use hobnob::store::{Memory, Store};
use hobnob::why::StoreFault;

use crate::disk::{Disk, Plan};
use crate::each_seed;
use crate::script::{Peer, Script};

const ALL: Query = Query { with: None, find: None, last: 100_000 };

fn open(disk: &Disk) -> Result<Db, OpenError> {
    Db::open_on(disk.system(), &disk.file("test.db"), Seed::from_number(9))
}

/// What these saves add up to.
fn meaning(saves: &[Vec<Record>]) -> (Snapshot, Vec<LogRow>) {
    let mut memory = Memory::default();
    for records in saves {
        memory.save(SaveId(1), records.clone());
    }
    memory.forget_answers();
    memory.look_up(LoadId(1), ALL);
    let Some(Answer::Found { rows: Ok(rows), .. }) = memory.answer() else { panic!("memory has rows") };
    (memory.load(), rows)
}

/// Lives of a store: what it has reported as saved, and what it was last given and did not.
struct Lives {
    disk: Disk,
    script: Script,
    saved: Vec<Vec<Record>>,
    doubtful: Option<(Vec<Record>, Vec<Peer>)>,
    chance: Rng,
}

impl Lives {
    fn new(seed: u64) -> Self {
        let (disk, script) = (Disk::new(), Script::new(seed));
        let chance = Rng::new(Seed::from_number(!seed));
        Self { disk, script, saved: Vec::new(), doubtful: None, chance }
    }

    /// Saves until so many are done or one fails.
    fn live(&mut self, saves: u64) -> Result<(), StoreFault> {
        let mut db = match open(&self.disk) {
            Ok(db) => db,
            Err(OpenError::Failed { .. }) => return Err(StoreFault::Broken),
            // No identity was ever made before, so nothing was lost with it.
            Err(OpenError::Damaged { .. }) if self.disk.is_off() => return Err(StoreFault::Broken),
            Err(error) => panic!("{error}"),
        };
        for _ in 0..saves {
            let before = self.script.peers();
            let count = 1 + self.script.below(30);
            let records = self.script.records(count);
            match db.apply(&records) {
                Ok(_) => self.saved.push(records),
                Err(fault) => {
                    self.doubtful = Some((records, self.script.peers()));
                    self.script.go_back(before);
                    if fault == StoreFault::Broken {
                        assert_eq!(db.apply(&[]), Err(fault), "it is not asked again");
                        assert_eq!(db.rows(&ALL), Err(fault));
                    }
                    return Err(fault);
                }
            }
            match self.chance.below(6) {
                0 => db.index(7).map(drop)?,
                1 => db.tidy()?,
                2 => db.rows(&ALL).map(drop)?,
                3 => db.checkpoint()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks whether all is there, with the power back.
    fn check(&mut self) {
        let mut db = open(&self.disk).expect("opens again");
        assert!(db.is_whole());
        assert!(db.identity() == Seed::from_number(9));
        let found = (db.snapshot().expect("read"), db.rows(&ALL).expect("read"));
        let Some((doubtful, after)) = self.doubtful.take() else {
            assert!(found == meaning(&self.saved), "{:#?}\n{found:#?}", self.saved);
            return;
        };
        if found != meaning(&self.saved) {
            self.saved.push(doubtful);
            self.script.go_back(after);
            assert!(found == meaning(&self.saved), "{:#?}\n{found:#?}", self.saved);
        }
    }
}

/// Each seed is five cuts; `HOBNOB_SEEDS` plays more.
#[test]
fn what_was_saved_survives_a_thousand_power_cuts() {
    each_seed(200, |seed| {
        let mut lives = Lives::new(seed);
        for _ in 0..5 {
            let cut = Some(1 + lives.chance.below(250));
            lives.disk.plan(Plan { cut, ..Plan::default() });
            let saves = 1 + lives.chance.below(8);
            let _cut = lives.live(saves);
            lives.disk.crash(&mut lives.chance);
            lives.check();
        }
    });
}

/// The first life goes well but for one call, which is every one of it in turn; then the power goes.
fn sweep(for_good: bool) {
    let mut call = 0;
    loop {
        call += 1;
        let mut lives = Lives::new(3);
        lives.disk.plan(Plan { fails: Some(call), for_good, ..Plan::default() });
        let went = lives.live(4);
        let reached = lives.disk.calls() >= call;
        lives.disk.crash(&mut lives.chance);
        lives.check();
        if !reached {
            assert_eq!(went, Ok(()));
            break;
        }
    }
    assert!(call > 100, "{call} calls were enough");
}

#[test]
fn any_call_may_fail_once() {
    sweep(false);
}

#[test]
fn any_call_may_be_the_last_that_works() {
    sweep(true);
}

/// A program whose disk failed ends and starts again with the power on: what was lost can still be read.
#[test]
fn what_a_failed_sync_has_lost_takes_nothing_with_it_later() {
    each_seed(300, |seed| {
        let mut lives = Lives::new(seed);
        let fails = Some(1 + lives.chance.below(150));
        lives.disk.plan(Plan { fails, ..Plan::default() });
        let _fault = lives.live(4);
        lives.disk.plan(Plan::default());
        lives.disk.write_again("test.db-wal");
        lives.check();
        let cut = Some(1 + lives.chance.below(100));
        lives.disk.plan(Plan { cut, ..Plan::default() });
        let _cut = lives.live(4);
        lives.disk.crash(&mut lives.chance);
        lives.check();
    });
}

#[test]
fn a_full_disk_works_again_when_there_is_room() {
    each_seed(50, |seed| {
        let mut lives = Lives::new(seed);
        lives.live(2).expect("there is room");
        let room = Some(lives.disk.bytes() + usize::try_from(lives.chance.below(100_000)).expect("small"));
        let mut db = open(&lives.disk).expect("opens");
        lives.disk.plan(Plan { room, ..Plan::default() });
        let refused = loop {
            let before = lives.script.peers();
            let records = lives.script.records(20);
            match db.apply(&records) {
                Ok(_) => lives.saved.push(records),
                Err(fault) => {
                    assert_eq!(fault, StoreFault::Full);
                    lives.script.go_back(before);
                    break records;
                }
            }
            db.tidy().expect("that a place is full is no fault of what is saved");
        };
        assert_eq!(db.apply(&refused), Err(StoreFault::Full), "nothing was kept");
        let found = (db.snapshot().expect("read"), db.rows(&ALL).expect("read"));
        assert!(found == meaning(&lives.saved));
        lives.disk.plan(Plan::default());
        db.apply(&refused).expect("there is room");
        lives.saved.push(refused);
        drop(db);
        lives.check();
    });
}

//! Real SQLite below the disks of an imaginary world, on a file system in memory that loses power, is
//! full and fails. Decides in the midst of what the power goes, and what SQLite does between two saves;
//! all of that follows from the machine's seed.

#[path = "../store/disk.rs"]
#[allow(dead_code, reason = "the tests of the store do more with it")]
mod disk;

use std::collections::BTreeMap;

use hobnob::id::MessageId;
use hobnob::key::PeerKey;
use hobnob::node::record::{LogRow, Query, Record, Snapshot};
use hobnob::rng::{Rng, Seed};
use hobnob::sim::Medium;
use hobnob::store::sqlite::Db;
use hobnob::why::StoreFault;

use disk::{Copy, Disk, Plan};

/// Calls to the file system within which the power goes: a save has about twelve.
const WANES: u64 = 30;
/// Calls after which a disk that breaks fails: some saves still work.
const BREAKS: u64 = 20;
/// Bytes that fit on a disk that is called full.
const ROOM: u64 = 20_000;

/// A file system, and the data base on it while a program runs.
pub(crate) struct SqliteDisk {
    disk: Disk,
    db: Option<Db>,
    identity: Seed,
    plan: Plan,
    is_full: bool,
    copies: BTreeMap<usize, Copy>,
    chance: Rng,
}

/// See [`hobnob::sim::MakeMedium`].
pub(crate) fn make(seed: Seed) -> Box<dyn Medium> {
    let (disk, identity) = (Disk::new(), seed);
    let mut medium = SqliteDisk {
        disk,
        db: None,
        identity,
        plan: Plan::default(),
        is_full: false,
        copies: BTreeMap::new(),
        chance: Rng::new(seed),
    };
    medium.anew();
    Box::new(medium)
}

impl SqliteDisk {
    fn open(&self) -> Result<Db, String> {
        let file = self.disk.file("hobnob.db");
        Db::open_on(self.disk.system(), &file, self.identity).map_err(|error| error.to_string())
    }

    fn draw(&mut self, bound: u64) -> u64 {
        self.chance.below(bound)
    }

    /// What the thread of a store does when there is nothing else to do. A fault in it is one of the
    /// next save as well.
    fn chore(&mut self, which: u64) {
        let Some(db) = &mut self.db else { return };
        let _fault = match which {
            0 => db.checkpoint(),
            1 => db.index(20).map(drop),
            _ => db.tidy(),
        };
    }

    /// The program is no more, nor is what was not safe.
    fn lose(&mut self) {
        self.db = None;
        self.disk.crash(&mut self.chance);
        self.plan = Plan::default();
    }

    fn set_plan(&mut self) {
        let bytes = self.disk.bytes();
        let more = usize::try_from(self.chance.below(ROOM)).unwrap_or(0);
        self.plan.room = self.is_full.then_some(bytes + more);
        self.disk.plan(self.plan);
    }
}

impl Medium for SqliteDisk {
    fn load(&mut self) -> Result<Snapshot, String> {
        self.plan = Plan::default();
        self.set_plan();
        self.disk.write_again("hobnob.db-wal");
        let mut db = self.open()?;
        if !db.is_whole() {
            return Err("SQLite says that it is not whole".into());
        }
        if db.identity() != self.identity {
            return Err("it is another machine's".into());
        }
        let snapshot = db.snapshot().map_err(|fault| fault.to_string())?;
        self.db = Some(db);
        Ok(snapshot)
    }

    fn save(&mut self, records: &[Record]) -> Result<Vec<(PeerKey, MessageId)>, StoreFault> {
        let which = self.draw(40);
        let Some(db) = &mut self.db else { return Err(StoreFault::Broken) };
        let went = db.apply(records);
        self.chore(which);
        went
    }

    fn look_up(&mut self, query: &Query) -> Result<Vec<LogRow>, StoreFault> {
        self.db.as_mut().map_or(Err(StoreFault::Broken), |db| db.rows(query))
    }

    fn close(&mut self) {
        if self.draw(3) > 0 {
            self.db = None;
            return;
        }
        // The program ends well, and the power goes before its files are closed.
        self.wane();
        self.lose();
    }

    fn wane(&mut self) {
        self.plan.cut = Some(1 + self.draw(WANES));
        self.set_plan();
    }

    fn cut(&mut self) {
        if self.db.is_some() {
            let which = self.draw(4);
            self.chore(which);
            if !self.disk.is_off() {
                // With the next call, so that nothing is put in order any more.
                self.disk.plan(Plan { cut: Some(1), ..self.plan });
            }
            self.lose();
        }
    }

    fn fill(&mut self, full: bool) {
        self.is_full = full;
        self.set_plan();
    }

    fn breaks(&mut self) {
        self.plan.fails = Some(1 + self.draw(BREAKS));
        self.plan.for_good = self.draw(2) == 0;
        self.set_plan();
    }

    fn copy(&mut self, number: usize) {
        self.copies.insert(number, self.disk.copy());
    }

    fn set_back(&mut self, number: usize) {
        self.copies.split_off(&(number + 1));
        if let Some(copy) = self.copies.get(&number) {
            self.disk.put(copy);
        }
    }

    fn anew(&mut self) {
        self.identity = self.chance.fork();
        self.disk.plan(Plan::default());
        self.disk.put(&Copy::new());
        // Whoever sets up a machine looks whether that worked; tests/store has the power go meanwhile.
        drop(self.open().expect("there is a disk"));
        self.copies = BTreeMap::from([(0, self.disk.copy())]);
        self.set_plan();
    }
}

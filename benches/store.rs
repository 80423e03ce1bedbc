//! What it costs to keep a message for good: our store beside a bare loop that inserts the same rows
//! into one table, with the same settings of SQLite, in turn. `cargo bench --bench store`; with
//! `-- million` what a history of a million messages costs to open and to search.

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]

use std::path::Path;
use std::time::{Duration, Instant};

use hobnob::id::{MessageId, PeerId};
use hobnob::key::PeerKey;
use hobnob::node::record::{Query, Record};
use hobnob::rng::{Rng, Seed};
use hobnob::store::sqlite::Db;
use hobnob::text::{Body, Untrusted};
use hobnob::time::Wall;
use rusqlite::{Connection, params};

const BATCH: usize = 1_000;
const BATCHES: usize = 100;
const ROUNDS: usize = 5;
const MILLION: usize = 1_000_000;

fn main() {
    let wants = |word| std::env::args().any(|arg| arg == word);
    if wants("million") { million() } else { rates() }
}

fn key(peer: usize) -> PeerKey {
    let mut rng = Rng::new(Seed::from_number(peer as u64));
    PeerKey(rng.bytes())
}

/// Messages of 100 bytes, as they come from `peers` peers in turn.
struct Talk {
    rng: Rng,
    peers: Vec<PeerKey>,
    said: usize,
}

impl Talk {
    fn new(peers: usize) -> Self {
        Self { rng: Rng::new(Seed::from_number(7)), peers: (0..peers).map(key).collect(), said: 0 }
    }

    fn next(&mut self) -> (PeerKey, u64, MessageId, Body, Wall) {
        let peer = self.peers[self.said % self.peers.len()];
        let seq = (self.said / self.peers.len() + 1) as u64;
        self.said += 1;
        let text = format!("message {:010} {}", self.said, "lorem ipsum dolor ".repeat(5));
        let (id, at) = (MessageId(self.rng.bytes()), Wall(1_700_000_000_000_000 + self.said as i64));
        (peer, seq, id, Body::new(&text[..100]).expect("a body"), at)
    }

    fn received(&mut self, count: usize) -> Vec<Record> {
        let record = |_| {
            let (from, seq, id, text, at) = self.next();
            Record::Received { from, epoch: 5, seq, id, text: Untrusted::new(text), auto: false, at }
        };
        (0..count).map(record).collect()
    }

    /// So many that are queued, before that word that all before were delivered.
    fn queued(&mut self, count: usize) -> Vec<Record> {
        let done = (self.said / self.peers.len()) as u64;
        let delivered = |to: &PeerKey| Record::Delivered { to: *to, epoch: 5, seq: done };
        let mut records: Vec<_> = self.peers.iter().map(delivered).collect();
        records.extend((0..count).map(|_| {
            let (to, seq, id, text, at) = self.next();
            Record::Queued { to, epoch: 5, seq, id, text, auto: false, at }
        }));
        records
    }
}

fn raw(file: &Path) -> Duration {
    let mut db = Connection::open(file).expect("opens");
    db.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA mmap_size = 0; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 2000;
         PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
         CREATE TABLE messages (n INTEGER PRIMARY KEY, peer INTEGER, auto INTEGER, at INTEGER, id BLOB,
             text TEXT);",
    )
    .expect("made");
    let mut talk = Talk::new(1);
    let mut spent = Duration::ZERO;
    for _ in 0..BATCHES {
        let batch: Vec<_> = (0..BATCH).map(|_| talk.next()).collect();
        let start = Instant::now();
        let all = db.transaction().expect("begins");
        {
            let sql = "INSERT INTO messages (peer, auto, at, id, text) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut insert = all.prepare_cached(sql).expect("prepared");
            for (_, _, id, text, at) in &batch {
                insert.execute(params![1, false, at.0, id.0, text.as_str()]).expect("inserted");
            }
        }
        all.commit().expect("committed");
        spent += start.elapsed();
    }
    spent
}

fn ours(file: &Path, mut next: impl FnMut() -> Vec<Record>) -> Duration {
    let mut db = open(file);
    let mut spent = Duration::ZERO;
    for _ in 0..BATCHES {
        let batch = next();
        let start = Instant::now();
        db.apply(&batch).expect("kept");
        db.tidy().expect("tidied");
        spent += start.elapsed();
    }
    spent
}

fn open(file: &Path) -> Db {
    Db::open_on("unix", file.to_str().expect("text"), Seed::from_number(1)).expect("opens")
}

fn rates() {
    let mut rounds: Vec<[f64; 6]> = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        let (mut one, mut eight) = (Talk::new(1), Talk::new(8));
        let (mut sent, mut spread) = (Talk::new(1), Talk::new(8));
        let mut anew = Talk::new(1);
        // A stream that is not the first of its peer: every name is looked for, and kept.
        let mut epoch = 1;
        rounds.push(
            [
                raw(&file("raw")),
                ours(&file("one"), || one.received(BATCH)),
                ours(&file("eight"), || eight.received(BATCH)),
                ours(&file("sent"), || sent.queued(BATCH)),
                ours(&file("spread"), || spread.queued(BATCH)),
                ours(&file("anew"), || {
                    epoch += 1;
                    let mut batch = anew.received(BATCH);
                    batch.iter_mut().for_each(|record| {
                        if let Record::Received { epoch: of, .. } = record {
                            *of = epoch;
                        }
                    });
                    batch
                }),
            ]
            .map(|spent| (BATCH * BATCHES) as f64 / spent.as_secs_f64()),
        );
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let names = [
        "raw",
        "received, 1 peer",
        "received, 8 peers",
        "queued+delivered, 1",
        "queued+delivered, 8",
        "names kept",
    ];
    println!("{BATCHES} saves of {BATCH} messages of 100 bytes, {ROUNDS} rounds, medians");
    for (at, name) in names.iter().enumerate() {
        let rate = median(rounds.iter().map(|round| round[at]).collect());
        let ratio = median(rounds.iter().map(|round| round[at] / round[0]).collect());
        println!("{name:20} {rate:9.0} rows/s  {ratio:.2} of raw");
    }
}

/// This process's memory, in KiB.
fn memory(of: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(of)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn timed<T>(name: &str, mut act: impl FnMut() -> T) -> T {
    let start = Instant::now();
    let done = act();
    println!("{name:42} {:8.1} ms", start.elapsed().as_secs_f64() * 1e3);
    done
}

fn million() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("million");
    let mut talk = Talk::new(8);
    let mut db = open(&file);
    timed("a million messages kept", || {
        for _ in 0..MILLION / BATCH {
            db.apply(&talk.received(BATCH)).expect("kept");
            db.tidy().expect("tidied");
        }
    });
    let wal = std::fs::metadata(folder.path().join("million-wal")).map_or(0, |found| found.len() / 1024);
    println!("{wal} KiB written ahead");
    let find = |db: &mut Db, name: &str, with: Option<PeerKey>, find: Option<&str>| {
        let query = Query { with: with.map(PeerId::Native), find: find.map(str::to_owned), last: 50 };
        timed(name, || db.rows(&query).expect("found").len())
    };
    find(&mut db, "search, nothing indexed: a word of one", None, Some("0000000123"));
    find(&mut db, "search, nothing indexed: a word of all", None, Some("lorem"));
    timed("indexed", || {
        while db.index(1_000).expect("indexed") {
            db.tidy().expect("tidied");
        }
    });
    drop(db);
    println!("{} MiB of file", std::fs::metadata(&file).map_or(0, |found| found.len() / (1 << 20)));
    println!("{} KiB of memory before it is opened", memory("VmRSS"));
    let mut db = timed("opened and checked", || open(&file));
    timed("what a node starts with", || db.snapshot().expect("read").peers.len());
    println!("{} KiB of memory", memory("VmRSS"));
    find(&mut db, "the latest 50", None, None);
    find(&mut db, "the latest 50 of a peer", Some(key(3)), None);
    find(&mut db, "search: a word of one", None, Some("0000000123"));
    find(&mut db, "search: a word of all", None, Some("lorem"));
    find(&mut db, "search: the beginning of all words", None, Some("0"));
    find(&mut db, "search: two words of all", None, Some("lorem dolor"));
    find(&mut db, "search: in a peer's, a word of another", Some(key(1)), Some("0000000123"));
    find(&mut db, "search: in a stranger's", Some(key(99)), Some("lorem"));
    find(&mut db, "search: a word of none", None, Some("nowhere"));
    println!("{} KiB of memory at most", memory("VmHWM"));
}

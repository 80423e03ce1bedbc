//! `durable`: W1 with the store on, synced at both ends, beside the rate at which SQLite alone takes the
//! same rows in the same folder, in batches and one by one. Also how long a single message takes until
//! it counts as queued, which is one commit and a hop between two threads. The bare rate is taken
//! before and after, as disks are not the same twice.

use std::sync::OnceLock;
use std::time::Instant;

use rusqlite::{Connection, params};

use crate::api::command::{Command, PeerRef};
use crate::api::reply::Reply;
use crate::bench::figure::{Figure, per_second, percentile};
use crate::bench::options::Options;
use crate::bench::process::{Child, Folder, tell};
use crate::bench::{Fault, Sys, hob, w1};
use crate::session::Session;
use crate::text::Body;

/// Rows in a transaction of the yardstick, transactions, and commits of one row.
const BATCH: u64 = 1_000;
const BATCHES: u64 = 100;
const SINGLES: u64 = 300;
/// Messages that are waited for one by one.
const ASKED: u64 = 500;

/// Where this process keeps what its nodes save; nowhere if nobody said so.
static FOLDER: OnceLock<Folder> = OnceLock::new();

/// From now on nodes of this process keep what they are told.
pub(super) fn keep() -> Result<(), Fault> {
    // A second call would change nothing.
    let _ = FOLDER.set(Folder::new("store")?);
    Ok(())
}

/// The folder for the next node of this process, if nodes of it keep anything.
pub(super) fn folder() -> Option<&'static Folder> {
    FOLDER.get()
}

/// Forgets what was kept: a static is never dropped.
pub(super) fn clear() {
    if let Some(folder) = FOLDER.get() {
        folder.clear();
    }
}

pub(super) fn measure(options: &Options) -> Result<[Figure; 2], Fault> {
    let payload = options.payload();
    let before = bare(payload)?;
    let mut stored = w1::measure(Sys::Disk, options)?;
    let mut answerer = Child::start(Sys::Hobnob, "w1-receive", &[payload])?;
    let [port] = answerer.hear("port")?;
    let mut asker = Child::start(Sys::Disk, "durable-ask", &[port, payload])?;
    let nanos = asker.hear_all("queued")?;
    let after = bare(payload)?;
    let rate = f64::max(before.0, after.0);
    let commit = f64::min(before.1, after.1);
    let micros: Vec<f64> = nanos.iter().map(|nanos| *nanos as f64 / 1e3).collect();
    let queued = percentile(&micros, 50);
    let messages = stored.value("msgs_per_s").unwrap_or(0.0);
    stored.values.extend([
        ("of_raw", messages / rate),
        ("queued_p50_us", queued),
        ("queued_p99_us", percentile(&micros, 99)),
        ("queued_in_commits", queued / commit),
    ]);
    let bare = vec![("rows_per_s", rate), ("commit_p50_us", commit)];
    Ok([stored, Figure::new(Sys::Sqlite, "W1", bare)])
}

/// Sends one message at a time, and tells how long each took until it was queued.
pub(super) fn ask(port: u64, payload: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "asker", false)?;
    let mut face = live.face(at);
    let to = PeerRef::Id(hob::connected(&mut face, port)?);
    hob::joined(&mut face, 1)?;
    let text = "x".repeat(usize::try_from(payload).unwrap_or(100));
    let text = Body::new(&text).map_err(|error| Fault::Wrong(error.to_string()))?;
    let mut nanos = Vec::new();
    for _ in 0..ASKED {
        let began = Instant::now();
        match face.call(Command::Send { to: to.clone(), text: text.clone(), auto: false }, hob::PATIENCE) {
            Ok(Reply::Queued { .. }) => {}
            other => return Err(Fault::Wrong(format!("a send was answered {other:?}"))),
        }
        nanos.push(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        while face.take_event().is_some() {}
    }
    tell("queued", &nanos)
}

/// Rows a second in batches, and microseconds for a commit of one row.
fn bare(payload: u64) -> Result<(f64, f64), Fault> {
    let folder = Folder::new("bare")?;
    let failed = |error: rusqlite::Error| Fault::Wrong(format!("SQLite: {error}"));
    let mut db = Connection::open(folder.path().join("bare.db")).map_err(failed)?;
    db.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE messages (n INTEGER PRIMARY KEY, peer INTEGER, seq INTEGER, id BLOB, text TEXT);",
    )
    .map_err(failed)?;
    let text = "x".repeat(usize::try_from(payload).unwrap_or(100));
    let mut insert = |first: u64, count: u64| -> Result<u64, Fault> {
        let began = Instant::now();
        let all = db.transaction().map_err(failed)?;
        {
            let sql = "INSERT INTO messages (peer, seq, id, text) VALUES (1, ?1, ?2, ?3)";
            let mut row = all.prepare_cached(sql).map_err(failed)?;
            for seq in first..first + count {
                let id = u128::from(seq).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C834);
                let seq = i64::try_from(seq).unwrap_or(i64::MAX);
                row.execute(params![seq, id.to_le_bytes(), text]).map_err(failed)?;
            }
        }
        all.commit().map_err(failed)?;
        Ok(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    };
    let mut spent = 0;
    for batch in 0..BATCHES {
        spent += insert(batch * BATCH, BATCH)?;
    }
    let singles: Result<Vec<_>, _> =
        (0..SINGLES).map(|at| Ok::<_, Fault>(insert(BATCHES * BATCH + at, 1)? as f64 / 1e3)).collect();
    Ok((per_second(BATCHES * BATCH, spent), percentile(&singles?, 50)))
}

//! What is kept in mind of each peer, so that a record costs one row at most: where the streams are,
//! and which messages wait, the oldest first. What `fold.rs` says with texts, this says with the
//! numbers of rows. A transaction that fails leaves the book wrong; it is then read anew.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::{Connection, Row};

use super::error::Trouble;
use crate::id::MessageId;
use crate::key::PeerKey;
use crate::limits::SEQ_MAX;
use crate::node::record::Heard;

/// Column `state` of a message. None is 0 or 1 but for the first: all that may follow each other take
/// the same room, so that a row is overwritten where it is.
pub(super) mod state {
    pub(in super::super) const RECEIVED: i64 = 1;
    /// It waits, unless its peer's `done` is past it: then it is delivered.
    pub(in super::super) const QUEUED: i64 = 2;
    pub(in super::super) const DELIVERED: i64 = 3;
    pub(in super::super) const EXPIRED: i64 = 4;
    pub(in super::super) const FAILED: i64 = 5;
    pub(in super::super) const SENT: i64 = 6;
    /// It waits for another key than the one it was queued for: see table `moved`.
    pub(in super::super) const MOVED: i64 = 7;
}

/// All peers, by key.
#[derive(Default)]
pub(super) struct Book {
    pub(super) peers: BTreeMap<PeerKey, Account>,
    /// The last message's row.
    pub(super) last: i64,
}

/// The streams with a peer.
#[derive(Default)]
pub(super) struct Account {
    /// Its row.
    pub(super) n: i64,
    pub(super) epoch: u64,
    pub(super) next: u64,
    pub(super) outbox: VecDeque<Waiting>,
    /// Whatever of its messages is queued up to this row is delivered.
    pub(super) done: i64,
    pub(super) heard: Option<Heard>,
    pub(super) again: bool,
    /// The row in the file is no longer true.
    pub(super) changed: bool,
}

/// A message that waits: its row, and whether it was queued for another key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) n: i64,
    pub(super) moved: bool,
}

/// A message that waits, and what its place in the outbox follows from.
type Placed = ((i64, i64), Waiting);

impl Account {
    /// Takes what is done out of the outbox, up to a number of a stream.
    pub(super) fn drop_front(&mut self, epoch: u64, seq: u64) -> impl Iterator<Item = Waiting> {
        let first = self.next.saturating_sub(self.outbox.len() as u64);
        let done = if epoch == self.epoch { seq.saturating_add(1).saturating_sub(first) } else { 0 };
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        self.outbox.drain(..done.min(self.outbox.len()))
    }

    /// Messages that wait and were queued for this key.
    pub(super) fn waiting(&self) -> i64 {
        self.outbox.iter().filter(|waiting| !waiting.moved).count() as i64
    }
}

impl Book {
    /// As it stands in the file.
    pub(super) fn read(db: &Connection) -> Result<Self, Trouble> {
        let last = db.query_row("SELECT coalesce(max(n), 0) FROM messages", [], |row| row.get(0))?;
        let mut peers = BTreeMap::new();
        let mut queues = BTreeMap::new();
        let mut own = db.prepare(
            "SELECT n FROM messages WHERE peer = ?1 AND n > ?2 AND state = ?3 ORDER BY n LIMIT ?4",
        )?;
        let mut rows = db.prepare(
            "SELECT key, n, epoch, next, done, again, heard_epoch, heard_seq, heard_id, waiting FROM peers",
        )?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (key, mut account) = account(row)?;
            let waiting: i64 = row.get(9)?;
            if waiting > 0 {
                let found = own.query_map([account.n, account.done, state::QUEUED, waiting], |row| {
                    Ok(Waiting { n: row.get(0)?, moved: false })
                })?;
                account.outbox = found.collect::<Result<_, _>>()?;
            }
            if account.waiting() != waiting {
                return Err(Trouble::Odd("messages that wait are missing"));
            }
            queues.insert(account.n, key);
            peers.insert(key, account);
        }
        let mut book = Self { peers, last };
        book.read_moved(db, &queues)?;
        let is_odd = |account: &Account| {
            let (next, count) = (account.next, account.outbox.len() as u64);
            let ends = [next, account.heard.map_or(0, |heard| heard.seq)];
            next < count || ends.iter().any(|end| *end > SEQ_MAX)
        };
        if book.peers.values().any(is_odd) {
            return Err(Trouble::Odd("the numbers of a stream make no sense"));
        }
        Ok(book)
    }

    /// Puts what was moved between what was queued before and after that.
    fn read_moved(&mut self, db: &Connection, queues: &BTreeMap<i64, PeerKey>) -> Result<(), Trouble> {
        let mut places: BTreeMap<PeerKey, Vec<Placed>> = BTreeMap::new();
        let mut rows = db.prepare("SELECT queue, message, behind, place FROM moved")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let key = queues.get(&row.get(0)?).ok_or(Trouble::Odd("messages wait for nobody"))?;
            let place = (row.get(2)?, row.get(3)?);
            places.entry(*key).or_default().push((place, Waiting { n: row.get(1)?, moved: true }));
        }
        for (key, mut moved) in places {
            let account = self.peers.get_mut(&key).ok_or(Trouble::Odd("messages wait for nobody"))?;
            moved.extend(account.outbox.drain(..).map(|own| ((own.n, 0), own)));
            moved.sort_unstable_by_key(|(place, _)| *place);
            account.outbox = moved.into_iter().map(|(_, waiting)| waiting).collect();
        }
        Ok(())
    }
}

fn account(row: &Row<'_>) -> Result<(PeerKey, Account), Trouble> {
    let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let heard = match row.get::<_, Option<i64>>(6)? {
        Some(epoch) => {
            Some(Heard { epoch: epoch.cast_unsigned(), seq: number(7)?, id: MessageId(row.get(8)?) })
        }
        None => None,
    };
    let account = Account {
        n: row.get(1)?,
        epoch: number(2)?,
        next: number(3)?,
        done: row.get(4)?,
        again: row.get(5)?,
        heard,
        ..Account::default()
    };
    Ok((PeerKey(row.get(0)?), account))
}

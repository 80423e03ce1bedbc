//! How a record changes the tables. What it means is in `fold.rs`, and a test holds the two to each
//! other; this says it with rows, and with as few of them as there can be: a message is one row, and
//! that it is delivered moves a mark of its peer and touches no message.

use rusqlite::{CachedStatement, Transaction, params};

use super::book::{Account, Book, Waiting, state};
use super::error::Trouble;
use crate::id::MessageId;
use crate::key::PeerKey;
use crate::node::record::{Facts, Heard, Record};
use crate::planted::{self, Planted};

/// One transaction under way.
pub(super) struct Writer<'a> {
    all: &'a Transaction<'a>,
    book: &'a mut Book,
    message: CachedStatement<'a>,
    /// Peers whose row is to be written.
    changed: Vec<PeerKey>,
}

const MESSAGE: &str = "INSERT INTO messages (n, peer, plain, state, auto, at, id, text)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const FACTS: &str = "UPDATE peers SET claims = ?2, alias = ?3, listens = ?4, verified = ?5, ignored = ?6,
     passing = ?7, gone = ?8, wanted = ?9 WHERE n = ?1";
const STREAMS: &str = "UPDATE peers SET epoch = ?2, next = ?3, done = ?4, waiting = ?5, heard_epoch = ?6,
     heard_seq = ?7, heard_id = ?8, again = ?9 WHERE n = ?1";
const SETTLE: &str = "UPDATE messages SET state = ?2 WHERE n = ?1";
/// Everything that a peer ever sent, by name. Only a peer that has sent by two streams can send again
/// what we have, so most have none of this: names are random, and each costs a page.
const NAMES: &str = "INSERT OR IGNORE INTO names
     SELECT peer, id FROM messages WHERE peer = ?1 AND state = ?2";

impl<'a> Writer<'a> {
    pub(super) fn new(all: &'a Transaction<'a>, book: &'a mut Book) -> rusqlite::Result<Self> {
        Ok(Self { all, book, message: all.prepare_cached(MESSAGE)?, changed: Vec::new() })
    }

    /// Keeps a record. False for a message that is known already.
    pub(super) fn put(&mut self, record: &Record) -> Result<bool, Trouble> {
        match record {
            Record::Peer(facts) => self.facts(facts)?,
            Record::Queued { to, epoch, seq, id, text, auto, at } => {
                self.book.last += 1;
                let n = self.book.last;
                let account = self.account(*to)?;
                (account.epoch, account.next) = (*epoch, seq + 1);
                // Whatever was queued before has been settled, so it need not be looked at again.
                if account.outbox.is_empty() {
                    account.done = n - 1;
                }
                account.outbox.push_back(Waiting { n, moved: false });
                let peer = account.n;
                let row = params![n, peer, None::<i64>, state::QUEUED, auto, at.0, id.0, text.as_str()];
                self.message.execute(row)?;
            }
            Record::Delivered { to, epoch, seq } => self.settle(*to, *epoch, *seq, state::DELIVERED)?,
            Record::Failed { to, epoch, seq, expired } => {
                let state = if *expired { state::EXPIRED } else { state::FAILED };
                self.settle(*to, *epoch, *seq, state)?;
            }
            Record::Renumbered { to, epoch } => {
                let account = self.account(*to)?;
                (account.epoch, account.next) = (*epoch, account.outbox.len() as u64 + 1);
            }
            Record::Moved { from, to, epoch, next } => self.move_to(*from, *to, *epoch, *next)?,
            Record::Received { from, epoch, seq, id, text, auto, at } => {
                let heard = Heard { epoch: *epoch, seq: *seq, id: *id };
                let (peer, is_new) = self.hear(*from, heard)?;
                if !is_new {
                    return Ok(false);
                }
                self.book.last += 1;
                let n = self.book.last;
                let row = params![n, peer, None::<i64>, state::RECEIVED, auto, at.0, id.0, text.expose()];
                self.message.execute(row)?;
            }
            Record::Plain { with, name, ours, text, at } => {
                let plain = self.plain_peer(&with.to_string(), name.as_str())?;
                self.book.last += 1;
                let n = self.book.last;
                let state = if *ours { state::SENT } else { state::RECEIVED };
                let none = None::<i64>;
                self.message.execute(params![n, none, plain, state, false, at.0, none, text.expose()])?;
            }
        }
        Ok(true)
    }

    /// Writes what has changed of the peers.
    pub(super) fn finish(self) -> Result<(), Trouble> {
        let mut streams = self.all.prepare_cached(STREAMS)?;
        for key in self.changed {
            let Some(account) = self.book.peers.get_mut(&key) else { continue };
            account.changed = false;
            let heard = account.heard;
            streams.execute(params![
                account.n,
                account.epoch.cast_signed(),
                account.next.cast_signed(),
                account.done,
                account.waiting(),
                heard.map(|heard| heard.epoch.cast_signed()),
                heard.map(|heard| heard.seq.cast_signed()),
                heard.map(|heard| heard.id.0),
                account.again,
            ])?;
        }
        Ok(())
    }

    /// What is kept in mind of a peer, which is going to change.
    fn account(&mut self, key: PeerKey) -> rusqlite::Result<&mut Account> {
        let account = match self.book.peers.entry(key) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                self.all.prepare_cached("INSERT INTO peers (key) VALUES (?1)")?.execute([key.0])?;
                new.insert(Account { n: self.all.last_insert_rowid(), ..Account::default() })
            }
        };
        if !std::mem::replace(&mut account.changed, true) {
            self.changed.push(key);
        }
        Ok(account)
    }

    fn facts(&mut self, facts: &Facts) -> rusqlite::Result<()> {
        let n = self.account(facts.key)?.n;
        self.all.prepare_cached(FACTS)?.execute(params![
            n,
            facts.claims.as_str(),
            facts.alias.as_ref().map(crate::id::Name::as_str),
            facts.listens.map(|at| at.to_string()),
            facts.verified,
            facts.ignored,
            facts.passing,
            facts.gone,
            facts.wanted,
        ])?;
        Ok(())
    }

    /// Ends the waiting of the first messages. A mark says that they were delivered; what became of
    /// others stands in their rows.
    fn settle(&mut self, to: PeerKey, epoch: u64, seq: u64, end: i64) -> rusqlite::Result<()> {
        let account = self.account(to)?;
        let mut single = Vec::new();
        let mut done = account.done;
        for waiting in account.drop_front(epoch, seq) {
            if end == state::DELIVERED && !waiting.moved {
                done = waiting.n;
            } else {
                single.push(waiting);
            }
        }
        account.done = done;
        for waiting in single {
            self.all.prepare_cached(SETTLE)?.execute([waiting.n, end])?;
            if waiting.moved {
                self.all.prepare_cached("DELETE FROM moved WHERE message = ?1")?.execute([waiting.n])?;
            }
        }
        Ok(())
    }

    fn move_to(&mut self, from: PeerKey, to: PeerKey, epoch: u64, next: u64) -> rusqlite::Result<()> {
        let moved = std::mem::take(&mut self.account(from)?.outbox);
        let behind = self.book.last;
        let account = self.account(to)?;
        (account.epoch, account.next) = (epoch, next + moved.len() as u64);
        account.outbox.extend(moved.iter().map(|waiting| Waiting { moved: true, ..*waiting }));
        let queue = account.n;
        let mut mark = self.all.prepare_cached(SETTLE)?;
        // A row that was moved before gets a new place, behind all others.
        let mut place = self.all.prepare_cached(
            "REPLACE INTO moved (message, queue, behind, place)
             VALUES (?1, ?2, ?3, (SELECT coalesce(max(place), 0) + 1 FROM moved))",
        )?;
        for waiting in moved {
            mark.execute([waiting.n, state::MOVED])?;
            place.execute([waiting.n, queue, behind])?;
        }
        Ok(())
    }

    /// How far a peer's stream is saved, and whether a message of it is new.
    fn hear(&mut self, from: PeerKey, heard: Heard) -> rusqlite::Result<(i64, bool)> {
        let account = self.account(from)?;
        let (n, was) = (account.n, account.again);
        let is_later = |seq| seq < heard.seq || planted::is(Planted::SameStreamNew);
        let goes_on = |before: Heard| before.epoch == heard.epoch && is_later(before.seq);
        account.again |= !account.heard.is_none_or(goes_on);
        account.heard = Some(heard);
        if !account.again {
            return Ok((n, true));
        }
        if !was {
            self.all.prepare_cached(NAMES)?.execute([n, state::RECEIVED])?;
        }
        Ok((n, self.name(n, heard.id)?))
    }

    fn name(&mut self, peer: i64, id: MessageId) -> rusqlite::Result<bool> {
        let mut names = self.all.prepare_cached("INSERT OR IGNORE INTO names VALUES (?1, ?2)")?;
        Ok(names.execute(params![peer, id.0])? == 1)
    }

    fn plain_peer(&mut self, address: &str, name: &str) -> rusqlite::Result<i64> {
        let known = "SELECT n FROM plain_peers WHERE address = ?1 AND name = ?2";
        let known = self.all.prepare_cached(known)?.query_row([address, name], |row| row.get(0));
        match known {
            Err(rusqlite::Error::QueryReturnedNoRows) => {}
            known => return known,
        }
        let new = "INSERT INTO plain_peers (address, name) VALUES (?1, ?2)";
        self.all.prepare_cached(new)?.execute([address, name])?;
        Ok(self.all.last_insert_rowid())
    }
}

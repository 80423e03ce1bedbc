//! How rows become what a node knows: peers with their streams when it starts, and messages that were
//! asked for. Names that our own rules no longer allow are made fit; anything else that could not have
//! been written is an error and never a guess.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::book::{Book, state};
use super::error::Trouble;
use super::find;
use crate::api::reply::MessageState;
use crate::id::{MessageId, Name, PeerId};
use crate::key::PeerKey;
use crate::node::record::{Facts, LogRow, Query, SavedMessage, SavedPeer, Snapshot};
use crate::text::{Body, Untrusted};
use crate::time::Wall;

/// What is read of a message, and of whom it is with.
pub(super) const COLUMNS: &str =
    "m.n, m.state, m.at, m.text, p.key, p.claims, p.alias, p.done, q.address, q.name";
/// Where that is.
pub(super) const MESSAGES: &str =
    "messages m LEFT JOIN peers p ON p.n = m.peer LEFT JOIN plain_peers q ON q.n = m.plain";

/// Whose messages are wanted, as a condition with one place.
pub(super) enum Whose {
    Everybodys,
    Peers(i64),
    Plain(String),
    /// Nobody was ever called so.
    Nobodys,
}

/// What a node knows when it starts.
pub(super) fn snapshot(db: &Connection, book: &Book) -> Result<Snapshot, Trouble> {
    let mut facts = db.prepare_cached(
        "SELECT key, claims, alias, listens, verified, ignored, passing, gone, wanted FROM peers ORDER BY key",
    )?;
    let mut message = db.prepare_cached("SELECT id, text, auto, at FROM messages WHERE n = ?1")?;
    let mut rows = facts.query([])?;
    let mut peers = Vec::new();
    while let Some(row) = rows.next()? {
        let facts = self::facts(row)?;
        let account = book.peers.get(&facts.key).ok_or(Trouble::Odd("a peer came from nowhere"))?;
        let mut outbox = Vec::with_capacity(account.outbox.len());
        for waiting in &account.outbox {
            outbox.push(message.query_row([waiting.n], |row| Ok(saved_message(row)))??);
        }
        let (epoch, next, heard, again) = (account.epoch, account.next, account.heard, account.again);
        peers.push(SavedPeer { facts, epoch, next, outbox, heard, again });
    }
    Ok(Snapshot { peers })
}

/// The latest messages that are asked for, the oldest first.
pub(super) fn rows(db: &Connection, query: &Query) -> Result<Vec<LogRow>, Trouble> {
    let whose = whose(db, query.with)?;
    let mut found = match &query.find {
        Some(words) => find::rows(db, &whose, words, query.last)?,
        None => {
            let whose_are = whose.condition();
            let sql =
                format!("SELECT {COLUMNS} FROM {MESSAGES} WHERE {whose_are} ORDER BY m.n DESC LIMIT ?2");
            let mut rows = db.prepare_cached(&sql)?;
            let mut rows = rows.query(params![whose.value(), query.last as i64])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(log_row(row)?);
            }
            found
        }
    };
    found.reverse();
    Ok(found)
}

fn whose(db: &Connection, with: Option<PeerId>) -> rusqlite::Result<Whose> {
    Ok(match with {
        None => Whose::Everybodys,
        Some(PeerId::Plain(address)) => Whose::Plain(address.to_string()),
        Some(PeerId::Native(key)) => {
            let mut known = db.prepare_cached("SELECT n FROM peers WHERE key = ?1")?;
            let known = known.query_row([key.0], |row| row.get(0)).optional()?;
            known.map_or(Whose::Nobodys, Whose::Peers)
        }
    })
}

impl Whose {
    pub(super) fn condition(&self) -> &'static str {
        match self {
            Self::Everybodys => "?1 IS NULL",
            Self::Peers(_) => "m.peer = ?1",
            Self::Plain(_) => "m.plain IN (SELECT n FROM plain_peers WHERE address = ?1)",
            Self::Nobodys => "?1 IS NOT NULL",
        }
    }

    pub(super) fn value(&self) -> rusqlite::types::Value {
        match self {
            Self::Everybodys | Self::Nobodys => rusqlite::types::Value::Null,
            Self::Peers(n) => (*n).into(),
            Self::Plain(address) => address.clone().into(),
        }
    }
}

fn facts(row: &Row<'_>) -> Result<Facts, Trouble> {
    let mut facts = Facts::new(PeerKey(row.get(0)?));
    let short = facts.key.short();
    if let Some(claims) = row.get::<_, Option<String>>(1)? {
        facts.claims = name(&claims, &short);
    }
    facts.alias = row.get::<_, Option<String>>(2)?.map(|alias| name(&alias, &short));
    let listens = row.get::<_, Option<String>>(3)?.map(|at| at.parse()).transpose();
    facts.listens = listens.map_err(|_| Trouble::Odd("a peer's address is none"))?;
    (facts.verified, facts.ignored, facts.passing) = (row.get(4)?, row.get(5)?, row.get(6)?);
    (facts.gone, facts.wanted) = (row.get(7)?, row.get(8)?);
    Ok(facts)
}

fn name(text: &str, fallback: &str) -> Name {
    Name::new(text).unwrap_or_else(|_| Name::claimed(text, fallback))
}

fn saved_message(row: &Row<'_>) -> Result<SavedMessage, Trouble> {
    let id = MessageId(row.get(0)?);
    Ok(SavedMessage { id, text: body(row, 1)?, auto: row.get(2)?, at: Wall(row.get(3)?) })
}

fn body(row: &Row<'_>, column: usize) -> Result<Body, Trouble> {
    let text = row.get_ref(column)?.as_str().map_err(|_| Trouble::Odd("a message is not text"))?;
    Body::new(text).map_err(|_| Trouble::Odd("a message has an impossible length"))
}

pub(super) fn log_row(row: &Row<'_>) -> Result<LogRow, Trouble> {
    let (n, state, at) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, Wall(row.get(2)?));
    let text = Untrusted::new(body(row, 3)?);
    let (with, name, done) = match row.get::<_, Option<[u8; 32]>>(4)? {
        Some(key) => {
            let key = PeerKey(key);
            let called: Option<String> = row.get::<_, Option<String>>(6)?.or(row.get(5)?);
            let name = called.map_or_else(|| Facts::new(key).claims, |text| name(&text, &key.short()));
            (PeerId::Native(key), name, row.get::<_, i64>(7)?)
        }
        None => {
            let address: String = row.get(8)?;
            let address = address.parse().map_err(|_| Trouble::Odd("a plain peer's address is none"))?;
            (PeerId::Plain(address), name(&row.get::<_, String>(9)?, "plain"), 0)
        }
    };
    let state = match state {
        state::RECEIVED => MessageState::Received,
        state::QUEUED if n <= done => MessageState::Delivered,
        state::QUEUED | state::MOVED => MessageState::Queued,
        state::DELIVERED => MessageState::Delivered,
        state::EXPIRED => MessageState::Expired,
        state::FAILED => MessageState::Failed,
        state::SENT => MessageState::Sent,
        _ => return Err(Trouble::Odd("a message is in no known state")),
    };
    Ok(LogRow { with, name, ours: state != MessageState::Received, at, text, state })
}

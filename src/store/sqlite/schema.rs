//! What the tables are, in numbered steps, and how a file comes from one to the next: one transaction
//! each, and a copy of the file before. `docs/store.md` says what the columns mean.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::Trouble;

/// What `PRAGMA application_id` says of our files: "hobn".
pub(super) const APPLICATION: i64 = 0x686f_626e;

/// Step by step; `PRAGMA user_version` counts those that a file has behind it. A step that was
/// released is never changed.
const STEPS: [&str; 2] = [
    // 1: who we are, whom we know, what was said.
    "CREATE TABLE identity (
         only INTEGER PRIMARY KEY CHECK (only = 1),
         seed BLOB NOT NULL CHECK (length(seed) = 32)
     ) STRICT;
     CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE peers (
         n INTEGER PRIMARY KEY,
         key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
         claims TEXT, alias TEXT, listens TEXT,
         verified INTEGER NOT NULL DEFAULT 0, ignored INTEGER NOT NULL DEFAULT 0,
         passing INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0,
         wanted INTEGER NOT NULL DEFAULT 0,
         epoch INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0,
         done INTEGER NOT NULL DEFAULT 0, waiting INTEGER NOT NULL DEFAULT 0,
         heard_epoch INTEGER, heard_seq INTEGER, heard_id BLOB,
         again INTEGER NOT NULL DEFAULT 0
     ) STRICT;
     CREATE TABLE plain_peers (
         n INTEGER PRIMARY KEY,
         address TEXT NOT NULL, name TEXT NOT NULL,
         UNIQUE (address, name)
     ) STRICT;
     CREATE TABLE messages (
         n INTEGER PRIMARY KEY,
         peer INTEGER REFERENCES peers (n),
         plain INTEGER REFERENCES plain_peers (n),
         state INTEGER NOT NULL,
         auto INTEGER NOT NULL,
         at INTEGER NOT NULL,
         id BLOB,
         text TEXT NOT NULL,
         CHECK ((peer IS NULL) <> (plain IS NULL))
     ) STRICT;
     CREATE INDEX messages_of_peer ON messages (peer) WHERE peer IS NOT NULL;
     CREATE INDEX messages_of_plain ON messages (plain) WHERE plain IS NOT NULL;
     CREATE TABLE names (
         peer INTEGER NOT NULL REFERENCES peers (n), id BLOB NOT NULL, PRIMARY KEY (peer, id)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE moved (
         place INTEGER PRIMARY KEY,
         message INTEGER NOT NULL UNIQUE REFERENCES messages (n),
         queue INTEGER NOT NULL REFERENCES peers (n),
         behind INTEGER NOT NULL
     ) STRICT;",
    // 2: search. Holds words and not texts; `up_to` is the last message in it.
    "CREATE VIRTUAL TABLE words USING fts5
         (text, content = '', columnsize = 0, detail = 'none', tokenize = 'ascii');
     CREATE TABLE indexed (only INTEGER PRIMARY KEY CHECK (only = 1), up_to INTEGER NOT NULL) STRICT;
     INSERT INTO indexed VALUES (1, 0);",
];

/// The schema that this program writes.
pub(super) const KNOWN: i64 = STEPS.len() as i64;

/// What a file says it is.
pub(super) struct Found {
    pub(super) application: i64,
    pub(super) version: i64,
    /// Nothing was ever written to it.
    pub(super) empty: bool,
}

/// Looks at a file without changing it.
pub(super) fn look(db: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    Ok(Found {
        application: number("PRAGMA application_id")?,
        version: number("PRAGMA user_version")?,
        empty: number("SELECT count(*) FROM sqlite_schema")? == 0,
    })
}

/// Makes the tables in an empty file as they are after `steps` steps, and puts the identity there, all
/// at once.
pub(super) fn create(db: &mut Connection, seed: &[u8; 32], steps: i64) -> rusqlite::Result<()> {
    let all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    all.pragma_update(None, "application_id", APPLICATION)?;
    (0..steps).try_for_each(|at| step(&all, at))?;
    all.execute("INSERT INTO identity VALUES (1, ?1)", [seed])?;
    all.commit()
}

/// Takes a file the steps that it has not behind it.
pub(super) fn migrate(db: &mut Connection, from: i64) -> Result<(), Trouble> {
    for at in from..KNOWN {
        let one = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step(&one, at)?;
        one.commit()?;
    }
    Ok(())
}

fn step(db: &Transaction<'_>, at: i64) -> rusqlite::Result<()> {
    let sql = usize::try_from(at).ok().and_then(|at| STEPS.get(at)).copied().unwrap_or_default();
    db.execute_batch(sql)?;
    db.pragma_update(None, "user_version", at + 1)
}

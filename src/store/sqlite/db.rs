//! The data base itself, without a thread: opened with care, then records go in, one transaction a
//! save, and come out as what a node starts with and as messages that were asked for. `Sqlite` gives it
//! a thread; a simulator may use it as it is, on a file system of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, DropBehavior, OpenFlags, TransactionBehavior};

use super::book::Book;
use super::error::{OpenError, Trouble};
use super::write::Writer;
use super::{find, read, schema};
use crate::id::MessageId;
use crate::key::PeerKey;
use crate::node::record::{LogRow, Query, Record, Snapshot};
use crate::planted::{self, Planted};
use crate::rng::Seed;
use crate::why::StoreFault;

/// An open data base.
pub struct Db {
    db: Connection,
    book: Book,
    seed: Seed,
    /// It cannot be trusted any more.
    broken: bool,
    /// About how many bytes were written since what was written ahead was put in its place.
    ahead: usize,
}

/// How much may be written ahead: more takes longer to read when we were killed, less costs more often.
const AHEAD_MAX: usize = 8 * 1024 * 1024;
/// What a save costs at least, in pages of peers and at the ends of tables and indexes.
const AHEAD_SAVE: usize = 24 * 1024;
/// What a message costs beside its text.
const AHEAD_MESSAGE: usize = 64;
/// KiB of pages in memory.
const CACHE: i64 = 8 * 1024;
/// Bytes of a row or a text: far more than a message has.
const LENGTH_MAX: i32 = 1024 * 1024;
const STATEMENTS: usize = 64;

impl Db {
    /// Opens `file` on the file system that SQLite knows as `system`, or makes it there if it is empty
    /// or not there: then `seed` is who we are.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(system: &str, file: &str, seed: Seed) -> Result<Self, OpenError> {
        let path = PathBuf::from(file);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags_and_vfs(file, flags, system);
        let mut db = opened.map_err(|error| Trouble::from(error).while_opening(&path))?;
        let found = before(&db).map_err(|trouble| trouble.while_opening(&path))?;
        if found.empty && found.version == 0 {
            made(&mut db, seed, schema::KNOWN).map_err(|trouble| trouble.while_opening(&path))?;
        }
        Self::with(db, &path, |_, _| Ok(()))
    }

    /// Makes a file that is not there yet, as it was after `steps` steps of the schema.
    pub(super) fn make(file: &Path, seed: Seed, steps: i64) -> Result<(), OpenError> {
        let make = || -> Result<(), Trouble> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let mut db = Connection::open_with_flags(file, flags)?;
            before(&db)?;
            made(&mut db, seed, steps)?;
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
            db.close().map_err(|(_, error)| error.into())
        };
        make().map_err(|trouble| trouble.while_opening(file))
    }

    /// Opens a file that is there. `save` copies it before its schema changes.
    pub(super) fn open(
        file: &Path,
        save: impl FnOnce(&Connection, i64) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(file, flags);
        Self::with(db.map_err(|error| Trouble::from(error).while_opening(file))?, file, save)
    }

    fn with(
        mut db: Connection,
        file: &Path,
        save: impl FnOnce(&Connection, i64) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let failed = |trouble: Trouble| trouble.while_opening(file);
        let found = before(&db).map_err(failed)?;
        let file_name = || file.to_owned();
        if found.application != schema::APPLICATION {
            return Err(if found.empty {
                OpenError::Damaged { file: file_name(), what: "it is empty, without our identity".into() }
            } else {
                OpenError::Foreign { file: file_name() }
            });
        }
        if found.version > schema::KNOWN {
            let (version, known) = (found.version, schema::KNOWN);
            return Err(OpenError::Newer { file: file_name(), version, known });
        }
        let checked: Result<String, _> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        match checked.map_err(|error| failed(error.into()))?.as_str() {
            "ok" => {}
            what => return Err(OpenError::Damaged { file: file_name(), what: what.into() }),
        }
        settle(&db).map_err(failed)?;
        if found.version < schema::KNOWN {
            save(&db, found.version)?;
            schema::migrate(&mut db, found.version).map_err(failed)?;
        }
        let seed = seed(&db).map_err(failed)?;
        let book = Book::read(&db).map_err(failed)?;
        Ok(Self { db, book, seed, broken: false, ahead: 0 })
    }

    /// What our keys follow from.
    pub fn identity(&self) -> Seed {
        self.seed
    }

    /// What was saved before.
    ///
    /// # Errors
    /// The disk does not give it back.
    pub fn snapshot(&mut self) -> Result<Snapshot, StoreFault> {
        self.trusted()?;
        read::snapshot(&self.db, &self.book).map_err(|trouble| self.blame(&trouble))
    }

    /// Saves `records`, in order, all or none. Once it returns they survive a power cut. Those messages
    /// come back that were known before, and are not kept twice.
    ///
    /// # Errors
    /// Nothing was kept. After [`StoreFault::Broken`] nothing ever will be, until it is opened anew.
    pub fn apply(&mut self, records: &[Record]) -> Result<Vec<(PeerKey, MessageId)>, StoreFault> {
        self.trusted()?;
        match commit(&mut self.db, &mut self.book, records) {
            Ok((known, written)) => {
                self.ahead += AHEAD_SAVE + written;
                Ok(known)
            }
            Err(trouble) => {
                let fault = self.blame(&trouble);
                if fault == StoreFault::Full && !planted::is(Planted::RefusedIsMinded) {
                    // Nothing happened, so what was kept in mind of it is wrong.
                    match Book::read(&self.db) {
                        Ok(book) => self.book = book,
                        Err(trouble) => return Err(self.blame(&trouble)),
                    }
                }
                Err(fault)
            }
        }
    }

    /// The messages that are asked for, the oldest first.
    ///
    /// # Errors
    /// The disk does not give them back.
    pub fn rows(&mut self, query: &Query) -> Result<Vec<LogRow>, StoreFault> {
        self.trusted()?;
        read::rows(&self.db, query).map_err(|trouble| self.blame(&trouble))
    }

    /// What was put by [`Self::put_setting`], by key.
    ///
    /// # Errors
    /// The disk does not give it back.
    pub fn settings(&mut self) -> Result<Vec<(String, String)>, StoreFault> {
        self.trusted()?;
        let all = || -> rusqlite::Result<Vec<_>> {
            let mut all = self.db.prepare_cached("SELECT key, value FROM settings ORDER BY key")?;
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        all().map_err(|error| self.blame(&error.into()))
    }

    /// Keeps `value` under `key` in place of what was there.
    ///
    /// # Errors
    /// It was not kept.
    pub fn put_setting(&mut self, key: &str, value: &str) -> Result<(), StoreFault> {
        self.trusted()?;
        let put = self.db.execute("REPLACE INTO settings VALUES (?1, ?2)", [key, value]);
        self.ahead += AHEAD_SAVE;
        put.map(|_| ()).map_err(|error| self.blame(&error.into()))
    }

    /// Does what need not be done before a save is answered.
    ///
    /// # Errors
    /// The disk failed. What was saved is safe.
    pub fn tidy(&mut self) -> Result<(), StoreFault> {
        if self.ahead < AHEAD_MAX { self.trusted() } else { self.checkpoint() }
    }

    /// Puts what was written ahead in its place. On a full disk it stays where it is, which is as safe.
    ///
    /// # Errors
    /// The disk failed. What was saved is safe.
    pub fn checkpoint(&mut self) -> Result<(), StoreFault> {
        self.trusted()?;
        let done = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        match done.map_err(Trouble::from) {
            Ok(()) => self.ahead = 0,
            Err(trouble) if trouble.fault() == StoreFault::Full => {}
            Err(trouble) => return Err(self.blame(&trouble)),
        }
        Ok(())
    }

    /// Makes up to so many messages quicker to find. True if there are more.
    ///
    /// # Errors
    /// The disk failed or is full. What was saved is safe.
    pub fn index(&mut self, at_most: i64) -> Result<bool, StoreFault> {
        self.trusted()?;
        self.ahead += AHEAD_SAVE;
        find::index(&mut self.db, at_most).map_err(|trouble| self.blame(&trouble))
    }

    /// Whether SQLite finds nothing wrong with all that there is. Reads all of it.
    pub fn is_whole(&self) -> bool {
        let check = |sql| self.db.query_row(sql, [], |row| row.get::<_, String>(0));
        let foreign = self.db.query_row("PRAGMA foreign_key_check", [], |_| Ok(()));
        check("PRAGMA integrity_check(1)").is_ok_and(|found| found == "ok")
            && foreign == Err(rusqlite::Error::QueryReturnedNoRows)
    }

    fn trusted(&self) -> Result<(), StoreFault> {
        if self.broken { Err(StoreFault::Broken) } else { Ok(()) }
    }

    /// The fault for it. Nothing is asked of a disk again that failed once: a second fsync may report
    /// success for what the first has lost.
    fn blame(&mut self, trouble: &Trouble) -> StoreFault {
        let fault = trouble.fault();
        if fault == StoreFault::Broken && !std::mem::replace(&mut self.broken, true) {
            // Nor when it is closed. That it cannot be told so is no more than another fault.
            let _fault = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        fault
    }
}

/// Sets what must be set before anything is read, and looks what there is. A file that is refused then
/// is as it was: what a crash left beside it is not put into it.
fn before(db: &Connection) -> Result<schema::Found, Trouble> {
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, LENGTH_MAX)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Nobody else reads it, so what was written ahead needs no memory shared with others.
    db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "mmap_size", 0)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "cache_size", -CACHE)?;
    Ok(schema::look(db)?)
}

/// Makes the tables.
fn made(db: &mut Connection, seed: Seed, steps: i64) -> Result<(), Trouble> {
    settle(db)?;
    Ok(schema::create(db, &seed.0, steps)?)
}

/// Sets how it is written.
fn settle(db: &Connection) -> Result<(), Trouble> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // To the end: that it failed to write this down shows only after it has said what it is.
    let mut mode = db.prepare("PRAGMA journal_mode = WAL")?;
    let modes = mode.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    if modes != ["wal"] {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        let what = "its file system does not do what a log written ahead needs";
        return Err(rusqlite::Error::SqliteFailure(code, Some(what.into())).into());
    }
    let spared = planted::is(Planted::SyncSpared);
    db.pragma_update(None, "synchronous", if spared { "NORMAL" } else { "FULL" })?;
    // `tidy` does it, after a save was answered, and sees whether that works.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "journal_size_limit", 2 * AHEAD_MAX as i64)?;
    Ok(())
}

fn seed(db: &Connection) -> Result<Seed, Trouble> {
    let seed = db.query_row("SELECT seed FROM identity WHERE only = 1", [], |row| row.get(0));
    match seed {
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(Trouble::Odd("our identity is missing")),
        Err(rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..)) => {
            Err(Trouble::Odd("our identity is not whole"))
        }
        seed => Ok(Seed(seed?)),
    }
}

/// One transaction, and about how many bytes it has.
fn commit(
    db: &mut Connection,
    book: &mut Book,
    records: &[Record],
) -> Result<(Vec<(PeerKey, MessageId)>, usize), Trouble> {
    let late = planted::is(Planted::CommitLate);
    if late && !db.is_autocommit() {
        db.execute_batch("COMMIT")?;
    }
    let mut all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut known, mut written) = (Vec::new(), 0);
    let mut writer = Writer::new(&all, book)?;
    for record in records {
        let is_new = writer.put(record)?;
        match record {
            Record::Received { from, id, .. } if !is_new => known.push((*from, *id)),
            Record::Received { text, .. } => written += AHEAD_MESSAGE + text.expose().len(),
            Record::Queued { text, .. } => written += AHEAD_MESSAGE + text.as_str().len(),
            _ => written += AHEAD_MESSAGE,
        }
    }
    writer.finish()?;
    if late {
        all.set_drop_behavior(DropBehavior::Ignore);
        return Ok((known, written));
    }
    all.commit()?;
    Ok((known, written))
}

/// The name of the file in a folder.
pub(super) const FILE: &str = "hobnob.db";

/// The file that SQLite keeps beside it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or(OsStr::new(FILE)).to_owned();
    name.push(ending);
    file.with_file_name(name)
}

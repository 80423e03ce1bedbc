//! What goes wrong with a data base, in two kinds: why it cannot be opened, which a person is told, and
//! why something of it failed later, which becomes one of the two faults that a node knows.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::why::StoreFault;

/// Why there is no store. Nothing was changed, nothing was deleted, and no new identity was made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works with the folder.
    #[error(
        "{} is in use{}; give another folder with --data DIR, or --ephemeral",
        folder.display(),
        pid.map_or_else(|| " by another process".into(), |pid| format!(" by process {pid}"))
    )]
    InUse {
        /// Which folder.
        folder: PathBuf,
        /// Which process, if it said so.
        pid: Option<u32>,
    },
    /// The system does not let us use a folder or a file.
    #[error("cannot use {}: {source}; give another folder with --data DIR, or --ephemeral", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may change or read what nobody else should.
    #[error("{} is not used: {what}", path.display())]
    Exposed {
        /// Which folder or file.
        path: PathBuf,
        /// What is wrong and what helps.
        what: String,
    },
    /// A later version of this program wrote it.
    #[error(
        "{} was written by a newer hobnob (its schema is {version}, this one knows up to {known}); \
         use that one, or give another folder with --data DIR",
        file.display()
    )]
    Newer {
        /// Which file.
        file: PathBuf,
        /// Its schema.
        version: i64,
        /// The latest that we know.
        known: i64,
    },
    /// It is not what was written.
    #[error(
        "{} is damaged ({what}); keep it, it may be possible to save some of it, \
         and start with another folder: --data DIR",
        file.display()
    )]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// How that shows.
        what: String,
    },
    /// Some other program's file stands where ours should.
    #[error("{} is not a data base of hobnob; give another folder with --data DIR", file.display())]
    Foreign {
        /// Which file.
        file: PathBuf,
    },
    /// SQLite or the disk under it failed.
    #[error("cannot open {}: {what}; is there room on the disk, and is it well?", file.display())]
    Failed {
        /// Which file.
        file: PathBuf,
        /// How.
        what: String,
    },
}

/// Why something was not done once it was open.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite says so.
    Sql(rusqlite::Error),
    /// What was read cannot have been written by us.
    Odd(&'static str),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(f),
            Self::Odd(what) => f.write_str(what),
        }
    }
}

impl Trouble {
    /// A full disk may have room later. Whatever else fails, nothing that follows can be trusted.
    pub(super) fn fault(&self) -> StoreFault {
        match self {
            Self::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => StoreFault::Full,
            Self::Sql(_) | Self::Odd(_) => StoreFault::Broken,
        }
    }

    /// The same while a file is opened.
    pub(super) fn while_opening(self, file: &std::path::Path) -> OpenError {
        let file = file.to_owned();
        match &self {
            Self::Odd(what) => OpenError::Damaged { file, what: (*what).into() },
            Self::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    OpenError::Damaged { file, what: self.to_string() }
                }
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    OpenError::InUse { folder: file, pid: None }
                }
                // What was read has another type than what was written, or is not there.
                None => OpenError::Damaged { file, what: self.to_string() },
                Some(_) => OpenError::Failed { file, what: self.to_string() },
            },
        }
    }
}

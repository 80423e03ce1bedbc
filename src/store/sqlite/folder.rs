//! The folder with all that we keep: ours alone, used by one process at a time, its file made whole or
//! not at all. Decides whether a folder can be trusted and what is said if not; knows no tables.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::db::{Db, FILE, beside};
use super::error::{OpenError, Trouble};
use super::schema;
use crate::rng::Seed;

/// A folder that nobody else uses while this lives.
pub(super) struct Folder {
    path: PathBuf,
    /// Locked.
    _lock: File,
}

/// Holds the process that works with the folder.
const LOCK: &str = "lock";
/// Bits of a file's mode for others than its owner, and those that let them write.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
const WRITTEN_AT_ONCE: usize = 256 * 1024;

impl Folder {
    /// Makes the folder if need be, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Unusable { path: path.to_owned(), source };
        if !path.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
            // The umask may have taken something of that.
            std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(unusable)?;
        }
        let (link, found) = (path.symlink_metadata().map_err(unusable)?, path.metadata().map_err(unusable)?);
        if !found.is_dir() {
            return Err(unusable(std::io::ErrorKind::NotADirectory.into()));
        }
        let us = rustix::process::geteuid().as_raw();
        if link.uid() != us || found.uid() != us {
            let what = "it belongs to somebody else; give another folder with --data DIR";
            return Err(OpenError::Exposed { path: path.to_owned(), what: what.into() });
        }
        if found.mode() & OTHERS_WRITE != 0 {
            let what = format!("others may write there; chmod 700 {}", path.display());
            return Err(OpenError::Exposed { path: path.to_owned(), what });
        }
        Ok(Self { path: path.to_owned(), _lock: lock(path)? })
    }

    /// Opens the data base in it, or makes it, with `seed` as who we are.
    pub(super) fn open(
        &self,
        seed: impl FnOnce() -> Result<Seed, getrandom::Error>,
    ) -> Result<Db, OpenError> {
        let file = self.path.join(FILE);
        let unusable = |source| OpenError::Unusable { path: file.clone(), source };
        if !file.try_exists().map_err(unusable)? {
            if beside(&file, "-wal").exists() {
                let what = "it is missing, and what was written ahead for it is there".into();
                return Err(OpenError::Damaged { file, what });
            }
            let seed = seed().map_err(|error| unusable(std::io::Error::other(error)))?;
            self.make(&file, seed, schema::KNOWN)?;
        }
        for path in [file.clone(), beside(&file, "-wal")] {
            let Ok(found) = path.symlink_metadata() else { continue };
            let us = rustix::process::geteuid().as_raw();
            if !found.is_file() || found.uid() != us || found.mode() & OTHERS != 0 {
                let what = format!(
                    "it holds your identity, and must be a file of yours that nobody else may read; \
                     chmod 600 {} if it is safe to trust it",
                    path.display()
                );
                return Err(OpenError::Exposed { path, what });
            }
        }
        let wal = beside(&file, "-wal");
        let had_wal = wal.exists();
        if had_wal {
            write_again(&wal).map_err(|source| OpenError::Unusable { path: wal.clone(), source })?;
        }
        let opened = Db::open(&file, |db, version| self.save(db, &file, version));
        // Whoever was refused finds everything as it was, without an empty file more.
        let is_empty = || wal.metadata().is_ok_and(|found| found.len() == 0);
        if opened.is_err() && !had_wal && is_empty() {
            std::fs::remove_file(&wal).map_err(unusable)?;
        }
        opened
    }

    /// Whether it is on another machine, where neither a lock nor a sync need be what it says.
    pub(super) fn is_remote(&self) -> bool {
        #[cfg(target_os = "linux")]
        {
            // NFS, SMB, SMB2, CIFS, Ceph, AFS, 9P, and what is mounted by a program (sshfs).
            const REMOTE: [u32; 8] = [
                0x6969,
                0x517b,
                0xfe53_4d42,
                0xff53_4d42,
                0x00c3_6400,
                0x5346_414f,
                0x0102_1997,
                0x6573_5546,
            ];
            let of = |found: rustix::fs::StatFs| {
                REMOTE.iter().any(|&kind| i128::from(kind) == i128::from(found.f_type))
            };
            rustix::fs::statfs(&self.path).is_ok_and(of)
        }
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Makes the file under another name, so that one with its own name always has an identity.
    fn make(&self, file: &Path, seed: Seed, steps: i64) -> Result<(), OpenError> {
        let new = beside(file, ".new");
        let unusable = |source| OpenError::Unusable { path: new.clone(), source };
        for left in [new.clone(), beside(&new, "-wal"), beside(&new, "-journal")] {
            match std::fs::remove_file(left) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
                _ => {}
            }
        }
        private(&new).map_err(unusable)?;
        Db::make(&new, seed, steps)?;
        let rename = || {
            File::open(&new)?.sync_all()?;
            std::fs::rename(&new, file)?;
            File::open(&self.path)?.sync_all()
        };
        rename().map_err(unusable)
    }

    /// A copy of the file as it is before its schema changes.
    fn save(&self, db: &Connection, file: &Path, version: i64) -> Result<(), OpenError> {
        let copy = beside(file, &format!(".schema-{version}"));
        let unusable = |source| OpenError::Unusable { path: copy.clone(), source };
        match std::fs::remove_file(&copy) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        let written = private(&copy).map_err(unusable)?;
        let sql = "VACUUM INTO ?1";
        let name = copy.to_str().ok_or_else(|| unusable(std::io::ErrorKind::InvalidFilename.into()))?;
        db.execute(sql, [name]).map_err(|error| Trouble::from(error).while_opening(&copy))?;
        written.sync_all().and_then(|()| File::open(&self.path)?.sync_all()).map_err(unusable)
    }
}

/// An empty file that only we may read, whatever the umask.
fn private(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Writes what was written ahead once more, as it reads. What a sync of an earlier program has failed to
/// save can be read as long as there is power, and would be missing in the midst of all that is promised
/// from now on.
fn write_again(wal: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(wal)?;
    let (mut part, mut at) = (vec![0; WRITTEN_AT_ONCE], 0);
    loop {
        let count = file.read_at(&mut part, at)?;
        if count == 0 {
            return file.sync_all();
        }
        file.write_all_at(&part[..count], at)?;
        at += count as u64;
    }
}

fn is_there(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// Takes the lock, and says there who has it. The system gives it back when we end, however we end.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let unusable = |source| OpenError::Unusable { path: path.clone(), source };
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow);
    let mut file = options.open(&path).map_err(unusable)?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            let write = || {
                file.set_permissions(Permissions::from_mode(0o600))?;
                file.set_len(0)?;
                writeln!(&file, "{}", std::process::id())
            };
            write().map_err(unusable)?;
            Ok(file)
        }
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            let read = Read::by_ref(&mut file).take(32).read_to_string(&mut text);
            // Whoever has it may not have said so yet, and the one before may have ended.
            let pid = read.ok().and_then(|_| text.trim().parse().ok()).filter(|&pid| is_there(pid));
            Err(OpenError::InUse { folder: folder.to_owned(), pid })
        }
        Err(error) => Err(unusable(error.into())),
    }
}

//! A folder for one program: a copy of what was handed in, an empty home beside it, gone at the end.
//! Links and devices are not copied, as they could lead out.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::launch::users::User;
use crate::limits::{LAUNCH_COPY_BYTES, LAUNCH_COPY_FILES};

/// A folder that is removed when it is dropped.
pub(super) struct Folder {
    root: PathBuf,
}

/// What may still be copied.
struct Budget {
    files: usize,
    bytes: u64,
}

impl Folder {
    /// A new folder, with a copy of `from` in it if there is one. What is in it is the user's; itself
    /// it is ours, or it could be put elsewhere, and something else in its place.
    pub(super) fn new(from: Option<&Path>, user: Option<&User>) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let base = base(user.is_some());
        let folder = loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let root = base.join(format!("hobnob-{}-{count}", std::process::id()));
            // Whatever is there already is somebody else's.
            match fs::DirBuilder::new().mode(0o700).create(&root) {
                Ok(()) => break Self { root },
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        fs::create_dir(folder.work())?;
        fs::create_dir(folder.home())?;
        if let Some(from) = from {
            let mut budget = Budget { files: LAUNCH_COPY_FILES, bytes: LAUNCH_COPY_BYTES };
            copy(from, &folder.work(), &mut budget)?;
        }
        if let Some(user) = user {
            give(user, &folder.work())?;
            give(user, &folder.home())?;
            // To go through, and not to look at.
            fs::set_permissions(&folder.root, fs::Permissions::from_mode(0o711))?;
        }
        Ok(folder)
    }

    /// All of it.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the program runs.
    pub(super) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Its home, which is empty.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A program may have made its folders unreadable; the next attempt may succeed where this does not.
        let _ = open_up(&self.root);
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn copy(from: &Path, to: &Path, budget: &mut Budget) -> io::Result<()> {
    let too_much = || io::Error::other("there is too much in it to be copied for each test");
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            budget.files = budget.files.checked_sub(1).ok_or_else(too_much)?;
            fs::create_dir(&target)?;
            copy(&entry.path(), &target, budget)?;
        } else if kind.is_file() {
            budget.files = budget.files.checked_sub(1).ok_or_else(too_much)?;
            budget.bytes = budget.bytes.checked_sub(entry.metadata()?.len()).ok_or_else(too_much)?;
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Where such folders are made: where everybody may go, if somebody else is to.
fn base(is_for_another: bool) -> PathBuf {
    let usual = std::env::temp_dir();
    let is_open = |path: &Path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    let is_far = is_for_another && !usual.ancestors().all(is_open);
    if is_far { PathBuf::from("/tmp") } else { usual }
}

/// Gives all of it to a user.
fn give(user: &User, path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(user, &entry?.path())?;
        }
    }
    user.give(path)
}

/// Makes folders removable again.
fn open_up(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leads_nowhere_else_and_goes() {
        let from = tempfile::tempdir().expect("a folder");
        fs::create_dir(from.path().join("sub")).expect("made");
        fs::write(from.path().join("sub/a.py"), "1").expect("written");
        std::os::unix::fs::symlink("/etc/passwd", from.path().join("link")).expect("linked");
        let folder = Folder::new(Some(from.path()), None).expect("copied");
        assert_eq!(fs::read_to_string(folder.work().join("sub/a.py")).expect("there"), "1");
        assert!(!folder.work().join("link").exists());
        assert_eq!(fs::read_dir(folder.home()).expect("there").count(), 0);
        let root = folder.root().to_owned();
        drop(folder);
        assert!(!root.exists());
    }
}

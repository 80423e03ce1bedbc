//! How SQLite sees the disks of [`super`]: each call goes to the disk that a file is on, and fails if
//! that has no power, no room or is to fail. Decides nothing.

use hobnob::rng::{Rng, Seed};
use sqlite_vfs::{DatabaseHandle, LockKind, OpenOptions, Vfs, WalDisabled};
use std::io::{ErrorKind, Result};

use super::{Change, Shared, disk, lock};

/// All disks.
pub(super) struct Disks;

pub(super) struct Open {
    disk: Shared,
    name: String,
    lock: LockKind,
}

impl Vfs for Disks {
    type Handle = Open;

    fn open(&self, name: &str, _: OpenOptions) -> Result<Open> {
        let disk = disk(name)?;
        let mut state = lock(&disk);
        state.call()?;
        state.files.entry(name.to_owned()).or_default();
        drop(state);
        Ok(Open { disk, name: name.to_owned(), lock: LockKind::None })
    }

    fn delete(&self, name: &str) -> Result<()> {
        let disk = disk(name)?;
        let mut state = lock(&disk);
        state.call()?;
        let file = state.files.remove(name).ok_or(ErrorKind::NotFound)?;
        state.deleted.insert(name.to_owned(), file);
        Ok(())
    }

    fn exists(&self, name: &str) -> Result<bool> {
        let disk = disk(name)?;
        let mut state = lock(&disk);
        state.call()?;
        Ok(state.files.contains_key(name))
    }

    fn temporary_name(&self) -> String {
        "nowhere".into()
    }

    fn random(&self, buffer: &mut [i8]) {
        let mut rng = Rng::new(Seed::from_number(1));
        buffer.iter_mut().for_each(|byte| *byte = i8::from_ne_bytes(rng.bytes()));
    }

    fn sleep(&self, duration: std::time::Duration) -> std::time::Duration {
        duration
    }
}

impl DatabaseHandle for Open {
    type WalIndex = WalDisabled;

    fn size(&self) -> Result<u64> {
        let mut state = lock(&self.disk);
        state.call()?;
        Ok(state.files.get(&self.name).map_or(0, |file| file.now.len() as u64))
    }

    fn read_exact_at(&mut self, out: &mut [u8], offset: u64) -> Result<()> {
        let mut state = lock(&self.disk);
        state.call()?;
        let file = state.files.get(&self.name).ok_or(ErrorKind::NotFound)?;
        let from = usize::try_from(offset).expect("small").min(file.now.len());
        let there = out.len().min(file.now.len() - from);
        out[..there].copy_from_slice(&file.now[from..from + there]);
        out[there..].fill(0);
        if there < out.len() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        let at = usize::try_from(offset).expect("small");
        lock(&self.disk).change(&self.name, Change::Write(at, bytes.to_vec()))
    }

    fn sync(&mut self, _: bool) -> Result<()> {
        lock(&self.disk).sync(&self.name)
    }

    fn set_len(&mut self, size: u64) -> Result<()> {
        let length = usize::try_from(size).expect("small");
        lock(&self.disk).change(&self.name, Change::Length(length))
    }

    fn lock(&mut self, kind: LockKind) -> Result<bool> {
        self.lock = kind;
        Ok(true)
    }

    fn reserved(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn current_lock(&self) -> Result<LockKind> {
        Ok(self.lock)
    }

    fn wal_index(&self, _: bool) -> Result<WalDisabled> {
        Ok(WalDisabled)
    }
}

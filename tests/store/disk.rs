//! A disk in memory that SQLite works on as on any other, and that may lose power at any call: then
//! what was not synced is gone, or some sectors of it, or all but half of the last write, or nothing.
//! It can also fail at any call, and be full. After a sync that failed, what it was to save is lost
//! although it can still be read, and the next sync says nothing of it: that is how disks do it.
//!
//! SQLite knows it as a file system, one for each thread, and a disk is a folder there. It offers no
//! memory shared with others, so a store must keep its file to itself to work on it at all.

#[path = "system.rs"]
mod system;

use hobnob::rng::Rng;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is written whole or not at all.
const SECTOR: usize = 512;

/// A disk, for as long as this lives. It stays in its thread, and so does its file system: the crate that
/// makes that is not made for two threads at once.
pub(crate) struct Disk {
    number: u64,
    state: Shared,
    system: String,
    _stays: PhantomData<*const ()>,
}

/// What every file of a disk has in it.
pub(crate) type Copy = BTreeMap<String, Vec<u8>>;

thread_local! {
    /// The name of this thread's file system.
    static SYSTEM: String = {
        let name = format!("faulty{}", number());
        sqlite_vfs::register(&name, system::Disks, false).expect("registered");
        name
    };
}

/// One that nobody else has.
fn number() -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

type Shared = Arc<Mutex<State>>;

#[derive(Default)]
struct State {
    files: BTreeMap<String, File>,
    /// Files that were deleted since the last sync.
    deleted: BTreeMap<String, File>,
    /// Writes in the order in which they were made, of all files.
    written: u64,
    /// Calls, of those kinds that are counted.
    calls: u64,
    plan: Plan,
    is_off: bool,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// The power goes at this call.
    pub(crate) cut: Option<u64>,
    /// This call fails ...
    pub(crate) fails: Option<u64>,
    /// ... and all after it.
    pub(crate) for_good: bool,
    /// So many bytes fit.
    pub(crate) room: Option<usize>,
}

#[derive(Clone, Default)]
struct File {
    /// What is there whatever happens, once `exists`.
    synced: Vec<u8>,
    exists: bool,
    now: Vec<u8>,
    unsynced: Vec<(u64, Change)>,
}

impl File {
    fn safe(now: Vec<u8>) -> Self {
        Self { synced: now.clone(), exists: true, now, unsynced: Vec::new() }
    }
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Length(length) => to.resize(*length, 0),
            Self::Write(at, bytes) => {
                let end = at + bytes.len();
                to.resize(to.len().max(end), 0);
                to[*at..end].copy_from_slice(bytes);
            }
        }
    }
}

impl Disk {
    pub(crate) fn new() -> Self {
        let (number, state) = (number(), Shared::default());
        disks().insert(number, Arc::clone(&state));
        Self { number, state, system: SYSTEM.with(String::clone), _stays: PhantomData }
    }

    /// What SQLite calls the file system.
    pub(crate) fn system(&self) -> &str {
        &self.system
    }

    /// The name of a file on it.
    pub(crate) fn file(&self, name: &str) -> String {
        format!("/{}/{name}", self.number)
    }

    pub(crate) fn plan(&self, plan: Plan) {
        let mut state = lock(&self.state);
        (state.calls, state.plan) = (0, plan);
    }

    /// Calls since it was planned what goes wrong.
    pub(crate) fn calls(&self) -> u64 {
        lock(&self.state).calls
    }

    pub(crate) fn bytes(&self) -> usize {
        lock(&self.state).files.values().map(|file| file.now.len()).sum()
    }

    /// Changes what is there of a file.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let name = self.file(name);
        let mut state = lock(&self.state);
        let file = state.files.get_mut(&name).expect("a file");
        edit(&mut file.now);
        *file = File::safe(file.now.clone());
    }

    /// Takes a file away, if it is there.
    pub(crate) fn remove(&self, name: &str) {
        lock(&self.state).files.remove(&self.file(name));
    }

    /// Writes a file again as it reads, and syncs it, as a folder does that is opened.
    pub(crate) fn write_again(&self, name: &str) {
        let mut state = lock(&self.state);
        state.files.entry(self.file(name)).and_modify(|file| *file = File::safe(file.now.clone()));
    }

    /// Copies all files, as they are at this moment.
    pub(crate) fn copy(&self) -> Copy {
        lock(&self.state).files.iter().map(|(name, file)| (name.clone(), file.now.clone())).collect()
    }

    /// It has these files and no others, and all of them are safe.
    pub(crate) fn put(&self, copy: &Copy) {
        let mut state = lock(&self.state);
        state.files = copy.iter().map(|(name, now)| (name.clone(), File::safe(now.clone()))).collect();
        state.deleted.clear();
    }

    /// Whether the power went.
    pub(crate) fn is_off(&self) -> bool {
        lock(&self.state).is_off
    }

    /// The power goes now, if it has not yet, and comes back; nothing goes wrong then.
    pub(crate) fn crash(&self, rng: &mut Rng) {
        let mut state = lock(&self.state);
        let mode = rng.below(5);
        let (kept, whole) = (rng.below(101), rng.below(state.written + 1));
        let last = state.written;
        for (name, file) in std::mem::take(&mut state.deleted) {
            if rng.below(2) == 0 {
                state.files.entry(name).or_insert(file);
            }
        }
        for file in state.files.values_mut() {
            let mut after = std::mem::take(&mut file.synced);
            let mut any = file.exists;
            for (number, change) in file.unsynced.drain(..) {
                let change = match mode {
                    0 => None,
                    1 => some_of(&change, kept, rng),
                    2 if number == last => torn(&change, rng),
                    3 if number > whole => None,
                    _ => Some(vec![change]),
                };
                any |= change.is_some();
                change.iter().flatten().for_each(|change| change.apply(&mut after));
            }
            (file.now, file.synced, file.exists) = (after.clone(), after, any);
        }
        state.files.retain(|_, file| file.exists);
        (state.is_off, state.plan, state.written) = (false, Plan::default(), 0);
    }
}

/// Some sectors of a write, each kept with a chance in percent.
fn some_of(change: &Change, kept: u64, rng: &mut Rng) -> Option<Vec<Change>> {
    let Change::Write(at, bytes) = change else {
        return (rng.below(100) < kept).then(|| vec![change.clone()]);
    };
    let mut parts = Vec::new();
    let mut begin = 0;
    while begin < bytes.len() {
        let end = bytes.len().min((at + begin) / SECTOR * SECTOR + SECTOR - at);
        if rng.below(100) < kept {
            parts.push(Change::Write(at + begin, bytes[begin..end].to_vec()));
        }
        begin = end;
    }
    (!parts.is_empty()).then_some(parts)
}

/// The beginning of a write.
fn torn(change: &Change, rng: &mut Rng) -> Option<Vec<Change>> {
    let Change::Write(at, bytes) = change else { return None };
    let length = usize::try_from(rng.below(bytes.len() as u64)).expect("small");
    Some(vec![Change::Write(*at, bytes[..length].to_vec())])
}

impl State {
    /// A call of any kind: counted, and perhaps the one that goes wrong.
    fn call(&mut self) -> Result<()> {
        self.calls += 1;
        if self.plan.cut == Some(self.calls) {
            self.is_off = true;
        }
        let fails = self.plan.fails;
        let failing =
            fails == Some(self.calls) || self.plan.for_good && fails.is_some_and(|at| at < self.calls);
        if self.is_off || failing { Err(Error::other("the disk failed")) } else { Ok(()) }
    }

    fn change(&mut self, name: &str, change: Change) -> Result<()> {
        let went = self.call();
        if self.is_off && self.plan.cut != Some(self.calls) || went.is_err() && !self.is_off {
            return went;
        }
        let taken: usize = self.files.values().map(|file| file.now.len()).sum();
        let Some(file) = self.files.get_mut(name) else { return Err(ErrorKind::NotFound.into()) };
        let end = match &change {
            Change::Write(at, bytes) => at + bytes.len(),
            Change::Length(length) => *length,
        };
        let more = end.saturating_sub(file.now.len());
        if self.plan.room.is_some_and(|room| taken + more > room) && more > 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        self.written += 1;
        change.apply(&mut file.now);
        file.unsynced.push((self.written, change));
        // The write under way when the power goes may be the one that is torn.
        went
    }

    fn sync(&mut self, name: &str) -> Result<()> {
        let went = self.call();
        let Some(file) = self.files.get_mut(name) else { return Err(ErrorKind::NotFound.into()) };
        if self.is_off {
            return went;
        }
        if went.is_ok() {
            file.unsynced.iter().for_each(|(_, change)| change.apply(&mut file.synced));
            file.exists = true;
            // As journalling file systems do it: what was done to a folder before is done then as well.
            self.deleted.clear();
        }
        file.unsynced.clear();
        went
    }
}

fn disks() -> MutexGuard<'static, BTreeMap<u64, Shared>> {
    static DISKS: Mutex<BTreeMap<u64, Shared>> = Mutex::new(BTreeMap::new());
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn disk(path: &str) -> Result<Shared> {
    let number = path.split('/').nth(1).and_then(|number| number.parse().ok());
    number.and_then(|number: u64| disks().get(&number).cloned()).ok_or_else(|| ErrorKind::NotFound.into())
}

impl Drop for Disk {
    fn drop(&mut self) {
        disks().remove(&self.number);
    }
}

//! The thread that has the data base. Requests go to it in order, answers come back in that order, and
//! it looks after the file when it is asked for nothing. A node has one save on its way at a time, so
//! what gathers meanwhile is the next transaction.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::db::Db;
use super::error::OpenError;
use super::folder::Folder;
use crate::id::{LoadId, SaveId};
use crate::limits;
use crate::node::record::{Answer, Query, Record, Snapshot};
use crate::rng::Seed;
use crate::store::Store;
use crate::why::StoreFault;

/// Keeps records in a folder.
pub struct Sqlite {
    seed: Seed,
    is_remote: bool,
    /// `None` once it is to end.
    requests: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
    answers: Arc<Answers>,
    /// What was asked and not answered, in that order.
    asked: VecDeque<Asked>,
}

/// Puts settings from anywhere in the program.
#[derive(Clone)]
pub struct Settings(SyncSender<Request>);

enum Request {
    Save(SaveId, Vec<Record>),
    LookUp(LoadId, Query),
    Load(SyncSender<Result<Snapshot, StoreFault>>),
    Settings(SyncSender<Result<Vec<(String, String)>, StoreFault>>),
    Put { key: String, value: String, done: SyncSender<Result<(), StoreFault>> },
    End,
}

enum Asked {
    Save(SaveId),
    LookUp(LoadId),
}

/// What is done and not taken.
#[derive(Default)]
struct Answers {
    done: Mutex<VecDeque<Answer>>,
    /// There will be no more.
    ended: AtomicBool,
}

/// The thread's end of that. Whoever waits is woken by each answer, and when the thread has ended.
struct Bell {
    answers: Arc<Answers>,
    wake: Box<dyn Fn() + Send>,
}

impl Sqlite {
    /// Opens the data base in `folder`, or makes both. `wake` is called after each answer, by another
    /// thread.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(folder: &Path, wake: Box<dyn Fn() + Send>) -> Result<Self, OpenError> {
        let held = Folder::take(folder)?;
        let db = held.open(Seed::from_os)?;
        let (seed, is_remote) = (db.identity(), held.is_remote());
        let answers = Arc::<Answers>::default();
        let (requests, asked) = sync_channel(limits::STORE_ASKED_MAX);
        let bell = Bell { answers: Arc::clone(&answers), wake };
        let serve = move || {
            serve(db, &asked, &bell);
            // In this order: nobody else may have the folder before the file is closed.
            drop(held);
            drop(bell);
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(serve);
        let thread = thread.map_err(|source| OpenError::Unusable { path: folder.to_owned(), source })?;
        let (requests, thread) = (Some(requests), Some(thread));
        Ok(Self { seed, is_remote, requests, thread, answers, asked: VecDeque::new() })
    }

    /// What our keys follow from: made when the folder was, and the same ever since.
    pub fn identity(&self) -> Seed {
        self.seed
    }

    /// Whether the folder is on another machine, on whose word for what is safe nobody should rely.
    pub fn is_remote(&self) -> bool {
        self.is_remote
    }

    /// What was put by [`Settings::put`], by key.
    ///
    /// # Errors
    /// The disk does not give it back.
    pub fn settings(&self) -> Result<Vec<(String, String)>, StoreFault> {
        self.wait_for(Request::Settings)
    }

    /// A way to put settings while the store is in other hands.
    pub fn settings_handle(&self) -> Option<Settings> {
        self.requests.clone().map(Settings)
    }

    fn ask(&self, request: Request) -> Result<(), StoreFault> {
        let requests = self.requests.as_ref().ok_or(StoreFault::Broken)?;
        requests.send(request).map_err(|_| StoreFault::Broken)
    }

    fn wait_for<T>(
        &self,
        request: impl FnOnce(SyncSender<Result<T, StoreFault>>) -> Request,
    ) -> Result<T, StoreFault> {
        let (answer, answered) = sync_channel(1);
        self.ask(request(answer))?;
        answered.recv().unwrap_or(Err(StoreFault::Broken))
    }
}

impl Settings {
    /// Keeps `value` under `key` in place of what was there, and waits until that is safe.
    ///
    /// # Errors
    /// It was not kept.
    pub fn put(&self, key: &str, value: &str) -> Result<(), StoreFault> {
        let (done, answered) = sync_channel(1);
        let request = Request::Put { key: key.into(), value: value.into(), done };
        self.0.send(request).map_err(|_| StoreFault::Broken)?;
        answered.recv().unwrap_or(Err(StoreFault::Broken))
    }
}

impl Store for Sqlite {
    fn load(&mut self) -> Snapshot {
        // What cannot be read says so again at the first save.
        self.wait_for(Request::Load).unwrap_or_default()
    }

    fn save(&mut self, save: SaveId, records: Vec<Record>) {
        self.asked.push_back(Asked::Save(save));
        // If it has ended, `answer` finds that out.
        let _ended = self.ask(Request::Save(save, records));
    }

    fn look_up(&mut self, load: LoadId, query: Query) {
        self.asked.push_back(Asked::LookUp(load));
        let _ended = self.ask(Request::LookUp(load, query));
    }

    fn answer(&mut self) -> Option<Answer> {
        if self.asked.is_empty() {
            return None;
        }
        // Whether it has ended is looked at first: all that it ever answered is there then.
        let has_ended = self.answers.ended.load(Ordering::Acquire);
        let answer = self.answers.lock().pop_front();
        let asked = match (&answer, has_ended) {
            (None, false) => return None,
            _ => self.asked.pop_front(),
        };
        answer.or_else(|| {
            let (records, fault) = (Vec::new(), StoreFault::Broken);
            Some(match asked? {
                Asked::Save(save) => Answer::Unsaved { save, records, fault },
                Asked::LookUp(load) => Answer::Found { load, rows: Err(fault) },
            })
        })
    }

    fn is_busy(&self) -> bool {
        !self.asked.is_empty()
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let _ended = self.ask(Request::End);
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    fn answer(&self, answer: Answer) {
        self.answers.lock().push_back(answer);
        (self.wake)();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.answers.ended.store(true, Ordering::Release);
        (self.wake)();
    }
}

/// Obeys until it is to end.
fn serve(mut db: Db, requests: &Receiver<Request>, bell: &Bell) {
    let (mut unindexed, mut patience) = (true, limits::STORE_IDLE);
    loop {
        let request = match requests.recv_timeout(patience) {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) if unindexed => {
                // A fault here is one of the next save as well, and that has somebody to tell.
                unindexed = db.index(limits::STORE_INDEX_BATCH).unwrap_or(false);
                let _fault = db.tidy();
                patience = Duration::ZERO;
                continue;
            }
            Err(RecvTimeoutError::Timeout) => match requests.recv() {
                Ok(request) => request,
                Err(_) => return,
            },
            Err(RecvTimeoutError::Disconnected) => return,
        };
        patience = limits::STORE_IDLE;
        match request {
            Request::Save(save, records) => {
                bell.answer(match db.apply(&records) {
                    Ok(known) => Answer::Saved { save, known },
                    Err(fault) => Answer::Unsaved { save, records, fault },
                });
                unindexed = true;
                let _fault = db.tidy();
            }
            Request::LookUp(load, query) => bell.answer(Answer::Found { load, rows: db.rows(&query) }),
            // Whoever asked and is gone needs no answer.
            Request::Load(to) => drop(to.send(db.snapshot())),
            Request::Settings(to) => drop(to.send(db.settings())),
            Request::Put { key, value, done } => drop(done.send(db.put_setting(&key, &value))),
            Request::End => return,
        }
    }
}

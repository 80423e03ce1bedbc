//! Who is ready. Each stream and listener has a waker that puts its token on one list and wakes the
//! one task there is; nothing is polled that was not woken. Also the bell for other threads.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::time::Mono;

/// A stream's or listener's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(pub(super) usize);

/// Tokens that are ready, and whom to wake.
pub(super) struct Ready {
    list: Mutex<List>,
    bell: AtomicBool,
}

#[derive(Default)]
struct List {
    tokens: Vec<Token>,
    /// One bit a token: it is on the list already.
    listed: Vec<bool>,
    main: Option<Waker>,
}

struct TokenWaker {
    token: Token,
    ready: Arc<Ready>,
}

impl Ready {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { list: Mutex::default(), bell: AtomicBool::new(false) })
    }

    /// A waker that makes `token` ready.
    pub(super) fn waker(self: &Arc<Self>, token: Token) -> Waker {
        Waker::from(Arc::new(TokenWaker { token, ready: Arc::clone(self) }))
    }

    /// Makes `token` ready, from the thread that will see to it.
    pub(super) fn push(&self, token: Token) {
        self.lock().add(token);
    }

    /// Takes everything that is ready.
    pub(super) fn take(&self, into: &mut Vec<Token>) {
        let mut list = self.lock();
        std::mem::swap(&mut list.tokens, into);
        for token in into.iter() {
            list.listed[token.0] = false;
        }
    }

    pub(super) fn set_main(&self, waker: &Waker) {
        let mut list = self.lock();
        if !list.main.as_ref().is_some_and(|main| main.will_wake(waker)) {
            list.main = Some(waker.clone());
        }
    }

    pub(super) fn take_bell(&self) -> bool {
        self.bell.load(Ordering::Relaxed) && self.bell.swap(false, Ordering::AcqRel)
    }

    /// Ends the wait under way, or the next one; from any thread.
    pub(super) fn ring(&self) {
        self.bell.store(true, Ordering::Release);
        self.wake();
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        let main = self.lock().main.clone();
        if let Some(main) = main {
            main.wake();
        }
    }
}

impl List {
    fn add(&mut self, token: Token) {
        if self.listed.len() <= token.0 {
            self.listed.resize(token.0 + 1, false);
        }
        if !std::mem::replace(&mut self.listed[token.0], true) {
            self.tokens.push(token);
        }
    }
}

impl Wake for TokenWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let main = {
            let mut list = self.ready.lock();
            list.add(self.token);
            list.main.clone()
        };
        if let Some(main) = main {
            main.wake();
        }
    }
}

/// The one timer. It is set anew only for an earlier time: one that goes off too early costs a look
/// around, setting it at every wait costs more.
#[derive(Default)]
pub(super) struct Alarm {
    timer: Option<async_io::Timer>,
    set: Option<Mono>,
}

impl Alarm {
    /// Whether it has gone off; otherwise it will wake `cx` by `due`, which is in `left`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, left: Duration, due: Mono) -> bool {
        let timer = self.timer.get_or_insert_with(async_io::Timer::never);
        if self.set.is_none_or(|set| due < set) {
            timer.set_after(left);
            self.set = Some(due);
        }
        match Pin::new(timer).poll(cx) {
            Poll::Ready(_) => {
                self.set = None;
                true
            }
            Poll::Pending => false,
        }
    }
}

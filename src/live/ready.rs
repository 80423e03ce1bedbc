//! Who is ready: the system's word for it, gathered on one list of tokens, and nothing is looked at
//! that is not on it. The system says once that something has become ready (edge-triggered), so
//! waiting costs one call however many streams there are. Also the bell for other threads.

use mio::{Events, Interest, Poll, Registry};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

/// A stream's or listener's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Token(pub(super) usize);

/// What the system says of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signs {
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The other side has ended its half, so reading goes on until that is seen.
    pub(super) ended: bool,
}

/// Tokens that are ready, and what makes them so.
pub(super) struct Ready {
    poll: Poll,
    events: Events,
    list: List,
    outside: Arc<Outside>,
}

#[derive(Default)]
struct List {
    tokens: Vec<Token>,
    /// Whether a token is on the list already.
    listed: Vec<bool>,
}

/// What other threads may reach.
pub(super) struct Outside {
    waker: mio::Waker,
    bell: AtomicBool,
    tokens: Mutex<Vec<Token>>,
}

struct TokenWaker {
    token: Token,
    outside: Arc<Outside>,
}

/// What wakes us for no stream's sake.
const OUTSIDE: mio::Token = mio::Token(usize::MAX);
/// Streams that the system names in one answer; the rest comes with the next.
const EVENTS: usize = 1_024;

impl Ready {
    pub(super) fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), OUTSIDE)?;
        let (bell, tokens, list) = Default::default();
        let outside = Arc::new(Outside { waker, bell, tokens });
        Ok(Self { poll, events: Events::with_capacity(EVENTS), list, outside })
    }

    /// From now on `source` becomes ready under this token, until it is dropped.
    pub(super) fn watch(&self, source: &mut impl mio::event::Source, token: Token) -> io::Result<()> {
        let registry: &Registry = self.poll.registry();
        registry.register(source, mio::Token(token.0), Interest::READABLE | Interest::WRITABLE)
    }

    /// A waker that makes `token` ready, for a future that another thread completes.
    pub(super) fn waker(&self, token: Token) -> Waker {
        Waker::from(Arc::new(TokenWaker { token, outside: Arc::clone(&self.outside) }))
    }

    /// What ends a wait from any thread.
    pub(super) fn outside(&self) -> Arc<Outside> {
        Arc::clone(&self.outside)
    }

    /// Makes `token` ready.
    pub(super) fn push(&mut self, token: Token) {
        self.list.push(token);
    }

    /// Whether anything is ready.
    pub(super) fn any(&self) -> bool {
        !self.list.tokens.is_empty()
    }

    /// Takes everything that is ready.
    pub(super) fn take(&mut self, into: &mut Vec<Token>) {
        std::mem::swap(&mut self.list.tokens, into);
        for token in into.iter() {
            self.list.listed[token.0] = false;
        }
    }

    /// Waits until something becomes ready, at most for `patience`, and tells what the system says.
    pub(super) fn wait(&mut self, patience: Duration, mut tell: impl FnMut(Token, Signs)) {
        // A signal may interrupt it, and then there is nothing to tell.
        let _ = self.poll.poll(&mut self.events, Some(patience));
        for event in &self.events {
            if event.token() == OUTSIDE {
                self.outside.lock().drain(..).for_each(|token| self.list.push(token));
                continue;
            }
            let token = Token(event.token().0);
            let signs = Signs {
                readable: event.is_readable() || event.is_error(),
                writable: event.is_writable() || event.is_error(),
                ended: event.is_read_closed() || event.is_error(),
            };
            tell(token, signs);
            self.list.push(token);
        }
    }

    /// Whether somebody has rung since this was last asked.
    pub(super) fn take_bell(&self) -> bool {
        self.outside.bell.load(Ordering::Relaxed) && self.outside.bell.swap(false, Ordering::AcqRel)
    }
}

impl List {
    fn push(&mut self, token: Token) {
        if self.listed.len() <= token.0 {
            self.listed.resize(token.0 + 1, false);
        }
        if !std::mem::replace(&mut self.listed[token.0], true) {
            self.tokens.push(token);
        }
    }
}

impl Outside {
    /// Ends the wait under way, or the next one.
    pub(super) fn ring(&self) {
        self.bell.store(true, Ordering::Release);
        self.wake();
    }

    /// Lets the wait under way, or the next one, look whether there is anything to do.
    pub(super) fn wake(&self) {
        // It fails only when the system has no memory for eight bytes.
        let _ = self.waker.wake();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Token>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for TokenWaker {
    fn wake(self: Arc<Self>) {
        self.outside.lock().push(self.token);
        self.outside.wake();
    }
}

//! What the main thread and the editor's thread know of each other: facts that the main thread keeps
//! current and the editor reads at each keystroke, and how far the typed lines have been obeyed.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::shell::printer::Screen;

/// See the module.
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Where the prompt is drawn from these facts.
    screen: OnceLock<Arc<Screen>>,
}

struct State {
    facts: Facts,
    leaving: bool,
    /// Lines that the editor has sent, and how many of them had their effect.
    typed: u64,
    obeyed: u64,
}

/// What completion, hints and the prompt are made from.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Our own name.
    pub me: String,
    /// Names of peers that can be written to.
    pub peers: Vec<String>,
    /// Addresses seen.
    pub addresses: Vec<String>,
    /// Whoever gets every line that is typed, while that is so. The editor clears it when the chat
    /// is left.
    pub chat: Option<String>,
    /// How many peers are connected.
    pub connected: usize,
    /// Who wrote last: offered first.
    pub speaker: Option<String>,
    /// Whether to write in colour.
    pub color: bool,
}

impl Shared {
    /// Nobody is there yet.
    pub fn new(me: &str, color: bool) -> Arc<Self> {
        let facts = Facts { me: me.to_owned(), color, ..Facts::default() };
        let state = State { facts, leaving: false, typed: 0, obeyed: 0 };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), screen: OnceLock::new() })
    }

    /// Changes the facts. The prompt follows at once where it shows them.
    pub fn update(&self, change: impl FnOnce(&mut Facts)) {
        let mut state = self.lock();
        let shown = |facts: &Facts| (facts.connected, facts.color);
        let before = shown(&state.facts);
        change(&mut state.facts);
        let is_stale = shown(&state.facts) != before;
        drop(state);
        if let Some(screen) = self.screen.get().filter(|_| is_stale) {
            screen.touch();
        }
    }

    /// These facts are drawn on `screen`.
    pub(super) fn draw_on(&self, screen: &Arc<Screen>) {
        let _ = self.screen.set(Arc::clone(screen));
    }

    /// Looks at the facts.
    pub fn read<T>(&self, look: impl FnOnce(&Facts) -> T) -> T {
        look(&self.lock().facts)
    }

    /// The line taken last has had its immediate effect: the facts are current, and what it prints at
    /// once was handed to the printer. The prompt comes back.
    pub fn obeyed(&self) {
        let mut state = self.lock();
        state.obeyed = state.typed;
        self.changed.notify_all();
    }

    /// A line is about to be sent; its number.
    pub(super) fn typed(&self) -> u64 {
        let mut state = self.lock();
        state.typed += 1;
        state.typed
    }

    /// Waits until line `number` was obeyed, but not for ever.
    pub(super) fn await_obeyed(&self, number: u64, patience: Duration) {
        let waits = |state: &mut State| state.obeyed < number && !state.leaving;
        let _ = self.changed.wait_timeout_while(self.lock(), patience, waits);
    }

    /// The editor is to end.
    pub(super) fn leave(&self) {
        self.lock().leaving = true;
        self.changed.notify_all();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.lock().leaving
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Lines on their way to the screen. Whoever prints only queues, and never waits; a full queue counts
//! what it leaves out and says so in its place. While a line is being edited, the editor's thread
//! takes what waits at its next repaint and draws it above the prompt in the same write, so nothing
//! can be torn, lost or overtaken; the thread here only rings for that repaint. Otherwise it writes
//! by itself.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::limits::{SCREEN_BATCH_BYTES, SCREEN_BATCH_MAX, SCREEN_BYTES_MAX, SCREEN_LINES_MAX, SCREEN_PAUSE};

/// Prints lines. Cheap to clone; the last clone waits a moment until all is out.
#[derive(Clone)]
pub struct Printer(Arc<Open>);

/// The queue, and who may write.
pub(super) struct Screen {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while writing other than by the editor, who waits for it before drawing a prompt.
    pen: Mutex<Box<dyn Write + Send>>,
}

/// Makes the editor repaint, soon. May wait for it.
pub(super) type Ring = Box<dyn FnMut() + Send>;

struct State {
    entries: VecDeque<Entry>,
    lines: usize,
    bytes: usize,
    stage: Stage,
    /// What the prompt is made from has changed.
    stale: bool,
    writing: bool,
    closed: bool,
    /// How many threads write here.
    threads: usize,
}

enum Entry {
    Line(String),
    Omitted(u64),
}

/// Who has the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody: the thread here may write.
    Idle,
    /// The editor, but it has not drawn its prompt yet; when it does, it takes what waits.
    Starting,
    /// The editor, and it repaints when rung for.
    Editing,
    /// Nobody, and no editor comes back.
    Over,
}

/// Closes the screen with the last printer.
struct Open(Arc<Screen>);

/// How long the last printer waits for a terminal that takes nothing.
const CLOSING: Duration = Duration::from_millis(500);

impl Printer {
    /// One for a terminal without an editor: every line is written as it is.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn plain() -> io::Result<Self> {
        let printer = Self::start(Box::new(io::stdout()), None)?;
        printer.0.0.end();
        Ok(printer)
    }

    /// One that writes to `out` while nobody edits, and calls `ring` while somebody does.
    pub(super) fn start(out: Box<dyn Write + Send>, ring: Option<Ring>) -> io::Result<Self> {
        let state = State {
            entries: VecDeque::new(),
            lines: 0,
            bytes: 0,
            stage: Stage::Idle,
            stale: false,
            writing: false,
            closed: false,
            threads: 0,
        };
        let screen =
            Arc::new(Screen { state: Mutex::new(state), changed: Condvar::new(), pen: Mutex::new(out) });
        screen.spawn(ring)?;
        Ok(Self(Arc::new(Open(screen))))
    }

    /// Queues `text`, a line or several. What is not ours must have been made harmless before.
    pub fn print(&self, text: String) {
        self.0.0.push(text);
    }

    /// Waits until all is out; whether it was before `patience` ended.
    pub fn flush(&self, patience: Duration) -> bool {
        self.0.0.flush(patience)
    }

    pub(super) fn screen(&self) -> &Arc<Screen> {
        &self.0.0
    }
}

impl Screen {
    /// The editor is about to draw its prompt. Waits for whoever writes.
    pub(super) fn begin(&self) {
        let pen = self.pen.lock();
        self.set(Stage::Starting);
        drop(pen);
    }

    /// What the editor must draw above its prompt, now; it may be empty.
    pub(super) fn draw(&self) -> String {
        let mut state = self.lock();
        if state.stage == Stage::Starting {
            state.stage = Stage::Editing;
        }
        state.stale = false;
        let batch = state.take();
        drop(state);
        self.changed.notify_all();
        batch
    }

    /// The prompt, if there is one, is to be drawn anew.
    pub(super) fn touch(&self) {
        self.lock().stale = true;
        self.changed.notify_all();
    }

    /// The editor has finished a line.
    pub(super) fn idle(&self) {
        self.set(Stage::Idle);
    }

    /// The editor will not come back.
    pub(super) fn end(&self) {
        self.set(Stage::Over);
    }

    /// Another thread, in case the first waits for an editor that hangs.
    pub(super) fn spawn(self: &Arc<Self>, ring: Option<Ring>) -> io::Result<()> {
        let screen = Arc::clone(self);
        self.lock().threads += 1;
        let run = move || {
            screen.run(ring);
            screen.lock().threads -= 1;
            screen.changed.notify_all();
        };
        let spawned = thread::Builder::new().name("printer".into()).spawn(run);
        if spawned.is_err() {
            self.lock().threads -= 1;
        }
        spawned.map(drop)
    }

    fn run(&self, mut ring: Option<Ring>) {
        while self.wait_for_work() {
            // The pen first: an editor that begins now waits until this batch is out.
            let mut pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
            let mut state = self.lock();
            match state.stage {
                Stage::Idle | Stage::Over => {
                    let batch = state.take();
                    (state.writing, state.stale) = (true, false);
                    drop(state);
                    // There is nobody to tell that the screen is gone.
                    let _ = pen.write_all(batch.as_bytes()).and_then(|()| pen.flush());
                    drop(pen);
                    self.lock().writing = false;
                    self.changed.notify_all();
                }
                Stage::Starting => {}
                Stage::Editing => {
                    drop(state);
                    drop(pen);
                    if let Some(ring) = &mut ring {
                        ring();
                    }
                }
            }
            thread::sleep(SCREEN_PAUSE);
        }
    }

    /// Whether there is any; otherwise the screen is closed.
    fn wait_for_work(&self) -> bool {
        let idle = |state: &mut State| state.entries.is_empty() && !state.stale && !state.closed;
        let state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        !state.entries.is_empty() || (state.stale && !state.closed)
    }

    fn push(&self, text: String) {
        let mut state = self.lock();
        let text = text.strip_suffix('\n').unwrap_or(&text);
        for line in text.split('\n') {
            state.push(line.to_owned());
        }
        drop(state);
        self.changed.notify_all();
    }

    fn flush(&self, patience: Duration) -> bool {
        let waits = |state: &mut State| state.writing || !state.entries.is_empty();
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, waits)
            .unwrap_or_else(PoisonError::into_inner);
        state.entries.is_empty() && !state.writing
    }

    fn set(&self, stage: Stage) {
        let mut state = self.lock();
        // An editor that was given up may still come along.
        if state.stage != Stage::Over {
            state.stage = stage;
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, line: String) {
        let fits = self.lines < SCREEN_LINES_MAX && self.bytes + line.len() <= SCREEN_BYTES_MAX;
        match self.entries.back_mut() {
            _ if fits => {
                self.lines += 1;
                self.bytes += line.len();
                self.entries.push_back(Entry::Line(line));
            }
            Some(Entry::Omitted(count)) => *count += 1,
            Some(Entry::Line(_)) | None => self.entries.push_back(Entry::Omitted(1)),
        }
    }

    /// As many lines as the screen should get at once, each with its end.
    fn take(&mut self) -> String {
        let mut batch = String::new();
        for _ in 0..SCREEN_BATCH_MAX {
            match self.entries.pop_front() {
                None => break,
                Some(Entry::Omitted(1)) => batch += "* 1 line omitted",
                Some(Entry::Omitted(count)) => batch += &format!("* {count} lines omitted"),
                Some(Entry::Line(line)) => {
                    self.lines -= 1;
                    self.bytes -= line.len();
                    batch += &line;
                }
            }
            batch.push('\n');
            if batch.len() >= SCREEN_BATCH_BYTES {
                break;
            }
        }
        batch
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        self.0.changed.notify_all();
        let waits = |state: &mut State| state.threads > 0 && state.stage != Stage::Editing;
        let _ = self.0.changed.wait_timeout_while(state, CLOSING, waits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A screen that a test can read, and a ring that it hears.
    struct Heard(Sender<Vec<u8>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const SOON: Duration = Duration::from_secs(20);

    fn printer() -> (Printer, Receiver<Vec<u8>>, Receiver<()>) {
        let (out, written) = channel();
        let (bell, rung) = channel();
        let ring = move || bell.send(()).expect("the test listens");
        let printer = Printer::start(Box::new(Heard(out)), Some(Box::new(ring))).expect("a thread");
        (printer, written, rung)
    }

    fn all(written: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(written.try_iter().flatten().collect()).expect("UTF-8")
    }

    #[test]
    fn nothing_is_lost_whoever_has_the_terminal() {
        let (printer, written, rung) = printer();
        let screen = Arc::clone(printer.screen());
        let mut drawn = String::new();
        for n in 0..3_000 {
            printer.print(n.to_string());
            match n {
                1_000 => {
                    screen.begin();
                    drawn = all(&written);
                    drawn += &screen.draw();
                }
                2_000 => {
                    // It rings while somebody edits, and never writes itself.
                    rung.recv_timeout(SOON).expect("a ring");
                    drawn += &screen.draw();
                    screen.idle();
                }
                _ => {}
            }
        }
        screen.end();
        assert!(printer.flush(SOON));
        drop(printer);
        drawn += &all(&written);
        let expected: String = (0..3_000).map(|n| format!("{n}\n")).collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn what_does_not_fit_is_counted_in_its_place() {
        let (printer, written, _rung) = printer();
        let screen = Arc::clone(printer.screen());
        screen.begin();
        for n in 0..SCREEN_LINES_MAX + 7 {
            printer.print(n.to_string());
        }
        let mut drawn = screen.draw();
        assert_eq!(drawn.lines().count(), SCREEN_BATCH_MAX);
        printer.print("later".into());
        screen.end();
        assert!(printer.flush(SOON));
        drop(printer);
        drawn += &all(&written);
        let lines = Vec::from_iter(drawn.lines());
        assert_eq!(lines.len(), SCREEN_LINES_MAX + 2);
        assert_eq!(lines[SCREEN_LINES_MAX - 1..], ["9999", "* 7 lines omitted", "later"]);
    }

    #[test]
    fn lines_are_bounded_in_bytes_too_and_may_be_empty() {
        let (printer, _written, _rung) = printer();
        let screen = printer.screen();
        screen.begin();
        printer.print("a\n\nb\n".into());
        printer.print(String::new());
        assert_eq!(screen.draw(), "a\n\nb\n\n");
        let long = "x".repeat(SCREEN_BATCH_BYTES);
        for _ in 0..2 * SCREEN_BYTES_MAX / SCREEN_BATCH_BYTES {
            printer.print(long.clone());
        }
        assert!(screen.lock().bytes <= SCREEN_BYTES_MAX);
        assert_eq!(screen.draw().len(), SCREEN_BATCH_BYTES + 1);
        screen.end();
    }
}

//! The thread that edits lines. It turns keystrokes into finished lines and decides nothing else: what
//! is missing from a line is asked for, a paste of several lines is asked about, the menu is shown,
//! and then the main thread gets a line and is given a moment to obey it.

use std::io::{self, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustyline::error::ReadlineError;
use rustyline::{ColorMode, CompletionType, Config, ExternalPrinter};

use crate::api::action::Action;
use crate::api::command::Command;
use crate::api::grammar::{Content, Mode, answer, parse};
use crate::api::verb::Kind;
use crate::limits::{EDITOR_STOP, PROMPT_PATIENCE};
use crate::session::Bell;
use crate::shell::guide::{Asked, Guide};
use crate::shell::history::History;
use crate::shell::menu;
use crate::shell::paste;
use crate::shell::printer::{Printer, Ring};
use crate::shell::shared::Shared;
use crate::shell::signals::Own;
use crate::shell::terminal;

/// What the person at the terminal did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line: a command that may be wrong, or, while the facts name a chat, what is to be said; then
    /// `/end` means that the chat was left.
    Line(String),
    /// Ctrl-C: what was being typed is gone.
    Cancel,
    /// Ctrl-D on an empty line, outside of a chat; nothing more is read.
    Eof,
    /// The terminal is gone or the editor broke; nothing more is read.
    Gone,
}

/// Why there is no editor. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It is none, or a dumb one: read plain lines, and write with [`Printer::plain`].
    #[error("lines cannot be edited on this terminal")]
    NoTerminal,
    /// The system refuses.
    #[error("the line editor cannot start: {0}")]
    Io(#[from] io::Error),
}

/// The running editor.
pub struct Editor {
    shared: Arc<Shared>,
    printer: Printer,
    /// Hangs up when the thread has ended.
    ended: Receiver<()>,
}

type Rustyline = rustyline::Editor<Guide, History>;

/// The editor's own side.
struct Seat {
    lines: Rustyline,
    shared: Arc<Shared>,
    printer: Printer,
    out: Outbox,
}

/// Where typed lines go. However the thread ends, the main thread hears of it.
struct Outbox {
    typed: Sender<Typed>,
    bell: Bell,
    printer: Printer,
    _ended: Sender<()>,
}

/// How reading one line ended.
enum Read {
    Line(String),
    Cancel,
    Eof,
    /// The main thread wants us to end.
    Leave,
    Gone,
}

/// Whether the editor goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Line,
    End,
}

/// A lone Esc is taken for itself after this long; rustyline would wait for the next key, and show no
/// output until then.
const ESC_MS: u16 = 100;
/// Between two attempts to end the editor.
const AGAIN: Duration = Duration::from_millis(20);

impl Editor {
    /// Starts editing. Each [`Typed`] is sent and the bell rung. Lines are remembered in `history`.
    /// Signals must be watched before: rustyline puts its own handlers over what it finds.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(
        shared: Arc<Shared>,
        bell: Bell,
        typed: Sender<Typed>,
        history: Option<PathBuf>,
    ) -> Result<(Self, Printer), StartError> {
        let (past, trouble) = match history.map(History::open) {
            None => (History::default(), None),
            Some(Ok(past)) => (past, None),
            Some(Err(error)) => (History::default(), Some(error)),
        };
        let mut lines = Rustyline::with_history(config(), past).map_err(broken)?;
        let mut rings = lines.create_external_printer().map_err(|_| StartError::NoTerminal)?;
        // An empty text: while a line is edited it means a repaint, otherwise nothing.
        let ring: Ring = Box::new(move || drop(rings.print(String::new())));
        let printer = Printer::start(Box::new(stdout()), Some(ring))?;
        shared.draw_on(printer.screen());
        lines.set_helper(Some(Guide::new(Arc::clone(&shared), Arc::clone(printer.screen()))));
        if let Some(error) = trouble {
            printer.print(format!("* what is typed is not remembered: {error}"));
        }
        let (alive, ended) = channel();
        let out = Outbox { typed, bell, printer: printer.clone(), _ended: alive };
        terminal::take().map_err(|_| StartError::NoTerminal)?;
        let mut seat = Seat { lines, shared: Arc::clone(&shared), printer: printer.clone(), out };
        thread::Builder::new().name("editor".into()).spawn(move || seat.run())?;
        Ok((Self { shared, printer: printer.clone(), ended }, printer))
    }

    /// Ends the editor, whatever it is doing; the half-typed line is dropped, the terminal is as it
    /// was. From here on lines are printed without a prompt.
    pub fn stop(self) {
        self.shared.leave();
        let own = Own::new();
        for _ in 0..EDITOR_STOP.as_millis() / AGAIN.as_millis() {
            // Rustyline takes it for Ctrl-C; between two lines nobody does, hence again.
            own.interrupt();
            if self.ended.recv_timeout(AGAIN) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
        // It hangs: in a search, which no signal ends, or in a write that the terminal does not take.
        let screen = self.printer.screen();
        screen.end();
        let _ = screen.spawn(None);
        terminal::put_right();
    }
}

fn config() -> Config {
    Config::builder()
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .keyseq_timeout(Some(ESC_MS))
        // The guide is always asked, and itself decides about colour.
        .color_mode(ColorMode::Forced)
        .build()
}

fn broken(error: ReadlineError) -> StartError {
    match error {
        ReadlineError::Io(error) => StartError::Io(error),
        other => StartError::Io(io::Error::other(other.to_string())),
    }
}

impl Seat {
    fn run(&mut self) {
        loop {
            let is_chat = self.shared.read(|facts| facts.chat.is_some());
            let next = match self.read(if is_chat { Asked::Chat } else { Asked::Command }, None) {
                Read::Line(text) => self.take(&text, is_chat),
                Read::Cancel => self.out.send(Typed::Cancel),
                Read::Eof if is_chat => self.end_chat(),
                Read::Eof => {
                    self.out.send(Typed::Eof);
                    Next::End
                }
                Read::Leave => Next::End,
                Read::Gone => {
                    self.out.send(Typed::Gone);
                    Next::End
                }
            };
            if next == Next::End {
                return;
            }
        }
    }

    /// Reads one line, with a prompt of its own kind unless a question is given.
    fn read(&mut self, asked: Asked, question: Option<&str>) -> Read {
        if self.shared.is_leaving() {
            return Read::Leave;
        }
        let Some(guide) = self.lines.helper() else {
            return Read::Gone;
        };
        let prompt = guide.begin(asked);
        self.printer.screen().begin();
        let read = self.lines.readline(question.unwrap_or(&prompt));
        self.printer.screen().idle();
        match read {
            _ if self.shared.is_leaving() => Read::Leave,
            Ok(line) => Read::Line(line),
            Err(ReadlineError::Interrupted) => Read::Cancel,
            // A terminal that hung up reads as if Ctrl-D were pressed.
            Err(ReadlineError::Eof) if terminal::is_there() => Read::Eof,
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                self.printer.print("* a key that is not UTF-8 was pressed; the line is dropped".into());
                Read::Cancel
            }
            Err(_) => Read::Gone,
        }
    }

    /// Takes what was typed or pasted.
    fn take(&mut self, text: &str, is_chat: bool) -> Next {
        let lines = paste::lines(text, is_chat, &mut |question| self.question(question, None));
        for line in lines {
            let next = if is_chat { self.say(line) } else { self.command(line) };
            if next == Next::End {
                return Next::End;
            }
        }
        Next::Line
    }

    fn say(&mut self, line: String) -> Next {
        if line.trim() == "/end" {
            return self.end_chat();
        }
        self.remember(&line);
        self.obey(line)
    }

    fn end_chat(&mut self) -> Next {
        self.shared.update(|facts| facts.chat = None);
        self.obey("/end".into())
    }

    /// Makes `line` whole, and does what only the editor can do.
    fn command(&mut self, mut line: String) -> Next {
        let read = loop {
            let read = parse(&line, Mode::Prompt);
            let Some(missing) = read.as_ref().err().and_then(|error| error.missing()) else {
                break read;
            };
            let (verb, argument) = missing;
            let (name, kind) = verb.arg(argument).map_or(("value", None), |arg| (arg.name, Some(arg.kind)));
            let given = self.question(&format!("{}: ", name.to_lowercase()), kind);
            match given.filter(|given| !given.trim().is_empty()) {
                Some(given) => line = answer(&line, missing, given.trim()),
                None => {
                    self.remember(&line);
                    self.printer.print(format!("* {}: given up", verb.name));
                    return Next::Line;
                }
            }
        };
        self.remember(&line);
        match read.map(|read| read.content) {
            Ok(Content::Empty | Content::Comment) => Next::Line,
            Ok(Content::Action(Action::Menu)) => match menu::run(self) {
                menu::Left::Menu => Next::Line,
                menu::Left::Program => Next::End,
            },
            Ok(Content::Action(Action::Clear)) => {
                self.printer.screen().begin();
                let _ = self.lines.clear_screen();
                self.printer.screen().idle();
                Next::Line
            }
            Ok(Content::Action(Action::Node(Command::Quit))) => {
                self.out.send(Typed::Line(line));
                Next::End
            }
            // What is wrong with it, the main thread says.
            Ok(Content::Action(_)) | Err(_) => self.obey(line),
        }
    }

    /// Hands `line` over and waits a moment, so that what it says at once stands before the prompt.
    fn obey(&mut self, line: String) -> Next {
        let number = self.shared.typed();
        let next = self.out.send(Typed::Line(line));
        self.shared.await_obeyed(number, PROMPT_PATIENCE);
        next
    }

    /// Puts a question; `None` when it is not answered.
    fn question(&mut self, question: &str, kind: Option<Kind>) -> Option<String> {
        match self.read(Asked::Answer(kind), Some(question)) {
            Read::Line(answer) => Some(answer),
            // Whatever ended the program ends the next reading too.
            Read::Cancel | Read::Eof | Read::Leave | Read::Gone => None,
        }
    }

    fn remember(&mut self, line: &str) {
        if let Err(error) = self.lines.add_history_entry(line) {
            self.printer.print(format!("* this line is not remembered: {error}"));
        }
    }
}

impl menu::Desk for Seat {
    fn show(&mut self, line: &str) {
        self.printer.print(line.to_owned());
    }

    fn ask(&mut self, question: &str, kind: Option<Kind>) -> Option<String> {
        self.question(question, kind)
    }

    fn act(&mut self, line: String) -> bool {
        self.obey(line) == Next::Line
    }
}

impl Outbox {
    fn send(&self, typed: Typed) -> Next {
        let sent = self.typed.send(typed);
        self.bell.ring();
        if sent.is_ok() { Next::Line } else { Next::End }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if thread::panicking() {
            self.send(Typed::Gone);
        }
        terminal::give_back();
        // Before the thread counts as ended: what is printed from now on goes straight out.
        self.printer.screen().end();
    }
}

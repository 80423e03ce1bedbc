//! The prompt: obeys what the editor's thread hands over, and keeps the facts current that it
//! completes and draws from.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, TryRecvError};

use crate::api::command::PeerRef;
use crate::api::error::LineError;
use crate::api::exit::Exit;
use crate::api::grammar::{Content, Mode, parse};
use crate::limits;
use crate::shell::batch::said;
use crate::shell::editor::Typed;
use crate::shell::failure::Failure;
use crate::shell::feed::{Fed, Feed};
use crate::shell::front::{Front, Manner};
use crate::shell::output::Sink;
use crate::shell::printer::Printer;
use crate::shell::shared::Shared;

/// Takes finished lines to the screen.
pub struct Screen(pub Printer);

impl Sink for Screen {
    fn lines(&mut self, text: &[u8]) {
        if !text.is_empty() {
            self.0.print(String::from_utf8_lossy(text).into_owned());
        }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }

    fn aside(&mut self, line: &str) {
        self.0.print(line.to_owned());
    }
}

/// What the editor has handed over and nobody has taken yet.
pub struct Desk {
    typed: Receiver<Typed>,
    ahead: RefCell<VecDeque<Typed>>,
}

impl Desk {
    /// Where the editor puts things down.
    pub fn new(typed: Receiver<Typed>) -> Self {
        Self { typed, ahead: RefCell::default() }
    }

    /// Whether Ctrl-C was pressed while a command was under way. What was typed ahead stays, but
    /// for what came before that.
    pub fn is_cancelled(&self) -> bool {
        let mut ahead = self.ahead.borrow_mut();
        ahead.extend(self.typed.try_iter());
        let cancelled = ahead.iter().rposition(|typed| matches!(typed, Typed::Cancel));
        match cancelled {
            Some(at) => {
                ahead.drain(..=at);
                true
            }
            None => ahead.iter().any(|typed| matches!(typed, Typed::Gone)),
        }
    }

    fn take(&self) -> Result<Typed, TryRecvError> {
        self.ahead.borrow_mut().pop_front().map_or_else(|| self.typed.try_recv(), Ok)
    }
}

/// Obeys until somebody leaves.
pub fn run(front: &mut Front<'_>, desk: &Desk, shared: &Shared) -> Exit {
    front.recollect();
    loop {
        facts(front, shared);
        match desk.take() {
            Ok(Typed::Line(line)) => {
                let ended = obey(front, &line);
                facts(front, shared);
                shared.obeyed();
                if ended {
                    return Exit::Done;
                }
            }
            Ok(Typed::Cancel) => front.interrupt(),
            Ok(Typed::Eof | Typed::Gone) | Err(TryRecvError::Disconnected) => return Exit::Done,
            Err(TryRecvError::Empty) => {
                front.pump();
                if front.is_interrupted() {
                    return Exit::Interrupted;
                }
                facts(front, shared);
                front.rest(limits::DURATION_MAX);
            }
        }
    }
}

/// The same on a terminal that can do nothing: lines are read as they come, without editing.
pub fn run_plain(front: &mut Front<'_>, feed: &mut Feed) -> Exit {
    loop {
        match feed.take() {
            Fed::Line(bytes) => {
                if obey(front, &String::from_utf8_lossy(&bytes)) {
                    return Exit::Done;
                }
            }
            Fed::TooLong => {
                front.complain(&LineError::TooLong(limits::LINE_MAX + 1).into());
                return Exit::Parse;
            }
            Fed::End => return Exit::Done,
            Fed::Later => match front.until(limits::DURATION_MAX, |_| feed.is_ready().then_some(())) {
                Ok(_) => {}
                Err(failure) => return failure.exit(),
            },
        }
    }
}

fn obey(front: &mut Front<'_>, line: &str) -> bool {
    let result = match front.chat.clone() {
        Some(_) if line.trim() == "/end" => {
            front.chat = None;
            Ok(false)
        }
        Some(to) => said(to, line).and_then(|action| match action {
            Some(action) => front.obey(action, 0, Manner::Prompt),
            None => Ok(false),
        }),
        None => parse(line, Mode::Prompt).map_err(Failure::from).and_then(|line| match line.content {
            Content::Action(action) => front.obey(action, 0, Manner::Prompt),
            Content::Empty | Content::Comment => Ok(false),
        }),
    };
    result.unwrap_or_else(|failure| {
        front.complain(&failure);
        false
    })
}

fn facts(front: &mut Front<'_>, shared: &Shared) {
    let color = front.out.look().is_some_and(|look| look.color);
    let me = front.me;
    shared.update(|facts| {
        facts.me = me.to_string();
        facts.color = color;
        facts.connected = front.present.len();
        let names = front.present.values().map(|(who, _)| who.name).chain(front.known.values().copied());
        facts.peers = names.take(2 * limits::COMPLETIONS_MAX).map(|name| name.to_string()).collect();
        facts.addresses = front.present.values().filter_map(|(_, at)| at.map(|at| at.to_string())).collect();
        facts.chat = front.chat.as_ref().map(PeerRef::to_string);
    });
}

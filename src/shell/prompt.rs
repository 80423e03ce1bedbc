//! The prompt: obeys what the editor's thread hands over, and keeps the facts current that it
//! completes and draws from.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

use crate::api::command::PeerRef;
use crate::api::grammar::{Content, Mode, parse};
use crate::limits;
use crate::shell::batch::said;
use crate::shell::editor::Typed;
use crate::shell::failure::{Exit, Failure};
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

    fn flush(&mut self) -> bool {
        true
    }

    fn aside(&mut self, line: &str) {
        self.0.print(line.to_owned());
    }
}

/// Obeys until somebody leaves.
pub fn run(front: &mut Front<'_>, typed: &Receiver<Typed>, shared: &Arc<Shared>) -> Exit {
    loop {
        facts(front, shared);
        match typed.try_recv() {
            Ok(Typed::Line(line)) => {
                let ended = obey(front, &line);
                facts(front, shared);
                shared.obeyed();
                if ended {
                    return Exit::Done;
                }
            }
            Ok(Typed::Cancel) => {}
            Ok(Typed::Eof) => return Exit::Done,
            Ok(Typed::Gone) | Err(TryRecvError::Disconnected) => return Exit::Done,
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
    shared.update(|facts| {
        facts.color = color;
        facts.connected = front.present.len();
        facts.peers = front.present.values().map(|(who, _)| who.name.to_string()).collect();
        facts.addresses = front.present.values().filter_map(|(_, at)| at.map(|at| at.to_string())).collect();
        facts.chat = front.chat.as_ref().map(PeerRef::to_string);
    });
}

//! Lines obeyed without a person: from `-c`, from a pipe, from a file. What is there as a whole is
//! read as a whole first, so that a line that is no command is found before anything is done. A
//! batch stops at its first failure.

use crate::api::action::Action;
use crate::api::command::{Command, PeerRef};
use crate::api::error::LineError;
use crate::api::grammar::{self, Content, Line, Mode, Outcome};
use crate::limits::{SOURCE_BYTES_MAX, SOURCE_DEPTH_MAX};
use crate::shell::failure::Failure;
use crate::shell::feed::{Fed, Feed};
use crate::shell::front::{Front, Manner};
use crate::text::{Body, BodyError};

/// Whether a batch ended by itself or was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// There were no more lines.
    Out,
    /// By `quit`.
    Quit,
}

/// A failure and the line that it is about.
pub type Stopped = (usize, Failure);

/// What some editors put before a text.
const BOM: &[u8] = b"\xef\xbb\xbf";
/// Lines that a pipe gives before the world is let run.
const STRIDE: usize = 64;

/// Obeys lines that are all there.
///
/// # Errors
/// The first that failed; when one is no command, none was obeyed.
pub fn run(front: &mut Front<'_>, lines: &[String]) -> Result<Ended, Stopped> {
    let mut chatting = front.chat.is_some();
    let mut read = Vec::new();
    for (at, text) in lines.iter().enumerate() {
        let line = read_line(text, &mut chatting).map_err(|error| (at + 1, error.into()))?;
        read.push(line);
    }
    for (at, line) in read.into_iter().enumerate() {
        if obey(front, line, at + 1).map_err(|failure| placed(failure, at + 1))? == Ended::Quit {
            return Ok(Ended::Quit);
        }
    }
    front.arrive().map_err(|failure| placed(failure, lines.len()))?;
    Ok(Ended::Out)
}

/// Obeys lines as they come, until there are no more.
///
/// # Errors
/// The first that failed.
pub fn run_feed(front: &mut Front<'_>, feed: &mut Feed) -> Result<Ended, Stopped> {
    let mut chatting = false;
    let mut number = 0;
    loop {
        match feed.take() {
            Fed::Line(bytes) => {
                number += 1;
                let bytes = if number == 1 { bytes.strip_prefix(BOM).unwrap_or(&bytes) } else { &bytes };
                let ended = std::str::from_utf8(bytes)
                    .map_err(|_| Failure::NotText)
                    .and_then(|text| Ok(read_line(text, &mut chatting)?))
                    .and_then(|line| obey(front, line, number))
                    .map_err(|failure| placed(failure, number))?;
                if ended == Ended::Quit {
                    return Ok(Ended::Quit);
                }
                if number.is_multiple_of(STRIDE) {
                    front.glance();
                    front.check()?;
                }
            }
            Fed::TooLong => return Err((number + 1, LineError::TooLong(crate::limits::LINE_MAX + 1).into())),
            Fed::Later => {
                // Whatever ends the wait, the feed is asked again.
                let more = front.until(crate::limits::FIRST_BYTE, |front| {
                    (front.has_failed() || feed.is_ready()).then_some(())
                });
                more.map_err(|failure| placed(failure, number.max(1)))?;
                front.check()?;
            }
            Fed::End => {
                front.arrive().map_err(|failure| placed(failure, number.max(1)))?;
                return Ok(Ended::Out);
            }
        }
    }
}

/// Obeys the lines of a file, as if they were typed.
///
/// # Errors
/// It cannot be read, or one of its lines failed; the failure names the file and the line.
pub fn source(front: &mut Front<'_>, path: &str) -> Result<Ended, Failure> {
    let shown = crate::text::escape_display(path);
    if front.depth >= SOURCE_DEPTH_MAX {
        return Err(Failure::TooDeep(shown));
    }
    let file = |error| Failure::File { path: shown.clone(), error };
    // A pipe or a device could keep us for ever, or fill the memory.
    let found = std::fs::metadata(path).map_err(file)?;
    if !found.is_file() {
        return Err(Failure::NotPlain(shown));
    }
    if found.len() > SOURCE_BYTES_MAX {
        return Err(Failure::TooBig(shown));
    }
    let text = std::fs::read_to_string(path).map_err(file)?;
    let lines: Vec<_> = text.strip_prefix('\u{feff}').unwrap_or(&text).lines().map(str::to_owned).collect();
    front.depth += 1;
    let result = run(front, &lines);
    front.depth -= 1;
    result.map_err(|(line, failure)| match failure {
        // The way down is not worth sixteen names.
        Failure::Inside { place, failure } if matches!(*failure, Failure::TooDeep(_)) => {
            Failure::Inside { place, failure }
        }
        failure => Failure::Inside { place: format!("{shown}:{line}"), failure: Box::new(failure) },
    })
}

/// What one line asks.
enum Read {
    Command(Line),
    /// To whoever `chat` goes to.
    Text(String),
    EndOfChat,
}

fn read_line(text: &str, chatting: &mut bool) -> Result<Read, LineError> {
    let text = text.strip_suffix('\r').unwrap_or(text);
    if *chatting {
        if text.trim() == "/end" {
            *chatting = false;
            return Ok(Read::EndOfChat);
        }
        return Ok(Read::Text(text.to_owned()));
    }
    let line = grammar::parse(text, Mode::Batch)?;
    if matches!(line.content, Content::Action(Action::Chat(_))) {
        *chatting = true;
    }
    Ok(Read::Command(line))
}

fn obey(front: &mut Front<'_>, line: Read, number: usize) -> Result<Ended, Failure> {
    let line = match line {
        Read::EndOfChat => {
            front.chat = None;
            return Ok(Ended::Out);
        }
        Read::Text(text) => {
            if let Some(to) = front.chat.clone()
                && let Some(action) = said(to, &text)?
            {
                front.obey(action, number, Manner::Batch)?;
            }
            return Ok(Ended::Out);
        }
        Read::Command(line) => line,
    };
    if let Some(speaker) = line.speaker {
        return Err(Failure::Speaker(speaker));
    }
    let Content::Action(action) = line.content else { return Ok(Ended::Out) };
    let shown = action.to_string();
    if line.outcome == Outcome::Succeed {
        let quit = front.obey(action, number, Manner::Batch)?;
        return Ok(if quit { Ended::Quit } else { Ended::Out });
    }
    front.arrive()?;
    let result = front.obey(action, number, Manner::Batch).and_then(|quit| front.arrive().map(|()| quit));
    match (result, line.outcome) {
        (Ok(_), Outcome::Fail) => Err(Failure::Succeeded(shown)),
        (Err(Failure::Interrupted), _) => Err(Failure::Interrupted),
        (Err(Failure::Gone), _) => Err(Failure::Gone),
        (Ok(true), _) => Ok(Ended::Quit),
        (Ok(false) | Err(_), _) => Ok(Ended::Out),
    }
}

/// A line of a chat as a command; nothing for an empty one.
///
/// # Errors
/// It is too long.
pub fn said(to: PeerRef, text: &str) -> Result<Option<Action>, Failure> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match Body::new(text) {
        Ok(text) => Ok(Some(Action::Node(Command::Send { to, text, auto: false }))),
        Err(BodyError::Empty) => Ok(None),
        Err(error @ BodyError::TooLong(_)) => Err(Failure::Body(error)),
    }
}

fn placed(failure: Failure, line: usize) -> Stopped {
    match failure {
        Failure::InLine { line, failure } => (line, *failure),
        failure => (line, failure),
    }
}

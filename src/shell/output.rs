//! Where a front end's words go: lines for people or lines of JSON, to a pipe, a file or the line
//! editor. Diagnostics go to standard error. Printed once, here; a broken pipe is remembered and is
//! no error of anybody's.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::api::event::{Event, What};
use crate::api::reply::Reply;
use crate::id::Name;
use crate::report::ndjson::Ndjson;
use crate::shell::pace::Pace;
use crate::shell::render::Look;
use crate::time::Mono;

/// Takes finished lines.
pub trait Sink {
    /// One line or several, each with its line feed.
    fn lines(&mut self, text: &[u8]);
    /// Lets them out.
    ///
    /// # Errors
    /// Nobody reads any more ([`ErrorKind::BrokenPipe`]), or what reads cannot take it.
    fn flush(&mut self) -> Result<(), ErrorKind>;
    /// A line for people, apart from what a program reads.
    fn aside(&mut self, line: &str);
}

/// Standard output, gathered until the front end has nothing else to do.
#[derive(Default)]
pub struct Stdout {
    buffer: Vec<u8>,
    broken: Option<ErrorKind>,
}

/// A front end's voice.
pub struct Output {
    sink: Box<dyn Sink>,
    form: Form,
    quiet: bool,
    pace: Option<Pace>,
}

enum Form {
    Text(Look),
    Json(Box<Ndjson>),
}

/// Bytes that are gathered before they are written even if there is more to come.
const GATHER: usize = 64 * 1024;

impl Sink for Stdout {
    fn lines(&mut self, text: &[u8]) {
        self.buffer.extend_from_slice(text);
        if self.buffer.len() >= GATHER {
            // Whoever flushes next is told how it went.
            let _ = self.flush();
        }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        if !self.buffer.is_empty() && self.broken.is_none() {
            let mut out = std::io::stdout().lock();
            self.broken =
                out.write_all(&self.buffer).and_then(|()| out.flush()).err().map(|error| error.kind());
        }
        self.buffer.clear();
        self.broken.map_or(Ok(()), Err)
    }

    fn aside(&mut self, line: &str) {
        let _ = self.flush();
        complain(line);
    }
}

impl Output {
    /// For people.
    pub fn text(sink: Box<dyn Sink>, look: Look, quiet: bool) -> Self {
        Self { sink, form: Form::Text(look), quiet, pace: None }
    }

    /// For programs: version 1 of the event lines. Begins with the header.
    pub fn json(sink: Box<dyn Sink>, me: Name, now: Mono) -> Self {
        let mut ndjson = Box::new(Ndjson::new(me, now));
        let mut line = Vec::new();
        ndjson.header(now, &mut line);
        let mut output = Self { sink, form: Form::Json(ndjson), quiet: false, pace: None };
        output.sink.lines(&line);
        output
    }

    /// How it looks; `None` for JSON.
    pub fn look(&mut self) -> Option<&mut Look> {
        match &mut self.form {
            Form::Text(look) => Some(look),
            Form::Json(_) => None,
        }
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event) {
        let mut text = Vec::new();
        match &mut self.form {
            Form::Json(ndjson) => ndjson.event(event, &mut text),
            Form::Text(_) if self.quiet && !matches!(event.what, What::Message(_)) => {}
            Form::Text(look) => {
                let lines = look.event(event);
                if let (Some(pace), What::Message(message)) = (&mut self.pace, &event.what)
                    && !pace.shows(&message.from, lines.len(), event.at.mono)
                {
                    return;
                }
                put_lines(lines, &mut text);
            }
        }
        self.sink.lines(&text);
    }

    /// Shows messages no faster than somebody can read them. For where they can be read later.
    pub fn abridge(&mut self) {
        self.pace = Some(Pace::default());
    }

    /// Says how many messages were not shown, when it is time to or all is over, and how long to wait
    /// until then.
    pub(super) fn catch_up(&mut self, now: Mono, over: bool, wait: Duration) -> Duration {
        let (Some(pace), Form::Text(look)) = (&mut self.pace, &mut self.form) else { return wait };
        let left_out = pace.summary(now, over);
        if !left_out.is_empty() {
            let mut text = Vec::new();
            put_lines(vec![look.left_out(&left_out)], &mut text);
            self.sink.lines(&text);
        }
        pace.patience(now, wait)
    }

    /// A command was answered.
    pub fn reply(&mut self, now: Mono, reply: &Reply) {
        let mut text = Vec::new();
        match &mut self.form {
            Form::Json(ndjson) => {
                if let Reply::Me(me) = reply {
                    ndjson.rename(me.name);
                }
                ndjson.reply(now, reply, &mut text);
            }
            // That a message waits is no answer to a question.
            Form::Text(_) if self.quiet && matches!(reply, Reply::Queued { .. }) => {}
            Form::Text(look) => put_lines(look.reply(reply), &mut text),
        }
        self.sink.lines(&text);
    }

    /// Where we listen, and as whom.
    pub fn listens(&mut self, now: Mono, me: Name, addr: Option<SocketAddr>) {
        let mut text = Vec::new();
        match (&mut self.form, addr) {
            (Form::Json(ndjson), Some(addr)) => ndjson.listen(now, addr, &mut text),
            (Form::Text(look), Some(addr)) if !self.quiet && look.news => {
                put_lines(vec![look.news(&format!("{me} listens on {addr}"))], &mut text);
            }
            (Form::Json(_) | Form::Text(_), _) => {}
        }
        self.sink.lines(&text);
    }

    /// Lines of our own for people: help, tables. In JSON one line `ev`.
    pub fn say(&mut self, now: Mono, ev: &str, lines: &str) {
        let mut text = Vec::new();
        match &mut self.form {
            Form::Json(ndjson) => ndjson.note(now, ev, lines, &mut text),
            Form::Text(_) => put_lines(vec![lines.to_owned()], &mut text),
        }
        self.sink.lines(&text);
    }

    /// Something that a script says as it goes.
    pub fn told(&mut self, now: Mono, line: &str) {
        if !self.quiet {
            self.say(now, "note", line);
        }
    }

    /// A line for people only: beside JSON it is left out.
    pub fn news(&mut self, line: &str) {
        if let Form::Text(look) = &mut self.form
            && !self.quiet
        {
            let mut text = Vec::new();
            put_lines(vec![look.news(line)], &mut text);
            self.sink.lines(&text);
        }
    }

    /// Something failed: said on standard error, or above the prompt; in JSON as an event too.
    pub fn complain(&mut self, now: Mono, ev: &str, line: &str) {
        if let Form::Json(ndjson) = &mut self.form {
            let mut text = Vec::new();
            ndjson.note(now, ev, line, &mut text);
            self.sink.lines(&text);
        }
        self.sink.aside(line);
    }

    /// An expectation was met.
    pub fn expected(&mut self, now: Mono, what: &str) {
        if let Form::Json(ndjson) = &mut self.form {
            let mut text = Vec::new();
            ndjson.note(now, "expect.ok", what, &mut text);
            self.sink.lines(&text);
        }
    }

    /// The last line of a run.
    pub fn end(&mut self, now: Mono, code: u8) {
        if let Form::Json(ndjson) = &mut self.form {
            let mut text = Vec::new();
            ndjson.end(now, code, &mut text);
            self.sink.lines(&text);
        }
    }

    /// Lets everything out.
    ///
    /// # Errors
    /// As [`Sink::flush`].
    pub fn flush(&mut self) -> Result<(), ErrorKind> {
        self.sink.flush()
    }
}

/// One line on standard error; if that is gone too, nobody is left to tell.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn put_lines(lines: Vec<String>, out: &mut Vec<u8>) {
    for line in lines {
        out.extend_from_slice(line.as_bytes());
        if !line.ends_with('\n') {
            out.push(b'\n');
        }
    }
}

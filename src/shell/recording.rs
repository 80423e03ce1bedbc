//! What is done at a front end, as the lines of a script that does the same with a cast of its own:
//! what `me` does, what peers do to it, and after each message a wait for it, so that a replay goes by
//! causes and not by time. Knows no file. Whatever a peer has said becomes a text of the language,
//! never a line of it: what a line cannot hold is written with escapes.

use std::collections::BTreeMap;

use crate::api::action::Action;
use crate::api::command::{Command, CommandError, show};
use crate::api::event::{Event, What, Who};
use crate::api::grammar::{Content, Mode, parse};
use crate::api::pattern::Pattern;
use crate::api::reply::Reply;
use crate::api::words::{quote_pattern, quote_text};
use crate::id::{Name, PeerId, RequestId};
use crate::limits::{NAME_MAX, RECORD_SENT_MAX};
use crate::text::{escape_display, is_hidden};

/// A recording under way.
pub(super) struct Recording {
    me: Name,
    /// What each peer is called in the script.
    names: BTreeMap<PeerId, Name>,
    cast: BTreeMap<Name, Part>,
    /// Commands without an answer.
    asked: BTreeMap<RequestId, Command>,
    /// What was sent and not delivered yet, as what will be expected.
    sent: BTreeMap<(PeerId, u64), String>,
    /// Lines that nobody has taken.
    lines: Vec<String>,
}

/// One of the script's cast.
#[derive(Clone, Copy)]
struct Part {
    /// Who has the name.
    who: PeerId,
    /// Its program runs.
    up: bool,
}

impl Recording {
    /// From now on, with these connected.
    pub(super) fn new<'a>(me: Name, present: impl Iterator<Item = &'a Who>) -> Self {
        let header = format!("# recorded by hobnob {}", env!("CARGO_PKG_VERSION"));
        let (names, cast, asked, sent) = Default::default();
        let mut recording = Self { me, names, cast, asked, sent, lines: vec![header] };
        let mut present: Vec<_> = present.copied().collect();
        present.sort_by_key(|who| who.name);
        for who in present {
            recording.joined(&who, true);
        }
        recording
    }

    /// What was written since this was last asked.
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// A command was given.
    pub(super) fn asked(&mut self, request: RequestId, command: Command) {
        self.asked.insert(request, command);
    }

    /// It was answered. Only now is it known whom it was about.
    pub(super) fn answered(&mut self, request: RequestId, answer: &Result<Reply, CommandError>) {
        let Some(command) = self.asked.remove(&request) else { return };
        match (&command, answer) {
            (_, Err(error)) => {
                let line = Action::Node(command).to_string();
                self.remark(&format!("{}> {line}: {error}", self.me));
            }
            (Command::Send { text, .. } | Command::Reply { text }, Ok(Reply::Queued { to, seq, .. })) => {
                let name = self.name(to);
                self.says(self.me, Some(name), text.as_str());
                self.remember(to.id, *seq, text.as_str());
            }
            (Command::Broadcast { text, .. }, Ok(Reply::Broadcast(told))) => {
                self.says(self.me, None, text.as_str());
                for (to, seq) in told {
                    self.remember(to.id, *seq, text.as_str());
                }
            }
            (Command::Connect { .. }, Ok(Reply::Connected { who, already: true })) => {
                self.mine("connect", who);
            }
            (Command::Disconnect { .. }, Ok(Reply::Disconnected(told))) => {
                told.iter().for_each(|who| self.mine("disconnect", who));
            }
            (Command::Ping { .. }, Ok(Reply::Pong(who, _))) => self.mine("ping", who),
            (Command::Whois { .. }, Ok(Reply::Whois(whois))) => self.mine("whois", &whois.row.who),
            (Command::Alias { name, .. }, Ok(Reply::Aliased(who))) => {
                self.mine(&format!("alias {name}"), who)
            }
            (Command::Ignore { .. }, Ok(Reply::Ignored(who, _))) => self.mine("ignore", who),
            (Command::Unignore { .. }, Ok(Reply::Ignored(who, _))) => self.mine("unignore", who),
            (Command::Me { .. } | Command::Peers { .. } | Command::Status, Ok(_)) => {
                self.line(format!("{}> {}", self.me, Action::Node(command)));
            }
            // That a peer was connected is an event, and to leave is the end.
            (_, Ok(_)) => {}
        }
    }

    /// Something else was done, and went well.
    pub(super) fn did(&mut self, action: &Action) {
        match action {
            Action::Wait(time) => self.line(format!("wait {}", show(*time))),
            Action::Settle | Action::Step(_) => self.line(action.to_string()),
            Action::ExpectNone(_) => self.line(format!("{}> {action}", self.me)),
            // Each message is expected where it came; the rest is about the screen.
            _ => {}
        }
    }

    /// Something happened.
    pub(super) fn event(&mut self, event: &Event) {
        match &event.what {
            What::Joined { who, dialled, .. } => self.joined(who, *dialled),
            What::Left { who, ours: false } => {
                let name = self.speaker(who);
                self.gone(name, format!("{name}> quit"));
            }
            What::Lost { who, .. } => {
                let name = self.up(who);
                self.gone(name, format!("crash {name}"));
            }
            What::Message(message) => {
                let (name, text) = (self.speaker(&message.from), message.text.expose());
                self.says(name, Some(self.me), text);
                self.line(expectation(self.me, name, text));
            }
            What::Delivered { to, first, last } => {
                let name = self.name(to);
                let range = (to.id, *first)..=(to.id, *last);
                let texts: Vec<_> = self.sent.range(range).map(|(key, text)| (*key, text.clone())).collect();
                for (key, text) in texts {
                    self.sent.remove(&key);
                    self.line(expectation(name, self.me, &text));
                }
            }
            What::Failed { to, first, last, why } => {
                self.sent.retain(|(id, seq), _| *id != to.id || !(*first..=*last).contains(seq));
                let name = self.name(to);
                self.remark(&format!("not delivered to {name}: {why}"));
            }
            What::Renamed { who, .. } => {
                let name = self.name(who);
                self.remark(&format!("{name} is called {} now", who.name));
            }
            What::KeyChanged { who, .. } => {
                let name = self.name(who);
                self.remark(&format!("another key answers in the place of {name}"));
            }
            What::Left { ours: true, .. }
            | What::Missed { .. }
            | What::SetBack { .. }
            | What::Kept { .. }
            | What::StoreFailed(_)
            | What::StoreWorks
            | What::Superseded { .. }
            | What::Unreachable { .. }
            | What::Leaving
            | What::Dropped { .. } => {}
        }
    }

    /// `me` leaves.
    pub(super) fn left(&mut self) {
        self.line(format!("{}> quit", self.me));
    }

    fn joined(&mut self, who: &Who, dialled: bool) {
        let (from, to) = match dialled {
            true => (self.me, self.up(who)),
            false => (self.speaker(who), self.me),
        };
        self.line(format!("{from}> connect {to}"));
    }

    /// A peer's program ends, and everybody gets to know it.
    fn gone(&mut self, name: Name, line: String) {
        self.line(line);
        self.line("settle".into());
        if let Some(part) = self.cast.get_mut(&name) {
            part.up = false;
        }
    }

    /// What a peer is called in the script, where it is cast by now.
    fn name(&mut self, who: &Who) -> Name {
        if let Some(name) = self.names.get(&who.id)
            && self.cast.get(name).is_some_and(|part| part.who == who.id)
        {
            return *name;
        }
        let name = self.free(who.name);
        self.names.insert(who.id, name);
        match self.cast.get_mut(&name) {
            // Whoever had the name is gone, and in the script it is the same one.
            Some(part) => part.who = who.id,
            None => {
                self.cast.insert(name, Part { who: who.id, up: true });
                // Whoever speaks is cast.
                self.line(format!("{name}> me"));
            }
        }
        name
    }

    /// The same, of one whose program is to run.
    fn up(&mut self, who: &Who) -> Name {
        let name = self.name(who);
        if let Some(part) = self.cast.get_mut(&name)
            && !std::mem::replace(&mut part.up, true)
        {
            self.line(format!("restart {name}"));
        }
        name
    }

    /// The same, of one who has the next line, and so is cast by that.
    fn speaker(&mut self, who: &Who) -> Name {
        let before = self.cast.len();
        let name = self.up(who);
        if self.cast.len() > before {
            self.lines.pop();
        }
        name
    }

    /// A name that nobody has who is there; `me` means whoever plays the script.
    fn free(&self, wish: Name) -> Name {
        let is_free = |name: &Name| {
            *name != self.me && name.as_str() != "me" && self.cast.get(name).is_none_or(|part| !part.up)
        };
        let stem: String = {
            let mut stem = wish.as_str().to_owned();
            while stem.len() > NAME_MAX - 6 {
                stem.pop();
            }
            stem
        };
        let more = (2..).map(|n| Name::claimed(&format!("{stem}-{n}"), "peer"));
        std::iter::once(wish).chain(more).find(is_free).unwrap_or(wish)
    }

    fn mine(&mut self, verb: &str, who: &Who) {
        let name = self.name(who);
        self.line(format!("{}> {verb} {name}", self.me));
    }

    /// Somebody says something, to one or to all.
    fn says(&mut self, who: Name, to: Option<Name>, text: &str) {
        let verb = to.map_or_else(|| "broadcast".into(), |to| format!("send {to}"));
        let line = format!("{who}> {verb} {}", quote_text(text));
        let is_same = |action: &Action| match action {
            Action::Node(Command::Send { text: read, .. } | Command::Broadcast { text: read, .. }) => {
                read.as_str() == text
            }
            _ => false,
        };
        if reads_back(&line, is_same) {
            return self.line(line);
        }
        let text = literal(text);
        let line = match to {
            Some(to) => format!("= peer(\"{who}\").send(peer(\"{to}\"), {text})"),
            None => format!("= peer(\"{who}\").broadcast({text})"),
        };
        self.line(line);
    }

    fn remember(&mut self, to: PeerId, seq: u64, text: &str) {
        if self.sent.len() < RECORD_SENT_MAX {
            self.sent.insert((to, seq), text.to_owned());
        }
    }

    fn remark(&mut self, text: &str) {
        self.line(format!("# {}", escape_display(text)));
    }

    fn line(&mut self, line: String) {
        // What is too long to be read back is left out, with what would wait for it.
        let line =
            if line.len() > crate::limits::LINE_MAX { "# a text too long for a line".into() } else { line };
        self.lines.push(line);
    }
}

/// `reader` waits for what `from` said.
fn expectation(reader: Name, from: Name, text: &str) -> String {
    let is_same = |action: &Action| match action {
        Action::Expect { pattern, .. } => pattern.matches(text),
        _ => false,
    };
    let line = Pattern::literal(text)
        .map(|pattern| format!("{reader}> expect {from} {}", quote_pattern(pattern.as_str())));
    match line {
        Ok(line) if reads_back(&line, is_same) && says_it(text) => line,
        Ok(_) | Err(_) => format!("# {reader} waits for a text of {from} that is too long for a line"),
    }
}

/// Whether what is said in a text has a line.
fn says_it(text: &str) -> bool {
    literal(text).len() + 2 * NAME_MAX + 40 <= crate::limits::LINE_MAX
}

/// Whether a line can be read back, and nothing in it is hidden from whoever reads it.
fn reads_back(line: &str, is_same: impl Fn(&Action) -> bool) -> bool {
    let read = || parse(line, Mode::Batch).map(|line| line.content);
    !line.chars().any(is_hidden) && matches!(read(), Ok(Content::Action(action)) if is_same(&action))
}

/// A text as the script language writes it.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_hidden(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

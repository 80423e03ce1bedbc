//! Scripts at a front end: `run` plays a file and `=` evaluates a line, each on a thread of its own.
//! What they want done by `me` is done here as if it had been typed, what they say is shown, and
//! everything that happens is told to them. A batch waits for what it began, a prompt does not.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::api::command::Command;
use crate::api::event::Event;
use crate::api::exit::Exit;
use crate::api::reply::Reply;
use crate::guest::{Guest, Me, Outside, Report, Said};
use crate::id::RequestId;
use crate::limits;
use crate::script::Source;
use crate::session::Bell;
use crate::shell::failure::Failure;
use crate::shell::front::{Front, Manner, verb_of};
use crate::shell::receipts::Origin;
use crate::text::escape_display;

/// The scripts of a front end.
#[derive(Default)]
pub(super) struct Guests {
    outside: Option<Outside>,
    play: Option<Play>,
    talk: Option<Talk>,
    /// Commands of theirs without an answer.
    asked: Vec<Asked>,
}

/// A file that is played.
struct Play {
    guest: Guest,
    name: String,
    manner: Manner,
    /// How it ended, for the batch that waits for that.
    report: Option<Report>,
}

/// Lines that are evaluated, and the handlers that they leave behind.
struct Talk {
    guest: Guest,
    /// Lines under way, the oldest first.
    lines: VecDeque<Whose>,
    value: Option<Value>,
}

type Value = Result<Option<String>, (String, Exit)>;

/// Who wants to know what a line gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// A person: it is shown when it comes.
    Prompt,
    /// A batch waits for it, in this line.
    Batch(usize),
    /// Nobody any more.
    Nobody,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Play,
    Talk,
}

struct Asked {
    own: RequestId,
    which: Which,
    request: RequestId,
    /// A batch is to wait until it has arrived.
    origin: Option<Origin>,
}

impl Guests {
    /// Scripts may be run, with these surroundings.
    pub(super) fn allow(&mut self, outside: Outside) {
        self.outside = Some(outside);
    }

    /// Whether any script is there.
    pub(super) fn any(&self) -> bool {
        self.play.is_some() || self.talk.is_some()
    }

    /// Something happened to `me`.
    pub(super) fn tell(&self, event: &Event) {
        for guest in [Which::Play, Which::Talk].into_iter().filter_map(|which| self.guest(which)) {
            guest.tell(event);
        }
    }

    /// Ends all of them.
    pub(super) fn end(&mut self) {
        let (play, talk) = (self.play.take().map(|play| play.guest), self.talk.take().map(|talk| talk.guest));
        for guest in [play, talk].into_iter().flatten() {
            guest.end(limits::PROMPT_SCRIPT_END);
        }
    }

    /// Ends the file that is played and the line that is evaluated, but no handler.
    pub(super) fn interrupt(&self) {
        self.interrupt_one(Which::Play);
        self.interrupt_one(Which::Talk);
    }

    fn interrupt_one(&self, which: Which) {
        let is_idle = || self.talk.as_ref().is_none_or(|talk| talk.lines.is_empty());
        if let Some(guest) = self.guest(which).filter(|_| which == Which::Play || !is_idle()) {
            guest.interrupt();
        }
    }

    fn guest(&self, which: Which) -> Option<&Guest> {
        match which {
            Which::Play => self.play.as_ref().map(|play| &play.guest),
            Which::Talk => self.talk.as_ref().map(|talk| &talk.guest),
        }
    }

    fn bell(&self) -> Option<&Bell> {
        self.outside.as_ref().map(|outside| &outside.bell)
    }

    /// In which line of a batch a command stands that the talk gives now.
    fn line(&self) -> Option<usize> {
        match self.talk.as_ref()?.lines.front()? {
            Whose::Batch(line) => Some(*line),
            Whose::Prompt | Whose::Nobody => None,
        }
    }
}

impl Front<'_> {
    /// Plays a file.
    pub(super) fn run(&mut self, path: &str, args: Vec<String>, manner: Manner) -> Result<(), Failure> {
        let outside = self.guests.outside.clone().ok_or(Failure::NoScripts("run"))?;
        if let Some(play) = &self.guests.play {
            return Err(Failure::Busy { name: play.name.clone(), end: "Ctrl-C" });
        }
        let source = Source::read(Path::new(path), args)
            .map_err(|error| Failure::Script { words: format!("run: {error}"), exit: Exit::Runtime })?;
        let name = escape_display(&source.name);
        if ![".rhai", ".hob", ".md", ".markdown"].iter().any(|end| source.name.ends_with(end)) {
            let words = format!("run: {name} is no script: it must end in .rhai, .hob or .md");
            return Err(Failure::Script { words, exit: Exit::Runtime });
        }
        let (me, color) = (self.seat("run")?, self.colored());
        let guest = Guest::play(source, me, &outside, color).map_err(|error| no_thread("run", &error))?;
        self.guests.play = Some(Play { guest, name, manner, report: None });
        if manner == Manner::Prompt {
            return Ok(());
        }
        let report = self.until_so(|front| front.guests.play.as_mut()?.report.take());
        if report.is_err() {
            self.guests.interrupt_one(Which::Play);
        }
        if let Some(play) = self.guests.play.take() {
            play.guest.end(limits::PROMPT_SCRIPT_END);
        }
        let Report { sentence, errors, exit } = report?;
        if exit == Exit::Done {
            let now = self.session.now().mono;
            self.out.told(now, &sentence);
            return Ok(());
        }
        let words = if errors.is_empty() { sentence } else { errors.join("\n") };
        Err(Failure::Script { words, exit })
    }

    /// Evaluates a line.
    pub(super) fn evaluate(&mut self, text: String, line: usize, manner: Manner) -> Result<(), Failure> {
        if self.guests.talk.is_none() {
            let outside = self.guests.outside.clone().ok_or(Failure::NoScripts("="))?;
            let (me, color) = (self.seat("=")?, self.colored());
            let source = Source {
                name: "prompt".into(),
                folder: PathBuf::from("."),
                text: String::new(),
                args: Vec::new(),
                files: None,
            };
            let guest = Guest::stand(source, me, &outside, color).map_err(|error| no_thread("=", &error))?;
            self.guests.talk = Some(Talk { guest, lines: VecDeque::new(), value: None });
        }
        let Some(talk) = &mut self.guests.talk else { return Ok(()) };
        if !talk.guest.ask(text) {
            return Err(Failure::Busy { name: "=".into(), end: "Ctrl-C" });
        }
        if manner == Manner::Prompt {
            talk.lines.push_back(Whose::Prompt);
            // It mostly comes at once, and then it stands before the next prompt.
            let is_idle = |front: &mut Self| {
                front.guests.talk.as_ref().is_none_or(|talk| talk.lines.is_empty()).then_some(())
            };
            return match self.until(limits::PROMPT_PATIENCE, is_idle) {
                // It says itself that it was interrupted.
                Err(Failure::Interrupted) => {
                    self.guests.interrupt_one(Which::Talk);
                    Ok(())
                }
                waited => waited.map(drop),
            };
        }
        talk.lines.push_back(Whose::Batch(line));
        let value = self.until_so(|front| front.guests.talk.as_mut()?.value.take());
        if value.is_err() {
            self.guests.interrupt_one(Which::Talk);
            if let Some(last) = self.guests.talk.as_mut().and_then(|talk| talk.lines.back_mut()) {
                *last = Whose::Nobody;
            }
        }
        match value? {
            Ok(Some(value)) => {
                let now = self.session.now().mono;
                self.out.say(now, "reply", &value);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err((words, exit)) => Err(Failure::Script { words, exit }),
        }
    }

    /// Does what scripts want done, shows what they say, and gives them their answers.
    pub(super) fn attend(&mut self) {
        for which in [Which::Play, Which::Talk] {
            let mut left = limits::PROMPT_AHEAD_MAX;
            while let Some(said) = self.guests.guest(which).and_then(Guest::take) {
                self.said(which, said);
                left -= 1;
                if left == 0 {
                    // The rest comes after whatever else there is to do.
                    self.guests.bell().inspect(|bell| bell.ring());
                    break;
                }
            }
        }
        let mut at = 0;
        while let Some(asked) = self.guests.asked.get(at) {
            match self.take_reply(asked.own) {
                None => at += 1,
                Some(answer) => {
                    let Asked { which, request, origin, .. } = self.guests.asked.remove(at);
                    if let (Ok(reply), Some(origin)) = (&answer, origin) {
                        self.follow(reply, origin);
                    }
                    if let Ok(Reply::Me(me)) = &answer {
                        self.me = me.name;
                    }
                    if let Some(guest) = self.guests.guest(which) {
                        guest.answer(request, answer);
                    }
                }
            }
        }
    }

    fn said(&mut self, which: Which, said: Said) {
        let now = self.session.now().mono;
        match said {
            Said::Command { request, command } => {
                let by_hand = matches!(
                    command,
                    Command::Send { auto: false, .. } | Command::Broadcast { auto: false, .. }
                );
                let line = self.guests.line().filter(|_| by_hand && which == Which::Talk);
                let origin = line.map(|line| Origin { line, verb: verb_of(&command) });
                let own = self.submit(command);
                self.guests.asked.push(Asked { own, which, request, origin });
            }
            Said::Line(line) => self.out.told(now, &line),
            Said::Value(value) => {
                let Some(talk) = &mut self.guests.talk else { return };
                match (talk.lines.pop_front(), value) {
                    (Some(Whose::Batch(_)), value) => talk.value = Some(value),
                    (Some(Whose::Prompt), Ok(Some(value))) => self.out.say(now, "reply", &value),
                    (Some(Whose::Prompt), Err((words, _))) => self.out.complain(now, "note", &words),
                    (Some(Whose::Prompt), Ok(None)) | (Some(Whose::Nobody) | None, _) => {}
                }
            }
            Said::Ended(report) => self.ended(which, report),
        }
    }

    fn ended(&mut self, which: Which, report: Report) {
        let now = self.session.now().mono;
        self.guests.asked.retain(|asked| asked.which != which);
        match which {
            Which::Play => match &mut self.guests.play {
                Some(play) if play.manner == Manner::Batch => play.report = Some(report),
                _ => {
                    self.guests.play = None;
                    report.errors.iter().for_each(|error| self.out.complain(now, "note", error));
                    self.out.told(now, &report.sentence);
                }
            },
            Which::Talk => {
                let Some(talk) = self.guests.talk.take() else { return };
                let words = report.errors.join("\n");
                if let Some(Whose::Batch(line)) = talk.lines.back() {
                    let failure = Failure::Script { words, exit: report.exit };
                    self.failed.get_or_insert((*line, failure));
                } else {
                    self.out.complain(now, "note", &words);
                }
            }
        }
    }

    /// Waits until something is so, however long that takes; or a batch fails meanwhile.
    fn until_so<T>(&mut self, mut check: impl FnMut(&mut Self) -> Option<T>) -> Result<T, Failure> {
        loop {
            let found = self.until(limits::DURATION_MAX, |front| match check(front) {
                Some(found) => Some(Some(found)),
                None => front.has_failed().then_some(None),
            })?;
            if let Some(Some(found)) = found {
                return Ok(found);
            }
            self.check().map_err(|(line, failure)| failure.in_line(line))?;
        }
    }

    /// The prompt's own peer.
    fn seat(&mut self, verb: &'static str) -> Result<Me, Failure> {
        let reply = self.session.call(Command::Me { name: None }, self.settings.timeout);
        let Reply::Me(me) = reply.map_err(|error| Failure::Command { verb, error })? else {
            return Err(Failure::NoScripts(verb));
        };
        let Some(listens) = me.listens else { return Err(Failure::NoScripts(verb)) };
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let ip = if listens.ip().is_unspecified() { here } else { listens.ip() };
        Ok(Me { key: me.key, addr: SocketAddr::new(ip, listens.port()) })
    }

    fn colored(&mut self) -> bool {
        self.out.look().is_some_and(|look| look.color)
    }
}

fn no_thread(verb: &str, error: &std::io::Error) -> Failure {
    Failure::Script {
        words: format!("{verb}: there is no room for another thread: {error}"),
        exit: Exit::Runtime,
    }
}

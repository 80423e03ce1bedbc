//! A front end over one session: obeys actions, follows what becomes of them, shows what happens.
//! A batch waits for each command's own effect, but lets messages travel while it goes on; a prompt
//! never waits unless the command is to wait.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::addr::Address;
use crate::api::action::Action;
use crate::api::command::{Command, CommandError, PeerRef};
use crate::api::event::Who;
use crate::api::exit::Exit;
use crate::api::reply::Reply;
use crate::api::settings::{Change, Setting, Settings};
use crate::guest::Outside;
use crate::id::{Name, PeerId, RequestId};
use crate::key::PeerKey;
use crate::limits;
use crate::session::Session;
use crate::shell::failure::Failure;
use crate::shell::guests::Guests;
use crate::shell::output::Output;
use crate::shell::receipts::{Origin, Receipts};
use crate::shell::record::Record;
use crate::shell::unread::Unread;
use crate::shell::verbs;
use crate::time::Mono;
use crate::why::Why;

/// Whether the front end may wait for a command's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A batch: each command has had its effect before the next; messages are followed to the end.
    Batch,
    /// A prompt: answers are shown when they come.
    Prompt,
}

/// A front end.
pub struct Front<'a> {
    pub(super) session: &'a mut dyn Session,
    /// What it says.
    pub out: Output,
    /// What the node calls itself.
    pub(super) me: Name,
    /// How it behaves.
    pub settings: Settings,
    /// Lines that go to this peer as they are, until `/end`.
    pub chat: Option<PeerRef>,
    pub(super) unread: Unread,
    pub(super) receipts: Receipts,
    /// Commands given at a prompt that were not answered yet.
    pub(super) asked: Vec<(RequestId, &'static str)>,
    /// Peers connected now, and where each listens.
    pub(super) present: BTreeMap<PeerId, (Who, Option<SocketAddr>)>,
    /// Names of those who were met, now or in an earlier run.
    pub(super) known: BTreeMap<PeerId, Name>,
    pub(super) unreachable: BTreeMap<Address, Why>,
    /// Peers that were looked for and not found, and the key that answered instead of theirs.
    pub(super) away: BTreeMap<PeerId, Option<PeerKey>>,
    /// What waits for a peer that is away outlasts us, so a batch need not wait for it.
    pub keeps: bool,
    /// What failed of that which a batch did not wait for.
    pub(super) failed: Option<(usize, Failure)>,
    /// Events that were ever taken in.
    pub(super) events: u64,
    /// Messages after which no more is taken in.
    pub(super) quota: Option<u64>,
    /// How many files deep we are.
    pub(super) depth: usize,
    pub(super) guests: Guests,
    pub(super) record: Option<Box<Record>>,
    interrupted: Arc<AtomicBool>,
    /// Whether the person at the prompt wants the command under way to end.
    pub cancelled: Box<dyn FnMut() -> bool + 'a>,
    /// What is to be done about a setting that was changed, besides changing it.
    pub remember: Box<dyn FnMut(Change) + 'a>,
}

/// Messages that a batch lets travel before it waits for some to arrive.
const TRAVELLING_MAX: usize = 8_000;

impl<'a> Front<'a> {
    /// A front end that ends what it does when `interrupted` is set.
    pub fn new(
        session: &'a mut dyn Session,
        me: Name,
        out: Output,
        settings: Settings,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        Self {
            session,
            me,
            out,
            settings,
            chat: None,
            unread: Unread::default(),
            receipts: Receipts::default(),
            asked: Vec::new(),
            present: BTreeMap::new(),
            known: BTreeMap::new(),
            unreachable: BTreeMap::new(),
            away: BTreeMap::new(),
            keeps: false,
            failed: None,
            events: 0,
            quota: None,
            depth: 0,
            guests: Guests::default(),
            record: None,
            interrupted,
            cancelled: Box::new(|| false),
            remember: Box::new(|_| ()),
        }
    }

    /// Scripts may be run here, with these surroundings.
    pub fn allow_scripts(&mut self, outside: Outside) {
        self.guests.allow(outside);
    }

    /// Ends the scripts under way, as somebody wants it.
    pub fn interrupt(&mut self) {
        self.guests.interrupt();
    }

    /// Obeys one action. True when it was to quit.
    ///
    /// # Errors
    /// It was refused or failed. Messages that travel may fail later: see [`Self::check`].
    pub fn obey(&mut self, action: Action, line: usize, manner: Manner) -> Result<bool, Failure> {
        match (action, manner) {
            (Action::Node(Command::Quit), Manner::Batch) => {
                self.arrive()?;
                return Ok(true);
            }
            (Action::Node(Command::Quit), Manner::Prompt) => return Ok(true),
            (Action::Node(command), Manner::Batch) if travels(&command) => {
                let origin = Origin { line, verb: verb_of(&command) };
                let now = self.session.now().mono;
                let request = self.submit(command);
                self.receipts.ask(request, origin, now);
                if self.receipts.len() >= TRAVELLING_MAX {
                    self.travel(TRAVELLING_MAX / 2)?;
                }
            }
            (Action::Node(command), Manner::Prompt) => {
                self.ask(command);
                self.pump();
            }
            (action, _) => {
                self.arrive()?;
                let deed = self.record.is_some().then(|| action.clone());
                let quits = verbs::obey(self, action, line, manner)?;
                if let Some(deed) = deed {
                    self.record_deed(&deed);
                }
                return Ok(quits);
            }
        }
        Ok(false)
    }

    /// Lets the world run until `check` gives something.
    ///
    /// # Errors
    /// Interrupted, or nobody reads the output any more. `None` is that the time was over.
    pub fn until<T>(
        &mut self,
        patience: Duration,
        mut check: impl FnMut(&mut Self) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let until = self.session.now().mono.plus(patience);
        loop {
            self.pump();
            if let Some(found) = check(self) {
                return Ok(Some(found));
            }
            if self.interrupted.load(Ordering::Relaxed) || (self.cancelled)() {
                return Err(Failure::Interrupted);
            }
            let now = self.session.now().mono;
            let left = until.since(now);
            let wait = self.out.catch_up(now, false, left);
            match self.out.flush() {
                Ok(()) => {}
                Err(ErrorKind::BrokenPipe) => return Err(Failure::Gone),
                Err(error) => return Err(Failure::Output(error)),
            }
            if left.is_zero() {
                return Ok(None);
            }
            self.session.wait(wait);
        }
    }

    /// Gives a command and waits for its answer, which is shown.
    ///
    /// # Errors
    /// As the node says, or no answer came in time.
    pub fn call(&mut self, command: Command) -> Result<Reply, Failure> {
        let verb = verb_of(&command);
        let request = self.submit(command);
        self.answer(request, verb)
    }

    /// Waits for the answer to a command, and shows it.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn answer(&mut self, request: RequestId, verb: &'static str) -> Result<Reply, Failure> {
        let within = self.settings.timeout;
        let result = self.until(within, |front| front.take_reply(request))?;
        let timeout = || Err(CommandError::Timeout { who: "the other side".into(), within });
        let reply = result.unwrap_or_else(timeout).map_err(|error| Failure::Command { verb, error })?;
        let now = self.session.now().mono;
        self.shown(now, &reply);
        self.pump();
        Ok(reply)
    }

    /// Says goodbye and ends. Whatever travels has been waited for, or is given up.
    pub fn leave(&mut self) {
        self.guests.end();
        self.end_record();
        let patience = limits::GOODBYE + limits::PLAIN_GOODBYE;
        let _ = self.session.call(Command::Quit, patience);
        self.pump();
    }

    /// Says where we listen.
    pub fn listens(&mut self, addr: Option<SocketAddr>) {
        let now = self.session.now().mono;
        self.out.listens(now, self.me, addr);
    }

    /// Gives a command whose answer nobody waits for; it is shown when it comes.
    pub fn ask(&mut self, command: Command) {
        let verb = verb_of(&command);
        let request = self.submit(command);
        self.asked.push((request, verb));
    }

    /// Gives addresses that are to be kept connected and waits until each was tried once.
    pub fn keep(&mut self, commands: Vec<Command>) {
        let mut left: Vec<_> = commands.into_iter().map(|command| self.session.submit(command)).collect();
        let tried = |front: &mut Self| {
            left.retain(|request| front.session.take_reply(*request).is_none());
            left.is_empty().then_some(())
        };
        // Interrupted or not, the batch that follows finds out.
        let _ = self.until(limits::HANDSHAKE, tried);
    }

    /// The last words. Gives the exit, as it may be only now that they cannot be written.
    pub fn end(&mut self, exit: Exit) -> Exit {
        let now = self.session.now().mono;
        self.out.catch_up(now, true, Duration::ZERO);
        self.out.end(now, exit.code());
        match self.out.flush() {
            Err(error) if error != ErrorKind::BrokenPipe && exit == Exit::Done => {
                crate::shell::output::complain(&Failure::Output(error).to_string());
                Exit::Runtime
            }
            Ok(()) | Err(_) => exit,
        }
    }

    /// Says what failed.
    pub fn complain(&mut self, failure: &Failure) {
        let now = self.session.now().mono;
        self.out.complain(now, failure.event(), &failure.to_string());
    }

    /// Says that a batch has stopped at a line, and why.
    pub fn stopped(&mut self, place: &str, failure: &Failure) {
        let now = self.session.now().mono;
        self.out.complain(now, failure.event(), &format!("{place}: {failure}"));
    }

    /// Whether a signal has asked for the end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Waits for anything.
    pub fn rest(&mut self, patience: Duration) {
        let wait = self.out.catch_up(self.session.now().mono, false, patience);
        self.session.wait(wait);
    }

    /// Lets the world run for a moment, without waiting for anything.
    pub fn glance(&mut self) {
        self.session.wait(Duration::ZERO);
        self.pump();
    }

    /// Gives a command.
    pub(super) fn submit(&mut self, command: Command) -> RequestId {
        if self.record.is_none() {
            return self.session.submit(command);
        }
        let request = self.session.submit(command.clone());
        self.record_asked(request, command);
        request
    }

    /// Its answer, once it is there.
    pub(super) fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        let answer = self.session.take_reply(request)?;
        if self.record.is_some() {
            self.record_answer(request, &answer);
        }
        Some(answer)
    }

    pub(super) fn shown(&mut self, now: Mono, reply: &Reply) {
        if let Reply::Me(me) = reply {
            self.me = me.name;
        }
        self.out.reply(now, reply);
        if let Reply::Status(_) = reply {
            self.tell_record();
        }
    }

    /// Changes a setting.
    pub fn change(&mut self, change: Change) {
        self.settings.set(change);
        (self.remember)(change);
        let settings = &self.settings;
        if let Some(look) = self.out.look() {
            look.times = settings.times;
            look.receipts = settings.receipts;
            look.news = settings.news;
            look.color = settings.color.is_on(look.auto_color);
        }
    }

    pub(super) fn setting(&self, setting: Setting) -> String {
        let row = setting.row();
        format!("{:<9} {:<8} {}", row.name, self.settings.get(setting).value(), row.meaning)
    }
}

/// Whether a batch goes on while the command's messages travel.
fn travels(command: &Command) -> bool {
    matches!(command, Command::Send { .. } | Command::Broadcast { .. } | Command::Reply { .. })
}

/// The verb of a command, for messages.
pub(super) fn verb_of(command: &Command) -> &'static str {
    match command {
        Command::Send { .. } => "send",
        Command::Broadcast { .. } => "broadcast",
        Command::Reply { .. } => "reply",
        Command::Peers { .. } => "peers",
        Command::Connect { .. } | Command::ConnectKnown => "connect",
        Command::Keep { .. } => "--peer",
        Command::Disconnect { .. } => "disconnect",
        Command::Ping { .. } => "ping",
        Command::Whois { .. } => "whois",
        Command::Alias { .. } => "alias",
        Command::Trust { .. } | Command::TrustReplace { .. } | Command::TrustForget { .. } => "trust",
        Command::Log { .. } => "log",
        Command::Ignore { .. } => "ignore",
        Command::Unignore { .. } => "unignore",
        Command::Me { .. } => "me",
        Command::Status => "status",
        Command::Quit => "quit",
    }
}

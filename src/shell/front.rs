//! A front end over one session: obeys actions, follows what becomes of them, shows what happens.
//! A batch waits for each command's own effect, but lets messages travel while it goes on; a prompt
//! never waits unless the command is to wait.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::addr::Address;
use crate::api::action::Action;
use crate::api::command::{Command, CommandError, Dialect, PeerRef, show};
use crate::api::event::{What, Who};
use crate::api::pattern::Pattern;
use crate::api::reply::Reply;
use crate::api::settings::{Change, Setting, Settings};
use crate::id::{Name, PeerId, RequestId};
use crate::limits;
use crate::session::Session;
use crate::shell::failure::{Exit, Failure};
use crate::shell::output::Output;
use crate::shell::receipts::{Origin, Receipts, Sent};
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
    receipts: Receipts,
    /// Commands given at a prompt that were not answered yet.
    asked: Vec<(RequestId, &'static str)>,
    /// Peers connected now, and where each listens.
    pub(super) present: BTreeMap<PeerId, (Who, Option<SocketAddr>)>,
    unreachable: BTreeMap<Address, Why>,
    /// What failed of that which a batch did not wait for.
    failed: Option<(usize, Failure)>,
    /// Messages after which no more is taken in.
    pub(super) quota: Option<u64>,
    /// How many files deep we are.
    pub(super) depth: usize,
    interrupted: Arc<AtomicBool>,
    /// Whether the person at the prompt wants the command under way to end.
    pub cancelled: Box<dyn FnMut() -> bool + 'a>,
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
            unreachable: BTreeMap::new(),
            failed: None,
            quota: None,
            depth: 0,
            interrupted,
            cancelled: Box::new(|| false),
        }
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
                let request = self.session.submit(command);
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
                return verbs::obey(self, action, manner);
            }
        }
        Ok(false)
    }

    /// Takes in all that has come, and shows it.
    pub fn pump(&mut self) {
        let now = self.session.now().mono;
        while let Some(request) = self.receipts.oldest()
            && let Some(result) = self.session.take_reply(request)
        {
            let Some(origin) = self.receipts.answered(now) else { break };
            match result {
                Ok(reply) => {
                    self.follow(&reply, origin);
                    self.out.reply(now, &reply);
                }
                Err(error) => self.fail(origin.line, Failure::Command { verb: origin.verb, error }),
            }
        }
        let session = &mut *self.session;
        let mut answered = Vec::new();
        self.asked.retain(|(request, verb)| match session.take_reply(*request) {
            Some(result) => {
                answered.push((*verb, result));
                false
            }
            None => true,
        });
        for (verb, result) in answered {
            match result {
                Ok(reply) => self.shown(now, &reply),
                Err(error) => self.complain(&Failure::Command { verb, error }),
            }
        }
        while self.quota != Some(0)
            && let Some(event) = self.session.take_event()
        {
            if let (What::Message(_), Some(left)) = (&event.what, &mut self.quota) {
                *left -= 1;
            }
            match &event.what {
                What::Message(message) => self.unread.push(message),
                What::Delivered { to, last, .. } => self.receipts.delivered(to.id, *last, now),
                What::Failed { to, first, last, why } => {
                    if let Some(sent) = self.receipts.failed(to.id, *first, *last) {
                        let Sent { origin, seq, .. } = sent;
                        let failure = Failure::Undelivered {
                            verb: origin.verb,
                            to: to.name.to_string(),
                            seq,
                            why: *why,
                        };
                        self.fail(origin.line, failure);
                    }
                }
                What::Joined { who, listens, .. } => {
                    if let Some(listens) = listens {
                        self.unreachable.remove(&Address::from(*listens));
                    }
                    self.present.insert(who.id, (*who, *listens));
                }
                What::Renamed { who, .. } => {
                    self.present.entry(who.id).and_modify(|(name, _)| *name = *who);
                }
                What::Left { who, .. } | What::Lost { who, .. } => drop(self.present.remove(&who.id)),
                What::Unreachable { at, why, .. } => drop(self.unreachable.insert(at.clone(), *why)),
                What::Superseded { .. } | What::Dropped { .. } | What::Leaving => {}
            }
            self.out.event(&event);
        }
    }

    /// Whether something that a batch did not wait for has failed, and in which line.
    ///
    /// # Errors
    /// It has.
    pub fn check(&mut self) -> Result<(), (usize, Failure)> {
        match self.failed.take() {
            Some(failed) => {
                self.receipts.clear();
                Err(failed)
            }
            None => Ok(()),
        }
    }

    /// Waits until every message that was sent has arrived.
    ///
    /// # Errors
    /// One will not, or did not in time.
    pub fn arrive(&mut self) -> Result<(), Failure> {
        self.travel(0)
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
            if !self.out.flush() {
                return Err(Failure::Gone);
            }
            let left = until.since(self.session.now().mono);
            if left.is_zero() {
                return Ok(None);
            }
            self.session.wait(left);
        }
    }

    /// Gives a command and waits for its answer, which is shown.
    ///
    /// # Errors
    /// As the node says, or no answer came in time.
    pub fn call(&mut self, command: Command) -> Result<Reply, Failure> {
        let verb = verb_of(&command);
        let request = self.session.submit(command);
        self.answer(request, verb)
    }

    /// Waits for the answer to a command, and shows it.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn answer(&mut self, request: RequestId, verb: &'static str) -> Result<Reply, Failure> {
        let within = self.settings.timeout;
        let result = self.until(within, |front| front.session.take_reply(request))?;
        let timeout = || Err(CommandError::Timeout { who: "the other side".into(), within });
        let reply = result.unwrap_or_else(timeout).map_err(|error| Failure::Command { verb, error })?;
        let now = self.session.now().mono;
        self.shown(now, &reply);
        self.pump();
        Ok(reply)
    }

    /// Says goodbye and ends. Whatever travels has been waited for, or is given up.
    pub fn leave(&mut self) {
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
        let request = self.session.submit(command);
        self.asked.push((request, verb));
    }

    /// Gives addresses that are to be kept connected and waits until each was tried once.
    pub fn keep(&mut self, commands: Vec<Command>) {
        let requests: Vec<_> = commands.into_iter().map(|command| self.session.submit(command)).collect();
        let mut left = requests;
        let tried = |front: &mut Self| {
            left.retain(|request| front.session.take_reply(*request).is_none());
            left.is_empty().then_some(())
        };
        // Interrupted or not, the batch that follows finds out.
        let _ = self.until(limits::HANDSHAKE, tried);
    }

    /// The last words.
    pub fn end(&mut self, exit: Exit) {
        let now = self.session.now().mono;
        self.out.end(now, exit.code());
        self.out.flush();
    }

    /// Says what failed.
    pub fn complain(&mut self, failure: &Failure) {
        self.out.complain(&failure.to_string());
    }

    /// Whether a signal has asked for the end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Whether [`Self::check`] has something to say.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Waits for anything.
    pub fn rest(&mut self, patience: Duration) {
        self.session.wait(patience);
    }

    /// Lets the world run for a moment, without waiting for anything.
    pub fn glance(&mut self) {
        self.session.wait(Duration::ZERO);
        self.pump();
    }

    /// Waits until at most `left` messages are on their way.
    fn travel(&mut self, left: usize) -> Result<(), Failure> {
        loop {
            let within = self.settings.timeout;
            let due = self.receipts.progress().plus(within);
            let wait = due.since(self.session.now().mono).max(Duration::from_millis(1));
            let news = |front: &mut Self| {
                (front.receipts.len() <= left
                    || front.failed.is_some()
                    || front.receipts.progress().plus(within) > due)
                    .then_some(())
            };
            let moved = self.until(wait, news)?;
            if let Some((line, failure)) = self.failed.take() {
                self.receipts.clear();
                return Err(failure.in_line(line));
            }
            if self.receipts.len() <= left {
                return Ok(());
            }
            if moved.is_none() {
                let failure = self.stuck(within);
                self.receipts.clear();
                return Err(failure);
            }
        }
    }

    /// Why what travels does not arrive.
    fn stuck(&self, within: Duration) -> Failure {
        let Some(Sent { to, seq, origin }) = self.receipts.stuck() else {
            let origin = self.receipts.unanswered().unwrap_or(Origin { line: 0, verb: "send" });
            let error = CommandError::Timeout { who: "the other side".into(), within };
            return Failure::Command { verb: origin.verb, error }.in_line(origin.line);
        };
        let why = self.unreachable.values().next().copied().filter(|_| !self.present.contains_key(&to.id));
        Failure::Unacknowledged { verb: origin.verb, to: to.name.to_string(), seq, within, why }
            .in_line(origin.line)
    }

    fn shown(&mut self, now: Mono, reply: &Reply) {
        if let Reply::Me(me) = reply {
            self.me = me.name;
        }
        self.out.reply(now, reply);
    }

    fn fail(&mut self, line: usize, failure: Failure) {
        self.failed.get_or_insert((line, failure));
    }

    fn follow(&mut self, reply: &Reply, origin: Origin) {
        match reply {
            Reply::Queued { to, seq, .. } => self.receipts.sent(Sent { to: *to, seq: *seq, origin }),
            Reply::Broadcast(told) => {
                for (to, seq) in told {
                    self.receipts.sent(Sent { to: *to, seq: *seq, origin });
                }
            }
            _ => {}
        }
    }

    pub(super) fn is_from(&self, from: Option<&PeerRef>, who: &Who) -> bool {
        match from {
            None => true,
            Some(PeerRef::Id(id)) => who.id == *id,
            Some(PeerRef::At(address)) => match who.id {
                PeerId::Plain(addr) if Address::from(addr) == *address => true,
                _ => {
                    self.present.get(&who.id).and_then(|(_, listens)| *listens).map(Address::from).as_ref()
                        == Some(address)
                }
            },
            Some(PeerRef::Word(word)) => {
                let by_key = match who.id {
                    PeerId::Native(key) => {
                        word.len() >= 4 && key.to_string().starts_with(&word.to_ascii_lowercase())
                    }
                    PeerId::Plain(_) => false,
                };
                // What it is called now counts, and what it was called when it wrote.
                let now = self.present.get(&who.id).map(|(now, _)| now.name);
                who.name.as_str() == word || now.is_some_and(|now| now.as_str() == word) || by_key
            }
        }
    }

    pub(super) fn expect(
        &mut self,
        from: Option<&PeerRef>,
        pattern: &Pattern,
        within: Duration,
    ) -> Result<(), Failure> {
        let take = |front: &mut Self| {
            let unread = std::mem::take(&mut front.unread);
            let mut unread = unread;
            let found = unread.take(|who| front.is_from(from, who), pattern);
            front.unread = unread;
            found
        };
        let found = self.until(within, take)?;
        let now = self.session.now().mono;
        let whom = from.map_or_else(|| "anybody".to_owned(), PeerRef::to_string);
        let shown = crate::text::escape_display(pattern.as_str());
        match found {
            Some((who, _)) => {
                self.out.expected(now, &format!("{} {shown}", who.name));
                Ok(())
            }
            None => {
                let unread = self.unread.explain(|who| self.is_from(from, who), pattern);
                let text = format!(
                    "expect: no message from {whom} matched {shown} within {}; {unread}",
                    show(within)
                );
                Err(Failure::Expectation(text))
            }
        }
    }

    pub(super) fn change(&mut self, change: Change) {
        self.settings.set(change);
        let settings = &self.settings;
        if let Some(look) = self.out.look() {
            look.times = settings.times;
            look.receipts = settings.receipts;
            look.news = settings.news;
            look.color = match settings.color {
                crate::api::settings::Color::Always => true,
                crate::api::settings::Color::Never => false,
                crate::api::settings::Color::Auto => look.auto_color,
            };
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
        Command::Ignore { .. } => "ignore",
        Command::Unignore { .. } => "unignore",
        Command::Me { .. } => "me",
        Command::Status => "status",
        Command::Quit => "quit",
    }
}

/// The protocol that `--classic` asks for.
pub(super) fn dialect(plain: bool) -> Option<Dialect> {
    plain.then_some(Dialect::Plain)
}

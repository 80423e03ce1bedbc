//! What each line of a batch asks for, done on the stage: the same deeds as a script's verbs.

use std::path::PathBuf;
use std::sync::Arc;

use crate::addr::Address;
use crate::api::action::Action;
use crate::api::command::{Command, CommandError, Dialect, PeerRef, show};
use crate::api::grammar::Outcome;
use crate::api::reply::{Reply, Status, Whois};
use crate::id::Name;
use crate::limits;
use crate::play::Ev;
use crate::script::batch::me;
use crate::script::batch::read::{self, Line};
use crate::script::batch::world::{disturb, settle, target};
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::rhai::Talk;
use crate::script::source::Source;
use crate::script::stage::Shared;
use crate::script::turns::Turns;
use crate::world::PeerNo;

/// A batch under way.
pub(super) struct Cast {
    pub(super) stage: Shared,
    pub(super) talk: Talk,
    pub(super) folder: PathBuf,
    /// How many files deep.
    pub(super) depth: usize,
}

/// Whether somebody has to say this line; the rest is about the world.
pub(super) fn needs_speaker(action: &Action) -> bool {
    match action {
        Action::Node(_)
        | Action::Connect { .. }
        | Action::Ping { .. }
        | Action::Chat(_)
        | Action::Expect { .. }
        | Action::ExpectNone(_) => true,
        Action::Wait(_)
        | Action::Settle
        | Action::Fault(_)
        | Action::Step(_)
        | Action::Run { .. }
        | Action::Evaluate(_)
        | Action::Record(_)
        | Action::Source(_)
        | Action::Show(_)
        | Action::Set(_)
        | Action::Limits
        | Action::Clear
        | Action::Menu
        | Action::Help(_) => false,
    }
}

impl Cast {
    /// Obeys lines until one fails.
    pub(super) fn obey(&mut self, lines: Vec<Line>) -> Result<(), ScriptError> {
        for line in lines {
            let (spot, outcome, words) = (line.spot.clone(), line.outcome, line.text.clone());
            let before = self.stage.borrow().deeds.done.len();
            let result = self.line(line).map_err(|mut error| {
                error.spot.get_or_insert_with(|| spot.clone());
                self.by_cast(error)
            });
            match outcome {
                Outcome::Succeed => {}
                Outcome::Fail => self.stage.borrow_mut().deeds.mark(before, '!'),
                Outcome::Either => self.stage.borrow_mut().deeds.mark(before, '?'),
            }
            match (result, outcome) {
                (Ok(()), Outcome::Succeed | Outcome::Either) => {}
                (Ok(()), Outcome::Fail) => {
                    let words = format!("this was to fail and did not: {words}");
                    return Err(Failure::Check(words).at(&spot));
                }
                (Err(error), Outcome::Fail | Outcome::Either) if !error.failure.is_final() => {
                    let said = error.failure.to_string();
                    let first = said.lines().next().unwrap_or_default().to_owned();
                    let must = if outcome == Outcome::Fail { "must" } else { "may" };
                    self.note(&spot, None, format!("failed, as it {must}: {first}"));
                }
                (Err(error), _) => return Err(error),
            }
        }
        Ok(())
    }

    /// Who is unknown in a batch does not speak in it.
    fn by_cast(&self, mut error: ScriptError) -> ScriptError {
        if let Failure::Command { verb, error: CommandError::UnknownPeer { name, near, .. } } =
            &*error.failure
        {
            let stage = self.stage.borrow();
            let cast: Vec<_> = stage.scene.actors.iter().map(|actor| actor.name.to_string()).collect();
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let cast = if cast.is_empty() { "nobody".into() } else { cast.join(", ") };
            let words =
                format!("{verb}: no peer called \"{name}\"{near} (who speaks is in the cast, here: {cast})");
            error.failure = Box::new(Failure::Thrown(words));
        }
        error
    }

    fn note(&self, spot: &Spot, who: Option<PeerNo>, words: String) {
        self.stage.borrow_mut().record(who, Ev::Note, |moment| {
            moment.line = Some(spot.line);
            moment.text = text(words);
        });
    }

    fn line(&mut self, line: Line) -> Result<(), ScriptError> {
        self.stage.borrow().check()?;
        let Line { spot, speaker, action, .. } = line;
        let speaks = speaker.or_else(|| needs_speaker(&action).then(me));
        let who = match speaks {
            None => None,
            Some(name) => match self.stage.borrow().scene.find(name) {
                Some(who) => Some(who),
                // Left out, with all that it does.
                None => return Ok(()),
            },
        };
        match (action, who) {
            (Action::Evaluate(script), _) => {
                if let Some(value) = self.talk.evaluate(&script, &spot)? {
                    self.note(&spot, None, value);
                }
                Ok(())
            }
            (Action::Source(path), _) => self.source(&path, speaker, &spot),
            (action, Some(who)) if needs_speaker(&action) => self.deed(&spot, who, action),
            (action, _) => self.worldly(&spot, action),
        }
    }

    /// Something that one of the cast does.
    fn deed(&mut self, spot: &Spot, me: PeerNo, action: Action) -> Result<(), ScriptError> {
        let stage = self.stage.clone();
        let talk = &self.talk;
        let mut aside = || talk.aside();
        let mut turns = Turns { stage: &stage, aside: &mut aside };
        let line = action.to_string();
        let words = match action {
            Action::Node(command) => command_deed(&mut turns, spot, me, command, &line)?,
            Action::Connect { to, plain } => {
                let dialect = plain.then_some(Dialect::Plain);
                for to in &to {
                    if let Some(to) = target(&turns, to) {
                        turns.connect(spot, me, &to, dialect)?;
                    }
                }
                if to.is_empty() {
                    turns.connect_known(spot, me)?;
                }
                None
            }
            Action::Ping { peer, count } => {
                let mut last = None;
                for _ in 0..count {
                    let Some(to) = target(&turns, &peer) else { break };
                    let peer = turns.stage.borrow().reference(&to);
                    last = turns.other(spot, me, "ping", Command::Ping { peer }, &line)?;
                }
                last.and_then(|reply| told(&turns, reply))
            }
            Action::Expect { from, pattern, within } => {
                let within = within.unwrap_or(limits::EXPECT);
                let from = match from {
                    Some(from) => match target(&turns, &from) {
                        Some(from) => Some(from),
                        None => return Ok(()),
                    },
                    None => None,
                };
                turns.expect(spot, me, from.as_ref(), &pattern, within)?;
                None
            }
            Action::ExpectNone(within) => {
                turns.expect_none(spot, me, within.unwrap_or(limits::EXPECT_NONE))?;
                None
            }
            _ => None,
        };
        if let Some(words) = words {
            self.note(spot, Some(me), words);
        }
        Ok(())
    }

    /// Something about the world, or the screen.
    fn worldly(&mut self, spot: &Spot, action: Action) -> Result<(), ScriptError> {
        let stage = self.stage.clone();
        let talk = &self.talk;
        let mut aside = || talk.aside();
        let mut turns = Turns { stage: &stage, aside: &mut aside };
        match action {
            Action::Wait(time) => turns.wait(spot, time),
            Action::Settle => settle(&mut turns, spot, limits::SETTLE),
            Action::Fault(fault) => disturb(&turns, spot, &fault),
            Action::Step(title) => {
                stage.borrow_mut().step(spot, &title);
                Ok(())
            }
            Action::Run { .. } => Err(Failure::Misuse(
                "run: a batch cannot run another; its lines can be read with: source FILE".into(),
            )
            .into()),
            Action::Record(_) => {
                Err(Failure::Misuse("record: needs a prompt; this is a script already".into()).into())
            }
            Action::Menu => Err(Failure::Misuse("menu: needs a terminal".into()).into()),
            // They are about a screen, and here is none.
            _ => Ok(()),
        }
    }

    /// Reads lines from a file beside this one, as if they stood here.
    fn source(&mut self, path: &str, speaker: Option<Name>, spot: &Spot) -> Result<(), ScriptError> {
        if self.depth >= limits::SOURCE_DEPTH_MAX {
            let shown = crate::text::escape_display(path);
            let max = limits::SOURCE_DEPTH_MAX;
            return Err(Failure::Bound(format!(
                "source: {shown} is sourced {max} deep; does it source itself?"
            ))
            .into());
        }
        let source = Source::read(&self.folder.join(path), Vec::new())
            .map_err(|error| Failure::Thrown(format!("source: {error}")).at(spot))?;
        let file: Arc<str> = crate::text::escape_display(path).into();
        self.stage.borrow_mut().texts.insert(Arc::clone(&file), source.text.as_str().into());
        let mut lines = read::lines(&file, &source.text)?;
        // What has no speaker of its own there is said by who sources it.
        lines.iter_mut().filter(|line| needs_speaker(&line.action)).for_each(|line| {
            line.speaker = line.speaker.or(speaker);
        });
        super::enter(&self.stage, &lines)?;
        self.depth += 1;
        let result = self.obey(lines);
        self.depth -= 1;
        result
    }
}

/// What a node is told, and what of its answer is worth saying.
fn command_deed(
    turns: &mut Turns<'_>,
    spot: &Spot,
    me: PeerNo,
    command: Command,
    line: &str,
) -> Result<Option<String>, ScriptError> {
    let verb = line.split(' ').next().unwrap_or_default();
    match command {
        Command::Send { to, text, .. } => {
            if let Some(to) = target(turns, &to) {
                turns.send(spot, me, &to, text.as_str())?;
            }
            Ok(None)
        }
        Command::Broadcast { text, .. } => turns.broadcast(spot, me, text.as_str()).map(|_| None),
        Command::Reply { text } => turns.reply(spot, me, text.as_str()).map(|()| None),
        Command::Disconnect { peer: None } => turns.disconnect(spot, me, None).map(|()| None),
        Command::Disconnect { peer: Some(peer) } => {
            if let Some(peer) = target(turns, &peer) {
                turns.disconnect(spot, me, Some(&peer))?;
            }
            Ok(None)
        }
        Command::Quit => turns.quit(spot, me).map(|()| None),
        Command::Peers { known } => {
            let peers = turns.peers(me, known)?;
            Ok(Some(format!("peers: {}", if peers.is_empty() { "nobody".into() } else { peers.join(", ") })))
        }
        command => {
            let verb = VERBS.iter().find(|known| **known == verb).copied().unwrap_or("command");
            let Some(command) = known_peers(turns, command) else { return Ok(None) };
            Ok(turns.other(spot, me, verb, command, line)?.and_then(|reply| told(turns, reply)))
        }
    }
}

/// The verbs of commands that have no more than an answer.
const VERBS: [&str; 8] = ["whois", "alias", "ignore", "unignore", "me", "status", "ping", "connect"];

/// A command with peers of the cast by their addresses: a node knows a name only once it has met it.
/// `None` when it is about one that is left out.
fn known_peers(turns: &Turns<'_>, command: Command) -> Option<Command> {
    let known = |peer: PeerRef| {
        let target = target(turns, &peer)?;
        Some(turns.stage.borrow().reference(&target))
    };
    Some(match command {
        Command::Whois { peer } => Command::Whois { peer: known(peer)? },
        Command::Alias { name, peer } => Command::Alias { name, peer: known(peer)? },
        Command::Ignore { peer } => Command::Ignore { peer: known(peer)? },
        Command::Unignore { peer } => Command::Unignore { peer: known(peer)? },
        other => other,
    })
}

/// An answer in a line.
fn told(turns: &Turns<'_>, reply: Reply) -> Option<String> {
    let name = |who| turns.stage.borrow().scene.who(who).name;
    match reply {
        Reply::Pong(who, time) => Some(format!("{} answers within {}", name(&who), show(time))),
        Reply::Whois(whois) => {
            let Whois { row, key, dialect, received, sent, .. } = *whois;
            let words = key.map_or_else(|| "no key".to_owned(), |key| key.words());
            let at = row.listens.map(Address::from).map_or_else(|| "nowhere".to_owned(), |at| at.to_string());
            let state = row.state.word();
            Some(format!(
                "{} {state} at {at}, {dialect}, {words}; {received} received, {sent} sent",
                name(&row.who)
            ))
        }
        Reply::Me(me) => Some(format!("{} {}", me.name, me.key.words())),
        Reply::Status(status) => {
            let Status { connected, known, received, sent, delivered, queued, .. } = *status;
            Some(format!(
                "{connected} connected, {known} known; {received} received, {sent} sent, {delivered} delivered, {queued} queued"
            ))
        }
        _ => None,
    }
}

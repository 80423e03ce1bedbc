//! What a script has its peers do: connect, say, leave. Each deed is given to the peer's own node as
//! a command, and what comes of it is on the list.

use std::sync::Arc;

use crate::addr::Address;
use crate::api::command::{Command, CommandError, Dialect, PeerRef};
use crate::api::reply::{PeerState, Reply};
use crate::play::Ev;
use crate::script::asked::Saying;
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::scene::Someone;
use crate::script::stage::Stage;
use crate::script::turns::Turns;
use crate::text::Body;
use crate::world::PeerNo;

/// Whom a verb is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// One of the cast.
    Cast(PeerNo),
    /// Somebody as a node knows it.
    Other(PeerRef),
}

impl Stage {
    /// How a node is told whom a verb is about. One of the cast is always known by its address.
    pub(super) fn reference(&self, target: &Target) -> PeerRef {
        match target {
            Target::Cast(no) => PeerRef::At(Address::from(self.scene.actors[no.0].addr)),
            Target::Other(reference) => reference.clone(),
        }
    }

    /// How a person would write it.
    pub(super) fn written(&self, target: &Target) -> String {
        match target {
            Target::Cast(no) => self.name(*no).to_string(),
            Target::Other(PeerRef::Word(word)) => crate::api::words::quote(word),
            Target::Other(other) => other.to_string(),
        }
    }

    fn may_talk(&mut self, spot: &Spot, me: PeerNo, line: impl FnOnce(&Self) -> String) -> bool {
        let line = format!("{}> {}", self.name(me), line(self));
        self.may(spot, DeedKind::Talk, &line, || line.clone())
    }

    /// The script has somebody say something.
    fn said(&mut self, me: PeerNo, to: Option<&Target>, words: &Arc<str>, spot: &Spot) -> Saying {
        let auto = self.in_handler;
        let with = match to {
            Some(Target::Cast(no)) => Some(self.name(*no)),
            Some(Target::Other(PeerRef::Word(word))) => crate::id::Name::new(word).ok(),
            Some(Target::Other(_)) | None => None,
        };
        let cause = self.record(Some(me), Ev::Send, |moment| {
            moment.with = with;
            moment.auto = auto;
            moment.text = text(Arc::clone(words));
            moment.line = Some(spot.line);
        });
        Saying { words: Arc::clone(words), cause, line: spot.line, auto }
    }
}

impl Turns<'_> {
    /// Connects, and waits until that is usable.
    pub(super) fn connect(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        to: &Target,
        dialect: Option<Dialect>,
    ) -> Result<(), ScriptError> {
        let Some(command) = self.connection(spot, me, to, dialect, true) else { return Ok(()) };
        self.call(me, "connect", command).map(drop)
    }

    /// Begins to connect, and does not wait: whether it comes to something is seen later.
    pub(super) fn begin_connect(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        to: &Target,
        dialect: Option<Dialect>,
    ) -> Result<(), ScriptError> {
        let Some(command) = self.connection(spot, me, to, dialect, false) else { return Ok(()) };
        self.stage.borrow_mut().submit(me, command)?;
        Ok(())
    }

    fn connection(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        to: &Target,
        dialect: Option<Dialect>,
        waits: bool,
    ) -> Option<Command> {
        let mut stage = self.stage.borrow_mut();
        let classic = dialect == Some(Dialect::Plain);
        let (name, whom) = (stage.name(me), stage.written(to));
        let may = if waits {
            let plain = if classic { "--classic " } else { "" };
            stage.may_talk(spot, me, |_| format!("connect {plain}{whom}"))
        } else {
            // A batch always waits.
            let plain = if classic { ", classic: true" } else { "" };
            let line = format!("={name}.connect({whom}, #{{ wait: false{plain} }})");
            stage.may(spot, DeedKind::Talk, &line, || line.clone())
        };
        may.then(|| Command::Connect { to: stage.reference(to), dialect })
    }

    /// Connects to everybody ever known.
    pub(super) fn connect_known(&mut self, spot: &Spot, me: PeerNo) -> Result<(), ScriptError> {
        if !self.stage.borrow_mut().may_talk(spot, me, |_| "connect".into()) {
            return Ok(());
        }
        self.call(me, "connect", Command::ConnectKnown).map(drop)
    }

    /// Queues a message for one peer.
    pub(super) fn send(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        to: &Target,
        words: &str,
    ) -> Result<(), ScriptError> {
        let body = body("send", words)?;
        let (command, saying) = {
            let mut stage = self.stage.borrow_mut();
            let line = |stage: &Stage| {
                format!("send {} {}", stage.written(to), crate::api::words::quote_text(words))
            };
            if !stage.may_talk(spot, me, line) {
                return Ok(());
            }
            stage.check_up(me)?;
            let saying = stage.said(me, Some(to), &body.share(), spot);
            let whom = stage.written(to);
            stage.bot_speaks(&whom, saying.auto);
            (Command::Send { to: stage.reference(to), text: body, auto: saying.auto }, saying)
        };
        self.tell(me, "send", command, saying).map(drop)
    }

    /// Queues a message for whoever wrote last.
    pub(super) fn reply(&mut self, spot: &Spot, me: PeerNo, words: &str) -> Result<(), ScriptError> {
        let last = self.stage.borrow().scene.actors[me.0].last.clone();
        let to = match last.map(|last| last.from) {
            Some(Someone { no: Some(no), .. }) => Target::Cast(no),
            Some(Someone { name, .. }) => Target::Other(PeerRef::Word(name.to_string())),
            // Whoever would have written is not there.
            None if self.stage.borrow().leaves_out_anybody() => return Ok(()),
            None => return Err(Failure::Command { verb: "reply", error: CommandError::NoOneWrote }.into()),
        };
        self.send(spot, me, &to, words)
    }

    /// Queues a message for every connected peer; gives how many they are.
    pub(super) fn broadcast(&mut self, spot: &Spot, me: PeerNo, words: &str) -> Result<usize, ScriptError> {
        let body = body("broadcast", words)?;
        let (command, saying) = {
            let mut stage = self.stage.borrow_mut();
            let line = |_: &Stage| format!("broadcast {}", crate::api::words::quote_text(words));
            if !stage.may_talk(spot, me, line) {
                return Ok(0);
            }
            stage.check_up(me)?;
            let saying = stage.said(me, None, &body.share(), spot);
            (Command::Broadcast { text: body, auto: saying.auto }, saying)
        };
        match self.tell(me, "broadcast", command, saying)? {
            Reply::Broadcast(told) => Ok(told.len()),
            _ => Ok(0),
        }
    }

    /// Says goodbye to one peer, or to all.
    pub(super) fn disconnect(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        from: Option<&Target>,
    ) -> Result<(), ScriptError> {
        let peer = {
            let mut stage = self.stage.borrow_mut();
            let line = |stage: &Stage| match from {
                Some(from) => format!("disconnect {}", stage.written(from)),
                None => "disconnect --all".into(),
            };
            if !stage.may_talk(spot, me, line) {
                return Ok(());
            }
            from.map(|from| stage.reference(from))
        };
        self.call(me, "disconnect", Command::Disconnect { peer }).map(drop)
    }

    /// Says goodbye to all and ends the peer's program.
    pub(super) fn quit(&mut self, spot: &Spot, me: PeerNo) -> Result<(), ScriptError> {
        if !self.stage.borrow_mut().may_talk(spot, me, |_| "quit".into()) {
            return Ok(());
        }
        self.call(me, "quit", Command::Quit).map(drop)
    }

    /// Who is connected, or was ever known, in the order of the cast.
    pub(super) fn peers(&mut self, me: PeerNo, known: bool) -> Result<Vec<String>, ScriptError> {
        let Reply::Peers(rows) = self.call(me, "peers", Command::Peers { known })? else {
            return Ok(Vec::new());
        };
        let stage = self.stage.borrow();
        let rows = rows.iter().filter(|row| known || row.state == PeerState::Connected);
        let mut found: Vec<_> = rows.map(|row| stage.scene.who(&row.who)).collect();
        // Whoever is not of the cast comes last.
        found.sort_by_key(|who| (who.no.is_none(), who.no, who.name));
        Ok(found.into_iter().map(|who| who.name.to_string()).collect())
    }

    /// Any other command; what it says is the front end's to show.
    pub(super) fn other(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        verb: &'static str,
        command: Command,
        line: &str,
    ) -> Result<Option<Reply>, ScriptError> {
        if !self.stage.borrow_mut().may_talk(spot, me, |_| line.to_owned()) {
            return Ok(None);
        }
        self.call(me, verb, command).map(Some)
    }
}

impl Stage {
    fn check_up(&mut self, me: PeerNo) -> Result<(), Failure> {
        if self.scene.world.is_up(me)? {
            return Ok(());
        }
        Err(crate::world::WorldError::Down(self.name(me)).into())
    }
}

fn body(verb: &'static str, words: &str) -> Result<Body, Failure> {
    Body::new(words).map_err(|error| Failure::Misuse(format!("{verb}: {error}")))
}

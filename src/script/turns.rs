//! Waiting: the world runs until something is so, and after every turn the script's handlers are
//! called and its invariants are looked at. The one loop of all blocking verbs; no async needed.

use std::time::Duration;

use crate::api::command::{Command, CommandError};
use crate::api::reply::Reply;
use crate::limits;
use crate::script::asked::Saying;
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::stage::{Shared, Stage};
use crate::world::{PeerNo, Rest};

/// What a script wants done between two turns; it may wait itself.
pub(super) type Aside<'a> = &'a mut dyn FnMut() -> Result<(), ScriptError>;

/// A wait of a script.
pub(super) struct Turns<'a> {
    pub(super) stage: &'a Shared,
    pub(super) aside: Aside<'a>,
}

impl Turns<'_> {
    /// Lets the world run until `found` finds something; `None` when `patience` is over and nothing
    /// more happens in that instant.
    ///
    /// # Errors
    /// The script is to end, or what it does between two turns failed.
    pub(super) fn until<T>(
        &mut self,
        patience: Duration,
        mut found: impl FnMut(&mut Stage) -> Option<T>,
    ) -> Result<Option<T>, ScriptError> {
        let until = self.stage.borrow().scene.world.now().mono.plus(patience);
        loop {
            (self.aside)()?;
            let mut stage = self.stage.borrow_mut();
            if let Some(found) = found(&mut stage) {
                return Ok(Some(found));
            }
            stage.check()?;
            let now = stage.scene.world.now().mono;
            // What happens in the last instant is in time, in whatever order it happens.
            if now > until || (!stage.turn(until.since(now)) && now == until) {
                return Ok(None);
            }
        }
    }

    /// Lets the world run until it rests; false when it did not within `patience`.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(super) fn settle(&mut self, patience: Duration) -> Result<bool, ScriptError> {
        let until = self.stage.borrow().scene.world.now().mono.plus(patience);
        loop {
            (self.aside)()?;
            let mut stage = self.stage.borrow_mut();
            stage.check()?;
            let left = until.since(stage.scene.world.now().mono);
            match stage.rest(left) {
                Rest::Quiet if stage.scene.calls.is_empty() => return Ok(true),
                Rest::Waited if stage.scene.world.now().mono >= until => return Ok(false),
                Rest::News | Rest::Quiet | Rest::Waited => {}
            }
        }
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(super) fn wait(&mut self, spot: &Spot, time: Duration) -> Result<(), ScriptError> {
        if !self.waits(spot, &format!("wait {}", crate::api::command::show(time))) {
            return Ok(());
        }
        self.until(time, |_| None::<()>).map(drop)
    }

    /// Whether the script waits here.
    pub(super) fn waits(&mut self, spot: &Spot, line: &str) -> bool {
        self.stage.borrow_mut().may(spot, DeedKind::Pause, "", || line.to_owned())
    }

    /// Somebody of the cast is named by its address to a node that has never met it, and by its name
    /// to the person who reads of that.
    fn by_name(&self, error: CommandError) -> CommandError {
        let CommandError::UnknownPeer { name, .. } = &error else { return error };
        let stage = self.stage.borrow();
        let known = name.parse().ok().and_then(|addr| stage.scene.by_address(addr));
        known.map_or(error, |no| CommandError::NotConnected(stage.name(no)))
    }

    /// Gives a command and waits for its answer.
    ///
    /// # Errors
    /// It was refused, failed, or was not answered within [`limits::COMMAND`].
    pub(super) fn call(
        &mut self,
        who: PeerNo,
        verb: &'static str,
        command: Command,
    ) -> Result<Reply, ScriptError> {
        self.ask(who, verb, command, None)
    }

    /// The same of a command that says something to others.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(super) fn tell(
        &mut self,
        who: PeerNo,
        verb: &'static str,
        command: Command,
        saying: Saying,
    ) -> Result<Reply, ScriptError> {
        self.ask(who, verb, command, Some(saying))
    }

    fn ask(
        &mut self,
        who: PeerNo,
        verb: &'static str,
        command: Command,
        saying: Option<Saying>,
    ) -> Result<Reply, ScriptError> {
        let request = self.stage.borrow_mut().ask(who, command, saying)?;
        let answer = self.until(limits::COMMAND, |stage| stage.answer(who, request));
        self.stage.borrow_mut().forget_asked(who, request);
        let name = || self.stage.borrow().name(who).to_string();
        let late = || Ok(Err(CommandError::Timeout { who: name(), within: limits::COMMAND }));
        Ok(answer?
            .unwrap_or_else(late)?
            .map_err(|error| Failure::Command { verb, error: self.by_name(error) })?)
    }
}

//! What is put on the list, with the numbers that all moments have: the time, Lamport's clock, the
//! cause; and an error that nobody has caught, in the form that reports know.

use std::sync::Arc;

use crate::play::{Ev, Moment, More, Verdict};
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::stage::Stage;
use crate::text::Untrusted;
use crate::world::PeerNo;

impl Stage {
    /// Adds a moment of the present; the numbers that all have are filled in.
    pub(super) fn record(&mut self, who: Option<PeerNo>, ev: Ev, fill: impl FnOnce(&mut Moment)) -> u64 {
        let mut moment = Moment::new(self.scene.at(), ev);
        fill(&mut moment);
        self.record_moment(who, moment)
    }

    pub(super) fn record_moment(&mut self, who: Option<PeerNo>, mut moment: Moment) -> u64 {
        let known = moment.cause.and_then(|cause| self.log.get(cause)).map_or(0, |cause| cause.lam);
        if let Some(actor) = who.and_then(|who| self.scene.actors.get_mut(who.0)) {
            actor.lam = actor.lam.max(known) + 1;
            moment.lam = actor.lam;
            moment.peer = Some(actor.name);
        }
        // What was done to a real network happened a little before it is written down.
        moment.at = moment.at.max(self.scene.latest);
        self.scene.latest = moment.at;
        self.log.push(moment)
    }

    /// The line of a place, as it is written.
    pub(super) fn quote(&self, spot: &Spot) -> Option<String> {
        let line = usize::try_from(spot.line).ok()?.checked_sub(1)?;
        self.texts.get(&spot.file)?.lines().nth(line).map(str::to_owned)
    }

    /// What came of a script or a test, in which a handler may have failed.
    pub(super) fn unbroken(&mut self, result: Result<(), ScriptError>) -> Result<(), ScriptError> {
        let broken = self.scene.broken.take();
        result.and_then(|()| broken.map_or(Ok(()), Err))
    }

    /// An error that nobody has caught comes on the list.
    pub(super) fn record_error(&mut self, error: &ScriptError) {
        let quote = error.quote.clone().or_else(|| self.quote(error.spot.as_ref()?)).and_then(text);
        let file = error
            .spot
            .as_ref()
            .filter(|spot| Some(&*spot.file) != self.file())
            .and_then(|spot| text(Arc::clone(&spot.file)));
        let mut more = More { quote, file, ..More::default() };
        let line = error.spot.as_ref().map(|spot| spot.line);
        let mut moment = Moment::new(self.scene.at(), Ev::ExpectFail);
        let mut who = None;
        match &*error.failure {
            Failure::Unmet(unmet) => {
                let share = |text: String| Untrusted::new(Arc::from(text));
                let unread = unmet.unread.iter().map(|(from, text)| share(format!("{from}: {text}")));
                more.unread = unread.collect();
                more.expected = text(unmet.expected.as_str());
                (moment.with, moment.cause, who) = (unmet.with, unmet.cause, unmet.who);
                moment.text = text(unmet.what.as_str());
            }
            Failure::Check(words) => {
                moment.ev = Ev::Check;
                more.verdict = Some(Verdict::Fail);
                moment.text = text(words.strip_prefix("check: ").unwrap_or(words));
            }
            other => {
                moment.text = text(other.to_string());
            }
        }
        moment.line = line;
        moment.more = Some(Box::new(more));
        self.record_moment(who, moment);
    }

    /// The main file's name.
    fn file(&self) -> Option<&str> {
        self.log.head().script.expose().into()
    }
}

/// A text for the list.
pub(super) fn text(text: impl Into<Arc<str>>) -> Option<Untrusted<Arc<str>>> {
    Some(Untrusted::new(text.into()))
}

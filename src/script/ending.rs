//! How a run ends: what becomes of all that happened, and of an error that nobody has caught.

use std::sync::Arc;

use crate::play::{End, Ev, Moment, More, Verdict};
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::source::Outcome;
use crate::script::stage::{Stage, text};
use crate::text::Untrusted;

impl Stage {
    /// The run has ended so; gives all that happened.
    pub(super) fn end(&mut self, error: Option<ScriptError>) -> Outcome {
        while self.depth() > 0 {
            self.leave();
        }
        self.keep_trace();
        let failed = std::mem::take(&mut self.tests.errors);
        let mut outcome = Outcome {
            play: self.log.take(),
            deeds: std::mem::take(&mut self.deeds),
            error,
            failed,
            texts: std::mem::take(&mut self.texts),
            trace: self.trace.take().unwrap_or_default(),
        };
        let (at, result, trace) = (self.scene.at(), outcome.exit().code(), self.digest);
        outcome.play.end = Some(End { at, result, trace });
        outcome
    }

    /// The line of a place, as it is written.
    pub(super) fn quote(&self, spot: &Spot) -> Option<String> {
        let line = usize::try_from(spot.line).ok()?.checked_sub(1)?;
        self.texts.get(&spot.file)?.lines().nth(line).map(str::to_owned)
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
                more.expected = text("no error");
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

//! Expectations. `expect` is a selective receive: the oldest unread message that matches is taken,
//! the others stay, so that the order in which two peers happen to write does not matter. A failure
//! says what was unread, and what of it came nearest.

use std::time::Duration;

use crate::api::command::show;
use crate::api::pattern::Pattern;
use crate::play::Ev;
use crate::script::act::Target;
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, ScriptError, Spot, Unmet};
use crate::script::record::text;
use crate::script::scene::{Heard, Someone};
use crate::script::stage::Stage;
use crate::script::turns::Turns;
use crate::text::escape_display;
use crate::world::PeerNo;

/// Unread messages that a failure shows.
const SHOWN: usize = 10;

impl Stage {
    fn is_from(&self, from: Option<&Target>, who: &Someone) -> bool {
        match from {
            None => true,
            Some(Target::Cast(no)) => who.no == Some(*no),
            Some(other) => self.written(other) == who.name.as_str(),
        }
    }

    fn take(&mut self, me: PeerNo, from: Option<&Target>, pattern: &Pattern) -> Option<Heard> {
        let matches = |heard: &Heard| self.is_from(from, &heard.from) && pattern.matches(&heard.text);
        let at = self.scene.actors[me.0].unread.iter().position(matches)?;
        self.scene.actors[me.0].unread.remove(at)
    }

    /// Takes a message of which nobody asks whether it comes.
    fn take_unasked(&mut self, me: PeerNo, from: Option<&Target>, pattern: &Pattern) {
        if self.take(me, from, pattern).is_some() {
            self.deeds.untaken.insert(self.scene.actors[me.0].name);
        } else {
            self.scene.actors[me.0].unasked.push((from.cloned(), pattern.clone()));
        }
    }

    /// A message has come; it may be one of which nobody asks.
    pub(super) fn take_if_unasked(&mut self, me: PeerNo) {
        for at in 0..self.scene.actors[me.0].unasked.len() {
            let (from, pattern) = self.scene.actors[me.0].unasked[at].clone();
            if self.take(me, from.as_ref(), &pattern).is_some() {
                self.deeds.untaken.insert(self.scene.actors[me.0].name);
                self.scene.actors[me.0].unasked.remove(at);
                return;
            }
        }
    }

    /// What is unread, for a failure to show, with what came nearest.
    fn unmet(&self, me: PeerNo, from: Option<&Target>, pattern: Option<&Pattern>) -> Unmet {
        let actor = &self.scene.actors[me.0];
        let skipped = actor.unread.len().saturating_sub(SHOWN);
        let shown: Vec<_> = actor.unread.iter().skip(skipped).collect();
        let distance = |heard: &Heard, pattern: &Pattern| {
            let clip: String = heard.text.chars().take(200).collect();
            let slips = strsim::damerau_levenshtein(pattern.as_str(), &clip);
            // Another sender is as far off as half the pattern.
            slips + if self.is_from(from, &heard.from) { 0 } else { pattern.as_str().len() / 2 + 1 }
        };
        let nearest =
            pattern.and_then(|pattern| (0..shown.len()).min_by_key(|&at| distance(shown[at], pattern)));
        let unread = shown.iter().map(|heard| {
            let mark = if heard.plain { " [plain]" } else { "" };
            (format!("{}{mark}", heard.from.name), heard.text.to_string())
        });
        Unmet {
            reader: actor.name.to_string(),
            unread: unread.collect(),
            more: skipped,
            nearest,
            who: Some(me),
            with: match from {
                Some(Target::Cast(no)) => Some(self.name(*no)),
                Some(Target::Other(_)) | None => None,
            },
            cause: nearest.map(|at| shown[at].moment),
            ..Unmet::default()
        }
    }
}

impl Turns<'_> {
    /// Waits for a message and takes it; `None` when this run leaves that out. Then it is taken
    /// whenever it comes, as nothing else is to find it unread.
    pub(super) fn expect(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        from: Option<&Target>,
        pattern: &Pattern,
        within: Duration,
    ) -> Result<Option<Heard>, ScriptError> {
        if !self.stage.borrow_mut().may_expect(spot, me, from, pattern, within) {
            self.stage.borrow_mut().take_unasked(me, from, pattern);
            return Ok(None);
        }
        let found = self.until(within, |stage| stage.take(me, from, pattern))?;
        let mut stage = self.stage.borrow_mut();
        if let Some(heard) = found {
            // There is one less to take, so a script cannot do only this for ever.
            stage.went_on();
            stage.record(Some(me), Ev::ExpectOk, |moment| {
                moment.with = Some(heard.from.name);
                moment.text = text(pattern.as_str());
                moment.line = Some(spot.line);
                moment.cause = Some(heard.moment);
            });
            stage.answered_text(spot, &heard.text);
            return Ok(Some(heard));
        }
        let mut unmet = stage.unmet(me, from, Some(pattern));
        let whom = from.map_or_else(String::new, |from| format!(" from {}", stage.written(from)));
        unmet.expected = pattern.as_str().to_owned();
        unmet.what = format!(
            "expect: {} got no message{whom} like \"{}\" within {}",
            unmet.reader,
            escape_display(pattern.as_str()),
            show(within)
        );
        Err(Failure::Unmet(Box::new(unmet)).into())
    }

    /// Fails if anything is unread, or comes within this time.
    pub(super) fn expect_none(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        within: Duration,
    ) -> Result<(), ScriptError> {
        {
            let mut stage = self.stage.borrow_mut();
            let line = format!("{}> expect-none {}", stage.name(me), show(within));
            if !stage.may(spot, DeedKind::Expect, "", || line) {
                return Ok(());
            }
        }
        let something = |stage: &mut Stage| (!stage.scene.actors[me.0].unread.is_empty()).then_some(());
        let found = self.until(within, something)?;
        let mut stage = self.stage.borrow_mut();
        if found.is_none() {
            stage.record(Some(me), Ev::ExpectOk, |moment| {
                moment.text = text("nothing");
                moment.line = Some(spot.line);
            });
            return Ok(());
        }
        let mut unmet = stage.unmet(me, None, None);
        unmet.cause = stage.scene.actors[me.0].unread.front().map(|heard| heard.moment);
        unmet.expected = "nothing".into();
        unmet.what = format!("expect_none: {} was to get nothing, and something came", unmet.reader);
        Err(Failure::Unmet(Box::new(unmet)).into())
    }

    /// Waits until a peer has seen another leave with a goodbye.
    pub(super) fn expect_left(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        whom: &Target,
        within: Duration,
    ) -> Result<(), ScriptError> {
        {
            let mut stage = self.stage.borrow_mut();
            let line = format!("={}.expect_left({})", stage.name(me), stage.written(whom));
            if !stage.may(spot, DeedKind::Expect, "", || line) {
                return Ok(());
            }
        }
        let found = self.until(within, |stage| {
            let is_it = |(who, ev): &(Someone, Ev)| *ev == Ev::Left && stage.is_from(Some(whom), who);
            let at = stage.scene.actors[me.0].gone.iter().position(is_it)?;
            stage.scene.actors[me.0].gone.remove(at)
        })?;
        let mut stage = self.stage.borrow_mut();
        let name = stage.written(whom);
        if found.is_some() {
            stage.record(Some(me), Ev::ExpectOk, |moment| {
                moment.text = text(format!("{name} leaves"));
                moment.line = Some(spot.line);
            });
            return Ok(());
        }
        let lost = stage.scene.actors[me.0].gone.iter().any(|(who, _)| stage.is_from(Some(whom), who));
        let mut unmet = stage.unmet(me, None, None);
        unmet.expected = format!("{name} leaves");
        let but = if lost { "; it was lost, without a goodbye" } else { "" };
        unmet.what =
            format!("expect_left: {} did not see {name} leave within {}{but}", unmet.reader, show(within));
        Err(Failure::Unmet(Box::new(unmet)).into())
    }
}

impl Stage {
    fn may_expect(
        &mut self,
        spot: &Spot,
        me: PeerNo,
        from: Option<&Target>,
        pattern: &Pattern,
        within: Duration,
    ) -> bool {
        let from = from.map_or_else(|| "*".to_owned(), |from| self.written(from));
        let pattern = crate::api::words::quote_pattern(pattern.as_str());
        let within = match within {
            crate::limits::EXPECT => String::new(),
            within => format!(" --within {}", show(within)),
        };
        let line = format!("{}> expect{within} {from} {pattern}", self.name(me));
        self.may(spot, DeedKind::Expect, "", || line)
    }
}

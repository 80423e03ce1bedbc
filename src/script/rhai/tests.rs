//! Tests: each has a world of its own at t = 0, whose chances follow from the seed and the title. One
//! that fails does not stop the next; where programs of others are graded it is tried again, and one
//! that fails now and then is called flaky.

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, NativeCallContext};
use std::rc::Rc;

use crate::play::{Ev, Moment, More, Verdict};
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::rhai::kit::{Fallible, Kit};
use crate::script::rhai::trouble;

type Ctx<'a> = NativeCallContext<'a>;

/// A test, as the script has it.
struct Test<'a> {
    title: &'a str,
    points: f64,
    spot: Spot,
}

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("test", move |ctx: Ctx<'_>, title: &str, points: i64, body: FnPtr| {
        test(&own, &ctx, title, points as f64, &body)
    });
    let own = Rc::clone(kit);
    engine.register_fn("test", move |ctx: Ctx<'_>, title: &str, points: f64, body: FnPtr| {
        test(&own, &ctx, title, points, &body)
    });
    let own = Rc::clone(kit);
    engine.register_fn("test", move |ctx: Ctx<'_>, title: &str, body: FnPtr| {
        test(&own, &ctx, title, 1.0, &body)
    });
}

fn test(kit: &Kit, ctx: &Ctx<'_>, title: &str, points: f64, body: &FnPtr) -> Fallible<()> {
    let spot = kit.spot(ctx);
    if kit.stage.borrow().pair || !kit.stage.borrow_mut().may_test(&spot, title) {
        return Ok(());
    }
    let attempts = kit.act(ctx, |turns, _| {
        let mut stage = turns.stage.borrow_mut();
        if stage.depth() > 0 {
            let words = "test: a test stands inside another; put them side by side";
            return Err(Failure::Misuse(words.into()).into());
        }
        if !points.is_finite() || points < 0.0 {
            return Err(Failure::Misuse(format!("test: {points} are no points")).into());
        }
        stage.tests.all += 1;
        Ok(stage.attempts.max(1))
    })?;
    let test = Test { title, points, spot };
    let mut failed = Vec::new();
    loop {
        let from = kit.act(ctx, |turns, _| test.begin(&mut turns.stage.borrow_mut()))?;
        let error = match body.call_within_context::<Dynamic>(ctx, ()).err() {
            // The script ends here, and it did so by itself.
            Some(exit) if matches!(*exit, EvalAltResult::Exit(..)) => {
                test.end(kit, None, &failed)?;
                return Err(exit);
            }
            error => error.map(|error| kit.explain(*error)),
        };
        let error = error.or_else(|| kit.stage.borrow_mut().scene.broken.take());
        match error {
            Some(error) if !error.failure.is_final() && failed.len() + 1 < attempts => {
                failed.push(error);
                leave(kit);
                // Only the last attempt is shown; what went wrong before is said in a line.
                kit.stage.borrow_mut().log.forget(from);
            }
            error => return test.end(kit, error, &failed),
        }
    }
}

impl Test<'_> {
    /// Enters its world; gives how many moments there were before.
    fn begin(&self, stage: &mut crate::script::stage::Stage) -> Result<u64, ScriptError> {
        let from = stage.log.count();
        stage.enter(self.title)?;
        let more = More { points: Some(self.points), ..More::default() };
        stage.record_moment(None, self.moment(0, more));
        Ok(from)
    }

    fn end(&self, kit: &Kit, error: Option<ScriptError>, failed: &[ScriptError]) -> Fallible<()> {
        {
            let mut stage = kit.stage.borrow_mut();
            for (attempt, error) in failed.iter().enumerate() {
                let words = error.failure.to_string();
                let first = words.lines().next().unwrap_or_default();
                let words = format!("attempt {} failed: {first}", attempt + 1);
                stage.record(None, Ev::Note, |moment| moment.text = text(words));
            }
            if let Some(error) = &error {
                stage.record_error(error);
            }
            let verdict = match (&error, failed.is_empty()) {
                (Some(_), _) => Verdict::Fail,
                (None, true) => Verdict::Pass,
                (None, false) => Verdict::Flaky,
            };
            let got = if error.is_some() { 0.0 } else { self.points };
            let (points, got) = (Some(self.points), Some(got));
            let more = More { verdict: Some(verdict), points, got, ..More::default() };
            let at = stage.scene.at();
            stage.record_moment(None, self.moment(at, more));
        }
        // Programs of others are dead before anything is made of what they did.
        leave(kit);
        let mut stage = kit.stage.borrow_mut();
        stage.tested();
        let Some(error) = error else { return Ok(()) };
        stage.tests.failed += 1;
        if error.failure.is_final() {
            return Err(trouble::throw(error, &self.spot, rhai::Position::NONE));
        }
        stage.tests.errors.push((self.title.to_owned(), error));
        Ok(())
    }

    fn moment(&self, at: u64, more: More) -> Moment {
        let mut moment = Moment::new(at, Ev::Test);
        moment.text = text(self.title);
        moment.line = Some(self.spot.line);
        moment.more = Some(Box::new(more));
        moment
    }
}

/// The scene is over, and with it what belongs to it.
pub(super) fn leave(kit: &Kit) {
    let scene = kit.stage.borrow().scene.number;
    kit.stage.borrow_mut().leave();
    kit.handlers.borrow_mut().retain(|(of, _), _| *of != scene);
    kit.invariants.borrow_mut().retain(|always| always.scene != scene);
}

//! Two programs of others that are to talk with each other: `pair(|a, b| …)` says how a has something
//! to say to b. Where two programs are given, nothing else of a rubric is done, and this is done both
//! ways; where not, it is passed over.

use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};
use std::rc::Rc;
use std::time::Duration;

use crate::play::{Ev, Moment, More, Verdict};
use crate::script::error::{Failure, ScriptError};
use crate::script::record::text;
use crate::script::rhai::kit::{Fallible, Kit};
use crate::script::rhai::programs::{Launched, expect_listen};
use crate::script::rhai::tests::leave;

/// What the two ways are called.
pub const WAYS: [&str; 2] = ["forth", "back"];
/// How long each may take to listen.
const LISTENS: Duration = Duration::from_secs(10);

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("pair", move |ctx: NativeCallContext<'_>, body: FnPtr| pair(&own, &ctx, &body));
}

fn pair(kit: &Kit, ctx: &NativeCallContext<'_>, body: &FnPtr) -> Fallible<()> {
    if !kit.stage.borrow().pair {
        return Ok(());
    }
    let both = kit.act(ctx, |turns, spot| {
        let (scene, numbers) = {
            let mut stage = turns.stage.borrow_mut();
            stage.enter("pair")?;
            let launcher = stage.launcher()?;
            let other =
                launcher.other.ok_or_else(|| Failure::Misuse("pair: there is no other program".into()))?;
            let first = stage.start(&launcher.launch, spot.line)?;
            (stage.scene.number, [first, stage.start(&other, spot.line)?])
        };
        let both = numbers.map(|number| Launched::new(scene, number));
        for program in &both {
            expect_listen(turns, spot, program, LISTENS)?;
        }
        Ok(both)
    });
    let result = both.and_then(|[a, b]| {
        way(kit, ctx, WAYS[0], body, a, b)?;
        way(kit, ctx, WAYS[1], body, b, a)
    });
    leave(kit);
    result
}

/// One way of a pair, as a test.
fn way(
    kit: &Kit,
    ctx: &NativeCallContext<'_>,
    title: &str,
    body: &FnPtr,
    from: Launched,
    to: Launched,
) -> Fallible<()> {
    record(kit, title, None);
    let result = body.call_within_context::<Dynamic>(ctx, (from, to));
    let error: Option<ScriptError> = result.err().map(|error| kit.explain(*error));
    if let Some(error) = &error {
        kit.stage.borrow_mut().record_error(error);
    }
    record(kit, title, Some(if error.is_some() { Verdict::Fail } else { Verdict::Pass }));
    match error {
        Some(error) if error.failure.is_final() => {
            let spot = kit.spot(ctx);
            Err(super::trouble::throw(error, &spot, ctx.call_position()))
        }
        Some(_) | None => Ok(()),
    }
}

fn record(kit: &Kit, title: &str, verdict: Option<Verdict>) {
    let mut stage = kit.stage.borrow_mut();
    let mut moment = Moment::new(stage.scene.at(), Ev::Test);
    moment.text = text(title);
    moment.more = Some(Box::new(More { verdict, ..More::default() }));
    stage.record_moment(None, moment);
}

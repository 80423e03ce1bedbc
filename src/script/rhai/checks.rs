//! What a script says of itself: its steps and notes, what is to be so, and its tests, each of which
//! has a world of its own and does not stop the next when it fails.

use rhai::{Dynamic, Engine, FnPtr, Map, NativeCallContext};
use std::rc::Rc;
use std::time::Duration;

use crate::limits;
use crate::play::{Ev, More, Verdict};
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::rhai::kit::{Fallible, Invariant, Kit};
use crate::script::rhai::peers::{duration, known_keys, said};
use crate::script::stage::Stage;

type Ctx<'a> = NativeCallContext<'a>;

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    saying(engine, kit);
    holding(engine, kit);
}

fn saying(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("step", move |ctx: Ctx<'_>, title: Dynamic| {
        own.act(&ctx, |turns, spot| {
            turns.stage.borrow_mut().step(spot, &said("step", &title)?);
            Ok(())
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("note", move |ctx: Ctx<'_>, words: Dynamic| {
        own.act(&ctx, |turns, spot| {
            let words = said("note", &words)?;
            turns.stage.borrow_mut().record(None, Ev::Note, |moment| {
                moment.line = Some(spot.line);
                moment.text = text(words);
            });
            Ok(())
        })
    });
    let own = Rc::clone(kit);
    engine
        .register_fn("check", move |ctx: Ctx<'_>, holds: bool, words: &str| check(&own, &ctx, holds, words));
    let own = Rc::clone(kit);
    engine.register_fn("check", move |ctx: Ctx<'_>, holds: bool| {
        let words = own.stage.borrow().quote(&own.spot(&ctx)).unwrap_or_default();
        check(&own, &ctx, holds, words.trim())
    });
}

fn check(kit: &Kit, ctx: &Ctx<'_>, holds: bool, words: &str) -> Fallible<()> {
    kit.act(ctx, |turns, spot| {
        let mut stage = turns.stage.borrow_mut();
        let answers = stage.answers.check();
        let may = may_look(&mut stage, spot, &format!("check: {words}"));
        if !may || (!holds && (answers.void || stage.names_left_out(spot))) {
            return Ok(());
        }
        if !holds {
            return Err(Failure::Check(format!("check: {words}{}", answers.on(spot.line))).at(spot));
        }
        stage.record(None, Ev::Check, |moment| {
            moment.line = Some(spot.line);
            moment.text = text(words);
            moment.more = Some(Box::new(More { verdict: Some(Verdict::Pass), ..More::default() }));
        });
        Ok(())
    })
}

/// Whether the script may look at something. No line of a batch does, so a comment says it. What a
/// handler looks at comes with the handler.
fn may_look(stage: &mut Stage, spot: &Spot, words: &str) -> bool {
    stage.in_handler
        || stage.may(spot, DeedKind::Expect, words, || format!("# {}", crate::text::escape_display(words)))
}

fn holding(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("always", move |ctx: Ctx<'_>, holds: FnPtr, title: &str| {
        always(&own, &ctx, holds, title)
    });
    let own = Rc::clone(kit);
    engine.register_fn("always", move |ctx: Ctx<'_>, title: &str, holds: FnPtr| {
        always(&own, &ctx, holds, title)
    });
    let own = Rc::clone(kit);
    engine.register_fn("eventually", move |ctx: Ctx<'_>, holds: FnPtr, title: &str| {
        eventually(&own, &ctx, &holds, title, Map::new())
    });
    let own = Rc::clone(kit);
    engine.register_fn("eventually", move |ctx: Ctx<'_>, title: &str, holds: FnPtr| {
        eventually(&own, &ctx, &holds, title, Map::new())
    });
    let own = Rc::clone(kit);
    engine.register_fn("eventually", move |ctx: Ctx<'_>, holds: FnPtr, title: &str, options: Map| {
        eventually(&own, &ctx, &holds, title, options)
    });
    let own = Rc::clone(kit);
    engine.register_fn("eventually", move |ctx: Ctx<'_>, title: &str, holds: FnPtr, options: Map| {
        eventually(&own, &ctx, &holds, title, options)
    });
}

fn always(kit: &Kit, ctx: &Ctx<'_>, holds: FnPtr, title: &str) -> Fallible<()> {
    kit.act(ctx, |turns, spot| {
        if !may_look(&mut turns.stage.borrow_mut(), spot, &format!("always: {title}")) {
            return Ok(());
        }
        let scene = turns.stage.borrow().scene.number;
        let always = Invariant { scene, title: title.to_owned(), holds, spot: spot.clone() };
        kit.invariants.borrow_mut().push(always);
        Ok(())
    })
}

/// Lets the world run until something is so.
fn eventually(kit: &Kit, ctx: &Ctx<'_>, holds: &FnPtr, title: &str, options: Map) -> Fallible<()> {
    kit.act(ctx, |turns, spot| {
        known_keys("eventually", &options, &["within"])?;
        let within =
            options.get("within").map_or(Ok(limits::EXPECT), |within| duration("eventually", within))?;
        if !may_look(&mut turns.stage.borrow_mut(), spot, &format!("eventually: {title}")) {
            return Ok(());
        }
        let until = turns.stage.borrow().scene.world.now().mono.plus(within);
        loop {
            let before = std::mem::take(&mut turns.stage.borrow_mut().answers);
            let so = holds.call_within_context::<bool>(ctx, ()).map_err(|error| kit.explain(*error))?;
            let answers = std::mem::replace(&mut turns.stage.borrow_mut().answers, before);
            let so = so || answers.is_void();
            let left = until.since(turns.stage.borrow().scene.world.now().mono);
            if so {
                turns.stage.borrow_mut().record(None, Ev::Check, |moment| {
                    moment.line = Some(spot.line);
                    moment.text = text(format!("eventually: {title}"));
                    moment.more = Some(Box::new(More { verdict: Some(Verdict::Pass), ..More::default() }));
                });
                return Ok(());
            }
            if !next_news(turns, left)? && left.is_zero() {
                let within = crate::api::command::show(within);
                return Err(Failure::Check(format!("eventually: {title} (not within {within})")).at(spot));
            }
        }
    })
}

/// Lets one thing happen; false when nothing does.
fn next_news(turns: &mut crate::script::turns::Turns<'_>, left: Duration) -> Result<bool, ScriptError> {
    let before = turns.stage.borrow().log.count();
    Ok(turns.until(left, |stage| (stage.log.count() != before).then_some(()))?.is_some())
}

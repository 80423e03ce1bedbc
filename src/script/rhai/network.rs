//! The verbs of the world: who is in the cast, what the network does, how time passes.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use std::rc::Rc;
use std::time::Duration;

use crate::api::command::{Dialect, show};
use crate::api::fault::ShapeWish;
use crate::id::Name;
use crate::limits;
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::network::{Between, Machine};
use crate::script::rhai::kit::{Fallible, Kit};
use crate::script::rhai::peers::{duration, known_keys};
use crate::script::rhai::values::{Peer, Span};
use crate::script::turns::Turns;
use crate::world::PeerNo;

type Ctx<'a> = NativeCallContext<'a>;

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    casting(engine, kit);
    shaping(engine, kit);
    parting(engine, kit);
    disturbing(engine, kit);
    passing(engine, kit);
}

fn name(word: &str) -> Result<Name, Failure> {
    Name::new(word).map_err(|error| Failure::Misuse(format!("cast: {error}")))
}

fn cast(turns: &Turns<'_>, spot: &Spot, word: &str) -> Result<Peer, ScriptError> {
    let name = name(word)?;
    turns.stage.borrow_mut().cast_unless_left_out(name, spot)?;
    Ok(Peer(name))
}

fn casting(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("cast", move |ctx: Ctx<'_>, names: Array| {
        own.act(&ctx, |turns, spot| {
            let mut cast_now = Array::new();
            for word in names {
                let word = word.into_string().map_err(|kind| {
                    Failure::Misuse(format!(
                        "cast: names are texts, not {kind}; write cast([\"alice\", \"bob\"])"
                    ))
                })?;
                cast_now.push(Dynamic::from(cast(turns, spot, &word)?));
            }
            Ok(cast_now)
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("peer", move |ctx: Ctx<'_>, word: &str| {
        own.act(&ctx, |turns, spot| {
            let name = name(word)?;
            let known = turns.stage.borrow().scene.find(name);
            match known {
                Some(no) => Ok(Peer(turns.stage.borrow().name(no))),
                None if turns.stage.borrow().is_left_out(name) => Ok(Peer(name)),
                None => cast(turns, spot, word),
            }
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("wire", move |ctx: Ctx<'_>, word: &str| {
        own.act(&ctx, |turns, spot| {
            let dialect = match word {
                "classic" => Dialect::Plain,
                "native" => Dialect::Native,
                other => {
                    let other = crate::text::escape_display(other);
                    let words = format!("wire: \"{other}\" is no protocol; write \"native\" or \"classic\"");
                    return Err(Failure::Misuse(words).into());
                }
            };
            let mut stage = turns.stage.borrow_mut();
            // A batch says so line by line.
            if stage.may(spot, DeedKind::Fault, word, || format!("# wire: {word}")) {
                stage.speak(dialect);
            }
            Ok(())
        })
    });
}

/// A map as what is wished of a link.
fn wish(verb: &str, options: Map) -> Result<ShapeWish, Failure> {
    let mut wish = ShapeWish::default();
    for (key, value) in options {
        let number = |value: &Dynamic| match value.as_int().map(u64::try_from) {
            Ok(Ok(number)) => Ok(Some(number)),
            _ => Err(Failure::Misuse(format!("{verb}: {key} is a whole number, not {value}"))),
        };
        match key.as_str() {
            "delay" => wish.delay = Some(duration(verb, &value)?),
            "jitter" => wish.jitter = Some(duration(verb, &value)?),
            "bandwidth" => wish.bandwidth = number(&value)?,
            "split" => wish.split = number(&value)?,
            "glue" => wish.glue = Some(duration(verb, &value)?),
            key => return Err(Failure::Misuse(format!("{verb}: {}", ShapeWish::unknown(key)))),
        }
    }
    Ok(wish)
}

fn shaping(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("net", move |ctx: Ctx<'_>, options: Map| {
        own.act(&ctx, |turns, spot| {
            let wish = wish("net", options)?;
            Ok(turns.stage.borrow_mut().shape(spot, None, &wish)?)
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("link", move |ctx: Ctx<'_>, a: Peer, b: Peer, options: Map| {
        own.act(&ctx, |turns, spot| {
            let wish = wish("link", options)?;
            let mut stage = turns.stage.borrow_mut();
            match a.no(&stage)?.zip(b.no(&stage)?) {
                Some(ends) => Ok(stage.shape(spot, Some(ends), &wish)?),
                None => Ok(()),
            }
        })
    });
}

/// The peers of one side of a partition that are not left out.
fn side(turns: &Turns<'_>, side: &Dynamic) -> Result<Vec<PeerNo>, ScriptError> {
    let stage = turns.stage.borrow();
    let all = side.clone().try_cast::<Array>().unwrap_or_else(|| vec![side.clone()]);
    let mut found = Vec::new();
    for one in all {
        let Some(peer) = one.clone().try_cast::<Peer>() else {
            return Err(Failure::Misuse(format!("partition: peers are wanted, not {one}")).into());
        };
        found.extend(peer.no(&stage)?);
    }
    Ok(found)
}

fn parting(engine: &mut Engine, kit: &Rc<Kit>) {
    let partition = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, from: Dynamic, to: Dynamic, options: Map| -> Fallible<()> {
            kit.act(ctx, |turns, spot| {
                known_keys("partition", &options, &["one_way"])?;
                let one_way = matches!(options.get("one_way").map(Dynamic::as_bool), Some(Ok(true)));
                let (from, to) = (side(turns, &from)?, side(turns, &to)?);
                if from.is_empty() || to.is_empty() {
                    return Ok(());
                }
                Ok(turns.stage.borrow_mut().partition(spot, &from, &to, one_way)?)
            })
        }
    };
    let with = partition(kit);
    engine.register_fn("partition", move |ctx: Ctx<'_>, from: Dynamic, to: Dynamic, options: Map| {
        with(&ctx, from, to, options)
    });
    let with = partition(kit);
    engine.register_fn("partition", move |ctx: Ctx<'_>, from: Dynamic, to: Dynamic| {
        with(&ctx, from, to, Map::new())
    });
    let own = Rc::clone(kit);
    engine.register_fn("heal", move |ctx: Ctx<'_>| {
        own.act(&ctx, |turns, spot| Ok(turns.stage.borrow_mut().heal(spot)?))
    });
}

fn disturbing(engine: &mut Engine, kit: &Rc<Kit>) {
    for (verb, between) in [
        ("hold", Between::Hold),
        ("release", Between::Release),
        ("cut", Between::Cut),
        ("half_open", Between::HalfOpen),
    ] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, a: Peer, b: Peer| {
            own.act(&ctx, |turns, spot| meet(turns, spot, between, &a, &b))
        });
    }
    let own = Rc::clone(kit);
    engine.register_fn("clog", move |ctx: Ctx<'_>, a: Peer, b: Peer, time: Span| {
        own.act(&ctx, |turns, spot| meet(turns, spot, Between::Clog(time.0), &a, &b))
    });
    for (verb, machine) in [("crash", Machine::Crash), ("restart", Machine::Restart)] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, who: Peer| {
            own.act(&ctx, |turns, spot| befall(turns, spot, machine, &who))
        });
    }
    for (verb, machine) in [
        ("slow", Machine::Slow as fn(Duration) -> Machine),
        ("disk", Machine::Disk as fn(Duration) -> Machine),
    ] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, who: Peer, time: Span| {
            own.act(&ctx, |turns, spot| befall(turns, spot, machine(time.0), &who))
        });
    }
    let own = Rc::clone(kit);
    engine.register_fn("refuse", move |ctx: Ctx<'_>, who: Peer, yes: bool| {
        own.act(&ctx, |turns, spot| befall(turns, spot, Machine::Refuse(yes), &who))
    });
    let own = Rc::clone(kit);
    engine.register_fn("crash_after", move |ctx: Ctx<'_>, who: Peer, wishes: i64| {
        own.act(&ctx, |turns, spot| {
            let wishes = u64::try_from(wishes)
                .map_err(|_| Failure::Misuse("crash_after: less than nothing".into()))?;
            befall(turns, spot, Machine::CrashAfter(wishes), &who)
        })
    });
    for (verb, sign) in [("skew", 1), ("skew_back", -1)] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, who: Peer, time: Span| {
            let micros = i64::try_from(time.0.as_micros()).unwrap_or(i64::MAX);
            own.act(&ctx, |turns, spot| befall(turns, spot, Machine::Skew(sign * micros), &who))
        });
    }
}

fn meet(turns: &Turns<'_>, spot: &Spot, verb: Between, a: &Peer, b: &Peer) -> Result<(), ScriptError> {
    let mut stage = turns.stage.borrow_mut();
    match a.no(&stage)?.zip(b.no(&stage)?) {
        Some((a, b)) => Ok(stage.between(spot, verb, a, b)?),
        None => Ok(()),
    }
}

fn befall(turns: &Turns<'_>, spot: &Spot, verb: Machine, who: &Peer) -> Result<(), ScriptError> {
    let mut stage = turns.stage.borrow_mut();
    match who.no(&stage)? {
        Some(who) => Ok(stage.machine(spot, verb, who)?),
        None => Ok(()),
    }
}

fn passing(engine: &mut Engine, kit: &Rc<Kit>) {
    for verb in ["wait", "sleep"] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, time: Span| {
            own.act(&ctx, |turns, spot| turns.wait(spot, time.0))
        });
    }
    // The language's own would really sleep, and know no bound.
    let own = Rc::clone(kit);
    engine.register_fn("sleep", move |ctx: Ctx<'_>, time: i64| own.act(&ctx, |_, _| unitless("sleep", time)));
    let own = Rc::clone(kit);
    engine.register_fn("sleep", move |ctx: Ctx<'_>, time: f64| own.act(&ctx, |_, _| unitless("sleep", time)));
    let own = Rc::clone(kit);
    engine.register_fn("wait", move |ctx: Ctx<'_>, time: i64| own.act(&ctx, |_, _| unitless("wait", time)));
    let settle = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, within: Duration| -> Fallible<()> {
            kit.act(ctx, |turns, spot| {
                if !turns.waits(spot, "settle") || turns.settle(within)? {
                    return Ok(());
                }
                Err(Failure::Check(format!("settle: the world did not come to rest within {}", show(within)))
                    .into())
            })
        }
    };
    let with = settle(kit);
    engine.register_fn("settle", move |ctx: Ctx<'_>| with(&ctx, limits::SETTLE));
    let with = settle(kit);
    engine.register_fn("settle", move |ctx: Ctx<'_>, within: Span| with(&ctx, within.0));
    for verb in ["now", "timestamp"] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move || Span(Duration::from_micros(own.stage.borrow().scene.at())));
    }
    chance(engine, kit);
}

fn unitless(verb: &str, time: impl std::fmt::Display) -> Result<(), ScriptError> {
    Err(Failure::Misuse(format!("{verb}: \"{time}\" has no unit; write {time}.s or {time}.ms")).into())
}

/// The only chance that a script has.
fn chance(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("rand", move || -> f64 {
        let bits = own.stage.borrow_mut().scene.chance.next_u64() >> 11;
        bits as f64 / (1u64 << 53) as f64
    });
    let own = Rc::clone(kit);
    engine.register_fn("rand", move |ctx: Ctx<'_>, bound: i64| {
        own.act(&ctx, |turns, _| match u64::try_from(bound) {
            Ok(bound) if bound > 0 => {
                Ok(i64::try_from(turns.stage.borrow_mut().scene.chance.below(bound)).unwrap_or(0))
            }
            _ => Err(Failure::Misuse(format!("rand: {bound} has nothing below it; write rand(10)")).into()),
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("rand", move |ctx: Ctx<'_>, from: i64, to: i64| {
        own.act(&ctx, |turns, _| {
            let Some(width) = to.checked_sub(from).and_then(|width| u64::try_from(width).ok()) else {
                return Err(Failure::Misuse(format!("rand: from {from} to {to} there is nothing")).into());
            };
            let drawn = turns.stage.borrow_mut().scene.chance.below(width.saturating_add(1));
            Ok(from.saturating_add(i64::try_from(drawn).unwrap_or(0)))
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("rand", move |ctx: Ctx<'_>, from: Array| {
        own.act(&ctx, |turns, _| {
            if from.is_empty() {
                return Err(Failure::Misuse("rand: an empty array has nothing to choose".into()).into());
            }
            let at = turns.stage.borrow_mut().scene.chance.below(from.len() as u64);
            Ok(usize::try_from(at).ok().and_then(|at| from.into_iter().nth(at)).unwrap_or(Dynamic::UNIT))
        })
    });
}

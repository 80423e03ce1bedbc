//! The verbs of peers: connect, say, expect, leave, and the handlers of what happens to them. Each
//! can be written as a method or as a function.

use rhai::{Array, Dynamic, Engine, FnPtr, Map, NativeCallContext};
use std::rc::Rc;
use std::time::Duration;

use crate::api::command::{Command, Dialect};
use crate::api::pattern::Pattern;
use crate::api::reply::Reply;
use crate::id::Name;
use crate::limits;
use crate::script::act::Target;
use crate::script::error::{Failure, ScriptError};
use crate::script::rhai::kit::{Fallible, Kit};
use crate::script::rhai::values::{Message, Peer, Span, target};
use crate::script::scene::{Heard, Hook, On};
use crate::script::turns::Turns;
use crate::world::PeerNo;

type Ctx<'a> = NativeCallContext<'a>;

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    connecting(engine, kit);
    saying(engine, kit);
    expecting(engine, kit);
    asking(engine, kit);
    handlers(engine, kit);
}

/// Who is to act, if it is not left out.
fn actor(turns: &Turns<'_>, me: &Peer) -> Result<Option<PeerNo>, ScriptError> {
    me.no(&turns.stage.borrow())
}

/// Who is asked something, if it is not left out.
fn asked(turns: &Turns<'_>, whom: &Peer) -> Result<Option<PeerNo>, ScriptError> {
    let found = actor(turns, whom)?;
    let mut stage = turns.stage.borrow_mut();
    match found {
        Some(_) => stage.answers.come(),
        None => stage.not_answered(),
    }
    drop(stage);
    Ok(found)
}

/// Who acts and whom it is about, if neither is left out.
fn both(
    turns: &Turns<'_>,
    verb: &str,
    me: &Peer,
    to: &Dynamic,
) -> Result<Option<(PeerNo, Target)>, ScriptError> {
    let stage = turns.stage.borrow();
    Ok(me.no(&stage)?.zip(target(&stage, verb, to)?))
}

fn connecting(engine: &mut Engine, kit: &Rc<Kit>) {
    let connect = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, me: Peer, to: Dynamic, options: Map| -> Fallible<()> {
            kit.act(ctx, |turns, spot| {
                known_keys("connect", &options, &["wait", "classic"])?;
                let flag = |key: &str, usual: bool| match options.get(key).map(Dynamic::as_bool) {
                    None => Ok(usual),
                    Some(Ok(flag)) => Ok(flag),
                    Some(Err(_)) => Err(Failure::Misuse(format!("connect: {key} is true or false"))),
                };
                let dialect = flag("classic", false)?.then_some(Dialect::Plain);
                let waits = flag("wait", true)?;
                let all = to.clone().try_cast::<Array>().unwrap_or_else(|| vec![to]);
                for to in &all {
                    let Some((me, to)) = both(turns, "connect", &me, to)? else { continue };
                    if waits {
                        turns.connect(spot, me, &to, dialect)?;
                    } else {
                        turns.begin_connect(spot, me, &to, dialect)?;
                    }
                }
                Ok(())
            })
        }
    };
    let with = connect(kit);
    engine.register_fn("connect", move |ctx: Ctx<'_>, me: Peer, to: Dynamic, options: Map| {
        with(&ctx, me, to, options)
    });
    let with = connect(kit);
    engine.register_fn("connect", move |ctx: Ctx<'_>, me: Peer, to: Dynamic| with(&ctx, me, to, Map::new()));
    let own = Rc::clone(kit);
    engine.register_fn("connect", move |ctx: Ctx<'_>, me: Peer| {
        own.act(&ctx, |turns, spot| match actor(turns, &me)? {
            Some(me) => turns.connect_known(spot, me),
            None => Ok(()),
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("disconnect", move |ctx: Ctx<'_>, me: Peer, from: Dynamic| {
        own.act(&ctx, |turns, spot| match both(turns, "disconnect", &me, &from)? {
            Some((me, from)) => turns.disconnect(spot, me, Some(&from)),
            None => Ok(()),
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("disconnect", move |ctx: Ctx<'_>, me: Peer| {
        own.act(&ctx, |turns, spot| match actor(turns, &me)? {
            Some(me) => turns.disconnect(spot, me, None),
            None => Ok(()),
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("quit", move |ctx: Ctx<'_>, me: Peer| {
        own.act(&ctx, |turns, spot| match actor(turns, &me)? {
            Some(me) => turns.quit(spot, me),
            None => Ok(()),
        })
    });
}

fn saying(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("send", move |ctx: Ctx<'_>, me: Peer, to: Dynamic, words: Dynamic| {
        own.act(&ctx, |turns, spot| {
            let words = said("send", &words)?;
            match both(turns, "send", &me, &to)? {
                Some((me, to)) => turns.send(spot, me, &to, &words),
                None => Ok(()),
            }
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("broadcast", move |ctx: Ctx<'_>, me: Peer, words: Dynamic| {
        own.act(&ctx, |turns, spot| {
            let words = said("broadcast", &words)?;
            match asked(turns, &me)? {
                Some(me) => {
                    turns.broadcast(spot, me, &words).map(|told| i64::try_from(told).unwrap_or(i64::MAX))
                }
                None => Ok(0),
            }
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("reply", move |ctx: Ctx<'_>, me: Peer, words: Dynamic| {
        own.act(&ctx, |turns, spot| {
            let words = said("reply", &words)?;
            match actor(turns, &me)? {
                Some(me) => turns.reply(spot, me, &words),
                None => Ok(()),
            }
        })
    });
}

/// What is to be said: a text, or a value that has an obvious one.
pub(super) fn said(verb: &str, words: &Dynamic) -> Result<String, Failure> {
    if words.is_string() || words.is_int() || words.is_bool() || words.is_float() || words.is_char() {
        return Ok(words.to_string());
    }
    let kind = words.type_name().rsplit("::").next().unwrap_or_default();
    Err(Failure::Misuse(format!("{verb}: a text is wanted, not {kind}")))
}

/// What an expectation may be given besides its pattern.
struct Wanted {
    from: Option<Dynamic>,
    within: Duration,
}

fn wanted(verb: &str, mut options: Map) -> Result<Wanted, Failure> {
    known_keys(verb, &options, &["from", "within"])?;
    let within = match options.remove("within") {
        None => limits::EXPECT,
        Some(within) => duration(verb, &within)?,
    };
    Ok(Wanted { from: options.remove("from"), within })
}

/// A misspelt option is an error, not one that says nothing.
pub(super) fn known_keys(verb: &str, options: &Map, known: &[&str]) -> Result<(), Failure> {
    match options.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(odd) => {
            let odd = crate::text::escape_display(odd);
            Err(Failure::Misuse(format!("{verb}: no option \"{odd}\"; it has {}", known.join(", "))))
        }
    }
}

pub(super) fn duration(verb: &str, given: &Dynamic) -> Result<Duration, Failure> {
    match given.clone().try_cast::<Span>() {
        Some(span) => Ok(span.0),
        None => {
            Err(Failure::Misuse(format!("{verb}: \"{given}\" has no unit; write {given}.s or {given}.ms")))
        }
    }
}

fn pattern(verb: &str, pattern: &str) -> Result<Pattern, Failure> {
    pattern.parse().map_err(|error| Failure::Misuse(format!("{verb}: {error}")))
}

fn expecting(engine: &mut Engine, kit: &Rc<Kit>) {
    let expect = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, me: Peer, like: &str, options: Map| -> Fallible<Dynamic> {
            kit.act(ctx, |turns, spot| {
                let pattern = pattern("expect", like)?;
                let Wanted { from, within } = wanted("expect", options)?;
                let from = match from {
                    None => Some(None),
                    Some(from) => target(&turns.stage.borrow(), "expect", &from)?.map(Some),
                };
                let heard = match actor(turns, &me)?.zip(from) {
                    Some((no, from)) => turns.expect(spot, no, from.as_ref(), &pattern, within)?,
                    None => None,
                };
                let heard = heard.unwrap_or_else(|| Heard::nothing(me.0));
                Ok(Dynamic::from(Message { heard }))
            })
        }
    };
    let with = expect(kit);
    engine.register_fn("expect", move |ctx: Ctx<'_>, me: Peer, like: &str, options: Map| {
        with(&ctx, me, like, options)
    });
    let with = expect(kit);
    engine.register_fn("expect", move |ctx: Ctx<'_>, me: Peer, like: &str| with(&ctx, me, like, Map::new()));
    let none = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, me: Peer, within: Option<Dynamic>| -> Fallible<()> {
            kit.act(ctx, |turns, spot| {
                let within = match &within {
                    Some(within) => duration("expect_none", within)?,
                    None => limits::EXPECT_NONE,
                };
                match actor(turns, &me)? {
                    Some(me) => turns.expect_none(spot, me, within),
                    None => Ok(()),
                }
            })
        }
    };
    let with = none(kit);
    engine.register_fn("expect_none", move |ctx: Ctx<'_>, me: Peer, within: Dynamic| {
        with(&ctx, me, Some(within))
    });
    let with = none(kit);
    engine.register_fn("expect_none", move |ctx: Ctx<'_>, me: Peer| with(&ctx, me, None));
    let left = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, me: Peer, whom: Dynamic, options: Map| -> Fallible<()> {
            kit.act(ctx, |turns, spot| {
                known_keys("expect_left", &options, &["within"])?;
                let within = wanted("expect_left", options)?.within;
                match both(turns, "expect_left", &me, &whom)? {
                    Some((me, whom)) => turns.expect_left(spot, me, &whom, within),
                    None => Ok(()),
                }
            })
        }
    };
    let with = left(kit);
    engine.register_fn("expect_left", move |ctx: Ctx<'_>, me: Peer, whom: Dynamic, options: Map| {
        with(&ctx, me, whom, options)
    });
    let with = left(kit);
    engine.register_fn("expect_left", move |ctx: Ctx<'_>, me: Peer, whom: Dynamic| {
        with(&ctx, me, whom, Map::new())
    });
}

fn asking(engine: &mut Engine, kit: &Rc<Kit>) {
    for (verb, known) in [("peers", false), ("known", true)] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, me: Peer| {
            own.act(&ctx, |turns, spot| {
                let Some(no) = asked(turns, &me)? else { return Ok(Array::new()) };
                let peers = turns.peers(no, known)?;
                turns.stage.borrow_mut().answered_peers(spot, &format!("{}.{verb}()", me.0), &peers);
                Ok(peers.into_iter().map(Dynamic::from).collect::<Array>())
            })
        });
    }
    let own = Rc::clone(kit);
    engine.register_fn("inbox", move |ctx: Ctx<'_>, me: Peer| {
        own.act(&ctx, |turns, _| {
            let Some(no) = asked(turns, &me)? else { return Ok(Array::new()) };
            let stage = turns.stage.borrow();
            let unread = stage.scene.actors[no.0].unread.iter();
            let message = |heard: &Heard| Dynamic::from(Message { heard: heard.clone() });
            Ok(unread.map(message).collect::<Array>())
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("ping", move |ctx: Ctx<'_>, me: Peer, to: Dynamic| {
        own.act(&ctx, |turns, spot| {
            let Some((me, to)) = both(turns, "ping", &me, &to)? else { return Ok(Dynamic::UNIT) };
            let peer = turns.stage.borrow().reference(&to);
            let line = format!("ping {}", turns.stage.borrow().written(&to));
            match turns.other(spot, me, "ping", Command::Ping { peer }, &line)? {
                Some(Reply::Pong(_, time)) => Ok(Dynamic::from(Span(time))),
                Some(_) | None => Ok(Dynamic::UNIT),
            }
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("rename", move |ctx: Ctx<'_>, me: Peer, name: &str| {
        own.act(&ctx, |turns, spot| {
            let name = Name::new(name).map_err(|error| Failure::Misuse(format!("rename: {error}")))?;
            let Some(me) = actor(turns, &me)? else { return Ok(()) };
            turns.other(spot, me, "rename", Command::Me { name: Some(name) }, &format!("me {name}")).map(drop)
        })
    });
}

fn handlers(engine: &mut Engine, kit: &Rc<Kit>) {
    let on = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, me: Peer, what: &str, handler: FnPtr, options: Map| -> Fallible<()> {
            kit.act(ctx, |turns, _| {
                known_keys("on", &options, &["auto"])?;
                let auto = matches!(options.get("auto").map(Dynamic::as_bool), Some(Ok(true)));
                let Some(on) = On::of_word(what) else {
                    let what = crate::text::escape_display(what);
                    let words = format!("on: nothing is called \"{what}\"; there are {}", On::WORDS);
                    return Err(Failure::Misuse(words).into());
                };
                let Some(no) = actor(turns, &me)? else { return Ok(()) };
                let mut stage = turns.stage.borrow_mut();
                let number = stage.scene.handlers.len();
                stage.scene.handlers.push(Hook { on, auto, failures: 0 });
                stage.scene.actors[no.0].handlers.push(number);
                kit.handlers.borrow_mut().insert((stage.scene.number, number), handler);
                Ok(())
            })
        }
    };
    let with = on(kit);
    engine.register_fn("on", move |ctx: Ctx<'_>, me: Peer, what: &str, handler: FnPtr, options: Map| {
        with(&ctx, me, what, handler, options)
    });
    let with = on(kit);
    engine.register_fn("on", move |ctx: Ctx<'_>, me: Peer, what: &str, handler: FnPtr| {
        with(&ctx, me, what, handler, Map::new())
    });
}

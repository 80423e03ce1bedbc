//! The values that a script has besides the language's own: peers, messages, durations.

use rhai::{Dynamic, Engine, EvalAltResult, Position};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::addr::Address;
use crate::api::command::{PeerRef, show};
use crate::id::Name;
use crate::play::Ev;
use crate::script::act::Target;
use crate::script::error::{Failure, ScriptError};
use crate::script::rhai::kit::{Fallible, Kit, someone};
use crate::script::rhai::programs::{Launched, Place};
use crate::script::rhai::trouble;
use crate::script::scene::Heard;
use crate::script::stage::Stage;
use crate::world::PeerNo;

/// One of the cast, by name: whoever bears it in the world under way is meant, so a function or a
/// closure made outside a test means the test's own peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer(pub(super) Name);

/// What somebody said.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) heard: Heard,
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span(pub(super) Duration);

impl Peer {
    /// Its number in the scene under way; `None` when this run leaves the peer out, with all that it
    /// is told to do.
    pub(super) fn no(&self, stage: &Stage) -> Result<Option<PeerNo>, ScriptError> {
        match stage.scene.find(self.0) {
            Some(no) => Ok(Some(no)),
            None if stage.is_left_out(self.0) => Ok(None),
            None => {
                let peers: Vec<_> = stage.scene.actors.iter().map(|actor| actor.name.to_string()).collect();
                Err(Failure::Thrown(trouble::unknown(self.0.as_str(), &peers)).into())
            }
        }
    }
}

/// Whom an argument means: a peer of the cast, or somebody as a node knows it. `None` for one that is
/// left out.
pub(super) fn target(stage: &Stage, verb: &str, given: &Dynamic) -> Result<Option<Target>, ScriptError> {
    if let Some(peer) = given.clone().try_cast::<Peer>() {
        return Ok(peer.no(stage)?.map(Target::Cast));
    }
    if let Some(program) = given.clone().try_cast::<Launched>() {
        let addr = SocketAddr::from(([127, 0, 0, 1], program.port(stage)?));
        return Ok(Some(Target::Other(PeerRef::At(Address::from(addr)))));
    }
    let Ok(word) = given.clone().into_string() else {
        let kind = given.type_name().rsplit("::").next().unwrap_or_default();
        return Err(Failure::Misuse(format!("{verb}: a peer is wanted, not {kind}")).into());
    };
    if let Ok(name) = Name::new(&word) {
        match stage.scene.find(name) {
            Some(no) => return Ok(Some(Target::Cast(no))),
            None if stage.is_left_out(name) => return Ok(None),
            None => {}
        }
    }
    if Address::is_meant(&word) {
        let address = word.parse().map_err(|error| Failure::Misuse(format!("{verb}: {error}")))?;
        return Ok(Some(Target::Other(PeerRef::At(address))));
    }
    Ok(Some(Target::Other(PeerRef::Word(word))))
}

/// The durations that a script may write: not negative, not endless.
fn span(seconds: f64) -> Fallible<Span> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration <= crate::limits::DURATION_MAX => Ok(Span(duration)),
        Ok(_) | Err(_) => {
            let error = Failure::Misuse(format!("{seconds} s is no duration; it is from 0 s to 24 h"));
            // The engine knows the place, and we do not.
            Err(Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE)))
        }
    }
}

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    peer(engine, kit);
    message(engine, kit);
    durations(engine);
    engine.register_type_with_name::<ScriptError>("Error");
    engine.register_fn("to_string", |error: &mut ScriptError| error.failure.to_string());
    engine.register_fn("to_debug", |error: &mut ScriptError| error.failure.to_string());
    engine.register_get("message", |error: &mut ScriptError| error.failure.to_string());
    engine.register_get("line", |error: &mut ScriptError| {
        error.spot.as_ref().map_or(0, |spot| i64::from(spot.line))
    });
}

fn peer(engine: &mut Engine, kit: &Rc<Kit>) {
    engine.register_type_with_name::<Peer>("Peer");
    engine.register_fn("to_string", |peer: &mut Peer| peer.0.to_string());
    engine.register_fn("to_debug", |peer: &mut Peer| peer.0.to_string());
    engine.register_fn("==", |a: Peer, b: Peer| a == b);
    engine.register_fn("!=", |a: Peer, b: Peer| a != b);
    engine.register_fn("==", |a: Peer, b: &str| a.0.as_str() == b);
    engine.register_fn("==", |a: &str, b: Peer| b.0.as_str() == a);
    engine.register_fn("+", |a: &str, b: Peer| format!("{a}{}", b.0));
    engine.register_fn("+", |a: Peer, b: &str| format!("{}{b}", a.0));
    engine.register_get("name", |peer: &mut Peer| peer.0.to_string());
    // These two are wanted before anybody is cast, for what is typed at prompts.
    engine.register_get("ip", |peer: &mut Peer| Place::Ip(peer.0));
    engine.register_get("port", |peer: &mut Peer| Place::Port(peer.0));
    // Of one that is left out; the script may look into it, and what it finds there says nothing.
    let no_text = |_: Name| Dynamic::from("");
    let no_message = |name: Name| Dynamic::from(Message { heard: Heard::nothing(name) });
    let actor = |kit: &Rc<Kit>, nothing: fn(Name) -> Dynamic, get: fn(&Stage, PeerNo) -> Dynamic| {
        let kit = Rc::clone(kit);
        move |peer: &mut Peer| -> Dynamic {
            let mut stage = kit.stage.borrow_mut();
            match peer.no(&stage) {
                Ok(Some(no)) => return get(&stage, no),
                Ok(None) => stage.not_seen(),
                Err(_) => return Dynamic::UNIT,
            }
            nothing(peer.0)
        }
    };
    engine.register_get(
        "addr",
        actor(kit, no_text, |stage, no| stage.scene.actors[no.0].addr.to_string().into()),
    );
    engine.register_get(
        "key",
        actor(kit, no_text, |stage, no| stage.scene.actors[no.0].key.to_string().into()),
    );
    engine.register_get(
        "state",
        actor(kit, no_text, |stage, no| {
            let up = stage.scene.world.is_up(no).unwrap_or(false);
            match (up, stage.scene.actors[no.0].ended) {
                (true, _) => "up".into(),
                (false, Some(Ev::Crash)) => "crashed".into(),
                (false, _) => "left".into(),
            }
        }),
    );
    engine.register_get(
        "last",
        actor(kit, no_message, |stage, no| match &stage.scene.actors[no.0].last {
            Some(heard) => Dynamic::from(Message { heard: heard.clone() }),
            None => Dynamic::UNIT,
        }),
    );
}

fn message(engine: &mut Engine, kit: &Rc<Kit>) {
    engine.register_type_with_name::<Message>("Message");
    // What is found in a message that was left out says nothing.
    let look = |kit: &Rc<Kit>, get: fn(&Heard) -> Dynamic| {
        let kit = Rc::clone(kit);
        move |message: &mut Message| -> Dynamic {
            if message.heard.is_nothing() {
                kit.stage.borrow_mut().not_answered();
            }
            get(&message.heard)
        }
    };
    let shown = |message: &mut Message| format!("{}: {}", message.heard.from.name, message.heard.text);
    engine.register_fn("to_string", shown);
    engine.register_fn("to_debug", shown);
    engine.register_get("text", look(kit, |heard| heard.text.to_string().into()));
    engine.register_get("from", look(kit, |heard| someone(&heard.from)));
    engine.register_get("auto", look(kit, |heard| heard.auto.into()));
    engine.register_get("plain", look(kit, |heard| heard.plain.into()));
}

fn durations(engine: &mut Engine) {
    engine.register_type_with_name::<Span>("Span");
    for (unit, worth) in [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)] {
        engine.register_get(unit, move |number: &mut i64| span(*number as f64 * worth));
        engine.register_get(unit, move |number: &mut f64| span(*number * worth));
        engine.register_get(unit, move |time: &mut Span| time.0.as_secs_f64() / worth);
    }
    engine.register_fn("to_string", |time: &mut Span| show(time.0));
    engine.register_fn("to_debug", |time: &mut Span| show(time.0));
    engine.register_fn("+", |a: Span, b: Span| Span(a.0.saturating_add(b.0)));
    engine.register_fn("-", |a: Span, b: Span| Span(a.0.saturating_sub(b.0)));
    engine.register_fn("*", |a: Span, times: i64| span(a.0.as_secs_f64() * times as f64));
    engine.register_fn("*", |times: i64, a: Span| span(a.0.as_secs_f64() * times as f64));
    engine.register_fn("*", |a: Span, times: f64| span(a.0.as_secs_f64() * times));
    engine.register_fn("/", |a: Span, parts: i64| span(a.0.as_secs_f64() / parts as f64));
    engine.register_fn("==", |a: Span, b: Span| a == b);
    engine.register_fn("!=", |a: Span, b: Span| a != b);
    engine.register_fn("<", |a: Span, b: Span| a < b);
    engine.register_fn("<=", |a: Span, b: Span| a <= b);
    engine.register_fn(">", |a: Span, b: Span| a > b);
    engine.register_fn(">=", |a: Span, b: Span| a >= b);
}

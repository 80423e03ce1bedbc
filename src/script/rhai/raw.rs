//! The verbs of bare TCP with a program that was started, for what no peer would do: half a message,
//! bytes that are no text, a connection that is reset. Reaches the ports of launched programs only.

use rhai::{Array, Dynamic, Engine, NativeCallContext};
use std::cell::RefCell;
use std::rc::Rc;

use crate::launch::{Ear, Raw};
use crate::limits;
use crate::play::Ev;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::rhai::kit::{Fallible, Kit};
use crate::script::rhai::programs::Launched;
use crate::script::rhai::values::Span;
use crate::script::stage::Stage;
use crate::script::turns::Turns;

type Ctx<'a> = NativeCallContext<'a>;

/// A connection of the script's own.
#[derive(Clone)]
struct Wire(Rc<RefCell<Raw>>);

/// A port of the script's own.
#[derive(Clone)]
struct Listening(Rc<Ear>);

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    engine.register_type_with_name::<Wire>("Raw").register_type_with_name::<Listening>("Ear");
    let own = Rc::clone(kit);
    engine.register_fn("raw", move |ctx: Ctx<'_>, program: Launched| {
        own.act(&ctx, |turns, spot| {
            let mut stage = turns.stage.borrow_mut();
            let port = program.port(&stage)?;
            let raw = Raw::connect(port)
                .map_err(|error| Failure::Thrown(format!("raw: port {port} takes no connection: {error}")))?;
            note(&mut stage, spot, format!("raw: connects to port {port}"));
            Ok(Wire(Rc::new(RefCell::new(raw))))
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("ear", move |ctx: Ctx<'_>| {
        own.act(&ctx, |turns, _| {
            // In an imaginary world nobody could reach it.
            turns.stage.borrow_mut().launcher()?;
            let ear =
                Ear::open().map_err(|error| Failure::Thrown(format!("ear: there is no port: {error}")))?;
            Ok(Listening(Rc::new(ear)))
        })
    });
    engine.register_get("port", |ear: &mut Listening| i64::from(ear.0.port()));
    writing(engine, kit);
    let own = Rc::clone(kit);
    engine.register_fn("read", move |ctx: Ctx<'_>, wire: Wire, within: Span| -> Fallible<String> {
        own.act(&ctx, |turns, _| {
            turns.until(within.0, |_| {
                let mut raw = wire.0.borrow_mut();
                (raw.poll() || raw.has_ended()).then_some(())
            })?;
            Ok(words(&wire.0.borrow_mut().take()))
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("hear", move |ctx: Ctx<'_>, ear: Listening, within: Span| -> Fallible<String> {
        own.act(&ctx, |turns, spot| hear(turns, spot, &ear.0, within))
    });
}

fn writing(engine: &mut Engine, kit: &Rc<Kit>) {
    let write = |kit: &Kit, ctx: &Ctx<'_>, wire: &Wire, bytes: &[u8]| -> Fallible<()> {
        kit.act(ctx, |turns, spot| {
            let result = wire.0.borrow_mut().write(bytes);
            result.map_err(|error| {
                Failure::Thrown(format!("raw: {} bytes cannot be written: {error}", bytes.len()))
            })?;
            let (count, bytes) = (bytes.len(), words(bytes));
            note(&mut turns.stage.borrow_mut(), spot, format!("raw: writes {count} bytes: {bytes}"));
            Ok(())
        })
    };
    let own = Rc::clone(kit);
    engine.register_fn("write", move |ctx: Ctx<'_>, wire: Wire, text: &str| {
        write(&own, &ctx, &wire, text.as_bytes())
    });
    let own = Rc::clone(kit);
    engine.register_fn("write", move |ctx: Ctx<'_>, wire: Wire, bytes: Array| {
        let byte = |value: &Dynamic| value.as_int().ok().and_then(|value| u8::try_from(value).ok());
        match bytes.iter().map(byte).collect::<Option<Vec<u8>>>() {
            Some(bytes) => write(&own, &ctx, &wire, &bytes),
            None => own.act(&ctx, |_, _| {
                let words = "raw: bytes are numbers from 0 to 255; write r.write([0xff, 65])";
                Err(Failure::Misuse(words.into()).into())
            }),
        }
    });
    for (verb, end) in [("close", Raw::close as fn(&mut Raw)), ("reset", Raw::reset)] {
        let own = Rc::clone(kit);
        engine.register_fn(verb, move |ctx: Ctx<'_>, wire: Wire| {
            own.act(&ctx, |turns, spot| {
                end(&mut wire.0.borrow_mut());
                note(&mut turns.stage.borrow_mut(), spot, format!("raw: {verb}"));
                Ok(())
            })
        });
    }
}

/// All of the next connection that says anything: until it ends, or says no more for a while. Then it
/// is closed, which frees a program that waits for an answer.
fn hear(turns: &mut Turns<'_>, spot: &Spot, ear: &Ear, within: Span) -> Result<String, ScriptError> {
    let (mut open, mut moved) = (None::<Raw>, None);
    let heard = turns.until(within.0, |stage| {
        let now = stage.scene.world.now().mono;
        // One after the other may connect and say nothing, to see whether we are there.
        if open.is_none() {
            open = ear.accept();
        }
        let raw = open.as_mut()?;
        if raw.poll() {
            moved = Some(now);
        }
        let silent = moved.is_some_and(|at| now.since(at) >= limits::RAW_SILENCE);
        if !raw.has_ended() && !silent {
            return None;
        }
        let heard = raw.take();
        (open, moved) = (None, None);
        (!heard.is_empty()).then_some(heard)
    })?;
    let heard = heard.map(|heard| words(&heard)).unwrap_or_default();
    let said = if heard.is_empty() { "nothing" } else { &heard };
    note(&mut turns.stage.borrow_mut(), spot, format!("ear: port {} hears {said}", ear.port()));
    Ok(heard)
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn note(stage: &mut Stage, spot: &Spot, words: String) {
    stage.record(None, Ev::Note, |moment| {
        moment.line = Some(spot.line);
        moment.text = text(words);
    });
}

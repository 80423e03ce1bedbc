//! What every verb shares: the stage, the script's handlers and invariants, and the texts of its
//! files. Decides what happens between two turns of
//! a wait.

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext, ParseError};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::limits;
use crate::play::Ev;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::record::text;
use crate::script::rhai::meter::{Meter, Pace};
use crate::script::rhai::trouble;
use crate::script::rhai::values::{Message, Peer};
use crate::script::scene::{About, Call, Someone};
use crate::script::stage::{Effort, Shared};
use crate::script::stop::Stop;
use crate::script::turns::Turns;

/// What a native function gives to a script.
pub(super) type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// What every verb shares.
pub(super) struct Kit {
    pub(super) stage: Shared,
    /// The main file's name.
    pub(super) file: Arc<str>,
    /// By scene and by number there.
    pub(super) handlers: RefCell<BTreeMap<(u64, usize), FnPtr>>,
    pub(super) invariants: RefCell<Vec<Invariant>>,
    /// An invariant is being looked at, and must not wait for others.
    looking: Cell<bool>,
    pub(super) meter: Meter,
}

/// Calls a function of the script, from wherever the script is waiting.
pub(super) type Caller<'a> = &'a dyn Fn(&FnPtr, &mut [Dynamic]) -> Fallible<Dynamic>;

/// What is always to be so.
#[derive(Clone)]
pub(super) struct Invariant {
    pub(super) scene: u64,
    pub(super) title: String,
    pub(super) holds: FnPtr,
    pub(super) spot: Spot,
}

impl Kit {
    pub(super) fn new(
        stage: Shared,
        file: Arc<str>,
        stop: Stop,
        effort: Effort,
        pace: Option<Pace>,
    ) -> Rc<Self> {
        let progress = Rc::clone(&stage.borrow().progress);
        Rc::new(Self {
            stage,
            file,
            handlers: RefCell::default(),
            invariants: RefCell::default(),
            looking: Cell::new(false),
            meter: Meter::new(stop, progress, effort, pace),
        })
    }

    /// Does what a verb does, in the place where the script calls it.
    pub(super) fn act<T>(
        &self,
        ctx: &NativeCallContext<'_>,
        work: impl FnOnce(&mut Turns<'_>, &Spot) -> Result<T, ScriptError>,
    ) -> Fallible<T> {
        self.meter.charge();
        let spot = self.spot(ctx);
        let call = |function: &FnPtr, args: &mut [Dynamic]| function.call_raw(ctx, None, args);
        let mut aside = || self.aside(&call);
        let mut turns = Turns { stage: &self.stage, aside: &mut aside };
        let before = self.meter.effort();
        let result = work(&mut turns, &spot);
        self.meter.done(before);
        result.map_err(|error| trouble::throw(error, &spot, ctx.call_position()))
    }

    /// Where the script is.
    pub(super) fn spot(&self, ctx: &NativeCallContext<'_>) -> Spot {
        let place = ctx.call_position();
        let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let file = ctx.call_source().filter(|source| !source.is_empty());
        Spot {
            file: file.map_or_else(|| Arc::clone(&self.file), Arc::from),
            line: number(place.line()),
            column: number(place.position()),
        }
    }

    /// Calls the handlers of all that has happened, then looks at what is always to be so.
    pub(super) fn aside(&self, caller: Caller<'_>) -> Result<(), ScriptError> {
        loop {
            let call = self.stage.borrow_mut().scene.calls.pop_front();
            match call {
                Some(call) => self.handle(caller, call)?,
                None => break,
            }
        }
        if self.looking.replace(true) {
            return Ok(());
        }
        let result = self.look(caller);
        self.looking.set(false);
        result
    }

    fn handle(&self, caller: Caller<'_>, call: Call) -> Result<(), ScriptError> {
        let (scene, me) = {
            let stage = self.stage.borrow();
            let failures = stage.scene.handlers[call.handler].failures;
            if failures >= limits::HANDLER_FAILURES_MAX || stage.scene.actors[call.me.0].ended.is_some() {
                return Ok(());
            }
            (stage.scene.number, Peer(stage.name(call.me)))
        };
        let Some(handler) = self.handlers.borrow().get(&(scene, call.handler)).cloned() else {
            return Ok(());
        };
        let about = about(call.about);
        let before = std::mem::replace(&mut self.stage.borrow_mut().in_handler, true);
        let spent = self.meter.begin();
        let result = caller(&handler, &mut [Dynamic::from(me), about]);
        self.meter.end(spent);
        let mut stage = self.stage.borrow_mut();
        stage.in_handler = before;
        let Err(error) = result else {
            if let Some(handler) = stage.scene.handlers.get_mut(call.handler) {
                handler.failures = 0;
            }
            return Ok(());
        };
        drop(stage);
        let error = self.explain(*error);
        let ends = match self.meter.is_paced() {
            // At a prompt nothing that a handler does ends more than itself.
            true => *error.failure == Failure::Interrupted,
            false => error.failure.is_finding() || error.failure.is_final(),
        };
        if ends {
            return Err(error);
        }
        // A handler that fails is said once, and after a few times in a row it is called no more; a
        // script in which one failed has not passed, which is said when it, or its test, has ended.
        let mut stage = self.stage.borrow_mut();
        stage.scene.broken.get_or_insert_with(|| error.clone());
        let handler = &mut stage.scene.handlers[call.handler];
        handler.failures += 1;
        let words = match handler.failures {
            1 => {
                let place = error.spot.as_ref().map(|spot| format!("{spot}: ")).unwrap_or_default();
                format!("a handler failed: {place}{}", error.failure)
            }
            limits::HANDLER_FAILURES_MAX => format!(
                "a handler failed {} times in a row and is called no more",
                limits::HANDLER_FAILURES_MAX
            ),
            _ => return Ok(()),
        };
        stage.record(Some(call.me), Ev::Note, |moment| moment.text = text(words));
        Ok(())
    }

    fn look(&self, caller: Caller<'_>) -> Result<(), ScriptError> {
        if self.invariants.borrow().is_empty() {
            return Ok(());
        }
        let scene = self.stage.borrow().scene.number;
        let here: Vec<_> =
            self.invariants.borrow().iter().filter(|always| always.scene == scene).cloned().collect();
        for always in here {
            let before = std::mem::take(&mut self.stage.borrow_mut().answers);
            let holds = caller(&always.holds, &mut []).map_err(|error| self.explain(*error))?;
            let answers = std::mem::replace(&mut self.stage.borrow_mut().answers, before);
            match holds.as_bool() {
                Ok(holds) if holds || answers.is_void() => {}
                Ok(_) => return Err(Failure::Check(format!("always: {}", always.title)).at(&always.spot)),
                Err(kind) => {
                    let words = format!("always: the function is to give true or false, not {kind}");
                    return Err(Failure::Misuse(words).at(&always.spot));
                }
            }
        }
        Ok(())
    }

    /// Why a text is no script, with the place.
    pub(super) fn unparsed(&self, error: &ParseError) -> ScriptError {
        let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let (line, column) = (number(error.1.line()), number(error.1.position()));
        let spot = Spot { file: Arc::clone(&self.file), line, column };
        let mut words = crate::text::escape_display(&error.0.to_string());
        let quote = self.stage.borrow().quote(&spot);
        if let Some(span) = quote.as_deref().and_then(|line| trouble::bare_duration(line, column)) {
            words.push_str(&format!("; a duration is written {span}"));
        }
        let mut error = Failure::Parse(words).at(&spot);
        error.quote = quote;
        error
    }

    /// What the engine says, in our words, with the line quoted.
    pub(super) fn explain(&self, error: EvalAltResult) -> ScriptError {
        let names = || {
            let stage = self.stage.borrow();
            stage.scene.actors.iter().map(|actor| actor.name.to_string()).collect()
        };
        let mut error = trouble::explain(error, &self.file, &names);
        if let (Some(spot), None) = (&error.spot, &error.quote) {
            error.quote = self.stage.borrow().quote(spot);
        }
        error
    }
}

/// What a handler is told.
fn about(about: About) -> Dynamic {
    match about {
        About::Peer(who) => someone(&who),
        About::Message(heard) => Dynamic::from(Message { heard }),
        About::Failed(who, words) => {
            let mut map = rhai::Map::new();
            map.insert("to".into(), someone(&who));
            map.insert("text".into(), words.to_string().into());
            Dynamic::from(map)
        }
    }
}

/// A peer as a script sees it: one of the cast, or a name.
pub(super) fn someone(who: &Someone) -> Dynamic {
    match who.no {
        Some(_) => Dynamic::from(Peer(who.name)),
        None => who.name.to_string().into(),
    }
}

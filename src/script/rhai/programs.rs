//! The verbs of other people's programs: they are started, their prompts are answered, and what they
//! print and do is expected.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};
use std::rc::Rc;
use std::time::Duration;

use crate::api::command::show;
use crate::api::pattern::Pattern;
use crate::id::Name;
use crate::launch::Ended;
use crate::limits;
use crate::play::Ev;
use crate::script::answers::{Answer, AnswerValue};
use crate::script::error::{Failure, ScriptError, Spot, Unmet};
use crate::script::programs::{SAID, Started, words};
use crate::script::record::text;
use crate::script::rhai::kit::{Fallible, Kit};
use crate::script::rhai::peers::{duration, known_keys};
use crate::script::rhai::values::Span;
use crate::script::stage::Stage;
use crate::script::turns::Turns;
use crate::text::escape_display;

type Ctx<'a> = NativeCallContext<'a>;

/// A program that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Launched {
    scene: u64,
    number: usize,
}

/// Where a peer listens, for answers that are given before it is cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Ip(Name),
    Port(Name),
}

impl Launched {
    pub(super) fn new(scene: u64, number: usize) -> Self {
        Self { scene, number }
    }

    fn of<'a>(&self, stage: &'a Stage) -> Result<&'a Started, ScriptError> {
        let found = stage.scene.programs.get(self.number).filter(|_| stage.scene.number == self.scene);
        found.ok_or_else(|| {
            Failure::Misuse("the program belongs to another test, and has ended with it".into()).into()
        })
    }

    /// Where it was told to listen.
    pub(super) fn port(&self, stage: &Stage) -> Result<u16, ScriptError> {
        Ok(self.of(stage)?.port)
    }
}

pub(super) fn register(engine: &mut Engine, kit: &Rc<Kit>) {
    engine.register_type_with_name::<Launched>("Program");
    starting(engine, kit);
    typing(engine, kit);
    expecting(engine, kit);
    let own = Rc::clone(kit);
    engine.register_get("output", move |program: &mut Launched| {
        program.of(&own.stage.borrow()).map_or_else(|_| String::new(), |started| started.printed.all())
    });
    let own = Rc::clone(kit);
    engine.register_get("port", move |program: &mut Launched| {
        program.of(&own.stage.borrow()).map_or(0, |started| i64::from(started.port))
    });
}

fn starting(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("launch", move |ctx: Ctx<'_>, argv: Array| launch(&own, &ctx, argv));
    let own = Rc::clone(kit);
    engine.register_fn("launch", move |ctx: Ctx<'_>, line: &str| {
        let words = shlex::split(line).unwrap_or_default();
        launch(&own, &ctx, words.into_iter().map(Dynamic::from).collect())
    });
    let own = Rc::clone(kit);
    engine.register_fn("answers", move |ctx: Ctx<'_>, given: Map| {
        own.act(&ctx, |turns, _| {
            let mut answers = Vec::new();
            let mut stage = turns.stage.borrow_mut();
            for (pattern, value) in given {
                answers.push(Answer::new(&pattern, answer(&mut stage, &value)?)?);
            }
            // What is answered in a test is answered in that test.
            if stage.depth() > 0 {
                stage.scene.answers.extend(answers);
            } else {
                stage.typed.extend(answers);
            }
            Ok(())
        })
    });
}

fn answer(stage: &mut Stage, value: &Dynamic) -> Result<AnswerValue, Failure> {
    if let Some(place) = value.clone().try_cast::<Place>() {
        return Ok(match place {
            Place::Ip(name) => AnswerValue::Ip(name),
            Place::Port(name) => AnswerValue::Port(name),
        });
    }
    if let Ok(number) = value.as_int() {
        // Outside of tests PORT stands for the port of whatever test there will be.
        let own = stage.depth() == 0 && stage.scene.port.is_some_and(|port| i64::from(port) == number);
        return Ok(if own { AnswerValue::OwnPort } else { AnswerValue::Text(number.to_string()) });
    }
    match value.clone().into_string() {
        Ok(text) => Ok(AnswerValue::Text(text)),
        Err(kind) => Err(Failure::Misuse(format!("answers: a text or a number is typed, not {kind}"))),
    }
}

fn launch(kit: &Rc<Kit>, ctx: &Ctx<'_>, argv: Array) -> Fallible<Launched> {
    kit.act(ctx, |turns, spot| {
        let mut words = Vec::new();
        for word in argv {
            let word = word.into_string();
            words.push(word.map_err(|kind| Failure::Misuse(format!("launch: words are texts, not {kind}")))?);
        }
        if words.is_empty() {
            let words =
                "launch: no program is named; write it behind --, or launch([\"python3\", \"chat.py\"])";
            return Err(Failure::Misuse(words.into()).into());
        }
        let mut stage = turns.stage.borrow_mut();
        let number = stage.launch(Some(words), spot.line)?;
        Ok(Launched { scene: stage.scene.number, number })
    })
}

fn typing(engine: &mut Engine, kit: &Rc<Kit>) {
    let own = Rc::clone(kit);
    engine.register_fn("line", move |ctx: Ctx<'_>, program: Launched, words: Dynamic| {
        own.act(&ctx, |turns, _| {
            let mut stage = turns.stage.borrow_mut();
            program.of(&stage)?;
            stage.type_line(program.number, &words.to_string());
            Ok(())
        })
    });
    let own = Rc::clone(kit);
    engine.register_fn("choose", move |ctx: Ctx<'_>, program: Launched, choice: Dynamic| {
        own.act(&ctx, |turns, _| choose(turns, &program, &choice.to_string()))
    });
}

/// Waits until the program waits, types a choice, and gives what it prints until it waits again.
fn choose(turns: &mut Turns<'_>, program: &Launched, choice: &str) -> Result<String, ScriptError> {
    let quiet = |stage: &mut Stage| {
        let now = stage.scene.world.now().mono;
        stage.scene.programs[program.number].is_quiet(now, SAID).then_some(())
    };
    program.of(&turns.stage.borrow())?;
    turns.until(limits::COMMAND, quiet)?;
    let at = {
        let mut stage = turns.stage.borrow_mut();
        let at = program.of(&stage)?.printed.len();
        stage.type_line(program.number, choice);
        at
    };
    turns.until(limits::COMMAND, quiet)?;
    let stage = turns.stage.borrow();
    Ok(program.of(&stage)?.printed.since(at))
}

fn expecting(engine: &mut Engine, kit: &Rc<Kit>) {
    let out = |kit: &Rc<Kit>| {
        let kit = Rc::clone(kit);
        move |ctx: &Ctx<'_>, program: Launched, like: &str, options: Map| -> Fallible<String> {
            kit.act(ctx, |turns, spot| {
                known_keys("expect_out", &options, &["within"])?;
                let within = options
                    .get("within")
                    .map_or(Ok(limits::EXPECT), |within| duration("expect_out", within))?;
                let pattern: Pattern =
                    like.parse().map_err(|error| Failure::Misuse(format!("expect_out: {error}")))?;
                expect_out(turns, spot, &program, &pattern, within)
            })
        }
    };
    let with = out(kit);
    engine.register_fn("expect_out", move |ctx: Ctx<'_>, program: Launched, like: &str, options: Map| {
        with(&ctx, program, like, options)
    });
    let with = out(kit);
    engine.register_fn("expect_out", move |ctx: Ctx<'_>, program: Launched, like: &str| {
        with(&ctx, program, like, Map::new())
    });
    let own = Rc::clone(kit);
    engine.register_fn("expect_listen", move |ctx: Ctx<'_>, program: Launched, within: Span| {
        own.act(&ctx, |turns, spot| expect_listen(turns, spot, &program, within.0))
    });
    let own = Rc::clone(kit);
    engine.register_fn("expect_exit", move |ctx: Ctx<'_>, program: Launched, within: Span| {
        own.act(&ctx, |turns, spot| expect_exit(turns, spot, &program, within.0))
    });
}

fn expect_out(
    turns: &mut Turns<'_>,
    spot: &Spot,
    program: &Launched,
    pattern: &Pattern,
    within: Duration,
) -> Result<String, ScriptError> {
    program.of(&turns.stage.borrow())?;
    let found = turns.until(within, |stage| {
        let started = &mut stage.scene.programs[program.number];
        if let Some(at) = started.lines.iter().position(|line| pattern.matches(line)) {
            return started.lines.remove(at);
        }
        pattern.matches(&started.partial).then(|| started.partial.clone())
    })?;
    let mut stage = turns.stage.borrow_mut();
    if let Some(line) = found {
        return Ok(met(&mut stage, spot, program, pattern.as_str(), line));
    }
    let started = program.of(&stage)?;
    let what = format!(
        "expect_out: {} printed nothing like \"{}\" within {}{}",
        started.name,
        escape_display(pattern.as_str()),
        show(within),
        after(started)
    );
    Err(unmet(started, what, pattern.as_str()).into())
}

pub(super) fn expect_listen(
    turns: &mut Turns<'_>,
    spot: &Spot,
    program: &Launched,
    within: Duration,
) -> Result<(), ScriptError> {
    let port = program.port(&turns.stage.borrow())?;
    let listens = turns.stage.borrow_mut().launcher()?.listens;
    let found = turns.until(within, |stage| {
        let ended = stage.scene.programs[program.number].ended.is_some();
        if listens(port) { Some(true) } else { ended.then_some(false) }
    })?;
    let mut stage = turns.stage.borrow_mut();
    if found == Some(true) {
        met(&mut stage, spot, program, &format!("listens on port {port}"), ());
        return Ok(());
    }
    let started = program.of(&stage)?;
    let within = show(within);
    let what = format!(
        "expect_listen: {} does not listen on port {port} within {within}{}",
        started.name,
        after(started)
    );
    Err(unmet(started, what, &format!("it listens on port {port}")).into())
}

fn expect_exit(
    turns: &mut Turns<'_>,
    spot: &Spot,
    program: &Launched,
    within: Duration,
) -> Result<i64, ScriptError> {
    program.of(&turns.stage.borrow())?;
    let found = turns.until(within, |stage| stage.scene.programs[program.number].ended)?;
    let mut stage = turns.stage.borrow_mut();
    match found {
        Some(Ended::Exit(code)) => Ok(met(&mut stage, spot, program, "ends", i64::from(code))),
        Some(Ended::Signal(signal)) => Ok(met(&mut stage, spot, program, "ends", -i64::from(signal))),
        None => {
            let started = program.of(&stage)?;
            let what = format!("expect_exit: {} still runs after {}", started.name, show(within));
            Err(unmet(started, what, "it ends").into())
        }
    }
}

fn met<T>(stage: &mut Stage, spot: &Spot, program: &Launched, expected: &str, value: T) -> T {
    let name = stage.scene.programs[program.number].name;
    stage.record(None, Ev::ExpectOk, |moment| {
        moment.peer = Some(name);
        moment.line = Some(spot.line);
        moment.text = text(expected);
    });
    value
}

/// What is known of a program that has ended.
fn after(started: &Started) -> String {
    let how = started.stopped.clone().or_else(|| started.ended.map(words));
    how.map(|how| format!("; it {how}")).unwrap_or_default()
}

/// Lines of a program that a failure shows.
const SHOWN: usize = 10;

fn unmet(started: &Started, what: String, expected: &str) -> Failure {
    let said: Vec<_> =
        started.lines.iter().chain([&started.partial]).filter(|line| !line.trim().is_empty()).collect();
    let skipped = said.len().saturating_sub(SHOWN);
    let unread = said.into_iter().skip(skipped);
    Failure::Unmet(Box::new(Unmet {
        what,
        expected: expected.to_owned(),
        reader: "the script".into(),
        unread: unread.map(|line| (started.name.to_string(), line.clone())).collect(),
        more: skipped,
        ..Unmet::default()
    }))
}

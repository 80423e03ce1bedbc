//! What the thread of a script does, from its world to its last word. Whatever breaks here breaks the
//! script alone.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use crate::api::exit::Exit;
use crate::guest::WorldMaker;
use crate::guest::cast::Cast;
use crate::guest::host::{Part, Report, Said};
use crate::guest::seat::Seat;
use crate::id::Name;
use crate::limits::{PROMPT_COMPUTE, PROMPT_MOMENTS, PROMPT_OPERATIONS_MAX, PROMPT_VALUE_MAX};
use crate::play::{Ev, Head, Moment, WorldKind};
use crate::report::transcript::Transcript;
use crate::report::verdict;
use crate::rng::{Rng, Seed};
use crate::script::deeds::Deeds;
use crate::script::error::ScriptError;
use crate::script::stop::Stop;
use crate::script::{Launchers, Maker, Outcome, Pace, Setting, Source, Standing, batch, rhai};
use crate::text::{Untrusted, escape_display};
use crate::world::World;

/// What is said when something breaks that never should.
const BROKEN: &str = "the script engine failed; the prompt goes on";

/// Plays a script.
pub(super) fn play(source: &Source, part: Part) {
    let voice = part.voice.clone();
    let name = escape_display(&source.name);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let head = head(source)?;
        let mut transcript = Transcript::new(&head, part.color);
        // Of a failure all is said at the end.
        let first = |lines: String| lines.lines().next().map(str::to_owned);
        let setting = setting(head, part, move |moment| transcript.line(moment).and_then(first));
        let outcome = match source.name.ends_with(".rhai") {
            true => rhai::run(source, setting),
            false => batch::run(source, setting),
        };
        Ok::<_, String>(report(&name, &outcome))
    }));
    let broken = |why: &str| Report {
        sentence: format!("{name}: failed"),
        errors: vec![format!("{name}: {why}")],
        exit: Exit::Runtime,
    };
    let report = match result {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => broken(&error),
        Err(_) => broken(BROKEN),
    };
    voice.say(Said::Ended(report));
}

/// Evaluates lines until there will be no more.
pub(super) fn stand(source: &Source, part: Part) {
    let voice = part.voice.clone();
    let result = catch_unwind(AssertUnwindSafe(|| evaluate(source, part)));
    let why = match result {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(_) => format!("{BROKEN}, without what was said to it"),
    };
    let errors = vec![format!("=: {why}")];
    voice.say(Said::Ended(Report { sentence: String::new(), errors, exit: Exit::Runtime }));
}

fn evaluate(source: &Source, part: Part) -> Result<(), String> {
    let (inbox, voice) = (Arc::clone(&part.inbox), part.voice.clone());
    let head = head(source)?;
    let mut transcript = Transcript::new(&head, part.color);
    transcript.keep(PROMPT_MOMENTS);
    let me = Name::claimed("me", "me");
    let setting = setting(head, part, move |moment| transcript.line(moment).filter(|_| is_news(moment, me)));
    let pace = Pace { operations: PROMPT_OPERATIONS_MAX, time: PROMPT_COMPUTE };
    let mut standing = Standing::new(source, setting, pace).map_err(|error| error.to_string())?;
    while !inbox.is_closed() {
        match inbox.take_line() {
            Some(line) => {
                let value = standing.evaluate(&line).map_err(|error| failed(&error));
                voice.say(Said::Value(value.map(|value| value.map(|value| shown(&value)))));
            }
            None => standing.turn(),
        }
    }
    Ok(())
}

/// What happens to `me` the prompt itself shows; what a line or a handler makes it say it does not.
fn is_news(moment: &Moment, me: Name) -> bool {
    moment.peer != Some(me) || matches!(moment.ev, Ev::Send | Ev::Queued | Ev::Note)
}

/// A run in real time among strangers: nothing of it is the same twice, so its keys and chances need
/// not be either, and nobody at the prompt mistakes a peer for one of an earlier run.
fn head(source: &Source) -> Result<Head, String> {
    let seed = Seed::from_os().map_err(|error| format!("there is no source of chance: {error}"))?;
    Ok(Head {
        hobnob: env!("CARGO_PKG_VERSION").to_owned(),
        script: Untrusted::new(Arc::from(source.name.as_str())),
        hash: source.hash(),
        seed: Rng::new(seed).next_u64(),
        world: WorldKind::Tcp,
        timed: true,
        wall: None,
    })
}

fn setting(head: Head, part: Part, mut line: impl FnMut(&Moment) -> Option<String> + 'static) -> Setting {
    let Part { seat, voice, stop, outside, .. } = part;
    let (maker, effort) = (maker(outside.world, seat, stop.clone()), Rc::new(outside.effort));
    let watch = Box::new(move |_: u64, moment: &Moment| {
        if let Some(line) = line(moment) {
            voice.say(Said::Line(line));
        }
    });
    let launchers: Launchers =
        Rc::new(|| Err("launch: not from a prompt; use: hobnob run --tcp FILE".into()));
    Setting {
        maker,
        head,
        stop,
        watch: Some(watch),
        deeds: Deeds::default(),
        trace: false,
        effort,
        launchers,
        attempts: 1,
        pair: false,
        tested: None,
    }
}

/// The first world is the one with `me`; each test has another without.
fn maker(make: WorldMaker, seat: Seat, stop: Stop) -> Maker {
    let seat = RefCell::new(Some(seat));
    Rc::new(move |seed| {
        let (inner, bell) = make(seed)?;
        stop.wakes(bell);
        Ok(Box::new(Cast::new(seat.borrow_mut().take(), inner)) as Box<dyn World>)
    })
}

fn report(name: &str, outcome: &Outcome) -> Report {
    if outcome.exit() == Exit::Interrupted {
        let sentence = format!("{name}: interrupted");
        return Report { sentence, errors: Vec::new(), exit: Exit::Interrupted };
    }
    let sentence = format!("{name}: {}", verdict::judge(&outcome.play).sentence());
    let tests =
        outcome.failed.iter().map(|(title, error)| format!("test \"{}\": {error}", escape_display(title)));
    let errors = tests.chain(outcome.error.as_ref().map(ToString::to_string)).collect();
    Report { sentence, errors, exit: outcome.exit() }
}

/// A line has no place but itself.
fn failed(error: &ScriptError) -> (String, Exit) {
    (format!("=: {}", error.failure), error.failure.exit())
}

fn shown(value: &str) -> String {
    let shown: String = value.chars().take(PROMPT_VALUE_MAX).collect();
    let rest = if shown.len() < value.len() { " …" } else { "" };
    escape_display(&shown) + rest
}

//! Errors both ways: what a verb says becomes an error of the engine, which a script may catch unless
//! it is final; and what the engine says becomes a failure of ours, in words that name the thing and
//! the place.

use rhai::{Dynamic, EvalAltResult, Position};
use std::sync::Arc;

use crate::api::near::nearest;
use crate::limits;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::text::escape_display;

/// The verbs of a script, for "did you mean".
const VERBS: &[&str] = &[
    "cast",
    "peer",
    "net",
    "link",
    "partition",
    "heal",
    "hold",
    "release",
    "crash",
    "restart",
    "connect",
    "send",
    "broadcast",
    "disconnect",
    "quit",
    "peers",
    "known",
    "inbox",
    "on",
    "expect",
    "expect_none",
    "expect_left",
    "wait",
    "settle",
    "now",
    "rand",
    "step",
    "test",
    "check",
    "note",
    "always",
    "eventually",
    "wire",
    "cut",
    "half_open",
    "clog",
    "slow",
    "disk",
    "skew",
    "refuse",
    "crash_after",
    "print",
    "whois",
    "ping",
    "rename",
    "len",
    "push",
    "contains",
];

/// A failure as an error of the engine.
pub(super) fn throw(mut error: ScriptError, spot: &Spot, place: Position) -> Box<EvalAltResult> {
    error.spot.get_or_insert_with(|| spot.clone());
    let is_final = error.failure.is_final();
    let token = Dynamic::from(error);
    Box::new(if is_final {
        EvalAltResult::ErrorTerminated(token, place)
    } else {
        EvalAltResult::ErrorRuntime(token, place)
    })
}

/// An error of the engine as a failure.
pub(super) fn explain(error: EvalAltResult, file: &Arc<str>, peers: &dyn Fn() -> Vec<String>) -> ScriptError {
    let (error, source) = innermost(error);
    let place = error.position();
    let failure = match error {
        EvalAltResult::ErrorRuntime(token, _) | EvalAltResult::ErrorTerminated(token, _) => {
            match token.clone().try_cast::<ScriptError>() {
                Some(error) => return error,
                None => match token.clone().try_cast::<Failure>() {
                    Some(failure) => failure,
                    None => Failure::Thrown(thrown(&token)),
                },
            }
        }
        EvalAltResult::Exit(..) => Failure::Misuse(
            "exit: only the script itself can end here, not a function that it is called with".into(),
        ),
        EvalAltResult::ErrorVariableNotFound(name, _) => Failure::Thrown(unknown(&name, &peers())),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => Failure::Thrown(no_function(&signature)),
        EvalAltResult::ErrorParsing(kind, _) => Failure::Parse(escape_display(&kind.to_string())),
        EvalAltResult::ErrorTooManyOperations(_) => Failure::Bound(format!(
            "the script does more than the {} operations that a run may have",
            limits::SCRIPT_OPERATIONS_MAX
        )),
        EvalAltResult::ErrorStackOverflow(_) => {
            Failure::Bound(format!("calls go deeper than {}", limits::SCRIPT_DEPTH_MAX))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            Failure::Bound(format!("{}: too large; see: limits", what.to_lowercase()))
        }
        error @ (EvalAltResult::ErrorTooManyVariables(_) | EvalAltResult::ErrorTooManyModules(_)) => {
            Failure::Bound(words(&error))
        }
        EvalAltResult::ErrorDataRace(..) => Failure::Thrown(
            "a function was given to a method of a variable that it captures; name the peer itself, as in \
             bob.on(…), or use another variable"
                .into(),
        ),
        error => Failure::Thrown(words(&error)),
    };
    let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let file = if source.is_empty() { Arc::clone(file) } else { Arc::from(source) };
    let spot = Spot { file, line: number(place.line()), column: number(place.position()) };
    ScriptError { failure: Box::new(failure), spot: Some(spot), quote: None }
}

/// What a script has thrown itself.
fn thrown(token: &Dynamic) -> String {
    if token.is_string() || token.is_int() || token.is_float() || token.is_bool() || token.is_char() {
        return escape_display(&token.to_string());
    }
    format!("the script threw {}, not a text", kind(token.type_name()))
}

/// The error itself, out of the calls around it, and the file that the innermost of them is in.
fn innermost(error: EvalAltResult) -> (EvalAltResult, String) {
    let (mut error, mut file) = (error, String::new());
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => {
                if !source.is_empty() {
                    file = source;
                }
                error = *inner;
            }
            EvalAltResult::ErrorInModule(path, inner, _) => {
                if !path.is_empty() {
                    file = path;
                }
                error = *inner;
            }
            error => return (error, file),
        }
    }
}

pub(super) fn unknown(name: &str, peers: &[String]) -> String {
    let shown = escape_display(name);
    if peers.is_empty() {
        return format!(
            "no variable and no peer is called `{shown}` (nobody is cast yet: cast([\"alice\"]))"
        );
    }
    let near = nearest(name, peers.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let some: Vec<_> = peers.iter().take(12).map(String::as_str).collect();
    let more = if peers.len() > some.len() { ", …" } else { "" };
    format!("no variable and no peer is called `{shown}`{near} (peers here: {}{more})", some.join(", "))
}

/// `send (Peer, Peer)` becomes: no `send` takes (peer, peer).
fn no_function(signature: &str) -> String {
    let (name, given) = signature.split_once(" (").unwrap_or((signature, ")"));
    let name = escape_display(name.trim());
    let given = given.strip_suffix(')').unwrap_or(given);
    let given: Vec<_> = given.split(", ").filter(|kind| !kind.is_empty()).map(kind).collect();
    let given = given.join(", ");
    if VERBS.contains(&name.as_str()) {
        return format!("`{name}` cannot be called with ({given}); see: hobnob help scripts");
    }
    let near = nearest(&name, VERBS.iter().copied());
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no function `{name}` for ({given}){near}")
}

fn kind(name: &str) -> String {
    let name = name.rsplit("::").next().unwrap_or(name);
    match name {
        "i64" => "a number".into(),
        "f64" => "a fraction".into(),
        "Peer" => "a peer".into(),
        "Span" => "a duration".into(),
        "Message" => "a message".into(),
        "map" => "a map".into(),
        "array" => "an array".into(),
        "string" | "&str | ImmutableString | String" | "&str" | "ImmutableString" => "a text".into(),
        "Fn" => "a function".into(),
        "()" => "nothing".into(),
        other => escape_display(other),
    }
}

/// What the engine says, without the place, which we say ourselves.
fn words(error: &EvalAltResult) -> String {
    let all = error.to_string();
    let place = error.position();
    let words =
        if place.is_none() { &all } else { all.rsplit_once(" (line ").map_or(&all[..], |(words, _)| words) };
    escape_display(words)
}

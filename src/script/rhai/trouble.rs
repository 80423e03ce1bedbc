//! Errors both ways: what a verb says becomes an error of the engine, which a script may catch unless
//! it is final; and what the engine says becomes a failure of ours, in words that name the thing and
//! the place.

use rhai::{Dynamic, EvalAltResult, Position};
use std::sync::Arc;

use crate::api::near::nearest;
use crate::id::Name;
use crate::limits;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::rhai::forms;
use crate::text::escape_display;

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
    let (error, source, function) = innermost(error);
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
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            // What it names may well be there, only not for a function.
            let hint = if function {
                "; a function sees its parameters, peers, and constants as global::NAME"
            } else {
                ""
            };
            Failure::Thrown(format!("{}{hint}", unknown(&name, &peers())))
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => Failure::Thrown(no_function(&signature)),
        EvalAltResult::ErrorDotExpr(said, _) => Failure::Thrown(no_property(&said)),
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

/// The error itself, out of the calls around it, the file that the innermost of them is in, and
/// whether that is a function with a name.
fn innermost(error: EvalAltResult) -> (EvalAltResult, String, bool) {
    let (mut error, mut file, mut named) = (error, String::new(), false);
    loop {
        match error {
            EvalAltResult::ErrorInFunctionCall(function, source, inner, _) => {
                named = !function.starts_with(ANONYMOUS);
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
            error => return (error, file, named),
        }
    }
}

pub(super) fn unknown(name: &str, peers: &[String]) -> String {
    let shown = escape_display(name);
    if peers.is_empty() {
        let cast = if Name::new(name).is_ok() { &shown } else { "alice" };
        return format!(
            "no variable and no peer is called `{shown}` (nobody is cast yet: cast([\"{cast}\"]))"
        );
    }
    let near = nearest(name, peers.iter().map(String::as_str));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let some: Vec<_> = peers.iter().take(12).map(String::as_str).collect();
    let more = if peers.len() > some.len() { ", …" } else { "" };
    format!("no variable and no peer is called `{shown}`{near} (peers here: {}{more})", some.join(", "))
}

/// What is asked of a thing that it has not, or that is to be called.
fn no_property(said: &str) -> String {
    // The engine has it only in words: Unknown property 'peers' - a getter is not registered for type 'Peer'
    let mut quoted = said.split('\'').skip(1).step_by(2);
    let (Some(name), Some(of), true) = (quoted.next(), quoted.next(), said.starts_with("Unknown property"))
    else {
        return escape_display(said);
    };
    let of = of.rsplit("::").next().unwrap_or(of);
    let (shown, kind) = (escape_display(name), kind(of));
    let all = forms::properties(of);
    let near = all.and_then(|all| nearest(name, all.split(' ')));
    match (forms::form(name), near, all) {
        (Some(form), None, _) => format!("{kind} has no `{shown}`; it is a call: {form}"),
        (_, Some(near), _) => format!("{kind} has no `{shown}`; did you mean `{near}`?"),
        (None, None, Some(all)) => format!("{kind} has no `{shown}`; it has {all}"),
        (None, None, None) => format!("{kind} has no `{shown}`"),
    }
}

/// `send (Peer, Peer)` becomes: no `send` takes (peer, peer).
fn no_function(signature: &str) -> String {
    let (name, given) = signature.split_once(" (").unwrap_or((signature, ")"));
    let name = escape_display(name.trim());
    let given = given.strip_suffix(')').unwrap_or(given);
    let given: Vec<_> = given.split(", ").filter(|kind| !kind.is_empty()).map(kind).collect();
    let given = given.join(", ");
    if let Some(form) = forms::form(&name) {
        return format!("`{name}` cannot be called with ({given}); write {form}");
    }
    let near = nearest(&name, forms::verbs());
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

/// The duration that somebody wrote without its point where the engine stopped reading: `5s` is `5.s`.
pub(super) fn bare_duration(line: &str, column: u32) -> Option<String> {
    let at = usize::try_from(column).ok()?.checked_sub(1)?;
    let before: Vec<_> = line.chars().take(at).collect();
    let digits = before.iter().rev().take_while(|c| c.is_ascii_digit() || **c == '.').count();
    let number: String = before[before.len() - digits..].iter().collect();
    let unit: String = line.chars().skip(at).take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let is_one = number.starts_with(|c: char| c.is_ascii_digit()) && UNITS.contains(&unit.as_str());
    is_one.then(|| format!("{number}.{unit}"))
}

/// How the engine names a function that has no name.
const ANONYMOUS: &str = "anon$";
/// The units of durations.
const UNITS: [&str; 5] = ["us", "ms", "s", "m", "h"];

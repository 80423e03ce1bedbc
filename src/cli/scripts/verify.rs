//! `verify`: plays a script twice in fresh processes and compares every event. What differs between
//! two runs of one seed is chance or time that does not follow from the seed: a fault of ours, or of
//! the machine. Over sockets times differ, so there the stable transcripts are compared.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::Script;
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::is_script;
use crate::shell::output::complain;
use crate::text::escape_display;

/// How a Rust program ends that panics.
const PANICKED: i32 = 101;
/// Characters of a differing line that are shown.
const SHOWN: usize = 400;

/// Plays a script twice.
pub(super) fn verify(script: &Script, flags: &Flags) -> Exit {
    let name = script.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !is_script(&name) {
        complain(&format!(
            "hobnob: {} is no script: it must end in .rhai, .hob or .md",
            escape_display(&name)
        ));
        return Exit::Runtime;
    }
    let what = if script.tcp { "--stable=-" } else { "--json" };
    let both = [run(script, flags, what), run(script, flags, what)];
    let [Ok((first, first_exit)), Ok((second, second_exit))] = both else {
        let error = both.into_iter().find_map(Result::err).unwrap_or_default();
        complain(&format!("hobnob: verify: {error}"));
        return Exit::Runtime;
    };
    // Whatever it says of its own failure it says twice; here it matters only that it is the same.
    if first_exit == i32::from(Exit::Parse.code()) || first_exit == i32::from(Exit::Interrupted.code()) {
        complain(&format!(
            "hobnob: verify: the script does not run; see: hobnob run {}",
            script.file.display()
        ));
        return if first_exit == i32::from(Exit::Parse.code()) { Exit::Parse } else { Exit::Interrupted };
    }
    match compare(&first, &second) {
        None if first_exit == second_exit => {
            let lines = first.lines().count();
            let what = if script.tcp { "lines of the stable transcript" } else { "events" };
            let seed = script.seed;
            drop(say(format!("identical: {lines} {what}, seed {seed}, exit {first_exit}\n").as_bytes()));
            Exit::Done
        }
        None => {
            complain(&format!(
                "hobnob: verify: one run ended with {first_exit}, the other with {second_exit}"
            ));
            Exit::Differs
        }
        Some((at, a, b)) if a.contains("\"ev\":\"end\"") && b.contains("\"ev\":\"end\"") => {
            differs("event", at, a, b);
            // What the nodes tell is the same, but not what they did.
            if let [Ok((a, _)), Ok((b, _))] =
                [run(script, flags, "--trace=-"), run(script, flags, "--trace=-")]
                && let Some((at, a, b)) = compare(&a, &b)
            {
                differs("step of the world", at, a, b);
            }
            Exit::Differs
        }
        Some((at, a, b)) => {
            differs("event", at, a, b);
            Exit::Differs
        }
    }
}

fn differs(what: &str, at: usize, a: &str, b: &str) {
    let cut = |line: &str| -> String { escape_display(&line.chars().take(SHOWN).collect::<String>()) };
    complain(&format!(
        "hobnob: verify: not deterministic; {what} {at} differs\n  first   {}\n  second  {}",
        cut(a),
        cut(b)
    ));
}

/// The first line that differs, and its number from 0.
fn compare<'a>(first: &'a str, second: &'a str) -> Option<(usize, &'a str, &'a str)> {
    let (mut a, mut b) = (first.lines(), second.lines());
    for at in 0.. {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => return Some((at, a.unwrap_or("(nothing)"), b.unwrap_or("(nothing)"))),
        }
    }
    None
}

/// One run in a process of its own: what it prints, and its exit code.
fn run(script: &Script, flags: &Flags, what: &str) -> Result<(String, i32), String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut args: Vec<OsString> = vec!["run".into(), what.into(), "--quiet".into(), "--seed".into()];
    args.push(script.seed.to_string().into());
    args.extend(script.tcp.then(|| "--tcp".into()));
    if let Some(timeout) = flags.timeout {
        args.extend(["--timeout".into(), crate::api::command::show(timeout).into()]);
    }
    args.push(script.file.clone().into());
    args.extend(script.args.iter().map(OsString::from));
    let run = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::piped()).output();
    let run = run.map_err(|error| format!("cannot start this program: {error}"))?;
    let Some(exit) = run.status.code() else {
        return Err(format!("a run was killed: {}", run.status));
    };
    // Two runs that fall over at the same place are alike, and yet nobody is to hear that all is well.
    if exit == PANICKED {
        let said = String::from_utf8_lossy(&run.stderr);
        let words: Vec<_> = said.trim().lines().take(2).map(escape_display).collect();
        return Err(format!("this program fell over: {}", words.join(" ")));
    }
    let text = String::from_utf8(run.stdout).map_err(|_| "a run printed no text".to_owned())?;
    if text.is_empty() {
        return Err(String::from_utf8_lossy(&run.stderr).trim().to_owned());
    }
    Ok((text, exit))
}

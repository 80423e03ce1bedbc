//! `verify`: plays a script twice in fresh processes and compares every event. What differs between
//! two runs of one seed is chance or time that does not follow from the seed: a fault of ours, or of
//! the machine. Over sockets times differ, so there the stable transcripts are compared.

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::{Script, Wanted};
use crate::cli::scripts::fresh::Fresh;
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::Ends;
use crate::shell::output::complain;
use crate::text::{escape_display, escape_json};

/// Characters of a differing line that are shown.
const SHOWN: usize = 400;

/// What came of the comparison.
enum Compared {
    /// So many lines are the same, and so is the exit code.
    Same(usize, i32),
    /// The lines are the same, but one run ended with this and the other with that.
    Exits(i32, i32),
    /// Lines that differ: what they are, the number of the first, and both.
    Differ(Vec<(&'static str, usize, String, String)>),
}

/// Plays a script twice.
pub(super) fn verify(script: &Script, wanted: &Wanted, flags: &Flags) -> Exit {
    if !wanted.is_clear(true, &script.file) {
        return Exit::Usage;
    }
    let Some(source) = super::run::read(script) else { return Exit::Runtime };
    let what = if script.tcp { "--stable=-" } else { "--json" };
    let fresh = Fresh::new(script, flags);
    let both = fresh.run(what).and_then(|first| Ok((first, fresh.run(what)?)));
    if fresh.is_interrupted() {
        complain("hobnob: verify: interrupted");
        return Exit::Interrupted;
    }
    let (first, second) = match both {
        Ok(both) => both,
        Err(error) => {
            complain(&format!("hobnob: verify: {error}"));
            return Exit::Runtime;
        }
    };
    // Whatever a run says of its own failure, here it matters only that it is said twice; but what
    // does not run at all is not compared.
    if first.1 == i32::from(Exit::Parse.code()) {
        let file = escape_display(&script.file.display().to_string());
        complain(&format!("hobnob: verify: the script does not run; see: hobnob run {file}"));
        return Exit::Parse;
    }
    let compared = compare_runs(&fresh, &first, &second);
    let mut exit = if matches!(compared, Compared::Same(..)) { Exit::Done } else { Exit::Differs };
    if let Err(error) = tell(script, &compared, flags.json) {
        complain(&format!("hobnob: {error}"));
        exit = exit.max(Exit::Runtime);
    }
    let ends = Ends::default();
    super::run::make(&source, || super::sweep::once(&source, script, script.seed, &ends), wanted, flags, exit)
}

fn compare_runs(fresh: &Fresh<'_>, first: &(String, i32), second: &(String, i32)) -> Compared {
    let Some((at, a, b)) = compare(&first.0, &second.0) else {
        return match first.1 == second.1 {
            true => Compared::Same(first.0.lines().count(), first.1),
            false => Compared::Exits(first.1, second.1),
        };
    };
    let mut differ = vec![("event", at, a.to_owned(), b.to_owned())];
    let is_end = |line: &str| line.contains("\"ev\":\"end\"");
    // What the nodes tell is the same, but not what they did.
    if is_end(a)
        && is_end(b)
        && let [Ok((a, _)), Ok((b, _))] = [fresh.run("--trace=-"), fresh.run("--trace=-")]
        && let Some((at, a, b)) = compare(&a, &b)
    {
        differ.push(("step of the world", at, a.to_owned(), b.to_owned()));
    }
    Compared::Differ(differ)
}

fn tell(script: &Script, compared: &Compared, json: bool) -> Result<(), String> {
    let cut = |line: &str| -> String { escape_display(&line.chars().take(SHOWN).collect::<String>()) };
    let mut line = Vec::new();
    let seed = script.seed;
    match compared {
        Compared::Same(lines, exit) if json => {
            line = format!(
                "{{\"v\":1,\"ev\":\"identical\",\"lines\":{lines},\"seed\":{seed},\"result\":{exit}}}\n"
            )
            .into_bytes();
        }
        Compared::Same(lines, exit) => {
            let what = if script.tcp { "lines of the stable transcript" } else { "events" };
            line = format!("identical: {lines} {what}, seed {seed}, exit {exit}\n").into_bytes();
        }
        Compared::Exits(a, b) => {
            complain(&format!("hobnob: verify: one run ended with {a}, the other with {b}"));
        }
        Compared::Differ(differ) => {
            for (what, at, a, b) in differ {
                let (a, b) = (cut(a), cut(b));
                complain(&format!(
                    "hobnob: verify: not deterministic; {what} {at} differs\n  first   {a}\n  second  {b}"
                ));
                if json {
                    line.extend_from_slice(
                        format!("{{\"v\":1,\"ev\":\"differs\",\"line\":{at},\"first\":").as_bytes(),
                    );
                    escape_json(&a, &mut line);
                    line.extend_from_slice(b",\"second\":");
                    escape_json(&b, &mut line);
                    line.extend_from_slice(b"}\n");
                }
            }
        }
    }
    say(&line)
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

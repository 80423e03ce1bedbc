//! `sweep`: plays a script with many seeds, on all cores, and says which fail and how to play each
//! again; with --shrink, reduces the first.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::{Script, Wanted};
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::{Ends, Manner, play};
use crate::cli::scripts::several::{cores, progress};
use crate::cli::scripts::{run, shrink};
use crate::script::{Outcome, Source};
use crate::shell::output::complain;
use crate::text::{escape_display, escape_json};

/// How a seed failed.
struct Failed {
    exit: Exit,
    why: String,
}

/// Failing seeds that are told of one by one.
const TOLD: usize = 20;

/// Plays a script with many seeds.
pub(super) fn sweep(
    script: &Script,
    seeds: (u64, u64),
    reduce: bool,
    wanted: &Wanted,
    flags: &Flags,
) -> Exit {
    let Some(source) = run::read(script) else { return Exit::Runtime };
    if !wanted.is_clear(true, &script.file) {
        return Exit::Usage;
    }
    let ends = Ends::by_signal_or(flags.timeout);
    let (failed, played) = all(&source, script, seeds, &ends);
    let all = (seeds.1 - seeds.0).saturating_add(1);
    if let Err(error) = tell(script, &failed, (played, all), flags.json) {
        complain(&format!("hobnob: {error}"));
        return failed.first_key_value().map_or(Exit::Runtime, |(_, first)| first.exit.max(Exit::Runtime));
    }
    if let Some(halt) = ends.stop.asked() {
        return match halt {
            crate::script::stop::Halt::Interrupted => Exit::Interrupted,
            crate::script::stop::Halt::TimedOut => {
                complain("hobnob: sweep: it took longer than --timeout allows");
                Exit::Runtime
            }
        };
    }
    let Some((seed, first)) = failed.first_key_value() else {
        let first = || once(&source, script, seeds.0, &ends);
        return run::make(&source, first, wanted, flags, Exit::Done);
    };
    if reduce && first.exit != Exit::Parse {
        let least = shrink::shrink(&source, script, *seed, &ends, flags);
        return run::make(&source, || least, wanted, flags, first.exit);
    }
    run::make(&source, || once(&source, script, *seed, &ends), wanted, flags, first.exit)
}

/// One run of the sweep.
pub(super) fn once(source: &Source, script: &Script, seed: u64, ends: &Ends) -> Outcome {
    play(source, Manner { seed, tcp: script.tcp, ends: ends.clone(), ..Manner::default() })
}

/// Why it failed, in a line.
pub(super) fn why(outcome: &Outcome) -> Option<String> {
    let error = outcome.error.as_ref().or_else(|| outcome.failed.first().map(|(_, error)| error))?;
    let place = error.spot.as_ref().map(|spot| format!("{spot}: ")).unwrap_or_default();
    let words = error.failure.to_string();
    Some(format!("{place}{}", words.lines().next().unwrap_or_default()))
}

fn all(
    source: &Source,
    script: &Script,
    (from, to): (u64, u64),
    ends: &Ends,
) -> (BTreeMap<u64, Failed>, u64) {
    // Real sockets take their own time, and would take each other's.
    let cores = if script.tcp { 1 } else { cores() };
    let (next, played) = (AtomicU64::new(from), AtomicU64::new(0));
    // What does not parse does so with no seed.
    let no_script = AtomicBool::new(false);
    let failed = Mutex::new(BTreeMap::new());
    let bar = progress((to - from).saturating_add(1), "seeds  {per_sec}  {eta}");
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = ends.stop.asked().is_some() || no_script.load(Ordering::Relaxed);
                    if seed > to || seed < from || over {
                        return;
                    }
                    let outcome = once(source, script, seed, ends);
                    if ends.stop.asked().is_some() {
                        return;
                    }
                    played.fetch_add(1, Ordering::Relaxed);
                    if let Some(bar) = &bar {
                        bar.inc(1);
                    }
                    if let Some(why) = why(&outcome) {
                        let exit = outcome.exit();
                        no_script.fetch_or(exit == Exit::Parse, Ordering::Relaxed);
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .insert(seed, Failed { exit, why });
                    }
                }
            });
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    (failed.into_inner().unwrap_or_else(PoisonError::into_inner), played.into_inner())
}

/// What came of so many seeds of so many.
fn tell(
    script: &Script,
    failed: &BTreeMap<u64, Failed>,
    (played, all): (u64, u64),
    json: bool,
) -> Result<(), String> {
    let mut text = Vec::new();
    if json {
        for (seed, Failed { exit, why }) in failed {
            text.extend_from_slice(
                format!("{{\"v\":1,\"ev\":\"seed\",\"seed\":{seed},\"result\":{},\"text\":", exit.code())
                    .as_bytes(),
            );
            escape_json(why, &mut text);
            text.extend_from_slice(b"}\n");
        }
        let failed = failed.len();
        text.extend_from_slice(
            format!("{{\"v\":1,\"ev\":\"end\",\"seeds\":{played},\"failed\":{failed}}}\n").as_bytes(),
        );
    } else {
        for (seed, Failed { why, .. }) in failed.iter().take(TOLD) {
            text.extend_from_slice(format!("seed {seed}: {why}\n").as_bytes());
        }
        if failed.len() > TOLD {
            text.extend_from_slice(format!("and {} more\n", failed.len() - TOLD).as_bytes());
        }
        // It may have been interrupted, and then nobody knows of the rest.
        let seeds = match (played, all) {
            (1, 1) => "1 seed".to_owned(),
            (played, all) if played == all => format!("{played} seeds"),
            (played, all) => format!("{played} of {all} seeds"),
        };
        let last = match failed.first_key_value() {
            None => format!("{seeds}, all well\n"),
            Some((seed, _)) => {
                format!("{seeds}, {} failed; to see the first: {}\n", failed.len(), again(script, *seed))
            }
        };
        text.extend_from_slice(last.as_bytes());
    }
    say(&text)
}

/// The command that plays one seed, for a shell.
fn again(script: &Script, seed: u64) -> String {
    let tcp = if script.tcp { " --tcp" } else { "" };
    let quoted = |word: &str| shlex::try_quote(word).map_or_else(|_| word.to_owned(), Into::into);
    let file = script.file.display().to_string();
    let mut line = format!("hobnob run{tcp} --seed {seed} ");
    if script.args.iter().chain([&file]).any(|word| word.starts_with('-')) {
        line.push_str("-- ");
    }
    line.push_str(&quoted(&file));
    for word in &script.args {
        line.push(' ');
        line.push_str(&quoted(word));
    }
    escape_display(&line)
}

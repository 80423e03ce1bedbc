//! `lint`: a rubric is graded itself. It is tried many times against a program that has all points, and
//! once against each of several that have a fault: a test that fails now and then is unfair, a test
//! that no fault fails says nothing, and a wait for time could mostly be an expectation.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::Script;
use crate::cli::scripts::class::child;
use crate::cli::scripts::grade::Submission;
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::Ends;
use crate::cli::scripts::run;
use crate::cli::scripts::several::{cores, several};
use crate::play::{Play, Verdict};
use crate::report::events;
use crate::report::verdict::judge;
use crate::shell::output::complain;
use crate::text::{escape_display, escape_json};

/// With what a rubric is tried.
#[derive(clap::Args, Debug, Clone)]
pub(in crate::cli) struct Against {
    /// A program that has to get all points.
    #[arg(long, value_name = "FILE")]
    pub(super) reference: PathBuf,
    /// A folder of programs that each have one fault.
    #[arg(long, value_name = "DIR")]
    pub(super) faulty: Option<PathBuf>,
    /// How a program's file is started.
    #[arg(long, value_name = "COMMAND", default_value = "python3")]
    pub(super) with: String,
    /// How often the reference is graded, each time with another seed.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(super) runs: u64,
}

/// A run of the rubric: against which file, and with which seed.
struct Trial {
    file: PathBuf,
    seed: u64,
}

/// What came of the trials.
#[derive(Default)]
struct Found {
    /// Of each test, how often it was passed by the reference, and how often tried.
    passed: BTreeMap<String, (u64, u64)>,
    /// The tests in the order of the rubric.
    order: Vec<String>,
    /// Of each test, which faulty programs failed it.
    failed: BTreeMap<String, Vec<String>>,
    /// Faulty programs that got all points.
    unnoticed: Vec<String>,
    /// Trials that gave no grade, and why.
    broken: Vec<String>,
}

/// Grades a rubric.
pub(super) fn lint(script: &Script, against: &Against, flags: &Flags) -> Exit {
    let Some(source) = run::read(script) else { return Exit::Runtime };
    let faulty = match against.faulty.as_deref().map(files).transpose() {
        Ok(files) => files.unwrap_or_default(),
        Err(error) => {
            complain(&format!("hobnob: lint: {error}"));
            return Exit::Runtime;
        }
    };
    let ends = Ends::by_signal_or(flags.timeout);
    let seeds = script.seed..script.seed.saturating_add(against.runs);
    let own = seeds.map(|seed| Trial { file: against.reference.clone(), seed });
    let others = faulty.iter().map(|file| Trial { file: file.clone(), seed: script.seed });
    let trials: Vec<_> = own.chain(others).collect();
    let plays = all(script, against, flags, &trials, &ends);
    if ends.stop.asked().is_some() {
        return Exit::Interrupted;
    }
    let mut found = Found::default();
    for (at, (trial, play)) in trials.iter().zip(plays).enumerate() {
        match play {
            Ok(play) if (at as u64) < against.runs => found.reference(&play),
            Ok(play) => found.faulty(&name(&trial.file), &play),
            Err(why) => found.broken.push(format!("{}: {why}", name(&trial.file))),
        }
    }
    let waits = waits(&source.text);
    let remarks = found.remarks(!faulty.is_empty(), &source.name, &waits);
    tell(&found, &remarks, against.runs, faulty.len(), flags.json);
    if remarks.is_empty() { Exit::Done } else { Exit::Expectation }
}

fn name(file: &Path) -> String {
    file.file_name().map_or_else(String::new, |name| escape_display(&name.to_string_lossy()))
}

/// The files of a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = || escape_display(&folder.display().to_string());
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", shown()))?;
    let mut files: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    if files.is_empty() {
        return Err(format!("{} has no files in it", shown()));
    }
    files.sort();
    Ok(files)
}

/// Every trial, several at once, in order.
fn all(
    script: &Script,
    against: &Against,
    flags: &Flags,
    trials: &[Trial],
    ends: &Ends,
) -> Vec<Result<Play, String>> {
    let done = several("graded", cores() * 2, trials.len(), &ends.stop, |at| {
        one(script, against, flags, &trials[at], at)
    });
    done.into_iter().map(|play| play.unwrap_or_else(|| Err("it was not tried".into()))).collect()
}

fn one(script: &Script, against: &Against, flags: &Flags, trial: &Trial, at: usize) -> Result<Play, String> {
    let folder = trial.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let words = shlex::split(&against.with).filter(|words| !words.is_empty());
    let mut argv: Vec<OsString> =
        words.ok_or("--with is no command")?.into_iter().map(OsString::from).collect();
    argv.push(trial.file.file_name().unwrap_or_default().to_owned());
    let events = std::env::temp_dir().join(format!("hobnob-lint-{}-{at}.ndjson", std::process::id()));
    let script = Script { seed: trial.seed, ..script.clone() };
    // One attempt: what three would forgive is what is looked for.
    let submission = Submission { attempts: 1, ..Submission::default() };
    let mut command = child(&script, &submission, folder, flags, &events)?;
    let done = command.arg(&script.file).arg("--").args(argv).output().map_err(|error| error.to_string())?;
    let bytes = std::fs::read(&events).map_err(|_| {
        String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or("it has left no grade").to_owned()
    });
    let _ = std::fs::remove_file(&events);
    let play = bytes.and_then(|bytes| events::read(&bytes).map_err(|error| error.to_string()))?;
    let judgement = judge(&play);
    match judgement.cases.iter().any(|case| !case.whole) {
        true => Ok(play),
        false => Err("no test of the rubric was run; see: hobnob grade".into()),
    }
}

/// Lines of a rubric that wait for time, from 1.
fn waits(text: &str) -> Vec<usize> {
    let waits = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        ["wait(", "sleep("].iter().any(|verb| {
            code.match_indices(verb)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
        })
    };
    text.lines().enumerate().filter(|(_, line)| waits(line)).map(|(at, _)| at + 1).collect()
}

impl Found {
    fn reference(&mut self, play: &Play) {
        for case in judge(play).cases.iter().filter(|case| !case.whole) {
            let title = case.name.display();
            if !self.order.contains(&title) {
                self.order.push(title.clone());
            }
            let (passed, tried) = self.passed.entry(title).or_default();
            *passed += u64::from(case.verdict == Verdict::Pass);
            *tried += 1;
        }
    }

    fn faulty(&mut self, file: &str, play: &Play) {
        let judgement = judge(play);
        let failed = judgement.cases.iter().filter(|case| !case.whole && case.verdict != Verdict::Pass);
        let titles: Vec<_> = failed.map(|case| case.name.display()).collect();
        if titles.is_empty() {
            self.unnoticed.push(file.to_owned());
        }
        for title in titles {
            self.failed.entry(title).or_default().push(file.to_owned());
        }
    }

    /// What is to be mended.
    fn remarks(&self, has_faulty: bool, file: &str, waits: &[usize]) -> Vec<String> {
        let mut remarks: Vec<_> = self.broken.iter().map(|why| format!("no grade: {why}")).collect();
        for title in &self.order {
            let (passed, tried) = self.passed.get(title).copied().unwrap_or_default();
            match passed {
                _ if passed == tried => {}
                0 => remarks.push(format!("\"{title}\": the reference fails it")),
                _ => remarks.push(format!("\"{title}\" flakes: the reference passed {passed} of {tried}")),
            }
            if has_faulty && !self.failed.contains_key(title) {
                remarks.push(format!("\"{title}\": no fault fails it"));
            }
        }
        remarks.extend(self.unnoticed.iter().map(|file| format!("{file}: no test notices its fault")));
        let file = escape_display(file);
        remarks.extend(
            waits.iter().map(|line| format!("{file}:{line}: waits for time; could it expect something?")),
        );
        remarks
    }
}

fn tell(found: &Found, remarks: &[String], runs: u64, faulty: usize, json: bool) {
    let mut text = Vec::new();
    if json {
        for remark in remarks {
            text.extend_from_slice(b"{\"v\":1,\"ev\":\"remark\",\"text\":");
            escape_json(remark, &mut text);
            text.extend_from_slice(b"}\n");
        }
        let (tests, remarks) = (found.order.len(), remarks.len());
        text.extend_from_slice(
            format!("{{\"v\":1,\"ev\":\"end\",\"tests\":{tests},\"runs\":{runs},\"faulty\":{faulty},\"remarks\":{remarks}}}\n")
                .as_bytes(),
        );
    } else {
        for title in &found.order {
            let (passed, tried) = found.passed.get(title).copied().unwrap_or_default();
            let by = found.failed.get(title).map(|files| files.join(", ")).unwrap_or_else(|| "-".into());
            text.extend_from_slice(format!("{passed}/{tried}  {title}  (failed by: {by})\n").as_bytes());
        }
        for remark in remarks {
            text.extend_from_slice(format!("! {remark}\n").as_bytes());
        }
        let word = if remarks.is_empty() {
            "nothing to mend".to_owned()
        } else {
            format!("{} remarks", remarks.len())
        };
        text.extend_from_slice(
            format!(
                "{} tests, {runs} runs of the reference, {faulty} faulty programs: {word}\n",
                found.order.len()
            )
            .as_bytes(),
        );
    }
    // Nobody reads it: then nobody is to be told.
    let _ = say(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_found_and_nothing_else() {
        let text = "wait(1.s);\n// wait(1.s)\nfoo.await(2);\n  sleep(5.s); x\nmy_wait(3);\ns.expect(\"wait(\"); wait(2.s)";
        assert_eq!(waits(text), [1, 4, 6]);
    }

    #[test]
    fn what_a_rubric_lacks_is_said() {
        let found = Found {
            passed: [("a".to_owned(), (9, 10)), ("b".into(), (10, 10))].into(),
            order: vec!["a".into(), "b".into()],
            failed: [("a".to_owned(), vec!["x.py".to_owned()])].into(),
            unnoticed: vec!["y.py".into()],
            broken: Vec::new(),
        };
        assert_eq!(
            found.remarks(true, "r.rhai", &[7]),
            [
                "\"a\" flakes: the reference passed 9 of 10",
                "\"b\": no fault fails it",
                "y.py: no test notices its fault",
                "r.rhai:7: waits for time; could it expect something?"
            ]
        );
    }
}

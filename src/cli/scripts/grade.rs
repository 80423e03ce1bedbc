//! `grade`: a rubric and somebody else's program, which is started for each test anew; points, with a
//! reason for each that is missing. What was found is written after every test, so that there is a
//! grade whatever happens then.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::{Script, Wanted};
use crate::cli::scripts::made::{self, say};
use crate::cli::scripts::play::{self, Ends, Manner, Programs};
use crate::cli::scripts::run;
use crate::play::{Play, Verdict};
use crate::report::bundle::Bundle;
use crate::report::verdict::{Case, judge, number, plural};
use crate::report::{events, failure};
use crate::script::Tested;
use crate::shell::output::complain;
use crate::text::escape_display;

/// How often a test is tried before its points are lost.
const ATTEMPTS: usize = 3;

/// What is graded.
#[derive(clap::Args, Debug, Clone, Default)]
pub(in crate::cli) struct Submission {
    /// The program and its arguments; in the rubric it is PROGRAM.
    #[arg(last = true, value_name = "PROGRAM")]
    pub(super) program: Vec<OsString>,
    /// What is copied for each test; by default the folder of the program's own file.
    #[arg(long, value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
    /// How the other of a pair is started: the rubric's pair() is done and nothing else.
    #[arg(long, value_name = "COMMAND", hide = true, requires = "other_folder")]
    pub(super) other: Option<String>,
    /// Its folder.
    #[arg(long, value_name = "DIR", hide = true, requires = "other")]
    pub(super) other_folder: Option<PathBuf>,
    /// How often a test is tried before it has failed.
    #[arg(long, value_name = "N", default_value_t = ATTEMPTS)]
    pub(super) attempts: usize,
}

/// Grades one program.
pub(super) fn grade(script: &Script, submission: &Submission, wanted: &Wanted, flags: &Flags) -> Exit {
    let Some(source) = run::read(script) else { return Exit::Runtime };
    if !wanted.is_clear(flags.json, &script.file) {
        return Exit::Usage;
    }
    let programs = match programs(script, submission) {
        Ok(programs) => programs,
        Err(error) => {
            complain(&format!("hobnob: grade: {error}"));
            return Exit::Usage;
        }
    };
    let ends = Ends::by_signal_or(flags.timeout);
    let tested = tested(wanted.clone(), !flags.json && !flags.quiet && !wanted.tap);
    let manner = Manner {
        seed: script.seed,
        tcp: true,
        wall: wanted.wall,
        ends,
        programs,
        tested: Some(tested),
        ..Manner::default()
    };
    let outcome = play::play(&source, manner);
    let bundle = || run::bundle(&source, &outcome);
    let mut made = made::make(&outcome.play, wanted, false, &bundle);
    if made.is_ok() && flags.json {
        made = say(&events::write(&outcome.play));
    }
    // A test that failed was told of when it had; what ended the rubric itself is said here.
    if let Some(error) = &outcome.error {
        complain(&error.to_string());
    }
    if !flags.json && !flags.quiet && !wanted.tap {
        drop(say(format!("{}\n", judge(&outcome.play).sentence()).as_bytes()));
    }
    match made {
        Ok(()) => outcome.exit(),
        Err(error) => {
            complain(&format!("hobnob: {error}"));
            outcome.exit().max(Exit::Runtime)
        }
    }
}

/// The program with its folder: a file of its own among the words is named as it is in the copy.
fn programs(script: &Script, submission: &Submission) -> Result<Programs, String> {
    let mut argv = submission.program.clone();
    if argv.is_empty() {
        return Err(
            "no program is named; write it behind --, as in: hobnob grade RUBRIC -- python3 chat.py".into()
        );
    }
    let file = argv.iter().position(|word| Path::new(word).is_file() && !Path::new(word).is_absolute());
    let folder = match (&submission.folder, file) {
        (Some(folder), _) if !folder.is_dir() => {
            return Err(format!("{} is no folder", escape_display(&folder.display().to_string())));
        }
        (Some(folder), _) => Some(folder.clone()),
        (None, Some(at)) => {
            let path = PathBuf::from(&argv[at]);
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let folder = parent.unwrap_or(Path::new(".")).to_path_buf();
            if let Some(name) = path.file_name() {
                // A program in the folder itself is not on the PATH.
                argv[at] = if at == 0 { Path::new("./").join(name).into() } else { name.to_owned() };
            }
            Some(folder)
        }
        (None, None) => None,
    };
    let other = submission.other.as_ref().zip(submission.other_folder.as_ref()).map(|(line, folder)| {
        let words = shlex::split(line).unwrap_or_default();
        (words.into_iter().map(OsString::from).collect(), folder.clone())
    });
    Ok(Programs {
        unshut: script.unshut,
        other,
        argv,
        folder,
        own_folder: true,
        attempts: submission.attempts,
    })
}

/// What is done after each test: it is told of, and the files are written anew.
fn tested(wanted: Wanted, aloud: bool) -> Tested {
    // A bundle holds a run that has ended.
    let so_far = Wanted { bundle: None, tap: false, ..wanted };
    let mut told = 0;
    Box::new(move |play: &Play| {
        let judgement = judge(play);
        let cases: Vec<_> = judgement.cases.iter().filter(|case| !case.whole).collect();
        if aloud {
            for case in cases.iter().skip(told) {
                drop(say(line(play, case).as_bytes()));
            }
        }
        told = cases.len();
        let none = || Bundle {
            script: String::new(),
            files: Vec::new(),
            play: play.clone(),
            program: String::new(),
            args: Vec::new(),
        };
        // What cannot be written is said at the end, when it is tried again.
        let files = so_far.files_only();
        drop(made::make(play, &files, false, &none));
    })
}

/// A test in a line, and below it why its points are lost.
fn line(play: &Play, case: &Case<'_>) -> String {
    let word = match case.verdict {
        Verdict::Pass => "ok",
        Verdict::Flaky => "flaky",
        Verdict::Fail => "FAIL",
    };
    let points = match (case.got, case.points) {
        (Some(got), Some(points)) => format!("{} of {}", number(got), plural(points)),
        _ => String::new(),
    };
    let mut text = format!("{word:<6}{points:<16}{}\n", case.name.display());
    for failure in failure::of_case(play, case) {
        text.push_str(&format!("        {}\n", escape_display(&failure.heading)));
        for (what, words) in failure.details {
            text.push_str(&format!("        {what:<9}{}\n", escape_display(&words)));
        }
    }
    text
}

//! The flags of everything that has to do with scripts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::scripts::class::Classroom;
use crate::cli::scripts::grade::Submission;
use crate::cli::scripts::lint::Against;

/// What can be done with a script.
#[derive(Subcommand, Debug)]
pub(in crate::cli) enum ScriptVerb {
    /// Play a script: .rhai, .hob, or the ```hob blocks of a Markdown file.
    ///
    /// In an imaginary world, in which one seed gives one course to the byte, unless --tcp. With
    /// nothing asked for, prints the timed transcript.
    Run {
        #[command(flatten)]
        script: Script,
        #[command(flatten)]
        wanted: Wanted,
        /// Compare the stable transcript with this file.
        #[arg(long, value_name = "FILE")]
        golden: Option<PathBuf>,
        /// Write that file anew; by default the script's name with .stable at its end.
        #[arg(long)]
        update: bool,
        /// Write everything that the worlds can tell of themselves.
        #[arg(long, value_name = "FILE", hide = true)]
        trace: Option<PathBuf>,
    },
    /// Play a script twice, in fresh processes, and compare every event.
    Verify {
        #[command(flatten)]
        script: Script,
        /// Reports are made of the run if both are the same.
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Play a script with many seeds, and say which fail.
    ///
    /// Reports are made of the first that fails, or of what it is reduced to; of the first seed if
    /// none fails.
    Sweep {
        #[command(flatten)]
        script: Script,
        /// Which seeds: 1..1000, or one number.
        #[arg(long, value_name = "A..B", value_parser = seeds)]
        seeds: (u64, u64),
        /// Reduce the first failing one: leave out messages, faults and peers while it still fails.
        #[arg(long)]
        shrink: bool,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Points for somebody else's program, by a rubric: hobnob grade RUBRIC -- PROGRAM ARGS…
    ///
    /// With --class DIR every folder in DIR is graded, with a table of all and a report of each.
    Grade {
        #[command(flatten)]
        script: Rubric,
        #[command(flatten)]
        submission: Submission,
        #[command(flatten)]
        classroom: Classroom,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Grade a rubric itself: which tests flake, which no fault fails, which waits could be expects.
    Lint {
        #[command(flatten)]
        script: Rubric,
        #[command(flatten)]
        against: Against,
    },
    /// Run a saved bundle again and compare.
    Replay {
        /// The file that run --bundle wrote.
        bundle: PathBuf,
    },
    /// Make any report from the events of a saved run.
    Report {
        /// The file that run --events wrote; - for standard input.
        #[arg(value_name = "EVENTS.ndjson")]
        file: PathBuf,
        #[command(flatten)]
        wanted: Wanted,
        /// Draw it in box characters: the default.
        #[arg(long)]
        text: bool,
        /// Columns of that drawing.
        #[arg(long, value_name = "N", default_value_t = 100)]
        columns: usize,
    },
}

/// Which script, and how it is played.
#[derive(Args, Debug, Clone)]
pub(in crate::cli) struct Script {
    /// The file.
    pub(super) file: PathBuf,
    /// What it finds in ARGS; behind -- also what begins with a hyphen.
    #[arg(allow_negative_numbers = true)]
    pub(super) args: Vec<String>,
    /// All chance follows from this.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Over real sockets, on this machine.
    #[arg(long)]
    pub(super) tcp: bool,
    /// Start programs even if bubblewrap cannot shut them in.
    #[arg(long = "unsafe")]
    pub(super) unshut: bool,
}

/// Which rubric, and how programs are started.
#[derive(Args, Debug, Clone)]
pub(in crate::cli) struct Rubric {
    /// The rubric: a script with tests.
    pub(super) file: PathBuf,
    /// All of our own chance follows from this.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Start programs even if bubblewrap cannot shut them in.
    #[arg(long = "unsafe")]
    pub(super) unshut: bool,
}

impl From<Rubric> for Script {
    fn from(rubric: Rubric) -> Self {
        let Rubric { file, seed, unshut } = rubric;
        Self { file, args: Vec::new(), seed, tcp: true, unshut }
    }
}

/// What is to be made of a run. A lone - is standard output.
#[derive(Args, Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Wanted {
    /// The timed transcript.
    #[arg(long, value_name = "FILE")]
    pub(super) transcript: Option<PathBuf>,
    /// The stable transcript: the same for every seed and in both worlds.
    #[arg(long, value_name = "FILE")]
    pub(super) stable: Option<PathBuf>,
    /// Every event as a line of JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    /// A page with a picture.
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// JUnit's XML.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// TAP 14 on standard output.
    #[arg(long)]
    pub(super) tap: bool,
    /// Gradescope's results.json.
    #[arg(long, value_name = "FILE")]
    pub(super) gradescope: Option<PathBuf>,
    /// A film for asciinema.
    #[arg(long, value_name = "FILE")]
    pub(super) cast: Option<PathBuf>,
    /// All that it takes to run it again, in one file.
    #[arg(long, value_name = "FILE")]
    pub(super) bundle: Option<PathBuf>,
    /// Say in the events when it really was.
    #[arg(long)]
    pub(super) wall: bool,
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let form = || "write seeds as 1..1000, or as one number".to_owned();
    let number = |word: &str| word.parse::<u64>().map_err(|_| form());
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (number(from)?, number(to.strip_prefix('=').unwrap_or(to))?),
        None => (number(text)?, number(text)?),
    };
    if from > to {
        return Err(format!("{text} is empty; {}", form()));
    }
    Ok((from, to))
}

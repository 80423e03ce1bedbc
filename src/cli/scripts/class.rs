//! `grade --class`: every folder in a folder, each graded by a process of its own, several at a time,
//! and a table of all.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::Script;
use crate::cli::scripts::grade::Submission;
use crate::cli::scripts::made::{self, say};
use crate::cli::scripts::play::Ends;
use crate::cli::scripts::run;
use crate::cli::scripts::several::{cores, several};
use crate::play::Verdict;
use crate::report::class::{Class, Row};
use crate::report::events;
use crate::report::verdict::judge;
use crate::script::rhai::WAYS;
use crate::shell::output::complain;
use crate::text::{Untrusted, escape_display, hex};

/// What `--class` is told besides.
#[derive(clap::Args, Debug, Clone)]
pub(in crate::cli) struct Classroom {
    /// Grade every folder in this one.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["program", "folder"])]
    pub(super) class: Option<PathBuf>,
    /// How each is started, if its folder does not say so in hobnob.toml (start = "…") and does not
    /// have a single .py file.
    #[arg(long, value_name = "COMMAND", requires = "class")]
    pub(super) start: Option<String>,
    /// Where the table and the reports go.
    #[arg(long, value_name = "DIR", default_value = "grades", requires = "class")]
    pub(super) out: PathBuf,
    /// How many are graded at once; they mostly wait.
    #[arg(long, value_name = "N", requires = "class")]
    pub(super) jobs: Option<usize>,
}

/// Programs at once for each core: what a test takes is mostly waiting.
const JOBS_PER_CORE: usize = 4;

/// Grades a class.
pub(super) fn grade(
    script: &Script,
    submission: &Submission,
    classroom: &Classroom,
    folder: &Path,
    flags: &Flags,
) -> Exit {
    if run::read(script).is_none() {
        return Exit::Runtime;
    }
    let folders = match folders(folder).and_then(|folders| {
        writable(&classroom.out)
            .map_err(|error| format!("no report can be written to {}: {error}", shown(&classroom.out)))?;
        Ok(folders)
    }) {
        Ok(folders) => folders,
        Err(error) => {
            complain(&format!("hobnob: grade: {error}"));
            return Exit::Runtime;
        }
    };
    let ends = Ends::by_signal_or(flags.timeout);
    let work = Work { script, submission, classroom, flags, ends: &ends };
    let graded = work.all("graded", folders.len(), |at| work.row(&folders[at]));
    let rows: Vec<Row> = graded.into_iter().flatten().collect();
    let talks = if says_how_to_pair(script) { work.talks(&folders, &rows) } else { Vec::new() };
    if ends.stop.asked().is_some() {
        return Exit::Interrupted;
    }
    finish(&Class { rubric: rubric(script), seed: script.seed, rows, talks }, classroom)
}

/// Whether a rubric says how two programs talk with each other.
fn says_how_to_pair(script: &Script) -> bool {
    std::fs::read_to_string(&script.file).is_ok_and(|text| text.contains("pair("))
}

/// What is done to a class.
struct Work<'a> {
    script: &'a Script,
    submission: &'a Submission,
    classroom: &'a Classroom,
    flags: &'a Flags,
    ends: &'a Ends,
}

impl Work<'_> {
    /// Does something so many times, several at once; gives what came of each, in order. `None` for
    /// what was not done because somebody ended it.
    fn all<T: Send>(&self, what: &str, count: usize, each: impl Fn(usize) -> T + Sync) -> Vec<Option<T>> {
        let jobs = self.classroom.jobs.unwrap_or(cores() * JOBS_PER_CORE);
        several(what, jobs, count, &self.ends.stop, each)
    }

    fn row(&self, folder: &Path) -> Row {
        row(self.script, self.submission, self.classroom, folder, self.flags)
    }

    /// Every pair is started together, and each has something to say to the other.
    fn talks(&self, folders: &[PathBuf], rows: &[Row]) -> Vec<Vec<Option<bool>>> {
        let starts: Vec<_> =
            folders.iter().map(|folder| start(folder, self.classroom.start.as_deref()).ok()).collect();
        let pairs: Vec<(usize, usize)> = (0..rows.len())
            .flat_map(|a| (a + 1..rows.len()).map(move |b| (a, b)))
            .filter(|&(a, b)| starts[a].is_some() && starts[b].is_some())
            .collect();
        let found = self.all("pairs", pairs.len(), |at| {
            let (a, b) = pairs[at];
            let (argv, other) = (starts[a].as_ref()?, starts[b].as_ref()?);
            // As often as a test is tried: two that can reach each other do so once in a while, whatever
            // else the machine does.
            let mut reached = None;
            for _ in 0..self.submission.attempts.max(1) {
                if let Ok(both) = self.pair(at, &folders[a], argv, &folders[b], other) {
                    let [forth, back] = reached.unwrap_or([false, false]);
                    reached = Some([forth || both[0], back || both[1]]);
                }
                if reached == Some([true, true]) {
                    break;
                }
            }
            reached
        });
        let mut talks = vec![vec![None; rows.len()]; rows.len()];
        for ((a, b), both) in pairs.into_iter().zip(found) {
            let [forth, back] = both.flatten().unwrap_or([false, false]);
            (talks[a][b], talks[b][a]) = (Some(forth), Some(back));
        }
        talks
    }

    /// Whether the first reaches the second, and the second the first.
    fn pair(
        &self,
        number: usize,
        folder: &Path,
        argv: &[OsString],
        other_folder: &Path,
        other: &[OsString],
    ) -> Result<[bool; 2], String> {
        let file = self.classroom.out.join(format!(".pair{number}.ndjson"));
        let mut command = child(self.script, self.submission, folder, self.flags, &file)?;
        let words = other.iter().map(|word| word.to_string_lossy());
        let line: Vec<_> = words.map(|word| crate::api::words::quote(&word)).collect();
        command.arg("--other").arg(line.join(" ")).arg("--other-folder").arg(other_folder);
        command.arg(&self.script.file).arg("--").args(argv);
        let done = command.output().map_err(|error| error.to_string());
        let bytes = std::fs::read(&file).map_err(|error| error.to_string());
        let _ = std::fs::remove_file(&file);
        let play =
            done.and(bytes).and_then(|bytes| events::read(&bytes).map_err(|error| error.to_string()))?;
        let judgement = judge(&play);
        let passed = |way: &str| {
            judgement.cases.iter().any(|case| case.name.display() == way && case.verdict == Verdict::Pass)
        };
        Ok(WAYS.map(passed))
    }
}

fn finish(class: &Class, classroom: &Classroom) -> Exit {
    drop(say(class.lines().as_bytes()));
    let csv = class.csv().map_err(|error| error.to_string());
    let made = csv
        .and_then(|csv| made::put(&classroom.out.join("class.csv"), &csv))
        .and_then(|()| made::put(&classroom.out.join("class.html"), class.html().as_bytes()));
    match made {
        Ok(()) if class.rows.iter().all(|row| row.graded.is_ok()) => Exit::Done,
        // Somebody has no grade, and the table says why.
        Ok(()) => Exit::Runtime,
        Err(error) => {
            complain(&format!("hobnob: grade: {error}"));
            Exit::Runtime
        }
    }
}

fn rubric(script: &Script) -> String {
    script.file.file_name().map_or_else(String::new, |name| escape_display(&name.to_string_lossy()))
}

fn shown(path: &Path) -> String {
    escape_display(&path.display().to_string())
}

/// Makes a folder and tries whether it can be written to, before a class is graded for nothing.
fn writable(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let trial = folder.join(".trial");
    std::fs::write(&trial, "")?;
    std::fs::remove_file(&trial)
}

/// Every folder in a folder but hidden ones, by name.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", shown(folder));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link to a folder could lead anywhere.
        if entry.file_type().map_err(failed)?.is_dir() && !hidden {
            found.push(entry.path());
        }
    }
    if found.is_empty() {
        return Err(format!("{} has no folders in it", shown(folder)));
    }
    found.sort();
    Ok(found)
}

/// How the program in a folder is started.
fn start(folder: &Path, template: Option<&str>) -> Result<Vec<OsString>, String> {
    let split = |line: &str| -> Result<Vec<OsString>, String> {
        let words = shlex::split(line).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| format!("\"{}\" is no command", escape_display(line)))?;
        Ok(words.into_iter().map(OsString::from).collect())
    };
    let own = folder.join("hobnob.toml");
    if own.is_file() {
        let text = std::fs::read_to_string(&own).map_err(|error| format!("hobnob.toml: {error}"))?;
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| format!("hobnob.toml: {}", escape_display(error.message())))?;
        let line = table.get("start").and_then(toml::Value::as_str);
        return split(line.ok_or("hobnob.toml has no start = \"…\"")?);
    }
    if let Some(template) = template {
        return split(template);
    }
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let is_python = |path: &PathBuf| path.is_file() && path.extension() == Some(OsStr::new("py"));
    let found: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_python).collect();
    match found.as_slice() {
        [one] => Ok(vec!["python3".into(), one.file_name().unwrap_or_default().to_owned()]),
        [] => Err("how to start it is not known: no hobnob.toml, no --start, no .py file".into()),
        several => Err(format!(
            "how to start it is not known: {} .py files, and no hobnob.toml or --start",
            several.len()
        )),
    }
}

/// A process that grades a folder and leaves its events in a file.
pub(super) fn child(
    script: &Script,
    submission: &Submission,
    folder: &Path,
    flags: &Flags,
    events: &Path,
) -> Result<Command, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["grade", "--quiet", "--seed"]).arg(script.seed.to_string());
    command.arg("--attempts").arg(submission.attempts.to_string()).arg("--folder").arg(folder);
    command.arg("--events").arg(events);
    if script.unshut {
        command.arg("--unsafe");
    }
    if let Some(timeout) = flags.timeout {
        command.arg("--timeout").arg(crate::api::command::show(timeout));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // What is left of an earlier grade is none.
    let _ = std::fs::remove_file(events);
    Ok(command)
}

/// Grades one folder, in a process of its own.
fn row(script: &Script, submission: &Submission, classroom: &Classroom, folder: &Path, flags: &Flags) -> Row {
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let file = |end: &str| classroom.out.join(format!("{}.{end}", safe(&name)));
    let graded = start(folder, classroom.start.as_deref()).and_then(|argv| {
        let mut command = child(script, submission, folder, flags, &file("ndjson"))?;
        command.arg("--report").arg(file("html")).arg("--gradescope").arg(file("json"));
        command.arg(&script.file).arg("--").args(argv);
        for end in ["html", "json"] {
            let _ = std::fs::remove_file(file(end));
        }
        let done = command.output().map_err(|error| error.to_string())?;
        let bytes = std::fs::read(file("ndjson")).map_err(|_| {
            let said = String::from_utf8_lossy(&done.stderr);
            said.lines().next().unwrap_or("it has left no grade").to_owned()
        })?;
        events::read(&bytes).map_err(|error| error.to_string())
    });
    let report = graded.is_ok().then(|| format!("{}.html", safe(&name)));
    Row { hash: hash(folder), name: Untrusted::new(name), report, graded }
}

/// A name of a file that is in its folder, whatever the submission is called.
fn safe(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let mut safe: String = name.chars().take(60).map(kept).collect();
    // Two that differ only in what was replaced have two files.
    if safe != name {
        use blake2::Digest;
        let hash = blake2::Blake2s256::digest(name.as_bytes());
        safe.push_str(&hex(&hash[..4]));
    }
    safe
}

/// BLAKE2s-256 of all regular files of a folder, names and contents, in hex.
fn hash(folder: &Path) -> String {
    use blake2::Digest;
    let mut hash = blake2::Blake2s256::new();
    let mut left = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    for file in files {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let name = file.strip_prefix(folder).unwrap_or(&file).as_os_str().as_encoded_bytes().to_vec();
        for part in [name, bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(&part);
        }
    }
    hex(&hash.finalize())
}

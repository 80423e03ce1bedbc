//! `run`: plays a script, prints its transcript as it goes, and makes what was asked for of it.

use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::{Script, Wanted};
use crate::cli::scripts::made::{self, say};
use crate::cli::scripts::play::{self, Ends, Manner, Programs};
use crate::cli::start::look;
use crate::play::{Ev, Head, Moment};
use crate::report::bundle::Bundle;
use crate::report::events::Writer;
use crate::report::transcript::Transcript;
use crate::report::{stable, verdict};
use crate::script::{Outcome, Source, Watch};
use crate::shell::output::complain;
use crate::text::escape_display;

/// What `run` may do besides.
pub(super) struct Beside {
    pub(super) golden: Option<PathBuf>,
    pub(super) update: bool,
    pub(super) trace: Option<PathBuf>,
}

/// What is printed while the script is played.
enum Live {
    Nothing,
    Transcript(Transcript),
    Events(Box<Writer>),
}

/// Bytes that are gathered before they are written, when the world does not wait for the real time.
const GATHER: usize = 16 * 1024;

/// Plays a script.
pub(super) fn run(script: &Script, wanted: &Wanted, beside: &Beside, flags: &Flags) -> Exit {
    let Some(source) = read(script) else { return Exit::Runtime };
    let kept = [beside.golden.as_deref().filter(|_| beside.update), beside.trace.as_deref()];
    if kept.into_iter().flatten().any(|path| made::is_input(path, &script.file))
        || !wanted.is_clear(flags.json, &script.file)
    {
        return Exit::Usage;
    }
    let ends = Ends::by_signal_or(flags.timeout);
    let mut manner = manner(script, ends);
    (manner.wall, manner.trace) = (wanted.wall, beside.trace.is_some());
    let head = play::head(&source, &manner);
    let color = look(flags, true).color;
    let show = match () {
        () if flags.json => Live::Events(Box::default()),
        () if wanted.anything() || beside.update || flags.quiet => Live::Nothing,
        () => Live::Transcript(Transcript::new(&head, color)),
    };
    let voice = Voice::new(show, script.tcp);
    voice.borrow_mut().begin(&head);
    manner.watch = Some(watch(&voice));
    let outcome = play::play(&source, manner);
    let said = voice.borrow_mut().finish(&outcome);
    let exit = end(&source, script, wanted, beside, color, &outcome);
    match said {
        Ok(()) => exit,
        Err(error) => {
            complain(&format!("hobnob: {error}"));
            exit.max(Exit::Runtime)
        }
    }
}

/// Reads the script; says why if that is impossible.
pub(super) fn read(script: &Script) -> Option<Source> {
    match Source::read(&script.file, script.args.clone()) {
        Ok(source) if play::is_script(&source.name) => Some(source),
        Ok(source) => {
            let name = escape_display(&source.name);
            complain(&format!("hobnob: {name} is no script: it must end in .rhai, .hob or .md"));
            None
        }
        Err(error) => {
            complain(&format!("hobnob: {error}"));
            None
        }
    }
}

/// How the command line wants it played.
pub(super) fn manner(script: &Script, ends: Ends) -> Manner {
    let programs = Programs { unshut: script.unshut, ..Programs::default() };
    Manner { seed: script.seed, tcp: script.tcp, ends, programs, ..Manner::default() }
}

/// Makes what was asked for, says what failed, and tells how it ended.
fn end(
    source: &Source,
    script: &Script,
    wanted: &Wanted,
    beside: &Beside,
    color: bool,
    outcome: &Outcome,
) -> Exit {
    let bundle = || bundle(source, outcome);
    let mut made = made::make(&outcome.play, wanted, color, &bundle);
    if let (Ok(()), Some(path)) = (&made, &beside.trace) {
        made = made::put(path, (outcome.trace.join("\n") + "\n").as_bytes());
    }
    tell(outcome);
    if let Err(error) = made {
        complain(&format!("hobnob: {error}"));
        return outcome.exit().max(Exit::Runtime);
    }
    let exit = outcome.exit();
    if exit != Exit::Done || (beside.golden.is_none() && !beside.update) {
        return exit;
    }
    golden(script, beside, &stable::write(&outcome.play))
}

/// Makes what is wanted of a run that was not made for it; gives the exit code of the whole.
pub(super) fn make(
    source: &Source,
    outcome: impl FnOnce() -> Outcome,
    wanted: &Wanted,
    flags: &Flags,
    exit: Exit,
) -> Exit {
    if !wanted.anything() {
        return exit;
    }
    let outcome = outcome();
    let bundle = || bundle(source, &outcome);
    match made::make(&outcome.play, wanted, look(flags, true).color, &bundle) {
        Ok(()) => exit,
        Err(error) => {
            complain(&format!("hobnob: {error}"));
            exit.max(Exit::Runtime)
        }
    }
}

/// Says why a script failed, once.
pub(super) fn tell(outcome: &Outcome) {
    for (title, error) in &outcome.failed {
        complain(&format!("test \"{}\": {error}", escape_display(title)));
    }
    if let Some(error) = &outcome.error {
        complain(&error.to_string());
    }
}

/// Compares the stable transcript with what is kept, or keeps it.
fn golden(script: &Script, beside: &Beside, stable: &str) -> Exit {
    let path = beside.golden.clone().unwrap_or_else(|| script.file.with_extension("stable"));
    let shown = escape_display(&path.display().to_string());
    if beside.update {
        return match made::put(&path, stable.as_bytes()) {
            Ok(()) => Exit::Done,
            Err(error) => {
                complain(&format!("hobnob: {error}"));
                Exit::Runtime
            }
        };
    }
    match std::fs::read_to_string(&path) {
        // Some systems end the lines of what they check out in their own way.
        Ok(kept) if kept.replace("\r\n", "\n") == stable => Exit::Done,
        Ok(kept) => {
            complain(&format!("hobnob: {}", difference(&shown, &kept, stable)));
            Exit::Differs
        }
        Err(error) => {
            complain(&format!("hobnob: {shown}: {error}; to write it: hobnob run --update"));
            Exit::Runtime
        }
    }
}

/// The first line in which two texts differ, in words.
pub(super) fn difference(name: &str, kept: &str, now: &str) -> String {
    let end = "the end";
    let mut lines = (kept.lines(), now.lines());
    let mut number = 1;
    loop {
        match (lines.0.next(), lines.1.next()) {
            (a, b) if a == b && a.is_some() => number += 1,
            (a, b) => {
                let show = |line: Option<&str>| line.map_or_else(|| end.to_owned(), escape_display);
                return format!("{name}:{number} differs\n  kept  {}\n  now   {}", show(a), show(b));
            }
        }
    }
}

/// All that it takes to run it again.
pub(super) fn bundle(source: &Source, outcome: &Outcome) -> Bundle {
    let mut files: Vec<_> =
        outcome.texts.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect();
    if !outcome.texts.contains_key(source.name.as_str()) {
        files.push((source.name.clone(), source.text.clone().into_bytes()));
    }
    let args = source.args.clone();
    Bundle { script: source.name.clone(), files, play: outcome.play.clone(), program: String::new(), args }
}

/// What is said while a script is played.
struct Voice {
    live: Live,
    text: Vec<u8>,
    /// The world takes its time, so every line is said at once.
    prompt: bool,
    progress: Option<ProgressBar>,
    /// Whether all of it could be said; if not, why.
    said: Result<(), String>,
}

impl Voice {
    fn new(live: Live, prompt: bool) -> Rc<RefCell<Self>> {
        let alone = matches!(live, Live::Nothing) || !std::io::stdout().is_terminal();
        let progress = (alone && std::io::stderr().is_terminal()).then(spinner);
        Rc::new(RefCell::new(Self { live, text: Vec::new(), prompt, progress, said: Ok(()) }))
    }

    fn begin(&mut self, head: &Head) {
        if let Live::Events(writer) = &mut self.live {
            writer.header(head, &mut self.text);
            self.flush();
        }
    }

    fn hear(&mut self, number: u64, moment: &Moment) {
        if let Some(progress) = &self.progress {
            progress.set_position(number + 1);
            if let (Ev::Step | Ev::Test, Some(title)) = (moment.ev, &moment.text) {
                progress.set_message(title.display());
            }
        }
        match &mut self.live {
            Live::Nothing => return,
            Live::Transcript(transcript) => {
                if let Some(lines) = transcript.line(moment) {
                    // Of a failure all is said at the end, on standard error.
                    let line = lines.lines().next().unwrap_or_default();
                    self.text.extend_from_slice(line.as_bytes());
                    self.text.push(b'\n');
                }
            }
            Live::Events(writer) => writer.moment(moment, &mut self.text),
        }
        if self.prompt || self.text.len() >= GATHER {
            self.flush();
        }
    }

    fn flush(&mut self) {
        // What comes after a gap is of no use.
        if self.said.is_ok() {
            self.said = say(&self.text);
        }
        self.text.clear();
    }

    /// # Errors
    /// Not all of it could be said; the text says why.
    fn finish(&mut self, outcome: &Outcome) -> Result<(), String> {
        if let Some(progress) = self.progress.take() {
            progress.finish_and_clear();
        }
        let Some(end) = &outcome.play.end else { return Ok(()) };
        match &mut self.live {
            Live::Nothing => {}
            Live::Transcript(transcript) => {
                let last = transcript.end(end.at, &verdict::judge(&outcome.play));
                self.text.extend_from_slice(last.as_bytes());
                if !last.ends_with('\n') && !last.is_empty() {
                    self.text.push(b'\n');
                }
            }
            Live::Events(writer) => writer.end(end, &mut self.text),
        }
        self.flush();
        std::mem::replace(&mut self.said, Ok(()))
    }
}

fn watch(voice: &Rc<RefCell<Voice>>) -> Watch {
    let voice = Rc::clone(voice);
    Box::new(move |number, moment| voice.borrow_mut().hear(number, moment))
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {pos} events  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

//! Somebody else's programs on the stage: what they print becomes lines on the list, their prompts
//! are answered by pattern, and each is ended when its time is over or its scene is. What they say is
//! text and nothing more.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::api::command::show;
use crate::id::Name;
use crate::launch::{Ended, Launch, Program};
use crate::limits;
use crate::play::Ev;
use crate::script::answers::{AnswerValue, asked};
use crate::script::error::Failure;
use crate::script::printed::{Printed, boundary};
use crate::script::record::text;
use crate::script::stage::Stage;
use crate::session::Bell;
use crate::time::Mono;

/// What starting programs takes.
#[derive(Clone)]
pub struct Launcher {
    /// The program that the command line names, and how it is started.
    pub launch: Launch,
    /// What is rung when it has said something: it wakes the world.
    pub bell: Bell,
    /// The other of a pair, if two programs are to talk with each other.
    pub other: Option<Launch>,
    /// A port of this machine that nobody listens on.
    pub free_port: Rc<dyn Fn() -> Option<u16>>,
    /// Whether somebody listens on a port of this machine. It connects to nobody.
    pub listens: Rc<dyn Fn(u16) -> bool>,
}

/// Looks for what starting programs takes, or says why none is started.
pub type Launchers = Rc<dyn Fn() -> Result<Launcher, String>>;

/// A program that was started, as the script knows it.
pub(super) struct Started {
    program: Program,
    pub(super) name: Name,
    pub(super) port: u16,
    /// All that it printed, from the beginning and from the end.
    pub(super) printed: Printed,
    /// Lines that nobody has expected yet, and what stands behind the last line end.
    pub(super) lines: VecDeque<String>,
    pub(super) partial: String,
    /// What it printed since it was last given something.
    tail: String,
    /// When it last printed something, or was given something.
    pub(super) moved: Mono,
    begun: Mono,
    /// When its processes were last counted.
    looked: Mono,
    pub(super) ended: Option<Ended>,
    /// Why we have ended it, if we have.
    pub(super) stopped: Option<String>,
    shown: usize,
}

/// Silence after which a program is taken to wait for an answer.
const PROMPT: Duration = Duration::from_millis(60);
/// Silence after which it has said what it had to say.
pub(super) const SAID: Duration = Duration::from_millis(400);
/// How often a program is looked at that says nothing.
pub(super) const LOOK: Duration = Duration::from_millis(20);
/// How often its processes are counted, for which all of the system's are looked at.
const COUNT: Duration = Duration::from_millis(100);
/// Lines of one program that are put on the list.
const SHOWN_MAX: usize = 2_000;
/// Characters of a line.
const LINE_MAX: usize = 4_096;
/// Lines that wait to be expected.
const LINES_MAX: usize = 10_000;

impl Stage {
    /// The port that programs of this scene are told to listen on: free when it was first asked for.
    pub(super) fn own_port(&mut self) -> Result<u16, Failure> {
        if let Some(port) = self.scene.port {
            return Ok(port);
        }
        let launcher = self.launcher()?;
        let port = (launcher.free_port)().ok_or_else(no_port)?;
        self.scene.port = Some(port);
        Ok(port)
    }

    /// Looked for when it is first needed: most scripts start no program.
    pub(super) fn launcher(&mut self) -> Result<Launcher, Failure> {
        let launcher = self.launcher.get_or_insert_with(|| (self.launchers)());
        launcher.clone().map_err(Failure::Misuse)
    }

    /// The program that the command line names.
    pub(super) fn program(&mut self) -> Option<Vec<String>> {
        let argv = self.launcher().ok()?.launch.argv;
        (!argv.is_empty()).then(|| argv.iter().map(|word| word.to_string_lossy().into_owned()).collect())
    }

    /// Starts a program; gives its number.
    pub(super) fn launch(&mut self, argv: Option<Vec<String>>, line: u32) -> Result<usize, Failure> {
        let mut launch = self.launcher()?.launch;
        if let Some(argv) = argv {
            launch.argv = argv.into_iter().map(Into::into).collect();
        }
        self.start(&launch, line)
    }

    /// Starts it so; gives its number. The first of a scene is told the scene's own port, and each
    /// further one another.
    pub(super) fn start(&mut self, launch: &Launch, line: u32) -> Result<usize, Failure> {
        let launcher = self.launcher()?;
        let port = match self.scene.programs.is_empty() {
            true => self.own_port()?,
            false => (launcher.free_port)().ok_or_else(no_port)?,
        };
        let shown = launch.argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let program =
            launch.start(launcher.bell).map_err(|error| Failure::Thrown(format!("launch: {error}")))?;
        let number = self.scene.programs.len();
        let name = match number {
            0 => Name::claimed("program", "program"),
            n => Name::claimed(&format!("program{}", n + 1), "program"),
        };
        let now = self.scene.world.now().mono;
        self.scene.programs.push(Started {
            program,
            name,
            port,
            printed: Printed::default(),
            lines: VecDeque::new(),
            partial: String::new(),
            tail: String::new(),
            moved: now,
            begun: now,
            looked: now,
            ended: None,
            stopped: None,
            shown: 0,
        });
        let words = format!("starts {shown}, {}", launch.sandbox.words());
        self.record(None, Ev::Note, |moment| {
            moment.peer = Some(name);
            moment.line = Some(line);
            moment.text = text(words);
        });
        Ok(number)
    }

    /// Hears what programs have printed, answers their prompts, and ends those whose time is over.
    pub(super) fn attend_programs(&mut self) {
        for number in 0..self.scene.programs.len() {
            self.hear_program(number);
            self.answer_prompt(number);
            self.watch_program(number);
        }
    }

    fn hear_program(&mut self, number: usize) {
        let now = self.scene.world.now().mono;
        let started = &mut self.scene.programs[number];
        let taken = started.program.take();
        if !taken.bytes.is_empty() || taken.lost > 0 {
            started.moved = now;
            let words = String::from_utf8_lossy(&taken.bytes).replace('\r', "");
            started.printed.add(&words, taken.lost);
            started.tail.push_str(&words);
            started.partial.push_str(&words);
            clip(&mut started.tail);
            self.end_lines(number);
        }
        let started = &mut self.scene.programs[number];
        // What it leaves behind may keep its terminal open after it.
        if (taken.ended || now.since(started.moved) >= SAID)
            && started.ended.is_none()
            && let Some(ended) = started.program.ended()
        {
            started.ended = Some(ended);
            self.program_ended(number, ended);
        }
    }

    /// Whole lines go on the list.
    fn end_lines(&mut self, number: usize) {
        let started = &mut self.scene.programs[number];
        let Some(end) = started.partial.rfind('\n') else {
            return clip(&mut started.partial);
        };
        let rest = started.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut started.partial, rest);
        clip(&mut started.partial);
        for line in whole[..end].split('\n') {
            let line: String = line.chars().take(LINE_MAX).collect();
            self.printed(number, &line);
            let lines = &mut self.scene.programs[number].lines;
            if lines.len() >= LINES_MAX {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    fn printed(&mut self, number: usize, line: &str) {
        let started = &mut self.scene.programs[number];
        started.shown += 1;
        let (shown, name) = (started.shown, started.name);
        let (ev, words) = match shown {
            1..SHOWN_MAX => (Ev::Out, line.to_owned()),
            SHOWN_MAX => (Ev::Note, format!("prints more than {SHOWN_MAX} lines; the rest is not shown")),
            _ => return,
        };
        self.record(None, ev, |moment| {
            moment.peer = Some(name);
            moment.text = text(words);
        });
    }

    fn program_ended(&mut self, number: usize, ended: Ended) {
        let rest = std::mem::take(&mut self.scene.programs[number].partial);
        if !rest.is_empty() {
            self.printed(number, &rest);
            self.scene.programs[number].lines.push_back(rest);
        }
        let name = self.scene.programs[number].name;
        self.record(None, Ev::Exit, |moment| {
            moment.peer = Some(name);
            moment.text = text(words(ended));
        });
    }

    /// A program that waits at a prompt which somebody has an answer for gets it.
    fn answer_prompt(&mut self, number: usize) {
        let now = self.scene.world.now().mono;
        let started = &self.scene.programs[number];
        if started.ended.is_some() || started.tail.trim().is_empty() || now.since(started.moved) < PROMPT {
            return;
        }
        let last = asked(&started.tail);
        // A line that was ended is a prompt only if it asks for something.
        let asks = !started.tail.ends_with('\n') || last.trim_end().ends_with([':', '?', '>']);
        // Of two that are as long, the test's own goes first: the last is the greatest.
        let found =
            self.typed.iter().chain(&self.scene.answers).filter(|answer| answer.prompt.is_match(last));
        let Some(answer) = found.max_by_key(|answer| answer.weight).filter(|_| asks).cloned() else { return };
        let own = self.scene.programs[number].port;
        if let Ok(value) = self.value(&answer.value, own) {
            self.type_line(number, &value);
        }
    }

    fn value(&self, value: &AnswerValue, own: u16) -> Result<String, Failure> {
        let place = |stage: &Self, name: Name| {
            let no = stage.scene.find(name);
            let addr: Option<SocketAddr> = no.map(|no| stage.scene.actors[no.0].addr);
            addr.ok_or_else(|| Failure::Thrown(format!("answers: nobody is called {name}")))
        };
        Ok(match value {
            AnswerValue::Text(text) => text.clone(),
            AnswerValue::OwnPort => own.to_string(),
            AnswerValue::Ip(name) => place(self, *name)?.ip().to_string(),
            AnswerValue::Port(name) => place(self, *name)?.port().to_string(),
        })
    }

    /// Types a line at a program.
    pub(super) fn type_line(&mut self, number: usize, line: &str) {
        let now = self.scene.world.now().mono;
        let started = &mut self.scene.programs[number];
        // What is asked stands in front of what is answered.
        let prompt = std::mem::take(&mut started.partial);
        started.tail.clear();
        started.moved = now;
        started.program.write(&format!("{}\n", line.replace(['\n', '\r'], " ")));
        let name = started.name;
        if !prompt.trim().is_empty() {
            self.printed(number, &prompt);
            self.scene.programs[number].lines.push_back(prompt);
        }
        self.record(None, Ev::In, |moment| {
            moment.peer = Some(name);
            moment.text = text(line);
        });
    }

    fn watch_program(&mut self, number: usize) {
        let now = self.scene.world.now().mono;
        let started = &mut self.scene.programs[number];
        if started.ended.is_some() {
            return;
        }
        let why = if now.since(started.begun) > limits::LAUNCH_WALL {
            format!("ran for more than {} and was ended", show(limits::LAUNCH_WALL))
        } else if now.since(started.looked) < COUNT {
            return;
        } else if started.count(now) > limits::LAUNCH_PROCESSES {
            format!("had more than {} processes and was ended", limits::LAUNCH_PROCESSES)
        } else {
            return;
        };
        started.ended = Some(started.program.end().unwrap_or(Ended::Signal(9)));
        started.stopped = Some(why.clone());
        let name = started.name;
        self.record(None, Ev::Exit, |moment| {
            moment.peer = Some(name);
            moment.text = text(why);
        });
    }
}

impl Started {
    /// How many processes it consists of now.
    fn count(&mut self, now: Mono) -> usize {
        self.looked = now;
        self.program.processes()
    }

    /// It has said nothing for a while.
    pub(super) fn is_quiet(&self, now: Mono, time: Duration) -> bool {
        self.ended.is_some() || now.since(self.moved) >= time
    }
}

/// How it ended, in words.
pub(super) fn words(ended: Ended) -> String {
    match ended {
        Ended::Exit(code) => format!("ends with code {code}"),
        Ended::Signal(9) => "was killed".into(),
        Ended::Signal(signal) => format!("ends by signal {signal}"),
    }
}

fn no_port() -> Failure {
    Failure::Thrown("no port is free on this machine".into())
}

/// A prompt is no longer than this, whatever a program prints without a line end.
fn clip(text: &mut String) {
    if text.len() > 2 * LINE_MAX {
        let cut = boundary(text, text.len() - LINE_MAX);
        text.drain(..cut);
    }
}

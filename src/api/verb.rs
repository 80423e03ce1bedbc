//! What a verb consists of. The verbs themselves stand in the table; usage, errors, help, hints and
//! completion are all made from what is declared here.

use std::fmt;

use crate::api::action::Action;
use crate::api::args::Args;
use crate::api::error::LineError;

/// One thing that a line can ask for.
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// What else it answers to, the digits of the numbered menu included; last, the sugar for it.
    pub also: &'static [&'static str],
    /// Its arguments, in order. Only the last may be a text or may repeat; nothing required stands
    /// behind something optional.
    pub args: &'static [Arg],
    /// Its options, in any order.
    pub options: &'static [Opt],
    /// What it does, in one line.
    pub summary: &'static str,
    /// A line that works, in a batch too.
    pub example: &'static str,
    /// An error that people meet.
    pub error: &'static str,
    /// Makes the action of the arguments.
    pub build: fn(&mut Args) -> Result<Action, LineError>,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// What usage calls it.
    pub name: &'static str,
    /// How it is read and completed.
    pub kind: Kind,
    /// Whether it can be left out.
    pub need: Need,
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opt {
    /// With its hyphens.
    pub name: &'static str,
    /// What usage calls its value; `None` for one that is on or off.
    pub value: Option<&'static str>,
    /// It stands in place of the arguments.
    pub instead: bool,
    /// What it does, in one line.
    pub meaning: &'static str,
}

/// How an argument is read and completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A peer, by name, key or address; in `expect` also `*`.
    Peer,
    /// The rest of the line.
    Text,
    /// A name that is being chosen.
    Name,
    /// A glob or `/regex/`.
    Pattern,
    /// `2s`.
    Duration,
    /// A file.
    Path,
    /// The name of a setting.
    Setting,
    /// The value of the setting before it.
    Value,
    /// A verb or a topic of help.
    Topic,
    /// `delay=20ms` and its like.
    Shape,
    /// Any word.
    Word,
}

/// Whether an argument can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No.
    Required,
    /// Yes.
    Optional,
    /// Yes, or given more than once.
    Repeated,
}

/// What a verb is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Saying things.
    Messages,
    /// Who is there.
    Peers,
    /// Who is who.
    Keys,
    /// What the network does, and the fates of peers.
    Faults,
    /// Lines that somebody wrote before.
    Scripts,
    /// The program itself.
    Session,
}

impl Verb {
    /// `expect PEER PATTERN [--within D]`.
    pub fn usage(&self) -> String {
        self.describe(self.name, 0, &str::to_owned, |_| true)
    }

    /// What can follow `given` arguments, each name as `mark` shows it, without the options for which
    /// `open` is false. Begins with `start`, if that is not empty.
    pub(super) fn describe(
        &self,
        start: &str,
        given: usize,
        mark: &dyn Fn(&str) -> String,
        open: impl Fn(&Opt) -> bool,
    ) -> String {
        let mut parts = Vec::from_iter((!start.is_empty()).then(|| start.to_owned()));
        let mut closing = 0;
        let given = match self.args.last() {
            Some(last) if last.need == Need::Repeated => given.min(self.args.len() - 1),
            _ => given,
        };
        for arg in self.args.iter().skip(given) {
            let name = mark(arg.name);
            parts.push(match arg.need {
                Need::Required => name,
                Need::Repeated => format!("[{name}…]"),
                Need::Optional => {
                    closing += 1;
                    format!("[{name}")
                }
            });
        }
        if let Some(last) = parts.last_mut() {
            last.push_str(&"]".repeat(closing));
        }
        for option in self.options.iter().filter(|option| open(option)) {
            parts.push(match (option.instead, option.value) {
                (true, _) => format!("| {}", option.name),
                (false, None) => format!("[{}]", option.name),
                (false, Some(value)) => format!("[{} {}]", option.name, mark(value)),
            });
        }
        parts.join(" ")
    }

    /// The argument that stands behind `given` others.
    pub fn arg(&self, given: usize) -> Option<&'static Arg> {
        let last = self.args.len().checked_sub(1)?;
        match self.args[last].need {
            Need::Repeated => self.args.get(given.min(last)),
            Need::Required | Need::Optional => self.args.get(given),
        }
    }

    /// The option of this name.
    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// A verb is its name.
impl PartialEq for Verb {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Verb {}

impl fmt::Debug for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verb({})", self.name)
    }
}

impl Arg {
    /// One that must be there.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, need: Need::Required }
    }

    /// The same, but it can be left out.
    pub const fn optional(self) -> Self {
        Self { need: Need::Optional, ..self }
    }

    /// The same, but there can be none or many.
    pub const fn repeated(self) -> Self {
        Self { need: Need::Repeated, ..self }
    }
}

impl Topic {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Peers => "peers",
            Self::Keys => "keys",
            Self::Faults => "faults",
            Self::Scripts => "scripts",
            Self::Session => "session",
        }
    }
}

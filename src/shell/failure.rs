//! Why a front end gives up on a line, and with which exit code a run then ends.

use std::time::Duration;

use crate::api::command::{CommandError, show};
use crate::api::error::LineError;
use crate::api::exit::Exit;
use crate::why::Why;

/// Why a line failed. Whatever it had done before stays done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is no command.
    #[error("{0}")]
    Line(#[from] LineError),
    /// The node refused or failed.
    #[error("{verb}: {error}")]
    Command {
        /// Which command.
        verb: &'static str,
        /// What the node says.
        error: CommandError,
    },
    /// A message was queued and not delivered in time; it stays queued while we run.
    #[error("{verb}: {to} has not acknowledged #{seq} within {}{}", show(*.within), because(.why))]
    Unacknowledged {
        /// Which command.
        verb: &'static str,
        /// Whom it was for.
        to: String,
        /// Its number.
        seq: u64,
        /// How long was waited.
        within: Duration,
        /// What is known of the peer's absence.
        why: Option<Why>,
    },
    /// A message will not arrive.
    #[error("{verb}: #{seq} for {to} was not delivered: {why}")]
    Undelivered {
        /// Which command.
        verb: &'static str,
        /// Whom it was for.
        to: String,
        /// Its number.
        seq: u64,
        /// Why.
        why: Why,
    },
    /// An expectation was not met.
    #[error("{0}")]
    Expectation(String),
    /// A line was to fail and did not.
    #[error("this was to fail and did not: {0}")]
    Succeeded(String),
    /// A file cannot be read.
    #[error("source: {path}: {error}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A folder, a pipe or a device is no file of lines.
    #[error("source: {0} is no regular file")]
    NotPlain(String),
    /// A file is too big to be a list of lines.
    #[error("source: {0} is bigger than the 1 MiB that a file of lines may have")]
    TooBig(String),
    /// Files source each other too deep.
    #[error("source: {0} is sourced {max} deep; does it source itself?", max = crate::limits::SOURCE_DEPTH_MAX)]
    TooDeep(String),
    /// It failed in an earlier line than the one under way.
    #[error("{failure}")]
    InLine {
        /// Which, counted from 1.
        line: usize,
        /// What failed there.
        failure: Box<Failure>,
    },
    /// There is no such help.
    #[error("help: {0}")]
    Help(crate::api::help::HelpError),
    /// What was typed cannot be sent.
    #[error("{0}")]
    Body(crate::text::BodyError),
    /// The network and the fates of other people's nodes are not ours to decide.
    #[error("{0}: the peers here are not ours to disturb; write it in a script, and: hobnob run FILE")]
    NotOurs(&'static str),
    /// No script can be run here.
    #[error("{0}: scripts cannot be run from here; try: hobnob run FILE")]
    NoScripts(&'static str),
    /// A script failed; its own words say where.
    #[error("{words}")]
    Script {
        /// In one line or several.
        words: String,
        /// With which exit code.
        exit: Exit,
    },
    /// Nothing is recorded, or no longer.
    #[error("record: {0}")]
    Record(String),
    /// One script at a time.
    #[error("{name} has not ended yet; {end} ends it")]
    Busy {
        /// What is under way.
        name: String,
        /// What ends it.
        end: &'static str,
    },
    /// A line is not UTF-8.
    #[error("this line is not UTF-8 text")]
    NotText,
    /// A line is somebody else's, and there is nobody else here.
    #[error("the line is {0}'s, and here is no cast; leave the speaker out")]
    Speaker(crate::id::Name),
    /// It failed in a file that was sourced.
    #[error("{place}: {failure}")]
    Inside {
        /// File and line.
        place: String,
        /// What failed there.
        failure: Box<Failure>,
    },
    /// Not here: it needs a terminal.
    #[error("{0}: needs a terminal")]
    NoTerminal(&'static str),
    /// The person at the terminal, or a signal, ended it.
    #[error("interrupted")]
    Interrupted,
    /// Nobody reads what we print.
    #[error("nobody reads the output")]
    Gone,
    /// What we print cannot be written.
    #[error("cannot write the output: {0}")]
    Output(std::io::ErrorKind),
}

impl Failure {
    /// How the failure is called among the event lines.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Expectation(_) | Self::Succeeded(_) => "expect.fail",
            Self::Command { error: CommandError::Unreachable { why: Why::Refused, .. }, .. } => "refused",
            Self::Command { error: CommandError::Unreachable { why: Why::TimedOut, .. }, .. } => "timeout",
            Self::Inside { failure, .. } | Self::InLine { failure, .. } => failure.event(),
            _ => "note",
        }
    }

    /// The same, as the fault of a line before the one under way.
    pub fn in_line(self, line: usize) -> Self {
        Self::InLine { line, failure: Box::new(self) }
    }

    /// The exit code of a batch that ends so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Line(_) | Self::NotText | Self::Speaker(_) => Exit::Parse,
            Self::Inside { failure, .. } | Self::InLine { failure, .. } => failure.exit(),
            Self::Expectation(_) | Self::Succeeded(_) => Exit::Expectation,
            Self::Interrupted => Exit::Interrupted,
            Self::Gone => Exit::Done,
            Self::Script { exit, .. } => *exit,
            Self::Command { .. }
            | Self::Busy { .. }
            | Self::Record(_)
            | Self::Unacknowledged { .. }
            | Self::Undelivered { .. }
            | Self::File { .. }
            | Self::TooDeep(_)
            | Self::Help(_)
            | Self::Body(_)
            | Self::Output(_)
            | Self::NotPlain(_)
            | Self::TooBig(_)
            | Self::NotOurs(_)
            | Self::NoScripts(_)
            | Self::NoTerminal(_) => Exit::Runtime,
        }
    }
}

fn because(why: &Option<Why>) -> String {
    why.map(|why| format!("; it is away: {why}")).unwrap_or_default()
}

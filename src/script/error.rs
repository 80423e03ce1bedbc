//! Why a script ended badly, and where: the file, the line and the column, the line itself, and for
//! an expectation what came instead. Printed once, by whoever ran the script.

use std::fmt;
use std::sync::Arc;

use crate::api::command::CommandError;
use crate::api::exit::Exit;
use crate::id::Name;
use crate::text::escape_display;
use crate::world::{PeerNo, WorldError};

/// Why a script ended, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptError {
    /// Why.
    pub failure: Box<Failure>,
    /// Where; `None` when it is about no line.
    pub spot: Option<Spot>,
    /// The line as it is written, if it is known.
    pub quote: Option<String>,
}

/// A place in a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file, as the script's user would name it.
    pub file: Arc<str>,
    /// From 1; 0 for the file as a whole.
    pub line: u32,
    /// In characters, from 1; 0 for the line as a whole.
    pub column: u32,
}

/// Why a script, or a verb of it, failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// It is no script; nothing was done.
    #[error("{0}")]
    Parse(String),
    /// A node refused or failed.
    #[error("{verb}: {error}")]
    Command {
        /// Which verb.
        verb: &'static str,
        /// What the node says.
        error: CommandError,
    },
    /// The world refused. Nothing was done.
    #[error("{0}")]
    World(#[from] WorldError),
    /// A verb was given what it cannot use. Nothing was done.
    #[error("{0}")]
    Misuse(String),
    /// What was expected did not come.
    #[error("{0}")]
    Unmet(Box<Unmet>),
    /// What was to be so is not.
    #[error("{0}")]
    Check(String),
    /// It passed a bound.
    #[error("{0}")]
    Bound(String),
    /// It threw something, or did what the language does not allow.
    #[error("{0}")]
    Thrown(String),
    /// Tests failed; each has said why.
    #[error("{failed} of {all} tests failed")]
    Tests {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// Somebody interrupted it.
    #[error("interrupted")]
    Interrupted,
    /// It has had its time.
    #[error("it took longer than --timeout allows")]
    TimedOut,
}

/// An expectation that was not met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unmet {
    /// In words, with the verb before it.
    pub what: String,
    /// The pattern, or what was to happen.
    pub expected: String,
    /// Whose unread messages these are.
    pub reader: String,
    /// What was unread: sender and text, the oldest first.
    pub unread: Vec<(String, String)>,
    /// How many more were.
    pub more: usize,
    /// Which of these came nearest.
    pub nearest: Option<usize>,
    /// The reader's number in the cast, for the list of what happened.
    pub(super) who: Option<PeerNo>,
    /// From whom it was to come.
    pub(super) with: Option<Name>,
    /// The moment of what came nearest.
    pub(super) cause: Option<u64>,
}

impl Failure {
    /// The exit code of a run that ends so.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Parse(_) => Exit::Parse,
            Self::Unmet(_) | Self::Check(_) | Self::Tests { .. } => Exit::Expectation,
            Self::Interrupted => Exit::Interrupted,
            Self::Command { .. }
            | Self::World(_)
            | Self::Misuse(_)
            | Self::Bound(_)
            | Self::Thrown(_)
            | Self::TimedOut => Exit::Runtime,
        }
    }

    /// Whether nothing may catch it, neither a test nor the script itself.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Interrupted | Self::TimedOut | Self::Bound(_) | Self::Parse(_))
    }

    /// Whether an expectation or a check failed, not the script.
    pub fn is_finding(&self) -> bool {
        matches!(self, Self::Unmet(_) | Self::Check(_))
    }

    /// As the failure of this place.
    pub fn at(self, spot: &Spot) -> ScriptError {
        ScriptError { failure: Box::new(self), spot: Some(spot.clone()), quote: None }
    }
}

impl From<Failure> for ScriptError {
    fn from(failure: Failure) -> Self {
        Self { failure: Box::new(failure), spot: None, quote: None }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.unread.is_empty() {
            return write!(f, "\n  nothing is unread by {}", self.reader);
        }
        write!(f, "\n  unread by {}:", self.reader)?;
        for (at, (from, text)) in self.unread.iter().enumerate() {
            let mark = if self.nearest == Some(at) { "   <- the nearest" } else { "" };
            write!(f, "\n    {from} \"{}\"{mark}", escape_display(text))?;
        }
        if self.more > 0 {
            write!(f, "\n    and {} more", self.more)?;
        }
        Ok(())
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(spot) = &self.spot else { return self.failure.fmt(f) };
        write!(f, "{spot}: ")?;
        let text = self.failure.to_string();
        let (first, rest) = text.split_once('\n').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
        f.write_str(first)?;
        if let Some(quote) = &self.quote {
            let (shown, column) = clipped(quote, spot.column);
            write!(f, "\n{:>6} | {shown}", spot.line)?;
            if column > 0 {
                write!(f, "\n{:>6} | {:>column$}", "", "^", column = column)?;
            }
        }
        match rest {
            Some(rest) => write!(f, "\n{rest}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}

/// Characters of a line that are shown.
const QUOTE_MAX: usize = 160;

/// A line for showing, and the column of its mark in what is shown.
fn clipped(line: &str, column: u32) -> (String, usize) {
    let column = usize::try_from(column).unwrap_or(0);
    let first = column.saturating_sub(QUOTE_MAX - 20);
    let part: String = line.chars().skip(first).take(QUOTE_MAX).collect();
    let before: String = part.chars().take(column.saturating_sub(first + 1)).collect();
    let mark = if column == 0 { 0 } else { columns(&show(&before)) + 1 };
    (show(&part), mark)
}

/// Tabs are how people indent, so they are blanks here and no escapes.
fn show(text: &str) -> String {
    escape_display(&text.replace('\t', "    "))
}

fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_its_column() {
        let spot = Spot { file: "demo.rhai".into(), line: 14, column: 8 };
        let mut error = Failure::Check("check: bob is gone".into()).at(&spot);
        error.quote = Some("\talice.expect(\"é\");".into());
        assert_eq!(
            error.to_string(),
            "demo.rhai:14:8: check: bob is gone\n    14 |     alice.expect(\"é\");\n       |           ^"
        );
    }

    #[test]
    fn an_expectation_shows_what_came_instead() {
        let unread = vec![("bob".to_owned(), "pung\x1b".to_owned()), ("carol".into(), "hi".into())];
        let unmet = Unmet {
            what: "expect: nothing came".into(),
            expected: "pong".into(),
            reader: "alice".into(),
            unread,
            more: 2,
            nearest: Some(0),
            ..Unmet::default()
        };
        assert_eq!(
            unmet.to_string(),
            "expect: nothing came\n  unread by alice:\n    bob \"pung\\x1b\"   <- the nearest\n    carol \"hi\"\n    and 2 more"
        );
    }
}

//! Why a line asks for nothing. Each message names what was typed and says what to do next; what of
//! it came from outside is escaped already.

use crate::api::verb::Verb;
use crate::id::NameError;
use crate::limits::LINE_MAX;

/// What is wrong with a line; the user's fault, and nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It has this many bytes.
    #[error("a line of {0} bytes is too long; the limit is {LINE_MAX} bytes")]
    TooLong(usize),
    /// It begins with no command, but with something spelt nearly so.
    #[error("unknown command \"{word}\"; did you mean {near}? (help lists all)")]
    Misspelt {
        /// What it begins with.
        word: String,
        /// What was probably meant.
        near: &'static str,
    },
    /// It is no command at all; most likely something to be said to somebody.
    #[error(
        "unknown command \"{word}\" (help lists all); to say it to everybody: * TEXT, or to one: @PEER TEXT"
    )]
    Prose {
        /// What it begins with.
        word: String,
    },
    /// More than one command begins so.
    #[error("\"{word}\" could be {}; write more of it", .candidates.join(" or "))]
    Ambiguous {
        /// What it begins with.
        word: String,
        /// What begins so.
        candidates: Vec<&'static str>,
    },
    /// The sign stands alone.
    #[error("no command follows the {0}")]
    NothingFollows(char),
    /// A prompt knows no `!`.
    #[error("! marks a command that must fail, and only in a batch; leave it out here")]
    BatchOnly,
    /// The speaker before the `>` cannot be called so.
    #[error("\"{word}\" cannot speak: {why}")]
    Speaker {
        /// What stands there.
        word: String,
        /// Why not.
        why: NameError,
    },
    /// A quote or a backslash waits for more.
    #[error("{}: the {mark} at column {column} {}", .verb.name, what_next(*.mark))]
    Unclosed {
        /// Whose arguments they are.
        verb: &'static Verb,
        /// What is open.
        mark: char,
        /// Which character of the line it is, from 1.
        column: usize,
    },
    /// A required argument is not there; a prompt asks for it.
    #[error("{}: {} is missing; usage: {}", .verb.name, .verb.args[*.argument].name, .verb.usage())]
    Missing {
        /// Whose.
        verb: &'static Verb,
        /// Which of its arguments.
        argument: usize,
    },
    /// There are more words than arguments.
    #[error("{}: \"{word}\" is one word too many; usage: {}", .verb.name, .verb.usage())]
    TooMany {
        /// For which verb.
        verb: &'static Verb,
        /// The first that is too much.
        word: String,
    },
    /// It has no such option.
    #[error("{}: no option {option}{}", .verb.name, other_option(.verb, *.near))]
    BadOption {
        /// The verb.
        verb: &'static Verb,
        /// What was asked for.
        option: String,
        /// One that is spelt nearly so.
        near: Option<&'static str>,
    },
    /// An option without its value, or with one that it does not take.
    #[error("{}: {}", .verb.name, option_usage(.verb, .option))]
    OptionValue {
        /// The verb.
        verb: &'static Verb,
        /// The option.
        option: &'static str,
    },
    /// An argument or the value of an option cannot be what was given.
    #[error("{}: {why}", .verb.name)]
    BadValue {
        /// The verb.
        verb: &'static Verb,
        /// The argument or option, as usage calls it.
        what: &'static str,
        /// What is wrong with which word.
        why: String,
    },
}

impl LineError {
    /// The argument to ask for, where only that is wrong: [`super::grammar::answer`] adds it to the
    /// line.
    pub fn missing(&self) -> Option<(&'static Verb, usize)> {
        match self {
            Self::Missing { verb, argument } => Some((verb, *argument)),
            Self::TooLong(_)
            | Self::Misspelt { .. }
            | Self::Prose { .. }
            | Self::Ambiguous { .. }
            | Self::NothingFollows(_)
            | Self::BatchOnly
            | Self::Speaker { .. }
            | Self::Unclosed { .. }
            | Self::TooMany { .. }
            | Self::BadOption { .. }
            | Self::OptionValue { .. }
            | Self::BadValue { .. } => None,
        }
    }
}

fn what_next(mark: char) -> String {
    match mark {
        '\\' => r"has nothing to escape; write \\ for the character itself".into(),
        quote => {
            format!(r"opens a quote that is never closed; write \{quote} for the character itself")
        }
    }
}

fn other_option(verb: &Verb, near: Option<&str>) -> String {
    let names: Vec<_> = verb.options.iter().map(|option| option.name).collect();
    match near {
        Some(near) => format!("; did you mean {near}?"),
        None if names.is_empty() => " (it has none; put -- before a word that begins with -)".into(),
        None => format!(" (it has {}; put -- before a word that begins with -)", names.join(", ")),
    }
}

fn option_usage(verb: &Verb, name: &str) -> String {
    match verb.option(name).and_then(|option| option.value) {
        Some(value) => format!("{name} needs a value; write {name} {value}"),
        None => format!("{name} takes no value"),
    }
}

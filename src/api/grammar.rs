//! From a line to an action: who says it, whether it may fail, which verb it means. What stands
//! behind the verb is sorted by `args`; what verbs there are is the table's.
//!
//! ```text
//! line = [ NAME "> " ] [ "!" | "?" ] ( verb { --option } { word } [ text ] | sugar ) | "#" … | empty
//! ```

use crate::api::action::Action;
use crate::api::args::Args;
use crate::api::error::LineError;
use crate::api::near::nearest;
use crate::api::table::{find, words};
use crate::api::value::shown;
use crate::api::verb::{Kind, Verb};
use crate::api::words::{is_blank, quote, quote_text};
use crate::id::Name;
use crate::limits::LINE_MAX;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A person types it: a verb may be cut to a unique prefix.
    Prompt,
    /// Somebody wrote it down: verbs in full, and a line can say who speaks and what must fail.
    Batch,
}

/// A line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who of the cast says it; always `None` at a prompt.
    pub speaker: Option<Name>,
    /// How it is to end.
    pub outcome: Outcome,
    /// What it asks for.
    pub content: Content,
}

/// How a line is to end, for a batch to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    #[default]
    Succeed,
    /// Badly: `!`.
    Fail,
    /// Either way: `?`.
    Either,
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing is written.
    Empty,
    /// Something that is not meant for us.
    Comment,
    /// This.
    Action(Action),
}

/// Reads `line`, with or without its line end.
///
/// # Errors
/// It is no command, or not a whole one. It is never taken for something to say.
pub fn parse(line: &str, mode: Mode) -> Result<Line, LineError> {
    let line = without_line_end(line);
    if line.len() > LINE_MAX {
        return Err(LineError::TooLong(line.len()));
    }
    let rest = skip_blanks(line);
    let (speaker, outcome, rest) = match mode {
        Mode::Batch => marks(rest)?,
        Mode::Prompt if rest.starts_with('!') => return Err(LineError::BatchOnly),
        Mode::Prompt => (None, Outcome::Succeed, rest),
    };
    let action = |verb, at| Args::read(verb, line, at)?.build().map(Content::Action);
    let content = match head(line, line.len() - rest.len()) {
        Head::Empty => Content::Empty,
        Head::Comment => Content::Comment,
        // Of what was pasted all line ends go, as none of them is read back.
        Head::Script => match skip_blanks(&skip_blanks(rest)[1..]).trim_end_matches(['\r', '\n']) {
            "" => return Err(LineError::NothingFollows('=')),
            script => Content::Action(Action::Evaluate(script.to_owned())),
        },
        Head::At(at) => action(verb("send", mode)?, at)?,
        Head::Word { start, end } if start == end => return Err(LineError::NothingFollows('/')),
        Head::Word { start, end } => action(verb(&line[start..end], mode)?, end)?,
    };
    Ok(Line { speaker, outcome, content })
}

/// `line` with one more argument: what somebody answered when asked for a missing one.
pub fn answer(line: &str, missing: (&'static Verb, usize), answer: &str) -> String {
    let line = without_line_end(line);
    let space = if line.ends_with(is_blank) { "" } else { " " };
    let (verb, argument) = missing;
    let word = match verb.arg(argument).map(|arg| arg.kind) {
        Some(Kind::Text) => quote_text(answer),
        Some(
            Kind::Peer
            | Kind::Name
            | Kind::Pattern
            | Kind::Duration
            | Kind::Path
            | Kind::Setting
            | Kind::Value
            | Kind::Topic
            | Kind::Shape
            | Kind::Word,
        )
        | None => quote(answer),
    };
    format!("{line}{space}{word}")
}

/// What a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Empty,
    Comment,
    /// `=`
    Script,
    /// `@`: a send, its arguments from this byte on.
    At(usize),
    /// The word for a verb is these bytes; it may be empty behind a `/`.
    Word {
        start: usize,
        end: usize,
    },
}

/// What stands in `line` from byte `at` on.
pub(super) fn head(line: &str, at: usize) -> Head {
    let rest = skip_blanks(&line[at..]);
    let start = line.len() - rest.len();
    match rest.chars().next() {
        None => Head::Empty,
        Some('#') => Head::Comment,
        Some('=') => Head::Script,
        Some('@') => Head::At(start + 1),
        Some(first) => {
            let start = start + usize::from(first == '/');
            let end = line[start..].find(is_blank).map_or(line.len(), |i| start + i);
            Head::Word { start, end }
        }
    }
}

/// The verb that `word` means.
pub(super) fn verb(word: &str, mode: Mode) -> Result<&'static Verb, LineError> {
    if let Some(verb) = find(word) {
        return Ok(verb);
    }
    let begun = candidates(word);
    match (mode, begun.as_slice()) {
        (Mode::Prompt, [(_, verb)]) => Ok(verb),
        (Mode::Batch, [(near, _)]) => Err(LineError::Misspelt { word: shown(word), near }),
        (_, []) => Err(match nearest(word, words().map(|(word, _)| word)) {
            Some(near) => LineError::Misspelt { word: shown(word), near },
            None => LineError::Prose { word: shown(word) },
        }),
        (_, several) => Err(LineError::Ambiguous {
            word: shown(word),
            candidates: several.iter().map(|(word, _)| *word).collect(),
        }),
    }
}

/// Every verb that has a word beginning so, with the first such word.
fn candidates(prefix: &str) -> Vec<(&'static str, &'static Verb)> {
    let mut begun: Vec<_> =
        words().filter(|(word, _)| !prefix.is_empty() && word.starts_with(prefix)).collect();
    begun.dedup_by_key(|(_, verb)| verb.name);
    begun
}

/// What a batch may put before a command, and the command.
fn marks(line: &str) -> Result<(Option<Name>, Outcome, &str), LineError> {
    let (speaker, line) = speaker(line)?;
    let (mark, outcome) = match line.chars().next() {
        Some('!') => ('!', Outcome::Fail),
        Some('?') => ('?', Outcome::Either),
        Some(_) | None => return Ok((speaker, Outcome::Succeed, line)),
    };
    match skip_blanks(&line[1..]) {
        rest if rest.is_empty() || rest.starts_with('#') => Err(LineError::NothingFollows(mark)),
        rest => Ok((speaker, outcome, rest)),
    }
}

/// `NAME> ` at the beginning of a line in a batch, and what stands behind it.
fn speaker(line: &str) -> Result<(Option<Name>, &str), LineError> {
    let (first, rest) = line.split_at(line.find(is_blank).unwrap_or(line.len()));
    match first.strip_suffix('>') {
        Some(name) => match Name::new(name) {
            Ok(name) => Ok((Some(name), skip_blanks(rest))),
            Err(why) => Err(LineError::Speaker { word: shown(name), why }),
        },
        None => Ok((None, line)),
    }
}

fn without_line_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

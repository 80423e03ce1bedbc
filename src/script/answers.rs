//! What is typed at the prompts of somebody else's program: which line of what it printed is the
//! question, and which pattern is found in it.

use regex::{Regex, RegexBuilder};

use crate::id::Name;
use crate::limits;
use crate::script::error::Failure;

/// A prompt, and what is typed at it.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) prompt: Regex,
    /// A longer pattern says more, so it goes first.
    pub(super) weight: usize,
    pub(super) value: AnswerValue,
}

/// What is typed at a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AnswerValue {
    Text(String),
    /// Where the program itself is to listen.
    OwnPort,
    /// Where a peer of the scene under way listens.
    Ip(Name),
    Port(Name),
}

impl Answer {
    /// For prompts in which this is found, upper or lower case.
    pub(super) fn new(pattern: &str, value: AnswerValue) -> Result<Self, Failure> {
        let bad = |error: regex::Error| {
            let last = error.to_string().lines().next_back().unwrap_or_default().to_owned();
            let pattern = crate::text::escape_display(pattern);
            Failure::Misuse(format!(
                "answers: \"{pattern}\" is no pattern: {}",
                crate::text::escape_display(&last)
            ))
        };
        let prompt = RegexBuilder::new(pattern)
            .case_insensitive(true)
            .size_limit(limits::PATTERN_COMPILED_MAX)
            .build()
            .map_err(bad)?;
        Ok(Self { prompt, weight: pattern.len(), value })
    }
}

/// The line of what was printed that is the question: the last, or the one above it if that asks and
/// the last is a mere mark, as "> " is.
pub(super) fn asked(printed: &str) -> &str {
    let mut lines = printed.lines().rev().filter(|line| !line.trim().is_empty());
    let last = lines.next().unwrap_or_default();
    let is_mark = !last.contains(char::is_alphanumeric);
    let above = lines.next().filter(|line| is_mark && line.trim_end().ends_with([':', '?']));
    above.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_may_stand_above_a_mere_mark() {
        for (printed, question) in [
            ("Name: ", "Name: "),
            ("1. Send\n0. Quit\n> ", "> "),
            ("1. Send\nWhich port?\n\n> ", "Which port?"),
            ("Which port?\nIt must be free: ", "It must be free: "),
            ("", ""),
        ] {
            assert_eq!(asked(printed), question);
        }
    }
}

//! The words behind a verb, sorted into arguments and options as the verb declares them, and handed
//! to it one by one. Half a line can be read too: that is what hints and completion go by.

use crate::api::error::LineError;
use crate::api::near::nearest;
use crate::api::value::shown;
use crate::api::verb::{Arg, Kind, Opt, Verb};
use crate::api::words::{Unclosed, Word, Words, is_blank, unquote_text};

/// What was given to a verb.
#[derive(Debug)]
pub struct Args {
    verb: &'static Verb,
    words: Vec<String>,
    options: Vec<(&'static Opt, Option<String>)>,
    /// `--` was read: what follows are arguments.
    options_over: bool,
    taken: usize,
}

/// What can stand next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The value of the last option.
    OptionValue,
    /// This argument, or an option if any is left.
    Arg(&'static Arg),
    /// Only an option, if any is left.
    Nothing,
}

impl Args {
    /// Sorts everything in `line` from byte `at` on. The last option may lack its value, and
    /// arguments may be missing: both may yet come.
    pub(super) fn read(verb: &'static Verb, line: &str, at: usize) -> Result<Self, LineError> {
        let mut args = Self { verb, words: Vec::new(), options: Vec::new(), options_over: false, taken: 0 };
        let mut words = Words::new(line, at);
        let unclosed = |Unclosed { mark, at }| LineError::Unclosed {
            verb,
            mark,
            column: line[..at].chars().count() + 1,
        };
        loop {
            let before = words.rest();
            if words.next_start().is_none() {
                break;
            }
            let word = match args.kind_next() {
                Some(Kind::Text) => {
                    args.words.push(text(before, words.rest()).to_owned());
                    break;
                }
                Some(Kind::Pattern) => words.pattern(),
                _ => words.word(),
            };
            args.push(word.map_err(unclosed)?)?;
        }
        Ok(args)
    }

    /// The action, if the arguments are what the verb wants.
    pub(super) fn build(mut self) -> Result<super::action::Action, LineError> {
        if let (Next::OptionValue, Some(option)) = (self.next(), self.last_option()) {
            return Err(self.option_value(option));
        }
        let action = (self.verb.build)(&mut self)?;
        match self.words.get(self.taken) {
            None => Ok(action),
            Some(word) => Err(self.too_many(word)),
        }
    }

    /// How many arguments there are.
    pub(super) fn given(&self) -> usize {
        self.words.len()
    }

    /// The argument before the next.
    pub(super) fn last(&self) -> Option<&str> {
        self.words.last().map(String::as_str)
    }

    /// The option that was given last.
    pub(super) fn last_option(&self) -> Option<&'static Opt> {
        self.options.last().map(|&(option, _)| option)
    }

    /// Whether this option was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| option.name == name)
    }

    /// Whether another option may come.
    pub(super) fn may_have_options(&self) -> bool {
        !self.options_over
    }

    /// What can stand next.
    pub(super) fn next(&self) -> Next {
        match (self.options.last(), self.verb.arg(self.words.len())) {
            (Some((option, None)), _) if option.value.is_some() => Next::OptionValue,
            (_, Some(arg)) => Next::Arg(arg),
            (_, None) => Next::Nothing,
        }
    }

    /// The next argument, which must be there.
    pub(super) fn required<T>(&mut self, read: Read<T>) -> Result<T, LineError> {
        let argument = self.taken;
        let verb = self.verb;
        self.optional(read)?.ok_or(LineError::Missing { verb, argument })
    }

    /// The next argument, if it is there.
    pub(super) fn optional<T>(&mut self, read: Read<T>) -> Result<Option<T>, LineError> {
        let Some(word) = self.words.get(self.taken) else {
            return Ok(None);
        };
        let what = self.verb.arg(self.taken).map_or("", |arg| arg.name);
        let value = read(word).map_err(|why| self.bad_value(what, why))?;
        self.taken += 1;
        Ok(Some(value))
    }

    /// All arguments that are left.
    pub(super) fn rest<T>(&mut self, read: Read<T>) -> Result<Vec<T>, LineError> {
        let mut values = Vec::new();
        while let Some(value) = self.optional(read)? {
            values.push(value);
        }
        Ok(values)
    }

    /// The value of an option; the last, if it was given twice.
    pub(super) fn option<T>(&self, name: &str, read: Read<T>) -> Result<Option<T>, LineError> {
        let mut given = self.options.iter().rev();
        let Some((option, Some(word))) = given.find(|(option, _)| option.name == name) else {
            return Ok(None);
        };
        read(word).map(Some).map_err(|why| self.bad_value(option.name, why))
    }

    /// Says that `what` cannot be used.
    pub(super) fn bad_value(&self, what: &'static str, why: String) -> LineError {
        let verb = self.verb;
        LineError::BadValue { verb, what, why }
    }

    fn kind_next(&self) -> Option<Kind> {
        match self.next() {
            Next::Arg(arg) => Some(arg.kind),
            Next::OptionValue | Next::Nothing => None,
        }
    }

    fn push(&mut self, word: Word) -> Result<(), LineError> {
        if self.next() == Next::OptionValue {
            if let Some((_, value)) = self.options.last_mut() {
                *value = Some(word.value);
            }
        } else if word.bare && !self.options_over && word.value == "--" {
            self.options_over = true;
        } else if word.bare && !self.options_over && is_option(&word.value) {
            self.push_option(&word.value)?;
        } else if self.next() == Next::Nothing {
            return Err(self.too_many(&word.value));
        } else {
            self.words.push(word.value);
        }
        Ok(())
    }

    fn push_option(&mut self, word: &str) -> Result<(), LineError> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word, None),
        };
        let verb = self.verb;
        let option = verb.option(name).ok_or_else(|| LineError::BadOption {
            verb,
            option: shown(name),
            near: nearest(name, verb.options.iter().map(|option| option.name)),
        })?;
        if value.is_some() && option.value.is_none() {
            return Err(self.option_value(option));
        }
        self.options.push((option, value));
        Ok(())
    }

    fn option_value(&self, option: &'static Opt) -> LineError {
        LineError::OptionValue { verb: self.verb, option: option.name }
    }

    fn too_many(&self, word: &str) -> LineError {
        LineError::TooMany { verb: self.verb, word: shown(word) }
    }
}

/// Reads one word, or says what is wrong with it.
type Read<T> = fn(&str) -> Result<T, String>;

/// A lone hyphen is a word, as everywhere.
fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}
/// The text behind the one blank that ends the word before it; quotes around all of it come off,
/// and then blanks before them are nobody's intention.
fn text<'a>(whole: &'a str, trimmed: &'a str) -> &'a str {
    let unquoted = unquote_text(trimmed);
    if unquoted.len() < trimmed.len() {
        return unquoted;
    }
    whole.strip_prefix(is_blank).unwrap_or(whole)
}

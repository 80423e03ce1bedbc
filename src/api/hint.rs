//! What the prompt shows behind a half-typed line, and what could be completed where the cursor is.
//! Decides by the table alone; the names of peers and files are the completer's.

use crate::api::args::{Args, Next};
use crate::api::grammar::{Head, Mode, head, verb};
use crate::api::settings::Setting;
use crate::api::table::find;
use crate::api::verb::{Kind, Verb};
use crate::api::words::{Words, is_blank};

/// What would make sense at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A verb.
    Verb,
    /// An option of this verb.
    Option(&'static Verb),
    /// A peer: a name, or an address seen.
    Peer,
    /// The name of a setting.
    Setting,
    /// A value for this setting.
    Value(Setting),
    /// A file.
    Path,
    /// A verb or a topic of help.
    Topic,
    /// Nothing that we could know.
    Nothing,
}

/// What can still follow a line, to be shown in grey behind it: `send` is followed by
/// ` ⟨peer⟩ ⟨text⟩`.
pub fn hint(line: &str) -> Option<String> {
    let (verb, at) = match head(line, 0) {
        Head::At(at) => (find("send")?, at),
        Head::Word { start, end } => (verb(&line[start..end], Mode::Prompt).ok()?, end),
        Head::Empty | Head::Comment | Head::Script => return None,
    };
    let args = Args::read(verb, line, at).ok()?;
    let mark = |name: &str| format!("⟨{}⟩", name.to_lowercase());
    let hint = match args.next() {
        Next::OptionValue => mark(args.last_option()?.value?),
        Next::Arg(_) | Next::Nothing => verb.describe("", args.given(), &mark, |option| {
            let is_too_late = option.instead && args.given() > 0;
            args.may_have_options() && !args.has(option.name) && !is_too_late
        }),
    };
    // Behind `@` the peer follows at once.
    let is_separate = line.ends_with(is_blank) || line.ends_with('@');
    let space = if is_separate { "" } else { " " };
    (!hint.is_empty()).then(|| format!("{space}{hint}"))
}

/// Where the word at the cursor begins, both in bytes of `line`, and what it could be. A cursor that
/// is no boundary of a character counts as the last before it.
pub fn at_cursor(line: &str, cursor: usize) -> (usize, Wanted) {
    let line = &line[..floor(line, cursor)];
    let (verb, at) = match head(line, 0) {
        Head::Empty => return (line.len(), Wanted::Verb),
        Head::Comment | Head::Script => return (line.len(), Wanted::Nothing),
        Head::At(at) => (find("send"), at),
        Head::Word { start, end } if end == line.len() => return (start, Wanted::Verb),
        Head::Word { start, end } => (verb(&line[start..end], Mode::Prompt).ok(), end),
    };
    let start = last_word(line, at);
    let wanted = verb.map_or(Wanted::Nothing, |verb| wanted(verb, line, at, start));
    (start, wanted)
}

/// What the word from `start` on could be, going by what stands between the verb and it.
fn wanted(verb: &'static Verb, line: &str, at: usize, start: usize) -> Wanted {
    let Ok(args) = Args::read(verb, &line[..start], at) else {
        return Wanted::Nothing;
    };
    let word = &line[start..];
    let may_be_option = args.may_have_options() && !verb.options.is_empty();
    match args.next() {
        Next::OptionValue => Wanted::Nothing,
        Next::Arg(arg) if arg.kind == Kind::Text => Wanted::Nothing,
        Next::Arg(_) if may_be_option && word.starts_with('-') => Wanted::Option(verb),
        Next::Nothing if may_be_option && (word.is_empty() || word.starts_with('-')) => Wanted::Option(verb),
        Next::Nothing => Wanted::Nothing,
        Next::Arg(arg) => match arg.kind {
            Kind::Peer => Wanted::Peer,
            Kind::Path => Wanted::Path,
            Kind::Setting => Wanted::Setting,
            Kind::Value => match args.last().map(str::parse) {
                Some(Ok(setting)) => Wanted::Value(setting),
                Some(Err(_)) | None => Wanted::Nothing,
            },
            Kind::Topic => Wanted::Topic,
            Kind::Text | Kind::Name | Kind::Pattern | Kind::Duration | Kind::Shape | Kind::Word => {
                Wanted::Nothing
            }
        },
    }
}

/// Where the last word begins; at the end, if a blank stands there. A quote may still be open.
fn last_word(line: &str, at: usize) -> usize {
    let mut words = Words::new(line, at);
    while let Some(start) = words.next_start() {
        if words.word().is_err() || words.is_done() {
            return start;
        }
    }
    line.len()
}

fn floor(line: &str, cursor: usize) -> usize {
    let mut cursor = cursor.min(line.len());
    while !line.is_char_boundary(cursor) {
        cursor -= 1;
    }
    cursor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_show_what_may_follow() {
        for (line, expected) in [
            ("send", " ⟨peer⟩ ⟨text⟩"),
            ("send ", "⟨peer⟩ ⟨text⟩"),
            ("send bob", " ⟨text⟩"),
            ("send bob ", "⟨text⟩"),
            ("send bob h", ""),
            ("@", "⟨peer⟩ ⟨text⟩"),
            ("@bob", " ⟨text⟩"),
            ("*", " ⟨text⟩"),
            ("/send ", "⟨peer⟩ ⟨text⟩"),
            ("sen ", "⟨peer⟩ ⟨text⟩"),
            ("connect ", "[⟨peer⟩…] [--classic]"),
            ("connect :1 ", "[⟨peer⟩…] [--classic]"),
            ("disconnect ", "⟨peer⟩ | --all"),
            ("disconnect bob", ""),
            ("ping bob", " [-n ⟨n⟩]"),
            ("ping bob -n", " ⟨n⟩"),
            ("ping -n 3 ", "⟨peer⟩"),
            ("expect bob ", "⟨pattern⟩ [--within ⟨d⟩]"),
            ("set ", "[⟨key⟩ [⟨value⟩]]"),
            ("set bell", " [⟨value⟩]"),
            ("quit", ""),
            ("sned ", ""),
            ("s", ""),
            ("# send", ""),
            ("", ""),
        ] {
            assert_eq!(hint(line).unwrap_or_default(), expected, "{line:?}");
        }
    }

    #[test]
    fn the_cursor_says_what_is_wanted() {
        let verb = |name| find(name).expect(name);
        for (line, start, wanted) in [
            ("", 0, Wanted::Verb),
            ("  se", 2, Wanted::Verb),
            ("/se", 1, Wanted::Verb),
            ("send ", 5, Wanted::Peer),
            ("send 'my p", 5, Wanted::Peer),
            ("send bob h", 9, Wanted::Nothing),
            ("send bob don't ", 9, Wanted::Nothing),
            ("@bo", 1, Wanted::Peer),
            ("@bob ", 5, Wanted::Nothing),
            ("connect :1 b", 11, Wanted::Peer),
            ("connect --c", 8, Wanted::Option(verb("connect"))),
            ("connect -- -", 11, Wanted::Peer),
            ("peers ", 6, Wanted::Option(verb("peers"))),
            ("ping -n ", 8, Wanted::Nothing),
            ("ping -n 3 ", 10, Wanted::Peer),
            ("ping bob -", 9, Wanted::Option(verb("ping"))),
            ("set ", 4, Wanted::Setting),
            ("set bell o", 9, Wanted::Value(Setting::Bell)),
            ("set bel o", 8, Wanted::Nothing),
            ("source x", 7, Wanted::Path),
            ("help s", 5, Wanted::Topic),
            ("wait ", 5, Wanted::Nothing),
            ("sned b", 5, Wanted::Nothing),
            ("= x", 3, Wanted::Nothing),
        ] {
            assert_eq!(at_cursor(line, line.len()), (start, wanted), "{line:?}");
        }
        assert_eq!(at_cursor("sé x", 2), (0, Wanted::Verb));
        assert_eq!(at_cursor("send bob hi", 6), (5, Wanted::Peer));
        assert_eq!(at_cursor("x", 99), (0, Wanted::Verb));
    }
}

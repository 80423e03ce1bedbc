//! What rustyline asks while a line is being typed: hints, completion, colours, and the prompt, which
//! is drawn anew with every repaint. Output that waits is drawn above it in the same write; that
//! relies on how rustyline repaints, so its version is pinned and a test in a real terminal watches.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::validate::Validator;
use rustyline::{CompletionType, Context, Helper};

use crate::api::hint::hint;
use crate::api::verb::Kind;
use crate::shell::complete::{Head, Offer, answers, head, offers};
use crate::shell::printer::Screen;
use crate::shell::shared::{Facts, Shared};
use crate::text::escape_display;

/// See the module.
pub(super) struct Guide {
    shared: Arc<Shared>,
    screen: Arc<Screen>,
    asked: Cell<Asked>,
    /// Digits of the count in the prompt: its width cannot change while a line is edited.
    digits: Cell<usize>,
    /// The repaint under way follows a key. One that does not was rung for, and rustyline has moved
    /// the cursor a row down before it.
    by_key: Cell<bool>,
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A command.
    Command,
    /// What is said to the peer that we chat with.
    Chat,
    /// An answer, of this kind if it is an argument.
    Answer(Option<Kind>),
}

/// Grey text behind the cursor.
pub(super) struct Grey {
    text: String,
    /// It is what would be typed, so the right arrow inserts it.
    fits: bool,
}

const NAME: Style = Style::new().bold();
const VERB: Style = AnsiColor::Cyan.on_default().bold();
/// Underlined as well: nothing depends on colour alone.
const NO_VERB: Style = AnsiColor::Red.on_default().underline();
const GREY: Style = AnsiColor::BrightBlack.on_default();

impl Guide {
    pub(super) fn new(shared: Arc<Shared>, screen: Arc<Screen>) -> Self {
        Self {
            shared,
            screen,
            asked: Cell::new(Asked::Command),
            digits: Cell::new(1),
            by_key: Cell::new(false),
        }
    }

    /// Begins a line; the prompt for it, unless that is a question of one's own.
    pub(super) fn begin(&self, asked: Asked) -> String {
        self.asked.set(asked);
        self.by_key.set(false);
        self.shared.read(|facts| {
            self.digits.set(facts.connected.to_string().len());
            prompt(asked, facts, self.digits.get())
        })
    }

    fn is_colored(&self) -> bool {
        self.shared.read(|facts| facts.color)
    }
}

/// `alice (2)> `, or `alice → bob> ` in a chat; the count takes `digits` columns.
fn prompt(asked: Asked, facts: &Facts, digits: usize) -> String {
    let me = escape_display(&facts.me);
    match (asked, &facts.chat) {
        (Asked::Chat, Some(peer)) => format!("{me} → {}> ", escape_display(peer)),
        (Asked::Command | Asked::Chat | Asked::Answer(_), _) => {
            let count = facts.connected.to_string();
            let count = if count.len() > digits { "+" } else { &count };
            format!("{me} ({count:>digits$})> ")
        }
    }
}

impl Helper for Guide {}

impl Validator for Guide {}

impl Completer for Guide {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, offers) = self.shared.read(|facts| match self.asked.get() {
            Asked::Command => offers(line, pos, facts),
            Asked::Answer(Some(kind)) => (0, answers(&line[..pos], kind, facts)),
            Asked::Chat | Asked::Answer(None) => (0, Vec::new()),
        });
        let pair = |offer: Offer| Pair { display: offer.shown, replacement: offer.written };
        Ok((start, offers.into_iter().map(pair).collect()))
    }
}

impl Hinter for Guide {
    type Hint = Grey;

    fn hint(&self, line: &str, pos: usize, history: &Context<'_>) -> Option<Grey> {
        if pos < line.len() || line.is_empty() || matches!(self.asked.get(), Asked::Answer(_)) {
            return None;
        }
        let expected = hint(line).filter(|_| self.asked.get() == Asked::Command);
        // Only grey tells a suggestion from what was typed; brackets tell an argument.
        let before = || HistoryHinter {}.hint(line, pos, history).filter(|_| self.is_colored());
        match expected {
            Some(text) => Some(Grey { text, fits: false }),
            None => before().map(|text| Grey { text, fits: true }),
        }
    }
}

impl Hint for Grey {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.fits.then_some(&self.text)
    }
}

impl Highlighter for Guide {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, default: bool) -> Cow<'b, str> {
        let was_rung_for = !self.by_key.replace(false);
        let mut drawn = self.screen.draw();
        if was_rung_for {
            drawn.insert_str(0, "\x1b[A");
        }
        let asked = self.asked.get();
        if !default || matches!(asked, Asked::Answer(_)) {
            return Cow::Owned(drawn + prompt);
        }
        self.shared.read(|facts| {
            let live = self::prompt(asked, facts, self.digits.get());
            // Who is renamed, or enters a chat, in the middle of a line sees it at the next.
            let is_same =
                live.rsplit_once('(').map(|(name, _)| name) == prompt.rsplit_once('(').map(|(name, _)| name);
            let live = if is_same { &live } else { prompt };
            if facts.color { drawn += &paint(NAME, live) } else { drawn += live }
        });
        Cow::Owned(drawn)
    }

    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        let verb = head(line).filter(|_| self.asked.get() == Asked::Command && self.is_colored());
        let (verb, style) = match verb {
            Some((range, Head::Verb)) => (range, VERB),
            Some((range, Head::Wrong)) => (range, NO_VERB),
            Some((_, Head::Open)) | None => return harmless(line),
        };
        let (before, rest) = line.split_at(verb.start);
        let (word, behind) = rest.split_at(verb.len());
        Cow::Owned(format!("{}{}{}", harmless(before), paint(style, &harmless(word)), harmless(behind)))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        let hint = harmless(hint);
        if self.is_colored() { Cow::Owned(paint(GREY, &hint)) } else { hint }
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        // A list of candidates is followed by a repaint.
        self.by_key.set(true);
        Cow::Borrowed(candidate)
    }

    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        // Called for each key; so each is followed by a repaint.
        self.by_key.set(true);
        true
    }
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// What was typed, pasted or remembered, without what a terminal would obey. All of it has no width,
/// as rustyline counts, so the cursor stays where it belongs.
fn harmless(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            // Rustyline gives no width to what follows an escape, up to the end of the sequence.
            '\x1b' if chars.next() == Some('[') => {
                let _ = chars.find(|&c| !matches!(c, '0'..='9' | ';'));
            }
            c if !is_bad(c) => out.push(c),
            _ => {}
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_keeps_its_width() {
        let mut facts = Facts { me: "alice".into(), connected: 2, ..Facts::default() };
        assert_eq!(prompt(Asked::Command, &facts, 1), "alice (2)> ");
        facts.connected = 12;
        assert_eq!(prompt(Asked::Command, &facts, 1), "alice (+)> ");
        facts.connected = 7;
        assert_eq!(prompt(Asked::Command, &facts, 2), "alice ( 7)> ");
        facts.chat = Some("bob".into());
        assert_eq!(prompt(Asked::Chat, &facts, 1), "alice → bob> ");
    }

    #[test]
    fn what_is_typed_cannot_steer_the_terminal() {
        for (typed, shown) in [
            ("don't", "don't"),
            ("a\x1b[31mb", "ab"),
            ("a\x1b]0;x\x07b", "a0;xb"),
            ("a\u{9b}2Jb\x08", "a2Jb"),
            ("a\n\tb", "a\n\tb"),
            ("\x1b", ""),
        ] {
            assert_eq!(harmless(typed), shown);
        }
    }
}

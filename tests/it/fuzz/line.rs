//! A line that somebody typed or wrote down: it is read without panic, what it asks for prints as a
//! line that asks for the same, an error is one visible line, and hints and completion keep to the
//! line that is there.

use hobnob::api::grammar::{Content, Mode, Outcome, parse};
use hobnob::api::hint::{at_cursor, hint};
use hobnob::text::is_hidden;

use super::draw::Draw;

fn read(line: &str, mode: Mode) {
    let read = match parse(line, mode) {
        Ok(read) => read,
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty() && message.len() < 2_000, "{message:?}");
            assert!(!message.contains(is_hidden), "{message:?}");
            return;
        }
    };
    if mode == Mode::Prompt {
        assert_eq!((read.speaker, read.outcome), (None, Outcome::Succeed));
    }
    if let Content::Action(action) = read.content {
        let shown = action.to_string();
        for mode in [Mode::Prompt, Mode::Batch] {
            let again = parse(&shown, mode).map(|line| line.content);
            assert_eq!(again, Ok(Content::Action(action.clone())), "{line:?} is printed as {shown:?}");
        }
    }
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let (cursor, rest) = (usize::from(draw.byte()), draw.rest());
    let line = String::from_utf8_lossy(rest);
    read(&line, Mode::Prompt);
    read(&line, Mode::Batch);
    let shown = hint(&line);
    assert!(shown.is_none_or(|shown| !shown.is_empty() && !shown.contains(is_hidden)));
    let (start, _) = at_cursor(&line, cursor);
    assert!(start <= cursor.min(line.len()) && line.is_char_boundary(start));
}

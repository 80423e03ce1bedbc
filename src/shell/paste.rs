//! Several lines at once, which only a paste brings: they are one message or several commands, and
//! nothing happens before the person has said which. Pure, but for the question.

use crate::api::action::Action;
use crate::api::command::Command;
use crate::api::grammar::{Content, Mode, parse};

/// Lines in a chat that are sent as one message without asking.
const UNASKED_MAX: usize = 5;

/// The lines that are meant by `text`, each to be taken as if it were typed; `ask` puts a question.
pub(super) fn lines(text: &str, is_chat: bool, ask: &mut dyn FnMut(&str) -> Option<String>) -> Vec<String> {
    let text = text.trim_end_matches('\n');
    let count = text.split('\n').count();
    if count < 2 {
        return vec![text.to_owned()];
    }
    let (question, one, each) = match (is_chat, is_message(text)) {
        (true, _) if count <= UNASKED_MAX => return vec![text.to_owned()],
        (true, _) => (format!("send {count} lines as one message? [y/N] "), Some('y'), None),
        (false, true) => {
            let question = format!("{count} lines: send as [o]ne message, run as [c]ommands, or [N]either? ");
            (question, Some('o'), Some('c'))
        }
        (false, false) => (format!("run {count} lines as commands? [y/N] "), None, Some('y')),
    };
    let answer = ask(&question).and_then(|answer| answer.trim().chars().next());
    let answer = answer.map(|c| c.to_ascii_lowercase());
    match answer {
        None => Vec::new(),
        answer if answer == one => vec![text.to_owned()],
        answer if answer == each => text.split('\n').map(str::to_owned).collect(),
        Some(_) => Vec::new(),
    }
}

/// Whether the whole of it can be one message.
fn is_message(text: &str) -> bool {
    let Ok(line) = parse(text, Mode::Prompt) else {
        return false;
    };
    matches!(
        line.content,
        Content::Action(Action::Node(
            Command::Send { .. } | Command::Broadcast { .. } | Command::Reply { .. }
        ))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_after(text: &str, is_chat: bool, answer: Option<&str>) -> (Vec<String>, String) {
        let mut asked = String::new();
        let lines = lines(text, is_chat, &mut |question| {
            asked = question.into();
            answer.map(str::to_owned)
        });
        (lines, asked)
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(lines_after("peers\n", false, None), (vec!["peers".into()], String::new()));
        assert_eq!(lines_after("", true, None), (vec![String::new()], String::new()));
    }

    #[test]
    fn several_are_never_run_unasked() {
        for (text, answer, expected) in [
            ("peers\nquit", None, &[][..]),
            ("peers\nquit", Some(""), &[]),
            ("peers\nquit", Some("n"), &[]),
            ("peers\nquit", Some("o"), &[]),
            ("peers\nquit", Some("Yes"), &["peers", "quit"]),
            ("send bob a\nquit", Some("y"), &[]),
            ("send bob a\nquit\n", Some("o"), &["send bob a\nquit"]),
            ("@bob a\nquit", Some("c"), &["@bob a", "quit"]),
        ] {
            let (lines, asked) = lines_after(text, false, answer);
            assert_eq!(lines, expected, "{text:?} {answer:?}");
            assert!(asked.contains("2 lines"), "{asked}");
        }
    }

    #[test]
    fn a_chat_asks_only_for_many() {
        assert_eq!(lines_after("a\nb", true, None), (vec!["a\nb".into()], String::new()));
        let many = "a\n".repeat(6);
        assert_eq!(lines_after(&many, true, Some("n")).0, [""; 0]);
        assert_eq!(lines_after(&many, true, Some("y")).0, ["a\na\na\na\na\na"]);
    }
}

//! The numbered menu, as the plain programs have it: a list, a choice, then each field in turn. It
//! makes lines like those that people type, so nothing can be done here that could not be typed; what
//! is typed into a field is quoted and stays in its place. Pure, but for asking and acting.

use crate::api::verb::Kind;
use crate::api::words::{quote, quote_text};

/// The list, a line each.
pub const LIST: [&str; 7] = [
    "  1. send",
    "  2. query peers",
    "  3. connect to all known",
    "  4. broadcast",
    "  5. disconnect",
    "  0. quit",
    "An empty line leaves the menu; 0 leaves the program.",
];

/// How the menu ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Back to the prompt.
    Menu,
    /// `quit` was the last line.
    Program,
}

/// What the menu does to the world.
pub trait Desk {
    /// Shows a line.
    fn show(&mut self, line: &str);
    /// Puts a question, for an argument of this kind if any; `None` when nothing is answered.
    fn ask(&mut self, question: &str, kind: Option<Kind>) -> Option<String>;
    /// Does what `line` says, and returns when that is done or under way; false to go on no longer.
    fn act(&mut self, line: String) -> bool;
}

/// Shows the menu until it is left.
pub fn run(desk: &mut dyn Desk) -> Left {
    loop {
        LIST.iter().for_each(|line| desk.show(line));
        let choice = desk.ask("Enter your choice: ", None).unwrap_or_default();
        let line = match choice.trim() {
            "" => return Left::Menu,
            "0" => {
                desk.act("quit".into());
                return Left::Program;
            }
            "1" => message(desk),
            "2" => Some("peers".into()),
            "3" => Some("connect".into()),
            "4" => text(desk).map(|text| format!("broadcast {text}")),
            "5" => whom(desk),
            _ => {
                desk.show("* that is none of the choices; enter a number from 0 to 5");
                continue;
            }
        };
        match line.map(|line| desk.act(line)) {
            None => desk.show("* nothing was entered, so nothing was done"),
            Some(true) => {}
            Some(false) => return Left::Menu,
        }
    }
}

fn message(desk: &mut dyn Desk) -> Option<String> {
    let to = field(desk, "Enter the recipient (a name, or host:port): ", Some(Kind::Peer))?;
    let text = text(desk)?;
    Some(format!("send {} {text}", quote(&to)))
}

fn whom(desk: &mut dyn Desk) -> Option<String> {
    let from = field(desk, "Enter whom to disconnect (a name, host:port, or all): ", Some(Kind::Peer))?;
    Some(match from.as_str() {
        // Nobody can be called so.
        "all" => "disconnect --all".into(),
        name => format!("disconnect {}", quote(name)),
    })
}

fn text(desk: &mut dyn Desk) -> Option<String> {
    let text = desk.ask("Enter your message: ", Some(Kind::Text))?;
    (!text.trim().is_empty()).then(|| quote_text(&text))
}

fn field(desk: &mut dyn Desk, question: &str, kind: Option<Kind>) -> Option<String> {
    let answer = desk.ask(question, kind)?;
    let answer = answer.trim();
    (!answer.is_empty()).then(|| answer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::action::Action;
    use crate::api::command::{Command, PeerRef};
    use crate::api::grammar::{Content, Mode, parse};
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[derive(Default)]
    struct Sheet {
        answers: VecDeque<String>,
        asked: Vec<String>,
        shown: Vec<String>,
        lines: Vec<String>,
    }

    impl Desk for Sheet {
        fn show(&mut self, line: &str) {
            self.shown.push(line.into());
        }

        fn ask(&mut self, question: &str, _: Option<Kind>) -> Option<String> {
            self.asked.push(question.into());
            self.answers.pop_front()
        }

        fn act(&mut self, line: String) -> bool {
            self.lines.push(line);
            true
        }
    }

    fn run_with(answers: &[&str]) -> (Left, Sheet) {
        let answers = answers.iter().map(|&answer| answer.into()).collect();
        let mut sheet = Sheet { answers, ..Sheet::default() };
        (run(&mut sheet), sheet)
    }

    #[test]
    fn each_choice_makes_its_line() {
        for (answers, line) in [
            (&["1", "bob", "hi there"][..], "send bob hi there"),
            (&["1", " my peer ", "don't"], "send 'my peer' don't"),
            (&[" 2 "], "peers"),
            (&["3"], "connect"),
            (&["4", "hello, all"], "broadcast hello, all"),
            (&["5", ":5001"], "disconnect :5001"),
            (&["5", "all"], "disconnect --all"),
            (&["5", "--all"], "disconnect \\--all"),
        ] {
            let (left, sheet) = run_with(answers);
            assert_eq!((left, sheet.lines), (Left::Menu, vec![line.to_owned()]), "{answers:?}");
        }
        let (left, sheet) = run_with(&["2", "0", "2"]);
        assert_eq!((left, sheet.lines), (Left::Program, vec!["peers".to_owned(), "quit".into()]));
    }

    #[test]
    fn nothing_entered_is_nothing_done() {
        for answers in [&["1", ""][..], &["1", "bob", " "], &["4"], &["5", ""], &["9"], &[""]] {
            let (left, sheet) = run_with(answers);
            assert_eq!((left, sheet.lines.len()), (Left::Menu, 0), "{answers:?}");
        }
        let (_, sheet) = run_with(&["9"]);
        assert_eq!(sheet.asked, ["Enter your choice: ", "Enter your choice: "]);
        assert_eq!(sheet.shown.len(), 2 * LIST.len() + 1);
    }

    proptest! {
        #[test]
        fn a_field_never_becomes_a_command(to in "[-a @#*/'\"\\\\\n!=]{1,8}", text in "[-a @/'\"\\\\\n]{1,8}") {
            let (_, sheet) = run_with(&["1", &to, &text]);
            for line in sheet.lines {
                let Ok(read) = parse(&line, Mode::Prompt) else { continue };
                match read.content {
                    Content::Action(Action::Node(Command::Send { to: PeerRef::Word(word), text: body, .. })) => {
                        prop_assert_eq!(word, to.trim());
                        prop_assert_eq!(body.as_str(), &text);
                    }
                    Content::Action(Action::Node(Command::Send { .. })) => {}
                    other => prop_assert!(false, "{:?}: {:?}", line, other),
                }
            }
        }
    }
}

//! A file of lines, or a Markdown file with blocks of such lines, as what is to be done in order. All
//! of it is read before any of it is done, so a line that is no command is found first.

use std::sync::Arc;

use crate::api::action::Action;
use crate::api::command::{Command, PeerRef};
use crate::api::error::LineError;
use crate::api::grammar::{self, Content, Mode, Outcome};
use crate::id::Name;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::text::Body;

/// A line that asks for something.
pub(super) struct Line {
    pub(super) spot: Spot,
    pub(super) text: String,
    pub(super) speaker: Option<Name>,
    pub(super) outcome: Outcome,
    pub(super) action: Action,
}

/// Lines that belong together.
pub(super) struct Block {
    /// Of a block of a Markdown file: the heading above it. It has a world of its own.
    pub(super) title: Option<String>,
    pub(super) spot: Spot,
    pub(super) lines: Vec<Line>,
}

/// Whether a file's name says that it is Markdown.
pub(super) fn is_markdown(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    end.eq_ignore_ascii_case("md") || end.eq_ignore_ascii_case("markdown")
}

/// Reads a file of lines.
pub(super) fn lines(file: &Arc<str>, text: &str) -> Result<Vec<Line>, ScriptError> {
    let numbered = text.lines().enumerate().map(|(at, line)| (number(at), line));
    read(file, numbered)
}

/// Reads the blocks of a Markdown file that are marked as ours.
pub(super) fn blocks(file: &Arc<str>, text: &str) -> Result<Vec<Block>, ScriptError> {
    let (mut blocks, mut heading, mut fence) = (Vec::new(), String::new(), None::<Fence<'_>>);
    for (at, line) in text.lines().enumerate() {
        match &mut fence {
            Some(open) if is_end(line, open) => {
                if let Some(Fence { ours: Some((from, inside)), .. }) = fence.take() {
                    let spot = Spot { file: Arc::clone(file), line: from, column: 0 };
                    let title = Some(match heading.as_str() {
                        "" => format!("line {from}"),
                        heading => format!("{heading} (line {from})"),
                    });
                    blocks.push(Block { title, spot, lines: read(file, inside.into_iter())? });
                }
            }
            Some(Fence { ours: Some((_, inside)), .. }) => inside.push((number(at), line)),
            Some(_) => {}
            None => match begins(line) {
                Some((mark, length, language)) => {
                    let ours = (language == "hob").then(|| (number(at), Vec::new()));
                    fence = Some(Fence { mark, length, ours });
                }
                None => {
                    if let Some(title) = line.strip_prefix('#') {
                        heading = title.trim_start_matches('#').trim().to_owned();
                    }
                }
            },
        }
    }
    if let Some(Fence { ours: Some((from, _)), .. }) = fence {
        let spot = Spot { file: Arc::clone(file), line: from, column: 0 };
        return Err(Failure::Parse("this block has no end; close it with ```".into()).at(&spot));
    }
    Ok(blocks)
}

/// A fenced code block (CommonMark 0.31, §4.5).
struct Fence<'a> {
    mark: char,
    length: usize,
    /// Its first line and what is in it, if it is for us.
    ours: Option<(u32, Vec<(u32, &'a str)>)>,
}

fn begins(line: &str) -> Option<(char, usize, &str)> {
    let rest = line.trim_start_matches(' ');
    let mark = rest.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = rest.chars().take_while(|c| *c == mark).count();
    let language = rest[length..].split_whitespace().next().unwrap_or("");
    (length >= 3 && line.len() - rest.len() <= 3).then_some((mark, length, language))
}

fn is_end(line: &str, fence: &Fence<'_>) -> bool {
    let line = line.trim();
    line.chars().all(|c| c == fence.mark) && line.len() >= fence.length
}

fn number(at: usize) -> u32 {
    u32::try_from(at + 1).unwrap_or(u32::MAX)
}

fn read<'a>(file: &Arc<str>, lines: impl Iterator<Item = (u32, &'a str)>) -> Result<Vec<Line>, ScriptError> {
    let mut found = Vec::new();
    // Who chats, and with whom.
    let mut chat: Option<(Option<Name>, PeerRef)> = None;
    for (number, text) in lines {
        let spot = Spot { file: Arc::clone(file), line: number, column: 0 };
        if let Some((speaker, to)) = &chat {
            match text.trim() {
                "/end" => chat = None,
                "" => {}
                _ => {
                    let body =
                        Body::new(text).map_err(|error| Failure::Parse(error.to_string()).at(&spot))?;
                    let action = Action::Node(Command::Send { to: to.clone(), text: body, auto: false });
                    let (speaker, text) = (*speaker, text.to_owned());
                    found.push(Line { spot, text, speaker, outcome: Outcome::Succeed, action });
                }
            }
            continue;
        }
        let failed = |error: LineError| {
            let mut failed = Failure::Parse(error.to_string()).at(&spot);
            failed.quote = Some(text.to_owned());
            failed
        };
        let line = grammar::parse(text, Mode::Batch).map_err(failed)?;
        match line.content {
            Content::Empty | Content::Comment => {}
            Content::Action(Action::Chat(to)) => chat = Some((line.speaker, to)),
            Content::Action(action) => {
                let (speaker, outcome) = (line.speaker, line.outcome);
                found.push(Line { spot, text: text.trim().to_owned(), speaker, outcome, action });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_gives_the_blocks_that_are_ours() {
        let text = "# One\n\n```hob\nalice> connect bob\nbob> wait 1s\n```\n\n```sh\nhobnob\n```\n\
            ## Two\n~~~hob\n```\n~~~\n````hob\nsettle\n```\n````\n";
        let failed = blocks(&"a.md".into(), text).err().expect("``` is no command");
        assert_eq!(failed.spot.expect("a place").line, 13);
        let text = text.replace("~~~hob\n```\n~~~\n", "").replace("settle\n```\n", "settle\n");
        let blocks = blocks(&"a.md".into(), &text).expect("good");
        let seen: Vec<_> =
            blocks.iter().map(|b| (b.title.clone().unwrap_or_default(), b.lines.len())).collect();
        assert_eq!(seen, [("One (line 3)".to_owned(), 2), ("Two (line 12)".into(), 1)]);
        assert_eq!(blocks[0].lines[1].spot.line, 5);
        let alone = self::blocks(&"a.md".into(), "```hob\nsettle\n```\n").expect("good");
        assert_eq!(alone[0].title.as_deref(), Some("line 1"));
    }

    #[test]
    fn what_is_said_in_a_chat_belongs_to_who_began_it() {
        let lines = lines(&"a.hob".into(), "alice> chat bob\nhi\n\n/end\nbob> quit\n").expect("good");
        let seen: Vec<_> =
            lines.iter().map(|l| (l.speaker.map(|n| n.to_string()), l.action.to_string())).collect();
        assert_eq!(
            seen,
            [(Some("alice".into()), "send bob hi".to_owned()), (Some("bob".into()), "quit".into())]
        );
    }
}

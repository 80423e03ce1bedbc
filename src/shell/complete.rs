//! What Tab offers, and whether the first word of a line is a verb: pure, from the line, the facts
//! and the names in a folder. Everything offered is quoted, so that a name can never become an
//! option, two words or another command.

use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::api::help::topics;
use crate::api::hint::{Wanted, at_cursor};
use crate::api::settings::SETTINGS;
use crate::api::table::{find, verbs, words};
use crate::api::verb::{Kind, Topic, Verb};
use crate::api::words::quote;
use crate::limits::COMPLETIONS_MAX;
use crate::shell::shared::Facts;
use crate::text::is_hidden;

/// One thing that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    /// As it is listed.
    pub(super) shown: String,
    /// As it is written in the line.
    pub(super) written: String,
}

/// What the first word of a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// A verb, or the beginning of just one.
    Verb,
    /// The beginning of several.
    Open,
    /// No verb begins so.
    Wrong,
}

/// What could stand in `line` where the cursor is, and from which byte on.
pub(super) fn offers(line: &str, cursor: usize, facts: &Facts) -> (usize, Vec<Offer>) {
    let (start, wanted) = at_cursor(line, cursor);
    let typed = line.get(start..cursor).unwrap_or_default();
    let word = bare(typed);
    let begun = |offer: &Offer| offer.shown.starts_with(&word);
    let mut offers: Vec<Offer> = match wanted {
        Wanted::Verb => words().filter_map(|(name, verb)| verb_offer(name, verb, &word)).collect(),
        Wanted::Option(verb) => verb.options.iter().map(|option| own(option.name)).collect(),
        Wanted::Peer => peers(facts),
        Wanted::Setting => SETTINGS.iter().map(|row| plain(row.name, " ")).collect(),
        Wanted::Value(setting) => setting.row().values.iter().map(|value| plain(value, "")).collect(),
        Wanted::Topic => {
            let names = topics().map(Topic::name).chain(verbs().map(|verb| verb.name));
            let mut offers: Vec<Offer> = names.map(|name| plain(name, "")).collect();
            offers.sort_by(|a, b| a.shown.cmp(&b.shown));
            offers.dedup();
            offers
        }
        Wanted::Path => return (start, paths(&word)),
        Wanted::Nothing => Vec::new(),
    };
    offers.retain(begun);
    offers.truncate(COMPLETIONS_MAX);
    (start, offers)
}

/// What could stand in answer to a question for `kind`: as it is, since the answer is quoted later.
pub(super) fn answers(typed: &str, kind: Kind, facts: &Facts) -> Vec<Offer> {
    let offers = match kind {
        Kind::Peer => peers(facts),
        Kind::Path => return paths(typed).into_iter().map(unquoted).collect(),
        Kind::Text
        | Kind::Name
        | Kind::Pattern
        | Kind::Duration
        | Kind::Setting
        | Kind::Value
        | Kind::Topic
        | Kind::Shape
        | Kind::Word => Vec::new(),
    };
    offers.into_iter().filter(|offer| offer.shown.starts_with(typed)).map(unquoted).collect()
}

/// Where the first word stands, and what it is; `None` for a comment, sugar or nothing.
pub(super) fn head(line: &str) -> Option<(Range<usize>, Head)> {
    let rest = line.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let start = line.len() - rest.len();
    let word = rest.split([' ', '\t', '\n']).next().filter(|word| !word.starts_with(['#', '=', '@']))?;
    let mut begun: Vec<&str> =
        words().filter(|(name, _)| name.starts_with(word)).map(|(_, verb)| verb.name).collect();
    begun.dedup();
    let head = match begun.len() {
        _ if word.is_empty() => return None,
        _ if find(word).is_some() => Head::Verb,
        0 => Head::Wrong,
        1 => Head::Verb,
        _ => Head::Open,
    };
    Some((start..start + word.len(), head))
}

/// A verb by the name `name`, if that is worth offering: digits, letters and sugar are not, and
/// other names only to who has begun one.
fn verb_offer(name: &'static str, verb: &'static Verb, word: &str) -> Option<Offer> {
    let is_other = name != verb.name;
    let is_short = name.len() < 2 || !name.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on = !verb.args.is_empty() || !verb.options.is_empty();
    let is_known = is_other && (is_short || word.is_empty() || verb.name.starts_with(word));
    (!is_known).then(|| plain(name, if goes_on { " " } else { "" }))
}

/// Whoever wrote last, then names, then addresses; none twice.
fn peers(facts: &Facts) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for peer in facts.speaker.iter().chain(&facts.peers).chain(&facts.addresses) {
        let is_new = offers.iter().all(|offer| offer.shown != *peer);
        // What cannot be seen cannot be chosen either.
        if is_new && !peer.is_empty() && !peer.chars().any(is_hidden) && offers.len() < COMPLETIONS_MAX {
            offers.push(plain(peer, " "));
        }
    }
    offers
}

/// Files and folders whose path begins with `typed`.
fn paths(typed: &str) -> Vec<Offer> {
    let (folder, _) = typed.split_at(typed.rfind('/').map_or(0, |slash| slash + 1));
    let within = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let Ok(entries) = fs::read_dir(within) else {
        return Vec::new();
    };
    let mut offers: Vec<Offer> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path().is_dir())))
        .map(|(name, is_folder)| format!("{folder}{name}{}", if is_folder { "/" } else { "" }))
        .filter(|path| path.starts_with(typed) && !path.chars().any(is_hidden))
        // As in a shell, a dot must be asked for.
        .filter(|path| !path[folder.len()..].starts_with('.') || typed[folder.len()..].starts_with('.'))
        .take(COMPLETIONS_MAX)
        .map(|path| plain(&path, ""))
        .collect();
    offers.sort_by(|a, b| a.shown.cmp(&b.shown));
    offers
}

fn plain(name: &str, end: &str) -> Offer {
    Offer { shown: name.to_owned(), written: format!("{}{end}", quote(name)) }
}

/// An option of ours: the only word that may look like one.
fn own(option: &str) -> Offer {
    Offer { shown: option.to_owned(), written: format!("{option} ") }
}

fn unquoted(offer: Offer) -> Offer {
    Offer { written: offer.shown.clone(), ..offer }
}

/// A half-typed word without its quotes and backslashes.
fn bare(typed: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = typed.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '\\') => word.extend(chars.next()),
            (_, c) => word.push(c),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::action::Action;
    use crate::api::command::Command;
    use crate::api::grammar::{Content, Mode, parse};
    use proptest::prelude::*;

    fn facts(peers: &[&str]) -> Facts {
        Facts { peers: peers.iter().map(|&peer| peer.into()).collect(), ..Facts::default() }
    }

    fn written(line: &str, facts: &Facts) -> Vec<String> {
        let (start, offers) = offers(line, line.len(), facts);
        offers.iter().map(|offer| format!("{}{}", &line[..start], offer.written)).collect()
    }

    #[test]
    fn everything_that_a_line_can_have_is_completed() {
        let mut facts = facts(&["bob", "bea", "my peer", "carol"]);
        facts.addresses = vec!["127.0.0.1:5001".into()];
        facts.speaker = Some("bea".into());
        for (line, expected) in [
            ("sen", &["send "][..]),
            ("whoa", &["whoami "]),
            ("qu", &["quit"]),
            ("send b", &["send bea ", "send bob "]),
            ("@b", &["@bea ", "@bob "]),
            ("send m", &["send 'my peer' "]),
            ("send 'my", &["send 'my peer' "]),
            ("send my\\ p", &["send 'my peer' "]),
            ("connect :1 127", &["connect :1 127.0.0.1:5001 "]),
            ("connect --c", &["connect --classic "]),
            ("set co", &["set color "]),
            ("set color a", &["set color auto", "set color always"]),
            ("help sess", &["help session"]),
            ("send bob h", &[]),
            ("nonsense b", &[]),
            ("# b", &[]),
        ] {
            assert_eq!(written(line, &facts), expected, "{line:?}");
        }
        assert!(written("", &facts).contains(&"send ".into()));
        assert!(!written("", &facts).contains(&"msg ".into()));
    }

    #[test]
    fn a_hostile_name_stays_one_argument() {
        for name in ["x /quit", "x;quit", "'", "\"", "a\\", "--all", "-n", "$(quit)", "@bob", "#x", "a'b \"c"]
        {
            let facts = facts(&[name]);
            let (_, offers) = offers("send ", 5, &facts);
            let line = format!("send {}hello", offers[0].written);
            match parse(&line, Mode::Prompt).expect("a line").content {
                Content::Action(Action::Node(Command::Send { text, .. })) => {
                    assert_eq!(text.as_str(), "hello", "{line}");
                }
                other => panic!("{line}: {other:?}"),
            }
        }
        for name in ["x\nquit", "\x1b[2J", "x\u{202e}y", ""] {
            assert_eq!(offers("send ", 5, &facts(&[name])).1, [], "{name:?}");
        }
    }

    #[test]
    fn files_are_completed_and_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a b.hob", "ac.hob", ".hidden"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        fs::create_dir(folder.path().join("adir")).expect("a folder");
        let path = folder.path().to_str().expect("UTF-8");
        assert_eq!(
            written(&format!("source {path}/a"), &Facts::default()),
            [
                format!("source '{path}/a b.hob'"),
                format!("source {path}/ac.hob"),
                format!("source {path}/adir/"),
            ]
        );
        assert_eq!(written(&format!("source {path}/nothing/"), &Facts::default()), [""; 0]);
        assert_eq!(answers(&format!("{path}/a b"), Kind::Path, &Facts::default()).len(), 1);
    }

    #[test]
    fn the_first_word_is_a_verb_or_not() {
        for (line, expected) in [
            ("send bob", Some((0..4, Head::Verb))),
            (" /sen", Some((2..5, Head::Verb))),
            ("se", Some((0..2, Head::Open))),
            ("sned x", Some((0..4, Head::Wrong))),
            ("* hi", Some((0..1, Head::Verb))),
            ("@bob hi", None),
            ("# x", None),
            ("", None),
        ] {
            assert_eq!(head(line), expected, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "(send |set |source |@|[a-c '\"\\\\/-]|é){0,6}", cursor in 0..20_usize) {
            let mut cursor = cursor.min(line.len());
            while !line.is_char_boundary(cursor) {
                cursor -= 1;
            }
            let (start, _) = offers(&line, cursor, &facts(&["é b"]));
            prop_assert!(start <= cursor);
            let _ = head(&line);
        }
    }
}

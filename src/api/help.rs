//! What `help` says, and the table of verbs in the README: all of it made from the table, so that
//! none can be forgotten. Overview and topics keep to 80 columns.

use crate::api::near::nearest;
use crate::api::settings::{Row, SETTINGS, Settings};
use crate::api::table::{TABLE, find, verbs, words};
use crate::api::value::shown;
use crate::api::verb::{Topic, Verb};

/// Nothing is called so; the user's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no verb and no topic is called \"{word}\"{} (help lists all)", .near.map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
pub struct HelpError {
    /// What was asked for, escaped.
    pub word: String,
    /// What is spelt nearly so.
    pub near: Option<&'static str>,
}

/// All verbs, by topic.
pub fn overview() -> String {
    let mut out = String::new();
    for (topic, verbs) in TABLE {
        out += &format!("{}\n{}\n", topic.name(), list(verbs));
    }
    let names = Vec::from_iter(topics().map(Topic::name)).join(", ");
    out + format!("help VERB or TOPIC; topics: {names}\n").as_str()
}

/// What there is to say of a verb, a topic, or both.
///
/// # Errors
/// Neither is called so.
pub fn page(word: &str) -> Result<String, HelpError> {
    let topic = topics().find(|topic| topic.name() == word);
    match (find(word), topic) {
        (Some(verb), Some(topic)) => Ok(format!("{}\n{}", verb_page(verb), topic_page(topic))),
        (Some(verb), None) => Ok(verb_page(verb)),
        (None, Some(topic)) => Ok(topic_page(topic)),
        (None, None) => {
            let names = words().map(|(word, _)| word);
            Err(HelpError { word: shown(word), near: nearest(word, names.chain(topics().map(Topic::name))) })
        }
    }
}

/// What there is to say of a verb.
pub fn verb_page(verb: &Verb) -> String {
    let mut out = format!("{}\n  {}\n", verb.usage(), verb.summary);
    for option in verb.options {
        let name = match option.value {
            Some(value) => format!("{} {value}", option.name),
            None => option.name.to_owned(),
        };
        out += &format!("  {name:<12} {}\n", option.meaning);
    }
    if !verb.also.is_empty() {
        out += &format!("also     {}\n", verb.also.join(", "));
    }
    out + format!("example  {}\nerror    {}\n", verb.example, verb.error).as_str()
}

/// What there is to say of a topic.
pub fn topic_page(topic: Topic) -> String {
    let verbs = TABLE.iter().filter(|(of, _)| *of == topic);
    let list: String = verbs.map(|(_, verbs)| list(verbs)).collect();
    let mut out = format!("{}\n{list}", introduction(topic));
    if topic == Topic::Session {
        out += "\nWhat set can change, to which values, from which default:\n";
        let defaults = Settings::default();
        for row in SETTINGS {
            let values = match row.values {
                [] => "D".to_owned(),
                values => values.join("|"),
            };
            let default = defaults.get(row.setting).value();
            let Row { name, meaning, .. } = row;
            out += &format!("  {name:<8} {values:<17} {default:<4} {meaning}\n");
        }
    }
    out
}

/// The verbs as a table in Markdown.
pub fn markdown_table() -> String {
    let cell = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let mut out = String::from("| Verb | Also | What it does |\n|---|---|---|\n");
    for verb in verbs() {
        let also: Vec<_> = verb.also.iter().map(|word| cell(word)).collect();
        let usage = cell(&verb.usage());
        out += &format!("| {usage} | {} | {} |\n", also.join(", "), verb.summary);
    }
    out
}

/// All topics, in the order of the table.
pub fn topics() -> impl Iterator<Item = Topic> {
    TABLE.iter().map(|&(topic, _)| topic)
}

fn list(verbs: &[Verb]) -> String {
    verbs.iter().map(|verb| format!("  {:<12} {}\n", verb.name, verb.summary)).collect()
}

fn introduction(topic: Topic) -> &'static str {
    match topic {
        Topic::Messages => {
            "Texts need no quotes: everything behind the peer is sent as it stands, but for
one pair of quotes around all of it. A line that is no command is never sent.
Short: @bob TEXT sends to bob, * TEXT to everybody.
✓ says that a message is safe here, ✓✓ that it is safe there. What is said to a
peer that is away waits, across restarts too, and goes out when both run.
"
        }
        Topic::Peers => {
            "A peer is written as its name, as the beginning of its key (at least four hex
digits), or as its address: host:port, [v6]:port, or :port for this machine.
Words with blanks in them are quoted as in a shell.
"
        }
        Topic::Keys => {
            "A peer is its key; names are what people call each other, and two may choose
the same. Then nothing is guessed: say which by key or address. Compare the
words of whois aloud to be sure who somebody is, then: trust PEER; until then ?
stands behind the name, as in <bob?>. The first key that answers for a peer is
its key; another one in its place is refused, and what waits for the peer waits
on, until you decide: trust PEER --replace KEY if it is the same person,
--forget if somebody else is there now. (The keys under your fingers: Tab
completes, Ctrl-R searches what you typed, Ctrl-C clears the line, Ctrl-D
leaves.)
"
        }
        Topic::Faults => {
            "In a script the world is ours: links are slow, parted, held; peers die and come
back. `hobnob run FILE` plays it in an imaginary world, the same way every time
for one --seed; with --tcp over sockets, through a relay on each link.
"
        }
        Topic::Scripts => {
            r#"A batch is a file of lines, obeyed until the first fails. NAME> before a line
says who speaks, ! that it must fail, ? that it may; # begins a comment. Verbs
are written in full there. A pattern is a glob with * and ? that must match the
whole message, or a /regex/ that must match somewhere. Durations have a unit:
500ms, 2s, 1.5s, 1m. Scripts in Rhai have the same verbs: see scripts/demo.rhai.

At a prompt, run FILE plays a script in which me is this peer; Ctrl-C ends it.
= EXPR evaluates a line of Rhai: = 1 + 1. What it defines stays, and so does
  = me.on("message", |me, m| if m.text == "ping" { me.send(m.from, "pong") })
record FILE writes what you do, and waits where you waited, as a batch.
"#
        }
        Topic::Session => {
            "At the prompt a verb may be cut short as long as it is clear which is meant;
what is missing is asked for. -- ends the options of a verb.
"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    fn is_narrow(text: &str) {
        for line in text.lines() {
            assert!(line.width() <= 80, "{line}");
        }
    }

    #[test]
    fn every_verb_and_topic_has_its_page() {
        is_narrow(&overview());
        for verb in verbs() {
            let page = page(verb.name).expect(verb.name);
            assert!(page.starts_with(&verb.usage()));
            assert!(page.contains(verb.example) && page.contains(verb.error));
            assert!(overview().contains(&format!("\n  {} ", verb.name)));
            let row = format!("| `{}` |", verb.usage().replace('|', "\\|"));
            assert!(markdown_table().contains(&row), "{row}");
        }
        for topic in topics() {
            is_narrow(&topic_page(topic));
            assert!(page(topic.name()).is_ok());
        }
        assert!(page("peers").is_ok_and(|page| page.contains("--known") && page.contains("disconnect")));
    }

    #[test]
    fn a_page_says_all_there_is_to_know() {
        assert_eq!(
            page("c").as_deref(),
            Ok("connect [PEER…] [--classic]\n  \
                connect to each; without an argument, to all known peers\n  \
                --classic    they are plain programs: send each its connection line\n\
                also     c, 3\n\
                example  connect --classic :5001\n\
                error    connect: 127.0.0.1:5009 refused (nothing listens there)\n")
        );
    }

    #[test]
    fn a_wrong_word_gets_a_suggestion() {
        let error = page("mesages").map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("no verb and no topic is called \"mesages\"; did you mean messages? (help lists all)".into())
        );
    }
}

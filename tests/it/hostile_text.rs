//! What others write, wherever it is shown: nothing of it steers a terminal, hides, turns around, or
//! looks like a line of ours, and none of it is a template for anything.

use hobnob::addr::Address;
use hobnob::api::command::Dialect;
use hobnob::api::event::{Event, Message, What, Who};
use hobnob::api::grammar::{Mode, parse};
use hobnob::api::reply::Trust;
use hobnob::id::{Name, PeerId};
use hobnob::key::PeerKey;
use hobnob::play::{Ev, Head, Moment, More, Play, WorldKind};
use hobnob::report::{events, transcript};
use hobnob::shell::render::Look;
use hobnob::text::{Body, Untrusted, escape_json, is_hidden};
use hobnob::time::Now;
use hobnob::wire::message::Message as Said;

use crate::caller::Caller;
use crate::proc::{Peer, home, run};

const LOOK: Look =
    Look { color: false, auto_color: false, times: false, receipts: true, news: true, details: true };

/// What steers some terminal, asks it something, or hides.
const SEQUENCES: [&str; 64] = [
    "\x1b[2J",
    "\x1b[H",
    "\x1b[1;1H",
    "\x1b[31m",
    "\x1b[8m",
    "\x1b[7m",
    "\x1b[0K",
    "\x1b[1A",
    "\x1b[99D",
    "\x1b[?25l",
    "\x1b[?1049h",
    "\x1b[?2004l",
    "\x1b[?1000h",
    "\x1b[6n",
    "\x1b[5n",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[=c",
    "\x1b[18t",
    "\x1b[21t",
    "\x1b[4i",
    "\x1b[!p",
    "\x1b[r",
    "\x1b[3J",
    "\x1b[s",
    "\x1b[u",
    "\x1b[201~",
    "\x1b]0;t\x07",
    "\x1b]2;t\x1b\\",
    "\x1b]52;c;aGk=\x07",
    "\x1b]52;c;?\x07",
    "\x1b]8;;http://x\x1b\\y\x1b]8;;\x1b\\",
    "\x1b]4;1;?\x07",
    "\x1b]10;?\x07",
    "\x1b]1337;File=:\x07",
    "\x1bP$qm\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gf=32;\x1b\\",
    "\x1b^x\x1b\\",
    "\x1bXx\x1b\\",
    "\x1bc",
    "\x1b7",
    "\x1b8",
    "\x1bD",
    "\x1bM",
    "\x1bE",
    "\x1b=",
    "\x1b>",
    "\x1b#8",
    "\x1b(0",
    "\x1bZ",
    "\x1b%G",
    "\u{9b}2J",
    "\u{9b}6n",
    "\u{9d}0;t\u{9c}",
    "\u{90}$qm\u{9c}",
    "\u{9f}x\u{9c}",
    "\u{9e}x\u{9c}",
    "\u{98}x\u{9c}",
    "\u{84}\u{85}\u{8d}",
    "\x0e\x0f",
    "\x07\x08\x7f",
    "\u{202e}\u{2066}\u{200f}\u{61c}",
    "\u{2028}\u{2029}\u{85}\x0b\x0c\r",
];

/// Whether any of it is shown as something else than itself.
fn steers(shown: &str) -> Option<char> {
    shown.chars().find(|&c| is_hidden(c))
}

fn says(text: &str, dialect: Dialect) -> Event {
    let id = match dialect {
        Dialect::Native => PeerId::Native(PeerKey([1; 32])),
        Dialect::Plain => PeerId::Plain(([10, 0, 0, 9], 7_202).into()),
    };
    let trust = if dialect == Dialect::Plain { Trust::Plain } else { Trust::FirstUse };
    let from = Who { id, name: Name::new("bob").expect("a name"), twin: false, trust };
    let text = Untrusted::new(Body::new(text).expect("a body"));
    let claim = (dialect == Dialect::Plain).then(|| Untrusted::new("10.0.0.8:1\x1b[2J".to_owned()));
    let message = Message { from, seq: 1, id: None, text, auto: false, dialect, claim };
    Event { at: Now::default(), what: What::Message(message) }
}

/// Everything that is made of a text from outside, for every medium.
fn media(text: &str) -> Vec<String> {
    let from = Untrusted::new(text);
    let (mut html, mut json) = (String::new(), Vec::new());
    from.html(&mut html);
    escape_json(text, &mut json);
    let mut all =
        vec![from.display(), from.quoted(), from.xml(), html, String::from_utf8(json).expect("UTF-8")];
    all.push(Name::claimed(text, "fallback").as_str().to_owned());
    all.extend(Name::new(text).err().map(|error| error.to_string()));
    all.extend(text.parse::<Address>().err().map(|error| error.to_string()));
    for line in
        [text.to_owned(), format!("send {text}"), format!("set {text}"), format!("connect {text} --x")]
    {
        all.extend(parse(&line, Mode::Prompt).err().map(|error| error.to_string()));
    }
    for dialect in [Dialect::Native, Dialect::Plain] {
        all.extend(LOOK.event(&says(text, dialect)));
    }
    all
}

#[test]
fn no_sequence_passes_any_field_whole_or_in_two() {
    for sequence in SEQUENCES {
        for shown in media(sequence).into_iter().chain(media(&format!("before{sequence}after"))) {
            assert_eq!(steers(&shown), None, "{sequence:?} is shown as {shown:?}");
        }
        for (at, _) in sequence.char_indices().skip(1) {
            let (first, second) = sequence.split_at(at);
            // As two fields of one line, and as two messages one behind the other.
            for (first, second) in media(first).into_iter().zip(media(second)) {
                assert_eq!(steers(&format!("{first}{second}")), None, "{sequence:?} cut at {at}");
            }
        }
    }
}

#[test]
fn no_code_point_passes_that_is_not_seen() {
    for c in '\0'..=char::MAX {
        let shown = Untrusted::new(format!("a{c}b")).display();
        assert_eq!(steers(&shown), None, "U+{:04X}", u32::from(c));
        if is_hidden(c) {
            let name = format!("a{c}b");
            assert!(Name::new(&name).is_err(), "U+{:04X} in a name", u32::from(c));
            assert!(!Name::claimed(&name, "x").as_str().contains(c), "U+{:04X} in a claim", u32::from(c));
        }
    }
}

/// Texts that try to look like what we say, or like what another says.
fn forgeries() -> Vec<String> {
    let lines = [
        "* bob left",
        "* carol joined at 10.0.0.1:5000",
        "<carol?> send me your key",
        "[plain] <carol> hi",
        "alice (1)> ",
        "✓✓ carol #1 delivered",
        "✗ ANOTHER KEY ANSWERS FOR carol",
        "  | <carol?> hi",
        "00:00:00 <carol?> hi",
        "* you are alice, key 00",
        "trust carol --replace 00000000",
    ];
    let breaks = ["\n", "\r\n", "\r", "\n\r", "\x0b", "\x0c", "\u{85}", "\u{2028}", "\u{2029}", "\n\n"];
    let mut all = Vec::new();
    for line in lines {
        for end in breaks {
            all.push(format!("hi{end}{line}"));
            all.push(format!("{end}{line}{end}"));
        }
    }
    assert!(all.len() >= 200);
    all
}

#[test]
fn no_text_makes_a_line_that_looks_like_another() {
    for text in forgeries() {
        for (dialect, begins) in [(Dialect::Native, "<bob?> "), (Dialect::Plain, "[plain] <bob> ")] {
            let shown = LOOK.event(&says(&text, dialect));
            assert!(shown[0].starts_with(begins), "{text:?}: {shown:?}");
            // What was written is read back, line for line, behind the name and the gutter.
            let mut found = vec![shown[0].strip_prefix(begins).expect("as seen above")];
            for line in &shown[1..] {
                found.push(line.strip_prefix("  | ").unwrap_or_else(|| panic!("{text:?}: {line:?}")));
            }
            found[0] = found[0].strip_prefix("(says 10.0.0.8:1\\x1b[2J) ").unwrap_or(found[0]);
            assert_eq!(found, Untrusted::new(&text[..]).display_lines(), "{text:?}");
            assert!(shown.iter().all(|line| !line.contains(['\n', '\r'])), "{shown:?}");
        }
    }
}

/// All of these texts, and some that are something in a line of JSON.
fn corpus() -> Vec<String> {
    let mut all = forgeries();
    all.extend(SEQUENCES.map(|sequence| format!("before{sequence}after")));
    all.extend(SEQUENCES.map(str::to_owned));
    all.extend(TEMPLATES.map(str::to_owned));
    all.extend(
        ["\"}\n{\"v\":1,\"ev\":\"end\"}", "\\\"\\\\u0000\0", "\u{feff}\u{fffe}\u{10ffff}\u{e0041}"]
            .map(str::to_owned),
    );
    all.extend(["../../.bashrc", "C:\\nul", "a\0b", "\u{202e}fdp.exe", "-rf", " . "].map(str::to_owned));
    all
}

/// Whether a file may be shown by `cat`.
fn is_calm(written: &str) -> bool {
    !written.contains(|c| c != '\n' && is_hidden(c))
}

#[test]
fn what_is_written_of_hostile_text_is_read_back_as_it_was() {
    let text = |text: &str| Untrusted::new(std::sync::Arc::from(text));
    let mut moments = Vec::new();
    for (at, body) in (0..).zip(corpus()) {
        let name = |place: &str| Some(Name::claimed(&format!("{body}{at}"), place));
        let more = More {
            why: Some(body.clone()),
            expected: Some(text(&body)),
            unread: vec![text(&body), text(&format!("bob: {body}"))],
            quote: Some(text(&body)),
            file: Some(text(&body)),
            ..More::default()
        };
        let (peer, with) = (name("here"), name("there"));
        let (text, more) = (Some(text(&body)), Some(Box::new(more)));
        moments.push(Moment { peer, with, text, more, ..Moment::new(at, Ev::Recv) });
    }
    assert!(moments.len() >= 350, "{}", moments.len());
    for script in corpus() {
        let head = Head {
            hobnob: "0".into(),
            script: text(&script),
            hash: String::new(),
            seed: 1,
            world: WorldKind::Sim,
            timed: false,
            wall: None,
        };
        // A file's name is in the first line and in what is made of all.
        let moments = if script.starts_with("..") { moments.clone() } else { Vec::new() };
        let play = Play { head, moments, end: None };
        let written = events::write(&play);
        assert_eq!(events::read(&written).as_ref(), Ok(&play), "{script:?}");
        let lines = String::from_utf8(written).expect("UTF-8");
        assert_eq!(lines.lines().count(), play.moments.len() + 1);
        assert!(is_calm(&lines) && is_calm(&transcript::write(&play, false)), "{script:?}");
    }
}

#[test]
fn what_was_kept_of_hostile_text_is_told_as_it_was() {
    use std::io::{Read, Write};
    let folder = home().display().to_string();
    let (mut alice, corpus) = (Peer::start("alice", &["--data", &folder, "--json"]), corpus());
    let mut stream = std::net::TcpStream::connect(alice.addr).expect("it listens");
    let (mut caller, mut bytes) = (Caller::new(1), [0; 4_096]);
    while !caller.is_open() {
        stream.write_all(&caller.take()).expect("it reads");
        let count = stream.read(&mut bytes).expect("it answers");
        assert!(caller.hear(&bytes[..count]));
    }
    caller.hello("eve\x1b[2J\n");
    for (seq, text) in (1_u64..).zip(&corpus) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&seq.to_be_bytes());
        caller.say(&Said::Chat { seq, id, auto: false, text });
    }
    caller.say(&Said::Bye { reason: hobnob::wire::message::Bye::Leaving });
    stream.write_all(&caller.take()).expect("it reads");
    alice.expect("\"ev\":\"left\"");
    let heard = alice.quit().join("\n");
    let (code, kept, err) =
        run(&["alice", "0", "--listen", "127.0.0.1", "--data", &folder, "--json", "-c", "log -n 1000"]);
    assert_eq!(code, 0, "{err}");
    for (said, ev) in [(heard, "recv"), (kept, "reply")] {
        assert!(is_calm(&said));
        let lines: Vec<serde_json::Value> =
            said.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        let texts: Vec<_> = lines.iter().filter(|line| line["ev"] == ev).map(|line| &line["text"]).collect();
        assert_eq!(texts, corpus.iter().collect::<Vec<_>>(), "{ev}");
    }
}

/// What is a template to some language.
const TEMPLATES: [&str; 11] = [
    "%s%n%x %d",
    "{} {0} {name} {{}}",
    "$0 $HOME ${HOME} $(id) `id`",
    "\\n \\x1b \\u{1b}",
    "%{theme} %n%_%|",
    "&amp; &#27;",
    "${name} #{1 + 1}",
    "\\1 $& $'",
    "!! !$ ^a^b",
    "~ * ?",
    "{\"ev\":\"end\"}",
];

#[test]
fn no_text_is_a_template() {
    for text in TEMPLATES {
        assert_eq!(LOOK.event(&says(text, Dialect::Native)), [format!("<bob?> {text}")]);
    }
    let mut alice = Peer::start("alice", &[]);
    let mut bob = Peer::start("bob", &["--peer", &alice.at()]);
    bob.expect("* alice joined");
    for text in TEMPLATES {
        bob.say(&format!("send alice {text}"));
        assert_eq!(alice.expect("<bob?>"), format!("<bob?> {text}"));
    }
    bob.quit();
}

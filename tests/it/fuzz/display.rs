//! A text from outside on its way to a screen, a log or a line of JSON: no control character, nothing
//! that reorders or hides, no escape sequence; what is said to be written differently is so and can be
//! told apart, and columns are where they are said to be.

use std::net::SocketAddr;
use std::time::Duration;

use hobnob::api::command::Dialect;
use hobnob::api::event::{Event, Message, What, Who};
use hobnob::api::reply::{PeerRow, PeerState, Reply, Trust};
use hobnob::id::{Name, PeerId};
use hobnob::key::PeerKey;
use hobnob::report::ndjson::Ndjson;
use hobnob::shell::render::Look;
use hobnob::text::{Body, Untrusted, escape_display, is_hidden};
use hobnob::time::{Mono, Now};
use unicode_width::UnicodeWidthStr;

use super::draw::{Draw, odd_text};
use super::parse::{without_colors, without_html};

/// The property Bidi_Control, from PropList.txt.
const BIDI: &str =
    "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";

/// One visible line. A joiner may stay between two pictures.
fn visible(shown: &str) {
    for (at, c) in shown.char_indices() {
        assert!(!c.is_control() && !BIDI.contains(c), "{:?} in {shown:?}", c);
        let between = c == '\u{200d}' && shown[..at].chars().next_back().is_some_and(|c| c > '\u{2000}');
        assert!(!is_hidden(c) || between, "{c:?} in {shown:?}");
    }
}

fn media(text: &str) {
    let untrusted = Untrusted::new(text);
    let shown = untrusted.display();
    visible(&shown);
    assert_eq!(shown, escape_display(text));
    assert_eq!(escape_display(&shown), shown, "what is visible stays as it is");
    let lines = untrusted.display_lines();
    assert!(!lines.is_empty() && lines.len() <= text.matches('\n').count() + 1);
    lines.iter().for_each(|line| visible(line));
    let quoted = untrusted.quoted();
    visible(&quoted);
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        assert_ne!(c, '"', "the quotes end early: {quoted}");
        if c == '\\' {
            assert!(chars.next().is_some(), "the closing quote is escaped: {quoted}");
        }
    }
    let mut json = Vec::new();
    untrusted.json(&mut json);
    assert_eq!(serde_json::from_slice::<String>(&json).expect("JSON"), text);
    assert!(!String::from_utf8(json).expect("UTF-8").contains(is_hidden));
    let mut html = String::new();
    untrusted.html(&mut html);
    assert_eq!(without_html(&html), shown);
    visible(&untrusted.xml());
}

fn who(name: Name, number: u8) -> Who {
    let id = if number & 1 == 0 {
        PeerId::Native(PeerKey([number; 32]))
    } else {
        PeerId::Plain(SocketAddr::from(([127, 0, 0, 1], u16::from(number >> 1))))
    };
    let trust = Trust::ALL[usize::from(number >> 2) % Trust::ALL.len()];
    Who { id, name, twin: number & 2 == 2, trust }
}

/// What somebody wrote, on a terminal and as a line of JSON.
fn message(name: Name, number: u8, text: &str, claim: &str) {
    let Ok(body) = Body::new(text) else { return };
    let claim = (number & 4 == 4).then(|| Untrusted::new(claim.to_owned()));
    let (from, dialect) = (who(name, number), Dialect::Plain);
    let heard = Message { from, seq: 1, id: None, text: Untrusted::new(body), auto: false, dialect, claim };
    let event = Event { at: Now::default(), what: What::Message(heard) };
    let look =
        |color| Look { color, auto_color: color, times: true, receipts: true, news: true, details: true };
    let plain = look(false).event(&event);
    plain.iter().for_each(|line| visible(line));
    assert_eq!(plain.len(), Untrusted::new(text).display_lines().len());
    let behind = |line: &str| line.starts_with("00:00:00Z   | ");
    assert!(plain[1..].iter().all(|line| behind(line)), "a line without its gutter: {plain:?}");
    let colored = look(true).event(&event);
    assert_eq!(colored.iter().map(|line| without_colors(line)).collect::<Vec<_>>(), plain);
    let mut out = Vec::new();
    Ndjson::new(name, Mono(0)).event(&event, &mut out);
    let line = std::str::from_utf8(&out).expect("UTF-8");
    assert!(line.ends_with("}\n") && !line.trim_end().contains(is_hidden), "{line:?}");
    let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&value["text"], &value["with"]), (&text.into(), &name.as_str().into()));
}

/// The list of peers: its columns begin where its header says, whatever peers are called.
fn table(names: &[Name]) {
    let row = |(number, name): (u8, &Name)| PeerRow {
        who: who(*name, number),
        listens: None,
        state: PeerState::Connected,
        dialect: Dialect::Native,
        rtt: Some(Duration::from_micros(7)),
        heard: None,
        queued: 0,
        ignored: true,
    };
    let rows: Vec<_> = (0..).zip(names).map(row).collect();
    for color in [false, true] {
        let look = Look { color, auto_color: color, times: false, receipts: true, news: true, details: true };
        let lines: Vec<_> =
            look.reply(&Reply::Peers(rows.clone())).iter().map(|line| without_colors(line)).collect();
        lines.iter().for_each(|line| visible(line));
        let column = |line: &String, word| line.find(word).map(|at| line[..at].width());
        let wanted = column(&lines[0], "  state");
        for line in &lines[1..] {
            assert_eq!(column(line, "  connected  "), wanted, "{lines:#?}");
        }
    }
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let (mode, claims) = (draw.byte(), draw.text());
    let rest = draw.rest();
    let text = if mode & 0x80 == 0 { String::from_utf8_lossy(rest).into_owned() } else { odd_text(rest) };
    media(&text);
    let name = Name::claimed(&claims, "abcd");
    visible(name.as_str());
    assert_eq!(Name::new(name.as_str()), Ok(name), "{claims:?}");
    message(name, mode, &text, &claims);
    table(&[name, Name::claimed(&text, "xyz"), Name::claimed("x", "")]);
}

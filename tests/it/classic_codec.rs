//! What must hold for every plain text there is, not only for those that were seen: nothing panics,
//! nothing said is lost, what we print is read back as it was meant and fits one read, and no burst
//! takes long.

use hobnob::wire::classic::{
    BURST_MAX, Context, Dialect, Kind, MESSAGE_MAX, Plain, Sender, answer, is_plain_first_byte, parse,
    plain_name,
};
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

const DIALECTS: [Dialect; 8] = [
    Dialect::Flat,
    Dialect::FlatTwo,
    Dialect::BracketFlat,
    Dialect::Bracket,
    Dialect::Json,
    Dialect::Lines,
    Dialect::PortHello,
    Dialect::Raw,
];

/// What the grammar is made of. Texts glued from these reach corners that random bytes never find.
const PIECES: [&str; 34] = [
    " ",
    " ",
    " ",
    "\n",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "<",
    ">",
    "@",
    "[",
    "]",
    "[10:00:00]",
    "[",
    "<end>",
    "127.0.0.1:7202",
    "127.0.0.1:7202",
    "<127.0.0.1:7202>",
    "<127.0.0.1:7202>",
    "<Unknown:7202>",
    "localhost:1",
    "[::1]:7202",
    "127.0.0.1:99999",
    "PORT:7202",
    "PORT:0",
    "7202",
    "CONNECT",
    "connection",
    "exit",
    "request",
    "\u{feff}",
    "é",
    "\u{a0}",
];

fn dialects() -> impl Strategy<Value = Dialect> {
    proptest::sample::select(DIALECTS.to_vec())
}

fn contexts() -> impl Strategy<Value = Context> {
    prop_oneof![
        Just(Context::Fresh),
        Just(Context::PortHello { port: 9 }),
        proptest::option::of("[a-z]{1,5}").prop_map(|team| Context::Lines { port: 9, team }),
    ]
}

/// Pieces of grammar, with words between them that occur nowhere else, some too long for a name.
fn soup() -> impl Strategy<Value = (String, Vec<String>)> {
    proptest::collection::vec(0..PIECES.len() + 12, 0..24).prop_map(|choices| {
        let mut words = Vec::new();
        let mut text = String::new();
        for choice in choices {
            if let Some(piece) = PIECES.get(choice) {
                // A word that runs into an address is a part of the address, not of the text.
                let runs_in = text.rsplit(char::is_whitespace).next();
                if piece.contains(':') && runs_in.is_some_and(|last| last.contains('w')) {
                    text.push(' ');
                }
                text.push_str(piece);
                continue;
            }
            let long = if choice == PIECES.len() { 300 } else { 1 };
            let word = format!("w{}{}w", "x".repeat(long), words.len());
            text.push_str(&word);
            words.push(word);
        }
        (text, words)
    })
}

fn addresses() -> impl Strategy<Value = SocketAddr> {
    let ip = prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(|ip| IpAddr::from(ip).to_canonical()),
    ];
    (ip, 1u16..).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400), mut context in contexts()) {
        let found = parse(&bytes, &mut context);
        let blank = String::from_utf8_lossy(&bytes).replace('\0', "").trim().is_empty();
        prop_assert_eq!(found.is_empty(), blank);
        let own = Sender { addr: ([127, 0, 0, 1], 5000).into(), name: "us" };
        answer(&found, &context, &own);
    }

    #[test]
    fn vectors_with_a_wrong_byte_are_read(which in 0..43usize, at in any::<prop::sample::Index>(), byte: u8) {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../vectors/classic.json")).expect("vectors");
        let mut bytes = vectors[which]["as_text"].as_str().expect("text").as_bytes().to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for plain in parse(&bytes, &mut Context::Fresh) {
            prop_assert_ne!(plain.port, Some(0));
        }
    }

    /// Addresses, end marks and time stamps may go; words may not.
    #[test]
    fn no_word_is_lost((text, words) in soup(), mut context in contexts()) {
        let found = parse(text.as_bytes(), &mut context);
        let mut kept = format!("{context:?}");
        for plain in &found {
            kept.push_str(plain.team.as_deref().unwrap_or_default());
            kept.push('\n');
            kept.push_str(&plain.text);
            kept.push('\n');
        }
        for word in words {
            prop_assert!(kept.contains(&word), "{:?} lost of {:?}: {:?}", word, text, found);
        }
    }

    #[test]
    fn what_we_say_is_read_as_we_meant_it(
        dialect in dialects(), addr in addresses(), name in "[^\\[]\\PC{0,9}", text in "[^\\p{C}\\p{Z}]|[^\\p{C}\\p{Zl}\\p{Zp}]{0,40}[^\\p{C}\\p{Z}]",
    ) {
        // A text that is a control word means what it says; headers and decorations of others
        // are taken for what they look like.
        let is_word = |plain: &Plain| plain.kind == Kind::Message && plain.port.is_none();
        prop_assume!(parse(text.as_bytes(), &mut Context::Fresh).iter().all(is_word));
        let own = Sender { addr, name: &name };
        let sent = own.message(dialect, &text);
        prop_assert_eq!(sent.len(), 1);
        prop_assert_eq!(heard(&own, dialect, &sent[0]), vec![expected(&own, dialect, Kind::Message, &text)]);
    }

    #[test]
    fn controls_are_read_as_we_meant_them(dialect in dialects(), addr in addresses(), name in "[a-zé@]{1,9}\\PC{0,9}") {
        let own = Sender { addr, name: &name };
        let kinds = |bytes: &[u8]| -> Vec<_> { heard(&own, dialect, bytes).iter().map(|m| (m.kind, m.port)).collect() };
        let opened = if dialect == Dialect::PortHello { Kind::Hello } else { Kind::Connect };
        prop_assert_eq!(kinds(&own.exit(dialect)), vec![(Kind::Exit, Some(addr.port()))]);
        if own.opening(dialect).is_none() {
            prop_assert_eq!(kinds(&own.connect(dialect)), vec![(opened, Some(addr.port()))]);
        } else {
            prop_assert_eq!(own.opening(dialect), Some(own.connect(dialect)));
            let found = parse(&own.connect(dialect), &mut Context::Fresh);
            prop_assert_eq!(found.iter().map(|m| m.kind).collect::<Vec<_>>(), vec![opened]);
        }
    }

    #[test]
    fn what_we_say_harms_no_reader(dialect in dialects(), addr in addresses(), name: String, text in "(?s).{0,3000}") {
        let own = Sender { addr, name: &name };
        let parts = own.message(dialect, &text);
        let mut all = vec![own.connect(dialect), own.exit(dialect)];
        all.extend(own.opening(dialect));
        all.extend(parts.iter().cloned());
        for bytes in &all {
            prop_assert!(bytes.len() <= MESSAGE_MAX);
            prop_assert!(is_plain_first_byte(bytes[0]));
            let printed = std::str::from_utf8(bytes).expect("valid UTF-8");
            let breaks = matches!(dialect, Dialect::Lines | Dialect::Bracket);
            prop_assert!(!printed.contains(|c: char| c.is_control() && !(breaks && c == '\n')));
        }
        prop_assert_eq!(parts.is_empty(), text.chars().all(|c| c.is_whitespace() || c.is_control()));
        let count = parts.len();
        let wanted: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let mut said = String::new();
        for (number, part) in (1..).zip(&parts) {
            for plain in heard(&own, dialect, part) {
                let number = format!("({number}/{count}) ");
                said.push_str(if count == 1 { &plain.text } else { plain.text.strip_prefix(&number).expect("a number") });
            }
        }
        said.retain(|c| !c.is_whitespace());
        prop_assert_eq!(said, wanted);
    }

    #[test]
    fn names_fit_every_header(name: String) {
        let plain = plain_name(&name);
        prop_assert!((1..=64).contains(&plain.len()) && plain != "@" && !plain.ends_with(char::is_numeric));
        prop_assert!(!plain.contains(|c: char| c.is_whitespace() || c.is_control() || ":<>|".contains(c)));
        prop_assert_eq!(plain_name(&plain), plain);
    }
}

#[test]
fn graphemes_are_cut_only_when_one_alone_is_too_long() {
    let own = Sender { addr: ([127, 0, 0, 1], 5000).into(), name: "us" };
    let family = "👩‍👩‍👧‍👦";
    for dialect in DIALECTS {
        let parts = own.message(dialect, &family.repeat(200));
        assert!(parts.len() > 1);
        for part in &parts {
            let found = heard(&own, dialect, part);
            let text = found[0].text.split_once(' ').expect("a number").1.to_owned();
            assert_eq!(text.replace(family, ""), "", "{dialect:?}");
        }
        let endless = own.message(dialect, &format!("e{}", "\u{301}".repeat(3000)));
        assert!(endless.len() > 5 && endless.iter().all(|part| part.len() <= MESSAGE_MAX));
    }
}

#[test]
fn no_burst_takes_long() {
    let unfinished = [
        "<",
        ">",
        "<>",
        "<a:1> ",
        "<a:1> <",
        "<a:1> <T> <",
        "127.0.0.1:7202 ",
        "\n127.0.0.1:7202 A b",
        "<end><1.1.1.1:1> @ <T>\nx",
        "PORT:1\n",
        "7202\n",
        "7202\nT\nCONNECT\n",
        "a\n",
        "{",
        "[",
        "{\"a\":",
        "{}",
        "{\"msg\":\"a\"}",
        "\0",
        "\u{a0}",
        "\u{feff}",
        "\r",
        "\t",
        "@ <",
        "[1",
        "\u{301}",
        "e.x.i.t.",
    ];
    let beginnings = [
        "",
        "<1.1.1.1:1> ",
        "<1.1.1.1:1> @ <T>\n",
        "1.1.1.1:1 A ",
        "PORT:1\n",
        "7202\nA\n",
        "7202\nA\nCONNECT\n",
        "{\"msg\":\"<1.1.1.1:1> T ",
        "{\"msg\":\"a\"}",
    ];
    let long_name = format!("7202\n{}\nCONNECT\n", "n".repeat(BURST_MAX / 2));
    for beginning in beginnings.into_iter().chain([long_name.as_str()]) {
        for unit in unfinished {
            let mut burst = beginning.to_owned();
            burst.push_str(&unit.repeat((BURST_MAX - burst.len()) / unit.len()));
            let start = Instant::now();
            let found = parse(burst.as_bytes(), &mut Context::Fresh);
            // Milliseconds in truth; quadratic time would be minutes.
            assert!(start.elapsed() < Duration::from_secs(3), "{beginning:?} {unit:?}");
            let size: usize =
                found.iter().map(|m| m.text.len() + m.team.as_ref().map_or(0, String::len)).sum();
            assert!(size <= 256 * BURST_MAX, "{beginning:?} {unit:?}: {size}");
        }
    }
}

#[test]
fn a_browser_cannot_speak_for_anybody() {
    let post = "POST / HTTP/1.1\r\nHost: x\r\n\r\n1.2.3.4:5 T hi\r\n1.2.3.4:5 T exit";
    let found = parse(post.as_bytes(), &mut Context::Fresh);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind, found[0].dialect, found[0].port), (Kind::Message, Dialect::Raw, None));
}

#[test]
fn a_persistent_connection_keeps_its_port() {
    let mut context = Context::Fresh;
    let read = |text: &str, context: &mut Context| {
        let found = parse(text.as_bytes(), context).into_iter();
        found.map(|m| (m.kind, m.port, m.team.unwrap_or_default(), m.text)).collect::<Vec<_>>()
    };
    assert_eq!(read("PORT:7202", &mut context), [(Kind::Hello, Some(7202), String::new(), String::new())]);
    let said = read("127.0.0.1:5000 Delta hi", &mut context);
    assert_eq!(said, [(Kind::Message, Some(7202), "Delta".into(), "hi".into())]);
    assert_eq!(read("exit", &mut context), [(Kind::Exit, Some(7202), String::new(), "exit".into())]);

    let mut context = Context::Fresh;
    read("7202\nTheirs\nCONNECT\n", &mut context);
    assert_eq!(context, Context::Lines { port: 7202, team: Some("Theirs".into()) });
    let said = read("one\n127.0.0.1:9 Other two\n", &mut context);
    let message = |team: &str, text: &str| (Kind::Message, Some(7202), team.to_owned(), text.to_owned());
    assert_eq!(said, [message("Theirs", "one"), message("Other", "two")]);
    let alone = read("42\n", &mut Context::Fresh);
    assert_eq!(alone, [(Kind::Message, None, String::new(), "42".into())]);
}

/// What a receiver reads when we send `bytes`, behind the opening where the dialect has one.
fn heard(own: &Sender<'_>, dialect: Dialect, bytes: &[u8]) -> Vec<Plain> {
    let mut context = Context::Fresh;
    if let Some(opening) = own.opening(dialect) {
        parse(&opening, &mut context);
    }
    parse(bytes, &mut context)
}

fn expected(own: &Sender<'_>, dialect: Dialect, kind: Kind, text: &str) -> Plain {
    let announced = own.addr.to_string();
    let host = announced.rsplit_once(':').map(|(host, _)| host.to_owned());
    let (dialect, host) = match dialect {
        Dialect::Flat | Dialect::FlatTwo | Dialect::Raw => (Dialect::Flat, host),
        Dialect::BracketFlat | Dialect::Bracket => (dialect, host),
        Dialect::Json | Dialect::Lines | Dialect::PortHello => (dialect, None),
    };
    let team = Some(plain_name(own.name));
    Plain { kind, dialect, host, port: Some(own.addr.port()), team, text: text.to_owned() }
}

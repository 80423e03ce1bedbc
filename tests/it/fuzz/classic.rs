//! Plain text from anybody: bursts on one connection, read and answered; and what we ourselves say in
//! each dialect, which programs that read once and split at spaces must be able to take, and which we
//! must read back as it was meant.

use std::net::SocketAddr;

use hobnob::wire::classic::{
    Answer, Context, Dialect, Kind, MESSAGE_MAX, NAME_MAX, Plain, Sender, answer, is_plain_first_byte, parse,
    plain_name,
};

use super::draw::Draw;

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

/// A burst is read; nothing of it may grow, vanish or claim what cannot be.
fn heard(burst: &[u8], context: &mut Context, own: &Sender<'_>) {
    let found = parse(burst, context);
    let text = String::from_utf8_lossy(burst).replace('\0', "");
    assert_eq!(found.is_empty(), text.trim().is_empty(), "only a blank burst says nothing");
    assert!(found.len() <= burst.len() / 2 + 1, "{} messages", found.len());
    for Plain { kind, dialect, host, port, team, text: said } in &found {
        assert_ne!(*port, Some(0));
        assert!(!said.contains('\0'));
        assert!(said.len() <= 3 * burst.len(), "a text that is longer than all of them");
        assert!(host.as_ref().is_none_or(|host| !host.is_empty()));
        assert!(team.as_ref().is_none_or(|team| !team.trim().is_empty()));
        if said.is_empty() {
            let alone = matches!(dialect, Dialect::Json | Dialect::Lines | Dialect::PortHello);
            assert!(alone && *kind != Kind::Message, "{dialect:?} {kind:?}");
        }
    }
    let size: usize = found.iter().map(|m| m.text.len() + m.team.as_ref().map_or(0, String::len)).sum();
    assert!(size <= 256 * (burst.len() + 16), "{size} bytes of {}", burst.len());
    if let Answer::AtOnce(bytes) | Answer::IfWaiting(bytes) = answer(&found, context, own) {
        harmless(&bytes, true);
    }
}

/// What may be written to a program that is not ours.
fn harmless(bytes: &[u8], breaks: bool) {
    assert!(bytes.len() <= MESSAGE_MAX, "{} bytes", bytes.len());
    assert!(bytes.first().is_some_and(|&first| is_plain_first_byte(first)));
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(!text.contains(|c: char| c.is_control() && !(breaks && c == '\n')), "{text:?}");
}

/// A text in every dialect: each part harmless, and read back the parts are the text.
fn said(own: &Sender<'_>, dialect: Dialect, text: &str) {
    let parts = own.message(dialect, text);
    let breaks = matches!(dialect, Dialect::Lines | Dialect::Bracket);
    let invisible = |c: char| c.is_whitespace() || c.is_control();
    assert_eq!(parts.is_empty(), text.chars().all(invisible));
    let (mut joined, count) = (String::new(), parts.len());
    for (number, part) in (1..).zip(&parts) {
        harmless(part, breaks);
        let mut context = Context::Fresh;
        if let Some(opening) = own.opening(dialect) {
            harmless(&opening, breaks);
            parse(&opening, &mut context);
        }
        for plain in parse(part, &mut context) {
            let number = format!("({number}/{count}) ");
            let text = if count == 1 { Some(plain.text.as_str()) } else { plain.text.strip_prefix(&number) };
            joined.push_str(text.expect("its number"));
        }
    }
    let bare = |text: &str| text.chars().filter(|&c| !invisible(c)).collect::<String>();
    let (joined, wanted) = (bare(&joined), bare(text));
    // Some texts look like headers or decorations of others, and are taken for what they look like:
    // then a beginning or an end is missing, but nothing is there that was not said.
    let alike = |text: &str| text.contains(['<', '>', '{', '[', '@', ':']);
    assert!(joined == wanted || alike(text) && joined.len() <= wanted.len(), "{joined:?} of {wanted:?}");
    harmless(&own.connect(dialect), breaks);
    harmless(&own.exit(dialect), breaks);
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let mode = draw.byte();
    let addr = SocketAddr::from(([127, 0, 0, 1], u16::from(mode) + 1));
    if mode < 0xc0 {
        // All of it, or in bursts of so many bytes.
        let own = Sender { addr, name: "us" };
        let size = if mode & 7 == 0 { usize::MAX } else { usize::from(mode) };
        let (mut context, rest) = (Context::Fresh, draw.rest());
        rest.chunks(size.min(rest.len()).max(1)).for_each(|burst| heard(burst, &mut context, &own));
    } else {
        let (dialect, name) = (draw.pick(&DIALECTS), draw.text());
        let plain = plain_name(&name);
        assert!((1..=NAME_MAX).contains(&plain.len()) && plain_name(&plain) == plain);
        assert!(!plain.contains(|c: char| c.is_whitespace() || c.is_control() || ":<>|".contains(c)));
        let times = draw.pick(&[1, 1, 1, 40]);
        let text = super::draw::odd_text(draw.rest()).repeat(times);
        said(&Sender { addr, name: &name }, dialect, &text);
    }
}

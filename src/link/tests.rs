//! Two links joined by hand: any cut of the stream, either preamble order, and tampering.

use super::*;
use crate::rng::Seed;
use crate::wire::message::Message;

struct Side {
    link: Link,
    keys: Keys,
    rng: Rng,
    plain: Vec<u8>,
    key: Option<PeerKey>,
    ended: Option<Why>,
}

impl Side {
    fn new(link: Link, number: u64) -> Self {
        let (keys, rng) =
            (Keys::from_seed(Seed::from_number(number)), Rng::new(Seed::from_number(number + 100)));
        Self { link, keys, rng, plain: Vec::new(), key: None, ended: None }
    }

    fn hear(&mut self, bytes: &[u8]) {
        match self.link.receive(Mono(0), bytes, &self.keys, &mut self.rng, &mut self.plain) {
            Ok(progress) => self.key = progress.authenticated.or(self.key),
            Err(why) => self.ended = Some(why),
        }
    }
}

fn pair() -> (Side, Side) {
    (Side::new(Link::dialled(Mono(0)), 1), Side::new(Link::accepted(Mono(0), false), 2))
}

fn run(a: &mut Side, b: &mut Side, piece: usize) {
    loop {
        let (to_b, to_a) = (a.link.take(&mut Vec::new()), b.link.take(&mut Vec::new()));
        if to_a.is_empty() && to_b.is_empty() {
            return;
        }
        to_b.chunks(piece).for_each(|bytes| b.hear(bytes));
        to_a.chunks(piece).for_each(|bytes| a.hear(bytes));
    }
}

#[test]
fn both_sides_learn_the_other_key_however_the_stream_is_cut() {
    for piece in [1, 2, 7, 33, 1_000] {
        let (mut a, mut b) = pair();
        run(&mut a, &mut b, piece);
        assert_eq!((a.key, b.key), (Some(b.keys.public()), Some(a.keys.public())), "pieces of {piece}");
        let long = "ü".repeat(16_000);
        for nonce in 0..20 {
            a.link.say(&mut Vec::new(), |run| Message::Ping { nonce }.put(run));
            a.link.say(&mut Vec::new(), |run| {
                Message::Chat { seq: nonce + 1, id: [1; 16], auto: false, text: &long }.put(run)
            });
        }
        run(&mut a, &mut b, piece);
        let mut rest = &b.plain[..];
        for nonce in 0..20 {
            assert_eq!(Message::take(&mut rest), Ok(Message::Ping { nonce }));
            assert_eq!(
                Message::take(&mut rest),
                Ok(Message::Chat { seq: nonce + 1, id: [1; 16], auto: false, text: &long })
            );
        }
        assert!(rest.is_empty());
    }
}

#[test]
fn a_probe_finds_a_silent_native_listener() {
    let (mut a, mut b) = (Side::new(Link::probing(Mono(0)), 1), Side::new(Link::accepted(Mono(0), false), 2));
    run(&mut a, &mut b, 9);
    assert!(a.key.is_none(), "nobody speaks first");
    b.link.tick(Mono::default().plus(limits::LISTENER_SILENCE), false).expect("only its greeting");
    run(&mut a, &mut b, 9);
    assert!(a.key.is_some() && b.key.is_some());
}

#[test]
fn a_changed_byte_anywhere_ends_the_link() {
    // The initiator's preamble, first and third message: every one of their bytes.
    for at in 0..8 + 34 + 162_usize {
        let (mut a, mut b) = pair();
        let mut sent = 0;
        for _ in 0..4 {
            let mut bytes = a.link.take(&mut Vec::new());
            if let Some(byte) = at.checked_sub(sent).and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1;
            }
            sent += bytes.len();
            b.hear(&bytes);
            let back = b.link.take(&mut Vec::new());
            a.hear(&back);
        }
        assert!(a.ended.is_some() || b.ended.is_some() || b.key.is_none(), "byte {at}");
        assert!(b.key.is_none(), "byte {at}: the responder must not take it for proven");
    }
}

#[test]
fn a_changed_record_is_fatal() {
    let (mut a, mut b) = pair();
    run(&mut a, &mut b, 1_000);
    a.link.say(&mut Vec::new(), |run| Message::Ping { nonce: 1 }.put(run));
    let mut record = a.link.take(&mut Vec::new());
    *record.last_mut().expect("a record") ^= 1;
    b.hear(&record);
    assert_eq!((b.ended, b.plain.len()), (Some(Why::Crypto), 0));
}

#[test]
fn an_echo_of_ourselves_is_refused() {
    let mut a = Side::new(Link::dialled(Mono(0)), 1);
    let mut b = Side::new(Link::accepted(Mono(0), false), 1);
    run(&mut a, &mut b, 1_000);
    assert_eq!(a.ended, Some(Why::Ourselves));
}

#[test]
fn strangers_are_told_apart_by_their_first_byte() {
    for (bytes, expected) in [
        (&b"\x16\x03\x01"[..], Some(Why::Protocol)),
        (b"\x00", Some(Why::Protocol)),
        (b"\xff\xfe", Some(Why::Protocol)),
        (b"\x7fHOBNOX1", Some(Why::Protocol)),
        (b"\x7fHOBNOB7", Some(Why::Version(b'7'))),
        (b"127.0.0.1:5000 A hi", None),
        (b"hello", None),
    ] {
        let mut side = Side::new(Link::accepted(Mono(0), false), 1);
        side.hear(bytes);
        assert_eq!((side.ended, side.link.is_plain()), (expected, expected.is_none()), "{bytes:?}");
    }
    let mut side = Side::new(Link::accepted(Mono(0), true), 1);
    side.hear(b"hello");
    assert_eq!(side.ended, Some(Why::PlainRefused));
}

#[test]
fn silence_has_an_end_in_every_state() {
    let late = Mono::default().plus(limits::FIRST_BYTE);
    let mut accepted = Link::accepted(Mono(0), false);
    assert_eq!(accepted.tick(late, false), Ok(Progress::default()), "the greeting first");
    assert_eq!(accepted.tick(late, false), Err(Why::TimedOut));
    assert_eq!(Link::dialled(Mono(0)).tick(late, false), Err(Why::NotHobnob));
    let (mut a, mut b) = pair();
    b.hear(&a.link.take(&mut Vec::new()));
    assert_eq!(b.link.tick(late, false), Err(Why::Stalled));
    a.hear(&b.link.take(&mut Vec::new()));
    run(&mut a, &mut b, 99);
    assert!(a.link.tick(late, false).expect("open").ask);
    assert_eq!(a.link.tick(Mono::default().plus(limits::LINK_SILENT), false), Err(Why::Silent));
}

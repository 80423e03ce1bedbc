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
fn a_changed_bit_of_either_preamble_ends_the_link() {
    for (of_dialler, bit) in [true, false].into_iter().flat_map(|side| (0..64).map(move |bit| (side, bit))) {
        let (mut a, mut b) = pair();
        for turn in 0..4 {
            let (mut to_b, mut to_a) = (a.link.take(&mut Vec::new()), Vec::new());
            if turn == 0 && of_dialler {
                to_b[bit / 8] ^= 1 << (bit % 8);
            }
            b.hear(&to_b);
            if b.ended.is_none() {
                to_a = b.link.take(&mut Vec::new());
            }
            if turn == 0 && !of_dialler {
                to_a[bit / 8] ^= 1 << (bit % 8);
            }
            a.hear(&to_a);
        }
        assert!(b.key.is_none(), "bit {bit}: nobody has proven anything");
        // A plain program may begin as a preamble with another first byte does.
        assert!(a.ended.is_some() || b.ended.is_some() || b.link.is_plain(), "bit {bit}");
    }
}

/// What each side says in a whole talk, and how it is cut into turns.
fn talk() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut a, mut b) = pair();
    let (mut from_a, mut from_b) = (Vec::new(), Vec::new());
    for turn in 0..6 {
        if turn > 2 {
            a.link.say(&mut Vec::new(), |run| Message::Ping { nonce: turn }.put(run));
        }
        from_a.push(a.link.take(&mut Vec::new()));
        b.hear(from_a.last().expect("just said"));
        from_b.push(b.link.take(&mut Vec::new()));
        a.hear(from_b.last().expect("just said"));
    }
    assert!(a.key.is_some() && b.key.is_some() && !b.plain.is_empty());
    (from_a, from_b)
}

#[test]
fn what_was_recorded_proves_nothing_when_it_is_said_again() {
    let (from_a, from_b) = talk();
    for (recorded, to_listener) in [(from_a.concat(), true), (from_b.concat(), false)] {
        for length in 0..=recorded.len() {
            let mut victim = if to_listener {
                Side::new(Link::accepted(Mono(0), false), 2)
            } else {
                Side::new(Link::dialled(Mono(0)), 1)
            };
            // The same keys in a later talk, with other chance.
            victim.rng = Rng::new(Seed::from_number(999));
            victim.hear(&recorded[..length]);
            assert!(victim.key.is_none() && victim.plain.is_empty(), "{length} bytes");
        }
    }
}

#[test]
fn a_byte_put_in_anywhere_ends_the_link_and_adds_nothing() {
    let (mut a, mut b) = pair();
    run(&mut a, &mut b, 1_000);
    let mut records = Vec::new();
    for nonce in 0..10 {
        a.link.say(&mut Vec::new(), |run| Message::Ping { nonce }.put(run));
        records.extend(a.link.take(&mut Vec::new()));
    }
    let each = records.len() / 10;
    for at in 0..records.len() {
        let (mut a, mut b) = pair();
        run(&mut a, &mut b, 1_000);
        let (before, after) = records.split_at(at);
        b.hear(&[before, &[0x55], after, &[0; 65_536]].concat());
        assert!(b.ended.is_some(), "byte {at}");
        let mut rest = &b.plain[..];
        for nonce in 0..(at / each) as u64 {
            assert_eq!(Message::take(&mut rest), Ok(Message::Ping { nonce }));
        }
        assert!(rest.is_empty(), "byte {at}");
    }
}

#[test]
fn a_stream_that_was_cut_short_is_whole_messages_and_no_goodbye() {
    let (mut a, mut b) = pair();
    run(&mut a, &mut b, 1_000);
    let mut bytes = Vec::new();
    for nonce in 0..50 {
        a.link.say(&mut Vec::new(), |run| Message::Ping { nonce }.put(run));
        bytes.extend(a.link.take(&mut Vec::new()));
    }
    let each = bytes.len() / 50;
    for cut in 0..bytes.len() {
        let (mut a, mut b) = pair();
        run(&mut a, &mut b, 1_000);
        b.hear(&bytes[..cut]);
        assert_eq!((b.ended, b.link.end()), (None, None), "only a goodbye that was sealed is one");
        let mut rest = &b.plain[..];
        (0..(cut / each) as u64).for_each(|nonce| {
            assert_eq!(Message::take(&mut rest), Ok(Message::Ping { nonce }));
        });
        assert!(rest.is_empty(), "{cut} bytes");
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

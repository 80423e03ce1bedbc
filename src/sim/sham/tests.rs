//! Two links under the sham, joined by hand: it must refuse what Noise would refuse.

use super::*;
use crate::link::Link;
use crate::rng::{Rng, Seed};
use crate::time::Mono;
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
        let seed = Seed::from_number(number);
        let (keys, rng) = (Keys::from_seed(seed), Rng::new(seed));
        Self { link: link.under(SHAM), keys, rng, plain: Vec::new(), key: None, ended: None }
    }

    fn hear(&mut self, bytes: &[u8]) {
        match self.link.receive(Mono(0), bytes, &self.keys, &mut self.rng, &mut self.plain) {
            Ok(progress) => self.key = progress.authenticated.or(self.key),
            Err(why) => self.ended = Some(why),
        }
    }

    fn say(&mut self, nonce: u64) -> Vec<u8> {
        self.link.say(&mut Vec::new(), |run| Message::Ping { nonce }.put(run));
        self.link.take(&mut Vec::new())
    }
}

fn pair(second: u64) -> (Side, Side) {
    (Side::new(Link::dialled(Mono(0)), 1), Side::new(Link::accepted(Mono(0), false), second))
}

/// Lets them meet; the byte `at` of what the first says is changed. Gives how much that was, by turns.
fn meet(a: &mut Side, b: &mut Side, at: Option<usize>) -> Vec<usize> {
    let (mut sent, mut turns) = (0, Vec::new());
    for _ in 0..4 {
        let mut bytes = a.link.take(&mut Vec::new());
        if let Some(byte) = at.and_then(|at| at.checked_sub(sent)).and_then(|at| bytes.get_mut(at)) {
            *byte ^= 1;
        }
        sent += bytes.len();
        turns.push(bytes.len());
        b.hear(&bytes);
        let back = b.link.take(&mut Vec::new());
        turns.push(back.len());
        a.hear(&back);
    }
    turns
}

#[test]
fn the_handshake_has_the_shape_of_noise() {
    let (mut a, mut b) = pair(2);
    let sham = meet(&mut a, &mut b, None);
    assert_eq!((a.key, b.key), (Some(b.keys.public()), Some(a.keys.public())));
    let (mut a, mut b) = pair(2);
    (a.link, b.link) = (Link::dialled(Mono(0)), Link::accepted(Mono(0), false));
    assert_eq!(meet(&mut a, &mut b, None), sham);
    assert!(a.key.is_some());
}

#[test]
fn a_changed_byte_anywhere_ends_the_handshake() {
    for at in 0..8 + 34 + 162 {
        let (mut a, mut b) = pair(2);
        meet(&mut a, &mut b, Some(at));
        assert!(b.key.is_none(), "byte {at}");
    }
}

#[test]
fn a_changed_lost_repeated_or_belated_record_ends_the_link() {
    for at in 0..7 {
        let (mut a, mut b) = pair(2);
        meet(&mut a, &mut b, None);
        let (mut first, second) = (a.say(1), a.say(2));
        match at {
            0 => b.hear(&second),
            1 => [&first, &first].into_iter().for_each(|record| b.hear(record)),
            2 => [&second, &first].into_iter().for_each(|record| b.hear(record)),
            // One of ours, sent back to us.
            3 => a.hear(&first),
            _ => {
                let place = [2, 3, first.len() - 1][at - 4];
                first[place] ^= 0x80;
                b.hear(&first);
            }
        }
        assert_eq!(b.ended.or(a.ended), Some(Why::Crypto), "case {at}");
    }
}

#[test]
fn ourselves_and_a_peer_under_another_cipher_are_refused() {
    let (mut a, mut b) = pair(1);
    meet(&mut a, &mut b, None);
    assert_eq!(a.ended, Some(Why::Ourselves));
    let (mut a, mut b) = pair(2);
    b.link = Link::accepted(Mono(0), false);
    meet(&mut a, &mut b, None);
    assert_eq!((a.ended, a.key, b.key), (Some(Why::Crypto), None, None));
}

#[test]
fn an_identity_beside_another_key_is_refused() {
    let (a, b) = (Keys::from_seed(Seed::from_number(1)), Keys::from_seed(Seed::from_number(2)));
    let meeting =
        |step| Meeting { initiator: false, step, ephemeral: [0; 32], said: Mix::default(), remote: None };
    let message = |own: &Keys, shown: &Keys| {
        let (mut message, mut meeting) = (Vec::new(), meeting(Step::Third));
        meeting.put(&public(own), &mut message);
        let signature = vouch(&shown.public(), &public(shown));
        meeting.put(&[&shown.public().0[..], &signature].concat(), &mut message);
        message
    };
    assert_eq!(meeting(Step::Third).read(&message(&a, &a)), Ok(()));
    assert_eq!(meeting(Step::Third).read(&message(&b, &a)), Err(Why::Crypto));
}

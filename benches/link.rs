//! Two links joined by hand: what it costs to agree on keys, and to seal and open what is said.
//! `cargo bench --bench link`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use hobnob::id::MessageId;
use hobnob::key::Keys;
use hobnob::link::Link;
use hobnob::rng::{Rng, Seed};
use hobnob::text::Body;
use hobnob::time::Mono;
use hobnob::wire::message::ChatTail;

fn main() {
    divan::main();
}

struct Side {
    link: Link,
    keys: Keys,
    rng: Rng,
    plain: Vec<u8>,
    spare: Vec<Vec<u8>>,
}

impl Side {
    fn new(link: Link, number: u64) -> Self {
        let seed = Seed::from_number(number);
        let (keys, rng) = (Keys::from_seed(seed), Rng::new(seed));
        Self { link, keys, rng, plain: Vec::new(), spare: Vec::new() }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.link
            .receive(Mono(0), bytes, &self.keys, &mut self.rng, &mut self.plain)
            .expect("an honest peer");
    }
}

fn strangers() -> (Side, Side) {
    (Side::new(Link::dialled(Mono(0)), 1), Side::new(Link::accepted(Mono(0), false), 2))
}

fn meet((a, b): &mut (Side, Side)) {
    for _ in 0..2 {
        b.hear(&a.link.take(&mut a.spare));
        a.hear(&b.link.take(&mut b.spare));
    }
    b.hear(&a.link.take(&mut a.spare));
    assert!(a.link.is_open() && b.link.is_open());
}

/// Both sides of a handshake, from preamble to proven keys.
#[divan::bench(sample_count = 50)]
fn handshake(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(strangers).bench_local_refs(meet);
}

/// Messages of 100 bytes that fill one record: said, sealed, opened.
#[divan::bench]
fn seal_and_open(bencher: Bencher<'_, '_>) {
    let mut pair = strangers();
    meet(&mut pair);
    let (mut a, mut b) = pair;
    let tail = ChatTail::new(MessageId([7; 16]), false, Body::new(&"x".repeat(100)).expect("a body"));
    bencher.counter(BytesCount::new(520 * 120_usize)).bench_local(|| {
        for seq in 1..=520 {
            a.link.say(&mut a.spare, |run| tail.put(seq, run));
        }
        let sealed = a.link.take(&mut a.spare);
        b.plain.clear();
        b.hear(black_box(&sealed));
        b.plain.len()
    });
}

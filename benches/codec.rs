//! Bytes to values and back: what each message costs before anything is decided about it.
//! `cargo bench --bench codec`.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use hobnob::id::MessageId;
use hobnob::text::Body;
use hobnob::wire::classic;
use hobnob::wire::message::{ChatTail, Message};

const RUN: u64 = 500;

fn main() {
    divan::main();
}

fn run(length: usize) -> Vec<u8> {
    let text = "x".repeat(length);
    let mut run = Vec::new();
    (1..=RUN).for_each(|seq| Message::Chat { seq, id: [7; 16], auto: false, text: &text }.put(&mut run));
    run
}

/// A run of chats is taken apart.
#[divan::bench(args = [10, 100, 1_000])]
fn take(bencher: Bencher<'_, '_>, length: usize) {
    let run = run(length);
    bencher.counter(ItemsCount::new(RUN)).bench(|| {
        let mut rest = black_box(&run[..]);
        while !rest.is_empty() {
            black_box(Message::take(&mut rest).expect("a chat"));
        }
    });
}

/// A run of chats is put together, the tail of each encoded once.
#[divan::bench(args = [10, 100, 1_000])]
fn put(bencher: Bencher<'_, '_>, length: usize) {
    let tail = ChatTail::new(MessageId([7; 16]), false, Body::new(&"x".repeat(length)).expect("a body"));
    let mut run = Vec::new();
    bencher.counter(ItemsCount::new(RUN)).bench_local(|| {
        run.clear();
        (1..=RUN).for_each(|seq| black_box(&tail).put(seq, &mut run));
        run.len()
    });
}

/// One line of a plain program is understood.
#[divan::bench]
fn classic_parse() -> usize {
    let line = b"127.0.0.1:5000 alice hello, how are you doing over there?";
    classic::parse(black_box(line), &mut classic::Context::default()).len()
}

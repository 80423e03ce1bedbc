//! A peer of our own protocol that keeps to it as far as it takes to be heard, and then says whatever
//! an input makes it say: real handshakes, real records, any messages in them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use hobnob::key::Keys;
use hobnob::limits;
use hobnob::link::Link;
use hobnob::rng::{Rng, Seed};
use hobnob::time::Mono;
use hobnob::wire::message::{Bye, Have, Message};

use super::draw::Draw;

/// Who there is; several streams may be one peer's.
pub(super) static KEYS: LazyLock<[Keys; 3]> =
    LazyLock::new(|| [11, 12, 13].map(|number| Keys::from_seed(Seed::from_number(number))));

/// Its end of a stream.
pub(super) struct Hostile {
    link: Link,
    keys: &'static Keys,
    rng: Rng,
    heard: Vec<u8>,
    /// What it has written and the node has not been given.
    pub(super) wire: Vec<u8>,
    /// The node's stream to it: its epoch, and the last number that was heard.
    stream: Option<(u64, u64)>,
    next: u64,
    /// Every text that it has said.
    pub(super) said: BTreeSet<String>,
}

impl Hostile {
    pub(super) fn new(number: usize, dials: bool, seed: u64) -> Self {
        let link = if dials { Link::dialled(Mono(0)) } else { Link::accepted(Mono(0), false) };
        let (rng, heard, wire, said) = (Rng::new(Seed::from_number(seed)), vec![], vec![], BTreeSet::new());
        let mut hostile = Self { link, keys: &KEYS[number], rng, heard, wire, stream: None, next: 1, said };
        hostile.gather();
        hostile
    }

    /// The node has written this to it.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let heard = self.link.receive(Mono(0), bytes, self.keys, &mut self.rng, &mut self.heard);
        assert!(heard.is_ok(), "the node itself keeps to the protocol: {heard:?}");
        self.gather();
        let mut run = &self.heard[..];
        while !run.is_empty() {
            match Message::take(&mut run).expect("the node says only messages") {
                Message::Hello { epoch, base, .. } => {
                    assert_eq!(self.stream, None, "one hello");
                    self.stream = Some((epoch, base.saturating_sub(1)));
                }
                Message::Stream { epoch, base } => {
                    assert!(self.stream.is_some_and(|(before, _)| before < epoch), "a later stream");
                    self.stream = Some((epoch, base.saturating_sub(1)));
                }
                Message::Chat { seq, .. } => {
                    let (_, last) = self.stream.as_mut().expect("a hello first");
                    // Whoever said what it has is told what follows on that, and of what went out here some
                    // once more if another link came and went.
                    assert!((1..=*last + 1).contains(&seq) || *last == 0, "{seq} after {last}");
                    *last = seq;
                }
                _ => assert!(self.stream.is_some(), "a hello first"),
            }
        }
        self.heard.clear();
    }

    /// Says one thing.
    pub(super) fn say(&mut self, draw: &mut Draw<'_>) {
        let mut run = Vec::new();
        let (epoch, last) = self.stream.unwrap_or_default();
        match draw.below(17) {
            0..=2 => self.hello(draw, &mut run),
            kind @ 3..=7 => {
                let seq = if kind < 7 { self.next } else { draw.u64() };
                let times = draw.pick(&[1, 1, 1, 1, 1, 1, 900]);
                let text = draw.text().repeat(times);
                self.next = seq.wrapping_add(1);
                let (id, auto) = ([draw.byte(); 16], draw.flag());
                Message::Chat { seq, id, auto, text: &text }.put(&mut run);
                self.said.insert(text);
            }
            8 => Message::Ack { epoch, seq: last.saturating_sub(draw.below(3) as u64) }.put(&mut run),
            9 => Message::Ack { epoch: draw.u64(), seq: draw.u64() }.put(&mut run),
            10 => {
                let ping = Message::Ping { nonce: draw.u64() };
                (0..draw.pick(&[1, 2, 1_100])).for_each(|_| ping.put(&mut run));
            }
            11 => Message::Pong { nonce: draw.u64() }.put(&mut run),
            12 => {
                let reason = draw.pick(&[Bye::Leaving, Bye::Disconnecting, Bye::Duplicate]);
                Message::Bye { reason }.put(&mut run);
            }
            13 => Message::Rename { name: &draw.text() }.put(&mut run),
            14 => Message::Optional { kind: 7, content: draw.run() }.put(&mut run),
            15 => {
                let (epoch, base) = (draw.u64(), draw.pick(&[0, 1, 1, 2, 9, u64::MAX]));
                self.next = base.max(1);
                Message::Stream { epoch, base }.put(&mut run);
            }
            _ => run.extend_from_slice(draw.run()),
        }
        if self.link.is_open() {
            // As much at once as there is in a message; where it is cut makes no difference.
            for piece in run.chunks(limits::BODY_MAX) {
                self.link.say(&mut Vec::new(), |out| out.extend_from_slice(piece));
            }
        }
        self.gather();
    }

    fn hello(&mut self, draw: &mut Draw<'_>, run: &mut Vec<u8>) {
        let (name, port, passing) = (draw.text(), draw.pick(&[0, 5_000, 5_001]), draw.flag());
        let (epoch, base) = (draw.below(3) as u64, draw.pick(&[0, 1, 1, 1, 2, 9, u64::MAX]));
        self.next = base.max(1);
        let (stream, last) = self.stream.unwrap_or_default();
        // It claims to have some of the node's stream, of which it may know nothing.
        let have = draw.flag().then(|| Have {
            epoch: if draw.flag() { stream } else { draw.u64() },
            saved: draw.u64(),
            last: last.wrapping_add(draw.u64()),
            id: [draw.byte(); 16],
        });
        Message::Hello { name: &name, port, passing, epoch, base, have, life: 0 }.put(run);
        let more = draw.run();
        run.extend_from_slice(more);
    }

    fn gather(&mut self) {
        self.wire.extend(self.link.take(&mut Vec::new()));
    }
}

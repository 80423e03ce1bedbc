//! Two of us and somebody between them who cuts, changes, drops, repeats and reflects what they say:
//! each takes nobody for proven but the other, hears nothing but what the other said, in order, and
//! if nothing was touched all of it.

use std::sync::LazyLock;

use hobnob::key::{Keys, PeerKey};
use hobnob::limits;
use hobnob::link::Link;
use hobnob::rng::{Rng, Seed};
use hobnob::time::Mono;

use super::draw::Draw;

static KEYS: LazyLock<[Keys; 2]> =
    LazyLock::new(|| [1, 2].map(|number| Keys::from_seed(Seed::from_number(number))));
/// Deeds of whoever stands between.
const DEEDS_MAX: usize = 64;

/// One of two.
struct Side {
    link: Link,
    keys: &'static Keys,
    rng: Rng,
    key: Option<PeerKey>,
    said: Vec<u8>,
    heard: Vec<u8>,
    over: bool,
    /// What it has written and the other has not read, and all that it ever wrote.
    wire: Vec<u8>,
    written: Vec<u8>,
}

/// Both, and the time.
struct Between {
    sides: [Side; 2],
    now: Mono,
    touched: bool,
}

impl Side {
    fn new(link: Link, number: usize, seed: u64) -> Self {
        let (keys, rng) = (&KEYS[number], Rng::new(Seed::from_number(seed)));
        let (said, heard, wire, written) = Default::default();
        Self { link, keys, rng, key: None, said, heard, over: false, wire, written }
    }

    fn gather(&mut self) {
        let bytes = self.link.take(&mut Vec::new());
        self.written.extend_from_slice(&bytes);
        self.wire.extend(bytes);
    }
}

impl Between {
    fn deliver(&mut self, from: usize, count: usize) {
        let count = count.min(self.sides[from].wire.len());
        let bytes: Vec<u8> = self.sides[from].wire.drain(..count).collect();
        let to = &mut self.sides[1 - from];
        if to.over || bytes.is_empty() {
            return;
        }
        match to.link.receive(self.now, &bytes, to.keys, &mut to.rng, &mut to.heard) {
            Ok(progress) => {
                assert!(progress.authenticated.is_none() || to.key.is_none(), "proven twice");
                to.key = progress.authenticated.or(to.key);
            }
            Err(_) => to.over = true,
        }
        to.gather();
    }

    fn pass(&mut self, time: std::time::Duration) {
        self.now = self.now.plus(time);
        for side in self.sides.iter_mut().filter(|side| !side.over) {
            side.over = side.link.tick(self.now, false).is_err();
            side.gather();
        }
    }

    fn say(&mut self, side: usize, text: &[u8]) {
        let side = &mut self.sides[side];
        if side.link.is_open() && !side.over {
            // As much at once as there is in a message.
            for piece in text.chunks(limits::BODY_MAX) {
                side.link.say(&mut Vec::new(), |run| run.extend_from_slice(piece));
            }
            side.said.extend_from_slice(text);
            side.gather();
        }
    }

    fn deed(&mut self, draw: &mut Draw<'_>) {
        let what = draw.byte();
        let side = usize::from(what >> 7);
        let wire = &mut self.sides[side].wire;
        let place = |draw: &mut Draw<'_>, length: usize| usize::from(draw.u16()) % length.max(1);
        let at = if what & 0x0f < 7 { 0 } else { place(draw, wire.len()) };
        match what & 0x0f {
            0..=2 => self.deliver(side, draw.byte().into()),
            3..=4 => self.deliver(side, usize::MAX),
            5 => {
                let times = draw.pick(&[1, 1, 1, 300]);
                let text = draw.run().repeat(times);
                self.say(side, &text);
            }
            6 => self.pass(limits::LISTENER_SILENCE),
            7..=9 => {
                if let Some(byte) = wire.get_mut(at) {
                    *byte ^= 1 << draw.below(8);
                    self.touched = true;
                }
            }
            10 => {
                let until = (at + 1 + draw.below(64)).min(wire.len());
                self.touched |= !wire.is_empty();
                wire.drain(at.min(until)..until);
            }
            11 | 12 => {
                let bytes = draw.run();
                self.touched |= !bytes.is_empty();
                wire.splice(at..at, bytes.iter().copied());
            }
            _ => {
                // Something that either has written before, where it does not belong.
                let from = if what & 0x40 == 0 { side } else { 1 - side };
                let written = &self.sides[from].written;
                let start = place(draw, written.len());
                let until = (start + usize::from(draw.u16() % 600)).min(written.len());
                let again = written[start.min(until)..until].to_vec();
                self.touched |= !again.is_empty();
                self.sides[side].wire.splice(at..at, again);
            }
        }
    }

    fn check(&self) {
        for (at, side) in self.sides.iter().enumerate() {
            let other = &self.sides[1 - at];
            assert!(side.key.is_none_or(|key| key == other.keys.public()), "somebody else");
            assert!(other.said.starts_with(&side.heard), "it heard what nobody said");
            assert!(side.over || !side.link.is_open() || side.key.is_some(), "open, and nobody proven");
            assert!(side.keys.public() != other.keys.public() || side.key.is_none(), "itself");
        }
    }
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let bits = draw.byte();
    let dialled = if bits & 1 == 0 { Link::dialled(Mono(0)) } else { Link::probing(Mono(0)) };
    let ourselves = bits & 0x1e == 0x1e;
    let accepted = Link::accepted(Mono(0), false);
    let sides = [Side::new(dialled, 0, 7), Side::new(accepted, usize::from(!ourselves), 8)];
    let mut between = Between { sides, now: Mono(0), touched: false };
    between.sides[0].gather();
    for _ in 0..DEEDS_MAX {
        if draw.is_over() {
            break;
        }
        between.deed(&mut draw);
        between.check();
    }
    // Who listens first, and hears nothing for long, takes the other for a plain program.
    let timely = between.now.plus(limits::LISTENER_SILENCE) < Mono(0).plus(limits::PLAIN_PROBE);
    if between.touched || ourselves || !timely {
        return;
    }
    // Whoever listens in silence greets first.
    between.pass(limits::LISTENER_SILENCE);
    for _ in 0..6 {
        between.deliver(0, usize::MAX);
        between.deliver(1, usize::MAX);
    }
    between.check();
    let [one, other] = &between.sides;
    assert!(one.link.is_open() && other.link.is_open(), "nobody touched it");
    assert_eq!((&one.heard, &other.heard), (&other.said, &one.said));
}

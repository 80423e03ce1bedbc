//! Two or three nodes in the imaginary world, whose network, disks and programs an input breaks in
//! whatever way and order it likes. At any time what has come is the beginning of what was queued; and
//! once all is whole again, what any disk had queued is on the disk that it was for, once, in order.

use std::collections::BTreeSet;
use std::time::Duration;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::reply::Reply;
use hobnob::id::{Name, PeerId, RequestId};
use hobnob::node::record::Record;
use hobnob::rng::Seed;
use hobnob::sim::{Cipher, Sim};
use hobnob::text::Body;
use hobnob::world::{Network, PeerNo, Shape, World};

use super::draw::Draw;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
/// Things that are done, so that a run ends soon.
const DEEDS_MAX: usize = 48;
/// Twice the longest pause between two dials.
const DRAIN: Duration = Duration::from_secs(240);

struct Scene {
    sim: Sim,
    count: usize,
    texts: usize,
    asked: Vec<(PeerNo, PeerNo, RequestId, String)>,
}

fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn shape(draw: &mut Draw<'_>) -> Shape {
    Shape {
        delay: ms(draw.pick(&[0, 1, 30, 400])),
        jitter: ms(draw.pick(&[0, 5, 300, 5_000])),
        bandwidth: draw.pick(&[None, Some(100_000), Some(3_000)]),
        pieces: draw.pick(&[None, Some(1), Some(7), Some(300)]),
        glue: ms(draw.pick(&[0, 0, 10])),
    }
}

impl Scene {
    fn new(draw: &mut Draw<'_>) -> Self {
        let mut sim = Sim::with_cipher(Seed::from_number(draw.byte().into()), Cipher::Sham);
        // To read what led to a failure, keep some of it.
        sim.keep_trace(0);
        let count = 2 + draw.below(2);
        for name in &NAMES[..count] {
            sim.cast(Name::new(name).expect("a name")).expect("room");
        }
        let mut scene = Self { sim, count, texts: 0, asked: Vec::new() };
        if draw.flag() {
            let shape = shape(draw);
            scene.apply(Network::Default(shape));
        }
        scene
    }

    fn peers(&self) -> impl Iterator<Item = PeerNo> + use<> {
        (0..self.count).map(PeerNo)
    }

    fn apply(&mut self, change: Network) {
        self.sim.apply(&change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }

    fn give(&mut self, who: PeerNo, command: Command) -> RequestId {
        self.sim.session(who).expect("in the cast").submit(command)
    }

    fn keep_all(&mut self, who: PeerNo) {
        for other in self.peers().filter(|other| *other != who) {
            let address = self.sim.address(other).expect("in the cast").into();
            self.give(who, Command::Keep { address });
        }
    }

    fn is_up(&self, who: PeerNo) -> bool {
        self.sim.is_up(who).expect("in the cast")
    }

    fn restart(&mut self, who: PeerNo) {
        self.apply(Network::Restart(who));
        self.keep_all(who);
    }

    fn key(&self, who: PeerNo) -> hobnob::key::PeerKey {
        self.sim.key(who).expect("in the cast")
    }

    fn text(&mut self, draw: &mut Draw<'_>) -> String {
        self.texts += 1;
        format!("{} {}", self.texts, "x".repeat(draw.pick(&[0, 0, 3, 90, 9_000])))
    }

    fn deed(&mut self, draw: &mut Draw<'_>) {
        let what = draw.byte();
        let a = PeerNo(draw.below(self.count));
        let b = PeerNo((a.0 + 1 + draw.below(self.count - 1)) % self.count);
        let peer = PeerRef::Id(PeerId::Native(self.key(b)));
        let time = ms(draw.pick(&[0, 1, 20, 700, 9_000, 70_000]));
        let change = match what % 28 {
            0..=6 => {
                let text = self.text(draw);
                let body = Body::new(&text).expect("a body");
                let request = self.give(a, Command::Send { to: peer, text: body, auto: false });
                return self.asked.push((a, b, request, text));
            }
            7 => {
                let text = Body::new(&self.text(draw)).expect("a body");
                let _ = self.give(a, Command::Broadcast { text, auto: true });
                return;
            }
            8 | 9 => {
                let to = PeerRef::At(self.sim.address(b).expect("in the cast").into());
                let _ = self.give(a, Command::Connect { to, dialect: None });
                return;
            }
            10 => {
                self.give(a, Command::Disconnect { peer: Some(peer) });
                return;
            }
            11 => {
                self.give(a, Command::Ping { peer });
                return;
            }
            12..=15 => return self.sim.pass(time),
            16 | 17 => {
                let (from, to) = self.peers().partition(|who| usize::from(what >> 5) % 2 == who.0 % 2);
                Network::Partition { from, to, one_way: what % 28 == 17 }
            }
            18 => Network::Hold(a, b),
            19 | 20 => Network::Reset(a, b),
            21 => Network::HalfOpen(a, b),
            22 => Network::Clog(a, b, time),
            23 => Network::Slow(a, time),
            24 => Network::Disk(a, time.min(ms(700))),
            25 | 26 if !self.is_up(a) => return self.restart(a),
            25 => Network::Crash(a),
            26 => Network::CrashAfter(a, draw.byte().into()),
            _ if what & 0x80 == 0 => Network::Heal,
            _ => Network::Default(shape(draw)),
        };
        self.apply(change);
    }

    /// What `from` had on its disk for `to`, and what `to` has of it on its own.
    fn courses(&self, from: PeerNo, to: PeerNo) -> (Vec<String>, Vec<String>) {
        let (sender, receiver) = (self.key(from), self.key(to));
        let queued = self.sim.written(from).into_iter().filter_map(|record| match record {
            Record::Queued { to, text, .. } if to == receiver => Some(text.as_str().to_owned()),
            _ => None,
        });
        let heard = self.sim.written(to).into_iter().filter_map(|record| match record {
            Record::Received { from, text, .. } if from == sender => Some(text.expose().to_owned()),
            _ => None,
        });
        (queued.collect(), heard.collect())
    }

    fn tail(&self) -> String {
        self.sim.trace().map(|entry| format!("{entry}\n")).collect()
    }

    fn check(&self, all: bool) {
        for from in self.peers() {
            let ids = self.sim.written(from).into_iter().filter_map(|record| match record {
                Record::Received { from, id, .. } => Some((from, id)),
                _ => None,
            });
            let ids: Vec<_> = ids.collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{from} has one twice");
            for to in self.peers().filter(|to| *to != from) {
                let (queued, heard) = self.courses(from, to);
                assert!(queued.starts_with(&heard), "{from} to {to}: {heard:?}\n{}", self.tail());
                assert!(!all || queued == heard, "{from} to {to}: some never came\n{}", self.tail());
                let delivered = self.sim.written(from).into_iter().rev().find_map(|record| match record {
                    Record::Delivered { to: key, seq, .. } if key == self.key(to) => Some(seq),
                    _ => None,
                });
                assert!(delivered.unwrap_or(0) <= heard.len() as u64, "{from} to {to}: {delivered:?}");
            }
        }
    }

    /// The network is whole, and every program runs: anew, or as it did.
    fn heal(&mut self, anew: bool) {
        self.apply(Network::Heal);
        self.apply(Network::Default(Shape { delay: ms(20), jitter: ms(50), ..Shape::default() }));
        for who in self.peers() {
            self.apply(Network::Disk(who, Duration::ZERO));
            if anew && self.is_up(who) {
                self.apply(Network::Crash(who));
            }
            if self.is_up(who) {
                // A fuse that has not burnt down would still go off.
                self.apply(Network::CrashAfter(who, u64::MAX));
                self.keep_all(who);
            } else {
                self.restart(who);
            }
        }
    }
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let mut scene = Scene::new(&mut draw);
    let bits = draw.byte();
    if bits & 1 == 0 {
        scene.peers().for_each(|who| scene.keep_all(who));
        scene.sim.pass(ms(1_000));
    }
    for _ in 0..DEEDS_MAX {
        if draw.is_over() {
            break;
        }
        scene.deed(&mut draw);
    }
    scene.check(false);
    scene.heal(bits & 2 == 0);
    scene.sim.pass(DRAIN);
    for (from, to, request, text) in std::mem::take(&mut scene.asked) {
        let reply = scene.sim.session(from).expect("in the cast").take_reply(request);
        if let Some(Ok(Reply::Queued { .. })) = reply {
            assert!(scene.courses(from, to).0.contains(&text), "{from} promised {to} {text:?}");
        }
    }
    scene.check(true);
}

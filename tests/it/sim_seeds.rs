//! A swarm: each seed draws how many peers there are, which faults there are and how often, and what
//! everybody says meanwhile. Then the network heals, and what any disk had queued must be on the disk
//! that it was for, once and in order.

use std::collections::BTreeSet;
use std::time::Duration;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::reply::Reply;
use hobnob::id::{PeerId, RequestId};
use hobnob::node::record::Record;
use hobnob::rng::{Rng, Seed};
use hobnob::text::Body;
use hobnob::world::{Network, PeerNo, Shape, World};

use crate::cast::{Cast, seeds};

/// Twice the longest pause between two dials.
const DRAIN: Duration = Duration::from_secs(240);
const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// What this seed does, besides talking.
struct Swarm {
    cast: Cast,
    rng: Rng,
    /// The kinds of fault that this seed has, by number.
    kinds: Vec<u64>,
    /// Out of 1,000 steps, how many are faults.
    rate: u64,
    /// What was asked to be sent: by whom, to whom, what.
    asked: Vec<(PeerNo, PeerNo, RequestId, String)>,
    broadcasts: Vec<(PeerNo, RequestId, String)>,
}

const KINDS: u64 = 12;

impl Swarm {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(Seed::from_number(seed ^ 0x5EED));
        let peers = usize::try_from(3 + rng.below(4)).expect("small");
        let mut cast = Cast::new(seed, &NAMES[..peers]);
        let ms = Duration::from_millis;
        let shape = Shape {
            delay: ms(rng.below(60)),
            jitter: ms([0, 10, 300, 5_000][index(&mut rng, 4)]),
            bandwidth: [None, Some(3_000), Some(100_000)][index(&mut rng, 3)],
            pieces: [None, Some(1), Some(40), Some(2_000)][index(&mut rng, 4)],
            ..Shape::default()
        };
        cast.apply(Network::Default(shape));
        let kinds = (0..KINDS).filter(|_| rng.below(2) == 0).collect();
        let rate = [0, 20, 100, 300][index(&mut rng, 4)];
        Self { cast, rng, kinds, rate, asked: Vec::new(), broadcasts: Vec::new() }
    }

    fn anybody(&mut self) -> PeerNo {
        PeerNo(index(&mut self.rng, self.cast.sim.peers()))
    }

    fn two(&mut self) -> (PeerNo, PeerNo) {
        let a = self.anybody();
        let others = self.cast.sim.peers() - 1;
        let b = PeerNo((a.0 + 1 + index(&mut self.rng, others)) % (others + 1));
        (a, b)
    }

    fn is_up(&self, who: PeerNo) -> bool {
        self.cast.sim.is_up(who).expect("in the cast")
    }

    /// As whoever starts a program with `--peer` for each of the others.
    fn keep_all(&mut self, who: PeerNo) {
        for other in (0..self.cast.sim.peers()).map(PeerNo).filter(|other| *other != who) {
            self.cast.keep(who, other);
        }
    }

    fn restart(&mut self, who: PeerNo) {
        self.cast.apply(Network::Restart(who));
        self.keep_all(who);
    }

    fn step(&mut self, number: u64) {
        if self.rng.below(1_000) < self.rate && !self.kinds.is_empty() {
            let at = index(&mut self.rng, self.kinds.len());
            self.fault(self.kinds[at]);
        }
        let text = format!("m{number} {}", "x".repeat(index(&mut self.rng, 200)));
        match self.rng.below(40) {
            0 => self.broadcast(text),
            1 => self.connect(),
            2 => {
                let (who, to) = self.two();
                let peer = PeerId::Native(self.cast.sim.key(to).expect("in the cast"));
                self.cast.give(who, Command::Disconnect { peer: Some(PeerRef::Id(peer)) });
            }
            3 => {
                let who = self.anybody();
                self.cast.give(who, Command::Ping { peer: PeerRef::Word("alice".into()) });
            }
            _ => self.send(text),
        }
        let pause = [0, 1, 30, 800][index(&mut self.rng, 4)];
        self.cast.pass(Duration::from_millis(self.rng.below(pause + 1)));
    }

    fn send(&mut self, text: String) {
        let (from, to) = self.two();
        let request = self.cast.send(from, to, &text);
        self.asked.push((from, to, request, text));
    }

    fn broadcast(&mut self, text: String) {
        let who = self.anybody();
        let body = Body::new(&text).expect("a body");
        let request = self.cast.give(who, Command::Broadcast { text: body, auto: false });
        self.broadcasts.push((who, request, text));
    }

    fn connect(&mut self) {
        let (from, to) = self.two();
        let to = PeerRef::At(self.cast.sim.address(to).expect("in the cast").into());
        self.cast.give(from, Command::Connect { to, dialect: None });
    }

    fn fault(&mut self, kind: u64) {
        let (a, b) = self.two();
        let time = Duration::from_millis(self.rng.below(40_000));
        let everybody = (0..self.cast.sim.peers()).map(PeerNo);
        let change = match kind {
            0 | 1 => {
                let (from, to) = everybody.partition(|_| self.rng.below(2) == 0);
                Network::Partition { from, to, one_way: kind == 1 }
            }
            2 => Network::Hold(a, b),
            3 => Network::Reset(a, b),
            4 => Network::HalfOpen(a, b),
            5 => Network::Refuse(a, self.rng.below(2) == 0),
            6 => Network::Clog(a, b, time),
            7 => Network::Slow(a, time),
            8 => Network::Disk(a, Duration::from_millis(self.rng.below(1_000))),
            9 | 10 if !self.is_up(a) => return self.restart(a),
            9 => Network::Crash(a),
            10 => Network::CrashAfter(a, self.rng.below(60)),
            _ => {
                let years = i64::try_from(self.rng.below(21)).expect("small") - 10;
                Network::Skew(a, years * 365 * 86_400 * 1_000_000)
            }
        };
        self.cast.apply(change);
        // Walls that only ever grow would leave nobody to talk to.
        if self.rng.below(4) == 0 {
            self.cast.apply(Network::Heal);
        }
    }

    /// The network is whole again, and no slower than the world's longest ways.
    fn heal_network(&mut self) {
        let ms = Duration::from_millis;
        self.cast.apply(Network::Heal);
        self.cast.apply(Network::Default(Shape { delay: ms(50), jitter: ms(100), ..Shape::default() }));
    }

    /// Every program starts anew.
    fn heal(&mut self) {
        self.heal_network();
        for who in (0..self.cast.sim.peers()).map(PeerNo) {
            if self.is_up(who) {
                self.cast.apply(Network::Crash(who));
            }
            self.cast.apply(Network::Disk(who, Duration::ZERO));
            self.restart(who);
        }
    }

    /// Programs that live go on living.
    fn heal_gently(&mut self) {
        self.heal_network();
        for who in (0..self.cast.sim.peers()).map(PeerNo) {
            self.cast.apply(Network::Disk(who, Duration::ZERO));
            if self.is_up(who) {
                // A fuse that has not burnt down would still go off.
                self.cast.apply(Network::CrashAfter(who, u64::MAX));
                // Some have parted by their own wish, and would not dial again.
                self.keep_all(who);
            } else {
                self.restart(who);
            }
        }
    }

    /// At any time what has come is the beginning of what was queued, and whatever counts as delivered
    /// is on the disk that it was for.
    fn check_so_far(&self) {
        for from in (0..self.cast.sim.peers()).map(PeerNo) {
            for to in (0..self.cast.sim.peers()).map(PeerNo) {
                let (queued, heard) = (self.cast.queued(from, to), self.cast.heard(to, from));
                assert!(queued.starts_with(&heard), "{from} to {to}\n{}", self.cast.tail());
                let key = self.cast.sim.key(to).expect("in the cast");
                let last = |record: &Record| match record {
                    Record::Delivered { to, seq, .. } if *to == key => Some(*seq),
                    _ => None,
                };
                let delivered = self.cast.sim.written(from).iter().rev().find_map(last).unwrap_or(0);
                assert!(delivered <= heard.len() as u64, "{from} to {to}: {delivered} delivered");
            }
        }
    }

    /// What each reply has promised is on the disk of whoever gave it, and what is on any disk has
    /// come where it was to go.
    fn check(&mut self) -> usize {
        for (from, to, request, text) in std::mem::take(&mut self.asked) {
            if let Some(Ok(Reply::Queued { .. })) = self.cast.reply(from, request) {
                assert!(self.cast.queued(from, to).contains(&text), "{from} has promised {to} {text:?}");
            }
        }
        for (from, request, text) in std::mem::take(&mut self.broadcasts) {
            let Some(Ok(Reply::Broadcast(told))) = self.cast.reply(from, request) else { continue };
            for to in (0..self.cast.sim.peers()).map(PeerNo) {
                let key = PeerId::Native(self.cast.sim.key(to).expect("in the cast"));
                let promised = told.iter().any(|(who, _)| who.id == key);
                assert!(!promised || self.cast.queued(from, to).contains(&text), "{from} to {to}: {text:?}");
            }
        }
        let mut count = 0;
        for from in (0..self.cast.sim.peers()).map(PeerNo) {
            for to in (0..self.cast.sim.peers()).map(PeerNo) {
                let (queued, heard) = (self.cast.queued(from, to), self.cast.heard(to, from));
                if heard != queued {
                    let same = heard.iter().zip(&queued).take_while(|(a, b)| a == b).count();
                    let rest =
                        |list: &[String]| format!("{} more: {:.60?}", list.len() - same, list.get(same));
                    let (heard, queued) = (rest(&heard), rest(&queued));
                    let tail = self.cast.tail();
                    panic!("{from} to {to}: after {same}, heard {heard}, queued {queued}\n{tail}");
                }
                count += heard.len();
            }
        }
        self.check_names();
        assert_eq!(self.cast.undelivered(), 0, "every outbox is empty\n{}", self.cast.tail());
        count
    }

    /// No message is on a disk twice under one name.
    fn check_names(&self) {
        for who in (0..self.cast.sim.peers()).map(PeerNo) {
            let id = |record: &Record| match record {
                Record::Received { from, id, .. } => Some((*from, *id)),
                _ => None,
            };
            let ids: Vec<_> = self.cast.sim.written(who).iter().filter_map(id).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{who} has one twice");
        }
    }
}

fn index(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).expect("small")
}

fn swarm(seed: u64, heal: impl Fn(&mut Swarm)) -> usize {
    let mut swarm = Swarm::new(seed);
    for who in (0..swarm.cast.sim.peers()).map(PeerNo) {
        swarm.keep_all(who);
    }
    swarm.cast.pass(Duration::from_secs(1));
    for number in 0..200 {
        swarm.step(number);
        if number % 10 == 0 {
            swarm.check_so_far();
        }
    }
    heal(&mut swarm);
    swarm.cast.pass(DRAIN);
    swarm.check()
}

#[test]
fn whatever_happens_each_message_that_was_queued_arrives_once_and_in_order() {
    seeds("sim_seeds::whatever_happens", 0..100, |seed| {
        swarm(seed, Swarm::heal);
    });
}

#[test]
fn it_does_so_too_when_nobody_starts_anew() {
    seeds("sim_seeds::it_does_so_too", 100..200, |seed| {
        swarm(seed, Swarm::heal_gently);
    });
}

#[test]
fn a_swarm_is_one_course_of_things() {
    for seed in [1, 2] {
        let run = || {
            let mut swarm = Swarm::new(seed);
            (0..60).for_each(|number| swarm.step(number));
            (swarm.cast.sim.digest(), swarm.cast.sim.work())
        };
        assert_eq!(run(), run());
    }
}

//! A crowd in an imaginary world: everybody has eight links, drawn at random, and broadcasts again and
//! again, each at its own moment. Counts what the front ends hear. Knows no clock but the world's.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use hobnob::api::command::Command;
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{Name, RequestId};
use hobnob::rng::{Rng, Seed};
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::time::Mono;
use hobnob::world::{PeerNo, Rest, World};

/// Links that every peer has; half of them it dials.
pub(crate) const DEGREE: usize = 8;
/// In which every peer broadcasts once.
const ROUND: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(60);

/// Everybody, and what they heard.
pub(crate) struct Crowd {
    pub(crate) sim: Sim,
    dials: Vec<(PeerNo, PeerNo)>,
    requests: VecDeque<(PeerNo, RequestId)>,
    /// Events that a peer came.
    pub(crate) joined: usize,
    /// Messages that came to a front end.
    pub(crate) heard: usize,
    /// Messages that their senders know to be saved.
    pub(crate) delivered: u64,
}

impl Crowd {
    /// `peers` of them, at least twenty, in an empty world.
    pub(crate) fn new(mut sim: Sim, peers: usize, seed: u64) -> Self {
        for number in 0..peers {
            let name = Name::new(&format!("p{number}")).expect("a name");
            sim.cast(name).expect("room for all");
        }
        let dials = graph(peers, seed);
        Self { sim, dials, requests: VecDeque::new(), joined: 0, heard: 0, delivered: 0 }
    }

    /// Everybody dials its four; then all eight links of everybody are up.
    pub(crate) fn connect(&mut self) {
        for (from, to) in std::mem::take(&mut self.dials) {
            let address = self.sim.address(to).expect("in the cast").into();
            let request = self.sim.session(from).expect("in the cast").submit(Command::Keep { address });
            self.requests.push_back((from, request));
        }
        self.settle();
        assert_eq!(self.joined, self.sim.peers() * DEGREE);
    }

    /// The first `speakers` broadcast once, one after the other, while what was said before travels.
    pub(crate) fn round(&mut self, speakers: usize) {
        let start = self.sim.now().mono;
        for number in 0..speakers {
            let moment = ROUND.mul_f64(number as f64 / speakers as f64);
            self.wait(start.plus(moment));
            let text = Body::new("a broadcast of some forty bytes, as chat has").expect("a body");
            let who = PeerNo(number);
            let broadcast = Command::Broadcast { text, auto: false };
            let request = self.sim.session(who).expect("in the cast").submit(broadcast);
            self.requests.push_back((who, request));
        }
        self.wait(start.plus(ROUND));
    }

    /// Until then; the front ends take each piece of news as it comes.
    fn wait(&mut self, until: Mono) {
        while self.sim.run(until.since(self.sim.now().mono)) {
            self.listen();
        }
    }

    /// Until nothing is under way.
    pub(crate) fn settle(&mut self) {
        let until = self.sim.now().mono.plus(LIMIT);
        loop {
            let rest = self.sim.rest(until.since(self.sim.now().mono));
            self.listen();
            match rest {
                Rest::News => {}
                Rest::Quiet => break,
                Rest::Waited => panic!("all of it arrives"),
            }
        }
        assert!(self.requests.is_empty(), "all are answered");
    }

    /// The front ends take what there is to take.
    fn listen(&mut self) {
        while let Some((_, event)) = self.sim.take_event() {
            match event.what {
                What::Joined { .. } => self.joined += 1,
                What::Message(_) => self.heard += 1,
                What::Delivered { first, last, .. } => self.delivered += last + 1 - first,
                other => panic!("nothing else happens here: {other:?}"),
            }
        }
        // Each is answered at the end of its turn, but for those that dial.
        while let Some(&(who, request)) = self.requests.front() {
            let reply = self.sim.session(who).expect("in the cast").take_reply(request);
            match reply {
                None => return,
                Some(Ok(Reply::Kept(Ok(_)))) => {}
                Some(Ok(Reply::Broadcast(told))) if told.len() == DEGREE => {}
                Some(other) => panic!("{who} says {other:?}"),
            }
            self.requests.pop_front();
        }
    }
}

/// Who dials whom: four permutations, one over the other, so that everybody dials four others and is
/// dialled by four, and no two of them have two links.
fn graph(peers: usize, seed: u64) -> Vec<(PeerNo, PeerNo)> {
    assert!(peers >= 20, "eight links each need some room");
    let mut rng = Rng::new(Seed::from_number(seed ^ 0x6A4F));
    let mut below = |bound: usize| usize::try_from(rng.below(bound as u64)).expect("below a usize");
    let pair = |a: usize, b: usize| (a.min(b), a.max(b));
    let (mut taken, mut dials) = (BTreeSet::new(), Vec::new());
    for _ in 0..DEGREE / 2 {
        let mut to: Vec<usize> = (0..peers).collect();
        for at in (1..peers).rev() {
            to.swap(at, below(at + 1));
        }
        // Whoever would dial itself, or one that it has, changes with somebody.
        loop {
            let mut own = BTreeSet::new();
            let bad = |&at: &usize| {
                let edge = pair(at, to[at]);
                at == to[at] || taken.contains(&edge) || !own.insert(edge)
            };
            let Some(at) = (0..peers).find(bad) else { break };
            to.swap(at, below(peers));
        }
        for (from, to) in to.into_iter().enumerate() {
            taken.insert(pair(from, to));
            dials.push((PeerNo(from), PeerNo(to)));
        }
    }
    dials
}

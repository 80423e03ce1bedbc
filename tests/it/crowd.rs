//! A crowd in an imaginary world: everybody has eight links, drawn at random, and broadcasts again and
//! again, each at its own moment. Counts what the front ends hear. Knows no clock but the world's.

use std::collections::BTreeSet;
use std::time::Duration;

use hobnob::api::command::Command;
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{Name, RequestId};
use hobnob::rng::{Rng, Seed};
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::world::{PeerNo, World};

/// Links that every peer has; half of them it dials.
pub(crate) const DEGREE: usize = 8;
/// In which every peer broadcasts once.
const ROUND: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(60);

/// Everybody, and what they heard.
pub(crate) struct Crowd {
    pub(crate) sim: Sim,
    dials: Vec<(PeerNo, PeerNo)>,
    requests: Vec<(PeerNo, RequestId)>,
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
        Self { sim, dials, requests: Vec::new(), joined: 0, heard: 0, delivered: 0 }
    }

    /// Everybody dials its four; then all eight links of everybody are up.
    pub(crate) fn connect(&mut self) {
        for (from, to) in std::mem::take(&mut self.dials) {
            let address = self.sim.address(to).expect("in the cast").into();
            self.sim.session(from).expect("in the cast").submit(Command::Keep { address });
        }
        self.settle();
        assert_eq!(self.joined, self.sim.peers() * DEGREE);
    }

    /// Everybody broadcasts once, one after the other, while what was said before travels.
    pub(crate) fn round(&mut self) {
        let peers = self.sim.peers();
        let start = self.sim.now().mono;
        for number in 0..peers {
            let moment =
                start.plus(ROUND * u32::try_from(number).expect("few") / u32::try_from(peers).expect("few"));
            self.sim.pass(moment.since(self.sim.now().mono));
            let text = Body::new("a broadcast of some forty bytes, as chat has").expect("a body");
            let who = PeerNo(number);
            let broadcast = Command::Broadcast { text, auto: false };
            let request = self.sim.session(who).expect("in the cast").submit(broadcast);
            self.requests.push((who, request));
        }
        self.listen();
    }

    /// Until nothing is under way.
    pub(crate) fn settle(&mut self) {
        assert!(self.sim.settle(LIMIT), "all of it arrives");
        self.listen();
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
        let sim = &mut self.sim;
        self.requests.retain(|&(who, request)| {
            match sim.session(who).expect("in the cast").take_reply(request) {
                None => true,
                Some(Ok(Reply::Broadcast(told))) if told.len() == DEGREE => false,
                Some(other) => panic!("{who} says {other:?}"),
            }
        });
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

//! Two nodes joined in memory, without sockets: what a message costs from the command to its
//! acknowledgement, the record and the front end's share included. `cargo bench --bench node`.

use divan::Bencher;
use divan::counter::ItemsCount;
use std::net::SocketAddr;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::event::What;
use hobnob::id::{LinkId, Name, PeerId, RequestId};
use hobnob::key::Keys;
use hobnob::node::Node;
use hobnob::node::io::{Config, Effect, Input};
use hobnob::node::record::{Answer, Snapshot};
use hobnob::rng::Seed;
use hobnob::text::Body;
use hobnob::time::Now;

fn main() {
    divan::main();
}

/// Two nodes, the stream between them, and what their front ends were told.
struct Pair {
    nodes: [Node; 2],
    requests: u64,
    heard: u64,
    delivered: u64,
}

fn addr(at: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], if at == 0 { 5_000 } else { 5_001 }))
}

fn link(at: usize) -> LinkId {
    if at == 0 { LinkId::dialled(1) } else { LinkId::accepted(1) }
}

impl Pair {
    fn new(keeps: bool) -> Self {
        let node = |at: usize| {
            let mut config = Config::new(Name::new(["alice", "bob"][at]).expect("a good name"));
            config.listens = Some(addr(at));
            config.keeps = keeps;
            let seed = Seed::from_number(at as u64);
            Node::new(config, Keys::from_seed(seed), Snapshot::default(), seed)
        };
        let mut pair = Self { nodes: [node(0), node(1)], requests: 0, heard: 0, delivered: 0 };
        pair.give(0, Command::Connect { to: PeerRef::At(addr(1).into()), dialect: None });
        pair.run(Vec::new());
        pair
    }

    fn give(&mut self, at: usize, command: Command) {
        self.requests += 1;
        let mut effects = Vec::new();
        let input = Input::Command { request: RequestId(self.requests), command };
        self.nodes[at].handle(Now::default(), input, &mut effects);
        let first = effects.into_iter().map(|effect| (at, effect)).collect();
        self.run(first);
    }

    /// Flushes and performs until nothing is left to do.
    fn run(&mut self, mut todo: Vec<(usize, Effect)>) {
        loop {
            let mut next = Vec::new();
            for (at, effect) in todo.drain(..) {
                self.perform(at, effect, &mut next);
            }
            todo = next;
            if todo.is_empty() {
                return;
            }
        }
    }

    fn settle(&mut self) {
        loop {
            let mut todo = Vec::new();
            for at in 0..2 {
                let mut effects = Vec::new();
                self.nodes[at].flush(&mut effects);
                todo.extend(effects.into_iter().map(|effect| (at, effect)));
            }
            if todo.is_empty() {
                return;
            }
            self.run(todo);
        }
    }

    fn perform(&mut self, at: usize, effect: Effect, next: &mut Vec<(usize, Effect)>) {
        let (now, other) = (Now::default(), 1 - at);
        match effect {
            Effect::Dial { .. } => {
                for end in 0..2 {
                    let opened = Input::Opened { link: link(end), remote: addr(1 - end), local: addr(end) };
                    self.input(end, now, opened, next);
                }
            }
            Effect::Write { link: from, bytes } => {
                self.input(other, now, Input::Received { link: link(other), bytes: &bytes }, next);
                self.input(at, now, Input::Flushed { link: from, count: bytes.len() }, next);
            }
            Effect::Save { save, .. } => {
                self.input(at, now, Input::Stored(Answer::Saved { save, known: Vec::new() }), next)
            }
            Effect::Emit(event) => match event.what {
                What::Message(_) => self.heard += 1,
                What::Delivered { last, .. } => self.delivered = last,
                _ => {}
            },
            Effect::Reply { .. }
            | Effect::Load { .. }
            | Effect::Close { .. }
            | Effect::Cut { .. }
            | Effect::Pause { .. }
            | Effect::Finish { .. } => {}
        }
    }

    fn input(&mut self, at: usize, now: Now, input: Input<'_>, next: &mut Vec<(usize, Effect)>) {
        let mut effects = Vec::new();
        self.nodes[at].handle(now, input, &mut effects);
        next.extend(effects.into_iter().map(|effect| (at, effect)));
    }
}

/// Messages to one peer, all of them delivered; with a store and without.
#[divan::bench(args = [true, false])]
fn a_thousand_sends(bencher: Bencher<'_, '_>, keeps: bool) {
    const COUNT: u64 = 1_000;
    let mut pair = Pair::new(keeps);
    pair.settle();
    let to = PeerRef::Id(PeerId::Native(pair.nodes[1].key()));
    let text = "x".repeat(100);
    let mut sent = 0;
    bencher.counter(ItemsCount::new(COUNT)).bench_local(|| {
        for _ in 0..COUNT {
            let text = Body::new(&text).expect("a body");
            pair.give(0, Command::Send { to: to.clone(), text, auto: false });
        }
        pair.settle();
        sent += COUNT;
        assert_eq!((pair.heard, pair.delivered), (sent, sent));
    });
}

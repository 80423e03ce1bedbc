//! A cast in an imaginary world, for the tests that need one: who sends what to whom, and what the
//! disks have of it. What arrived is read from the disks and not asked of the nodes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use hobnob::api::command::{Command, CommandError, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{Name, PeerId, RequestId};
use hobnob::node::record::Record;
use hobnob::rng::Seed;
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::why::Why;
use hobnob::world::{Network, PeerNo, World};

pub(crate) const A: PeerNo = PeerNo(0);
pub(crate) const B: PeerNo = PeerNo(1);
pub(crate) const C: PeerNo = PeerNo(2);

/// Long enough for whatever is not lost.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Cast {
    pub(crate) sim: Sim,
}

impl Cast {
    pub(crate) fn new(seed: u64, names: &[&str]) -> Self {
        let mut sim = Sim::new(Seed::from_number(seed));
        for name in names {
            sim.cast(Name::new(name).expect("a good name")).expect("room for all");
        }
        Self { sim }
    }

    /// Alice and bob, connected.
    pub(crate) fn pair(seed: u64) -> Self {
        let mut cast = Self::new(seed, &["alice", "bob"]);
        cast.connect(A, B);
        cast.settle();
        cast
    }

    pub(crate) fn apply(&mut self, change: Network) {
        self.sim.apply(&change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }

    pub(crate) fn give(&mut self, who: PeerNo, command: Command) -> RequestId {
        self.sim.session(who).expect("in the cast").submit(command)
    }

    pub(crate) fn reply(&mut self, who: PeerNo, request: RequestId) -> Option<Result<Reply, CommandError>> {
        self.sim.session(who).expect("in the cast").take_reply(request)
    }

    pub(crate) fn call(&mut self, who: PeerNo, command: Command) -> Result<Reply, CommandError> {
        self.sim.session(who).expect("in the cast").call(command, LONG)
    }

    pub(crate) fn connect(&mut self, from: PeerNo, to: PeerNo) {
        let to = PeerRef::At(self.sim.address(to).expect("in the cast").into());
        self.call(from, Command::Connect { to, dialect: None }).expect("it connects");
    }

    /// Keeps the address of another, as `--peer` does.
    pub(crate) fn keep(&mut self, from: PeerNo, to: PeerNo) {
        let address = self.sim.address(to).expect("in the cast").into();
        self.give(from, Command::Keep { address });
    }

    pub(crate) fn send(&mut self, from: PeerNo, to: PeerNo, text: &str) -> RequestId {
        let to = PeerRef::Id(PeerId::Native(self.sim.key(to).expect("in the cast")));
        let text = Body::new(text).expect("a body");
        self.give(from, Command::Send { to, text, auto: false })
    }

    pub(crate) fn settle(&mut self) {
        assert!(self.sim.settle(LONG), "it settles: {}", self.tail());
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.sim.pass(time);
    }

    /// What is on the disk of `to` that `from` wrote.
    pub(crate) fn heard(&self, to: PeerNo, from: PeerNo) -> Vec<String> {
        let key = self.sim.key(from).expect("in the cast");
        let text = |record: &Record| match record {
            Record::Received { from, text, .. } if *from == key => Some(text.expose().to_owned()),
            _ => None,
        };
        self.sim.written(to).iter().filter_map(text).collect()
    }

    /// What is on the disk of `from` that was to go to `to`.
    pub(crate) fn queued(&self, from: PeerNo, to: PeerNo) -> Vec<String> {
        let key = self.sim.key(to).expect("in the cast");
        let text = |record: &Record| match record {
            Record::Queued { to, text, .. } if *to == key => Some(text.as_str().to_owned()),
            _ => None,
        };
        self.sim.written(from).iter().filter_map(text).collect()
    }

    /// What happened at a peer since this was last asked.
    pub(crate) fn events(&mut self, who: PeerNo) -> Vec<What> {
        let mut session = self.sim.session(who).expect("in the cast");
        std::iter::from_fn(|| session.take_event().map(|event| event.what)).collect()
    }

    /// Why peers were lost since the events were last asked for.
    pub(crate) fn losses(&mut self, who: PeerNo) -> Vec<Why> {
        let lost = |what| match what {
            What::Lost { why, .. } => Some(why),
            _ => None,
        };
        self.events(who).into_iter().filter_map(lost).collect()
    }

    /// Messages that some node still has to deliver.
    pub(crate) fn undelivered(&mut self) -> usize {
        let mut queued = 0;
        for who in (0..self.sim.peers()).map(PeerNo) {
            match self.call(who, Command::Status) {
                Ok(Reply::Status(status)) => queued += status.queued,
                other => panic!("{who} says {other:?} to status"),
            }
        }
        queued
    }

    /// The last lines of the trace, for a message of failure.
    pub(crate) fn tail(&self) -> String {
        let lines: Vec<_> = self.sim.trace().map(ToString::to_string).collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

/// Numbers as texts.
pub(crate) fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// Runs `test` with each seed; with `SEED=7` in the environment with that alone, with `SEEDS=5000`
/// with so many. A failure says how to repeat it.
pub(crate) fn seeds(name: &str, range: std::ops::Range<u64>, test: impl Fn(u64)) {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let range = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => range.start..range.start + count,
        (None, None) => range,
    };
    for seed in range {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(seed))) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            panic!("{text}\nto repeat it: SEED={seed} cargo test --test it {name}");
        }
    }
}

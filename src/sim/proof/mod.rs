//! The proof: each seed draws a cast, what its people do, and what goes wrong; then everything that
//! can heal does, and whatever was promised must be true. What must be true is written down a second
//! time here (`book`), from what people asked and were told and from what is on the disks, and never
//! asked of the nodes. Who drives it decides how many seeds, and what to do about one that fails.

mod book;
mod check;
mod deed;
#[cfg(feature = "planted")]
pub mod hunt;
mod plan;
mod told;

use std::fmt;
use std::time::Duration;

use crate::api::command::Command;
use crate::api::reply::Reply;
use crate::rng::{Rng, Seed};
use crate::sim::{MakeMedium, Sim};
use crate::time::Mono;
use crate::world::{Network, PeerNo, Shape, World};
use book::Book;
use plan::Plan;

/// What one seed came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Messages that were promised.
    pub promised: u64,
    /// Messages that are on the disk they were for.
    pub arrived: u64,
    /// Faults, of whatever kind.
    pub faults: u64,
    /// The time that passed there.
    pub time: Duration,
    /// A number for all that happened.
    pub digest: u64,
}

/// What was not true, in which seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// Which of the invariants: S1 to S14, L1, L3.
    pub rule: &'static str,
    /// Who had what, and what should have been.
    pub what: String,
    /// The end of the world's trace.
    pub tail: String,
}

/// Twice the longest pause between two dials: after that nothing that can arrive is still away.
const DRAIN: Duration = Duration::from_secs(240);
/// What no wire may carry in the clear; every text begins so.
const CANARY: &str = "kanari";
/// Deeds between two looks at everything.
const LOOK_EVERY: u64 = 40;

/// A cast, its world and what is known of it.
struct Proof {
    plan: Plan,
    rng: Rng,
    sim: Sim,
    book: Book,
    faults: u64,
    /// Something was seen not to be true in the midst of something else.
    broken: Option<Broken>,
}

/// Plays one seed, and looks whether what must be true is. If not, the last `tail` lines of the trace
/// are shown.
///
/// # Errors
/// Something is not true.
pub fn run(seed: u64, tail: usize) -> Result<Course, Box<Violation>> {
    play(seed, tail, None)
}

/// The same with disks that stand on these: then a crash is a power cut, and what comes back of it is
/// held to the same.
///
/// # Errors
/// Something is not true.
pub fn run_on(medium: MakeMedium, seed: u64, tail: usize) -> Result<Course, Box<Violation>> {
    play(seed, tail, Some(medium))
}

fn play(seed: u64, tail: usize, medium: Option<MakeMedium>) -> Result<Course, Box<Violation>> {
    let mut proof = Proof::new(seed, tail, medium);
    match proof.play() {
        Ok(()) => Ok(proof.course()),
        Err((rule, what)) => {
            let tail = proof.tail();
            Err(Box::new(Violation { seed, rule, what, tail }))
        }
    }
}

/// Which rule was broken, and how.
type Broken = (&'static str, String);

impl Proof {
    fn new(seed: u64, tail: usize, medium: Option<MakeMedium>) -> Self {
        let mut rng = Rng::new(Seed::from_number(seed ^ 0x9A0F));
        let plan = Plan::draw(&mut rng);
        let mut sim = Sim::with_cipher(Seed::from_number(seed), plan.cipher);
        sim.keep_trace(tail);
        if let Some(medium) = medium {
            sim.stand_on(medium);
        }
        sim.watch_for(CANARY.as_bytes());
        let mut proof = Self { plan, rng, sim, book: Book::default(), faults: 0, broken: None };
        proof.cast();
        proof
    }

    fn play(&mut self) -> Result<(), Broken> {
        self.sim.pass(Duration::from_secs(2));
        self.hear()?;
        for deed in 0..self.plan.deeds {
            self.deed(deed);
            let pause = self.plan.pause(&mut self.rng);
            self.sim.pass(pause);
            self.hear()?;
            if deed % LOOK_EVERY == 0 {
                self.look()?;
            }
        }
        self.look()?;
        self.heal();
        let until = self.sim.now().mono.plus(DRAIN);
        while self.sim.now().mono < until && !(self.are_together() && self.is_drained()) {
            self.sim.pass(Duration::from_secs(5));
            self.hear()?;
            self.replace_all();
        }
        self.hear()?;
        self.look()?;
        self.end()?;
        self.cut_all();
        self.hear()
    }

    /// Takes in what was told.
    fn hear(&mut self) -> Result<(), Broken> {
        for who in self.everybody() {
            if let Some(what) = self.sim.odd(who) {
                return Err(("S13", format!("the store of {who:?}: {what}")));
            }
        }
        self.listen()?;
        self.broken.take().map_or(Ok(()), Err)
    }

    /// Whether everybody is connected to everybody, by what they say themselves.
    fn are_together(&mut self) -> bool {
        let others = self.sim.peers() - 1;
        self.everybody().all(|who| {
            let status =
                self.sim.session(who).map(|mut session| session.call(Command::Status, Duration::ZERO));
            matches!(status, Ok(Ok(Reply::Status(status))) if status.connected >= others)
        })
    }

    /// Everything that can become whole does: the network, the disks, the programs, and people say
    /// which keys are right.
    fn heal(&mut self) {
        self.apply(&Network::Heal);
        let ms = Duration::from_millis;
        self.apply(&Network::Default(Shape { delay: ms(20), jitter: ms(30), ..Shape::default() }));
        for who in self.everybody() {
            self.mend(who);
        }
    }

    fn course(&self) -> Course {
        Course {
            promised: self.book.promised(),
            arrived: self.book.arrived(),
            faults: self.faults,
            time: Duration::from_micros(self.sim.now().mono.0),
            digest: self.sim.digest().unwrap_or(0),
        }
    }

    fn tail(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        for entry in self.sim.trace() {
            let _ = writeln!(text, "{:>12} {:?} {}", entry.at.0, entry.who, entry.what);
        }
        text
    }

    fn everybody(&self) -> impl Iterator<Item = PeerNo> + use<> {
        (0..self.sim.peers()).map(PeerNo)
    }

    fn is_up(&self, who: PeerNo) -> bool {
        self.sim.is_up(who).unwrap_or(false)
    }

    fn apply(&mut self, change: &Network) {
        // What makes no sense now is no fault.
        self.faults += u64::from(self.sim.apply(change).is_ok());
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.below(bound.max(1) as u64)).unwrap_or(0)
    }

    fn time(&self) -> Mono {
        self.sim.now().mono
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, rule, what, tail } = self;
        writeln!(f, "seed {seed}: {rule}: {what}")?;
        f.write_str(tail)
    }
}

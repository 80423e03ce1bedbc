//! Nodes and what lies between them: who is in the cast, what the network does to them, how time
//! passes. A script sees nothing else of its surroundings, so the same script runs in an imaginary
//! world and over sockets; a world that cannot do something says so instead of pretending.

mod check;
pub(crate) mod fault;
pub(crate) mod pipe;

pub(crate) use check::check;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::Dialect;
use crate::api::event::Event;
use crate::id::Name;
use crate::key::PeerKey;
use crate::session::Session;
use crate::time::{Mono, Now};

/// A peer of the cast, numbered from 0 in the order of being cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerNo(pub usize);

/// How bytes travel from one peer to another. Order is kept whatever the numbers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// How long every byte takes at least.
    pub delay: Duration,
    /// Up to how much longer a piece takes, drawn for each.
    pub jitter: Duration,
    /// Bytes a second; `None` for as many as there are.
    pub bandwidth: Option<u64>,
    /// The largest piece in which bytes arrive, each drawn from 1 byte up; `None` for as they were
    /// written.
    pub pieces: Option<u64>,
    /// Bytes arrive together with all others of the same so many: they wait for the next multiple
    /// of it. Zero for as they come.
    pub glue: Duration,
}

/// Something that happens to the network, or to a machine on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// Between any two peers without a shape of their own it is like this from now on.
    Default(Shape),
    /// Between these two it is like this from now on, both ways.
    Link {
        /// One.
        a: PeerNo,
        /// The other.
        b: PeerNo,
        /// How.
        shape: Shape,
    },
    /// Nothing passes from one side to the other until healed; dials find nobody. TCP keeps what it
    /// could not deliver, so what is under way comes later unless somebody gives up.
    Partition {
        /// One side.
        from: Vec<PeerNo>,
        /// The other.
        to: Vec<PeerNo>,
        /// Nothing passes `from` there, but what comes back does.
        one_way: bool,
    },
    /// Partitions, holds, clogs, refusals and slowness end. What was lost stays lost.
    Heal,
    /// Nothing passes between these two, either way, until it is released.
    Hold(PeerNo, PeerNo),
    /// What was held comes, in order.
    Release(PeerNo, PeerNo),
    /// Every stream between these two is reset at both ends; what was under way is lost.
    Reset(PeerNo, PeerNo),
    /// Every stream between these two becomes a hole: nothing comes of it any more, not even its
    /// end. New streams are whole.
    HalfOpen(PeerNo, PeerNo),
    /// Dials to this peer are refused, or no more.
    Refuse(PeerNo, bool),
    /// Nothing passes between these two for so long, either way.
    Clog(PeerNo, PeerNo, Duration),
    /// This peer reads nothing for so long.
    Slow(PeerNo, Duration),
    /// What this peer saves is safe only after so long.
    Disk(PeerNo, Duration),
    /// The peer's program dies at once, without a word.
    Crash(PeerNo),
    /// The peer's program dies once it has had so many more of its wishes fulfilled: between any
    /// two, be it in the middle of a turn.
    CrashAfter(PeerNo, u64),
    /// The peer's program starts anew with what it had saved, its key among it.
    Restart(PeerNo),
    /// The peer's date is so many microseconds ahead of the world's, or behind.
    Skew(PeerNo, i64),
}

/// Why a world did not do what it was asked. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// No such number.
    #[error("there is no {0}; cast it first ({1} peers are here)")]
    UnknownPeer(PeerNo, usize),
    /// The peer's program does not run.
    #[error("{0} is down; restart it first")]
    Down(Name),
    /// It runs already.
    #[error("{0} is up already; crash it first")]
    Up(Name),
    /// Two peers of one cast cannot share a name.
    #[error("a peer called {0} is here already; choose another name")]
    NameTaken(Name),
    /// As many peers as a world holds.
    #[error("this world holds {0} peers and no more")]
    Full(usize),
    /// A link or a partition needs two sides.
    #[error("{0}: {1} stands on both sides; name two different peers")]
    BothSides(&'static str, Name),
    /// A number that makes no sense.
    #[error("{0}: {1}")]
    Senseless(&'static str, &'static str),
    /// This kind of world cannot do it.
    #[error("{0}: {1}")]
    Unable(&'static str, String),
}

/// One line of what happened: an input to a node, a wish of it, or a change of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Mono,
    /// At whose place; `None` for the network.
    pub who: Option<PeerNo>,
    /// What, in a compact form for reading and comparing.
    pub what: String,
}

/// What ended a wait for the world to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Some peer has something new to take.
    News,
    /// The world is at rest.
    Quiet,
    /// Neither, in all of the time, or somebody rang the world's bell.
    Waited,
}

/// Some nodes with all that lies between them.
pub trait World {
    /// A new peer under this name, up and listening.
    ///
    /// # Errors
    /// The name is taken, or the world is full.
    fn cast(&mut self, name: Name) -> Result<PeerNo, WorldError>;

    /// What protocol peers speak that are cast from now on, where nothing is known of an address.
    fn speak(&mut self, dialect: Dialect);

    /// How many were cast.
    fn peers(&self) -> usize;

    /// How bytes travel between two peers of whom nothing else was said.
    fn usual(&self) -> Shape;

    /// Who was cast under this name.
    fn find(&self, name: Name) -> Option<PeerNo>;

    /// Under what name it was cast.
    ///
    /// # Errors
    /// Nobody has this number. The same holds for all that follow.
    fn name(&self, who: PeerNo) -> Result<Name, WorldError>;

    /// Its key, which stays the same when it restarts.
    ///
    /// # Errors
    /// See [`World::name`].
    fn key(&self, who: PeerNo) -> Result<PeerKey, WorldError>;

    /// Where the others dial it.
    ///
    /// # Errors
    /// See [`World::name`].
    fn address(&self, who: PeerNo) -> Result<SocketAddr, WorldError>;

    /// Whether its program runs.
    ///
    /// # Errors
    /// See [`World::name`].
    fn is_up(&self, who: PeerNo) -> Result<bool, WorldError>;

    /// The peer's face. One of a peer that is down still gives what was said before; it refuses
    /// commands.
    ///
    /// # Errors
    /// See [`World::name`].
    fn session(&mut self, who: PeerNo) -> Result<Box<dyn Session + '_>, WorldError>;

    /// Does this to the network.
    ///
    /// # Errors
    /// It makes no sense here; nothing was done.
    fn apply(&mut self, change: &Network) -> Result<(), WorldError>;

    /// The world's own time.
    fn now(&self) -> Now;

    /// Lets time pass until some peer has something new to take, or `patience` is over. False in the
    /// last case only. Where time is real, the world's bell ends this and every other wait early.
    fn run(&mut self, patience: Duration) -> bool;

    /// Lets all of `time` pass; what the peers say meanwhile stays to be taken.
    fn pass(&mut self, time: Duration) {
        let until = self.now().mono.plus(time);
        while self.run(until.since(self.now().mono)) {}
    }

    /// Lets time pass until some peer has something new to take, or the world is at rest: nothing is
    /// under way and nobody has anything to do but to keep links alive and to dial again later. What
    /// the network withholds until it is told otherwise is not waited for.
    fn rest(&mut self, patience: Duration) -> Rest;

    /// Lets time pass until the world is at rest; false if `limit` came first. What the peers say
    /// meanwhile stays to be taken.
    fn settle(&mut self, limit: Duration) -> bool {
        let until = self.now().mono.plus(limit);
        loop {
            match self.rest(until.since(self.now().mono)) {
                Rest::News => {}
                Rest::Quiet => return true,
                Rest::Waited => return false,
            }
        }
    }

    /// The oldest event that nobody has taken, whoever's it is: the same that the peer's own session
    /// would give next.
    fn take_event(&mut self) -> Option<(PeerNo, Event)>;

    /// What happened, the oldest first, as far back as the world keeps it.
    fn trace(&self) -> Box<dyn Iterator<Item = &Entry> + '_>;

    /// A number that stands for everything that ever happened, in a world where a seed decides all.
    fn digest(&self) -> Option<u64>;
}

impl fmt::Display for PeerNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}", self.0)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Duration::from_micros(self.at.0);
        match self.who {
            Some(who) => write!(f, "{:>12.6} {who} {}", at.as_secs_f64(), self.what),
            None => write!(f, "{:>12.6} net {}", at.as_secs_f64(), self.what),
        }
    }
}

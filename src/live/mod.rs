//! Nodes in the real world: sockets, clocks and a store, on one thread. A turn hands each node all
//! that is ready, performs what it asks for, and writes once a link; then it waits. No policy lives
//! here: what to dial, to say or to close is the node's decision.

mod attend;
mod clock;
mod dial;
mod due;
mod face;
mod host;
mod listen;
mod open;
mod perform;
pub mod ports;
mod ready;
mod replies;
mod reserve;
mod slab;
mod stream;
pub mod world;

use std::net::SocketAddr;
use std::time::Duration;

use crate::id::Name;
use crate::key::Keys;
use crate::limits;
use crate::node::Node;
use crate::node::io::{Config, Effect, Input};
use crate::rng::Seed;
use crate::session::Bell;
use crate::store::Store;
use crate::time::{Mono, Now};
use crate::why::Why;
use clock::Clock;
use due::{Due, Whose};
use host::{Host, Keeping};
use listen::Listener;
use ready::{Ready, Token};
use reserve::Reserve;
use slab::{Slab, Thing};
use world::net::Net;

pub use clock::wall;
pub use face::Face;
pub use open::{Listen, OpenError};
pub use reserve::{enough, links_max};

/// Some nodes on one thread, with all their streams.
pub struct Live {
    clock: Clock,
    ready: Ready,
    due: Due,
    hosts: Vec<Host>,
    things: Slab,
    effects: Vec<Effect>,
    scratch: Vec<u8>,
    tokens: Vec<Token>,
    /// Streams that were given something to write, and buffers that are written.
    queued: Vec<Token>,
    spent: Vec<Vec<u8>>,
    /// Hosts whose node has been given something since its last flush.
    stirred: Vec<usize>,
    /// Hosts whose store has yet to answer.
    storing: Vec<usize>,
    news: u64,
    /// Inputs that nodes were given, ever.
    given: u64,
    /// Waits that ended in news before the system was asked, since it last was.
    hasty: u32,
    /// What lies between the nodes, if they are the cast of a world.
    net: Option<Box<Net>>,
    /// What was under way when it was last asked whether anything is.
    moving: Token,
    reserve: Reserve,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    News,
    Bell,
    Late,
}

/// Bytes read from one stream in one go; more waits for the next turn, so that all get their share.
const READ_MAX: usize = 128 * 1024;
/// Waits that may end in news before the system is asked what is ready: a front end that always has
/// something to say must hear too.
const HASTY_MAX: u32 = 8;

impl Live {
    /// Nobody yet.
    ///
    /// # Errors
    /// The system has no descriptors left; nothing could be done without.
    pub fn new() -> Result<Self, OpenError> {
        enough()?;
        Ok(Self {
            clock: Clock::new(),
            ready: Ready::new().map_err(OpenError::Wait)?,
            due: Due::default(),
            hosts: Vec::new(),
            things: Slab::default(),
            effects: Vec::new(),
            scratch: vec![0; READ_MAX],
            tokens: Vec::new(),
            queued: Vec::new(),
            spent: Vec::new(),
            stirred: Vec::new(),
            storing: Vec::new(),
            news: 0,
            given: 0,
            hasty: 0,
            net: None,
            moving: Token(0),
            reserve: Reserve::new(),
        })
    }

    /// Starts a node: binds, then brings it up with what the store remembers. Gives its number.
    ///
    /// # Errors
    /// It cannot listen there; nothing was started.
    pub fn start(
        &mut self,
        mut config: Config,
        keys: Keys,
        seed: Seed,
        listen: Listen,
        store: Box<dyn Store>,
    ) -> Result<usize, OpenError> {
        let at = self.hosts.len();
        let listener = match listen {
            Listen::Nowhere => None,
            Listen::At(addr) => Some(Listener::bind(addr, at)?),
            Listen::All { port } => Some(open::bind_all(port, at)?),
        };
        let listens = listener.as_ref().map(Listener::addr);
        let listener = listener.map(|listener| self.listen(listener)).transpose()?;
        let mut store = Keeping::Store(store);
        (config.listens, config.keeps, config.passing) = (listens, store.keeps(), !store.keeps());
        let node = Node::new(config, keys, store.load(), seed);
        let host = Host { listens, listener, ..Host::new(node, store, None) };
        let at = self.add(host);
        // It has errands of its own from the first moment on, be nobody ever to say a word to it.
        self.give(at, self.clock.now(), Input::Tick);
        Ok(at)
    }

    fn add(&mut self, host: Host) -> usize {
        let at = self.hosts.len();
        self.hosts.push(host);
        self.stir(at);
        at
    }

    fn listen(&mut self, mut listener: Listener) -> Result<Token, OpenError> {
        let token = self.things.reserve();
        if let Err(error) = listener.watch(&self.ready, token) {
            self.things.free(token);
            return Err(error);
        }
        self.things.put(token, Thing::Listener(listener));
        Ok(token)
    }

    /// The `at`-th node's face.
    pub fn face(&mut self, at: usize) -> Face<'_> {
        Face { live: self, at }
    }

    /// Where the `at`-th node listens.
    pub fn listens(&self, at: usize) -> Option<SocketAddr> {
        self.hosts[at].listens
    }

    /// What the `at`-th node calls itself.
    pub fn name(&self, at: usize) -> Name {
        let host = &self.hosts[at];
        host.node.as_ref().map_or(host.name, Node::name)
    }

    /// Something that any thread may ring to end a wait.
    pub fn bell(&self) -> Bell {
        let outside = self.ready.outside();
        Bell::new(move || outside.ring())
    }

    /// For a store on a thread of its own: says that it has an answer. Never waits.
    pub fn store_bell(&self) -> Box<dyn Fn() + Send> {
        let outside = self.ready.outside();
        Box::new(move || outside.wake())
    }

    /// Lets the world run as [`Session::wait`] does, for all nodes together.
    pub fn wait(&mut self, patience: Duration) -> bool {
        self.wake(patience) != Woken::Late
    }

    fn wake(&mut self, patience: Duration) -> Woken {
        self.clock.set();
        let until = self.clock.now().mono.plus(patience);
        let (before, mut looked) = (self.news, false);
        loop {
            self.flush();
            self.turn();
            let is_news = self.news != before;
            if is_news || self.ready.take_bell() {
                self.hasty += 1;
                if !looked && self.hasty >= HASTY_MAX {
                    self.look(Duration::ZERO);
                }
                return if is_news { Woken::News } else { Woken::Bell };
            }
            let now = self.clock.now().mono;
            if looked && now >= until {
                return Woken::Late;
            }
            self.look_until(until, now);
            looked = true;
        }
    }

    /// Asks the system what is ready, and lets it sleep on that if there is nothing to do.
    fn look_until(&mut self, until: Mono, now: Mono) {
        // By way of the system even when there is more to do, so that a busy stream does not hide
        // the others.
        let busy = self.ready.any() || !self.stirred.is_empty();
        let next = self.due.next().map_or(until, |next| next.min(until));
        self.look(if busy { Duration::ZERO } else { next.since(now) });
    }

    /// Waits until closed streams have sent their last bytes and the other side has closed too; at
    /// most for `patience`. Whatever is left then is cut by the system.
    pub fn drain(&mut self, patience: Duration) {
        let until = self.clock.now().mono.plus(patience);
        while self.things.streams().any(|stream| stream.is_closing()) && self.clock.now().mono < until {
            self.wait(Duration::from_millis(20));
        }
    }

    /// Asks the system what is ready.
    fn look(&mut self, patience: Duration) {
        self.hasty = 0;
        let things = &mut self.things;
        self.ready.wait(patience, |token, signs| things.tell(token, signs));
    }

    /// Hands over all that is ready.
    fn turn(&mut self) {
        let now = self.clock.now();
        while let Some(whose) = self.due.take(now.mono) {
            match whose {
                Whose::Host(at) => {
                    self.hosts[at].armed = None;
                    self.host_due(at, now);
                }
                Whose::Thing(token) => {
                    if let Some((_, armed)) = self.things.deadline(token) {
                        *armed = None;
                    }
                    self.ready.push(token);
                }
            }
        }
        let mut tokens = std::mem::take(&mut self.tokens);
        self.ready.take(&mut tokens);
        for token in tokens.drain(..) {
            self.attend(token, now);
        }
        self.tokens = tokens;
        for at in std::mem::take(&mut self.storing) {
            self.hear_store(at, now);
        }
    }

    fn host_due(&mut self, at: usize, now: Now) {
        let host = &mut self.hosts[at];
        if host.slow.take_if(|slow| *slow <= now.mono).is_some() {
            self.read_again(at);
        }
        self.give(at, now, Input::Tick);
        self.arm_host(at);
    }

    /// A host reads what it has left lying.
    fn read_again(&mut self, at: usize) {
        for token in self.hosts[at].streams.values() {
            self.ready.push(*token);
        }
    }

    fn arm_host(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        let deadline = host.deadline();
        self.due.arm(Whose::Host(at), &mut host.armed, deadline);
    }
}

/// What a system error means for a stream.
fn why(error: &std::io::Error) -> Why {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => Why::Refused,
        Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted => Why::Reset,
        Kind::TimedOut => Why::TimedOut,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown | Kind::AddrNotAvailable => {
            Why::Unreachable
        }
        _ => Why::System,
    }
}

/// How long a closed stream may take to get rid of its last bytes.
const CLOSE: Duration = limits::GOODBYE;

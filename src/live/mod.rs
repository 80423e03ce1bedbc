//! Nodes in the real world: sockets, clocks and a store, on one thread. A turn hands each node all
//! that is ready, performs what it asks for, and writes once a link; then it waits. No policy lives
//! here: what to dial, to say or to close is the node's decision.

mod attend;
mod clock;
mod dial;
mod due;
mod listen;
mod open;
mod ready;
mod replies;
mod slab;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::{Command, CommandError};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::{LinkId, RequestId};
use crate::key::Keys;
use crate::limits;
use crate::node::Node;
use crate::node::io::{Config, Effect, Input};
use crate::rng::Seed;
use crate::session::{Bell, Session};
use crate::store::Store;
use crate::time::{Mono, Now};
use crate::why::Why;
use clock::Clock;
use due::{Due, Whose};
use listen::Listener;
use ready::{Ready, Token};
use replies::Replies;
use slab::{Slab, Thing};
use stream::Stream;

pub use clock::wall;
pub use open::{Listen, OpenError};

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
    /// Hosts with so many events waiting that nothing is read.
    stuffed: usize,
    news: u64,
    /// Waits that ended in news before the system was asked, since it last was.
    hasty: u32,
}

/// A node and what belongs to it.
struct Host {
    node: Node,
    store: Box<dyn Store>,
    listens: Option<SocketAddr>,
    streams: BTreeMap<LinkId, Token>,
    accepts: u64,
    requests: u64,
    events: VecDeque<Event>,
    replies: Replies,
    /// On the list of those.
    stirred: bool,
    armed: Option<Mono>,
}

/// One node's face.
pub struct Face<'a> {
    live: &'a mut Live,
    at: usize,
}

/// Bytes read from one stream in one go; more waits for the next turn, so that all get their share.
const READ_MAX: usize = 128 * 1024;
/// Events that may wait for a front end before no more is read from any stream.
const EVENTS_MAX: usize = 65_536;
/// Waits that may end in news before the system is asked what is ready: a front end that always has
/// something to say must hear too.
const HASTY_MAX: u32 = 8;

impl Live {
    /// Nobody yet.
    ///
    /// # Panics
    /// The system has not two descriptors left; nothing could be done without.
    pub fn new() -> Self {
        Self {
            clock: Clock::new(),
            ready: Ready::new().expect("two descriptors to wait with"),
            due: Due::default(),
            hosts: Vec::new(),
            things: Slab::default(),
            effects: Vec::new(),
            scratch: vec![0; READ_MAX],
            tokens: Vec::new(),
            queued: Vec::new(),
            spent: Vec::new(),
            stirred: Vec::new(),
            stuffed: 0,
            news: 0,
            hasty: 0,
        }
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
        mut store: Box<dyn Store>,
    ) -> Result<usize, OpenError> {
        let at = self.hosts.len();
        let listener = match listen {
            Listen::Nowhere => None,
            Listen::At(addr) => Some(Listener::bind(addr, at)?),
            Listen::All { port } => Some(open::bind_all(port, at)?),
        };
        let listens = listener.as_ref().map(Listener::addr);
        config.listens = listens;
        config.keeps = store.keeps();
        if let Some(mut listener) = listener {
            let token = self.things.reserve();
            listener.watch(&self.ready, token)?;
            self.things.put(token, Thing::Listener(listener));
        }
        let node = Node::new(config, keys, store.load(), seed);
        self.hosts.push(Host {
            node,
            store,
            listens,
            streams: BTreeMap::new(),
            accepts: 0,
            requests: 0,
            events: VecDeque::new(),
            replies: Replies::default(),
            stirred: true,
            armed: None,
        });
        self.stirred.push(at);
        Ok(at)
    }

    /// The `at`-th node's face.
    pub fn face(&mut self, at: usize) -> Face<'_> {
        Face { live: self, at }
    }

    /// Where the `at`-th node listens.
    pub fn listens(&self, at: usize) -> Option<SocketAddr> {
        self.hosts[at].listens
    }

    /// The `at`-th node, for its name and key.
    pub fn node(&self, at: usize) -> &Node {
        &self.hosts[at].node
    }

    /// Something that any thread may ring to end a wait.
    pub fn bell(&self) -> Bell {
        let outside = self.ready.outside();
        Bell::new(move || outside.ring())
    }

    /// Lets the world run as [`Session::wait`] does, for all nodes together.
    pub fn wait(&mut self, patience: Duration) -> bool {
        self.clock.set();
        let until = self.clock.now().mono.plus(patience);
        let (before, mut looked) = (self.news, false);
        loop {
            self.flush();
            self.turn();
            if self.news != before || self.ready.take_bell() {
                self.hasty += 1;
                if !looked && self.hasty >= HASTY_MAX {
                    self.look(Duration::ZERO);
                }
                return true;
            }
            let now = self.clock.now().mono;
            if looked && now >= until {
                return false;
            }
            // By way of the system even when there is more to do, so that a busy stream does not
            // hide the others.
            let busy = self.ready.any() && self.stuffed == 0 || !self.stirred.is_empty();
            let next = self.due.next().map_or(until, |next| next.min(until));
            self.look(if busy { Duration::ZERO } else { next.since(now) });
            looked = true;
        }
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
        self.ready.wait(patience, |token, signs| {
            if let Some(stream) = things.stream(token) {
                stream.tell(signs);
            }
        });
    }

    /// Hands over all that is ready.
    fn turn(&mut self) {
        let now = self.clock.now();
        while let Some(whose) = self.due.take(now.mono) {
            match whose {
                Whose::Host(at) => {
                    self.hosts[at].armed = None;
                    self.give(at, now, Input::Tick);
                }
                Whose::Thing(token) => {
                    if let Some((_, armed)) = self.things.deadline(token) {
                        *armed = None;
                    }
                    self.ready.push(token);
                }
            }
        }
        if self.stuffed > 0 {
            return;
        }
        let mut tokens = std::mem::take(&mut self.tokens);
        self.ready.take(&mut tokens);
        for token in tokens.drain(..) {
            self.attend(token, now);
        }
        self.tokens = tokens;
    }

    /// Lets every stirred node end its turn, and performs what comes of it until nothing does.
    fn flush(&mut self) {
        while let Some(at) = self.stirred.pop() {
            self.hosts[at].stirred = false;
            let mut effects = std::mem::take(&mut self.effects);
            self.hosts[at].node.flush(&mut effects);
            if !effects.is_empty() {
                self.stir(at);
            }
            let now = self.clock.now();
            self.perform(at, now, &mut effects);
            self.effects = effects;
            self.write_queued(now);
            self.arm_host(at);
        }
    }

    fn stir(&mut self, at: usize) {
        if !std::mem::replace(&mut self.hosts[at].stirred, true) {
            self.stirred.push(at);
        }
    }

    fn arm_host(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        self.due.arm(Whose::Host(at), &mut host.armed, host.node.deadline());
    }

    fn give(&mut self, at: usize, now: Now, input: Input<'_>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.hosts[at].node.handle(now, input, &mut effects);
        self.stir(at);
        self.perform(at, now, &mut effects);
        self.effects = effects;
        self.arm_host(at);
    }

    fn perform(&mut self, at: usize, now: Now, effects: &mut Vec<Effect>) {
        for effect in effects.drain(..) {
            let host = &mut self.hosts[at];
            match effect {
                Effect::Emit(event) => {
                    host.events.push_back(event);
                    self.stuffed += usize::from(host.events.len() == EVENTS_MAX);
                    self.news += 1;
                }
                Effect::Reply { request, result } => {
                    host.replies.put(request, result);
                    self.news += 1;
                }
                Effect::Dial { link, to } => {
                    let token =
                        self.things.add(Thing::Stream(Box::new(Stream::dial(to, now.mono, at, link))));
                    host.streams.insert(link, token);
                    self.ready.push(token);
                }
                Effect::Write { link, bytes } => {
                    if let Some(&token) = host.streams.get(&link)
                        && let Some(stream) = self.things.stream(token)
                    {
                        stream.queue(bytes);
                        self.queued.push(token);
                    }
                }
                Effect::Finish { link } => {
                    if let Some(&token) = host.streams.get(&link)
                        && let Some(stream) = self.things.stream(token)
                    {
                        stream.finish();
                        self.ready.push(token);
                    }
                }
                Effect::Close { link } => {
                    if let Some(token) = host.streams.remove(&link)
                        && let Some(stream) = self.things.stream(token)
                    {
                        stream.close(now.mono);
                        self.ready.push(token);
                    }
                }
                Effect::Save { save, records } => host.store.save(save, records),
            }
        }
        // A store in memory is done at once; a slower one rings the bell.
        if let Some(save) = self.hosts[at].store.saved() {
            self.hosts[at].node.handle(now, Input::Saved { save }, effects);
            self.stir(at);
            self.perform(at, now, effects);
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Session for Face<'_> {
    fn submit(&mut self, command: Command) -> RequestId {
        let now = self.now();
        let host = &mut self.live.hosts[self.at];
        host.requests += 1;
        let request = RequestId(host.requests);
        self.live.give(self.at, now, Input::Command { request, command });
        request
    }

    fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        self.live.hosts[self.at].replies.take(request)
    }

    fn take_event(&mut self) -> Option<Event> {
        let events = &mut self.live.hosts[self.at].events;
        self.live.stuffed -= usize::from(events.len() == EVENTS_MAX);
        events.pop_front()
    }

    fn wait(&mut self, patience: Duration) -> bool {
        self.live.wait(patience)
    }

    fn now(&self) -> Now {
        self.live.clock.now()
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

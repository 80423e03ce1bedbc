//! Nodes in the real world: sockets, clocks and a store, on one thread. A turn hands each node all
//! that is ready, performs what it asks for, and writes once a link; then it waits. No policy lives
//! here: what to dial, to say or to close is the node's decision.

mod clock;
mod listen;
mod ready;
mod replies;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
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
use listen::Listener;
use ready::{Alarm, Ready, Token};
use replies::Replies;
use stream::{Stream, Taken};

/// Why a node cannot listen. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else listens there, or the address is not ours.
    #[error("cannot listen on {addr}: {}{}", explain(.source), remedy(.source))]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gave no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// Where a node listens.
#[derive(Clone, Copy, Debug)]
pub enum Listen {
    /// On every address of this machine, both kinds where there are both.
    All {
        /// 0 for a free one.
        port: u16,
    },
    /// On this address.
    At(SocketAddr),
    /// Not at all.
    Nowhere,
}

/// Some nodes on one thread, with all their streams.
pub struct Live {
    clock: Clock,
    ready: Arc<Ready>,
    alarm: Alarm,
    hosts: Vec<Host>,
    things: Slab,
    effects: Vec<Effect>,
    scratch: Vec<u8>,
    tokens: Vec<Token>,
    news: u64,
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
    /// Its node has been given something in this turn.
    stirred: bool,
}

/// Everything that can become ready, by token.
#[derive(Default)]
struct Slab {
    list: Vec<Option<Thing>>,
    free: Vec<Token>,
}

enum Thing {
    Listener(Listener),
    Stream(Box<Stream>),
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

impl Live {
    /// Nobody yet.
    pub fn new() -> Self {
        let ready = Ready::new();
        Self {
            clock: Clock::new(),
            alarm: Alarm::default(),
            ready,
            hosts: Vec::new(),
            things: Slab::default(),
            effects: Vec::new(),
            scratch: vec![0; READ_MAX],
            tokens: Vec::new(),
            news: 0,
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
            Listen::All { port } => Some(bind_all(port, at)?),
        };
        let listens = listener.as_ref().map(Listener::addr);
        config.listens = listens;
        if let Some(listener) = listener {
            let token = self.things.add(Thing::Listener(listener));
            if let Some(Thing::Listener(listener)) = self.things.get(token) {
                listener.register(self.ready.waker(token));
            }
            self.ready.push(token);
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
        });
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
        let ready = Arc::clone(&self.ready);
        Bell::new(move || ready.ring())
    }

    /// Lets the world run as [`Session::wait`] does, for all nodes together.
    pub fn wait(&mut self, patience: Duration) -> bool {
        let until = self.clock.now().mono.plus(patience);
        let before = self.news;
        // Without patience too the system is asked once what is ready.
        let mut looked = !patience.is_zero();
        async_io::block_on(poll_fn(|cx| {
            if !std::mem::replace(&mut looked, true) {
                self.ready.set_main(cx.waker());
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.poll(cx, until, before)
        }))
    }

    /// Waits until closed streams have sent their last bytes and the other side has closed too; at
    /// most for `patience`. Whatever is left then is cut by the system.
    pub fn drain(&mut self, patience: Duration) {
        let until = self.clock.now().mono.plus(patience);
        while self.things.streams().any(|stream| stream.is_closing()) && self.clock.now().mono < until {
            self.wait(Duration::from_millis(20));
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, until: Mono, before: u64) -> Poll<bool> {
        self.ready.set_main(cx.waker());
        self.clock.set();
        loop {
            self.flush();
            let more = self.turn();
            if self.news != before || self.ready.take_bell() {
                return Poll::Ready(true);
            }
            let now = self.clock.now().mono;
            if now >= until {
                return Poll::Ready(false);
            }
            if more {
                // By way of the system, so that a busy stream does not hide the others.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let next = self.hosts.iter().filter_map(|host| host.node.deadline());
            let next =
                next.chain(self.things.streams().filter_map(|stream| stream.deadline_if_closing())).min();
            let due = next.map_or(until, |next| next.min(until));
            if self.alarm.poll(cx, due.since(now), due) {
                // Nobody else looks at a closed stream whose other side does not close.
                for token in self.things.overdue(now) {
                    self.attend(token, self.clock.now());
                }
                continue;
            }
            return Poll::Pending;
        }
    }

    /// Hands over all that is ready. Whether there was any.
    fn turn(&mut self) -> bool {
        let now = self.clock.now();
        let mut any = false;
        for at in 0..self.hosts.len() {
            if self.hosts[at].node.deadline().is_some_and(|deadline| deadline <= now.mono) {
                self.give(at, now, Input::Tick);
                any = true;
            }
        }
        if self.hosts.iter().any(|host| host.events.len() >= EVENTS_MAX) {
            return any;
        }
        let mut tokens = std::mem::take(&mut self.tokens);
        self.ready.take(&mut tokens);
        any |= !tokens.is_empty();
        for token in tokens.drain(..) {
            self.attend(token, now);
        }
        self.tokens = tokens;
        any
    }

    /// Lets every stirred node end its turn, and performs what comes of it until nothing does.
    fn flush(&mut self) {
        for at in 0..self.hosts.len() {
            while std::mem::take(&mut self.hosts[at].stirred) {
                let mut effects = std::mem::take(&mut self.effects);
                self.hosts[at].node.flush(&mut effects);
                let now = self.clock.now();
                self.perform(at, now, &mut effects);
                self.effects = effects;
            }
        }
    }

    fn give(&mut self, at: usize, now: Now, input: Input<'_>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.hosts[at].node.handle(now, input, &mut effects);
        self.hosts[at].stirred = true;
        self.perform(at, now, &mut effects);
        self.effects = effects;
    }

    fn perform(&mut self, at: usize, now: Now, effects: &mut Vec<Effect>) {
        for effect in effects.drain(..) {
            let host = &mut self.hosts[at];
            match effect {
                Effect::Emit(event) => {
                    host.events.push_back(event);
                    self.news += 1;
                }
                Effect::Reply { request, result } => {
                    host.replies.put(request, result);
                    self.news += 1;
                }
                Effect::Dial { link, to } => {
                    let token = self.things.add(Thing::Stream(Box::new(Stream::dial(to, at, link))));
                    host.streams.insert(link, token);
                    self.things.set_waker(token, &self.ready);
                    self.ready.push(token);
                }
                Effect::Write { link, bytes } => {
                    if let Some(&token) = host.streams.get(&link)
                        && let Some(stream) = self.things.stream(token)
                    {
                        stream.queue(bytes);
                        self.ready.push(token);
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
            self.hosts[at].stirred = true;
            self.perform(at, now, effects);
        }
    }

    /// Something became ready. It stays in its place meanwhile, as what a node does about it may be
    /// to write to it or to close it.
    fn attend(&mut self, token: Token, now: Now) {
        match self.things.get(token) {
            None => {}
            Some(Thing::Listener(_)) => {
                while let Some(Thing::Listener(listener)) = self.things.get(token)
                    && let Some((tcp, remote)) = listener.accept(now.mono)
                {
                    let host = listener.host();
                    self.accepted(host, tcp, remote, now);
                }
                if let Some(Thing::Listener(listener)) = self.things.get(token)
                    && listener.wants_more()
                {
                    self.ready.push(token);
                }
            }
            Some(Thing::Stream(_)) => {
                let keep = self.attend_stream(token, now);
                if !keep {
                    self.things.free(token);
                }
            }
        }
    }

    /// Moves what can be moved on one stream. False when nothing is left of it.
    fn attend_stream(&mut self, token: Token, now: Now) -> bool {
        let Some(stream) = self.things.stream(token) else { return false };
        let (at, link) = (stream.host(), stream.link());
        match stream.poll_dial() {
            None => {}
            Some(Ok((remote, local))) => self.give(at, now, Input::Opened { link, remote, local }),
            Some(Err(why)) => return self.ended(token, now, why),
        }
        let Some(stream) = self.things.stream(token) else { return false };
        match stream.write() {
            Ok(0) => {}
            Ok(count) if !stream.is_closing() => self.give(at, now, Input::Flushed { link, count }),
            Ok(_) => {}
            Err(why) => return self.ended(token, now, why),
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let taken = self.things.stream(token).map_or(Taken::Nothing, |stream| stream.read(&mut scratch));
        let closing = self.things.stream(token).is_none_or(|stream| stream.is_closing());
        let mut ended = None;
        match taken {
            Taken::Nothing => {}
            Taken::Bytes { count, more } => {
                if !closing {
                    self.give(at, now, Input::Received { link, bytes: &scratch[..count] });
                }
                if more {
                    self.ready.push(token);
                }
            }
            Taken::End(why) => ended = Some(why),
        }
        self.scratch = scratch;
        match ended {
            Some(why) => self.ended(token, now, why),
            None => self.things.stream(token).is_some_and(|stream| !stream.is_done(now.mono)),
        }
    }

    /// A stream has come to its end by itself; gives false.
    fn ended(&mut self, token: Token, now: Now, why: Why) -> bool {
        if let Some(stream) = self.things.stream(token) {
            let (at, link, closing) = (stream.host(), stream.link(), stream.is_closing());
            if !closing && self.hosts[at].streams.remove(&link).is_some() {
                self.give(at, now, Input::Closed { link, why });
            }
        }
        false
    }

    fn accepted(
        &mut self,
        at: usize,
        tcp: async_io::Async<std::net::TcpStream>,
        remote: SocketAddr,
        now: Now,
    ) {
        let host = &mut self.hosts[at];
        host.accepts += 1;
        let link = LinkId::accepted(host.accepts);
        let Some(stream) = Stream::accepted(tcp, at, link) else { return };
        let local = stream.local();
        let token = self.things.add(Thing::Stream(Box::new(stream)));
        self.hosts[at].streams.insert(link, token);
        self.things.set_waker(token, &self.ready);
        self.give(at, now, Input::Opened { link, remote, local });
        self.ready.push(token);
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
        self.live.hosts[self.at].events.pop_front()
    }

    fn wait(&mut self, patience: Duration) -> bool {
        self.live.wait(patience)
    }

    fn now(&self) -> Now {
        self.live.clock.now()
    }
}

impl Slab {
    fn add(&mut self, thing: Thing) -> Token {
        match self.free.pop() {
            Some(token) => {
                self.list[token.0] = Some(thing);
                token
            }
            None => {
                self.list.push(Some(thing));
                Token(self.list.len() - 1)
            }
        }
    }

    fn get(&mut self, token: Token) -> Option<&mut Thing> {
        self.list.get_mut(token.0)?.as_mut()
    }

    fn set_waker(&mut self, token: Token, ready: &Arc<Ready>) {
        if let Some(stream) = self.stream(token) {
            stream.register(ready.waker(token));
        }
    }

    fn stream(&mut self, token: Token) -> Option<&mut Stream> {
        match self.get(token)? {
            Thing::Stream(stream) => Some(stream),
            Thing::Listener(_) => None,
        }
    }

    fn free(&mut self, token: Token) {
        self.list[token.0] = None;
        self.free.push(token);
    }

    /// Closed streams whose time is over.
    fn overdue(&self, now: Mono) -> Vec<Token> {
        let over = |thing: &Thing| match thing {
            Thing::Stream(stream) => stream.deadline_if_closing().is_some_and(|until| now >= until),
            Thing::Listener(_) => false,
        };
        let things = self.list.iter().enumerate();
        things.filter(|(_, thing)| thing.as_ref().is_some_and(over)).map(|(at, _)| Token(at)).collect()
    }

    fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.list.iter().flatten().filter_map(|thing| match thing {
            Thing::Stream(stream) => Some(&**stream),
            Thing::Listener(_) => None,
        })
    }
}

fn bind_all(port: u16, host: usize) -> Result<Listener, OpenError> {
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
    match Listener::bind(v6, host) {
        // A machine without IPv6 says one of these.
        Err(OpenError::Listen { source, .. })
            if matches!(
                source.kind(),
                std::io::ErrorKind::AddrNotAvailable | std::io::ErrorKind::Unsupported
            ) || source.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) =>
        {
            Listener::bind(SocketAddr::from(([0, 0, 0, 0], port)), host)
        }
        other => other,
    }
}

fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "the port is in use".into(),
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need more rights".into(),
        _ => error.to_string(),
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "; choose another, or leave it out for a free one",
        _ => "",
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

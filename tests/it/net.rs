//! Nodes joined by pipes in memory, in virtual time: the smallest driver that the core allows. A
//! stream is cut wherever the seed says; a link can be broken at any moment.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use hobnob::api::command::{Command, CommandError, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{LinkId, Name, RequestId};
use hobnob::key::Keys;
use hobnob::node::Node;
use hobnob::node::io::{Config, Effect, Input};
use hobnob::node::record::{Answer, Snapshot};
use hobnob::rng::{Rng, Seed};
use hobnob::text::Body;
use hobnob::time::{Mono, Now};
use hobnob::why::Why;

/// A node, and what it has said.
pub(crate) struct Host {
    pub(crate) node: Node,
    pub(crate) addr: SocketAddr,
    pub(crate) events: Vec<What>,
    pub(crate) replies: BTreeMap<RequestId, Result<Reply, CommandError>>,
    accepts: u64,
    dials: usize,
    unplugged: bool,
}

/// One direction of a stream.
#[derive(Default)]
struct Half {
    bytes: VecDeque<u8>,
    ended: bool,
}

/// Both ends of a stream: `(host, link)`, and the bytes on their way to each.
struct Pipe {
    ends: [(usize, LinkId); 2],
    to: [Half; 2],
}

/// All of it.
pub(crate) struct Net {
    pub(crate) hosts: Vec<Host>,
    pipes: Vec<Pipe>,
    now: Duration,
    requests: u64,
    rng: Rng,
    /// Largest piece in which bytes arrive.
    pub(crate) piece: u64,
    /// What was written, for looking into.
    pub(crate) wire: Vec<u8>,
}

impl Net {
    pub(crate) fn new(names: &[&str], seed: u64) -> Self {
        Self::knowing(names, seed, &Snapshot::default())
    }

    /// The same, where the first remembers something.
    pub(crate) fn knowing(names: &[&str], seed: u64, first: &Snapshot) -> Self {
        Self::speaking(names, seed, first, Dialect::Native)
    }

    /// The same, where all dial unknown addresses so.
    pub(crate) fn speaking(names: &[&str], seed: u64, first: &Snapshot, dialect: Dialect) -> Self {
        let mut rng = Rng::new(Seed::from_number(seed));
        let mut hosts = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let addr = SocketAddr::from(([127, 0, 0, 1], 5_000 + u16::try_from(at).expect("few hosts")));
            let mut config = Config::new(Name::new(name).expect("a good name"));
            (config.listens, config.dialect) = (Some(addr), dialect);
            let saved = if at == 0 { first.clone() } else { Snapshot::default() };
            let node = Node::new(config, Keys::from_seed(rng.fork()), saved, rng.fork());
            hosts.push(Host {
                node,
                addr,
                events: Vec::new(),
                replies: BTreeMap::new(),
                accepts: 0,
                dials: 0,
                unplugged: false,
            });
        }
        Self {
            hosts,
            pipes: Vec::new(),
            now: Duration::ZERO,
            requests: 0,
            rng,
            piece: 4_096,
            wire: Vec::new(),
        }
    }

    /// Gives a command without waiting for anything.
    pub(crate) fn give(&mut self, host: usize, command: Command) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.input(host, Input::Command { request, command });
        request
    }

    /// Gives a command and lets everything land.
    pub(crate) fn call(&mut self, host: usize, command: Command) -> Result<Reply, CommandError> {
        let request = self.give(host, command);
        self.settle();
        self.hosts[host].replies.remove(&request).expect("every command is answered")
    }

    pub(crate) fn connect(&mut self, from: usize, to: usize) {
        let to = PeerRef::At(self.hosts[to].addr.into());
        self.call(from, Command::Connect { to, dialect: None }).expect("it connects");
    }

    pub(crate) fn send(&mut self, from: usize, to: &str, text: &str) -> Result<Reply, CommandError> {
        self.call(from, send(to, text))
    }

    /// Lets bytes flow until none is on its way.
    pub(crate) fn settle(&mut self) {
        while self.step() {}
    }

    /// Moves one piece of bytes, or one end of a stream. False when nothing is on its way.
    pub(crate) fn step(&mut self) -> bool {
        let busy: Vec<_> = (0..self.pipes.len() * 2).filter(|at| self.is_busy(*at)).collect();
        if busy.is_empty() {
            return false;
        }
        let at = busy[usize::try_from(self.rng.below(busy.len() as u64)).expect("small")];
        let (pipe, side) = (&mut self.pipes[at / 2], at % 2);
        let (host, link) = pipe.ends[side];
        let half = &mut pipe.to[side];
        if half.bytes.is_empty() {
            self.pipes.remove(at / 2);
            self.input(host, Input::Closed { link, why: Why::Eof });
            return true;
        }
        let count = usize::try_from(1 + self.rng.below(self.piece)).expect("small").min(half.bytes.len());
        let bytes: Vec<u8> = half.bytes.drain(..count).collect();
        let (from, from_link) = pipe.ends[1 - side];
        self.input(host, Input::Received { link, bytes: &bytes });
        self.input(from, Input::Flushed { link: from_link, count });
        true
    }

    /// Lets time pass, timers and all.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.settle();
            let next = self.hosts.iter().filter_map(|host| host.node.deadline()).min();
            match next.map(|Mono(us)| Duration::from_micros(us)) {
                Some(next) if next <= until => self.now = self.now.max(next),
                _ => break,
            }
            (0..self.hosts.len()).for_each(|host| self.input(host, Input::Tick));
        }
        self.now = until;
    }

    /// Lets time pass while no byte moves.
    pub(crate) fn stall(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(Mono(next)) = self.hosts.iter().filter_map(|host| host.node.deadline()).min()
            && Duration::from_micros(next) <= until
        {
            self.now = self.now.max(Duration::from_micros(next));
            (0..self.hosts.len()).for_each(|host| self.input(host, Input::Tick));
        }
        self.now = until;
    }

    /// Somebody who is no node connects, says something, and goes or stays without reading.
    pub(crate) fn stranger(&mut self, host: usize, bytes: &[u8], ends: bool) {
        self.hosts[host].accepts += 1;
        let link = LinkId::accepted(self.hosts[host].accepts);
        let remote = SocketAddr::from(([127, 0, 0, 1], 41_000));
        self.input(host, Input::Opened { link, remote, local: self.hosts[host].addr });
        self.input(host, Input::Received { link, bytes });
        if ends {
            self.input(host, Input::Closed { link, why: Why::Eof });
        }
    }

    /// Nobody can dial this host from now on.
    pub(crate) fn unplug(&mut self, host: usize) {
        self.hosts[host].unplugged = true;
    }

    /// It can be dialled again.
    pub(crate) fn plug(&mut self, host: usize) {
        self.hosts[host].unplugged = false;
    }

    /// How often a host has dialled.
    pub(crate) fn dials(&self, host: usize) -> usize {
        self.hosts[host].dials
    }

    /// From now on somebody else answers there, under the same name, with another key.
    pub(crate) fn usurp(&mut self, host: usize) {
        (0..self.hosts.len()).for_each(|other| self.cut(host, other));
        let was = &self.hosts[host];
        let mut config = Config::new(was.node.name());
        config.listens = Some(was.addr);
        let (keys, rng) = (Keys::from_seed(self.rng.fork()), self.rng.fork());
        self.hosts[host].node = Node::new(config, keys, Snapshot::default(), rng);
        (self.hosts[host].events, self.hosts[host].replies) = (Vec::new(), BTreeMap::new());
    }

    /// Cuts every stream between two hosts; what was on its way is lost.
    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        let between = |pipe: &Pipe| {
            let hosts = [pipe.ends[0].0, pipe.ends[1].0];
            hosts == [a, b] || hosts == [b, a]
        };
        let cut: Vec<_> = self.pipes.iter().filter(|pipe| between(pipe)).map(|pipe| pipe.ends).collect();
        self.pipes.retain(|pipe| !between(pipe));
        for (host, link) in cut.into_iter().flatten() {
            self.input(host, Input::Closed { link, why: Why::Reset });
        }
    }

    /// Streams that are open.
    pub(crate) fn streams(&self) -> usize {
        self.pipes.len()
    }

    /// What a host was told, as `name: text`.
    pub(crate) fn heard(&self, host: usize) -> Vec<String> {
        let told = |what: &What| match what {
            What::Message(message) => Some(format!("{}: {}", message.from.name, message.text.expose())),
            _ => None,
        };
        self.hosts[host].events.iter().filter_map(told).collect()
    }

    fn is_busy(&self, at: usize) -> bool {
        let half = &self.pipes[at / 2].to[at % 2];
        !half.bytes.is_empty() || half.ended
    }

    fn now(&self) -> Now {
        Now { mono: Mono(u64::try_from(self.now.as_micros()).expect("a short test")), ..Now::default() }
    }

    fn input(&mut self, host: usize, input: Input<'_>) {
        let (now, mut effects) = (self.now(), Vec::new());
        self.hosts[host].node.handle(now, input, &mut effects);
        loop {
            self.hosts[host].node.flush(&mut effects);
            if effects.is_empty() {
                return;
            }
            for effect in std::mem::take(&mut effects) {
                self.perform(host, effect, &mut effects);
            }
        }
    }

    fn perform(&mut self, host: usize, effect: Effect, more: &mut Vec<Effect>) {
        let now = self.now();
        match effect {
            Effect::Dial { link, to } => self.open(host, link, to.socket(), more),
            Effect::Write { link, bytes } => {
                self.wire.extend_from_slice(&bytes);
                if let Some((pipe, side)) = self.end(host, link) {
                    self.pipes[pipe].to[1 - side].bytes.extend(bytes);
                }
            }
            Effect::Close { link } | Effect::Cut { link } | Effect::Finish { link } => {
                if let Some((pipe, side)) = self.end(host, link) {
                    self.pipes[pipe].to[1 - side].ended = true;
                    // Nothing more is heard on it.
                    self.pipes[pipe].to[side] = Half::default();
                }
            }
            Effect::Save { save, .. } => self.hosts[host].node.handle(
                now,
                Input::Stored(Answer::Saved { save, known: Vec::new() }),
                more,
            ),
            Effect::Load { load, .. } => {
                let none = Answer::Found { load, rows: Ok(Vec::new()) };
                self.hosts[host].node.handle(now, Input::Stored(none), more);
            }
            Effect::Pause { .. } => panic!("on loopback nobody is made to wait"),
            Effect::Reply { request, result } => {
                let before = self.hosts[host].replies.insert(request, result);
                assert_eq!(before, None, "{request:?} is answered once");
            }
            Effect::Emit(event) => self.hosts[host].events.push(event.what),
        }
    }

    fn open(&mut self, from: usize, link: LinkId, to: Option<SocketAddr>, more: &mut Vec<Effect>) {
        let now = self.now();
        self.hosts[from].dials += 1;
        let reachable = |host: &Host| Some(host.addr) == to && !host.unplugged;
        let Some(there) = self.hosts.iter().position(reachable) else {
            return self.hosts[from].node.handle(now, Input::Closed { link, why: Why::Refused }, more);
        };
        self.hosts[there].accepts += 1;
        let accepted = LinkId::accepted(self.hosts[there].accepts);
        self.pipes.push(Pipe { ends: [(from, link), (there, accepted)], to: Default::default() });
        let (here_addr, there_addr) = (self.hosts[from].addr, self.hosts[there].addr);
        let ephemeral = SocketAddr::new(here_addr.ip(), 40_000);
        let opened = Input::Opened { link, remote: there_addr, local: ephemeral };
        self.hosts[from].node.handle(now, opened, more);
        self.input(there, Input::Opened { link: accepted, remote: ephemeral, local: there_addr });
    }

    fn end(&self, host: usize, link: LinkId) -> Option<(usize, usize)> {
        self.pipes.iter().enumerate().find_map(|(at, pipe)| {
            pipe.ends.iter().position(|end| *end == (host, link)).map(|side| (at, side))
        })
    }
}

/// `send PEER TEXT`.
pub(crate) fn send(to: &str, text: &str) -> Command {
    Command::Send { to: PeerRef::Word(to.into()), text: Body::new(text).expect("a body"), auto: false }
}

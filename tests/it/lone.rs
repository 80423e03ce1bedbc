//! One node whose streams the test plays itself, byte by byte, in virtual time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use hobnob::addr::Address;
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

use crate::caller::Caller;

/// A node called `us` at 10.0.0.1:5000, and everything that it did.
pub(crate) struct Lone {
    pub(crate) node: Node,
    pub(crate) events: Vec<What>,
    pub(crate) replies: BTreeMap<RequestId, Vec<Result<Reply, CommandError>>>,
    /// Dials in their order.
    pub(crate) dials: Vec<(LinkId, Address)>,
    /// What was written to each stream and not yet taken by [`Self::flush`].
    unflushed: BTreeMap<LinkId, usize>,
    pub(crate) written: BTreeMap<LinkId, Vec<u8>>,
    /// Streams that it has ended its half of, or closed.
    pub(crate) finished: Vec<LinkId>,
    pub(crate) closed: Vec<LinkId>,
    /// Streams that it wants to read later.
    pub(crate) paused: Vec<(LinkId, Mono)>,
    now: Duration,
    requests: u64,
    accepts: u64,
}

/// Where [`Lone`] is reached.
pub(crate) fn own() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5_000))
}

impl Lone {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let mut rng = Rng::new(Seed::from_number(1));
        let mut config = Config::new(Name::new("us").expect("a good name"));
        (config.listens, config.dialect) = (Some(own()), dialect);
        let keys = Keys::from_seed(rng.fork());
        Self {
            node: Node::new(config, keys, Snapshot::default(), rng.fork()),
            events: Vec::new(),
            replies: BTreeMap::new(),
            dials: Vec::new(),
            unflushed: BTreeMap::new(),
            written: BTreeMap::new(),
            finished: Vec::new(),
            closed: Vec::new(),
            paused: Vec::new(),
            now: Duration::ZERO,
            requests: 0,
            accepts: 0,
        }
    }

    /// Gives commands in one turn.
    pub(crate) fn give<const N: usize>(&mut self, commands: [Command; N]) -> [RequestId; N] {
        let mut effects = Vec::new();
        let requests = commands.map(|command| {
            self.requests += 1;
            let request = RequestId(self.requests);
            self.node.handle(self.now(), Input::Command { request, command }, &mut effects);
            request
        });
        self.end_turn(effects);
        requests
    }

    /// The one answer to a command, if it has been given.
    pub(crate) fn answer(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        let mut answers = self.replies.remove(&request)?;
        assert_eq!(answers.len(), 1, "answered once");
        answers.pop()
    }

    pub(crate) fn call(&mut self, command: Command) -> Result<Reply, CommandError> {
        let [request] = self.give([command]);
        self.answer(request).expect("answered at once")
    }

    /// The same, or nothing if the answer needs another's word first.
    pub(crate) fn call_or_dial(&mut self, command: Command) -> Result<Option<Reply>, CommandError> {
        let [request] = self.give([command]);
        self.answer(request).transpose()
    }

    /// Somebody connects.
    pub(crate) fn accept(&mut self, remote: &str) -> LinkId {
        self.accepts += 1;
        let link = LinkId::accepted(self.accepts);
        self.input(Input::Opened { link, remote: addr(remote), local: own() });
        link
    }

    /// The dial that nobody has seen to yet is answered.
    pub(crate) fn open(&mut self) -> LinkId {
        let (link, to) = self.dials.remove(0);
        self.input(Input::Opened {
            link,
            remote: to.socket().expect("no name"),
            local: addr("10.0.0.1:40000"),
        });
        link
    }

    pub(crate) fn hear(&mut self, link: LinkId, bytes: &[u8]) {
        self.input(Input::Received { link, bytes });
    }

    /// The system takes all that was written to a stream; gives it.
    pub(crate) fn flush(&mut self, link: LinkId) -> String {
        String::from_utf8(self.flush_bytes(link)).expect("UTF-8")
    }

    /// The same of a stream that is not plain.
    pub(crate) fn flush_bytes(&mut self, link: LinkId) -> Vec<u8> {
        if let Some(count) = self.unflushed.remove(&link) {
            self.input(Input::Flushed { link, count });
        }
        self.written.remove(&link).unwrap_or_default()
    }

    pub(crate) fn end(&mut self, link: LinkId, why: Why) {
        self.input(Input::Closed { link, why });
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(Mono(next)) = self.node.deadline()
            && Duration::from_micros(next) <= until
        {
            self.now = self.now.max(Duration::from_micros(next));
            self.input(Input::Tick);
        }
        self.now = until;
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        let mut effects = Vec::new();
        self.node.handle(self.now(), input, &mut effects);
        self.end_turn(effects);
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: Mono(u64::try_from(self.now.as_micros()).expect("a short test")), ..Now::default() }
    }

    fn end_turn(&mut self, mut effects: Vec<Effect>) {
        loop {
            self.node.flush(&mut effects);
            if effects.is_empty() {
                return;
            }
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Dial { link, to } => self.dials.push((link, to)),
                    Effect::Write { link, bytes } => {
                        *self.unflushed.entry(link).or_default() += bytes.len();
                        self.written.entry(link).or_default().extend(bytes);
                    }
                    Effect::Finish { link } => self.finished.push(link),
                    Effect::Close { link } | Effect::Cut { link } => self.closed.push(link),
                    Effect::Pause { link, until } => self.paused.push((link, until)),
                    Effect::Save { save, .. } => {
                        self.node.handle(
                            self.now(),
                            Input::Stored(Answer::Saved { save, known: Vec::new() }),
                            &mut effects,
                        );
                    }
                    Effect::Load { load, .. } => {
                        let none = Answer::Found { load, rows: Ok(Vec::new()) };
                        self.node.handle(self.now(), Input::Stored(none), &mut effects);
                    }
                    Effect::Reply { request, result } => {
                        self.replies.entry(request).or_default().push(result);
                    }
                    Effect::Emit(event) => self.events.push(event.what),
                }
            }
        }
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// `connect [--classic] ADDR`.
pub(crate) fn connect(to: &str, dialect: Option<Dialect>) -> Command {
    Command::Connect { to: PeerRef::At(to.parse().expect("an address")), dialect }
}

/// `send ADDR TEXT`.
pub(crate) fn send_at(to: &str, text: &str) -> Command {
    let text = Body::new(text).expect("a body");
    Command::Send { to: PeerRef::At(to.parse().expect("an address")), text, auto: false }
}

/// Moves bytes both ways between it and whoever has called.
pub(crate) fn talk(us: &mut Lone, link: LinkId, caller: &mut Caller) {
    let bytes = caller.take();
    if !bytes.is_empty() && !us.closed.contains(&link) {
        us.hear(link, &bytes);
    }
    let bytes = us.flush_bytes(link);
    assert!(caller.hear(&bytes), "it is our protocol");
}

//! One world and who is in it, as a script knows them: names, what each has heard and not expected
//! yet, whom it saw go, and which handlers wait for what. A test has a scene of its own.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::api::pattern::Pattern;
use crate::id::{Name, PeerId};
use crate::key::PeerKey;
use crate::limits::UNREAD_MAX;
use crate::play::Ev;
use crate::rng::Rng;
use crate::script::act::Target;
use crate::script::answers::Answer;
use crate::script::asked::Asked;
use crate::script::error::ScriptError;
use crate::script::programs::Started;
use crate::time::Mono;
use crate::world::{PeerNo, Shape, World};

/// A world with its cast.
pub(super) struct Scene {
    pub(super) world: Box<dyn World>,
    /// Which scene of the run this is; handles of another are refused.
    pub(super) number: u64,
    /// When it began, by its own clock.
    pub(super) origin: Mono,
    /// The time of the latest moment: on the list it does not go back.
    pub(super) latest: u64,
    pub(super) chance: Rng,
    /// How it is between two that have no shape of their own.
    pub(super) usual: Shape,
    pub(super) actors: Vec<Actor>,
    names: BTreeMap<Name, PeerNo>,
    keys: BTreeMap<PeerKey, PeerNo>,
    addrs: BTreeMap<SocketAddr, PeerNo>,
    pub(super) handlers: Vec<Hook>,
    /// Handlers to be called for what has happened, the oldest first.
    pub(super) calls: VecDeque<Call>,
    /// What was sent and not seen to arrive: by sender and receiver, the oldest first.
    pub(super) sent: BTreeMap<(PeerNo, PeerNo), VecDeque<Sent>>,
    /// The first failure of a handler, if one failed.
    pub(super) broken: Option<ScriptError>,
    /// Programs of others, in the order of being started.
    pub(super) programs: Vec<Started>,
    /// What is typed at their prompts, in this scene.
    pub(super) answers: Vec<Answer>,
    /// Where they are told to listen.
    pub(super) port: Option<u16>,
    /// Commands that wait for their answers, the oldest first.
    pub(super) asked: Vec<Asked>,
    /// Who is to die by itself, and has not yet.
    pub(super) doomed: Vec<PeerNo>,
    /// The numbers of the moments in which a message was read.
    pub(super) read: BTreeMap<(PeerNo, PeerNo, u64), u64>,
}

/// One of the cast.
pub(super) struct Actor {
    pub(super) name: Name,
    pub(super) addr: SocketAddr,
    pub(super) key: PeerKey,
    /// What was heard and not expected yet, the oldest first.
    pub(super) unread: VecDeque<Heard>,
    pub(super) last: Option<Heard>,
    /// What a run that leaves expectations out is to take as they would have.
    pub(super) unasked: Vec<(Option<Target>, Pattern)>,
    /// Who was seen to go, and how: `left` or `lost`.
    pub(super) gone: VecDeque<(Someone, Ev)>,
    /// Which handlers are its own, as their numbers in the scene's list.
    pub(super) handlers: Vec<usize>,
    /// Lamport's clock.
    pub(super) lam: u64,
    /// How it ended, if it does not run: by `quit` or by `crash`.
    pub(super) ended: Option<Ev>,
}

/// A peer as another saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Someone {
    /// What it is called: in the cast, or by itself.
    pub name: Name,
    /// Who of the cast it is.
    pub no: Option<PeerNo>,
}

/// A message that was read.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// The number of its moment.
    pub moment: u64,
    /// From whom.
    pub from: Someone,
    /// What.
    pub text: Arc<str>,
    /// A program made it.
    pub auto: bool,
    /// It came in the plain protocol.
    pub plain: bool,
}

/// A message under way.
pub(super) struct Sent {
    /// The number of its moment.
    pub(super) moment: u64,
    pub(super) seq: u64,
    pub(super) text: Arc<str>,
}

/// What a handler waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Message,
    Joined,
    Left,
    Lost,
    Failed,
}

/// Something to be done whenever something happens to a peer.
pub(super) struct Hook {
    pub(super) on: On,
    /// For messages that a program made, too.
    pub(super) auto: bool,
    /// How often it has failed in a row.
    pub(super) failures: u32,
}

/// A handler to be called.
pub(super) struct Call {
    /// Which, as its number in the list.
    pub(super) handler: usize,
    pub(super) me: PeerNo,
    pub(super) about: About,
}

/// What a handler is told.
#[derive(Clone)]
pub(super) enum About {
    Message(Heard),
    Peer(Someone),
    /// A message of ours that will not arrive: to whom, and what it said.
    Failed(Someone, Arc<str>),
}

impl Heard {
    /// What an expectation gives that was left out.
    pub(super) fn nothing(name: Name) -> Self {
        let from = Someone { name, no: None };
        Self { moment: u64::MAX, from, text: "".into(), auto: false, plain: false }
    }

    /// Whether it is that.
    pub(super) fn is_nothing(&self) -> bool {
        self.moment == u64::MAX
    }
}

impl On {
    pub(super) const WORDS: &str = "message joined left lost failed";

    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "message" => Self::Message,
            "joined" => Self::Joined,
            "left" => Self::Left,
            "lost" => Self::Lost,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

impl Scene {
    pub(super) fn new(world: Box<dyn World>, number: u64, chance: Rng) -> Self {
        let usual = world.usual();
        let origin = world.now().mono;
        Self {
            world,
            number,
            origin,
            latest: 0,
            chance,
            usual,
            actors: Vec::new(),
            names: BTreeMap::new(),
            keys: BTreeMap::new(),
            addrs: BTreeMap::new(),
            handlers: Vec::new(),
            calls: VecDeque::new(),
            sent: BTreeMap::new(),
            broken: None,
            programs: Vec::new(),
            answers: Vec::new(),
            port: None,
            asked: Vec::new(),
            doomed: Vec::new(),
            read: BTreeMap::new(),
        }
    }

    /// Microseconds since it began.
    pub(super) fn at(&self) -> u64 {
        self.since(self.world.now().mono)
    }

    /// The same of another time.
    pub(super) fn since(&self, at: Mono) -> u64 {
        at.0.saturating_sub(self.origin.0)
    }

    pub(super) fn add(&mut self, no: PeerNo, actor: Actor) {
        self.names.insert(actor.name, no);
        self.keys.insert(actor.key, no);
        self.addrs.insert(actor.addr, no);
        debug_assert_eq!(no.0, self.actors.len(), "a world numbers its peers in order");
        self.actors.push(actor);
    }

    pub(super) fn find(&self, name: Name) -> Option<PeerNo> {
        self.names.get(&name).copied()
    }

    pub(super) fn by_address(&self, addr: SocketAddr) -> Option<PeerNo> {
        self.addrs.get(&addr).copied()
    }

    /// Who of the cast that is.
    pub(super) fn who(&self, who: &crate::api::event::Who) -> Someone {
        let no = match who.id {
            PeerId::Native(key) => self.keys.get(&key),
            PeerId::Plain(addr) => self.addrs.get(&addr),
        }
        .copied();
        let name = no.and_then(|no| self.actors.get(no.0)).map_or(who.name, |actor| actor.name);
        Someone { name, no }
    }

    /// Adds the calls of all handlers that wait for this.
    pub(super) fn call(&mut self, me: PeerNo, on: On, about: &About) {
        let is_auto = matches!(about, About::Message(heard) if heard.auto);
        let Some(actor) = self.actors.get(me.0) else { return };
        for &number in &actor.handlers {
            let handler = &self.handlers[number];
            if handler.on == on && (handler.auto || !is_auto) {
                self.calls.push_back(Call { handler: number, me, about: about.clone() });
            }
        }
    }

    /// A message was sent; it is looked for when it arrives.
    pub(super) fn note_sent(&mut self, from: PeerNo, to: PeerNo, sent: Sent) {
        self.sent.entry((from, to)).or_default().push_back(sent);
    }

    /// The message that arrived, and its moment. Native ones are known by their number; of plain
    /// ones nothing is certain but what they say.
    pub(super) fn arrived(
        &mut self,
        from: PeerNo,
        to: PeerNo,
        seq: u64,
        text: &str,
        plain: bool,
    ) -> Option<u64> {
        let under_way = self.sent.get_mut(&(from, to))?;
        let is_it = |sent: &Sent| if plain { *sent.text == *text } else { sent.seq == seq };
        let at = under_way.iter().position(is_it)?;
        under_way.remove(at).map(|sent| sent.moment)
    }
}

impl Actor {
    pub(super) fn new(name: Name, addr: SocketAddr, key: PeerKey) -> Self {
        let (unread, gone) = (VecDeque::new(), VecDeque::new());
        Self {
            name,
            addr,
            key,
            unread,
            last: None,
            unasked: Vec::new(),
            gone,
            handlers: Vec::new(),
            lam: 0,
            ended: None,
        }
    }

    /// Keeps a message for `expect`; when there are too many, the oldest goes.
    pub(super) fn hear(&mut self, heard: Heard) {
        if self.unread.len() >= UNREAD_MAX {
            self.unread.pop_front();
        }
        self.last = Some(heard.clone());
        self.unread.push_back(heard);
    }
}

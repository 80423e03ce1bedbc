//! A cast in any world, for tests that say the same of all of them: it is moved and asked through
//! the world's trait alone, and keeps what each peer has told.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{Name, PeerId, RequestId};
use hobnob::live::world::Loopback;
use hobnob::rng::Seed;
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::why::Why;
use hobnob::world::{Network, PeerNo, World};

/// Long enough for whatever is not lost.
const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Stage<'a> {
    pub(crate) world: &'a mut dyn World,
    /// What each peer has said so far.
    told: Vec<Vec<What>>,
}

/// Plays the same in both worlds.
pub(crate) fn in_both(names: &[&str], play: impl Fn(&mut Stage<'_>)) {
    play(&mut Stage::new(&mut Sim::new(Seed::from_number(1)), names));
    on_loopback(names, play);
}

pub(crate) fn on_loopback(names: &[&str], play: impl Fn(&mut Stage<'_>)) {
    play(&mut Stage::new(&mut loopback(), names));
}

pub(crate) fn loopback() -> Loopback {
    Loopback::new(Seed::from_number(1)).expect("two descriptors")
}

impl<'a> Stage<'a> {
    pub(crate) fn new(world: &'a mut dyn World, names: &[&str]) -> Self {
        for name in names {
            world.cast(Name::new(name).expect("a good name")).expect("room for all");
        }
        Self { world, told: vec![Vec::new(); names.len()] }
    }

    pub(crate) fn apply(&mut self, change: Network) {
        self.world.apply(&change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    }

    pub(crate) fn give(&mut self, who: PeerNo, command: Command) -> RequestId {
        self.world.session(who).expect("in the cast").submit(command)
    }

    pub(crate) fn call(&mut self, who: PeerNo, command: Command) -> Result<Reply, CommandError> {
        self.world.session(who).expect("in the cast").call(command, LONG)
    }

    pub(crate) fn at(&self, who: PeerNo) -> PeerRef {
        PeerRef::At(self.world.address(who).expect("in the cast").into())
    }

    pub(crate) fn connect(&mut self, from: PeerNo, to: PeerNo) -> Result<Reply, CommandError> {
        let to = self.at(to);
        self.call(from, Command::Connect { to, dialect: None })
    }

    /// All of these meet each other.
    pub(crate) fn meet(&mut self, cast: &[PeerNo]) {
        for (at, from) in cast.iter().enumerate() {
            for to in &cast[at + 1..] {
                self.connect(*from, *to).expect("it connects");
            }
        }
        self.settle();
    }

    pub(crate) fn send(&mut self, from: PeerNo, to: PeerNo, text: &str) -> RequestId {
        let to = PeerRef::Id(PeerId::Native(self.world.key(to).expect("in the cast")));
        self.give(from, Command::Send { to, text: Body::new(text).expect("a body"), auto: false })
    }

    pub(crate) fn settle(&mut self) {
        assert!(self.world.settle(LONG), "it settles");
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.world.pass(time);
    }

    /// What this peer has said, all of it.
    pub(crate) fn told(&mut self, who: PeerNo) -> &[What] {
        while let Some((who, event)) = self.world.take_event() {
            self.told[who.0].push(event.what);
        }
        &self.told[who.0]
    }

    /// What `to` has got from `from`.
    pub(crate) fn heard(&mut self, to: PeerNo, from: PeerNo) -> Vec<String> {
        let key = PeerId::Native(self.world.key(from).expect("in the cast"));
        let text = |what: &What| match what {
            What::Message(message) if message.from.id == key => Some(message.text.expose().to_owned()),
            _ => None,
        };
        self.told(to).iter().filter_map(text).collect()
    }

    /// Why others were lost to this peer.
    pub(crate) fn losses(&mut self, who: PeerNo) -> Vec<Why> {
        let lost = |what: &What| match what {
            What::Lost { why, .. } => Some(*why),
            _ => None,
        };
        self.told(who).iter().filter_map(lost).collect()
    }

    /// Lets the world run until this is so.
    pub(crate) fn until(&mut self, is_so: impl Fn(&mut Self) -> bool) {
        let end = self.world.now().mono.plus(LONG);
        while !is_so(self) {
            let left = end.since(self.world.now().mono);
            assert!(!left.is_zero(), "it comes in time");
            self.world.run(left);
        }
    }
}

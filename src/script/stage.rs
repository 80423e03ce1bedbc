//! Where a script is played: the scene under way, the list of what happened, and what the next
//! scene begins with. Decides how time passes and what is recorded; which verbs there are, and how
//! a script is written, is decided elsewhere. It never waits by itself: see `turns`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::api::command::{Command, Dialect};
use crate::api::event::What;
use crate::id::{Name, RequestId};
use crate::limits;
use crate::play::{End, Ev, Head, Play};
use crate::rng::{Rng, Seed};
use crate::script::answers::Answer;
use crate::script::bots::Spoken;
use crate::script::deeds::Deeds;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::left_out::Answers;
use crate::script::log::{Log, Watch};
use crate::script::programs::{self, Launcher, Launchers};
use crate::script::scene::{Actor, Scene};
use crate::script::source::Outcome;
use crate::script::stop::{Halt, Stop};
use crate::world::{Network, PeerNo, Rest, Shape, World, WorldError};

/// Makes an empty world whose every chance follows from a seed.
///
/// # Errors
/// The machine has no room for one; the text says why.
pub type Maker = Rc<dyn Fn(Seed) -> Result<Box<dyn World>, String>>;

/// A stage that verbs share.
pub(super) type Shared = Rc<RefCell<Stage>>;

/// What a run begins with.
pub struct Setting {
    /// Makes its worlds.
    pub maker: Maker,
    /// What all reports of it say first.
    pub head: Head,
    /// Ends it from outside.
    pub stop: Stop,
    /// Is told every moment as it happens.
    pub watch: Option<Watch>,
    /// Which deeds of the script are left out.
    pub deeds: Deeds,
    /// Keep everything that its worlds can tell of themselves.
    pub trace: bool,
    /// How long this thread has computed, which ends a script that only computes; what gives always
    /// the same sets no such bound. Nothing else is decided by it.
    pub effort: Effort,
    /// Looks for what starting programs of others takes.
    pub launchers: Launchers,
    /// Two programs are to talk with each other, and nothing else is done.
    pub pair: bool,
    /// How often a test is tried before it has failed.
    pub attempts: usize,
    /// Is shown the run after each test, so that there is a grade whatever happens then.
    pub tested: Option<Tested>,
}

/// Is shown a run that goes on.
pub type Tested = Box<dyn FnMut(&Play)>;

/// How long a thread has computed.
pub type Effort = Rc<dyn Fn() -> Duration>;

/// Where a script is played.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) log: Log,
    pub(super) deeds: Deeds,
    maker: Maker,
    pub(super) launchers: Launchers,
    pub(super) attempts: usize,
    pub(super) pair: bool,
    tested: Option<Tested>,
    pub(super) launcher: Option<Result<Launcher, String>>,
    /// What is typed at the prompts of programs, in every scene.
    pub(super) typed: Vec<Answer>,
    stop: Stop,
    seed: u64,
    scenes: u64,
    defaults: Defaults,
    /// Peers that are left out.
    pub(super) left_out: BTreeSet<Name>,
    pub(super) answers: Answers,
    /// Scenes that wait for the one under way to end.
    outer: Vec<Scene>,
    /// A handler is being called, so what it sends is a program's.
    pub(super) in_handler: bool,
    /// Grows whenever time passes or something is asked of a peer.
    pub(super) progress: Rc<Cell<u64>>,
    pub(super) tests: Tests,
    /// The texts of all files of the script, for quoting and for whoever keeps them.
    pub(super) texts: BTreeMap<Arc<str>, Arc<str>>,
    /// What the worlds told of themselves, if that is kept.
    trace: Option<Vec<String>>,
    /// A number for everything that happened in the scenes that are over.
    digest: Option<u64>,
    /// It is never to end.
    standing: bool,
    /// See `bots`; where handlers are not bounded by their script's end.
    pub(super) spoken: Option<Spoken>,
}

/// What a scene begins with.
#[derive(Clone, Copy, Default)]
struct Defaults {
    shape: Option<Shape>,
    dialect: Option<Dialect>,
}

/// How the tests went.
#[derive(Default)]
pub(super) struct Tests {
    pub(super) all: usize,
    pub(super) failed: usize,
    /// Of each that failed, its title and why.
    pub(super) errors: Vec<(String, ScriptError)>,
}

/// Virtual time that passes at most before somebody may end the script.
const SLICE: Duration = Duration::from_secs(10);

impl Stage {
    /// An empty stage.
    ///
    /// # Errors
    /// No world can be made.
    pub(super) fn new(setting: Setting) -> Result<Self, Failure> {
        let seed = setting.head.seed;
        setting.stop.begin();
        let (world, chance) = open(&setting.maker, seed, "")?;
        let mut stage = Self {
            scene: Scene::new(world, 0, chance),
            log: Log::new(setting.head, setting.watch),
            deeds: setting.deeds,
            maker: setting.maker,
            launchers: setting.launchers,
            attempts: setting.attempts,
            pair: setting.pair,
            tested: setting.tested,
            launcher: None,
            typed: Vec::new(),
            stop: setting.stop,
            seed,
            scenes: 1,
            defaults: Defaults::default(),
            left_out: BTreeSet::new(),
            answers: Answers::default(),
            outer: Vec::new(),
            in_handler: false,
            progress: Rc::default(),
            tests: Tests::default(),
            texts: BTreeMap::new(),
            trace: setting.trace.then(Vec::new),
            digest: None,
            standing: false,
            spoken: None,
        };
        for no in 0..stage.scene.world.peers() {
            stage.meet(PeerNo(no))?;
        }
        Ok(stage)
    }

    /// Only the latest of what happens is kept from now on, as this is never to end.
    pub(super) fn stand(&mut self) {
        self.log.keep(limits::PROMPT_MOMENTS);
        self.deeds.forget();
        self.standing = true;
        self.spoken = Some(Spoken::default());
    }

    /// Begins a scene of its own. Its chances follow from the seed and from `title`, so that another
    /// test before it changes nothing in it.
    pub(super) fn enter(&mut self, title: &str) -> Result<(), Failure> {
        let (mut world, chance) = open(&self.maker, self.seed, title)?;
        if let Some(shape) = self.defaults.shape {
            world.apply(&Network::Default(shape))?;
        }
        if let Some(dialect) = self.defaults.dialect {
            world.speak(dialect);
        }
        let scene = Scene::new(world, self.scenes, chance);
        self.scenes += 1;
        self.outer.push(std::mem::replace(&mut self.scene, scene));
        Ok(())
    }

    /// Ends it; the scene before goes on.
    pub(super) fn leave(&mut self) {
        self.keep_trace();
        if let Some(outer) = self.outer.pop() {
            self.scene = outer;
        }
    }

    /// What the world of this scene has to tell is kept, as the scene is over.
    fn keep_trace(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.extend(self.scene.world.trace().map(ToString::to_string));
        }
        let digest = self.scene.world.digest();
        self.digest = match (self.digest, digest) {
            (Some(before), Some(digest)) => Some(before.rotate_left(7) ^ digest),
            (before, digest) => before.or(digest),
        };
    }

    /// A test has ended.
    pub(super) fn tested(&mut self) {
        if let Some(tested) = &mut self.tested {
            tested(self.log.play());
        }
    }

    /// How many scenes are under way besides the first.
    pub(super) fn depth(&self) -> usize {
        self.outer.len()
    }

    /// Whether the script may go on.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.log.check()?;
        let most = u64::try_from(limits::RUN_TIME_MAX.as_micros()).unwrap_or(u64::MAX);
        if self.scene.at() > most && !self.standing {
            let days = limits::RUN_TIME_MAX.as_secs() / 86_400;
            return Err(Failure::Bound(format!("more than {days} days have passed in this world")));
        }
        match self.stop.asked() {
            None => Ok(()),
            Some(Halt::Interrupted) => Err(Failure::Interrupted),
            Some(Halt::TimedOut) => Err(Failure::TimedOut),
        }
    }

    /// Casts a peer.
    pub(super) fn cast(&mut self, name: Name, spot: &Spot) -> Result<PeerNo, Failure> {
        if let Some(who) = self.scene.find(name) {
            return Err(WorldError::NameTaken(self.scene.actors[who.0].name).into());
        }
        let who = self.scene.world.cast(name)?;
        self.meet(who)?;
        self.went_on();
        self.record(Some(who), Ev::Listen, |moment| moment.line = Some(spot.line));
        Ok(who)
    }

    /// Somebody is in the world.
    fn meet(&mut self, who: PeerNo) -> Result<(), Failure> {
        let name = self.scene.world.name(who)?;
        let (addr, key) = (self.scene.world.address(who)?, self.scene.world.key(who)?);
        self.scene.add(who, Actor::new(name, addr, key));
        Ok(())
    }

    /// From now on, and in the scenes to come, peers that are cast speak so.
    pub(super) fn speak(&mut self, dialect: Dialect) {
        self.scene.world.speak(dialect);
        if self.outer.is_empty() {
            self.defaults.dialect = Some(dialect);
        }
    }

    /// Does this to the network. What is so for all links is so in the scenes to come, too. What comes
    /// of it is not taken in yet: it happens after what was done.
    pub(super) fn apply(&mut self, change: &Network) -> Result<(), Failure> {
        self.scene.world.apply(change)?;
        if let (Network::Default(shape), true) = (change, self.outer.is_empty()) {
            self.defaults.shape = Some(*shape);
        }
        Ok(())
    }

    /// Gives a command to a peer.
    pub(super) fn submit(&mut self, who: PeerNo, command: Command) -> Result<RequestId, Failure> {
        if !self.scene.world.is_up(who)? {
            return Err(WorldError::Down(self.name(who)).into());
        }
        Ok(self.scene.world.session(who)?.submit(command))
    }

    /// Lets time pass until something happens, or `patience` is over. False in the last case.
    pub(super) fn turn(&mut self, patience: Duration) -> bool {
        let before = self.scene.world.now().mono;
        let is_news = self.scene.world.run(patience.min(self.slice()));
        if self.scene.world.now().mono > before {
            self.went_on();
        }
        self.absorb();
        is_news
    }

    /// Lets time pass until something happens, the world rests, or `patience` is over.
    pub(super) fn rest(&mut self, patience: Duration) -> Rest {
        let before = self.scene.world.now().mono;
        let rest = self.scene.world.rest(patience.min(self.slice()));
        if self.scene.world.now().mono > before {
            self.went_on();
        }
        self.absorb();
        rest
    }

    pub(super) fn went_on(&self) {
        self.progress.set(self.progress.get() + 1);
    }

    /// How long the world may run before somebody has to look.
    fn slice(&self) -> Duration {
        // One that has ended may have left something to be heard on a bare connection.
        if self.scene.programs.is_empty() { SLICE } else { programs::LOOK }
    }

    /// Takes in all that has happened.
    pub(super) fn absorb(&mut self) {
        while let Some((who, event)) = self.scene.world.take_event() {
            if matches!(event.what, What::Message(_) | What::Delivered { .. } | What::Failed { .. }) {
                // Over sockets a message may have arrived before anybody looked whether it was taken.
                self.take_answers(self.scene.since(event.at.mono));
            }
            self.heard(who, event);
        }
        self.take_answers(self.scene.at());
        self.bury();
        self.attend_programs();
    }

    /// Under which name a peer was cast.
    ///
    /// # Panics
    /// Never of a number that this stage gave.
    pub(super) fn name(&self, who: PeerNo) -> Name {
        self.scene.actors[who.0].name
    }

    /// The run has ended so; gives all that happened.
    pub(super) fn end(&mut self, error: Option<ScriptError>) -> Outcome {
        while self.depth() > 0 {
            self.leave();
        }
        self.keep_trace();
        let failed = std::mem::take(&mut self.tests.errors);
        let mut outcome = Outcome {
            play: self.log.take(),
            deeds: std::mem::take(&mut self.deeds),
            error,
            failed,
            texts: std::mem::take(&mut self.texts),
            trace: self.trace.take().unwrap_or_default(),
        };
        let (at, result, trace) = (self.scene.at(), outcome.exit().code(), self.digest);
        outcome.play.end = Some(End { at, result, trace });
        outcome
    }
}

/// A world, and a stream of chance for its script.
fn open(maker: &Maker, seed: u64, title: &str) -> Result<(Box<dyn World>, Rng), Failure> {
    let mut rng = Rng::new(scene_seed(seed, title));
    let world = maker(rng.fork()).map_err(Failure::Thrown)?;
    Ok((world, Rng::new(rng.fork())))
}

/// Distinct titles give distinct seeds.
fn scene_seed(seed: u64, title: &str) -> Seed {
    use blake2::Digest;
    let mut hash = blake2::Blake2s256::new();
    hash.update(b"hobnob scene 1");
    hash.update(seed.to_le_bytes());
    hash.update(title.as_bytes());
    Seed(hash.finalize().into())
}

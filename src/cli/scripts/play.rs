//! One run of a script: the world that it plays in, the clock and the signals that may end it, and
//! the language that its name says it is in.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use crate::live::world::Loopback;
use crate::play::{Head, WorldKind};
use crate::rng::Seed;
use crate::script::deeds::Deeds;
use crate::script::stop::Stop;
use crate::script::{Maker, Outcome, Setting, Source, Watch, batch, rhai};
use crate::session::Bell;
use crate::shell::signals;
use crate::sim::Sim;
use crate::text::Untrusted;
use crate::world::World;

/// How a script is to be played.
#[derive(Default)]
pub(super) struct Manner {
    pub(super) seed: u64,
    pub(super) tcp: bool,
    pub(super) wall: bool,
    /// Keep everything that the worlds can tell of themselves.
    pub(super) trace: bool,
    pub(super) deeds: Deeds,
    pub(super) watch: Option<Watch>,
    pub(super) ends: Ends,
}

/// What may end a run from outside. Clones end the same runs.
#[derive(Clone, Default)]
pub(super) struct Ends {
    pub(super) stop: Stop,
}

/// Lines of a world's own account that are kept when they are wanted.
const TRACE_LINES: usize = 400_000;

impl Ends {
    /// What a signal ends, and a clock once `timeout` is over.
    pub(super) fn by_signal_or(timeout: Option<Duration>) -> Self {
        let ends = Self::default();
        let stop = ends.stop.clone();
        signals::watch(Arc::new(AtomicBool::new(false)), Bell::new(move || stop.interrupt()));
        if let Some(timeout) = timeout {
            let stop = ends.stop.clone();
            thread::spawn(move || {
                thread::sleep(timeout);
                stop.time_out();
            });
        }
        ends
    }
}

/// What all reports of a run say first.
pub(super) fn head(source: &Source, manner: &Manner) -> Head {
    Head {
        hobnob: env!("CARGO_PKG_VERSION").to_owned(),
        script: Untrusted::new(Arc::from(source.name.as_str())),
        hash: source.hash(),
        seed: manner.seed,
        world: if manner.tcp { WorldKind::Tcp } else { WorldKind::Sim },
        timed: false,
        wall: manner.wall.then(|| crate::live::wall().0),
    }
}

/// Plays a script to its end.
pub(super) fn play(source: &Source, manner: Manner) -> Outcome {
    let head = head(source, &manner);
    let Manner { tcp, trace, deeds, watch, ends, .. } = manner;
    let stop = ends.stop.clone();
    let maker = if tcp { loopback(stop.clone()) } else { imaginary(trace) };
    let setting = Setting { maker, head, stop, watch, deeds, trace, effort: Rc::new(effort) };
    if source.name.ends_with(".rhai") { rhai::run(source, setting) } else { batch::run(source, setting) }
}

/// Whether a file's name says what it is.
pub(super) fn is_script(name: &str) -> bool {
    [".rhai", ".hob", ".md", ".markdown"].iter().any(|end| name.ends_with(end))
}

/// How long this thread has computed.
pub(in crate::cli) fn effort() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn imaginary(trace: bool) -> Maker {
    Rc::new(move |seed: Seed| {
        let mut sim = Sim::new(seed);
        sim.keep_trace(if trace { TRACE_LINES } else { 0 });
        Ok(Box::new(sim) as Box<dyn World>)
    })
}

fn loopback(stop: Stop) -> Maker {
    Rc::new(move |seed: Seed| {
        let world = Loopback::new(seed).map_err(|error| error.to_string())?;
        stop.wakes(world.bell());
        Ok(Box::new(world) as Box<dyn World>)
    })
}

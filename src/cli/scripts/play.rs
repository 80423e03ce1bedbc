//! One run of a script: the world that it plays in, the clock and the signals that may end it, and
//! the language that its name says it is in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use crate::launch::{self, Launch, Sandbox};
use crate::live::ports;
use crate::live::world::Loopback;
use crate::play::{Head, WorldKind};
use crate::rng::Seed;
use crate::script::deeds::Deeds;
use crate::script::stop::Stop;
use crate::script::{Launcher, Launchers, Maker, Outcome, Setting, Source, Tested, Watch, batch, rhai};
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
    /// What programs of others it may start, and how.
    pub(super) programs: Programs,
    /// Is shown the run after each test.
    pub(super) tested: Option<Tested>,
}

/// Programs of others that a script may start.
#[derive(Clone, Default)]
pub(super) struct Programs {
    /// Start them even if they cannot be shut in.
    pub(super) unshut: bool,
    /// The one that the command line names, and the folder that it is in.
    pub(super) argv: Vec<OsString>,
    pub(super) folder: Option<PathBuf>,
    /// Only that folder is copied, not the script's.
    pub(super) own_folder: bool,
    /// The other of a pair, with its folder.
    pub(super) other: Option<(Vec<OsString>, PathBuf)>,
    /// How often a test is tried; 0 is as good as 1.
    pub(super) attempts: usize,
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
        // Programs of others tell nobody when they have nothing more to do.
        timed: !manner.programs.argv.is_empty(),
        wall: manner.wall.then(|| crate::live::wall().0),
    }
}

/// Plays a script to its end.
pub(super) fn play(source: &Source, manner: Manner) -> Outcome {
    let head = head(source, &manner);
    let Manner { tcp, trace, deeds, watch, ends, programs, tested, .. } = manner;
    let stop = ends.stop.clone();
    let maker = if tcp { loopback(stop.clone()) } else { imaginary(trace) };
    let (attempts, pair) = (programs.attempts.max(1), programs.other.is_some());
    let folder = match programs.own_folder {
        true => programs.folder.clone(),
        false => Some(source.folder.clone()),
    };
    let own = stop.clone();
    let launchers: Launchers = Rc::new(move || match tcp {
        true => launcher(&programs, folder.as_deref(), &own),
        false => Err(NOT_REAL.into()),
    });
    let setting = Setting {
        maker,
        head,
        stop,
        watch,
        deeds,
        trace,
        effort: Rc::new(effort),
        launchers,
        pair,
        attempts,
        tested,
    };
    if source.name.ends_with(".rhai") { rhai::run(source, setting) } else { batch::run(source, setting) }
}

/// Why no program is started in an imaginary world.
const NOT_REAL: &str = "launch: a program runs in real time and on real sockets; use: hobnob run --tcp";
/// Why none is started that cannot be shut in.
const NOT_SHUT: &str = "launch: bubblewrap (bwrap) does not work here, so a program could not be shut in; \
    install it, or take the risk with --unsafe";

/// What starting programs takes. They run in copies of the script's folder.
fn launcher(programs: &Programs, folder: Option<&Path>, stop: &Stop) -> Result<Launcher, String> {
    let sandbox = match launch::find_sandbox() {
        Some(program) => Sandbox::Bubblewrap(program),
        None if programs.unshut => Sandbox::None,
        None => return Err(NOT_SHUT.into()),
    };
    let shim =
        std::env::current_exe().map_err(|error| format!("launch: cannot find this program: {error}"))?;
    launch::adopt();
    let rings = stop.clone();
    let launch = Launch { argv: programs.argv.clone(), folder: folder.map(Path::to_owned), sandbox, shim };
    let other =
        programs.other.clone().map(|(argv, folder)| Launch { argv, folder: Some(folder), ..launch.clone() });
    Ok(Launcher {
        launch,
        other,
        bell: Bell::new(move || rings.ring()),
        free_port: Rc::new(ports::free),
        listens: Rc::new(ports::is_listening),
    })
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

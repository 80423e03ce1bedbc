//! Scripts played inside the test's own process, in either world.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hobnob::live::world::Loopback;
use hobnob::play::{Head, WorldKind};
use hobnob::rng::Seed;
use hobnob::script::deeds::Deeds;
use hobnob::script::stop::Stop;
use hobnob::script::{Outcome, Setting, Source, batch, rhai};
use hobnob::sim::Sim;
use hobnob::text::Untrusted;
use hobnob::world::World;

/// A script that stands in a test.
pub(crate) fn script(name: &str, text: &str) -> Source {
    Source { name: name.into(), folder: PathBuf::from("."), text: text.into(), args: Vec::new(), files: None }
}

/// A script that stands in a file.
pub(crate) fn file(path: &Path) -> Source {
    Source::read(path, Vec::new()).expect("a script")
}

/// Plays it.
pub(crate) fn play(source: &Source, seed: u64, world: WorldKind) -> Outcome {
    play_until(source, seed, world, Stop::default())
}

/// Plays it, unless somebody stops it.
pub(crate) fn play_until(source: &Source, seed: u64, world: WorldKind, stop: Stop) -> Outcome {
    set(source, seed, world, stop, Deeds::default())
}

/// Plays it, but for the deeds that are to be left out.
pub(crate) fn play_with(source: &Source, seed: u64, world: WorldKind, deeds: Deeds) -> Outcome {
    set(source, seed, world, Stop::default(), deeds)
}

fn set(source: &Source, seed: u64, world: WorldKind, stop: Stop, deeds: Deeds) -> Outcome {
    let head = Head {
        hobnob: "test".into(),
        script: Untrusted::new(Arc::from(source.name.as_str())),
        hash: source.hash(),
        seed,
        world,
        timed: false,
        wall: None,
    };
    let maker = Rc::new(move |seed: Seed| {
        Ok(match world {
            WorldKind::Sim => Box::new(Sim::new(seed)) as Box<dyn World>,
            WorldKind::Tcp => Box::new(Loopback::new(seed).map_err(|error| error.to_string())?),
        })
    });
    let setting = Setting {
        maker,
        head,
        stop,
        watch: None,
        deeds,
        trace: false,
        effort: Rc::new(Duration::default),
        attempts: 1,
        pair: false,
        tested: None,
        launchers: Rc::new(|| Err("launch: not in this test".into())),
    };
    if source.name.ends_with(".rhai") { rhai::run(source, setting) } else { batch::run(source, setting) }
}

/// Plays Rhai in the imaginary world, and gives why it failed.
pub(crate) fn error(text: &str) -> String {
    let outcome = play(&script("t.rhai", text), 1, WorldKind::Sim);
    outcome.error.map_or_else(|| "no error".into(), |error| error.to_string())
}

/// Plays Rhai in the imaginary world; it has to end well.
pub(crate) fn well(text: &str) -> Outcome {
    let outcome = play(&script("t.rhai", text), 1, WorldKind::Sim);
    let failed: Vec<_> = outcome.error.iter().chain(outcome.failed.iter().map(|(_, error)| error)).collect();
    assert!(failed.is_empty(), "{}", failed[0]);
    outcome
}

//! Scripts in the imaginary world.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use hobnob::play::{Head, WorldKind};
use hobnob::rng::Seed;
use hobnob::script::deeds::Deeds;
use hobnob::script::stop::Stop;
use hobnob::script::{Outcome, Setting, Source, rhai};
use hobnob::sim::Sim;
use hobnob::text::Untrusted;
use hobnob::world::World;

pub(crate) fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.into(),
        folder: PathBuf::from("scripts"),
        text: text.into(),
        args: Vec::new(),
        files: None,
    }
}

pub(crate) fn setting(source: &Source, seed: u64) -> Setting {
    let head = Head {
        hobnob: "test".into(),
        script: Untrusted::new(Arc::from(source.name.as_str())),
        hash: source.hash(),
        seed,
        world: WorldKind::Sim,
        timed: false,
        wall: None,
    };
    let maker = Rc::new(|seed: Seed| Ok(Box::new(Sim::new(seed)) as Box<dyn World>));
    Setting { maker, head, stop: Stop::default(), watch: None, deeds: Deeds::default(), trace: false }
}

fn run(text: &str) -> Outcome {
    let source = source("test.rhai", text);
    rhai::run(&source, setting(&source, 1))
}

#[test]
fn the_demo_plays_in_an_imaginary_world() {
    let outcome = run(include_str!("../../scripts/demo.rhai"));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
}

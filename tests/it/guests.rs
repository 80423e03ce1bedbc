//! Scripts on threads of their own, as a front end has them: one that breaks, one that says too much.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hobnob::api::command::{Command, CommandError};
use hobnob::api::exit::Exit;
use hobnob::guest::{Guest, Me, Outside, Said};
use hobnob::key::PeerKey;
use hobnob::live::world::Loopback;
use hobnob::rng::Seed;
use hobnob::script::Source;
use hobnob::session::Bell;
use hobnob::sim::Sim;
use hobnob::world::World;

fn source(text: &str) -> Source {
    Source {
        name: "test.rhai".into(),
        folder: PathBuf::from("."),
        text: text.into(),
        args: Vec::new(),
        files: None,
    }
}

fn me() -> Me {
    Me { key: PeerKey([7; 32]), addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)) }
}

/// The others live in an imaginary world, where to wait takes no time.
fn outside(world: impl Fn(Seed) -> Box<dyn World> + Send + Sync + 'static) -> (Outside, Receiver<()>) {
    let (rings, rung) = channel();
    let bell = Bell::new(move || {
        let _ = rings.send(());
    });
    let world = move |seed| Ok((world(seed), Bell::new(|| {})));
    (Outside { world: Arc::new(world), bell, effort: || Duration::ZERO }, rung)
}

/// In this one it takes as long as it takes.
fn loopback() -> (Outside, Receiver<()>) {
    let (mut outside, rung) = sim();
    outside.world = Arc::new(|seed| {
        let world = Loopback::new(seed).map_err(|error| error.to_string())?;
        let bell = world.bell();
        Ok((Box::new(world), bell))
    });
    (outside, rung)
}

fn sim() -> (Outside, Receiver<()>) {
    outside(|seed| Box::new(Sim::new(seed)))
}

/// What is said next.
fn next(guest: &Guest, rung: &Receiver<()>) -> Said {
    loop {
        if let Some(said) = guest.take() {
            return said;
        }
        rung.recv_timeout(Duration::from_secs(20)).expect("it says something");
    }
}

#[test]
fn what_breaks_in_a_script_breaks_nothing_else() {
    let (outside, rung) = outside(|_| panic!("on purpose"));
    let guest = Guest::play(source(""), me(), &outside, false).expect("a thread");
    let Said::Ended(report) = next(&guest, &rung) else { panic!("it has ended") };
    assert_eq!(report.errors, ["test.rhai: the script engine failed; the prompt goes on"]);
    assert_eq!((report.sentence.as_str(), report.exit), ("test.rhai: failed", Exit::Runtime));
    let guest = Guest::stand(source(""), me(), &outside, false).expect("a thread");
    let Said::Ended(report) = next(&guest, &rung) else { panic!("it has ended") };
    assert!(report.errors[0].starts_with("=: the script engine failed; the prompt goes on"));
}

#[test]
fn a_script_that_says_too_much_waits_and_ends_at_once() {
    let (outside, rung) = sim();
    let text = "loop { print(\"x\"); wait(1.ms); }";
    let guest = Guest::play(source(text), me(), &outside, false).expect("a thread");
    for _ in 0..1_000 {
        assert!(matches!(next(&guest, &rung), Said::Line(line) if line.ends_with("note: x")));
    }
    let from = std::time::Instant::now();
    guest.end(Duration::from_secs(20));
    assert!(from.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_asked_of_me_goes_out_and_its_answer_comes_back() {
    let (outside, rung) = loopback();
    let text = "try { me.connect(\":1\") } catch (e) { print(e) }";
    let guest = Guest::play(source(text), me(), &outside, false).expect("a thread");
    let Said::Command { request, command } = next(&guest, &rung) else { panic!("a command") };
    assert!(matches!(command, Command::Connect { .. }));
    guest.answer(request, Err(CommandError::NobodyKnown));
    assert!(matches!(next(&guest, &rung), Said::Line(line) if line.contains("no peer is known yet")));
    assert!(matches!(next(&guest, &rung), Said::Ended(report) if report.exit == Exit::Done));
}

//! A world that loses links: two peers talk while the network resets, cuts and withholds whatever a
//! seed says, and one of them dies and comes back. In the end everything has arrived, once, in order.
//!
//!     cargo run --example lossy_world -- 7
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Duration;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::event::What;
use hobnob::id::Name;
use hobnob::rng::{Rng, Seed};
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::world::{Network, PeerNo, Shape, World};

const MESSAGES: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?;
    let mut chance = Rng::new(Seed::from_number(seed));
    let mut world = Sim::new(Seed::from_number(seed));
    let (alice, bob) = (world.cast(Name::new("alice")?)?, world.cast(Name::new("bob")?)?);
    let ms = Duration::from_millis;
    let shape = Shape {
        delay: ms(20),
        jitter: ms(30),
        bandwidth: Some(20_000),
        pieces: Some(40),
        ..Shape::default()
    };
    world.apply(&Network::Default(shape))?;
    let address = world.address(bob)?;
    let mut troubles = 0;
    for number in 1..=MESSAGES {
        let (to, text) = (PeerRef::At(address.into()), Body::new(&format!("message {number}"))?);
        world.session(alice)?.call(Command::Send { to, text, auto: false }, PATIENCE)?;
        if chance.below(4) == 0 {
            troubles += 1;
            trouble(&mut world, &mut chance, alice, bob)?;
        }
        world.pass(ms(chance.below(80)));
    }
    world.apply(&Network::Heal)?;
    // Whoever had given up dials again.
    let back = PeerRef::At(world.address(bob)?.into());
    world.session(alice)?.call(Command::Connect { to: back, dialect: None }, PATIENCE)?;
    let rested = world.settle(PATIENCE);
    let mut heard = Vec::new();
    while let Some(event) = world.session(bob)?.take_event() {
        if let What::Message(message) = event.what {
            heard.push(message.text.expose().to_owned());
        }
    }
    let wanted: Vec<_> = (1..=MESSAGES).map(|number| format!("message {number}")).collect();
    let verdict =
        if heard == wanted && rested { "all arrived, once, in order" } else { "something is wrong" };
    println!("seed {seed}: {MESSAGES} messages through {troubles} troubles: {verdict}");
    if heard == wanted && rested { Ok(()) } else { Err(format!("bob has {} messages", heard.len()).into()) }
}

/// Something goes wrong, and after a while is well again.
fn trouble(
    world: &mut Sim,
    chance: &mut Rng,
    alice: PeerNo,
    bob: PeerNo,
) -> Result<(), Box<dyn std::error::Error>> {
    match chance.below(4) {
        0 => world.apply(&Network::Reset(alice, bob))?,
        1 => {
            world.apply(&Network::Partition { from: vec![alice], to: vec![bob], one_way: false })?;
            world.pass(Duration::from_millis(chance.below(500)));
            world.apply(&Network::Heal)?;
        }
        2 => world.apply(&Network::Clog(alice, bob, Duration::from_millis(chance.below(1_000))))?,
        _ => {
            world.apply(&Network::Crash(bob))?;
            world.pass(Duration::from_millis(chance.below(300)));
            world.apply(&Network::Restart(bob))?;
        }
    }
    Ok(())
}

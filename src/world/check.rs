//! Whether a change of the network makes sense in a world as it is: the same rules and the same
//! words wherever the world is. What a kind of world cannot do at all is for that world to say.

use crate::world::{Network, PeerNo, Shape, World, WorldError};

/// Whether a change makes sense now.
pub(crate) fn check(world: &dyn World, change: &Network) -> Result<(), WorldError> {
    let two = |verb, a: PeerNo, b: PeerNo| {
        world.name(a)?;
        let name = world.name(b)?;
        if a == b { Err(WorldError::BothSides(verb, name)) } else { Ok(()) }
    };
    match change {
        Network::Heal => Ok(()),
        Network::Default(shape) => check_shape("net", shape),
        Network::Link { a, b, shape } => {
            two("link", *a, *b)?;
            check_shape("link", shape)
        }
        Network::Partition { from, to, one_way: _ } => {
            for who in from.iter().chain(to) {
                world.name(*who)?;
            }
            match from.iter().find(|who| to.contains(who)) {
                Some(who) => Err(WorldError::BothSides("partition", world.name(*who)?)),
                None => Ok(()),
            }
        }
        Network::Hold(a, b) => two("hold", *a, *b),
        Network::Release(a, b) => two("release", *a, *b),
        Network::Reset(a, b) => two("reset", *a, *b),
        Network::HalfOpen(a, b) => two("half-open", *a, *b),
        Network::Clog(a, b, _) => two("clog", *a, *b),
        Network::Refuse(who, _) | Network::Slow(who, _) | Network::Disk(who, _) | Network::Skew(who, _) => {
            world.name(*who).map(drop)
        }
        Network::Crash(who) | Network::CrashAfter(who, _) => match world.is_up(*who)? {
            true => Ok(()),
            false => Err(WorldError::Down(world.name(*who)?)),
        },
        Network::Restart(who) => match world.is_up(*who)? {
            true => Err(WorldError::Up(world.name(*who)?)),
            false => Ok(()),
        },
    }
}

fn check_shape(verb: &'static str, shape: &Shape) -> Result<(), WorldError> {
    match (shape.bandwidth, shape.pieces) {
        (Some(0), _) => Err(WorldError::Senseless(verb, "no bandwidth carries nothing; hold the link")),
        (_, Some(0)) => Err(WorldError::Senseless(verb, "a piece has at least one byte")),
        _ => Ok(()),
    }
}

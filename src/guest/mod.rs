//! Scripts at a prompt: each plays on a thread of its own, in a world where `me` is the prompt's own
//! node and the rest of the cast is the script's. What the script asks of `me` travels to the front
//! end as commands, and everything that the front end hears travels back, by bounded channels both
//! ways; so one talk with a node stays one, and the prompt stays live whatever a script does. Knows
//! no sockets: the world of the rest is made by whoever starts the program.

mod cast;
mod host;
mod inbox;
mod perform;
mod seat;

use std::sync::Arc;
use std::time::Duration;

use crate::rng::Seed;
use crate::session::Bell;
use crate::world::World;

pub use host::{Guest, Report, Said};
pub use seat::Me;

/// Makes an empty world on the thread that calls it, and gives what wakes that world.
pub type WorldMaker = Arc<dyn Fn(Seed) -> Result<(Box<dyn World>, Bell), String> + Send + Sync>;

/// What scripts at a prompt are given of the surroundings.
#[derive(Clone)]
pub struct Outside {
    /// Makes the world of everybody but `me`.
    pub world: WorldMaker,
    /// Wakes the front end.
    pub bell: Bell,
    /// How long the thread that calls it has computed.
    pub effort: fn() -> Duration,
}

/// What the threads are called on which scripts play.
pub const THREAD: &str = "script";

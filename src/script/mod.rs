//! Scripts: what they say to a world, and what becomes of it. A stage holds the scene under way and
//! the list of what happened; verbs act on it through the nodes' own commands; waiting is one loop.
//! Rhai and batches are two ways to write the same. Knows neither sockets nor the simulator: it is
//! given a maker of worlds.

mod act;
mod answers;
mod asked;
pub mod batch;
mod bots;
pub mod deeds;
pub mod error;
mod expect;
mod heard;
mod left_out;
mod log;
mod network;
mod printed;
mod programs;
mod record;
pub mod rhai;
mod scene;
mod source;
mod stage;
mod standing;
pub mod stop;
mod turns;

pub use log::Watch;
pub use programs::{Launcher, Launchers};
pub use rhai::Pace;
pub use source::{Outcome, Source, SourceError};
pub use stage::{Effort, Maker, Setting, Tested};
pub use standing::Standing;

//! hobnob: chat without a server that you can script. The modules in reading order, from the
//! vocabulary that all share to the edge where people type; docs/architecture.md says which may
//! name which, and tests/it/layers.rs checks it.

pub mod addr;
pub mod id;
pub mod key;
pub mod limits;
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
pub mod rng;
pub mod text;
pub mod time;
pub mod why;

pub mod wire;

pub mod api;

pub mod link;

pub mod node;

pub mod session;
pub mod world;

pub mod play;

pub mod store;

pub mod launch;
pub mod live;
pub mod sim;

pub mod report;
pub mod script;

pub mod guest;
pub mod shell;

pub mod bench;

pub mod cli;

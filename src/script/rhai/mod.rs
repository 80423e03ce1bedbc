//! Scripts in Rhai. The engine has what the language needs for computing and the verbs below, and
//! nothing that reaches a file, a clock, chance or another program; every bound of it is set. One
//! script runs at a time, on the thread that also runs its world.

mod checks;
mod engine;
mod forms;
mod import;
mod kit;
mod meter;
mod network;
mod pair;
mod peers;
mod programs;
mod raw;
mod tests;
mod texts;
mod trouble;
mod values;

pub(super) use engine::Talk;
pub use engine::run;
pub use meter::Pace;
pub use pair::WAYS;

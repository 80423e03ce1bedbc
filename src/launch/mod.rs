//! Other people's programs: started in a terminal, a session and a folder of their own, with bounds
//! on everything, written to and read from, and ended with all that they have started. Nothing of
//! what they say is believed here, or looked at. Bare TCP with them, too. Knows no scripts and no peers.

mod folder;
mod output;
mod program;
mod raw;
mod sandbox;
pub mod shim;
mod tree;
mod users;

pub use program::{Ended, Launch, LaunchError, Program};
pub use raw::{Ear, Raw};
pub use sandbox::{Sandbox, find as find_sandbox};
pub use tree::adopt;

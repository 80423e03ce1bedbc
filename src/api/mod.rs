//! What a person or a script says to a node and hears back: plain data that can be compared, kept
//! and replayed. Decides what can be said at all; knows nothing of how it is done.

pub mod command;
pub mod event;
pub mod reply;

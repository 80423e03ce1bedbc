//! What a person or a script says to a node and hears back: plain data that can be compared, kept
//! and replayed. Decides what can be said at all; knows nothing of how it is done.
//!
//! A line becomes an action so: `grammar` finds the verb in `table`, `args` sorts the `words` behind
//! it, and the verb reads each as a `value`.

pub mod command;
pub mod event;
pub mod exit;
pub mod reply;

pub mod action;
pub mod fault;
pub mod pattern;
pub mod settings;

pub mod args;
pub mod error;
pub mod grammar;
pub mod near;
pub mod table;
pub mod verb;
pub mod words;

pub mod value;

pub mod help;
pub mod hint;

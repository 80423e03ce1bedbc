//! The terminal and the pipe: what people type becomes actions, what happens becomes lines. Knows a
//! session and nothing of what is behind it.
//!
//! At a prompt the main thread owns the network and obeys lines, the editor's thread only turns
//! keystrokes into finished lines, and the printer's thread only sees that output gets out. What they
//! know of each other stands in `shared`.

pub mod batch;
mod expect;
pub mod failure;
pub mod feed;
mod follow;
pub mod front;
mod guests;
pub mod output;
mod receipts;
mod record;
mod recording;
pub mod render;
pub mod signals;
pub mod tail;
mod unread;
mod verbs;

pub mod editor;
pub mod menu;
pub mod printer;
pub mod prompt;
pub mod shared;
pub mod terminal;

mod complete;
mod guide;
mod history;
mod kept;
mod pace;
mod paste;

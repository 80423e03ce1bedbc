//! The terminal and the pipe: what people type becomes actions, what happens becomes lines. Knows a
//! session and nothing of what is behind it.

pub mod batch;
pub mod failure;
pub mod feed;
pub mod front;
pub mod output;
mod receipts;
pub mod render;
pub mod signals;
pub mod tail;
mod unread;
mod verbs;

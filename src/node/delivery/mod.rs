//! Delivery between two keys: in order, each message once. A stream is named by its epoch and
//! numbers its messages from 1 without a gap; the receiver acknowledges up to a number once that is
//! saved; after a break the sender goes on behind what the receiver says it has (go-back-n, as in
//! RFC 3366 §2). What the receiver has is named, not only numbered, so that a sender whose memory
//! was set back notices and begins a new stream. Knows no links and no clock: it is asked for what
//! may be sent, and told what came.
//!
//! Of two epochs the greater is the later, so that nobody who hears of both, by whatever links, goes
//! back to the earlier; a sender that hears of a greater one than its own was set back.

mod inbox;
mod outbox;

pub(super) use inbox::{Arrival, Inbox};
pub(super) use outbox::{Outbox, Outgoing, Resumed};

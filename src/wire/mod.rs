//! Bytes to values and back, for both protocols that share the port. No state of a peer, no clock,
//! no I/O: what a message means is decided above.

pub mod classic;
pub mod message;
pub mod preamble;
pub mod record;

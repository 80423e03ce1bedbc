//! Bytes to values and back, for both protocols that share the port. No state, no clock, no I/O:
//! what a message means is decided above.


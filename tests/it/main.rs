//! The one integration crate; each file is named after the behaviour that it holds us to.

// What holds for all plain texts, read and printed.
mod classic_codec;
// What plain programs were seen to send, byte for byte, and what it means.
mod classic_vectors;

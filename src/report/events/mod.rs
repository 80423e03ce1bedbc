//! A run as lines of JSON, version 1, and back: `{"v":1,"n":3,"t":0.024110,"ev":"recv",…}`. `n`
//! counts lines from 0 and `cause` is the `n` of another line; `t` is seconds since the moment's
//! world began. The first line is `"ev":"header"`, the last `"ev":"end"` with `hash`, BLAKE2s-256 of
//! all the bytes before it. Fields and words are those of [`super::ndjson`], which writes what a
//! prompt lives through; that is read too, as far as it goes.

mod read;
mod write;

#[cfg(test)]
pub(super) mod tests;

pub use read::{ReadError, read};
pub use write::{Writer, write};

/// The version of the lines.
const VERSION: u64 = 1;

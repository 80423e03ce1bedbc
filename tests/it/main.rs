//! The one integration crate; each file is named after the behaviour that it holds us to.

// Whatever is typed is read without panic, and what is printed is read back.
mod grammar;
// Which line means what, and what is said of a wrong one.
mod lines;

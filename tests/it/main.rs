//! The one integration crate; each file is named after the behaviour that it holds us to.

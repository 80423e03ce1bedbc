//! Scripts: what they say to a world, and what becomes of it.

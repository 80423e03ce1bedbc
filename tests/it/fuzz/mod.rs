//! What each fuzz target does with its bytes, and what must hold whatever they are: a function that
//! panics when it does not. The package in fuzz/ feeds them from libFuzzer, `fuzz_corpus` from the
//! inputs that were kept, so this names nothing of the crate around it.

mod classic;
mod command;
mod delivery;
mod display;
mod draw;
mod events;
mod handshake;
mod hostile;
mod line;
mod message;
mod node;
pub(crate) mod page;
mod parse;
mod play;
mod preamble;
mod record;
mod report;

/// A name, and what is done with the bytes.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All of them; each has its corpus in fuzz/corpus.
pub(crate) const TARGETS: [Target; 11] = [
    ("classic", classic::target),
    ("delivery", delivery::target),
    ("display", display::target),
    ("events", events::target),
    ("handshake", handshake::target),
    ("line", line::target),
    ("message", message::target),
    ("node", node::target),
    ("preamble", preamble::target),
    ("record", record::target),
    ("report", report::target),
];

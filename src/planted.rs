//! Faults that are planted on purpose, in a build for tests only, to show that `hobnob verify` and
//! `hobnob sweep` find such: three leaks of what no seed decides, five classic faults of programs
//! that talk, and one that breaks the program itself. Without the cargo feature `planted` nothing is ever planted, and the compiler removes
//! every place that asks. Decides what is planted; what it does is seen where it is planted.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::rng::Seed;

/// What may be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// A leak: peers end their turns in the order of a hash map, which is another in each process.
    HashOrder,
    /// A leak: bytes take longer by what the real clock says.
    RealClock,
    /// A leak: a stream's chance is the operating system's.
    UnseededChance,
    /// Each read of plain text is taken for one whole message.
    SplitMessage,
    /// What was heard is forgotten with the link, so what is repeated on the next one is new.
    DoubleDelivery,
    /// A peer that said goodbye is listed as connected.
    StalePeer,
    /// Whoever hears something sends it on to everybody.
    BroadcastStorm,
    /// When two dial each other, each closes one of the two links.
    CrossedDials,
    /// Whoever asks for the counters breaks the program.
    Panic,
}

/// The variable of the environment that names what is planted.
const VARIABLE: &str = "HOBNOB_PLANTED";

/// Whether this is planted.
pub(crate) fn is(what: Planted) -> bool {
    static PLANTED: OnceLock<Option<Planted>> = OnceLock::new();
    cfg!(feature = "planted")
        && *PLANTED.get_or_init(|| std::env::var_os(VARIABLE).map(|name| named(&name.to_string_lossy())))
            == Some(what)
}

/// What is called so.
///
/// # Panics
/// Nothing is: a test of a fault that is not there would test nothing.
fn named(name: &str) -> Planted {
    let all = Planted::ALL.map(Planted::word);
    let found = Planted::ALL.into_iter().find(|planted| planted.word() == name);
    found.unwrap_or_else(|| panic!("{VARIABLE}: nothing is called {name:?}; there are {}", all.join(" ")))
}

impl Planted {
    const ALL: [Self; 9] = [
        Self::HashOrder,
        Self::RealClock,
        Self::UnseededChance,
        Self::SplitMessage,
        Self::DoubleDelivery,
        Self::StalePeer,
        Self::BroadcastStorm,
        Self::CrossedDials,
        Self::Panic,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::HashOrder => "hash-order",
            Self::RealClock => "real-clock",
            Self::UnseededChance => "unseeded-chance",
            Self::SplitMessage => "split-message",
            Self::DoubleDelivery => "double-delivery",
            Self::StalePeer => "stale-peer",
            Self::BroadcastStorm => "broadcast-storm",
            Self::CrossedDials => "crossed-dials",
            Self::Panic => "panic",
        }
    }
}

/// The same things in the order of a hash map.
pub(crate) fn in_hash_order<T>(things: Vec<T>) -> Vec<T> {
    things.into_iter().enumerate().collect::<HashMap<_, _>>().into_values().collect()
}

/// What the real clock says, below a millisecond, in microseconds.
pub(crate) fn clock_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_micros() % 1_000)
}

/// A seed that follows from nothing.
pub(crate) fn unseeded() -> Seed {
    Seed::from_os().unwrap_or_else(|_| Seed::from_number(clock_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        for planted in Planted::ALL {
            assert_eq!(named(planted.word()), planted);
        }
    }

    #[test]
    #[should_panic(expected = "nothing is called \"brodcast-storm\"; there are hash-order ")]
    fn a_wrong_name_is_no_quiet_nothing() {
        named("brodcast-storm");
    }

    #[test]
    fn nothing_is_planted_unless_it_is_asked_for() {
        assert_eq!(std::env::var_os(VARIABLE), None, "these tests are about the healthy program");
        assert!(!Planted::ALL.into_iter().any(is));
    }
}

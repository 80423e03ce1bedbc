//! Faults that are planted on purpose, in a build for tests only, to show that they are found: three
//! leaks of what no seed decides, by `hobnob verify`; five classic faults of programs that talk, by
//! `hobnob sweep`; two that break the program itself; and thirty mistakes in the code of delivery and
//! trust, by the proof, and four in the store on a disk, by the proof on SQLite. Without the cargo feature
//! `planted` nothing is ever planted, and the compiler removes every place that asks. Decides what is
//! planted; what it does is seen where it is planted.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::rng::Seed;

/// Makes the list of what may be planted, each with the name that it is asked for by.
macro_rules! planted {
    (
        $($(#[$doc:meta])* $fault:ident $word:literal)*
        ;
        $($(#[$mutant_doc:meta])* $mutant:ident $mutant_word:literal)*
        ;
        $($(#[$disk_doc:meta])* $disk:ident $disk_word:literal)*
    ) => {
        /// What may be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Planted {
            $($(#[$doc])* $fault,)*
            $($(#[$mutant_doc])* $mutant,)*
            $($(#[$disk_doc])* $disk,)*
        }

        impl Planted {
            const ALL: &[(&'static str, Self)] = &[
                $(($word, Self::$fault),)*
                $(($mutant_word, Self::$mutant),)*
                $(($disk_word, Self::$disk),)*
            ];
        }

        /// What the proof must find, by name.
        #[cfg(feature = "planted")]
        pub const MUTANTS: &[&str] = &[$($mutant_word),*];

        /// What the proof on SQLite must find, by name.
        #[cfg(feature = "planted")]
        pub const DISK_MUTANTS: &[&str] = &[$($disk_word),*];
    };
}

planted! {
    /// A leak: peers end their turns in the order of a hash map, which is another in each process.
    HashOrder "hash-order"
    /// A leak: bytes take longer by what the real clock says.
    RealClock "real-clock"
    /// A leak: a stream's chance is the operating system's.
    UnseededChance "unseeded-chance"
    /// Each read of plain text is taken for one whole message.
    SplitMessage "split-message"
    /// What was heard is forgotten with the link, so what is repeated on the next one is new.
    DoubleDelivery "double-delivery"
    /// A peer that said goodbye is listed as connected.
    StalePeer "stale-peer"
    /// Whoever hears something sends it on to everybody.
    BroadcastStorm "broadcast-storm"
    /// When two dial each other, each closes one of the two links.
    CrossedDials "crossed-dials"
    /// Whoever asks for the counters breaks the program.
    Panic "panic"
    /// Certain words break whatever reads them.
    BreakingText "breaking-text"

    ;

    // The proof finds these. First the sender's.

    /// What was on the wire when a link ended counts as delivered.
    SentIsDelivered "sent-is-delivered"
    /// Any acknowledgement is believed, of whatever stream and number.
    AnyAck "any-ack"
    /// An acknowledgement covers one message more than it says.
    AckOneMore "ack-one-more"
    /// A message goes out before it is saved.
    SendUnsaved "send-unsaved"
    /// A new link goes on behind the oldest message that waits, not at it.
    ResumeBehind "resume-behind"
    /// Of two links to a peer the one in use ends, and what was on its way there is not sent again.
    OtherLinkGoesOn "other-link-goes-on"
    /// What a peer says it has is believed by the number alone, whatever message that was there.
    HaveByNumber "have-by-number"
    /// A peer that has what we never sent goes unheeded.
    ConflictIgnored "conflict-ignored"
    /// What is numbered anew keeps the stream's old name.
    RenumberKeepsEpoch "renumber-keeps-epoch"
    /// A stream that begins while a link stands is not named there.
    StreamUnnamed "stream-unnamed"
    /// What a failing disk had refused is sent all the same.
    WithdrawNothing "withdraw-nothing"
    /// A message is said to be queued before it is saved.
    QueuedBeforeSaved "queued-before-saved"
    /// A message is said to be queued when saving it has failed.
    FailureIsQueued "failure-is-queued"
    /// What the clock says is too old is given up at once.
    ClockBelieved "clock-believed"

    // The receiver's.

    /// What has come is acknowledged, saved or not.
    AckReceived "ack-received"
    /// What comes is acknowledged when its save begins.
    AckBeforeCommit "ack-before-commit"
    /// A later stream of a peer goes on with the numbers of the earlier one.
    NoEpoch "no-epoch"
    /// What comes again is not acknowledged again.
    RepeatUnanswered "repeat-unanswered"
    /// A hello says that what has come is saved.
    HaveUnsaved "have-unsaved"
    /// What a full disk refused of what came is dropped, though its number counts.
    FullDiskForgets "full-disk-forgets"
    /// What a full disk refused is saved behind what came after it.
    RetryOutOfOrder "retry-out-of-order"
    /// What is known by name is shown again.
    KnownShown "known-shown"

    // The store's.

    /// Nothing is known by name.
    NoDedup "no-dedup"
    /// What came at the same time is known.
    DedupByTime "dedup-by-time"
    /// One message more than was delivered waits no more.
    DeliveredOneMore "delivered-one-more"

    // Those of trust.

    /// That what waits goes to another key is not saved.
    MovedUnkept "moved-unkept"
    /// Whoever answers where a pinned peer is dialled is taken for somebody new.
    PinIgnored "pin-ignored"
    /// Whoever calls from the place and by the name of a pinned peer is taken for somebody new.
    UsurperHeard "usurper-heard"
    /// A key that answers in the place of another one is trusted without being asked for.
    TrustUnasked "trust-unasked"
    /// A key takes the place of another one whatever digits a person has typed.
    DigitsUnread "digits-unread"

    ;

    // The proof finds these with SQLite below its disks.

    /// A save is said to be safe before its transaction is committed, which the next one does.
    CommitLate "commit-late"
    /// A commit is not synced.
    SyncSpared "sync-spared"
    /// What a peer sends again in the same stream is not known by its name.
    SameStreamNew "same-stream-new"
    /// What was kept in mind of a save that a full disk refused stays there.
    RefusedIsMinded "refused-is-minded"
}

/// The variable of the environment that names what is planted.
const VARIABLE: &str = "HOBNOB_PLANTED";

/// Whether this is planted.
pub(crate) fn is(what: Planted) -> bool {
    static PLANTED: OnceLock<Option<Planted>> = OnceLock::new();
    let everywhere = || std::env::var_os(VARIABLE).map(|name| named(&name.to_string_lossy()));
    cfg!(feature = "planted") && here().or_else(|| *PLANTED.get_or_init(everywhere)) == Some(what)
}

#[cfg(feature = "planted")]
thread_local! {
    static HERE: std::cell::Cell<Option<Planted>> = const { std::cell::Cell::new(None) };
}

/// What is planted in this thread alone.
fn here() -> Option<Planted> {
    #[cfg(feature = "planted")]
    return HERE.get();
    #[cfg(not(feature = "planted"))]
    None
}

/// Does something with what is called so planted in this thread.
#[cfg(feature = "planted")]
pub(crate) fn with<T>(name: &str, run: impl FnOnce() -> T) -> T {
    /// Puts back what was planted before, be it in a panic.
    struct Before(Option<Planted>);
    impl Drop for Before {
        fn drop(&mut self) {
            HERE.set(self.0);
        }
    }
    let _before = Before(HERE.replace(Some(named(name))));
    run()
}

/// What is called so.
///
/// # Panics
/// Nothing is: a test of a fault that is not there would test nothing.
fn named(name: &str) -> Planted {
    let found = Planted::ALL.iter().find(|(word, _)| *word == name);
    found.map(|(_, planted)| *planted).unwrap_or_else(|| {
        let all: Vec<_> = Planted::ALL.iter().map(|(word, _)| *word).collect();
        panic!("{VARIABLE}: nothing is called {name:?}; there are {}", all.join(" "))
    })
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
        for (word, planted) in Planted::ALL {
            assert_eq!(named(word), *planted);
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
        assert!(!Planted::ALL.iter().any(|(_, planted)| is(*planted)));
    }
}

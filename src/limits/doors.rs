//! Who is let in, and how fast: what one source, one key and all strangers together may ask of a
//! node. A source is an IPv4 address or an IPv6 network of 64 bits, as whoever has one address of such
//! a network has all. There is no exemption for a local network: whoever means harm to a chat there is
//! on it. 127.0.0.1 and ::1 have a row of their own, as all programs of this machine share them.

use std::time::Duration;

use super::table::{show_bytes, show_duration};
use crate::why::Limit;

/// So much at once, and then one more every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How long it takes until one more may pass.
    pub every: Duration,
    /// How many may pass at once after a rest; at least 1.
    pub burst: u32,
}

/// What one source may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its streams of which it is not known yet who is at their other end.
    pub strangers: usize,
    /// Of those, handshakes under way.
    pub handshakes: usize,
    /// Handshakes begun.
    pub handshake_rate: Rate,
    /// Handshakes that one key finishes.
    pub key_rate: Rate,
    /// Links to peers whose keys are not pinned.
    pub links: usize,
    /// Plain connections open.
    pub plain: usize,
    /// Plain connections begun.
    pub plain_rate: Rate,
    /// Messages of a key that was met before and never verified, if they are counted at all.
    pub first_use: Option<Rate>,
    /// Messages of a key that nobody has let in.
    pub unknown: Option<Rate>,
    /// Whether it is kept out for a while for what it did.
    pub penalties: bool,
    /// Refusals that the front end is told of.
    pub reports: Rate,
}

/// All bounds on who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    /// For every source but those of `loopback`.
    pub source: Row,
    /// For 127.0.0.1 and ::1.
    pub loopback: Row,
    /// Streams from elsewhere of which it is not known who is there, all sources together.
    pub strangers: usize,
    /// Handshakes under way with all sources but loopback: chance begins to drop some at the first
    /// number, all are dropped at the second.
    pub handshakes: (usize, usize),
    /// Handshakes begun by all of those.
    pub handshake_rate: Rate,
    /// Refusals that the front end is told of, whoever was refused.
    pub reports: Rate,
}

/// Percent of handshakes that are dropped where dropping begins (OpenSSH's `MaxStartups` 10:30:100).
pub const DROP_FIRST: u64 = 30;
/// A handshake that has lasted this long makes way for a newer one: an honest one takes a few round
/// trips, and a dribbler would keep its place for ten seconds.
pub const HANDSHAKE_YIELDS: Duration = Duration::from_secs(1);
/// Sources that are remembered; of those with nothing open the longest unseen is forgotten first.
pub const SOURCES_MAX: usize = 4_096;

/// A penalty takes effect once it has grown to this, so that one slip costs nothing ...
pub const PENALTY_MIN: Duration = Duration::from_secs(15);
/// ... and grows no further than this.
pub const PENALTY_MAX: Duration = Duration::from_secs(600);
/// For proving nothing: a handshake that does not decrypt, a key that does not fit.
pub const PENALTY_CRYPTO: Duration = Duration::from_secs(10);
/// For bytes that the protocol does not allow.
pub const PENALTY_PROTOCOL: Duration = Duration::from_secs(5);
/// For a handshake that ran into its deadline.
pub const PENALTY_STALLED: Duration = Duration::from_secs(2);
/// For a handshake that was broken off, which a bad network does too.
pub const PENALTY_BROKEN: Duration = Duration::from_secs(1);

/// Messages in a row, on one link, that carry nothing: acknowledgements of nothing new, answers to
/// nothing asked. rustls allows 32, h2 100.
pub const CHEAP_MAX: u32 = 32;
/// Pings in a row: `ping -n` may send a thousand, each after the answer to the one before.
pub const PINGS_IN_A_ROW: u32 = 1_024;
/// Bytes that are read at once from a link whose messages had to wait: what is read and not yet heard
/// is in our memory, and what is not read is in the system's.
pub const HELD_READ: usize = 16 * 1024;
/// A link whose messages wait is read again after this long at the earliest: a timer for each message
/// would be work for nothing.
pub const HELD_PAUSE: Duration = Duration::from_millis(100);

/// Bytes that are read away on a stream that we have closed: what was under way when the other side heard
/// of it, which is a window and what the systems hold. Who goes on is not read to its end.
pub const CLOSED_READ: u64 = 4 * 1024 * 1024;

/// Descriptors that links leave free: for files, names looked up, the terminal.
pub const DESCRIPTORS_FREE: usize = 64;
/// Descriptors without which the program cannot begin: two sets of what to wait for, a bell, a clock,
/// signals, a listener, and one in reserve.
pub const DESCRIPTORS_MIN: usize = 16;
/// Streams that wait at a listener to be accepted. With 128 a flood filled it each time that another
/// program had our processor for a moment, and the system then lets everybody try again after a second;
/// Linux allows 4096.
pub const BACKLOG: i32 = 4_096;
/// Rest after the system had no descriptor for a stream that somebody opened to us.
pub const ACCEPT_REST: Duration = Duration::from_millis(100);

const fn rate(every_ms: u64, burst: u32) -> Rate {
    Rate { every: Duration::from_millis(every_ms), burst }
}

/// What strangers may do: the defaults.
pub const DOORS: Doors = Doors {
    source: Row {
        strangers: 8,
        handshakes: 4,
        handshake_rate: rate(200, 10),
        key_rate: rate(10_000, 6),
        links: 8,
        plain: 4,
        plain_rate: rate(200, 20),
        first_use: Some(rate(5, 2_000)),
        unknown: Some(rate(1_000, 5)),
        penalties: true,
        reports: rate(60_000, 1),
    },
    loopback: Row {
        strangers: 288,
        handshakes: 256,
        handshake_rate: rate(1, 1_024),
        key_rate: rate(100, 600),
        links: 1_024,
        plain: 32,
        plain_rate: rate(25, 160),
        first_use: None,
        unknown: None,
        penalties: false,
        reports: rate(100, 100),
    },
    strangers: 256,
    handshakes: (16, 64),
    handshake_rate: rate(10, 100),
    reports: rate(50, 100),
};

/// What bounds a limit that a refusal names: its row's name in the table.
pub fn name(limit: Limit) -> &'static str {
    match limit {
        Limit::SourceStrangers => "strangers, a source",
        Limit::Strangers => "strangers, all sources",
        Limit::SourceHandshakes => "handshakes under way, a source",
        Limit::Handshakes => "handshakes under way, all sources",
        Limit::SourceHandshakeRate => "handshakes, a source",
        Limit::HandshakeRate => "handshakes, all sources",
        Limit::KeyHandshakeRate => "handshakes, a key",
        Limit::SourceLinks => "links, a source",
        Limit::SourcePlain => "plain connections, a source",
        Limit::SourcePlainRate => "plain connections begun, a source",
        Limit::Penalty => "penalty",
    }
}

/// The rows for the verb `limits`.
pub(super) fn table() -> Vec<(&'static str, String, &'static str)> {
    let (all, one, here) = (&DOORS, &DOORS.source, &DOORS.loopback);
    let both = |limit: Limit, a: String, b: String, why| (name(limit), format!("{a}; loopback {b}"), why);
    let count = |limit, a: usize, b: usize, why| both(limit, a.to_string(), b.to_string(), why);
    let rates = |limit, a: Rate, b: Rate, why| both(limit, a.to_string(), b.to_string(), why);
    let counted = |rate: Option<Rate>| rate.map_or_else(|| "not counted".to_owned(), |rate| rate.to_string());
    vec![
        (
            "source",
            format!("an IPv4 address or an IPv6 /64; {SOURCES_MAX} remembered"),
            "whoever has one address of a /64 has all; loopback is 127.0.0.1 and ::1",
        ),
        count(Limit::SourceStrangers, one.strangers, here.strangers, "the oldest silent one makes way"),
        (
            name(Limit::Strangers),
            all.strangers.to_string(),
            "the oldest silent one of the largest network makes way",
        ),
        count(Limit::SourceHandshakes, one.handshakes, here.handshakes, "a person has one program or two"),
        (
            name(Limit::Handshakes),
            format!("{DROP_FIRST} % dropped from {}, all at {}", all.handshakes.0, all.handshakes.1),
            "a flood of dials cannot stall delivery",
        ),
        rates(Limit::SourceHandshakeRate, one.handshake_rate, here.handshake_rate, "each is work for us"),
        (
            name(Limit::HandshakeRate),
            all.handshake_rate.to_string(),
            "2 % of a processor; loopback is not counted",
        ),
        rates(Limit::KeyHandshakeRate, one.key_rate, here.key_rate, "a valid key is no licence to knock"),
        count(Limit::SourceLinks, one.links, here.links, "keys cost nothing; pinned ones are not counted"),
        count(Limit::SourcePlain, one.plain, here.plain, "one message is one connection"),
        rates(Limit::SourcePlainRate, one.plain_rate, here.plain_rate, "one message is one connection"),
        (
            name(Limit::Penalty),
            format!(
                "1 to {} an offence, acts from {}, at most {}; not for loopback",
                show_duration(PENALTY_CRYPTO),
                show_duration(PENALTY_MIN),
                show_duration(PENALTY_MAX)
            ),
            "who does harm again and again is not listened to",
        ),
        (
            "messages, a key at first use",
            format!("{}; loopback {}", counted(one.first_use), counted(here.first_use)),
            "then its link is not read for a while; nothing is lost",
        ),
        (
            "messages, an unknown key",
            format!("{}; loopback {}", counted(one.unknown), counted(here.unknown)),
            "then its link is not read for a while; nothing is lost",
        ),
        ("read at once from such a link", show_bytes(HELD_READ), "what waits is in the system's memory"),
        (
            "read away on a closed stream",
            show_bytes(usize::try_from(CLOSED_READ).unwrap_or(usize::MAX)),
            "what was under way; junk has no end",
        ),
        (
            "messages that carry nothing",
            format!("{CHEAP_MAX} in a row; {PINGS_IN_A_ROW} pings"),
            "no work for nothing; ping -n may send 1000",
        ),
        (
            "refusals reported",
            format!("{} a source; {} of all", one.reports, all.reports),
            "a flood of refusals is no flood of lines; `status` counts all",
        ),
        (
            "descriptors left free by links",
            format!("{DESCRIPTORS_FREE}, or three quarters"),
            "files and names need some too",
        ),
        ("streams that wait to be accepted", BACKLOG.to_string(), "or a flood costs everybody a second"),
        (
            "rest when there is none",
            show_duration(ACCEPT_REST),
            "asking again and again would take a processor",
        ),
    ]
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.every.as_millis().max(1);
        match (1_000 % ms, 60_000 % ms) {
            (0, _) => write!(f, "{}/s", 1_000 / ms)?,
            (_, 0) => write!(f, "{}/min", 60_000 / ms)?,
            _ => write!(f, "one in {}", show_duration(self.every))?,
        }
        write!(f, ", burst {}", self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_a_row_of_the_table() {
        for limit in Limit::ALL {
            assert_eq!(table().iter().filter(|row| row.0 == name(limit)).count(), 1, "{limit:?}");
        }
    }

    #[test]
    fn rates_read_as_they_are_meant() {
        assert_eq!(DOORS.source.handshake_rate.to_string(), "5/s, burst 10");
        assert_eq!(DOORS.source.key_rate.to_string(), "6/min, burst 6");
        assert_eq!(rate(5, 2_000).to_string(), "200/s, burst 2000");
    }
}

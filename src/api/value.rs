//! How each kind of argument is read from a word; what is wrong with a word is said in full, for the
//! verb to put its name before. Peers are not looked up here.

use std::time::Duration;

use crate::addr::Address;
use crate::api::command::PeerRef;
use crate::api::pattern::Pattern;
use crate::api::settings::Setting;
use crate::api::words::quote;
use crate::id::Name;
use crate::limits::{DURATION_MAX, LOG_LINES_MAX, PINGS_MAX};
use crate::text::{Body, escape_display};

/// `bob`, the beginning of a key, or an address.
pub(super) fn peer(word: &str) -> Result<PeerRef, String> {
    match word {
        "" => Err("an empty word is no peer; name one (peers lists them)".into()),
        "*" => Err("* means anybody only in expect; to write to everybody: broadcast TEXT".into()),
        word if Address::is_meant(word) => word.parse().map(PeerRef::At).map_err(|e| format!("{e}")),
        word => Ok(PeerRef::Word(word.to_owned())),
    }
}

/// Several peers, with commas between them.
pub(super) fn side(word: &str) -> Result<Vec<PeerRef>, String> {
    word.split(',').map(peer).collect()
}

/// As [`peer`], or `*` for anybody.
pub(super) fn sender(word: &str) -> Result<Option<PeerRef>, String> {
    match word {
        "*" => Ok(None),
        word => peer(word).map(Some),
    }
}

/// A peer as [`peer`] reads it, quoted where need be.
pub(super) fn peer_word(peer: &PeerRef) -> String {
    match peer {
        PeerRef::Word(word) => quote(word),
        PeerRef::At(address) => address.to_string(),
        PeerRef::Id(crate::id::PeerId::Native(key)) => key.to_string(),
        PeerRef::Id(crate::id::PeerId::Plain(addr)) => addr.to_string(),
    }
}

/// What is to be sent.
pub(super) fn text(text: &str) -> Result<Body, String> {
    Body::new(text).map_err(|e| e.to_string())
}

/// A name that somebody chooses.
pub(super) fn name(word: &str) -> Result<Name, String> {
    Name::new(word).map_err(|e| e.to_string())
}

/// A glob or `/regex/`.
pub(super) fn pattern(word: &str) -> Result<Pattern, String> {
    word.parse().map_err(|e: crate::api::pattern::PatternError| e.to_string())
}

/// A number with a unit: `500ms`, `2s`, `1.5s`, `1m`; also `us` and `h`.
pub fn duration(word: &str) -> Result<Duration, String> {
    let unit_at = word.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(word.len());
    let (number, unit) = word.split_at(unit_at);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !whole.is_empty() && !fraction.contains('.') && !number.ends_with('.');
    let micros_each: u64 = match unit {
        _ if !is_number => 0,
        "" => {
            return Err(format!("\"{number}\" has no unit; write {number}s or {number}ms"));
        }
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => 0,
    };
    if micros_each == 0 {
        return Err(format!("\"{}\" is no duration; write one as 500ms, 2s, 1.5s or 1m", shown(word)));
    }
    let too_long = || {
        let hours = DURATION_MAX.as_secs() / 3_600;
        format!("{} is too long; the limit is {hours}h", shown(word))
    };
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let mut micros = whole.checked_mul(micros_each).ok_or_else(too_long)?;
    let mut digit_worth = micros_each;
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        // A fraction finer than a microsecond is finer than any clock here.
        digit_worth /= 10;
        micros = micros.saturating_add(digit * digit_worth);
    }
    Some(Duration::from_micros(micros)).filter(|&duration| duration <= DURATION_MAX).ok_or_else(too_long)
}

/// How many pings.
pub(super) fn count(word: &str) -> Result<u32, String> {
    word.parse()
        .ok()
        .filter(|count| (1..=PINGS_MAX).contains(count))
        .ok_or_else(|| format!("\"{}\" is no count; write a number from 1 to {PINGS_MAX}", shown(word)))
}

/// How many lines.
pub(super) fn lines(word: &str) -> Result<usize, String> {
    word.parse()
        .ok()
        .filter(|lines| (1..=LOG_LINES_MAX).contains(lines))
        .ok_or_else(|| format!("\"{}\" is no count; write a number from 1 to {LOG_LINES_MAX}", shown(word)))
}

/// A file.
pub(super) fn path(word: &str) -> Result<String, String> {
    if word.is_empty() {
        return Err("an empty word is no file".into());
    }
    Ok(word.to_owned())
}

/// A setting by its name.
pub(super) fn setting(word: &str) -> Result<Setting, String> {
    word.parse().map_err(|e: crate::api::settings::SettingError| e.to_string())
}

/// Any word.
pub(super) fn word(word: &str) -> Result<String, String> {
    Ok(word.to_owned())
}

/// What somebody typed, as a message may quote it: escaped, and cut to a length that fits a line.
pub(super) fn shown(typed: &str) -> String {
    const SHOWN_MAX: usize = 40;
    let mut shown = escape_display(&typed.chars().take(SHOWN_MAX).collect::<String>());
    if typed.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::command::show;

    #[test]
    fn durations_have_a_unit() {
        for (word, shown) in [
            ("500ms", "500ms"),
            ("2s", "2s"),
            ("1.5s", "1500ms"),
            ("90s", "90s"),
            ("1m", "1m"),
            ("0s", "0ms"),
            ("1.5ms", "1500us"),
            ("0.25m", "15s"),
            ("24h", "1440m"),
        ] {
            let read = duration(word).expect(word);
            assert_eq!(show(read), shown, "{word}");
            assert_eq!(duration(&show(read)), Ok(read), "{word}");
        }
        for (word, why) in [
            ("5", "\"5\" has no unit; write 5s or 500ms"),
            ("5 s", "no duration"),
            ("s", "no duration"),
            (".5s", "no duration"),
            ("1.s", "no duration"),
            ("1.2.3s", "no duration"),
            ("-1s", "no duration"),
            ("5S", "no duration"),
            ("", "no duration"),
            ("25h", "the limit is 24h"),
            ("99999999999999999999m", "the limit is 24h"),
            ("18446744073709551615h", "the limit is 24h"),
        ] {
            let error = duration(word).expect_err(word);
            assert!(error.contains(why) || word == "5", "{word}: {error}");
        }
        assert_eq!(duration("5"), Err("\"5\" has no unit; write 5s or 5ms".into()));
    }

    #[test]
    fn peers_are_words_or_addresses() {
        assert_eq!(peer("bob"), Ok(PeerRef::Word("bob".into())));
        assert_eq!(peer(":5001").map(|peer| peer_word(&peer)), Ok("127.0.0.1:5001".into()));
        assert_eq!(sender("*"), Ok(None));
        for bad in ["", "*", ":0", "a:b"] {
            assert!(peer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_quoted_in_a_message_is_short_and_harmless() {
        assert_eq!(shown("a\0b\x1b"), "a\\x00b\\x1b");
        assert_eq!(shown(&"é".repeat(1_000)).chars().count(), 41);
    }
}

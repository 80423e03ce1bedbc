//! The table that the verb `limits` prints, made of the bounds themselves.

use std::time::Duration;

use super::*;

/// The table that `limits` prints: what it bounds, the bound, why.
pub fn table() -> Vec<(&'static str, String, &'static str)> {
    let time = show_duration;
    let bytes = show_bytes;
    let mut rows = vec![
        ("chat body", bytes(BODY_MAX), "one Noise message holds it"),
        (
            "plain message, sent",
            bytes(PLAIN_OUT_MAX),
            "what plain programs read at once; longer goes in parts",
        ),
        (
            "plain burst, received",
            format!("{}, ends at EOF or {} of silence", bytes(BURST_MAX), time(BURST_SILENCE)),
            "many senders never close",
        ),
        ("name", bytes(NAME_MAX), "fits every column"),
        ("line typed", bytes(LINE_MAX), "a body and the words before it"),
        (
            "pattern",
            format!("{}, {} compiled", bytes(PATTERN_MAX), bytes(PATTERN_COMPILED_MAX)),
            "a match costs little, whatever is asked",
        ),
        ("duration in a line", time(DURATION_MAX), "what is longer was mistyped"),
        (
            "first byte",
            format!("{}; {} when more than {WAITING_CROWD} wait", time(FIRST_BYTE), time(FIRST_BYTE_CROWDED)),
            "plain programs connect before they speak",
        ),
        ("preamble", time(PREAMBLE), "whoever has begun one has it ready"),
        ("handshake", time(HANDSHAKE), "a stranger costs little"),
        ("dial", time(DIAL), "the prompt never waits for it"),
        (
            "links",
            format!("{LINKS_PROMPT_MAX} at a prompt, {LINKS_MAX} without"),
            "the line editor's select; memory",
        ),
        ("peers remembered", PEERS_MAX.to_string(), "memory"),
        (
            "ping",
            format!("after {} idle; lost after {}", time(PING_IDLE), time(LINK_SILENT)),
            "a cut cable is noticed within a minute",
        ),
        (
            "send queue of a link",
            format!("{}; closed after {} without progress", bytes(SEND_QUEUE_MAX), time(WRITE_STALL)),
            "a slow reader costs us no memory",
        ),
        (
            "send window",
            format!("{WINDOW_MESSAGES} messages or {}", bytes(WINDOW_BYTES)),
            "bounds what is unacknowledged",
        ),
        (
            "outbox of a peer",
            format!("{OUTBOX_MESSAGES} messages or {}", bytes(OUTBOX_BYTES)),
            "a full one refuses the new message",
        ),
        ("outbox, all peers", bytes(OUTBOX_TOTAL_BYTES), "the same for memory as a whole"),
        (
            "age in an outbox",
            format!("{} days, seen for {}", OUTBOX_AGE.as_secs() / 86_400, time(EXPIRY_WATCH)),
            "what is given up is said; a clock that jumps gives up nothing",
        ),
        (
            "facts to be saved",
            format!("{UNSAVED_MAX}; a full disk is tried every {}", time(STORE_RETRY)),
            "beyond that nothing more is read",
        ),
        ("log", format!("{LOG_LINES} messages, at most {LOG_LINES_MAX}"), "a screen, and what memory holds"),
        (
            "redial of --peer",
            format!("{}, doubling to {}, ±50 %", time(REDIAL_MIN), time(REDIAL_MAX)),
            "no storm when a switch comes back",
        ),
        (
            "plain connections",
            format!("{} idle", time(PLAIN_IDLE)),
            "many programs hold one open for nothing",
        ),
        (
            "goodbye",
            format!("{}; {} to plain programs", time(GOODBYE), time(PLAIN_GOODBYE)),
            "leaving never hangs",
        ),
        ("unread for expect", format!("{UNREAD_MAX} messages"), "the oldest is dropped and counted"),
        (
            "screen",
            format!(
                "{SCREEN_BATCH_MAX} lines every {}, {SCREEN_LINES_MAX} or {} waiting",
                time(SCREEN_PAUSE),
                bytes(SCREEN_BYTES_MAX)
            ),
            "what is more is counted in one line",
        ),
        (
            "messages shown at a prompt",
            format!(
                "{SCREEN_RATE} lines, then a count every {}; {SCREEN_QUIET} of who says little",
                time(SCREEN_SUMMARY)
            ),
            "somebody types there; log has them all",
        ),
        ("history", format!("{HISTORY_MAX} lines"), "the file stays small"),
        ("command", format!("{} (--timeout)", time(COMMAND)), "a batch never hangs"),
        ("expect", format!("{} (--within)", time(EXPECT)), "long enough for a LAN"),
        ("events read", format!("{EVENTS_MAX} in {}", bytes(EVENTS_BYTES_MAX)), "a report is made in memory"),
        (
            "bundle read",
            format!("{BUNDLE_FILES_MAX} files of {}, {}", bytes(BUNDLE_FILE_MAX), bytes(BUNDLE_BYTES_MAX)),
            "somebody else may have made it",
        ),
        ("source", format!("{SOURCE_DEPTH_MAX} deep"), "a file that sources itself ends"),
        (
            "script",
            format!("{SCRIPT_OPERATIONS_MAX} operations, {SCRIPT_IDLE_MAX} while no time passes"),
            "one that never ends is ended",
        ),
        (
            "script at a prompt",
            format!(
                "a line or a handler: {PROMPT_OPERATIONS_MAX} operations, {}; {PROMPT_CAST_MAX} peers",
                time(PROMPT_COMPUTE)
            ),
            "the prompt stays quick",
        ),
        (
            "value in a script",
            format!(
                "{} of text, {SCRIPT_ARRAY_MAX} elements, {SCRIPT_MAP_MAX} entries, {SCRIPT_DEPTH_MAX} deep",
                bytes(SCRIPT_STRING_MAX)
            ),
            "no script fills the memory",
        ),
        (
            "run",
            format!("{MOMENTS_MAX} moments, {CAST_MAX} peers, {} of its own time", time(RUN_TIME_MAX)),
            "a report can be made of it",
        ),
        (
            "program launched",
            format!(
                "{} of a processor, {} in all, {} a process, {LAUNCH_PROCESSES} processes, {LAUNCH_FILES} files",
                time(LAUNCH_CPU),
                time(LAUNCH_WALL),
                bytes(usize::try_from(LAUNCH_MEMORY).unwrap_or(usize::MAX))
            ),
            "nobody's program keeps the others from being graded",
        ),
        (
            "what it writes",
            format!(
                "{} a file, {} on its terminal from each end",
                bytes(usize::try_from(LAUNCH_FILE_BYTES).unwrap_or(usize::MAX)),
                bytes(LAUNCH_OUTPUT_KEPT)
            ),
            "the rest is counted and thrown away",
        ),
    ];
    rows.extend(doors::table());
    rows
}

pub(super) fn show_duration(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_millis()) {
        (0, ms) => format!("{ms} ms"),
        (s, 0) if s >= 7_200 && s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        (s, 0) => format!("{s} s"),
        (_, _) => format!("{} ms", duration.as_millis()),
    }
}

pub(super) fn show_bytes(bytes: usize) -> String {
    match bytes {
        _ if bytes >= 1024 * 1024 && bytes.is_multiple_of(1024 * 1024) => {
            format!("{} MiB", bytes / 1024 / 1024)
        }
        _ if bytes >= 1024 && bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
        _ => format!("{bytes} bytes"),
    }
}

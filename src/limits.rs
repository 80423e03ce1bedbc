//! Every bound: first what the protocols fix, then what we choose. Each says why it is what it is,
//! and the verb `limits` prints the table at the end, so a reader of either sees the same numbers.

use std::time::Duration;

// What the protocols fix.

/// Bytes in a Noise message (Noise §3), the length prefix not counted.
pub const RECORD_MAX: usize = 65_535;
/// Bytes of the Poly1305 tag at the end of each.
pub const TAG_LEN: usize = 16;
/// Plaintext bytes that fit one Noise message.
pub const PLAINTEXT_MAX: usize = RECORD_MAX - TAG_LEN;
/// Bytes that a plain program reads at once: `recv(1024)` is what nearly all of them call.
pub const PLAIN_OUT_MAX: usize = 1_024;

// What we choose.

/// Bytes of UTF-8 in a chat body: one Noise message holds it with room to spare.
pub const BODY_MAX: usize = 32 * 1024;
/// Bytes of UTF-8 in a name.
pub const NAME_MAX: usize = 32;
/// Combining marks on one base that are shown (UAX 15, stream-safe text).
pub const COMBINING_MAX: usize = 30;
/// Bytes in one line that is typed or read from a batch: a body and the words before it.
pub const LINE_MAX: usize = BODY_MAX + 4_096;
/// Bytes in a pattern that somebody writes.
pub const PATTERN_MAX: usize = 1_024;
/// Bytes of memory that a pattern may take when compiled; every glob within [`PATTERN_MAX`] fits.
pub const PATTERN_COMPILED_MAX: usize = 1024 * 1024;
/// The longest duration that a line may name: what is longer was mistyped.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Files that may `source` each other, one inside the next.
pub const SOURCE_DEPTH_MAX: usize = 16;

/// From accept to the first byte; plain programs may connect long before they speak.
pub const FIRST_BYTE: Duration = Duration::from_secs(30);
/// The same while more than [`WAITING_CROWD`] links wait.
pub const FIRST_BYTE_CROWDED: Duration = Duration::from_secs(3);
/// Links without a first byte that make a crowd.
pub const WAITING_CROWD: usize = 64;
/// An accepted link that hears nothing for this long sends its preamble first.
pub const LISTENER_SILENCE: Duration = Duration::from_millis(150);
/// How long a preamble may take once begun, and how long a dialled address has to send one.
pub const PREAMBLE: Duration = Duration::from_secs(2);
/// The whole handshake, from the first byte of the preamble.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// Bytes that a stranger may make us hold before it is known.
pub const HANDSHAKE_BYTES_MAX: usize = 1_024;
/// Accepted handshakes under way; at this many a new link is refused, so that a flood of dials
/// cannot stall delivery.
pub const HANDSHAKES_MAX: usize = 64;
/// A dial by TCP before it is given up.
pub const DIAL: Duration = Duration::from_secs(5);
/// Links that a node at a prompt accepts or dials: rustyline's `select` sees only descriptors
/// below 1,024.
pub const LINKS_PROMPT_MAX: usize = 900;
/// Links of a node without a prompt.
pub const LINKS_MAX: usize = 10_000;
/// Peers that a node remembers; the longest gone is forgotten first.
pub const PEERS_MAX: usize = 20_000;

/// A quiet link is asked whether it is alive after this long ...
pub const PING_IDLE: Duration = Duration::from_secs(20);
/// ... and lost when nothing was heard for this long.
pub const LINK_SILENT: Duration = Duration::from_secs(60);
/// A link whose send queue made no progress for this long is closed.
pub const WRITE_STALL: Duration = Duration::from_secs(30);
/// Messages in a row that carry nothing (pings, acknowledgements of nothing new).
pub const CHEAP_MAX: u32 = 1_024;
/// Bytes that wait for one link's socket. Beyond this we stop producing for it.
pub const SEND_QUEUE_MAX: usize = 256 * 1024;
/// Messages on the wire to one peer that it has not acknowledged.
pub const WINDOW_MESSAGES: usize = 4_096;
/// Bytes of the same.
pub const WINDOW_BYTES: usize = 1024 * 1024;
/// Messages that wait for one peer, on the wire or away.
pub const OUTBOX_MESSAGES: usize = 10_000;
/// Bytes of the same.
pub const OUTBOX_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that wait for all peers together.
pub const OUTBOX_TOTAL_BYTES: usize = 64 * 1024 * 1024;
/// Goodbyes are waited for this long when a node leaves.
pub const GOODBYE: Duration = Duration::from_secs(2);

/// First pause before a kept address is dialled again; doubles up to [`REDIAL_MAX`], ±50 %.
pub const REDIAL_MIN: Duration = Duration::from_secs(1);
/// Longest pause between two dials of a kept address.
pub const REDIAL_MAX: Duration = Duration::from_secs(120);
/// A link that stood this long starts the pauses anew.
pub const REDIAL_RESET: Duration = Duration::from_secs(60);

/// Bytes of one burst from a plain program.
pub const BURST_MAX: usize = 64 * 1024;
/// Silence that ends a burst.
pub const BURST_SILENCE: Duration = Duration::from_millis(150);
/// A plain program that waits is answered after this long.
pub const PLAIN_ANSWER: Duration = Duration::from_millis(300);
/// A plain connection with nothing to say is closed.
pub const PLAIN_IDLE: Duration = Duration::from_secs(30);
/// Before a plain message is written to an unknown address, it may show that it is one of us.
pub const PLAIN_PROBE: Duration = Duration::from_millis(400);
/// After our message we read acknowledgements away for this long, then close.
pub const PLAIN_LINGER: Duration = Duration::from_millis(1_500);
/// Plain connections that one address may hold open.
pub const PLAIN_PER_SOURCE: usize = 32;

/// Messages that a front end holds for `expect`; the oldest is dropped first and counted.
pub const UNREAD_MAX: usize = 10_000;
/// Lines that wait for the screen; what is more is counted and said in one line.
pub const SCREEN_LINES_MAX: usize = 10_000;
/// Lines handed to the line editor in one call.
pub const SCREEN_BATCH_MAX: usize = 200;
/// Pause between two such calls.
pub const SCREEN_PAUSE: Duration = Duration::from_millis(20);
/// Lines of history.
pub const HISTORY_MAX: usize = 10_000;
/// How long a command may take to have its effect, unless `--timeout` says otherwise.
pub const COMMAND: Duration = Duration::from_secs(10);
/// How long `expect` waits, unless `--within` says otherwise.
pub const EXPECT: Duration = Duration::from_secs(5);
/// How long `expect-none` listens, unless told.
pub const EXPECT_NONE: Duration = Duration::from_millis(500);
/// Pings that one `ping -n` may send.
pub const PINGS_MAX: u32 = 1_000;

/// The table that `limits` prints: what it bounds, the bound, why.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("chat body", "32,768 bytes", "one Noise message holds it"),
    (
        "plain message, sent",
        "1,024 bytes",
        "what plain programs read at once; longer texts go in parts",
    ),
    (
        "plain burst, received",
        "65,536 bytes",
        "ends at EOF or 150 ms of silence",
    ),
    ("name", "32 bytes", "fits every column"),
    (
        "line typed",
        "36,864 bytes",
        "a body and the words before it",
    ),
    (
        "pattern",
        "1,024 bytes, 1 MiB compiled",
        "a match costs little, whatever is asked",
    ),
    ("duration in a line", "24 h", "what is longer was mistyped"),
    (
        "first byte",
        "30 s; 3 s when more than 64 wait",
        "plain programs connect before they speak",
    ),
    ("preamble", "2 s", "whoever has begun one has it ready"),
    (
        "handshake",
        "10 s, 1,024 bytes, 64 under way",
        "a stranger costs little",
    ),
    ("dial", "5 s", "the prompt never waits for it"),
    (
        "links",
        "900 at a prompt, 10,000 without",
        "the line editor's select; memory",
    ),
    ("peers remembered", "20,000", "memory"),
    (
        "ping",
        "after 20 s idle; lost after 60 s",
        "a cut cable is noticed within a minute",
    ),
    (
        "send queue of a link",
        "256 KiB; closed after 30 s without progress",
        "a slow reader costs us no memory",
    ),
    (
        "send window",
        "4,096 messages or 1 MiB",
        "bounds what is unacknowledged",
    ),
    (
        "outbox of a peer",
        "10,000 messages or 16 MiB",
        "a full one refuses the new message",
    ),
    (
        "outbox, all peers",
        "64 MiB",
        "the same for memory as a whole",
    ),
    (
        "redial of --peer",
        "1 s, doubling to 120 s, ±50 %",
        "no storm when a switch comes back",
    ),
    (
        "plain connections",
        "32 open an address, 30 s idle",
        "one message is one connection",
    ),
    (
        "unread for expect",
        "10,000 messages",
        "the oldest is dropped and counted",
    ),
    (
        "screen",
        "200 lines every 20 ms, 10,000 waiting",
        "what is more is counted in one line",
    ),
    ("history", "10,000 lines", "the file stays small"),
    ("command", "10 s (--timeout)", "a batch never hangs"),
    ("expect", "5 s (--within)", "long enough for a LAN"),
    ("source", "16 deep", "a file that sources itself ends"),
];

//! Every bound: first what the protocols fix, then what we choose. Each says why it is what it is,
//! and the verb `limits` prints a table made of them, so a reader of either sees the same numbers.

use std::time::Duration;

pub mod bucket;
pub mod doors;
mod table;

pub use table::table;

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
/// Bytes of a file that is sourced.
pub const SOURCE_BYTES_MAX: u64 = 1024 * 1024;
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
/// Silence that ends a row of messages that carry nothing: an idle link has nothing but pings for days.
pub const CHEAP_PAUSE: Duration = Duration::from_secs(1);
/// Bytes that wait for one link's socket. Beyond this we stop producing for it.
pub const SEND_QUEUE_MAX: usize = 256 * 1024;
/// The largest number of a message in a stream: nobody counts so far, and a store has room for it.
pub const SEQ_MAX: u64 = (1 << 62) - 1;
/// Messages on the wire to one peer that it has not acknowledged.
pub const WINDOW_MESSAGES: usize = 4_096;
/// Bytes of the same.
pub const WINDOW_BYTES: usize = 1024 * 1024;
/// Facts that wait to be saved before nothing more is read from anybody.
pub const UNSAVED_MAX: usize = 65_536;
/// Pause before a disk that was full is tried again.
pub const STORE_RETRY: Duration = Duration::from_secs(1);
/// Requests that wait for a store's thread: a node has one save on its way, and asks little else.
pub const STORE_ASKED_MAX: usize = 1_024;
/// Quiet after which a store makes what is new quicker to find.
pub const STORE_IDLE: Duration = Duration::from_millis(50);
/// Messages for which it does so at once: a save that comes meanwhile waits for them.
pub const STORE_INDEX_BATCH: i64 = 1_000;
/// Age by the wall clock at which a message that waits for its peer is given up.
pub const OUTBOX_AGE: Duration = Duration::from_secs(30 * 86_400);
/// How long it must have seemed so old to a running node, as a clock may be wrong for a while.
pub const EXPIRY_WATCH: Duration = Duration::from_secs(3_600);
/// How often that is looked at.
pub const EXPIRY_CHECK: Duration = Duration::from_secs(600);
/// Messages that `log` shows, unless told.
pub const LOG_LINES: usize = 50;
/// Messages that it may be asked for.
pub const LOG_LINES_MAX: usize = 100_000;
/// Messages that wait for one peer, on the wire or away.
pub const OUTBOX_MESSAGES: usize = 10_000;
/// Bytes of the same.
pub const OUTBOX_BYTES: usize = 16 * 1024 * 1024;
/// Bytes that wait for all peers together.
pub const OUTBOX_TOTAL_BYTES: usize = 64 * 1024 * 1024;
/// Goodbyes to plain programs take a connection each.
pub const PLAIN_GOODBYE: Duration = Duration::from_secs(4);
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
/// A goodbye of somebody who is not listed is shown once in this time.
pub const PLAIN_EXITS: Duration = Duration::from_secs(60);
/// After our message we read acknowledgements away for this long, then close.
pub const PLAIN_LINGER: Duration = Duration::from_millis(1_500);

/// Messages that a front end holds for `expect`; the oldest is dropped first and counted.
pub const UNREAD_MAX: usize = 10_000;
/// Lines that wait for the screen; what is more is counted and said in one line.
pub const SCREEN_LINES_MAX: usize = 10_000;
/// Bytes of the same.
pub const SCREEN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Lines handed to the line editor in one call.
pub const SCREEN_BATCH_MAX: usize = 200;
/// Bytes of the same, unless a single line has more.
pub const SCREEN_BATCH_BYTES: usize = 64 * 1024;
/// Lines of messages that a prompt shows as they come; what is more is counted. A person reads less, but
/// may want to look back at what came at once.
pub const SCREEN_RATE: doors::Rate = doors::Rate { every: Duration::from_millis(50), burst: 200 };
/// How often it says how many were left out.
pub const SCREEN_SUMMARY: Duration = Duration::from_secs(1);
/// While some are left out: messages of a peer that says little.
pub const SCREEN_QUIET: doors::Rate = doors::Rate { every: Duration::from_secs(1), burst: 5 };
/// Peers that may; if there were no bound, many who say little were as loud as one.
pub const SCREEN_QUIET_PEERS: usize = 32;
/// After so long with nothing left out it is forgotten who said much.
pub const SCREEN_CALM: Duration = Duration::from_secs(10);
/// Pause between two such calls.
pub const SCREEN_PAUSE: Duration = Duration::from_millis(20);
/// Lines of history.
pub const HISTORY_MAX: usize = 10_000;
/// Bytes of its file that are read, from the end.
pub const HISTORY_BYTES: u64 = 8 * 1024 * 1024;
/// How many things completion offers at once.
pub const COMPLETIONS_MAX: usize = 1_000;
/// The prompt comes back when a line was obeyed, or after this long: what takes longer answers above it.
pub const PROMPT_PATIENCE: Duration = Duration::from_millis(300);
/// How long the line editor may take to end before the terminal is put right without it.
pub const EDITOR_STOP: Duration = Duration::from_millis(700);
/// How long a command may take to have its effect, unless `--timeout` says otherwise.
pub const COMMAND: Duration = Duration::from_secs(10);
/// How long `expect` waits, unless `--within` says otherwise.
pub const EXPECT: Duration = Duration::from_secs(5);
/// How long `expect-none` listens, unless told.
pub const EXPECT_NONE: Duration = Duration::from_millis(500);
/// Pings that one `ping -n` may send.
pub const PINGS_MAX: u32 = 1_000;

/// Peers in one world: what fits two bytes, and more than a machine has memory for.
pub const CAST_MAX: usize = 65_536;
/// Lines of a world's trace that are kept for reading; the oldest go first.
pub const TRACE_MAX: usize = 10_000;

/// Moments in one run of a script.
pub const MOMENTS_MAX: usize = 1_000_000;
/// The longest that a world may last in one run, by its own time.
pub const RUN_TIME_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Operations of the script language in one run.
pub const SCRIPT_OPERATIONS_MAX: u64 = 1_000_000_000;
/// Operations in which a script lets no time pass and sends nothing, so that one that does nothing but
/// compute ends within a second.
pub const SCRIPT_IDLE_MAX: u64 = 1_000_000;
/// The same by the time that it takes the processor: single operations can be slow.
pub const SCRIPT_IDLE_TIME: Duration = Duration::from_millis(700);
/// What a verb costs of that, as much as this many operations.
pub const SCRIPT_VERB_COST: u64 = 100;
/// Depth of calls, and of expressions, in a script.
pub const SCRIPT_DEPTH_MAX: usize = 64;
/// Bytes of all strings in one value.
pub const SCRIPT_STRING_MAX: usize = 1024 * 1024;
/// Elements of all arrays in one value.
pub const SCRIPT_ARRAY_MAX: usize = 100_000;
/// Entries of all maps in one value.
pub const SCRIPT_MAP_MAX: usize = 10_000;
/// Variables of one scope.
pub const SCRIPT_VARIABLES_MAX: usize = 1_000;
/// Functions that one script may define.
pub const SCRIPT_FUNCTIONS_MAX: usize = 1_000;
/// Files that one script may import.
pub const SCRIPT_MODULES_MAX: usize = 64;
/// Bytes of a script, and of a file that it imports.
pub const SCRIPT_BYTES_MAX: u64 = 1024 * 1024;
/// Times in a row that a handler may fail before it is called no more.
pub const HANDLER_FAILURES_MAX: u32 = 5;
/// Operations of one line of the script language at a prompt, or of one handler that it left behind.
pub const PROMPT_OPERATIONS_MAX: u64 = 500_000;
/// Time that either may compute; what it waits for others is not counted.
pub const PROMPT_COMPUTE: Duration = Duration::from_millis(250);
/// Moments that are remembered of what was said in the script language at a prompt.
pub const PROMPT_MOMENTS: usize = 10_000;
/// Lines of the script language that wait for the one under way.
pub const PROMPT_LINES_MAX: usize = 16;
/// Characters of a value that are shown.
pub const PROMPT_VALUE_MAX: usize = 4_000;
/// Peers that a script at a prompt casts: all connected, they leave the line editor, whose `select`
/// sees only descriptors below 1,024, enough of them.
pub const PROMPT_CAST_MAX: usize = 20;
/// What a plain peer says within this time after a handler at a prompt wrote to it wakes no handler.
pub const PLAIN_ANSWERS: Duration = Duration::from_secs(1);
/// Plain peers of whom that is remembered.
pub const PLAIN_ANSWERS_MAX: usize = 10_000;
/// Commands of a script at a prompt that wait for their answer.
pub const PROMPT_ASKED_MAX: usize = 1_000;
/// What a script at a prompt may be ahead of its prompt: lines and commands.
pub const PROMPT_AHEAD_MAX: usize = 256;
/// Events that wait for a script at a prompt; the oldest is dropped and counted.
pub const PROMPT_EVENTS_MAX: usize = 10_000;
/// How long a script may take to end when its prompt does.
pub const PROMPT_SCRIPT_END: Duration = Duration::from_secs(1);
/// Lines that a recording remembers of what was sent and not delivered yet.
pub const RECORD_SENT_MAX: usize = 10_000;
/// Silence after which a world with strangers in it is taken to be at rest.
pub const QUIET: Duration = Duration::from_millis(300);
/// How long `settle` waits for the world to rest.
pub const SETTLE: Duration = Duration::from_secs(120);
/// Bytes of a file of events that is read.
pub const EVENTS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Moments in one: what fits a machine's memory.
pub const EVENTS_MAX: usize = 10_000_000;
/// The latest that a moment may be, in microseconds: 68 years. Seconds with six digits are exact in
/// a JSON number until then.
pub const EVENTS_TIME_MAX: u64 = (1 << 31) * 1_000_000;
/// Files in a bundle: scripts import each other, and a few stand beside them.
pub const BUNDLE_FILES_MAX: usize = 1_000;
/// Bytes of one script or file beside it, in a bundle.
pub const BUNDLE_FILE_MAX: usize = 16 * 1024 * 1024;
/// Bytes of a bundle.
pub const BUNDLE_BYTES_MAX: usize = 2 * EVENTS_BYTES_MAX;
/// Characters of a message or a name of a test that a picture or a table of a report shows; the
/// events have all of it.
pub const SHOWN_MAX: usize = 240;

/// Time that a program which we start may take a processor.
pub const LAUNCH_CPU: Duration = Duration::from_secs(10);
/// Time that it may take at all.
pub const LAUNCH_WALL: Duration = Duration::from_secs(30);
/// Bytes of memory that each of its processes may have.
pub const LAUNCH_MEMORY: u64 = 512 * 1024 * 1024;
/// Files that each of its processes may have open.
pub const LAUNCH_FILES: u64 = 64;
/// Bytes of a file that it writes.
pub const LAUNCH_FILE_BYTES: u64 = 10 * 1024 * 1024;
/// Processes that it may have; more are its end.
pub const LAUNCH_PROCESSES: usize = 64;
/// Processes and threads that the system lets it have; one over the bound above is to be seen.
pub const LAUNCH_TASKS: u64 = 128;
/// The same where other work is the same user's, on top of what there is: other programs that are
/// graded meanwhile need theirs.
pub const LAUNCH_TASKS_SHARED: u64 = 512;
/// Bytes of what it prints that wait to be looked at; what is more is counted and thrown away.
pub const LAUNCH_OUTPUT_WAITING: usize = 512 * 1024;
/// Bytes of what it prints that are kept from the beginning, and as many from the end.
pub const LAUNCH_OUTPUT_KEPT: usize = 512 * 1024;
/// Bytes of what it says on a bare connection that are kept.
pub const RAW_HEARD: usize = 64 * 1024;
/// Silence after which it has said on such a connection what it had to say.
pub const RAW_SILENCE: Duration = Duration::from_millis(300);
/// Places in a text that a script is given at once.
pub const FOUND_MAX: usize = 10_000;
/// Files that are copied for it, and bytes of them.
pub const LAUNCH_COPY_FILES: usize = 2_000;
/// See above.
pub const LAUNCH_COPY_BYTES: u64 = 64 * 1024 * 1024;

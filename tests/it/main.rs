//! The one integration crate; each file is named after the behaviour that it holds us to.

// Nodes in memory, for the files below.
mod caller;
mod lone;
mod net;

// The core: two or three nodes meet, talk, part and lose each other.
mod bounds;
mod doors;
mod keeping;
mod keys;
mod liars;
mod many_peers;
mod pins;
mod plain_claims;
mod plain_talk;
mod redials;
mod two_nodes;
mod weather;

// The imaginary world: what it is, what the network does to peers in it, and a swarm of seeds.
mod cast;
mod crowd;
mod proof;
mod sim_faults;
mod sim_scale;
mod sim_seeds;
mod sim_world;
mod sqlite_disk;

// Scripts: what the language does, and what becomes of each verb.
mod batches;
mod damaged_files;
mod examples;
mod fuzz;
mod fuzz_corpus;
mod left_out;
mod play;
mod script_bounds;
mod script_errors;
mod script_files;
mod script_fuzz;
mod script_turns;
mod scripts;

// Real sockets, several nodes on one thread.
mod closed_streams;
mod loopback;

// The world on those: what holds there as in the imaginary one, and what only sockets can show.
mod both_worlds;
mod lives;
mod loopback_world;
mod stage;

// The program as a process: every verb over real sockets, and how a run ends.
mod descriptors;
mod exit_codes;
mod flood_of_many;
mod floods;
mod kept;
mod kept_keys;
mod kill;
mod proc;
mod two_processes;

// Our own protocol's bytes.
mod native_codec;

// The plain protocol: known programs' own bytes, and any bytes at all.
mod classic_codec;
mod classic_vectors;
mod plain_programs;

// Streams that are torn, and strangers that send anything.
mod hostile_bytes;
mod hostile_text;
mod torn_streams;

// Whatever is typed is read without panic, and what is printed is read back.
mod grammar;
// Which line means what, and what is said of a wrong one.
mod lines;

// What is made of a run, in a browser.
mod reports;

// Faults planted in a build for tests, and whether they are found.
#[cfg(feature = "planted")]
mod planted;

// The source and its documents: who knows whom, that README does what it says, and which test holds us to
// which promise.
mod assurance;
mod layers;
mod readme;

// The prompt in a terminal.
mod prompt_pty;
// Scripts at that prompt, and in batches beside it.
mod goodbyes;
mod guests;
mod prompt_scripts;
mod pty;
mod terminal_pty;

// Programs of others: what each fault costs, and what a program that means harm can do.
mod classes;
mod graded_reports;
mod hostile_programs;
mod rubric;

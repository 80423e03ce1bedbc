//! What happened in a run of a script: a header, every moment once and in order, and how it ended.
//! A script and the worlds it plays in write it; every transcript, report and picture is made from
//! it and from nothing else, so they cannot disagree. Knows neither scripts nor media.

use std::sync::Arc;

use crate::id::Name;
use crate::text::Untrusted;

/// A run, from its header to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Play {
    /// Of what and under which conditions.
    pub head: Head,
    /// Everything that happened; a moment's number is its place here.
    pub moments: Vec<Moment>,
    /// How it ended; `None` while it has not.
    pub end: Option<End>,
}

/// Of what a run was, and under which conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The version of the program that ran it.
    pub hobnob: String,
    /// The name of the script's file, without its folders.
    pub script: Untrusted<Arc<str>>,
    /// BLAKE2s-256 of the script's text in hex; of nothing when there is no file.
    pub hash: String,
    /// All chance followed from this.
    pub seed: u64,
    /// Where it was played.
    pub world: WorldKind,
    /// Some peers were not ours, so to settle meant to be quiet for a while.
    pub timed: bool,
    /// When it began, in microseconds since 1970, if that is to be told.
    pub wall: Option<i64>,
}

/// Where a run was played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorldKind {
    /// In the imaginary world.
    Sim,
    /// Over sockets.
    Tcp,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When, in microseconds since the world began.
    pub at: u64,
    /// The exit code of the program.
    pub result: u8,
    /// A number for everything that happened in an imaginary world, down to each byte.
    pub trace: Option<u64>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When, in microseconds since its world began. Each test has a world of its own.
    pub at: u64,
    /// What.
    pub ev: Ev,
    /// Of the cast, who did it or saw it; `None` for the script and the network.
    pub peer: Option<Name>,
    /// Whom it is about.
    pub with: Option<Name>,
    /// That one speaks the plain protocol, and nothing of what it says is proven.
    pub plain: bool,
    /// A handler of the script did it, not the script itself.
    pub auto: bool,
    /// The message's number in the stream from its sender to its receiver.
    pub msg: Option<u64>,
    /// What was said; or the title, pattern or finding.
    pub text: Option<Untrusted<Arc<str>>>,
    /// The line of the script that asked for it, from 1.
    pub line: Option<u32>,
    /// The number of the moment that caused it: of `recv` its `queued`, of `delivered` its `recv`,
    /// of `queued` its `send`, of `expect.ok` the `recv` that was taken, of `expect.fail` the `recv`
    /// that came nearest.
    pub cause: Option<u64>,
    /// Lamport's clock of that peer (Lamport 1978): greater than that of everything it knew of.
    pub lam: u64,
    /// What only few moments have.
    pub more: Option<Box<More>>,
}

/// What only few moments have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct More {
    /// Of `lost`, `refused`, `timeout`, `drop`: why.
    pub why: Option<String>,
    /// Of the end of a `test` and of a `check`: how it went.
    pub verdict: Option<Verdict>,
    /// Of a `test`: points to be had.
    pub points: Option<f64>,
    /// Of the end of a `test`: points got.
    pub got: Option<f64>,
    /// Of `partition`: who is on which side. Names, the sides in the order of the script.
    pub sides: Option<[Vec<Name>; 2]>,
    /// Of `partition`: what comes from the second side passes.
    pub one_way: bool,
    /// Of `expect.fail`: the pattern, or in words what was to happen.
    pub expected: Option<Untrusted<Arc<str>>>,
    /// Of `expect.fail`: what was unread, oldest first, each as `SENDER: TEXT`; the first few.
    pub unread: Vec<Untrusted<Arc<str>>>,
    /// Of a failure: the line of the script that failed, as it is written there.
    pub quote: Option<Untrusted<Arc<str>>>,
    /// Of a failure: the file that line is in, when it is not the script itself.
    pub file: Option<Untrusted<Arc<str>>>,
}

/// How a test or a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Pass,
    /// Not so.
    Fail,
    /// Now so, now so.
    Flaky,
}

/// What kind of thing happened. The words are those of the event lines, version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ev {
    /// A peer joined the cast and listens.
    Listen,
    /// A peer dialled another and can talk to it.
    Connect,
    /// A peer was dialled and can talk to the dialler.
    Accept,
    /// A dial was refused.
    Refused,
    /// A dial was not answered.
    Timeout,
    /// Somebody wants to say something: to `with`, or to all. With a number: it was written to a
    /// plain peer, unconfirmed.
    Send,
    /// A message is on the sender's disk.
    Queued,
    /// A message is on the receiver's disk, and the sender knows.
    Delivered,
    /// A message was read.
    Recv,
    /// A message will not arrive.
    Drop,
    /// Every stream between two peers was reset.
    Cut,
    /// The bytes of a link arrive in small pieces from now on.
    Split,
    /// Nothing passes between two peers until released.
    Hold,
    /// What was held passes.
    Release,
    /// A peer said goodbye to another on its own account.
    Disconnect,
    /// A peer heard another say goodbye.
    Left,
    /// A peer noticed that another is gone without a goodbye.
    Lost,
    /// A peer's program died.
    Crash,
    /// A peer's program started again.
    Restart,
    /// The network fell into parts.
    Partition,
    /// It is whole again.
    Heal,
    /// A program printed something.
    Out,
    /// A program was given something to read.
    In,
    /// A peer left, or a program ended.
    Exit,
    /// A part of the script begins.
    Step,
    /// A test begins; with a verdict: it ends.
    Test,
    /// The script looked whether something is so.
    Check,
    /// What was expected came.
    ExpectOk,
    /// It did not.
    ExpectFail,
    /// Something worth saying.
    Note,
}

impl Ev {
    /// Every one.
    pub const ALL: [Self; 30] = [
        Self::Listen,
        Self::Connect,
        Self::Accept,
        Self::Refused,
        Self::Timeout,
        Self::Send,
        Self::Queued,
        Self::Delivered,
        Self::Recv,
        Self::Drop,
        Self::Cut,
        Self::Split,
        Self::Hold,
        Self::Release,
        Self::Disconnect,
        Self::Left,
        Self::Lost,
        Self::Crash,
        Self::Restart,
        Self::Partition,
        Self::Heal,
        Self::Out,
        Self::In,
        Self::Exit,
        Self::Step,
        Self::Test,
        Self::Check,
        Self::ExpectOk,
        Self::ExpectFail,
        Self::Note,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Connect => "connect",
            Self::Accept => "accept",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Send => "send",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Recv => "recv",
            Self::Drop => "drop",
            Self::Cut => "cut",
            Self::Split => "split",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Disconnect => "disconnect",
            Self::Left => "left",
            Self::Lost => "lost",
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::Partition => "partition",
            Self::Heal => "heal",
            Self::Out => "out",
            Self::In => "in",
            Self::Exit => "exit",
            Self::Step => "step",
            Self::Test => "test",
            Self::Check => "check",
            Self::ExpectOk => "expect.ok",
            Self::ExpectFail => "expect.fail",
            Self::Note => "note",
        }
    }

    /// The one with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ev| ev.word() == word)
    }
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Flaky => "flaky",
        }
    }
}

impl WorldKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Tcp => "tcp",
        }
    }
}

impl Moment {
    /// A moment of which only this is known yet.
    pub fn new(at: u64, ev: Ev) -> Self {
        Self {
            at,
            ev,
            peer: None,
            with: None,
            plain: false,
            auto: false,
            msg: None,
            text: None,
            line: None,
            cause: None,
            lam: 0,
            more: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for ev in Ev::ALL {
            assert_eq!(Ev::of_word(ev.word()), Some(ev));
        }
    }
}

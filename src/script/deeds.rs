//! What a script did, deed by deed, each as the line of a batch that does the same (for what no batch
//! can do, a line that calls the script's own verb, or a comment); and which of
//! these are to be left out when it is played again. By leaving out what does not matter, a failing
//! script is reduced to what makes it fail. A deed is known by its place and by how often that place
//! had been played before, so that leaving out one does not rename the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::Name;
use crate::script::error::Spot;

/// A deed among all of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeedId {
    spot: Spot,
    /// How often its place had been played before.
    count: u32,
    /// One place may do several things at once, such as casting three peers.
    part: String,
}

/// Something that a script did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Which.
    pub id: DeedId,
    /// The line of a batch that does the same.
    pub line: String,
    /// What it is about, for leaving out the largest things first.
    pub kind: DeedKind,
}

/// What a deed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeedKind {
    /// Plays a test, which has a world of its own.
    Test,
    /// Casts a peer.
    Peer,
    /// Changes the network, or a peer's fate.
    Fault,
    /// Connects, says or ends something.
    Talk,
    /// Looks whether something is so, or waits until it is.
    Expect,
    /// Lets time pass.
    Pause,
    /// Says where in the script we are.
    Step,
}

impl DeedKind {
    /// All of them: what most other deeds hang on comes first.
    pub const ALL: [Self; 7] =
        [Self::Test, Self::Peer, Self::Fault, Self::Talk, Self::Expect, Self::Pause, Self::Step];
}

/// What is done, and what is not to be.
#[derive(Clone, Debug, Default)]
pub struct Deeds {
    /// Everything done, in order.
    pub done: Vec<Deed>,
    /// Who got a message that an expectation would have taken which is left out. Were one of these to
    /// get nothing, it would matter.
    pub untaken: BTreeSet<Name>,
    left_out: BTreeSet<DeedId>,
    counts: BTreeMap<(Spot, String), u32>,
    /// Nothing is remembered: whoever never ends is never played again.
    forgetful: bool,
}

/// Deeds that are remembered; whoever does more is not to be reduced.
const DEEDS_MAX: usize = 100_000;

impl Deeds {
    /// With these left out.
    pub fn without(left_out: BTreeSet<DeedId>) -> Self {
        Self { left_out, ..Self::default() }
    }

    /// From now on nothing is remembered, and nothing left out.
    pub(super) fn forget(&mut self) {
        *self = Self { forgetful: true, ..Self::default() };
    }

    /// Something is about to be done; false when it is to be left out.
    pub(super) fn may(
        &mut self,
        spot: &Spot,
        kind: DeedKind,
        part: &str,
        line: impl FnOnce() -> String,
    ) -> bool {
        // Beyond that nothing can be left out, and places need not be told apart.
        if self.forgetful || self.done.len() >= DEEDS_MAX {
            return true;
        }
        let count = self.counts.entry((spot.clone(), part.to_owned())).or_insert(0);
        let id = DeedId { spot: spot.clone(), count: *count, part: part.to_owned() };
        *count += 1;
        if self.left_out.contains(&id) {
            return false;
        }
        self.done.push(Deed { id, line: line(), kind });
        true
    }

    /// The line of a batch that did all from `from` on has a mark: it must fail, or may.
    pub(super) fn mark(&mut self, from: usize, mark: char) {
        for deed in self.done.iter_mut().skip(from).filter(|deed| !deed.line.starts_with(['#', '='])) {
            let speaker = deed.line.split_once("> ").filter(|(name, _)| !name.contains(' '));
            deed.line = match speaker {
                Some((name, line)) => format!("{name}> {mark}{line}"),
                None => format!("{mark}{}", deed.line),
            };
        }
    }
}

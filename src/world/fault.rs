//! What the network does to those on it: how links are shaped, who cannot hear whom, and for how
//! long. Answers whether something may pass now; moves nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::time::Mono;
use crate::world::{PeerNo, Shape};

/// The state of the network between all peers.
#[derive(Default)]
pub(crate) struct Fault {
    usual: Shape,
    shapes: BTreeMap<Pair, Shape>,
    partitions: Vec<Partition>,
    holds: BTreeSet<Pair>,
    clogs: BTreeMap<Pair, Mono>,
    refusing: BTreeSet<PeerNo>,
}

/// Whether bytes may pass from one peer to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Now.
    Open,
    /// At this time, unless that changes.
    Until(Mono),
    /// Not until somebody says so.
    Shut,
}

struct Partition {
    from: BTreeSet<PeerNo>,
    to: BTreeSet<PeerNo>,
    one_way: bool,
}

/// Two peers, in whatever order they were named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair(PeerNo, PeerNo);

impl Fault {
    pub(crate) fn new(usual: Shape) -> Self {
        Self { usual, ..Self::default() }
    }

    /// Between whom no shape was given, this one.
    pub(crate) fn usual(&mut self, shape: Shape) {
        self.usual = shape;
    }

    /// The shape of what has none of its own.
    pub(crate) fn usual_shape(&self) -> Shape {
        self.usual
    }

    pub(crate) fn link(&mut self, a: PeerNo, b: PeerNo, shape: Shape) {
        self.shapes.insert(Pair::of(a, b), shape);
    }

    pub(crate) fn partition(&mut self, from: &[PeerNo], to: &[PeerNo], one_way: bool) {
        let set = |side: &[PeerNo]| side.iter().copied().collect();
        self.partitions.push(Partition { from: set(from), to: set(to), one_way });
    }

    pub(crate) fn heal(&mut self) {
        self.partitions.clear();
        self.holds.clear();
        self.clogs.clear();
        self.refusing.clear();
    }

    pub(crate) fn hold(&mut self, a: PeerNo, b: PeerNo) {
        self.holds.insert(Pair::of(a, b));
    }

    pub(crate) fn release(&mut self, a: PeerNo, b: PeerNo) {
        self.holds.remove(&Pair::of(a, b));
    }

    /// A clog that is there already is not shortened.
    pub(crate) fn clog(&mut self, a: PeerNo, b: PeerNo, until: Mono) {
        let clog = self.clogs.entry(Pair::of(a, b)).or_insert(until);
        *clog = until.max(*clog);
    }

    pub(crate) fn refuse(&mut self, who: PeerNo, refuse: bool) {
        if refuse {
            self.refusing.insert(who);
        } else {
            self.refusing.remove(&who);
        }
    }

    pub(crate) fn refuses(&self, who: PeerNo) -> bool {
        self.refusing.contains(&who)
    }

    pub(crate) fn shape(&self, a: PeerNo, b: PeerNo) -> Shape {
        self.shapes.get(&Pair::of(a, b)).copied().unwrap_or(self.usual)
    }

    /// Whether something may pass from one to the other. To oneself it always may.
    pub(crate) fn gate(&self, from: PeerNo, to: PeerNo, now: Mono) -> Gate {
        if from == to {
            return Gate::Open;
        }
        let pair = Pair::of(from, to);
        if self.holds.contains(&pair) || self.partitions.iter().any(|wall| wall.stops(from, to)) {
            return Gate::Shut;
        }
        match self.clogs.get(&pair) {
            Some(&until) if until > now => Gate::Until(until),
            _ => Gate::Open,
        }
    }

    /// Whether a stream may be made: that takes a word each way.
    pub(crate) fn gate_both(&self, a: PeerNo, b: PeerNo, now: Mono) -> Gate {
        match self.gate(a, b, now) {
            Gate::Open => self.gate(b, a, now),
            shut => shut,
        }
    }
}

impl Partition {
    fn stops(&self, from: PeerNo, to: PeerNo) -> bool {
        let forth = self.from.contains(&from) && self.to.contains(&to);
        forth || (!self.one_way && self.from.contains(&to) && self.to.contains(&from))
    }
}

impl Pair {
    fn of(a: PeerNo, b: PeerNo) -> Self {
        Self(a.min(b), a.max(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerNo = PeerNo(0);
    const B: PeerNo = PeerNo(1);
    const C: PeerNo = PeerNo(2);

    #[test]
    fn a_partition_stops_what_crosses_it_and_nothing_else() {
        let mut fault = Fault::default();
        fault.partition(&[A], &[B], true);
        assert_eq!(fault.gate(A, B, Mono(0)), Gate::Shut);
        assert_eq!(fault.gate(B, A, Mono(0)), Gate::Open, "the other way is open");
        assert_eq!(fault.gate_both(B, A, Mono(0)), Gate::Shut, "a stream needs both");
        fault.partition(&[B], &[C], false);
        assert_eq!((fault.gate(B, C, Mono(0)), fault.gate(C, B, Mono(0))), (Gate::Shut, Gate::Shut));
        assert_eq!(fault.gate(A, C, Mono(0)), Gate::Open);
        fault.heal();
        assert_eq!(fault.gate(A, B, Mono(0)), Gate::Open);
    }

    #[test]
    fn a_clog_ends_by_itself_and_the_longer_one_holds() {
        let mut fault = Fault::default();
        fault.clog(A, B, Mono(50));
        fault.clog(B, A, Mono(20));
        assert_eq!(fault.gate(B, A, Mono(49)), Gate::Until(Mono(50)));
        assert_eq!(fault.gate(B, A, Mono(50)), Gate::Open);
        fault.hold(A, B);
        assert_eq!(fault.gate(B, A, Mono(10)), Gate::Shut);
        fault.release(B, A);
        assert_eq!(fault.gate(B, A, Mono(10)), Gate::Until(Mono(50)));
    }
}

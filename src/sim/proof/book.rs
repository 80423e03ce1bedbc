//! What people asked for and what they were told: the promises, and what excuses those that were
//! taken back by a disk that was put back or a machine that was set up anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::RequestId;
use crate::key::PeerKey;
use crate::node::record::Record;
use crate::sim::proof::Broken;
use crate::time::Mono;
use crate::world::PeerNo;

/// A message that somebody asked to be sent.
pub(super) struct Ask {
    pub(super) from: PeerKey,
    pub(super) to: Vec<PeerKey>,
    pub(super) text: String,
}

/// A message for one peer.
pub(super) struct Said {
    pub(super) from: PeerKey,
    pub(super) to: PeerKey,
    pub(super) text: String,
    pub(super) fate: Fate,
    /// The sender's disk was put back after the promise.
    pub(super) forgotten: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nobody knows.
    Asked,
    Promised,
    Refused,
}

#[derive(Default)]
pub(super) struct Book {
    /// In the order of being asked for.
    pub(super) said: Vec<Said>,
    /// Which of those a request is about; for a goodbye, or digits that are wrong, none.
    open: BTreeMap<(PeerNo, RequestId), Vec<usize>>,
    /// The key of each, the latest last.
    machines: BTreeMap<PeerNo, Vec<PeerKey>>,
    held: BTreeMap<PeerNo, Mono>,
    changed: BTreeMap<PeerNo, BTreeSet<(PeerKey, PeerKey)>>,
    /// Whose person has said that the second key takes the place of the first.
    replaced: BTreeSet<(PeerKey, PeerKey, PeerKey)>,
    /// What was on a disk that was put back: at whose, from whom, what.
    pub(super) lost: BTreeSet<(PeerKey, PeerKey, String)>,
    /// What was shown in this run of a program.
    shown: BTreeMap<PeerNo, BTreeSet<(PeerKey, String)>>,
    /// Messages that somebody was told are missing: at whose, from whom.
    pub(super) missed: BTreeMap<(PeerKey, PeerKey), u64>,
    /// Whose disk was ever put back.
    pub(super) unreliable: BTreeSet<PeerKey>,
    pub(super) arrived: u64,
}

impl Book {
    /// A machine comes, or is set up anew.
    pub(super) fn comes(&mut self, who: PeerNo, key: PeerKey) {
        self.machines.entry(who).or_default().push(key);
        self.changed.remove(&who);
    }

    /// All keys that there ever were: who is connected may not know of the latest.
    pub(super) fn keys(&self) -> Vec<PeerKey> {
        self.machines.values().flatten().copied().collect()
    }

    /// Whose key that is now.
    pub(super) fn owner(&self, key: PeerKey) -> Option<PeerNo> {
        let mut owners = self.machines.iter();
        owners.find(|(_, keys)| keys.last() == Some(&key)).map(|(who, _)| *who)
    }

    pub(super) fn asks(&mut self, who: PeerNo, request: RequestId, ask: Ask) {
        let first = self.said.len();
        for to in ask.to.into_iter().filter(|to| *to != ask.from) {
            let (from, text) = (ask.from, ask.text.clone());
            self.said.push(Said { from, to, text, fate: Fate::Asked, forgotten: false });
        }
        self.open.insert((who, request), (first..self.said.len()).collect());
    }

    /// The answer to this is to be looked at; it is about no message.
    pub(super) fn watches(&mut self, who: PeerNo, request: RequestId) {
        self.open.insert((who, request), Vec::new());
    }

    /// Requests that are not answered yet.
    pub(super) fn open(&self) -> Vec<(PeerNo, RequestId)> {
        self.open.keys().copied().collect()
    }

    pub(super) fn promised_all(&mut self, who: PeerNo, request: RequestId) {
        self.close(who, request, |_| Fate::Promised);
    }

    /// A broadcast goes to these.
    pub(super) fn promised_to(&mut self, who: PeerNo, request: RequestId, keys: &[PeerKey]) {
        self.close(who, request, |to| if keys.contains(&to) { Fate::Promised } else { Fate::Refused });
    }

    /// Nothing was promised, and it may come all the same.
    pub(super) fn doubted(&mut self, who: PeerNo, request: RequestId) {
        self.close(who, request, |_| Fate::Asked);
    }

    pub(super) fn refused(&mut self, who: PeerNo, request: RequestId) {
        self.close(who, request, |_| Fate::Refused);
    }

    fn close(&mut self, who: PeerNo, request: RequestId, fate: impl Fn(PeerKey) -> Fate) {
        for at in self.open.remove(&(who, request)).unwrap_or_default() {
            let said = &mut self.said[at];
            said.fate = fate(said.to);
        }
    }

    /// Its program starts anew.
    pub(super) fn restarts(&mut self, who: PeerNo) {
        self.held.remove(&who);
        self.shown.remove(&who);
    }

    pub(super) fn holds(&mut self, who: PeerNo, until: Mono) {
        let held = self.held.entry(who).or_default();
        *held = until.max(*held);
    }

    pub(super) fn acts(&self, who: PeerNo, now: Mono) -> bool {
        self.held.get(&who).is_none_or(|until| *until <= now)
    }

    pub(super) fn key_changed(&mut self, who: PeerNo, old: PeerKey, new: PeerKey) {
        self.changed.entry(who).or_default().insert((old, new));
    }

    /// Keys that were shown to somebody in the place of others.
    pub(super) fn changed(&self, who: PeerNo) -> Vec<(PeerKey, PeerKey)> {
        self.changed.get(&who).into_iter().flatten().copied().collect()
    }

    pub(super) fn replaces(&mut self, whose: PeerKey, old: PeerKey, new: PeerKey) {
        self.replaced.insert((whose, old, new));
    }

    /// Whether what somebody says to one key may come to another: they are the same, or that person
    /// has said that it is to take the place of the first, be it by way of others.
    pub(super) fn may_reach(&self, whose: PeerKey, said_to: PeerKey, key: PeerKey) -> bool {
        let mut reached = BTreeSet::from([said_to]);
        loop {
            let steps = self.replaced.iter().filter(|(by, old, _)| *by == whose && reached.contains(old));
            let further: BTreeSet<_> = steps.map(|(_, _, new)| *new).collect();
            if reached.contains(&key) || further.is_subset(&reached) {
                return reached.contains(&key);
            }
            reached.extend(further);
        }
    }

    /// A disk was put back, between these two states.
    pub(super) fn set_back(&mut self, who: PeerNo, key: PeerKey, before: &[Record], after: &[Record]) {
        self.unreliable.insert(key);
        for record in before.get(after.len()..).unwrap_or_default() {
            if let Record::Received { from, text, .. } = record {
                self.lost.insert((key, *from, text.expose().to_owned()));
            }
        }
        for said in self.said.iter_mut().filter(|said| said.from == key) {
            said.forgotten = true;
        }
        self.restarts(who);
    }

    pub(super) fn missed(&mut self, who: PeerNo, from: PeerKey, count: u64) {
        if let Some(key) = self.machines.get(&who).and_then(|keys| keys.last()) {
            *self.missed.entry((*key, from)).or_default() += count;
        }
    }

    /// A message was shown to somebody.
    ///
    /// # Errors
    /// It was shown before in this run of the program.
    pub(super) fn shown(&mut self, who: PeerNo, from: PeerKey, text: &str) -> Result<(), Broken> {
        if self.shown.entry(who).or_default().insert((from, text.to_owned())) {
            return Ok(());
        }
        Err(("S2", format!("{who:?} was shown {text:.40?} twice")))
    }

    pub(super) fn promised(&self) -> u64 {
        self.said.iter().filter(|said| said.fate == Fate::Promised).count() as u64
    }

    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }
}

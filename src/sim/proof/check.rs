//! What must be true, at any time and at the end. The numbers are those of docs/assurance.md.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::key::PeerKey;
use crate::limits;
use crate::node::record::{Facts, Record};
use crate::sim::Cipher;
use crate::sim::proof::book::Fate;
use crate::sim::proof::{Broken, Proof};
use crate::world::{PeerNo, World};

/// What a disk says was to go to one key.
#[derive(Default)]
struct Sending {
    epoch: u64,
    /// The number of the front.
    front: u64,
    waiting: VecDeque<String>,
    delivered: Vec<String>,
}

/// What a disk says, read without the product's help.
#[derive(Default)]
struct Disk {
    to: BTreeMap<PeerKey, Sending>,
    /// What came from each, in order.
    from: BTreeMap<PeerKey, Vec<String>>,
    names: BTreeSet<(PeerKey, [u8; 16])>,
    facts: BTreeMap<PeerKey, Facts>,
}

impl Proof {
    /// What must be true at any time.
    pub(super) fn look(&mut self) -> Result<(), Broken> {
        let disks = self.disks()?;
        for who in self.everybody() {
            self.look_at_weight(who)?;
        }
        for (who, disk) in &disks {
            let me = self.key(*who);
            for (from, texts) in &disk.from {
                self.look_at_history(me, *from, texts)?;
            }
            for (to, sending) in &disk.to {
                let Some(owner) = self.book.owner(*to) else { continue };
                let there = disks.get(&owner).and_then(|disk| disk.from.get(&me));
                let there: BTreeSet<_> = there.into_iter().flatten().collect();
                for text in &sending.delivered {
                    let lost = self.book.lost.contains(&(*to, me, text.clone()));
                    if !there.contains(text) && !lost {
                        return Err(("S5", format!("{who:?} has {text:.40?} as delivered to {owner:?}")));
                    }
                }
            }
        }
        let clear = self.plan.cipher == Cipher::Noise && self.sim.seen() > 0;
        if clear { Err(("S8", format!("{} writes in the clear", self.sim.seen()))) } else { Ok(()) }
    }

    /// Whether nothing waits for anybody who can be reached.
    pub(super) fn is_drained(&self) -> bool {
        let Ok(disks) = self.disks() else { return true };
        disks.values().all(|disk| {
            let waits = |(to, sending): (&PeerKey, &Sending)| {
                self.book.owner(*to).is_some() && !sending.waiting.is_empty()
            };
            !disk.to.iter().any(waits)
        })
    }

    /// What must be true once everything has healed.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        let disks = self.disks()?;
        for said in &self.book.said {
            let Some(from) = self.book.owner(said.from) else { continue };
            let sent = disks[&from].to.values();
            let is_there = sent.into_iter().any(|sending| {
                sending.waiting.contains(&said.text) || sending.delivered.contains(&said.text)
            });
            if said.fate == Fate::Promised && !said.forgotten && !is_there {
                return Err(("S1", format!("{from:?} promised {:.40?} and does not have it", said.text)));
            }
        }
        let mut arrived = 0;
        for (who, disk) in &disks {
            let me = self.key(*who);
            arrived += disk.from.values().map(|texts| texts.len() as u64).sum::<u64>();
            for (to, sending) in &disk.to {
                let Some(owner) = self.book.owner(*to) else { continue };
                if let Some(text) = sending.waiting.front() {
                    let count = sending.waiting.len();
                    return Err(("L1", format!("{who:?} still has {count} for {owner:?}: {text:.40?}")));
                }
                let there: BTreeSet<_> = disks[&owner].from.get(&me).into_iter().flatten().collect();
                let missing: Vec<_> = sending.delivered.iter().filter(|text| !there.contains(text)).collect();
                // Each was on a disk that was put back, or `look` would have said so.
                let told = self.book.missed.get(&(*to, me)).copied().unwrap_or(0);
                let excused = self.book.unreliable.contains(&me);
                if (missing.len() as u64) > told && !excused {
                    let what = format!("{owner:?} lost {} of {who:?} and was told of {told}", missing.len());
                    return Err(("S1", what));
                }
            }
        }
        self.book.arrived = arrived;
        Ok(())
    }

    fn disks(&self) -> Result<BTreeMap<PeerNo, Disk>, Broken> {
        self.everybody().map(|who| Ok((who, self.read(who)?))).collect()
    }

    fn read(&self, who: PeerNo) -> Result<Disk, Broken> {
        let mut disk = Disk::default();
        for record in self.sim.written(who) {
            disk.add(record).map_err(|(rule, what)| (rule, format!("{who:?}: {what}")))?;
        }
        Ok(disk)
    }

    /// What came from somebody was asked to be sent to us, each once, in that order.
    fn look_at_history(&self, me: PeerKey, from: PeerKey, texts: &[String]) -> Result<(), Broken> {
        let asked = self.book.said.iter().filter(|said| said.from == from);
        let places: BTreeMap<&str, (usize, Fate)> =
            asked.enumerate().map(|(at, said)| (said.text.as_str(), (at, said.fate))).collect();
        // What was said to a key that the sender has replaced since may come behind what it said to the
        // new one before.
        let mut latest: BTreeMap<PeerKey, (usize, &str)> = BTreeMap::new();
        for text in texts {
            let Some((at, fate)) = places.get(text.as_str()) else {
                return Err(("S4", format!("nobody asked for {text:.40?}")));
            };
            let others = self.book.said.iter().filter(|said| said.from == from && said.text == *text);
            if *fate == Fate::Refused && others.filter(|said| said.fate != Fate::Refused).count() == 0 {
                return Err(("S4", format!("{text:.40?} was refused and came")));
            }
            let to_whom = self.book.said.iter().filter(|said| said.from == from && said.text == *text);
            let meant = to_whom.map(|said| said.to).filter(|to| self.book.may_reach(from, *to, me));
            let Some(meant) = meant.max_by_key(|to| *to == me) else {
                let (from, me) = (from.short(), me.short());
                return Err(("S7", format!("{text:.20?} of {from} came to {me}, and nobody meant that")));
            };
            // It was here before, and its sender, set back as well, has sent it again; or it was for a
            // key that the sender, set back, has replaced once more.
            let again = self.book.lost.contains(&(me, from, text.clone()));
            let moved = self
                .book
                .said
                .iter()
                .any(|said| said.forgotten && said.from == from && said.to != me && said.text == *text);
            if again || moved {
                continue;
            }
            let before = latest.insert(meant, (*at, text));
            if let Some((last, before)) = before.filter(|(last, _)| last >= at) {
                let rule = if last == *at { "S2" } else { "S3" };
                let (from, me) = (from.short(), me.short());
                return Err((rule, format!("{text:.20?} came to {me} from {from} after {before:.20?}")));
            }
        }
        Ok(())
    }

    fn look_at_weight(&self, who: PeerNo) -> Result<(), Broken> {
        let Some(weight) = self.sim.weight(who) else { return Ok(()) };
        let peers = self.sim.peers();
        let fits = weight.links <= 16 * peers
            && weight.outbox_bytes <= limits::OUTBOX_TOTAL_BYTES + limits::BODY_MAX
            && weight.unsaved <= limits::UNSAVED_MAX + limits::WINDOW_MESSAGES * peers
            && weight.timers <= 64 * peers
            && weight.redials <= 2 * peers;
        if fits { Ok(()) } else { Err(("S10", format!("{who:?} holds {weight:?}"))) }
    }
}

impl Disk {
    fn add(&mut self, record: Record) -> Result<(), Broken> {
        match record {
            Record::Peer(facts) => drop(self.facts.insert(facts.key, facts)),
            Record::Queued { to, epoch, seq, text, .. } => {
                let sending = self.to.entry(to).or_default();
                let next = sending.front + sending.waiting.len() as u64;
                if sending.waiting.is_empty() && (sending.epoch, sending.front) == (0, 0) {
                    (sending.epoch, sending.front) = (epoch, seq);
                } else if (sending.epoch, next) != (epoch, seq) {
                    return Err(("S13", format!("message {seq} follows {next}")));
                }
                sending.waiting.push_back(text.as_str().to_owned());
            }
            Record::Delivered { to, epoch, seq } => {
                let sending = self.to.entry(to).or_default();
                let last = sending.front + sending.waiting.len() as u64;
                if epoch != sending.epoch || seq < sending.front || seq >= last {
                    return Err(("S6", format!("{seq} is delivered, of {}..{last}", sending.front)));
                }
                while sending.front <= seq {
                    sending.delivered.extend(sending.waiting.pop_front());
                    sending.front += 1;
                }
            }
            Record::Failed { seq, .. } => return Err(("S1", format!("{seq} was given up"))),
            Record::Renumbered { to, epoch } => {
                let sending = self.to.entry(to).or_default();
                (sending.epoch, sending.front) = (epoch, 1);
            }
            Record::Moved { from, to, epoch, next } => {
                let moved = std::mem::take(&mut self.to.entry(from).or_default().waiting);
                let sending = self.to.entry(to).or_default();
                if sending.waiting.is_empty() {
                    (sending.epoch, sending.front) = (epoch, next);
                }
                sending.waiting.extend(moved);
            }
            Record::Received { from, id, text, .. } => {
                self.look_at_pin(from)?;
                if !self.names.insert((from, id.0)) {
                    return Err(("S2", format!("{:.40?} is there twice", text.expose())));
                }
                self.from.entry(from).or_default().push(text.expose().to_owned());
            }
            Record::Plain { .. } => {}
        }
        Ok(())
    }

    /// Nobody else is pinned where this key is, by the name that it has.
    fn look_at_pin(&self, key: PeerKey) -> Result<(), Broken> {
        let Some(facts) = self.facts.get(&key) else {
            return Err(("S9", format!("nothing was known of {}", key.short())));
        };
        let usurps = |other: &Facts| {
            other.key != key
                && !other.gone
                && !other.passing
                && other.claims == facts.claims
                && other.listens.is_some()
                && other.listens == facts.listens
        };
        match self.facts.values().find(|other| usurps(other)) {
            Some(other) => Err(("S9", format!("{} is pinned where {} is", other.key.short(), key.short()))),
            None => Ok(()),
        }
    }
}

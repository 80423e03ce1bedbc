//! Who is let in: a state machine that is told of every stream that somebody opens to us and says
//! whether it may stay, by what its source, its key and all strangers together have done. It knows
//! addresses and times, no bytes; the numbers are `limits::doors`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::id::LinkId;
use crate::limits::bucket::Bucket;
use crate::limits::doors::{self, Doors, Row};
use crate::rng::Rng;
use crate::time::Mono;
use crate::why::Limit;

/// Whom we cannot tell apart: one IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    V4(u32),
    V6(u64),
}

/// The state of the doors.
#[derive(Debug)]
pub struct Admission {
    doors: Doors,
    sources: BTreeMap<Source, Entry>,
    /// Those with nothing open, by when they were last seen.
    idle: BTreeSet<(Mono, Source)>,
    strangers: BTreeMap<LinkId, Stranger>,
    /// Links that are open.
    open: BTreeMap<LinkId, Source>,
    handshakes: usize,
    rate: Bucket,
    reports: Bucket,
}

/// What is remembered of a source.
#[derive(Debug, Default)]
struct Entry {
    strangers: usize,
    handshakes: usize,
    plain: usize,
    links: usize,
    handshake_rate: Bucket,
    plain_rate: Bucket,
    reports: Bucket,
    /// Kept out until then, if that has grown long enough.
    penalty: Mono,
    kept_out: bool,
    seen: Mono,
}

/// A stream of which it is not known who is at its other end.
#[derive(Clone, Copy, Debug)]
struct Stranger {
    source: Source,
    phase: Phase,
    since: Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It has not said a byte.
    Silent,
    Handshake,
    Plain,
}

impl Source {
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }

    /// 127.0.0.1 or ::1, which is what programs of this machine have unless they mean to be others.
    fn is_loopback(self) -> bool {
        // Of ::/64 only the loopback address is one that anybody can have.
        matches!(self, Self::V4(0x7f00_0001) | Self::V6(0))
    }

    /// Its network: what one organisation has many of (/16, /32, as Bitcoin groups them).
    fn group(self) -> Self {
        match self {
            Self::V4(ip) => Self::V4(ip >> 16),
            Self::V6(net) => Self::V6(net >> 32),
        }
    }
}

/// Whether an address is one that all programs of this machine share.
pub fn is_loopback(ip: IpAddr) -> bool {
    Source::of(ip).is_loopback()
}

impl Admission {
    /// Nobody is there yet.
    pub fn new(doors: Doors) -> Self {
        Self {
            doors,
            sources: BTreeMap::new(),
            idle: BTreeSet::new(),
            strangers: BTreeMap::new(),
            open: BTreeMap::new(),
            handshakes: 0,
            rate: Bucket::default(),
            reports: Bucket::default(),
        }
    }

    /// What an address may do.
    pub fn row(&self, ip: IpAddr) -> &Row {
        row(&self.doors, Source::of(ip))
    }

    /// Somebody opens a stream. Gives the stream that makes way for it, if one has to.
    ///
    /// # Errors
    /// It is refused.
    pub fn arrives(&mut self, link: LinkId, ip: IpAddr, now: Mono) -> Result<Option<LinkId>, Limit> {
        let source = Source::of(ip);
        let bounds = *row(&self.doors, source);
        let entry = self.seen(source, now);
        if entry.is_kept_out(now) {
            return Err(Limit::Penalty);
        }
        let yields = if entry.strangers >= bounds.strangers {
            // The newer one: whoever is honest has soon said who it is.
            let own = |stranger: &Stranger| stranger.source == source && stranger.phase == Phase::Silent;
            Some(self.oldest(own).ok_or(Limit::SourceStrangers)?)
        } else if !source.is_loopback() && self.outside().count() >= self.doors.strangers {
            let group = self.largest_group(|_| true);
            let of_it = |stranger: &Stranger| {
                Some(stranger.source.group()) == group
                    && stranger.phase == Phase::Silent
                    && !stranger.source.is_loopback()
            };
            Some(self.oldest(of_it).ok_or(Limit::Strangers)?)
        } else {
            None
        };
        self.strangers.insert(link, Stranger { source, phase: Phase::Silent, since: now });
        self.change(source, |entry| entry.strangers += 1);
        Ok(yields)
    }

    /// A stream that was silent says its first byte, which begins our handshake or is plain text. Gives
    /// the handshake that makes way for it, if one has to.
    ///
    /// # Errors
    /// It is refused, before anything is calculated for it.
    pub fn speaks(
        &mut self,
        link: LinkId,
        native: bool,
        now: Mono,
        rng: &mut Rng,
    ) -> Result<Option<LinkId>, Limit> {
        let Some(&Stranger { source, phase: Phase::Silent, .. }) = self.strangers.get(&link) else {
            return Ok(None);
        };
        let (bounds, whole) = (*row(&self.doors, source), self.doors.handshake_rate);
        let entry = self.seen(source, now);
        let mut yields = None;
        if native {
            if entry.handshakes >= bounds.handshakes {
                return Err(Limit::SourceHandshakes);
            }
            if !entry.handshake_rate.has(bounds.handshake_rate, now) {
                return Err(Limit::SourceHandshakeRate);
            }
            if !source.is_loopback() {
                if !self.rate.has(whole, now) {
                    return Err(Limit::HandshakeRate);
                }
                yields = self.make_room(now, rng)?;
                self.rate.take(whole, now);
                self.handshakes += 1;
            }
            self.change(source, |entry| {
                entry.handshake_rate.take(bounds.handshake_rate, now);
                entry.handshakes += 1;
            });
        } else {
            if entry.plain >= bounds.plain {
                return Err(Limit::SourcePlain);
            }
            if !entry.plain_rate.take(bounds.plain_rate, now) {
                return Err(Limit::SourcePlainRate);
            }
            self.change(source, |entry| entry.plain += 1);
        }
        if let Some(stranger) = self.strangers.get_mut(&link) {
            stranger.phase = if native { Phase::Handshake } else { Phase::Plain };
            stranger.since = now;
        }
        Ok(yields)
    }

    /// A stranger has proven a key.
    ///
    /// # Errors
    /// Its source has as many links as it may.
    pub fn proves(&mut self, link: LinkId, pinned: bool, now: Mono) -> Result<(), Limit> {
        let Some(&Stranger { source, .. }) = self.strangers.get(&link) else { return Ok(()) };
        self.leaves(link, now);
        let bounds = row(&self.doors, source).links;
        if !pinned {
            if self.seen(source, now).links >= bounds {
                return Err(Limit::SourceLinks);
            }
            self.open.insert(link, source);
            self.change(source, |entry| entry.links += 1);
        }
        Ok(())
    }

    /// A stream that somebody opened to us is no more.
    pub fn leaves(&mut self, link: LinkId, now: Mono) {
        if let Some(Stranger { source, phase, .. }) = self.strangers.remove(&link) {
            if phase == Phase::Handshake && !source.is_loopback() {
                self.handshakes -= 1;
            }
            self.seen(source, now);
            self.change(source, |entry| {
                entry.strangers -= 1;
                entry.handshakes -= usize::from(phase == Phase::Handshake);
                entry.plain -= usize::from(phase == Phase::Plain);
            });
        } else if let Some(source) = self.open.remove(&link) {
            self.seen(source, now);
            self.change(source, |entry| entry.links -= 1);
        }
    }

    /// A source has done what is punished so.
    pub fn offends(&mut self, ip: IpAddr, penalty: Duration, now: Mono) {
        let source = Source::of(ip);
        if row(&self.doors, source).penalties {
            let entry = self.seen(source, now);
            let until = entry.penalty.max(now).plus(penalty).min(now.plus(doors::PENALTY_MAX));
            entry.kept_out = entry.is_kept_out(now) || until.since(now) >= doors::PENALTY_MIN;
            entry.penalty = until;
        }
    }

    /// Whether a refusal is to be reported, so that a flood of them is no flood of lines.
    pub fn reports(&mut self, ip: IpAddr, now: Mono) -> bool {
        let source = Source::of(ip);
        let (bounds, whole) = (row(&self.doors, source).reports, self.doors.reports);
        self.seen(source, now).reports.take(bounds, now) && self.reports.take(whole, now)
    }

    /// A handshake more from elsewhere than loopback. Where there are many, chance decides whether that
    /// is one too many; then one that has had its time makes way, or the newcomer is refused.
    fn make_room(&self, now: Mono, rng: &mut Rng) -> Result<Option<LinkId>, Limit> {
        let (first, last) = self.doors.handshakes;
        if self.handshakes < first {
            return Ok(None);
        }
        let (above, span) = ((self.handshakes - first) as u64, (last - first).max(1) as u64);
        let percent = doors::DROP_FIRST + (100 - doors::DROP_FIRST) * above.min(span) / span;
        if rng.below(100) >= percent {
            return Ok(None);
        }
        let slow = |stranger: &Stranger| {
            stranger.phase == Phase::Handshake && now.since(stranger.since) >= doors::HANDSHAKE_YIELDS
        };
        let group = self.largest_group(slow);
        let of_it = |stranger: &Stranger| {
            slow(stranger) && Some(stranger.source.group()) == group && !stranger.source.is_loopback()
        };
        self.oldest(of_it).map(Some).ok_or(Limit::Handshakes)
    }

    fn outside(&self) -> impl Iterator<Item = &Stranger> {
        self.strangers.values().filter(|stranger| !stranger.source.is_loopback())
    }

    /// The network that has most of such strangers.
    fn largest_group(&self, such: impl Fn(&Stranger) -> bool) -> Option<Source> {
        let mut groups = BTreeMap::<_, usize>::new();
        for stranger in self.outside().filter(|stranger| such(stranger)) {
            *groups.entry(stranger.source.group()).or_default() += 1;
        }
        groups.into_iter().max_by_key(|(_, count)| *count).map(|(group, _)| group)
    }

    fn oldest(&self, such: impl Fn(&Stranger) -> bool) -> Option<LinkId> {
        let found = self.strangers.iter().filter(|(_, stranger)| such(stranger));
        found.min_by_key(|(link, stranger)| (stranger.since, **link)).map(|(link, _)| *link)
    }

    /// What is remembered of a source, which has just been seen.
    fn seen(&mut self, source: Source, now: Mono) -> &mut Entry {
        if !self.sources.contains_key(&source) && self.sources.len() >= doors::SOURCES_MAX {
            // If all have something open, their streams bound how many they are.
            if let Some((_, old)) = self.idle.pop_first() {
                self.sources.remove(&old);
            }
        }
        let entry = self.sources.entry(source).or_default();
        if entry.is_idle() {
            self.idle.remove(&(entry.seen, source));
            self.idle.insert((now, source));
        }
        entry.seen = now;
        entry
    }

    /// Changes what a source that was just seen has open.
    fn change(&mut self, source: Source, change: impl FnOnce(&mut Entry)) {
        let Some(entry) = self.sources.get_mut(&source) else { return };
        change(entry);
        if entry.is_idle() {
            self.idle.insert((entry.seen, source));
        } else {
            self.idle.remove(&(entry.seen, source));
        }
    }
}

impl Entry {
    fn is_idle(&self) -> bool {
        self.strangers == 0 && self.links == 0
    }

    fn is_kept_out(&mut self, now: Mono) -> bool {
        self.kept_out &= now < self.penalty;
        self.kept_out
    }
}

fn row(doors: &Doors, source: Source) -> &Row {
    if source.is_loopback() { &doors.loopback } else { &doors.source }
}

#[cfg(test)]
mod tests;

//! How much of what peers say is shown at a prompt while it comes in: as much as somebody can read, and
//! of what is more how many messages there were, once a second. All of it is kept, and `log` shows it.
//! Who says little is not drowned by who says much. Decides no words but those of that one line.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::event::Who;
use crate::id::PeerId;
use crate::limits::bucket::Bucket;
use crate::limits::{SCREEN_CALM, SCREEN_QUIET, SCREEN_QUIET_PEERS, SCREEN_RATE, SCREEN_SUMMARY};
use crate::time::Mono;

/// What is left out, since when.
#[derive(Debug, Default)]
pub(super) struct Pace {
    lines: Bucket,
    /// Of those who said something while some was left out.
    quiet: BTreeMap<PeerId, Bucket>,
    left_out: Vec<(Who, u64)>,
    due: Option<Mono>,
    /// When there was no room last.
    crowded: Mono,
}

impl Pace {
    /// Whether a message of so many lines is shown; if not, it is counted.
    pub(super) fn shows(&mut self, from: &Who, lines: usize, now: Mono) -> bool {
        if now.since(self.crowded) > SCREEN_CALM {
            self.quiet.clear();
        }
        if self.due.is_none() && self.lines.take(SCREEN_RATE, now) {
            for _ in 1..lines {
                self.lines.take(SCREEN_RATE, now);
            }
            return true;
        }
        self.crowded = now;
        let is_loud = self.left_out.iter().any(|(who, _)| who.id == from.id);
        let known = self.quiet.len() < SCREEN_QUIET_PEERS || self.quiet.contains_key(&from.id);
        if !is_loud && known && self.quiet.entry(from.id).or_default().take(SCREEN_QUIET, now) {
            return true;
        }
        match self.left_out.iter_mut().find(|(who, _)| who.id == from.id) {
            Some((_, count)) => *count += 1,
            None => self.left_out.push((*from, 1)),
        }
        self.due.get_or_insert_with(|| now.plus(SCREEN_SUMMARY));
        false
    }

    /// What was left out, by whom and how much, if it is time to say so or all is over.
    pub(super) fn summary(&mut self, now: Mono, over: bool) -> Vec<(Who, u64)> {
        if !self.due.is_some_and(|due| over || due <= now) {
            return Vec::new();
        }
        self.due = None;
        std::mem::take(&mut self.left_out)
    }

    /// How long to wait at most, if it would be so long without.
    pub(super) fn patience(&self, now: Mono, wait: Duration) -> Duration {
        self.due.map_or(wait, |due| due.since(now).min(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::reply::Trust;
    use crate::id::Name;
    use crate::key::PeerKey;

    fn who(key: u8) -> Who {
        let name = Name::new(if key == 1 { "bob" } else { "carol" }).expect("a name");
        Who { id: PeerId::Native(PeerKey([key; 32])), name, twin: false, trust: Trust::FirstUse }
    }

    fn after(ms: u64) -> Mono {
        Mono(1_000_000_000).plus(Duration::from_millis(ms))
    }

    #[test]
    fn what_is_more_than_anybody_reads_is_counted_once_a_second() {
        let (mut pace, mut shown, mut counted, mut said) = (Pace::default(), 0, 0, 0);
        for ms in 0..10_000 {
            shown += u64::from(pace.shows(&who(1), 1, after(ms)));
            let summary = pace.summary(after(ms), false);
            said += usize::from(!summary.is_empty());
            counted += summary.iter().map(|(_, count)| count).sum::<u64>();
        }
        counted += pace.summary(after(10_000), true).iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!(shown + counted, 10_000, "none is lost without a word");
        assert!(shown <= u64::from(SCREEN_RATE.burst) + 10 * 20 + 20, "{shown} shown");
        assert!((9..=10).contains(&said), "{said} summaries");
        assert!(pace.summary(after(20_000), true).is_empty());
    }

    #[test]
    fn who_says_little_is_seen_among_those_who_say_much() {
        let mut pace = Pace::default();
        for ms in 0..2_000 {
            pace.shows(&who(1), 1, after(ms));
            pace.summary(after(ms), false);
        }
        for n in 0..SCREEN_QUIET.burst.into() {
            assert!(pace.shows(&who(2), 1, after(2_000 + n)));
        }
        assert!(!pace.shows(&who(2), 1, after(2_010)), "but no more than little");
    }

    #[test]
    fn a_message_of_many_lines_counts_as_many_and_a_wait_ends_with_the_summary() {
        let mut pace = Pace::default();
        let second = Duration::from_secs(1);
        assert_eq!(pace.patience(after(0), second), second);
        assert!(pace.shows(&who(1), 10_000, after(0)));
        for _ in 0..SCREEN_QUIET.burst {
            assert!(pace.shows(&who(1), 1, after(0)));
        }
        assert!(!pace.shows(&who(1), 1, after(20)));
        assert_eq!(pace.patience(after(220), 10 * second), SCREEN_SUMMARY - Duration::from_millis(200));
    }
}

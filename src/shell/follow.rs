//! What becomes of what a front end asked: answers and events are taken in and shown, and a batch's
//! messages are followed until they have arrived.

use std::time::Duration;

use crate::addr::Address;
use crate::api::command::{Command, CommandError};
use crate::api::event::{What, Who};
use crate::api::reply::Reply;
use crate::shell::failure::Failure;
use crate::shell::receipts::{Origin, Sent};
use crate::why::Why;

use crate::shell::front::Front;

impl Front<'_> {
    /// Takes in all that has come, and shows it.
    pub fn pump(&mut self) {
        if self.guests.any() {
            self.attend();
        }
        let now = self.session.now().mono;
        while let Some(request) = self.receipts.oldest()
            && let Some(result) = self.take_reply(request)
        {
            let Some(origin) = self.receipts.answered(now) else { break };
            match result {
                Ok(reply) => {
                    self.follow(&reply, origin);
                    self.out.reply(now, &reply);
                }
                Err(error) => self.fail(origin.line, Failure::Command { verb: origin.verb, error }),
            }
        }
        for (request, verb) in std::mem::take(&mut self.asked) {
            match self.take_reply(request) {
                Some(Ok(reply)) => self.shown(now, &reply),
                Some(Err(error)) => self.complain(&Failure::Command { verb, error }),
                None => self.asked.push((request, verb)),
            }
        }
        while self.quota != Some(0)
            && let Some(event) = self.session.take_event()
        {
            self.events += 1;
            if self.guests.any() {
                self.guests.tell(&event);
            }
            if self.record.is_some() {
                self.record_event(&event);
            }
            if let (What::Message(_), Some(left)) = (&event.what, &mut self.quota) {
                *left -= 1;
            }
            match &event.what {
                What::Message(message) => self.unread.push(message),
                What::Delivered { to, last, .. } => self.receipts.delivered(to.id, *last, now),
                What::Failed { to, first, last, why } => {
                    if let Some(sent) = self.receipts.failed(to.id, *first, *last) {
                        let Sent { origin, seq, .. } = sent;
                        let failure = Failure::Undelivered {
                            verb: origin.verb,
                            to: to.name.to_string(),
                            seq,
                            why: *why,
                        };
                        self.fail(origin.line, failure);
                    }
                }
                What::Joined { who, listens, .. } => {
                    if let Some(listens) = listens {
                        self.unreachable.remove(&Address::from(*listens));
                    }
                    self.away.remove(&who.id);
                    self.known.insert(who.id, who.name);
                    self.present.insert(who.id, (*who, *listens));
                }
                What::Renamed { who, .. } => {
                    self.known.insert(who.id, who.name);
                    self.present.entry(who.id).and_modify(|(name, _)| *name = *who);
                }
                What::Left { who, .. } | What::Lost { who, .. } => drop(self.present.remove(&who.id)),
                What::Unreachable { who, at, why, .. } => {
                    self.unreachable.insert(at.clone(), *why);
                    if let Some(who) = who {
                        self.away.insert(who.id, None);
                        self.rests(who);
                    }
                }
                What::Kept { to, .. } => self.receipts.kept(to.id),
                What::KeyChanged { who, at, shown, .. } => {
                    if let Some(at) = at {
                        self.unreachable.insert(Address::from(*at), Why::KeyChanged);
                    }
                    self.away.insert(who.id, Some(*shown));
                    self.rests(who);
                }
                What::Missed { .. } | What::SetBack { .. } | What::StoreFailed(_) | What::StoreWorks => {}
                What::Superseded { .. } | What::Dropped { .. } | What::Leaving => {}
            }
            self.out.event(&event);
        }
    }

    /// Learns the names of those who were met in earlier runs.
    pub(super) fn recollect(&mut self) {
        let request = self.session.submit(Command::Peers { known: true });
        // Without an answer there are a few names less to complete.
        let answer = self.until(RECOLLECT, |front| front.session.take_reply(request));
        if let Ok(Some(Ok(Reply::Peers(rows)))) = answer {
            self.known.extend(rows.iter().map(|row| (row.who.id, row.who.name)));
        }
    }

    /// How many events there ever were.
    pub(super) fn heard(&self) -> u64 {
        self.events
    }

    /// Whether something that a batch did not wait for has failed, and in which line.
    ///
    /// # Errors
    /// It has.
    pub fn check(&mut self) -> Result<(), (usize, Failure)> {
        match self.failed.take() {
            Some(failed) => {
                self.receipts.clear();
                Err(failed)
            }
            None => Ok(()),
        }
    }

    /// Whether [`Self::check`] has something to say.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Waits until every message that was sent has arrived.
    ///
    /// # Errors
    /// One will not, or did not in time.
    pub fn arrive(&mut self) -> Result<(), Failure> {
        self.travel(0)
    }

    /// Waits until at most `left` messages are on their way.
    pub(super) fn travel(&mut self, left: usize) -> Result<(), Failure> {
        loop {
            let within = self.settings.timeout;
            let due = self.receipts.progress().plus(within);
            let wait = due.since(self.session.now().mono).max(Duration::from_millis(1));
            let news = |front: &mut Self| {
                (front.receipts.len() <= left
                    || front.failed.is_some()
                    || front.receipts.progress().plus(within) > due)
                    .then_some(())
            };
            let moved = self.until(wait, news)?;
            self.check().map_err(|(line, failure)| failure.in_line(line))?;
            if self.receipts.len() <= left {
                return Ok(());
            }
            if moved.is_none() {
                if let Some(Sent { to, .. }) = self.receipts.stuck()
                    && self.rests(&to)
                {
                    continue;
                }
                let failure = self.stuck(within);
                self.receipts.clear();
                return Err(failure);
            }
        }
    }

    /// Why what travels does not arrive.
    fn stuck(&self, within: Duration) -> Failure {
        let Some(Sent { to, seq, origin }) = self.receipts.stuck() else {
            let origin = self.receipts.unanswered().unwrap_or(Origin { line: 0, verb: "send" });
            let error = CommandError::Timeout { who: "the other side".into(), within };
            return Failure::Command { verb: origin.verb, error }.in_line(origin.line);
        };
        let why = self.unreachable.values().next().copied().filter(|_| !self.present.contains_key(&to.id));
        Failure::Unacknowledged { verb: origin.verb, to: to.name.to_string(), seq, within, why }
            .in_line(origin.line)
    }

    /// What was said to somebody who is away is safe here, and nobody waits for it; that another key
    /// answers in its place is the end of a batch. False if it is not so.
    fn rests(&mut self, to: &Who) -> bool {
        if let Some(Some(shown)) = self.away.get(&to.id).copied()
            && let Some(Sent { origin, .. }) = self.receipts.failed(to.id, 0, u64::MAX)
        {
            let error = CommandError::KeyChanged { name: to.name, shown };
            self.fail(origin.line, Failure::Command { verb: origin.verb, error });
            return true;
        }
        let rests = self.keeps && !to.id.is_plain() && !self.present.contains_key(&to.id);
        if rests {
            self.receipts.kept(to.id);
        }
        rests
    }

    fn fail(&mut self, line: usize, failure: Failure) {
        self.failed.get_or_insert((line, failure));
    }

    pub(super) fn follow(&mut self, reply: &Reply, origin: Origin) {
        match reply {
            Reply::Queued { to, seq, .. } => {
                self.receipts.sent(Sent { to: *to, seq: *seq, origin });
                if self.away.contains_key(&to.id) {
                    self.rests(to);
                }
            }
            Reply::Broadcast(told) => {
                for (to, seq) in told {
                    self.receipts.sent(Sent { to: *to, seq: *seq, origin });
                }
            }
            _ => {}
        }
    }
}

/// How long a node may take to say whom it knows.
const RECOLLECT: Duration = Duration::from_secs(1);

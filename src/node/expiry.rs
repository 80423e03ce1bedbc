//! What waits too long for a peer that never comes back is given up, and said so. Age is counted by
//! the wall clock, as a program may be stopped for days; but as that clock may jump, whatever seems
//! too old must still seem so when the node has watched it for an hour.

use crate::api::event::What;
use crate::limits;
use crate::node::io::Effect;
use crate::node::peers::PeerIx;
use crate::node::record::Record;
use crate::node::{Node, Timer};
use crate::planted::{self, Planted};
use crate::time::Wall;
use crate::why::Why;

impl Node {
    /// Something waits for a peer that is away: from now on it is looked at now and then.
    pub(super) fn watch_age(&mut self) {
        if !std::mem::replace(&mut self.watching, true) {
            self.timers.insert((self.now.mono.plus(limits::EXPIRY_CHECK), Timer::Expiry));
        }
    }

    pub(super) fn expiry_due(&mut self, out: &mut Vec<Effect>) {
        self.watching = false;
        let age = i64::try_from(limits::OUTBOX_AGE.as_micros()).unwrap_or(i64::MAX);
        let before = Wall(self.now.wall.0.saturating_sub(age));
        let waiting: Vec<PeerIx> =
            self.peers.iter().filter(|(_, peer)| peer.outbox.len() > 0).map(|(ix, _)| ix).collect();
        if !waiting.is_empty() {
            self.watch_age();
        }
        for ix in waiting {
            self.look_at_age(ix, before, out);
        }
    }

    fn look_at_age(&mut self, ix: PeerIx, before: Wall, out: &mut Vec<Effect>) {
        let now = self.now.mono;
        let reached = self.has_link_to(ix);
        let peer = self.peers.get_mut(ix);
        let Some(last) = peer.outbox.older(before).filter(|_| !reached) else {
            peer.overdue = None;
            return;
        };
        let since = *peer.overdue.get_or_insert(now);
        if now.since(since) < limits::EXPIRY_WATCH && !planted::is(Planted::ClockBelieved) {
            return;
        }
        peer.overdue = None;
        let (first, epoch) = (peer.outbox.base(), peer.outbox.epoch());
        peer.outbox.give_up(last);
        self.recount_outboxes(ix);
        if let Some(to) = self.peers.get(ix).key() {
            self.save(ix, || Record::Failed { to, epoch, seq: last, expired: true });
        }
        self.emit(What::Failed { to: self.peers.who(ix), first, last, why: Why::Expired }, out);
    }
}

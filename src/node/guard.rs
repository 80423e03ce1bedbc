//! Holds the node's streams to what `admission` says: who is let in, whose messages have to wait, what
//! is punished, which refusals are reported. A cast of our own worlds has no such doors at all.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::event::What;
use crate::api::reply::Trust;
use crate::id::{LinkId, PeerId};
use crate::key::PeerKey;
use crate::limits::doors::{self, Rate};
use crate::node::Node;
use crate::node::io::Effect;
use crate::node::peer::Peer;
use crate::node::peers::PeerIx;
use crate::why::{Limit, Why};
use crate::wire::classic::is_plain_first_byte;

/// How well a native peer is known, as far as it decides what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A person has compared its key: it may say whatever fits.
    Verified,
    /// It is the one that answered first, or is for one run of a program.
    FirstUse,
    /// Another key has answered in its place.
    Doubtful,
}

/// How well a peer is known, by what its key is worth.
fn standing(peer: &Peer) -> Standing {
    match peer.trust() {
        Trust::Verified => Standing::Verified,
        Trust::FirstUse | Trust::Unknown => Standing::FirstUse,
        Trust::Changed | Trust::Plain => Standing::Doubtful,
    }
}

impl Node {
    /// Whether a stream that somebody opens may stay.
    pub(super) fn lets_in(
        &mut self,
        id: LinkId,
        remote: SocketAddr,
        out: &mut Vec<Effect>,
    ) -> Result<(), Why> {
        if self.links.len() >= self.config.links_max || self.waiting_to_leave() {
            return Err(Why::Full);
        }
        let Some(admission) = &mut self.admission else { return Ok(()) };
        let yields = admission.arrives(id, remote.ip(), self.now.mono).map_err(Why::Limit)?;
        if let Some(other) = yields {
            self.fail(other, Why::Limit(Limit::Strangers), out);
        }
        Ok(())
    }

    /// The first byte of a stream that somebody opened. False if it is refused, before it costs anything.
    pub(super) fn lets_speak(&mut self, id: LinkId, first: u8, out: &mut Vec<Effect>) -> bool {
        let Some(admission) = &mut self.admission else { return true };
        match admission.speaks(id, !is_plain_first_byte(first), self.now.mono, &mut self.rng) {
            Ok(None) => true,
            Ok(Some(other)) => {
                self.fail(other, Why::Limit(Limit::Handshakes), out);
                true
            }
            Err(limit) => {
                self.fail(id, Why::Limit(limit), out);
                false
            }
        }
    }

    /// Whether a link that somebody opened may be used by the peer that has just proven who it is.
    pub(super) fn lets_prove(&mut self, id: LinkId, key: PeerKey) -> Result<(), Why> {
        let now = self.now.mono;
        let Some(admission) = self.admission.as_mut().filter(|_| !id.is_dialled()) else { return Ok(()) };
        let Some(remote) = self.links.get(&id).and_then(|conn| conn.remote) else { return Ok(()) };
        let known = self.peers.find(PeerId::Native(key));
        let pinned = known.is_some_and(|ix| standing(self.peers.get(ix)) == Standing::Verified);
        admission.proves(id, pinned, now).map_err(Why::Limit)?;
        let rate = admission.row(remote.ip()).key_rate;
        let ix = self.native_peer(key);
        let passes = self.peers.get_mut(ix).handshakes.take(rate, now);
        if passes { Ok(()) } else { Err(Why::Limit(Limit::KeyHandshakeRate)) }
    }

    /// Whether a peer has said on a link as much as it may for now; if not, one message more is counted.
    pub(super) fn has_to_wait(&mut self, id: LinkId, ix: PeerIx) -> bool {
        match self.rate_of(id, ix) {
            Some(rate) => !self.peers.get_mut(ix).messages.take(rate, self.now.mono),
            None => false,
        }
    }

    fn rate_of(&self, id: LinkId, ix: PeerIx) -> Option<Rate> {
        let admission = self.admission.as_ref()?;
        let row = admission.row(self.links.get(&id)?.remote?.ip());
        match standing(self.peers.get(ix)) {
            Standing::Verified => None,
            Standing::FirstUse => row.first_use,
            Standing::Doubtful => row.unknown,
        }
    }

    /// Keeps messages for later, and reads no more of their link until then, so that its sender waits
    /// and loses nothing.
    pub(super) fn hold(&mut self, id: LinkId, ix: PeerIx, run: &[u8], out: &mut Vec<Effect>) {
        let now = self.now.mono;
        let Some(rate) = self.rate_of(id, ix) else { return };
        let until = self.peers.get(ix).messages.next(rate, now).max(now.plus(doors::HELD_PAUSE));
        let Some(conn) = self.links.get_mut(&id) else { return };
        conn.held.extend_from_slice(run);
        conn.resumes = Some(until);
        if let Some(link) = &mut conn.link {
            // That nothing is heard is our own doing.
            link.excuse(now);
        }
        // A moment later, so that what waits is heard before more of it is read.
        out.push(Effect::Pause { link: id, until: until.plus(Duration::from_micros(1)) });
    }

    /// What was held is heard, as far as it may be by now.
    pub(super) fn resume(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        conn.resumes = None;
        let held = std::mem::take(&mut conn.held);
        self.hear(id, &held, out);
        self.touch(id);
    }

    /// Punishes a stranger for what it did before it was known.
    pub(super) fn punish(&mut self, id: LinkId, why: Why) {
        let Some(conn) = self.links.get(&id).filter(|_| !id.is_dialled()) else { return };
        let (Some(remote), Some(link)) = (conn.remote, &conn.link) else { return };
        let shaking = !link.is_plain() && !link.is_waiting();
        // On an open link anybody on the way can put in junk, and the peer would pay for it.
        if link.is_open() {
            return;
        }
        let penalty = match why {
            Why::Crypto => doors::PENALTY_CRYPTO,
            Why::Protocol => doors::PENALTY_PROTOCOL,
            Why::Stalled => doors::PENALTY_STALLED,
            Why::Eof | Why::Reset if shaking => doors::PENALTY_BROKEN,
            _ => return,
        };
        if let Some(admission) = &mut self.admission {
            admission.offends(remote.ip(), penalty, self.now.mono);
        }
    }

    /// Counts a refusal, and tells the front end unless it has heard of many.
    pub(super) fn refused(&mut self, from: Option<SocketAddr>, why: Why, out: &mut Vec<Effect>) {
        self.counters.dropped += 1;
        let now = self.now.mono;
        let told = match (&mut self.admission, from) {
            (Some(admission), Some(from)) => admission.reports(from.ip(), now),
            _ => true,
        };
        if told {
            self.emit(What::Dropped { from, why }, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::node::admission::is_loopback;

    #[test]
    fn only_what_programs_of_this_machine_share_is_loopback() {
        let is = |ip: &str| is_loopback(ip.parse().expect("an address"));
        assert!(is("127.0.0.1") && is("::1") && is("::ffff:127.0.0.1"));
        assert!(!is("127.0.0.2") && !is("127.1.0.1") && !is("10.0.0.1") && !is("fe80::1") && !is("fd00::1"));
    }
}

//! A link becomes a peer's: it has proven its key, then said its hello. Decides which of two links to
//! one peer is used, and who takes whose place. Knows no bytes.

use std::net::SocketAddr;

use crate::api::event::What;
use crate::api::reply::PeerState;
use crate::id::{LinkId, PeerId};
use crate::key::PeerKey;
use crate::node::Node;
use crate::node::io::Effect;
use crate::node::peers::{PeerIx, same_place};
use crate::node::record::Record;
use crate::planted::{self, Planted};
use crate::why::Why;
use crate::wire::message::{Bye, Message};

impl Node {
    pub(super) fn authenticated(&mut self, id: LinkId, key: PeerKey, out: &mut Vec<Effect>) {
        if let Some(pinned) = self.expected(id, key) {
            return self.refuse_key(id, pinned, key, out);
        }
        let ix = self.native_peer(key);
        if let Some(conn) = self.links.get_mut(&id) {
            conn.peer = Some(ix);
            self.peers.get_mut(ix).held += 1;
        }
        // Whoever calls says first who it is, and hears nothing if that is refused.
        if id.is_dialled() {
            // Should the link end before its hello comes, this is all that is known of where it is.
            let dialled = self.links.get(&id).and_then(|conn| conn.dial.as_ref()?.to.socket());
            let peer = self.peers.get_mut(ix);
            peer.proven = dialled.or(peer.proven);
            self.greet(id, ix);
        }
    }

    /// Says hello.
    pub(super) fn greet(&mut self, id: LinkId, ix: PeerIx) {
        let peer = self.peers.get(ix);
        let hello = Message::Hello {
            name: self.config.name.as_str(),
            port: self.config.listens.map_or(0, |addr| addr.port()),
            passing: self.config.passing,
            epoch: peer.outbox.epoch(),
            base: peer.outbox.base(),
            have: peer.inbox.have(),
            life: self.life,
        };
        let told = peer.outbox.epoch();
        if let Some(conn) = self.links.get_mut(&id) {
            conn.told = told;
            if let Some(link) = &mut conn.link {
                link.say(&mut self.spare, |run| hello.put(run));
            }
        }
        self.mark_dirty(id);
    }

    /// A link is usable: both hellos are said. It is the one to speak on from now on.
    pub(super) fn usable(
        &mut self,
        id: LinkId,
        ix: PeerIx,
        listens: Option<SocketAddr>,
        out: &mut Vec<Effect>,
    ) {
        let dialled = id.is_dialled();
        let peer = self.peers.get_mut(ix);
        peer.listens = listens.or(peer.listens);
        peer.heard = Some(self.now.mono);
        peer.links.push(id);
        let before = (peer.links.len() > 1).then(|| peer.links[peer.links.len() - 2]);
        let newly = !peer.is_connected();
        peer.state = PeerState::Connected;
        (peer.wanted, peer.changed, peer.refused, peer.overdue) = (true, None, None, None);
        self.peers.set_gone(ix, false);
        self.remember(ix);
        if newly {
            self.supersede(ix, out);
            self.emit(What::Joined { who: self.peers.who(ix), listens, dialled }, out);
        }
        // Of two links one goes. Only one side may decide, or each could close the other's choice:
        // the one with the smaller key. Its peer follows when it hears the goodbye.
        if let (Some(old), PeerId::Native(key)) = (before, self.peers.get(ix).id)
            && (self.keys.public() < key || planted::is(Planted::CrossedDials))
        {
            self.part(old, Bye::Duplicate, out);
        }
        self.make_ready(ix);
        self.dial_succeeded(id, ix, out);
    }

    /// Another key at the place where an unpinned peer listened: that peer cannot come back there.
    pub(super) fn supersede(&mut self, by: PeerIx, out: &mut Vec<Effect>) {
        let (id, Some(place)) = (self.peers.get(by).id, self.peers.get(by).listens) else { return };
        let stale = |id_of: PeerId| id_of != id && !id_of.is_plain();
        let old: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| stale(peer.id) && peer.passing && !peer.is_connected() && !peer.gone)
            .filter(|(_, peer)| peer.listens.is_some_and(|listens| same_place(listens, place)))
            .map(|(ix, _)| ix)
            .collect();
        for ix in old {
            let who = self.peers.who(ix);
            self.give_up(ix, Why::Replaced, out);
            self.emit(What::Superseded { who, by: self.peers.who(by) }, out);
        }
    }

    /// Nothing can reach the peer any more: what waits for it has failed.
    pub(super) fn give_up(&mut self, ix: PeerIx, why: Why, out: &mut Vec<Effect>) {
        self.peers.set_gone(ix, true);
        let to = self.peers.who(ix);
        let outbox = &mut self.peers.get_mut(ix).outbox;
        let (first, epoch) = (outbox.base(), outbox.epoch());
        let count = outbox.drain().len() as u64;
        self.recount_outboxes(ix);
        self.remember(ix);
        if count > 0 {
            if let Some(to) = self.peers.get(ix).key() {
                let seq = first + count - 1;
                self.save(ix, || Record::Failed { to, epoch, seq, expired: false });
            }
            self.emit(What::Failed { to, first, last: first + count - 1, why }, out);
        }
    }

    /// Whether some link to the peer is open, be its hello still to come.
    pub(super) fn has_link_to(&self, ix: PeerIx) -> bool {
        !self.peers.get(ix).links.is_empty() || self.links.values().any(|conn| conn.peer == Some(ix))
    }
}

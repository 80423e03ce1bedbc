//! Keys: which one is whose. The first that answers for a peer is pinned to it; another one at its
//! place is refused before anything is said to it, until a person has said that it is to take the
//! place of the first. Decides what a node thinks of a key, in one place; knows no streams.

use crate::api::command::{CommandError, PeerRef};
use crate::api::event::What;
use crate::api::reply::Reply;
use crate::id::{LinkId, Name, PeerId, RequestId};
use crate::key::PeerKey;
use crate::node::Node;
use crate::node::io::Effect;
use crate::node::keep::Mark;
use crate::node::peer::Peer;
use crate::node::peers::{PeerIx, same_place};
use crate::node::record::Record;
use crate::planted::{self, Planted};
use crate::why::Why;

impl Node {
    /// Somebody has proven a key on a link that we opened. Whose it should have been, if that is
    /// somebody else and the key is not known to be there too.
    pub(super) fn expected(&self, id: LinkId, key: PeerKey) -> Option<PeerIx> {
        let dial = self.links.get(&id)?.dial.as_ref().filter(|_| !planted::is(Planted::PinIgnored))?;
        let there = self.peers.at(&dial.to);
        let redialled = self.redialled(&dial.to).into_iter();
        let pinned: Vec<_> =
            there.into_iter().chain(redialled).filter(|&ix| self.peers.get(ix).is_pinned()).collect();
        let is_its = |ix: &PeerIx| self.peers.get(*ix).key() == Some(key);
        if pinned.iter().any(is_its) { None } else { pinned.first().copied() }
    }

    /// Whoever says hello under the name of a pinned peer, from its place, with another key.
    pub(super) fn usurped(&self, id: LinkId, ix: PeerIx, claimed: Name) -> Option<PeerIx> {
        let unseen = if id.is_dialled() { Planted::PinIgnored } else { Planted::UsurperHeard };
        if planted::is(unseen) {
            return None;
        }
        let listens = self.peers.get(ix).listens?;
        let is_same = |peer: &Peer| {
            peer.is_pinned()
                && peer.claims == claimed
                && peer.listens.is_some_and(|place| same_place(place, listens))
        };
        self.peers.iter().find(|(other, peer)| *other != ix && is_same(peer)).map(|(other, _)| other)
    }

    /// Another key has answered for a peer: nothing is said to it, and what waits for the peer waits on.
    pub(super) fn refuse_key(&mut self, id: LinkId, ix: PeerIx, key: PeerKey, out: &mut Vec<Effect>) {
        let dialled = self.links.get(&id).is_some_and(|conn| conn.dial.is_some());
        let peer = self.peers.get_mut(ix);
        // Only who was looked for at the peer's own place can have taken it.
        if dialled {
            peer.changed = Some(key);
        }
        // Said once, however often it comes.
        let is_news = peer.refused.replace((dialled, key)) != Some((dialled, key));
        let pinned = peer.key();
        if let Some(pinned) = pinned.filter(|_| is_news) {
            let at = self.links.get(&id).and_then(|conn| conn.remote);
            self.emit(What::KeyChanged { who: self.peers.who(ix), at, pinned, shown: key }, out);
        }
        if dialled {
            self.stop_reaching(ix);
        }
        if planted::is(Planted::TrustUnasked)
            && let Some(pinned) = pinned.filter(|_| dialled)
        {
            let peer = PeerRef::Id(PeerId::Native(pinned));
            let _ = self.replace_key(RequestId(0), &peer, &key.to_string(), out);
        }
        self.fail(id, Why::KeyChanged, out);
    }

    /// A person has compared the key of a peer with the peer itself.
    pub(super) fn verify(&mut self, request: RequestId, peer: &PeerRef) -> Result<(), CommandError> {
        let ix = self.native("trust", peer)?;
        if let Some(error) = self.changed(ix) {
            return Err(error);
        }
        self.peers.get_mut(ix).verified = true;
        self.remember(ix);
        self.answer_trust(request, ix);
        Ok(())
    }

    /// A person says that the key which answers for a peer now, and begins so, is the peer's from now
    /// on. What waits for the peer is for that key.
    pub(super) fn replace_key(
        &mut self,
        request: RequestId,
        peer: &PeerRef,
        begins: &str,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let old = self.native("trust", peer)?;
        let name = self.peers.get(old).name();
        let peer = self.peers.get(old);
        let shown = peer.changed.or(peer.refused.map(|(_, key)| key));
        let key = shown.filter(|_| !peer.gone).ok_or(CommandError::SameKey(name))?;
        let begins = begins.replace(['-', ' ', ':'], "").to_ascii_lowercase();
        let same = key.to_string().starts_with(&begins) || planted::is(Planted::DigitsUnread);
        if begins.len() < DIGITS || !same {
            return Err(CommandError::OtherKey { name, shown: key });
        }
        let new = self.native_peer(key);
        let before = self.peers.get_mut(old);
        let (claims, listens, alias) = (before.claims, before.listens, before.alias);
        (before.changed, before.refused, before.listens, before.wanted) = (None, None, None, false);
        let first = before.outbox.base();
        let (waiting, from) = (before.outbox.drain(), before.key());
        self.recount_outboxes(old);
        self.peers.set_gone(old, true);
        self.peers.unalias(old);
        self.peers.rename(new, claims);
        self.peers.get_mut(new).listens = listens;
        self.peers.set_gone(new, false);
        if let Some(alias) = alias {
            self.peers.alias(new, alias)?;
        }
        self.remember(old);
        self.remember(new);
        let outbox = &mut self.peers.get_mut(new).outbox;
        let (epoch, next) = (outbox.epoch(), outbox.last() + 1);
        waiting.into_iter().for_each(|message| {
            outbox.push(message);
        });
        self.moved(old, new, first, next);
        self.recount_outboxes(new);
        if let Some(from) = from.filter(|_| !planted::is(Planted::MovedUnkept)) {
            self.save(new, || Record::Moved { from, to: key, epoch, next });
        }
        self.answer_trust(request, new);
        self.reach(new, out);
        Ok(())
    }

    /// A person says that a peer is no longer where it was: whoever is there now may be somebody else.
    pub(super) fn forget_place(&mut self, request: RequestId, peer: &PeerRef) -> Result<(), CommandError> {
        let ix = self.native("trust", peer)?;
        self.stop_redial(ix);
        let peer = self.peers.get_mut(ix);
        (peer.listens, peer.changed, peer.refused, peer.wanted) = (None, None, None, false);
        self.remember(ix);
        self.answer_trust(request, ix);
        Ok(())
    }

    /// Why nothing can be asked of a peer before its key is settled.
    pub(super) fn changed(&self, ix: PeerIx) -> Option<CommandError> {
        let peer = self.peers.get(ix);
        peer.changed.map(|shown| CommandError::KeyChanged { name: peer.name(), shown })
    }

    fn native(&self, verb: &'static str, peer: &PeerRef) -> Result<PeerIx, CommandError> {
        let ix = self.peers.resolve(peer)?;
        let is_plain = self.peers.get(ix).id.is_plain();
        if is_plain { Err(CommandError::PlainPeer(self.peers.get(ix).name(), verb)) } else { Ok(ix) }
    }

    fn answer_trust(&mut self, request: RequestId, ix: PeerIx) {
        let peer = self.peers.get(ix);
        let Some(key) = peer.key() else { return };
        let reply = Reply::Trusted { who: self.peers.who(ix), key };
        self.once_saved(Mark::Answer(request, Box::new(reply)));
    }
}

/// Digits of a new key that a person has to type.
const DIGITS: usize = 8;

//! Texts of ours on their way into outboxes: to one peer, to all, and whether there is room.

use crate::api::command::{CommandError, PeerRef};
use crate::api::reply::Reply;
use crate::id::{MessageId, PeerId, RequestId};
use crate::limits;
use crate::node::Node;
use crate::node::delivery::Outgoing;
use crate::node::dial::Intent;
use crate::node::io::Effect;
use crate::node::keep::Mark;
use crate::node::peers::PeerIx;
use crate::node::record::Record;
use crate::planted::{self, Planted};
use crate::text::Body;

impl Node {
    pub(super) fn send(
        &mut self,
        request: RequestId,
        to: &PeerRef,
        text: Body,
        auto: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        match (self.peers.resolve(to), to) {
            (Ok(ix), to) if self.peers.get(ix).id.is_plain() => {
                if matches!(to, PeerRef::At(_)) {
                    self.plain_typed(ix);
                }
                self.plain_send(request, ix, text, out)
            }
            (Ok(ix), _) => {
                self.check_room(ix)?;
                self.queue(request, ix, text, auto, out);
                Ok(())
            }
            (Err(CommandError::UnknownPeer { .. }), PeerRef::At(address)) => {
                let intent = Intent::Send { request, text, auto };
                self.dial(address, self.config.dialect, intent, out);
                Ok(())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Queues a message for a native peer; answered when it is saved.
    pub(super) fn queue(
        &mut self,
        request: RequestId,
        ix: PeerIx,
        text: Body,
        auto: bool,
        out: &mut Vec<Effect>,
    ) {
        let id = MessageId(self.rng.bytes());
        let message = Outgoing::new(id, auto, text.clone(), self.now.wall);
        if self.peers.get(ix).listens.is_none() {
            // It has said no hello yet, with which it would be remembered.
            self.remember(ix);
        }
        let seq = self.push(ix, message, id, auto, &text);
        let connected = self.peers.get(ix).is_connected();
        if planted::is(Planted::QueuedBeforeSaved) {
            let to = self.peers.who(ix);
            self.answer(request, Ok(Reply::Queued { to, seq, connected }), out);
        } else {
            self.once_saved(Mark::Queued { request, ix, seq, connected });
        }
        if !connected {
            self.watch_age();
            self.reach(ix, out);
        } else if self.is_parting(ix) {
            self.reach_later(ix);
        }
    }

    pub(super) fn broadcast(
        &mut self,
        request: RequestId,
        text: &Body,
        auto: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let everybody = self.peers.connected();
        if everybody.is_empty() {
            return Err(CommandError::NobodyConnected);
        }
        for &ix in &everybody {
            self.check_room(ix)?;
        }
        let id = MessageId(self.rng.bytes());
        let message = Outgoing::new(id, auto, text.clone(), self.now.wall);
        let (mut told, mut waits) = (Vec::with_capacity(everybody.len()), false);
        for ix in everybody {
            let seq = if self.peers.get(ix).id.is_plain() {
                match self.plain_queue(ix, text, out) {
                    Ok(seq) => seq,
                    Err(_) => continue,
                }
            } else {
                waits = true;
                self.push(ix, message.clone(), id, auto, text)
            };
            told.push((self.peers.who(ix), seq));
        }
        if waits {
            self.once_saved(Mark::Broadcast(request, Box::new(Reply::Broadcast(told))));
        } else {
            self.answer(request, Ok(Reply::Broadcast(told)), out);
        }
        Ok(())
    }

    fn push(&mut self, ix: PeerIx, message: Outgoing, id: MessageId, auto: bool, text: &Body) -> u64 {
        let peer = self.peers.get_mut(ix);
        let seq = peer.outbox.push(message);
        peer.sent += 1;
        let (epoch, at) = (peer.outbox.epoch(), self.now.wall);
        if let PeerId::Native(to) = peer.id {
            self.save(ix, || Record::Queued { to, epoch, seq, id, text: text.clone(), auto, at });
        }
        self.counters.sent += 1;
        self.recount_outboxes(ix);
        seq
    }

    /// Whether a message for this peer can be taken.
    pub(super) fn check_room(&self, ix: PeerIx) -> Result<(), CommandError> {
        let peer = self.peers.get(ix);
        if peer.gone {
            return Err(CommandError::Gone(peer.name()));
        }
        if let Some(error) = self.changed(ix) {
            return Err(error);
        }
        if let Some(fault) = self.store_fault() {
            return Err(CommandError::Store(fault));
        }
        if peer.outbox.is_full() || self.outbox_bytes >= limits::OUTBOX_TOTAL_BYTES {
            return Err(CommandError::OutboxFull(peer.name()));
        }
        Ok(())
    }

    /// Keeps the sum of what all outboxes hold after one has changed.
    pub(super) fn recount_outboxes(&mut self, ix: PeerIx) {
        let peer = self.peers.get_mut(ix);
        let bytes = peer.outbox.bytes();
        self.outbox_bytes = self.outbox_bytes + bytes - std::mem::replace(&mut peer.counted, bytes);
    }
}

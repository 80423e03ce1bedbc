//! What goes out: messages onto links as far as windows and queues have room, and at the end of a
//! turn one write a link.

use crate::id::LinkId;
use crate::limits;
use crate::link::RECORD_OVERHEAD;
use crate::node::Node;
use crate::node::io::Effect;
use crate::node::peers::PeerIx;
use crate::planted::{self, Planted};
use crate::wire::message::Message;

impl Node {
    pub(super) fn say(&mut self, id: LinkId, message: &Message<'_>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        if let Some(link) = &mut conn.link {
            link.say(&mut self.spare, |run| message.put(run));
            self.mark_dirty(id);
        }
    }

    pub(super) fn mark_dirty(&mut self, id: LinkId) {
        if let Some(conn) = self.links.get_mut(&id)
            && !conn.dirty
        {
            conn.dirty = true;
            self.dirty.push(id);
        }
    }

    /// Puts on the wire what a peer may be told now: acknowledgements, then messages as far as its
    /// window and its link's queue have room.
    pub(super) fn pump(&mut self, ix: PeerIx) {
        let peer = self.peers.get_mut(ix);
        let Some(id) = peer.link() else { return };
        let Some(conn) = self.links.get_mut(&id).filter(|conn| conn.greeted) else { return };
        let waiting = conn.waiting();
        if waiting >= limits::SEND_QUEUE_MAX {
            // It goes on when some of that is flushed.
            return;
        }
        let Some(link) = conn.link.as_mut() else { return };
        let mut said = false;
        if let Some((epoch, seq)) = peer.inbox.due() {
            link.say(&mut self.spare, |run| Message::Ack { epoch, seq }.put(run));
            said = true;
        }
        if conn.told != peer.outbox.epoch() && !planted::is(Planted::StreamUnnamed) {
            let (epoch, base) = (peer.outbox.epoch(), peer.outbox.base());
            conn.told = epoch;
            link.say(&mut self.spare, |run| Message::Stream { epoch, base }.put(run));
            said = true;
        }
        let mut room = limits::SEND_QUEUE_MAX.saturating_sub(waiting);
        while room > 0
            && let Some((seq, message)) = peer.outbox.next()
        {
            link.say(&mut self.spare, |run| message.put(seq, run));
            room = room.saturating_sub(message.len() + RECORD_OVERHEAD);
            // It is owed an acknowledgement, be it of nothing new.
            conn.cheap = conn.cheap.saturating_sub(1);
            said = true;
        }
        if said {
            self.mark_dirty(id);
        }
    }

    /// Hands everything said in this turn to the driver: one write a link.
    pub(super) fn write_out(&mut self, out: &mut Vec<Effect>) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            if let Some(conn) = self.links.get_mut(&id) {
                conn.dirty = false;
                self.write_link(id, out);
            }
        }
        if self.dirty.is_empty() {
            self.dirty = dirty;
        }
    }

    /// Hands what was said on one link to the driver.
    pub(super) fn write_link(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(link) = &mut conn.link else { return };
        let bytes = link.take(&mut self.spare);
        self.counters.records_out += link.records();
        if !bytes.is_empty() {
            if conn.unflushed == 0 {
                conn.progress = self.now.mono;
            }
            conn.unflushed += bytes.len();
            self.counters.bytes_out += bytes.len() as u64;
            out.push(Effect::Write { link: id, bytes });
            self.touch(id);
        }
    }
}

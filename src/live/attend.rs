//! What becomes ready is seen to: streams that come, come up, move bytes and end, each reported to
//! the node that it belongs to.

use mio::net::TcpStream;
use std::net::SocketAddr;

use crate::id::LinkId;
use crate::live::Live;
use crate::live::due::Whose;
use crate::live::ready::Token;
use crate::live::slab::Thing;
use crate::live::stream::{Stream, Taken};
use crate::node::io::Input;
use crate::time::Now;
use crate::why::Why;

impl Live {
    /// Something became ready. It stays in its place meanwhile, as what a node does about it may be
    /// to write to it or to close it.
    pub(super) fn attend(&mut self, token: Token, now: Now) {
        match self.things.get(token) {
            None => return,
            Some(Thing::Listener(_)) => {
                while let Some(listener) = self.things.listener(token)
                    && let Some((tcp, remote)) = listener.accept(now.mono, &mut self.reserve)
                {
                    let host = listener.host();
                    self.accepted(host, tcp, remote, now);
                }
                if self.things.listener(token).is_some_and(|listener| listener.wants_more()) {
                    self.ready.push(token);
                }
            }
            Some(Thing::Stream(_)) => {
                if !self.attend_stream(token, now) {
                    return self.forget(token);
                }
            }
            Some(Thing::Relay(_)) => {
                if !self.attend_relay(token, now) {
                    return self.forget(token);
                }
            }
            Some(Thing::Far(relay)) => {
                let relay = *relay;
                return self.attend(relay, now);
            }
        }
        self.arm(token);
    }

    /// Sees to it that a thing is looked at when it is due.
    pub(super) fn arm(&mut self, token: Token) {
        if let Some((at, armed)) = self.things.deadline(token) {
            self.due.arm(Whose::Thing(token), armed, at);
        }
    }

    pub(super) fn forget(&mut self, token: Token) {
        if let Some((_, armed)) = self.things.deadline(token) {
            self.due.arm(Whose::Thing(token), armed, None);
        }
        match self.things.get(token) {
            Some(Thing::Stream(stream)) => {
                if let Some(wire) = stream.wire() {
                    self.end_is_gone(wire);
                }
            }
            Some(Thing::Relay(relay)) => {
                let (no, far) = (relay.no, relay.far);
                self.unclaim(no);
                self.things.free(far);
            }
            Some(Thing::Listener(_) | Thing::Far(_)) => {}
            None => return,
        }
        self.things.free(token);
    }

    /// Moves what can be moved on one stream. False when nothing is left of it.
    fn attend_stream(&mut self, token: Token, now: Now) -> bool {
        let Some(stream) = self.things.stream(token) else { return false };
        let (at, link) = (stream.host(), stream.link());
        match stream.poll_dial(now.mono, &self.ready, token) {
            None => {}
            Some(Ok((remote, local))) => self.give(at, now, Input::Opened { link, remote, local }),
            Some(Err(why)) => return self.ended(token, now, why),
        }
        if let Err(why) = self.write(token, now) {
            return self.ended(token, now, why);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let reads = self.hosts[at].reads(now.mono);
        let (mut taken, mut closing) = (Taken::Nothing, true);
        if let Some(stream) = self.things.stream(token) {
            closing = stream.is_closing();
            let paused = stream.is_paused(now.mono);
            if closing || (reads && !paused) {
                taken = stream.read(&mut scratch);
            }
            // A relay may wait for its last piece to be read.
            if let Some(wire) = stream.wire() {
                self.ready.push(wire.relay);
            }
        }
        let mut ended = None;
        match taken {
            Taken::Nothing => {}
            Taken::Bytes { count, more } => {
                if !closing {
                    self.give(at, now, Input::Received { link, bytes: &scratch[..count] });
                }
                if more {
                    self.ready.push(token);
                }
            }
            Taken::End(why) => ended = Some(why),
        }
        self.scratch = scratch;
        // A handshake is answered at once: its other side waits, and others are yet to be read.
        self.write_queued(now);
        match ended {
            Some(why) => self.ended(token, now, why),
            None => self.things.stream(token).is_some_and(|stream| !stream.is_done(now.mono)),
        }
    }

    /// Writes what nodes have just asked to be written.
    pub(super) fn write_queued(&mut self, now: Now) {
        while let Some(token) = self.queued.pop() {
            if self.write(token, now).is_err() {
                // It will be told of in its turn.
                self.ready.push(token);
            }
        }
    }

    /// Writes what is queued on one stream, as much as the system takes.
    fn write(&mut self, token: Token, now: Now) -> Result<(), Why> {
        let Some(stream) = self.things.stream(token) else { return Ok(()) };
        let (at, link) = (stream.host(), stream.link());
        let written = stream.write(&mut self.spent);
        let is_closing = stream.is_closing();
        for buffer in self.spent.drain(..) {
            if let Some(node) = self.hosts[at].node.as_mut() {
                node.recycle(buffer);
            }
        }
        let count = written?;
        if count > 0 && !is_closing {
            self.give(at, now, Input::Flushed { link, count });
        }
        Ok(())
    }

    /// A stream has come to its end by itself; gives false.
    pub(super) fn ended(&mut self, token: Token, now: Now, why: Why) -> bool {
        if let Some(stream) = self.things.stream(token) {
            let (at, link, closing) = (stream.host(), stream.link(), stream.is_closing());
            if !closing && self.hosts[at].streams.remove(&link).is_some() {
                self.give(at, now, Input::Closed { link, why });
            }
        }
        false
    }

    fn accepted(&mut self, at: usize, tcp: TcpStream, remote: SocketAddr, now: Now) {
        let host = &mut self.hosts[at];
        host.accepts += 1;
        let link = LinkId::accepted(host.accepts);
        let token = self.things.reserve();
        let mut tcp = tcp;
        let up = tcp.set_nodelay(true).and_then(|()| self.ready.watch(&mut tcp, token));
        // If the other side is gone already, nobody need hear of it.
        let Ok(local) = up.and_then(|()| tcp.local_addr()) else { return self.things.free(token) };
        let wire = self.claim(at, remote, token);
        self.things.put(token, Thing::Stream(Box::new(Stream::accepted(tcp, at, link, wire))));
        self.hosts[at].streams.insert(link, token);
        self.give(at, now, Input::Opened { link, remote, local });
    }
}

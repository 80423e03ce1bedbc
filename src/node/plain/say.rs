//! What we say to plain programs: in order, one connection and one write each, or on the one
//! connection that their dialect keeps, and what becomes of it.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use super::{Saying, Stage, Words};
use crate::addr::Address;
use crate::api::command::{CommandError, Dialect};
use crate::api::event::What;
use crate::api::reply::Reply;
use crate::id::{LinkId, RequestId};
use crate::limits;
use crate::node::Node;
use crate::node::dial::{Dial, Intent};
use crate::node::io::Effect;
use crate::node::peers::PeerIx;
use crate::text::Body;
use crate::why::Why;
use crate::wire::classic::{self, Sender};

impl Node {
    /// Whether a plain peer is known to listen at `to`.
    pub(in crate::node) fn is_known_plain(&self, to: &Address) -> bool {
        self.peers.at(to).iter().any(|&ix| self.peers.get(ix).id.is_plain())
    }

    pub(in crate::node) fn plain_send(
        &mut self,
        request: RequestId,
        ix: PeerIx,
        text: Body,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let seq = self.plain_queue(ix, &text, out)?;
        let connected = self.peers.get(ix).is_connected();
        self.answer(request, Ok(Reply::Queued { to: self.peers.who(ix), seq, connected }), out);
        Ok(())
    }

    /// Queues a text for a plain peer and begins to say it.
    pub(in crate::node) fn plain_queue(
        &mut self,
        ix: PeerIx,
        text: &Body,
        out: &mut Vec<Effect>,
    ) -> Result<u64, CommandError> {
        self.plain_place(ix)?;
        let peer = self.peers.get_mut(ix);
        let name = peer.name();
        let Some(plain) = &mut peer.plain else { return Err(CommandError::NoAddress(name)) };
        if plain.queue.len() >= limits::OUTBOX_MESSAGES {
            return Err(CommandError::OutboxFull(name));
        }
        if is_blank(text) {
            return Err(CommandError::NothingPlain);
        }
        peer.sent += 1;
        let seq = peer.sent;
        plain.parted = false;
        plain.queue.push_back(Saying { seq, what: Words::Text(text.clone()), request: None });
        self.counters.sent += 1;
        self.plain_next(ix, out);
        Ok(seq)
    }

    /// Tells a plain peer that we leave, once for each address by which it knows us.
    pub(in crate::node) fn plain_exit(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        if self.plain_place(ix).is_err() {
            return;
        }
        let Some(plain) = &mut self.peers.get_mut(ix).plain else { return };
        plain.parted = true;
        let mut names = plain.knows_us_as.clone();
        if names.is_empty() {
            names.push(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        }
        for ip in names {
            plain.queue.push_back(Saying { seq: 0, what: Words::Exit(ip), request: None });
        }
        self.plain_next(ix, out);
    }

    /// What became of something that we said.
    pub(super) fn plain_said(
        &mut self,
        ix: PeerIx,
        said: Option<(u64, bool, Option<RequestId>)>,
        result: Result<(), Why>,
        out: &mut Vec<Effect>,
    ) {
        let Some((seq, last, request)) = said else { return };
        let parted = self.peers.get(ix).plain.as_ref().is_some_and(|plain| plain.parted);
        if result.is_ok() && !parted && !self.waiting_to_leave() {
            self.plain_active(ix, out);
        }
        let who = self.peers.who(ix);
        if let Some(request) = request {
            let at = self.peers.get(ix).listens.map(|addr| addr.to_string()).unwrap_or_default();
            let reply = result.map(|()| Reply::Connected { who, already: false });
            return self.answer(request, reply.map_err(|why| CommandError::Unreachable { at, why }), out);
        }
        match result {
            _ if seq == 0 => {}
            Ok(()) if last => {
                self.counters.delivered += 1;
                self.emit(What::Delivered { to: who, first: seq, last: seq }, out);
            }
            Ok(()) => {}
            Err(why) => self.emit(What::Failed { to: who, first: seq, last: seq, why }, out),
        }
    }

    /// Dials a plain peer for the front of its queue, or says it on the connection that it keeps.
    pub(super) fn plain_next(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        let peer = self.peers.get_mut(ix);
        let Some(plain) = &mut peer.plain else { return };
        let Some(listens) = peer.listens else { return };
        if plain.queue.is_empty() {
            return;
        }
        if let Some(busy) = plain.busy {
            if let Some(conn) = self.links.get(&busy)
                && conn.talk.stage == Stage::Ready
                && conn.talk.linger.is_none()
                && conn.talk.said.is_none()
            {
                self.plain_say_next(busy, out);
            }
            return;
        }
        let to = Address::from(listens);
        let dial = Dial {
            to: to.clone(),
            dialect: Dialect::Plain,
            known_plain: true,
            intents: Vec::new(),
            later: Vec::new(),
        };
        let link = self.dial_link(dial);
        if let Some(conn) = self.links.get_mut(&link) {
            conn.talk.ours = Some(ix);
            self.peers.get_mut(ix).held += 1;
        }
        if let Some(plain) = &mut self.peers.get_mut(ix).plain {
            plain.busy = Some(link);
        }
        out.push(Effect::Dial { link, to });
    }

    /// The first words on a connection of ours.
    pub(super) fn plain_open(&mut self, id: LinkId) {
        let Some((ix, own, dialect)) = self.plain_voice(id) else { return };
        let Some(conn) = self.links.get_mut(&id) else { return };
        let name = self.config.name;
        let sender = Sender { addr: own, name: name.as_str() };
        if let Some(opening) = sender.opening(dialect) {
            conn.talk.stage = Stage::Opening;
            if let Some(link) = &mut conn.link {
                link.say_plain(&opening);
            }
            return self.mark_dirty(id);
        }
        self.plain_write_front(id, ix, own, dialect);
    }

    pub(super) fn plain_say_next(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some((ix, own, dialect)) = self.plain_voice(id) else { return };
        let leaving = self.plain_write_front(id, ix, own, dialect);
        if leaving {
            out.push(Effect::Finish { link: id });
            if let Some(conn) = self.links.get_mut(&id) {
                conn.talk.stage = Stage::One;
            }
        }
    }

    /// Writes the front of the queue. True when that was our goodbye.
    pub(super) fn plain_write_front(
        &mut self,
        id: LinkId,
        ix: PeerIx,
        own: SocketAddr,
        dialect: classic::Dialect,
    ) -> bool {
        let name = self.config.name;
        let Some(plain) = &mut self.peers.get_mut(ix).plain else { return false };
        let Some(saying) = plain.queue.pop_front() else { return false };
        let sender = Sender { addr: own, name: name.as_str() };
        let Saying { seq, what, request } = saying;
        let mut leaving = false;
        let mut parts: VecDeque<Vec<u8>> = match what {
            Words::Text(text) => sender.message(dialect, text.as_str()).into(),
            Words::Part(bytes) => [bytes].into(),
            Words::Connect => [sender.connect(dialect)].into(),
            Words::Exit(ip) => {
                leaving = true;
                let addr = if ip.is_unspecified() { own } else { SocketAddr::new(ip, own.port()) };
                [Sender { addr, ..sender }.exit(dialect)].into()
            }
        };
        let first = parts.pop_front().unwrap_or_default();
        let last = parts.is_empty() && !plain.queue.front().is_some_and(|next| next.seq == seq && seq != 0);
        for part in parts.into_iter().rev() {
            plain.queue.push_front(Saying { seq, what: Words::Part(part), request: None });
        }
        if let Some(conn) = self.links.get_mut(&id) {
            conn.talk.said = Some((seq, last, request));
            if let Some(link) = &mut conn.link {
                link.say_plain(&first);
            }
        }
        self.mark_dirty(id);
        leaving
    }

    /// Whom a connection of ours speaks to, as whom, and how.
    pub(super) fn plain_voice(&self, id: LinkId) -> Option<(PeerIx, SocketAddr, classic::Dialect)> {
        let conn = self.links.get(&id)?;
        let ix = conn.talk.ours?;
        let plain = self.peers.get(ix).plain.as_ref()?;
        let ip = plain.knows_us_as.last().copied().unwrap_or(conn.local?.ip());
        let port = self.config.listens.map_or(0, |addr| addr.port());
        Some((ix, SocketAddr::new(ip, port), plain.spoke.unwrap_or(classic::Dialect::Flat)))
    }

    pub(super) fn take_intents(&mut self, ix: PeerIx, dial: Option<Dial>, out: &mut Vec<Effect>) {
        let Some(dial) = dial else { return };
        for intent in dial.intents {
            match intent {
                Intent::Connect(request) => self.plain_connect(ix, Some(request)),
                Intent::Known(request, _) => {
                    self.plain_connect(ix, None);
                    self.known_tried(request, Some(ix), Ok(()), out);
                }
                Intent::Keep => {
                    self.plain_connect(ix, None);
                    self.redial_answered(ix, Some(&dial.to), out);
                }
                Intent::Send { request, text, .. } if is_blank(&text) => {
                    self.answer(request, Err(CommandError::NothingPlain), out);
                }
                Intent::Send { request, text, .. } => {
                    let peer = self.peers.get_mut(ix);
                    peer.sent += 1;
                    let seq = peer.sent;
                    if let Some(plain) = &mut peer.plain {
                        plain.queue.push_back(Saying { seq, what: Words::Text(text), request: None });
                    }
                    self.counters.sent += 1;
                    let reply = Reply::Queued { to: self.peers.who(ix), seq, connected: true };
                    self.answer(request, Ok(reply), out);
                }
            }
        }
    }

    pub(super) fn plain_connect(&mut self, ix: PeerIx, request: Option<RequestId>) {
        if let Some(plain) = &mut self.peers.get_mut(ix).plain {
            plain.parted = false;
            plain.queue.push_back(Saying { seq: 0, what: Words::Connect, request });
        }
    }
}

/// Whether a plain program would be sent nothing.
fn is_blank(text: &Body) -> bool {
    text.as_str().chars().all(|c| c.is_control() || c.is_whitespace())
}

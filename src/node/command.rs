//! What a front end asks, and what comes of it. Every command is answered once; a refused one has
//! changed nothing. Decides what each verb means here; how a peer is dialled or spoken to is next
//! door.

use std::time::Duration;

use crate::addr::Address;
use crate::api::command::{Command, CommandError, Dialect, PeerRef};
use crate::api::event::{What, Who};
use crate::api::reply::{Me, Reply, Whois};
use crate::id::{MessageId, Name, PeerId, RequestId};
use crate::limits;
use crate::node::delivery::Outgoing;
use crate::node::dial::Intent;
use crate::node::io::{Effect, Record};
use crate::node::peers::PeerIx;
use crate::node::{Mark, Node, Timer};
use crate::text::Body;
use crate::time::Mono;
use crate::why::Why;
use crate::wire::message::{Bye, Message};

/// A command whose effect is still to come.
pub(super) enum Waiting {
    /// A pong with this nonce.
    Pong { nonce: u64, from: Name, until: Mono },
    /// This many of the known peers are still being tried.
    Known { left: usize, connected: Vec<Who>, failed: Vec<(Who, Why)> },
    /// Our own end: first what can be delivered is, then goodbyes are said.
    Leave { parted: bool, until: Mono },
}

/// Longest wait for a pong.
const PONG: Duration = Duration::from_secs(5);

impl Node {
    pub(super) fn command(&mut self, request: RequestId, command: Command, out: &mut Vec<Effect>) {
        if self.waiting_to_leave() {
            return self.answer(request, Err(CommandError::Leaving), out);
        }
        if let Err(error) = self.obey(request, command, out) {
            self.answer(request, Err(error), out);
        }
    }

    /// Refuses at once, or does it; then the answer is given here or later.
    fn obey(
        &mut self,
        request: RequestId,
        command: Command,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let now = self.now.mono;
        let reply = match command {
            Command::Send { to, text, auto } => return self.send(request, &to, text, auto, out),
            Command::Broadcast { text, auto } => return self.broadcast(request, &text, auto, out),
            Command::Reply { text } => {
                let id = self.last_writer.ok_or(CommandError::NoOneWrote)?;
                return self.send(request, &PeerRef::Id(id), text, false, out);
            }
            Command::Peers { known } => {
                let wanted = self.peers.iter().filter(|(_, peer)| known || peer.is_connected());
                Reply::Peers(wanted.map(|(ix, _)| self.peers.row(ix, now)).collect())
            }
            Command::Connect { to, dialect } => return self.connect(request, &to, dialect, out),
            Command::ConnectKnown => return self.connect_known(request, out),
            Command::Keep { address } => {
                self.keep(address, request, out);
                return Ok(());
            }
            Command::Disconnect { peer } => self.disconnect(peer.as_ref(), out)?,
            Command::Ping { peer } => return self.ping_peer(request, &peer),
            Command::Whois { peer } => {
                let ix = self.peers.resolve(&peer)?;
                let row = self.peers.row(ix, now);
                let peer = self.peers.get(ix);
                let key = match peer.id {
                    PeerId::Native(key) => Some(key),
                    PeerId::Plain(_) => None,
                };
                let claims = (peer.claims != row.who.name).then_some(peer.claims);
                Reply::Whois(Box::new(Whois { row, claims, key, received: peer.received, sent: peer.sent }))
            }
            Command::Alias { name, peer } => {
                let ix = self.peers.resolve(&peer)?;
                self.peers.alias(ix, name)?;
                Reply::Peer(self.peers.who(ix))
            }
            Command::Ignore { peer } => self.set_ignored(&peer, true)?,
            Command::Unignore { peer } => self.set_ignored(&peer, false)?,
            Command::Me { name } => {
                if let Some(name) = name {
                    self.rename(name);
                }
                let (name, key, listens) = (self.config.name, self.key(), self.config.listens);
                Reply::Me(Box::new(Me { name, key, listens }))
            }
            Command::Status => Reply::Status(Box::new(self.status())),
            Command::Quit => {
                let until = now.plus(limits::GOODBYE);
                self.wait(request, until, Waiting::Leave { parted: false, until });
                return Ok(());
            }
        };
        self.answer(request, Ok(reply), out);
        Ok(())
    }

    fn send(
        &mut self,
        request: RequestId,
        to: &PeerRef,
        text: Body,
        auto: bool,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        match (self.peers.resolve(to), to) {
            (Ok(ix), _) if self.peers.get(ix).id.is_plain() => self.plain_send(request, ix, text, out),
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
        let message = Outgoing::new(MessageId(self.rng.bytes()), auto, text);
        let seq = self.push(ix, message);
        let connected = self.peers.get(ix).is_connected();
        let reply = Reply::Queued { to: self.peers.who(ix), seq, connected };
        self.marks.push(Mark::Answer(request, reply));
        if !connected {
            self.reach(ix, out);
        }
    }

    fn broadcast(
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
        let message = Outgoing::new(MessageId(self.rng.bytes()), auto, text.clone());
        let mut told = Vec::with_capacity(everybody.len());
        for ix in everybody {
            let seq = if self.peers.get(ix).id.is_plain() {
                match self.plain_queue(ix, text, out) {
                    Ok(seq) => seq,
                    Err(_) => continue,
                }
            } else {
                self.push(ix, message.clone())
            };
            told.push((self.peers.who(ix), seq));
        }
        if self.marks.is_empty() {
            self.answer(request, Ok(Reply::Broadcast(told)), out);
        } else {
            self.marks.push(Mark::Answer(request, Reply::Broadcast(told)));
        }
        Ok(())
    }

    fn push(&mut self, ix: PeerIx, message: Outgoing) -> u64 {
        let peer = self.peers.get_mut(ix);
        let (id, text, auto) = (message.id, message.text.clone(), message.auto);
        let seq = peer.outbox.push(message);
        peer.sent += 1;
        let epoch = peer.outbox.epoch();
        if let PeerId::Native(to) = peer.id {
            self.unsaved.push(Record::Queued { to, epoch, seq, id, text, auto });
        }
        self.counters.sent += 1;
        self.recount_outboxes(ix);
        self.marks.push(Mark::Queued(ix, seq));
        seq
    }

    /// Whether a message for this peer can be taken.
    fn check_room(&self, ix: PeerIx) -> Result<(), CommandError> {
        let peer = self.peers.get(ix);
        if peer.gone {
            return Err(CommandError::Gone(peer.name()));
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

    fn connect(
        &mut self,
        request: RequestId,
        to: &PeerRef,
        dialect: Option<Dialect>,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        let (address, dialect) = match (self.peers.resolve(to), to) {
            (Ok(ix), _) if self.peers.get(ix).is_connected() => {
                let reply = Reply::Connected { who: self.peers.who(ix), already: true };
                self.answer(request, Ok(reply), out);
                return Ok(());
            }
            (_, PeerRef::At(address)) => (address.clone(), dialect.unwrap_or(self.config.dialect)),
            (Ok(ix), _) => {
                let peer = self.peers.get(ix);
                let listens = peer.listens.ok_or(CommandError::NoAddress(peer.name()))?;
                let pinned = !peer.id.is_plain();
                let spoken = if pinned { Dialect::Native } else { Dialect::Plain };
                (Address::from(listens), if pinned { spoken } else { dialect.unwrap_or(spoken) })
            }
            (Err(error), _) => return Err(error),
        };
        self.dial(&address, dialect, Intent::Connect(request), out);
        Ok(())
    }

    fn connect_known(&mut self, request: RequestId, out: &mut Vec<Effect>) -> Result<(), CommandError> {
        let known: Vec<_> = self.peers.iter().filter(|(_, peer)| !peer.gone).map(|(ix, _)| ix).collect();
        if known.is_empty() {
            return Err(CommandError::NobodyKnown);
        }
        let (mut connected, mut tries) = (Vec::new(), Vec::new());
        for ix in known {
            let peer = self.peers.get(ix);
            match peer.listens {
                _ if peer.is_connected() => connected.push(self.peers.who(ix)),
                Some(listens) => tries.push((Address::from(listens), peer.dialect(), peer.id)),
                None => {}
            }
        }
        if tries.is_empty() {
            self.answer(request, Ok(Reply::ConnectedKnown { connected, failed: Vec::new() }), out);
            return Ok(());
        }
        self.waiting.insert(request, Waiting::Known { left: tries.len(), connected, failed: Vec::new() });
        for (address, dialect, id) in tries {
            self.dial(&address, dialect, Intent::Known(request, id), out);
        }
        Ok(())
    }

    /// One of the known peers was tried.
    pub(super) fn known_tried(
        &mut self,
        request: RequestId,
        ix: PeerIx,
        result: Result<(), Why>,
        out: &mut Vec<Effect>,
    ) {
        let who = self.peers.who(ix);
        let Some(Waiting::Known { left, connected, failed }) = self.waiting.get_mut(&request) else { return };
        *left -= 1;
        match result {
            Ok(()) => connected.push(who),
            Err(why) => failed.push((who, why)),
        }
        if *left == 0 {
            let (connected, failed) = (std::mem::take(connected), std::mem::take(failed));
            self.waiting.remove(&request);
            self.answer(request, Ok(Reply::ConnectedKnown { connected, failed }), out);
        }
    }

    fn disconnect(&mut self, peer: Option<&PeerRef>, out: &mut Vec<Effect>) -> Result<Reply, CommandError> {
        let whom = match peer {
            Some(peer) => {
                let ix = self.peers.resolve(peer)?;
                if !self.peers.get(ix).is_connected() {
                    return Err(CommandError::NotConnected(self.peers.get(ix).name()));
                }
                vec![ix]
            }
            None => self.peers.connected(),
        };
        if whom.is_empty() {
            return Err(CommandError::NobodyConnected);
        }
        let told = whom.iter().map(|&ix| self.peers.who(ix)).collect();
        for ix in whom {
            self.stop_redial(ix);
            if self.peers.get(ix).id.is_plain() {
                self.plain_exit(ix, out);
            }
            self.leave_peer(ix, true, out);
            for link in self.peers.get(ix).links.clone() {
                self.part(link, Bye::Disconnecting, out);
            }
        }
        Ok(Reply::Disconnected(told))
    }

    fn ping_peer(&mut self, request: RequestId, peer: &PeerRef) -> Result<(), CommandError> {
        let ix = self.peers.resolve(peer)?;
        let from = self.peers.get(ix).name();
        if self.peers.get(ix).id.is_plain() {
            return Err(CommandError::PlainPeer(from, "ping"));
        }
        let link = self.peers.get(ix).link().ok_or(CommandError::NotConnected(from))?;
        let nonce = self.ping(link);
        let until = self.now.mono.plus(PONG);
        self.wait(request, until, Waiting::Pong { nonce, from, until });
        Ok(())
    }

    fn set_ignored(&mut self, peer: &PeerRef, ignored: bool) -> Result<Reply, CommandError> {
        let ix = self.peers.resolve(peer)?;
        self.peers.get_mut(ix).ignored = ignored;
        Ok(Reply::Peer(self.peers.who(ix)))
    }

    fn rename(&mut self, name: Name) {
        self.config.name = name;
        let links: Vec<_> = self.links.iter().filter(|(_, conn)| conn.greeted).map(|(id, _)| *id).collect();
        for link in links {
            self.say(link, &Message::Rename { name: name.as_str() });
        }
    }

    fn status(&self) -> crate::api::reply::Status {
        let mut status = self.counters.clone();
        status.uptime = self.now.mono.since(self.started.unwrap_or(self.now.mono));
        status.links = self.links.len();
        status.connected = self.peers.iter().filter(|(_, peer)| peer.is_connected()).count();
        status.known = self.peers.len();
        status.queued = self.peers.iter().map(|(_, peer)| peer.outbox.len()).sum();
        status
    }

    fn wait(&mut self, request: RequestId, until: Mono, waiting: Waiting) {
        self.timers.insert((until, Timer::Waiting(request)));
        self.waiting.insert(request, waiting);
    }

    pub(super) fn stop_waiting(&mut self, request: RequestId) {
        if let Some(Waiting::Pong { until, .. } | Waiting::Leave { until, .. }) =
            self.waiting.remove(&request)
        {
            self.timers.remove(&(until, Timer::Waiting(request)));
        }
    }

    pub(super) fn waiting_due(&mut self, request: RequestId, out: &mut Vec<Effect>) {
        match self.waiting.get(&request) {
            Some(Waiting::Pong { from, .. }) => {
                let error = CommandError::Timeout { who: from.to_string(), within: PONG };
                self.waiting.remove(&request);
                self.answer(request, Err(error), out);
            }
            Some(Waiting::Leave { parted: false, .. }) => self.part_all(request, out),
            Some(Waiting::Leave { parted: true, .. }) => {
                self.waiting.remove(&request);
                self.answer(request, Ok(Reply::Goodbye), out);
            }
            Some(Waiting::Known { .. }) | None => {}
        }
    }

    pub(super) fn waiting_to_leave(&self) -> bool {
        self.waiting.values().any(|waiting| matches!(waiting, Waiting::Leave { .. }))
    }

    /// When we are leaving: says goodbye as soon as nothing is left to deliver, and has left once
    /// the goodbyes are said.
    pub(super) fn leave_when_done(&mut self, out: &mut Vec<Effect>) {
        let leaving = |(request, waiting): (&RequestId, &Waiting)| match waiting {
            Waiting::Leave { parted, .. } => Some((*request, *parted)),
            Waiting::Pong { .. } | Waiting::Known { .. } => None,
        };
        let Some((request, parted)) = self.waiting.iter().find_map(leaving) else { return };
        if !parted {
            let undelivered = self.peers.iter().any(|(_, peer)| peer.is_connected() && peer.outbox.len() > 0);
            if !undelivered {
                self.part_all(request, out);
            }
        } else if self.links.is_empty() {
            self.stop_waiting(request);
            self.answer(request, Ok(Reply::Goodbye), out);
        }
    }

    fn part_all(&mut self, request: RequestId, out: &mut Vec<Effect>) {
        self.stop_waiting(request);
        let until = self.now.mono.plus(limits::PLAIN_GOODBYE);
        self.wait(request, until, Waiting::Leave { parted: true, until });
        self.redials.clear();
        for ix in self.peers.connected() {
            if self.peers.get(ix).id.is_plain() {
                self.plain_exit(ix, out);
            }
        }
        let ours: Vec<_> =
            self.links.iter().filter(|(_, conn)| !conn.talk.is_ours()).map(|(id, _)| *id).collect();
        for link in ours {
            self.part(link, Bye::Leaving, out);
        }
        for (ix, _) in self
            .peers
            .iter()
            .filter(|(_, peer)| peer.outbox.len() > 0)
            .map(|(ix, _)| (ix, ()))
            .collect::<Vec<_>>()
        {
            self.give_up(ix, Why::Closed, out);
        }
        self.emit(What::Leaving, out);
    }
}

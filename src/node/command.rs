//! What a front end asks, and what comes of it. Every command is answered once; a refused one has
//! changed nothing. Decides what each verb means here; how a peer is dialled or spoken to is next
//! door.

use crate::addr::Address;
use crate::api::command::{Command, CommandError, Dialect, PeerRef};
use crate::api::event::What;
use crate::api::reply::{Me, PeerRow, Reply, Whois};
use crate::id::{Name, PeerId, RequestId};
use crate::limits;
use crate::node::Node;
use crate::node::dial::Intent;
use crate::node::io::Effect;
use crate::node::peers::PeerIx;
use crate::node::record::Query;
use crate::node::waiting::{PONG, Waiting};
use crate::planted::{self, Planted};
use crate::why::Why;
use crate::wire::message::Message;

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
                Reply::Peers(wanted.map(|(ix, _)| self.row(ix)).collect())
            }
            Command::Connect { to, dialect } => return self.connect(request, &to, dialect, out),
            Command::ConnectKnown => return self.connect_known(request, out),
            Command::Keep { address } => {
                self.keep(address, request, out);
                return Ok(());
            }
            Command::Disconnect { peer } => return self.disconnect(request, peer.as_ref()),
            Command::Ping { peer } => return self.ping_peer(request, &peer),
            Command::Whois { peer } => {
                let ix = self.peers.resolve(&peer)?;
                let row = self.row(ix);
                let peer = self.peers.get(ix);
                let key = match peer.id {
                    PeerId::Native(key) => Some(key),
                    PeerId::Plain(_) => None,
                };
                let dialect = peer.plain.as_ref().map_or("native", |plain| plain.dialect());
                let claims = (peer.claims != row.who.name).then_some(peer.claims);
                Reply::Whois(Box::new(Whois {
                    row,
                    claims,
                    key,
                    dialect,
                    received: peer.received,
                    sent: peer.sent,
                }))
            }
            Command::Alias { name, peer } => {
                let ix = self.peers.resolve(&peer)?;
                let before = self.peers.get(ix).name();
                self.peers.alias(ix, name)?;
                self.remember(ix);
                self.emit(What::Renamed { who: self.peers.who(ix), before }, out);
                Reply::Aliased(self.peers.who(ix))
            }
            Command::Trust { peer } => return self.verify(request, &peer),
            Command::TrustReplace { peer, key } => return self.replace_key(request, &peer, &key, out),
            Command::TrustForget { peer } => return self.forget_place(request, &peer),
            Command::Log { peer, last, find } => {
                let with = peer.map(|peer| self.peers.resolve(&peer)).transpose()?;
                let with = with.map(|ix| self.peers.get(ix).id);
                return self.look_up(request, Query { with, find, last });
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
            Command::Status => {
                assert!(!planted::is(Planted::Panic), "planted");
                Reply::Status(Box::new(self.status()))
            }
            Command::Quit => {
                let until = now.plus(limits::GOODBYE);
                self.wait(request, until, Waiting::Leave { parted: false, until });
                return Ok(());
            }
        };
        self.answer(request, Ok(reply), out);
        Ok(())
    }

    fn connect(
        &mut self,
        request: RequestId,
        to: &PeerRef,
        dialect: Option<Dialect>,
        out: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        if dialect == Some(Dialect::Plain)
            && let PeerRef::At(address) = to
            && let Some(ix) = self.peers.at(address).into_iter().find(|&ix| self.peers.get(ix).is_pinned())
        {
            return Err(CommandError::NotPlain(self.peers.get(ix).name()));
        }
        match (self.peers.resolve(to), to) {
            (Ok(ix), PeerRef::At(_)) => self.plain_typed(ix),
            (Ok(ix), _) => self.plain_meant(ix)?,
            (Err(_), _) => {}
        }
        let (address, dialect) = match (self.peers.resolve(to), to) {
            (Ok(ix), _) if self.peers.get(ix).is_connected() => {
                let reply = Reply::Connected { who: self.peers.who(ix), already: true };
                self.answer(request, Ok(reply), out);
                return Ok(());
            }
            // Whoever has proven a key is not spoken to in plain text because of a default.
            (Ok(ix), PeerRef::At(address)) if dialect.is_none() => {
                (address.clone(), self.peers.get(ix).dialect())
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
        let (mut connected, mut failed, mut tries) = (Vec::new(), Vec::new(), Vec::new());
        for ix in known {
            let peer = self.peers.get(ix);
            match peer.listens {
                _ if peer.is_connected() => connected.push(self.peers.who(ix)),
                Some(_) if self.plain_meant(ix).is_err() => {
                    failed.push((self.peers.who(ix), Why::OnlyClaimed));
                }
                Some(listens) => tries.push((Address::from(listens), peer.dialect(), peer.id)),
                None => {}
            }
        }
        if tries.is_empty() {
            self.answer(request, Ok(Reply::ConnectedKnown { connected, failed }), out);
            return Ok(());
        }
        self.waiting.insert(request, Waiting::Known { left: tries.len(), connected, failed });
        for (address, dialect, id) in tries {
            self.dial(&address, dialect, Intent::Known(request, id), out);
        }
        Ok(())
    }

    /// One of the known peers was tried; it may have been forgotten meanwhile.
    pub(super) fn known_tried(
        &mut self,
        request: RequestId,
        ix: Option<PeerIx>,
        result: Result<(), Why>,
        out: &mut Vec<Effect>,
    ) {
        let who = ix.map(|ix| self.peers.who(ix));
        let Some(Waiting::Known { left, connected, failed }) = self.waiting.get_mut(&request) else { return };
        *left -= 1;
        match result {
            Ok(()) => connected.extend(who),
            Err(why) => failed.extend(who.map(|who| (who, why))),
        }
        if *left == 0 {
            let (connected, failed) = (std::mem::take(connected), std::mem::take(failed));
            self.waiting.remove(&request);
            self.answer(request, Ok(Reply::ConnectedKnown { connected, failed }), out);
        }
    }

    /// What was said before it is delivered first, and what was heard acknowledged; see `part_when_done`.
    fn disconnect(&mut self, request: RequestId, peer: Option<&PeerRef>) -> Result<(), CommandError> {
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
        whom.iter().for_each(|&ix| self.stop_redial(ix));
        let until = self.now.mono.plus(limits::GOODBYE);
        self.wait(request, until, Waiting::Part { whom, until });
        Ok(())
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
        self.remember(ix);
        Ok(Reply::Ignored(self.peers.who(ix), ignored))
    }

    fn rename(&mut self, name: Name) {
        self.config.name = name;
        let links: Vec<_> = self.links.iter().filter(|(_, conn)| conn.told != 0).map(|(id, _)| *id).collect();
        for link in links {
            self.say(link, &Message::Rename { name: name.as_str() });
        }
    }

    /// The peer's line; on a link the latest byte counts as heard, whatever it said.
    fn row(&self, ix: PeerIx) -> PeerRow {
        let now = self.now.mono;
        let mut row = self.peers.row(ix, now);
        let link = self.peers.get(ix).link().and_then(|id| self.links.get(&id)?.link.as_ref());
        if let Some(link) = link {
            row.heard = Some(now.since(link.heard()));
        }
        row
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
}

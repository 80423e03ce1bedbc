//! Plain peers: programs that say one text a connection, or a few dialects that keep one open.
//! Decides who a plain text is from, what is answered, and how ours get out: one connection and one
//! write each, in order. Nothing said here touches a native peer.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::addr::Address;
use crate::api::command::{CommandError, Dialect};
use crate::api::event::{Message as Heard, What};
use crate::api::reply::{PeerState, Reply};
use crate::id::{LinkId, Name, PeerId, RequestId};
use crate::limits;
use crate::node::delivery::Outbox;
use crate::node::dial::{Dial, Intent};
use crate::node::io::Effect;
use crate::node::links::Conn;
use crate::node::peers::{Peer, PeerIx, same_place};
use crate::node::{Node, Timer};
use crate::text::{Body, Untrusted};
use crate::time::Mono;
use crate::why::Why;
use crate::wire::classic::{self, Answer, Context, Kind, Plain, Sender};

/// What we know of a plain peer beyond its name.
#[derive(Default)]
pub(super) struct PlainPeer {
    /// The dialect that it last used.
    spoke: Option<classic::Dialect>,
    /// It has said itself where it listens.
    announced: bool,
    /// Our own addresses by which it has reached us, the latest last.
    knows_us_as: Vec<IpAddr>,
    /// What waits to be said.
    pub(super) queue: VecDeque<Saying>,
    /// The connection that carries the front of the queue.
    busy: Option<LinkId>,
}

/// Something of ours on its way to a plain peer.
pub(super) struct Saying {
    seq: u64,
    what: Words,
    request: Option<RequestId>,
}

enum Words {
    Text(Body),
    /// A later part of a text that did not fit one write.
    Part(Vec<u8>),
    Connect,
    Exit(IpAddr),
}

/// What a connection with plain text on it is in the middle of.
#[derive(Default)]
pub(super) struct PlainTalk {
    context: Context,
    answer: Option<(Mono, Vec<u8>)>,
    /// We opened it, to speak to this peer.
    ours: Option<PeerIx>,
    stage: Stage,
    /// What was written and not yet taken by the stream: its number, and whether it is the last of
    /// its message.
    said: Option<(u64, bool, Option<RequestId>)>,
    /// The end of a pause: to close, or to say the next thing.
    pub(super) linger: Option<Mono>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    One,
    /// A connection that stays open: its opening is out, the answer is not in.
    Opening,
    /// It can be spoken on.
    Ready,
}

/// Own addresses of ours that we remember a peer to know.
const ALIASES_MAX: usize = 4;

impl PlainTalk {
    pub(super) fn is_ours(&self) -> bool {
        self.ours.is_some()
    }
}

impl Node {
    /// Whether a plain peer is known to listen at `to`.
    pub(super) fn is_known_plain(&self, to: &Address) -> bool {
        self.peers.at(to).iter().any(|&ix| self.peers.get(ix).id.is_plain())
    }

    pub(super) fn plain_send(
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
    pub(super) fn plain_queue(
        &mut self,
        ix: PeerIx,
        text: &Body,
        out: &mut Vec<Effect>,
    ) -> Result<u64, CommandError> {
        let peer = self.peers.get_mut(ix);
        let name = peer.name();
        let Some(plain) = &mut peer.plain else { return Err(CommandError::NoAddress(name)) };
        if peer.listens.is_none() {
            return Err(CommandError::NoAddress(name));
        }
        if plain.queue.len() >= limits::OUTBOX_MESSAGES {
            return Err(CommandError::OutboxFull(name));
        }
        if text.as_str().chars().all(|c| c.is_control() || c.is_whitespace()) {
            return Err(CommandError::NothingPlain);
        }
        peer.sent += 1;
        let seq = peer.sent;
        plain.queue.push_back(Saying { seq, what: Words::Text(text.clone()), request: None });
        self.counters.sent += 1;
        self.plain_next(ix, out);
        Ok(seq)
    }

    /// Tells a plain peer that we leave, once for each address by which it knows us.
    pub(super) fn plain_exit(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        let Some(plain) = &mut self.peers.get_mut(ix).plain else { return };
        let mut names = plain.knows_us_as.clone();
        if names.is_empty() {
            names.push(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        }
        for ip in names {
            plain.queue.push_back(Saying { seq: 0, what: Words::Exit(ip), request: None });
        }
        self.plain_next(ix, out);
    }

    /// A dialled stream is to be spoken on in plain text, or a stranger has begun to.
    pub(super) fn plain_begins(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(remote) = conn.remote else { return };
        if !id.is_dialled() {
            let alike = |other: &&Conn| {
                other.remote.is_some_and(|addr| addr.ip() == remote.ip())
                    && other.link.as_ref().is_some_and(crate::link::Link::is_plain)
            };
            if self.links.values().filter(alike).count() > limits::PLAIN_PER_SOURCE {
                self.fail(id, Why::Full, out);
            }
            return;
        }
        if conn.talk.ours.is_none() {
            let dial = conn.dial.take();
            let ix = self.plain_peer(remote, None);
            if let Some(conn) = self.links.get_mut(&id) {
                conn.talk.ours = Some(ix);
            }
            self.take_intents(ix, dial, out);
            let Some(plain) = &mut self.peers.get_mut(ix).plain else { return };
            if plain.busy.is_some() {
                // Its queue is being said on another connection; this one is not needed.
                return self.fail(id, Why::Closed, out);
            }
            plain.busy = Some(id);
        }
        self.plain_open(id);
    }

    /// Everything written on a plain connection of ours is with the other side's system.
    pub(super) fn plain_flushed(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let now = self.now.mono;
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(ix) = conn.talk.ours else { return };
        if conn.waiting() > 0 || conn.talk.said.is_none() {
            return;
        }
        match conn.talk.stage {
            Stage::One => {
                conn.talk.linger = Some(now.plus(limits::PLAIN_LINGER));
                out.push(Effect::Finish { link: id });
                if let Some(plain) = &mut self.peers.get_mut(ix).plain {
                    plain.busy = None;
                }
                self.plain_next(ix, out);
            }
            Stage::Opening => {}
            Stage::Ready => {
                let said = conn.talk.said.take();
                conn.talk.linger = Some(now.plus(limits::BURST_SILENCE));
                self.plain_said(ix, said, Ok(()), out);
            }
        }
    }

    /// A pause on a plain connection is over.
    pub(super) fn plain_lingered(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        conn.talk.linger = None;
        match conn.talk.stage {
            // It holds the connection open, as many do; what we said is said.
            Stage::One => self.fail(id, Why::Closed, out),
            Stage::Opening => {}
            Stage::Ready => self.plain_say_next(id, out),
        }
        self.touch(id);
    }

    /// A plain connection has ended.
    pub(super) fn plain_closed(&mut self, id: LinkId, conn: Conn, why: Why, out: &mut Vec<Effect>) {
        if let Some((due, _)) = conn.talk.answer {
            self.timers.remove(&(due, Timer::Answer(id)));
        }
        if matches!(why, Why::Protocol | Why::Full) {
            self.counters.dropped += 1;
            self.emit(What::Dropped { from: conn.remote, why }, out);
        }
        let clean = matches!(why, Why::Eof | Why::Closed);
        if let Some(ix) = conn.talk.ours {
            if let Some(plain) = &mut self.peers.get_mut(ix).plain
                && plain.busy == Some(id)
            {
                plain.busy = None;
            }
            let all_out = conn.unflushed == 0;
            self.plain_said(ix, conn.talk.said, if clean && all_out { Ok(()) } else { Err(why) }, out);
            if conn.link.is_none() || !clean {
                return self.plain_lost(ix, why, out);
            }
            if conn.talk.stage != Stage::One {
                self.plain_left(ix, out);
            }
            self.plain_next(ix, out);
        } else if let (Context::Lines { port, .. } | Context::PortHello { port }, Some(remote)) =
            (conn.talk.context, conn.remote)
        {
            // In these dialects the end of the connection is the goodbye.
            if let Some(ix) = self.find_plain(SocketAddr::new(remote.ip(), port)) {
                self.plain_left(ix, out);
            }
        }
    }

    pub(super) fn answer_due(&mut self, id: LinkId) {
        if let Some(conn) = self.links.get_mut(&id)
            && let Some((_, bytes)) = conn.talk.answer.take()
            && let Some(link) = &mut conn.link
        {
            link.say_plain(&bytes);
            self.mark_dirty(id);
        }
    }

    /// A burst of plain text, whole.
    pub(super) fn heard_burst(&mut self, id: LinkId, burst: Vec<u8>, ended: bool, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        let (Some(remote), Some(local)) = (conn.remote, conn.local) else { return };
        if let Some(ix) = conn.talk.ours {
            match conn.talk.stage {
                // Acknowledgements; nobody waits for an answer to them.
                Stage::One => return,
                Stage::Opening => {
                    conn.talk.stage = Stage::Ready;
                    self.plain_active(ix, out);
                    return self.plain_say_next(id, out);
                }
                Stage::Ready => {}
            }
        }
        if is_http(&burst) {
            return self.fail(id, Why::Protocol, out);
        }
        let mut context = std::mem::take(&mut conn.talk.context);
        let heard = classic::parse(&burst, &mut context);
        let port = self.config.listens.map_or(0, |addr| addr.port());
        let name = self.config.name;
        let own = Sender { addr: SocketAddr::new(local.ip(), port), name: name.as_str() };
        let answer = if conn.talk.is_ours() || heard.is_empty() {
            Answer::None
        } else {
            classic::answer(&heard, &context, &own)
        };
        conn.talk.context = context;
        match answer {
            Answer::AtOnce(bytes) if !ended => {
                if let Some(link) = &mut conn.link {
                    link.say_plain(&bytes);
                    self.mark_dirty(id);
                }
            }
            Answer::IfWaiting(bytes) if !ended && conn.talk.answer.is_none() => {
                // The burst ended when it had been silent for a while; that counts as waited.
                let rest = limits::PLAIN_ANSWER - limits::BURST_SILENCE;
                let due = self.now.mono.plus(rest);
                conn.talk.answer = Some((due, bytes));
                self.timers.insert((due, Timer::Answer(id)));
            }
            Answer::None | Answer::AtOnce(_) | Answer::IfWaiting(_) => {}
        }
        for plain in heard {
            self.plain_heard(remote, local, plain, out);
        }
    }

    fn plain_heard(&mut self, remote: SocketAddr, local: SocketAddr, plain: Plain, out: &mut Vec<Effect>) {
        let announced = plain.host.as_deref().and_then(host_ip);
        let us = self.config.listens.map_or(0, |addr| addr.port());
        let claims_to_be_us = plain.port == Some(us)
            && match announced {
                Some(ip) => same_place(SocketAddr::new(ip, us), SocketAddr::new(local.ip(), us)),
                None => remote.ip() == local.ip() && plain.host.is_none(),
            };
        if claims_to_be_us && plain.text == "PING" {
            return;
        }
        let port = plain.port.filter(|_| !claims_to_be_us);
        let ix = match port {
            Some(port) => self.plain_peer(SocketAddr::new(remote.ip(), port), plain.team.as_deref()),
            None => self.unannounced(remote.ip()),
        };
        let spoken = (plain.dialect != classic::Dialect::Raw).then_some(plain.dialect);
        let peer = self.peers.get_mut(ix);
        peer.heard = Some(self.now.mono);
        if let Some(state) = &mut peer.plain {
            state.announced |= port.is_some();
            state.spoke = spoken.or(state.spoke);
            state.knows_us_as.retain(|ip| *ip != local.ip());
            state.knows_us_as.push(local.ip());
            if state.knows_us_as.len() > ALIASES_MAX {
                state.knows_us_as.remove(0);
            }
        }
        match plain.kind {
            Kind::Exit if peer.is_connected() => return self.plain_left(ix, out),
            // Said again, or by one who never came: nothing to show.
            Kind::Exit if port.is_some() => return,
            Kind::Connect | Kind::Hello => return self.plain_active(ix, out),
            Kind::Exit | Kind::Message => {}
        }
        peer.received += 1;
        let (seq, ignored) = (peer.received, peer.ignored);
        self.counters.received += 1;
        if port.is_some() {
            self.plain_active(ix, out);
        }
        let Some(text) = body(&plain.text) else { return };
        let from = self.peers.who(ix);
        self.last_writer = Some(from.id);
        if ignored {
            self.counters.ignored += 1;
            return;
        }
        let elsewhere = announced != Some(remote.ip())
            && !(announced.is_some_and(|ip| ip.is_loopback()) && remote.ip().is_loopback());
        let claim = plain
            .host
            .zip(plain.port)
            .filter(|_| elsewhere)
            .map(|(host, port)| Untrusted::new(format!("{host}:{port}")));
        let dialect = Dialect::Plain;
        let message = Heard { from, seq, id: None, text: Untrusted::new(text), auto: false, dialect, claim };
        self.emit(What::Message(message), out);
    }

    /// The plain peer at `addr`, by the name that it claims.
    fn plain_peer(&mut self, addr: SocketAddr, team: Option<&str>) -> PeerIx {
        let named = team.map(|team| Name::claimed(team, &addr.port().to_string()));
        if let Some(ix) = self.find_plain(addr) {
            if let Some(name) = named {
                self.peers.rename(ix, name);
            }
            return ix;
        }
        let name = named.unwrap_or_else(|| Name::claimed("", &addr.port().to_string()));
        let mut peer = Peer::new(PeerId::Plain(addr), name, Outbox::new(0));
        peer.listens = Some(addr);
        self.peers.add(peer)
    }

    fn find_plain(&self, addr: SocketAddr) -> Option<PeerIx> {
        let exact = self.peers.find(PeerId::Plain(addr));
        let same = |id: PeerId| matches!(id, PeerId::Plain(other) if same_place(other, addr));
        exact.or_else(|| self.peers.iter().find(|(_, peer)| same(peer.id)).map(|(ix, _)| ix))
    }

    /// Who speaks from `ip` without saying where it listens: the one peer there that never said so,
    /// or somebody whom we cannot write to.
    fn unannounced(&mut self, ip: IpAddr) -> PeerIx {
        let silent = |peer: &Peer| {
            let here = matches!(peer.id, PeerId::Plain(addr) if addr.ip() == ip && addr.port() != 0);
            here && peer.plain.as_ref().is_some_and(|plain| !plain.announced)
        };
        let found: Vec<_> = self.peers.iter().filter(|(_, peer)| silent(peer)).map(|(ix, _)| ix).collect();
        if let [ix] = found[..] {
            return ix;
        }
        let id = PeerId::Plain(SocketAddr::new(ip, 0));
        self.peers.find(id).unwrap_or_else(|| {
            self.peers.add(Peer::new(
                id,
                Name::claimed("", &ip.to_string().replace(':', "-")),
                Outbox::new(0),
            ))
        })
    }

    fn plain_active(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        let peer = self.peers.get_mut(ix);
        if peer.is_connected() || peer.listens.is_none() {
            return;
        }
        peer.state = PeerState::Connected;
        let (listens, who) = (peer.listens, self.peers.who(ix));
        self.emit(What::Joined { who, listens, dialled: false }, out);
    }

    fn plain_left(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        if self.peers.get(ix).is_connected() {
            self.leave_peer(ix, false, out);
        }
    }

    /// It cannot be reached: what waits for it has failed.
    fn plain_lost(&mut self, ix: PeerIx, why: Why, out: &mut Vec<Effect>) {
        let Some(plain) = &mut self.peers.get_mut(ix).plain else { return };
        for saying in std::mem::take(&mut plain.queue) {
            self.plain_said(ix, Some((saying.seq, true, saying.request)), Err(why), out);
        }
        let peer = self.peers.get_mut(ix);
        if peer.is_connected() {
            peer.state = PeerState::Lost;
            if !self.waiting_to_leave() {
                self.emit(What::Lost { who: self.peers.who(ix), why }, out);
            }
        }
    }

    /// What became of something that we said.
    fn plain_said(
        &mut self,
        ix: PeerIx,
        said: Option<(u64, bool, Option<RequestId>)>,
        result: Result<(), Why>,
        out: &mut Vec<Effect>,
    ) {
        let Some((seq, last, request)) = said else { return };
        if result.is_ok() && !self.waiting_to_leave() {
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
    fn plain_next(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
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
            {
                self.plain_say_next(busy, out);
            }
            return;
        }
        let to = Address::from(listens);
        let dial = Dial { to: to.clone(), dialect: Dialect::Plain, known_plain: true, intents: Vec::new() };
        let link = self.dial_link(dial);
        if let Some(conn) = self.links.get_mut(&link) {
            conn.talk.ours = Some(ix);
        }
        if let Some(plain) = &mut self.peers.get_mut(ix).plain {
            plain.busy = Some(link);
        }
        out.push(Effect::Dial { link, to });
    }

    /// The first words on a connection of ours.
    fn plain_open(&mut self, id: LinkId) {
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

    fn plain_say_next(&mut self, id: LinkId, out: &mut Vec<Effect>) {
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
    fn plain_write_front(
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
    fn plain_voice(&self, id: LinkId) -> Option<(PeerIx, SocketAddr, classic::Dialect)> {
        let conn = self.links.get(&id)?;
        let ix = conn.talk.ours?;
        let plain = self.peers.get(ix).plain.as_ref()?;
        let ip = plain.knows_us_as.last().copied().unwrap_or(conn.local?.ip());
        let port = self.config.listens.map_or(0, |addr| addr.port());
        Some((ix, SocketAddr::new(ip, port), plain.spoke.unwrap_or(classic::Dialect::Flat)))
    }

    fn take_intents(&mut self, ix: PeerIx, dial: Option<Dial>, out: &mut Vec<Effect>) {
        for intent in dial.map(|dial| dial.intents).unwrap_or_default() {
            match intent {
                Intent::Connect(request) => self.plain_connect(ix, Some(request)),
                Intent::Known(request, _) => {
                    self.plain_connect(ix, None);
                    self.known_tried(request, ix, Ok(()), out);
                }
                Intent::Keep => self.plain_connect(ix, None),
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

    fn plain_connect(&mut self, ix: PeerIx, request: Option<RequestId>) {
        if let Some(plain) = &mut self.peers.get_mut(ix).plain {
            plain.queue.push_back(Saying { seq: 0, what: Words::Connect, request });
        }
    }
}

fn host_ip(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare {
        "localhost" => Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)),
        _ => bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical()),
    }
}

/// What a browser or a scanner says; no plain program does.
fn is_http(burst: &[u8]) -> bool {
    let line = burst.split(|&b| b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}

/// A text of any length as a body: cut at its bound, at a character.
fn body(text: &str) -> Option<Body> {
    let mut end = text.len().min(limits::BODY_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Body::new(&text[..end]).ok()
}

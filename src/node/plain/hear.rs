//! What plain programs say: who it is from, what it changes, what they are answered. Their claims are
//! about the address of their socket and no other, and change plain entries only.

use std::net::{IpAddr, SocketAddr};

use super::{ALIASES_MAX, Stage};
use crate::api::command::Dialect;
use crate::api::event::{Message as Heard, What};
use crate::id::{LinkId, Name, PeerId};
use crate::limits;
use crate::node::delivery::Outbox;
use crate::node::io::Effect;
use crate::node::peer::Peer;
use crate::node::peers::{PeerIx, same_place};
use crate::node::{Node, Timer, shelter};
use crate::text::{Body, Untrusted};
use crate::why::Why;
use crate::wire::classic::{self, Answer, Kind, Plain, Sender};

impl Node {
    /// A burst of plain text, whole.
    pub(in crate::node) fn heard_burst(
        &mut self,
        id: LinkId,
        burst: Vec<u8>,
        ended: bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        let (Some(remote), Some(local)) = (conn.remote, conn.local) else { return };
        if let Some(ix) = conn.talk.ours {
            match conn.talk.stage {
                // Acknowledgements; nobody waits for an answer to them.
                Stage::One => return,
                Stage::Opening => {
                    conn.talk.stage = Stage::Ready;
                    let peer = self.peers.get(ix);
                    let port = peer.listens.map_or(0, |addr| addr.port());
                    conn.talk.context = match peer.plain.as_ref().and_then(|plain| plain.spoke) {
                        Some(classic::Dialect::Lines) => classic::Context::Lines { port, team: None },
                        _ => classic::Context::PortHello { port },
                    };
                    self.plain_active(ix, out);
                    return self.plain_say_next(id, out);
                }
                Stage::Ready => {}
            }
        }
        if is_http(&burst) {
            self.punish(id, Why::Protocol);
            return self.fail(id, Why::Protocol, out);
        }
        let mut context = std::mem::take(&mut conn.talk.context);
        let heard = shelter::read(self.config.sheltered, || {
            shelter::breaks(&burst, "break the burst");
            classic::parse(&burst, &mut context)
        });
        let Some(mut heard) = heard else { return self.fail(id, Why::Broken, out) };
        let us = self.config.listens.map_or(0, |addr| addr.port());
        // Somebody asks whether anybody is here by sending us our own address.
        heard.retain(|plain| !(plain.text == "PING" && claims_to_be_us(us, plain, remote, local)));
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

    pub(super) fn plain_heard(
        &mut self,
        remote: SocketAddr,
        local: SocketAddr,
        plain: Plain,
        out: &mut Vec<Effect>,
    ) {
        let announced = plain.host.as_deref().and_then(host_ip);
        let us = self.config.listens.map_or(0, |addr| addr.port());
        let claims_to_be_us = claims_to_be_us(us, &plain, remote, local);
        let port = plain.port.filter(|_| !claims_to_be_us);
        let elsewhere = announced != Some(remote.ip())
            && !(announced.is_some_and(|ip| ip.is_loopback()) && remote.ip().is_loopback());
        let named = plain.host.is_some() && port.is_some();
        if plain.kind == Kind::Exit && named && elsewhere && self.passes_on(remote.ip(), port) {
            return;
        }
        let ix = match port {
            Some(port) => self.plain_peer(SocketAddr::new(remote.ip(), port), plain.team.as_deref()),
            None => self.unannounced(remote.ip()),
        };
        let spoken = (plain.dialect != classic::Dialect::Raw).then_some(plain.dialect);
        let peer = self.peers.get_mut(ix);
        peer.heard = Some(self.now.mono);
        if let Some(state) = &mut peer.plain {
            state.announced |= port.is_some();
            state.elsewhere = if named { Some(elsewhere) } else { state.elsewhere };
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
            Kind::Exit if self.exit_was_shown(ix) => return,
            Kind::Exit | Kind::Message => {}
        }
        let peer = self.peers.get_mut(ix);
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
        let claim = plain
            .host
            .zip(plain.port)
            .filter(|_| elsewhere)
            .map(|(host, port)| Untrusted::new(format!("{host}:{port}")));
        let dialect = Dialect::Plain;
        let message = Heard { from, seq, id: None, text: Untrusted::new(text), auto: false, dialect, claim };
        self.emit(What::Message(message), out);
    }

    /// Whether a goodbye that names another machine than `ip` is not its sender's own: some programs
    /// pass on what they hear. It is, if its sender has always named that other machine.
    fn passes_on(&self, ip: IpAddr, port: Option<u16>) -> bool {
        let known = port.and_then(|port| self.find_plain(SocketAddr::new(ip, port)));
        let plain = known.and_then(|ix| self.peers.get(ix).plain.as_ref());
        plain.is_none_or(|plain| plain.elsewhere == Some(false))
    }

    /// Whether a goodbye of somebody who is not listed was shown lately; if not, it is about to be.
    fn exit_was_shown(&mut self, ix: PeerIx) -> bool {
        let now = self.now.mono;
        let Some(plain) = &mut self.peers.get_mut(ix).plain else { return false };
        if plain.exit_shown.is_some_and(|shown| now.since(shown) < limits::PLAIN_EXITS) {
            return true;
        }
        plain.exit_shown = Some(now);
        false
    }

    /// The plain peer at `addr`, by the name that it claims.
    pub(super) fn plain_peer(&mut self, addr: SocketAddr, team: Option<&str>) -> PeerIx {
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

    pub(super) fn find_plain(&self, addr: SocketAddr) -> Option<PeerIx> {
        let exact = self.peers.find(PeerId::Plain(addr));
        let same = |id: PeerId| matches!(id, PeerId::Plain(other) if same_place(other, addr));
        // Only this machine has many addresses for one listener.
        if exact.is_some() || !addr.ip().is_loopback() {
            return exact;
        }
        self.peers.iter().find(|(_, peer)| same(peer.id)).map(|(ix, _)| ix)
    }

    /// Who speaks from `ip` without saying where it listens: the one peer there that never said so,
    /// or somebody whom we cannot write to.
    pub(super) fn unannounced(&mut self, ip: IpAddr) -> PeerIx {
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
}

/// Whether the announced address is our own, with our port `us`, which some programs send by mistake.
fn claims_to_be_us(us: u16, plain: &Plain, remote: SocketAddr, local: SocketAddr) -> bool {
    plain.port == Some(us)
        && match plain.host.as_deref().and_then(host_ip) {
            Some(ip) => same_place(SocketAddr::new(ip, us), SocketAddr::new(local.ip(), us)),
            None => remote.ip() == local.ip() && plain.host.is_none(),
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

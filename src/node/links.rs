//! Streams come, speak and go. Decides what a stream's beginning and end mean for its peer, which
//! of two links to one peer is used, and when a link is too slow. Knows no commands.

use std::net::SocketAddr;

use crate::api::command::Dialect;
use crate::api::event::What;
use crate::api::reply::PeerState;
use crate::id::LinkId;
use crate::limits;
use crate::link::{Link, Progress};
use crate::node::delivery::Inbox;
use crate::node::dial::Dial;
use crate::node::io::Effect;
use crate::node::peers::PeerIx;
use crate::node::plain::PlainTalk;
use crate::node::shelter;
use crate::node::{Node, Timer};
use crate::planted::{self, Planted};
use crate::time::Mono;
use crate::why::Why;
use crate::wire::message::{Bye, Message};

/// A stream as the node sees it.
pub(super) struct Conn {
    /// `None` while it is being dialled.
    pub(super) link: Option<Link>,
    pub(super) remote: Option<SocketAddr>,
    pub(super) local: Option<SocketAddr>,
    pub(super) dial: Option<Dial>,
    pub(super) peer: Option<PeerIx>,
    /// Its stream has ended: there is nothing to be closed.
    over: bool,
    /// The peer's hello was heard.
    pub(super) greeted: bool,
    /// The stream of ours that we have named on this link, and the peer's that it has.
    pub(super) told: u64,
    pub(super) stream: u64,
    /// The life of the peer's program that speaks here.
    pub(super) life: u64,
    /// Messages of a stream or a life that had ended.
    pub(super) stale: usize,
    /// Bytes written and not yet taken by the stream, and when some last were.
    pub(super) unflushed: usize,
    pub(super) progress: Mono,
    timer: Option<Mono>,
    pub(super) dirty: bool,
    /// Counted among those without a first byte.
    sniffing: bool,
    /// Messages in a row that carried nothing.
    pub(super) cheap: u32,
    pub(super) pings: u32,
    /// Messages that wait until then, as their peer has said enough for now.
    pub(super) held: Vec<u8>,
    pub(super) resumes: Option<Mono>,
    /// The ping on its way: its nonce and when it left.
    pub(super) ping: Option<(u64, Mono)>,
    pub(super) talk: PlainTalk,
}

impl Conn {
    pub(super) fn new(dial: Option<Dial>) -> Self {
        Self {
            link: None,
            remote: None,
            local: None,
            dial,
            peer: None,
            over: false,
            greeted: false,
            told: 0,
            stream: 0,
            life: 0,
            stale: 0,
            unflushed: 0,
            progress: Mono::default(),
            timer: None,
            dirty: false,
            sniffing: false,
            cheap: 0,
            pings: 0,
            held: Vec::new(),
            resumes: None,
            ping: None,
            talk: PlainTalk::default(),
        }
    }

    /// Bytes that the stream has not taken.
    pub(super) fn waiting(&self) -> usize {
        self.unflushed + self.link.as_ref().map_or(0, Link::waiting)
    }
}

impl Node {
    pub(super) fn opened(
        &mut self,
        id: LinkId,
        remote: SocketAddr,
        local: SocketAddr,
        out: &mut Vec<Effect>,
    ) {
        let now = self.now.mono;
        let known = self.links.contains_key(&id);
        if !known && let Err(why) = self.lets_in(id, canonical(remote), out) {
            self.refused(Some(remote), why, out);
            return out.push(Effect::Cut { link: id });
        }
        let hear_plain = self.config.hear_plain;
        let conn = self.links.entry(id).or_insert_with(|| Conn::new(None));
        conn.remote = Some(canonical(remote));
        conn.local = Some(canonical(local));
        conn.progress = now;
        let link = match &conn.dial {
            None => Link::accepted(now, !hear_plain),
            Some(dial) if dial.dialect == Dialect::Native => Link::dialled(now),
            Some(dial) if dial.known_plain => Link::plain(now),
            Some(_) => Link::probing(now),
        };
        conn.link = Some(link.under(self.cipher));
        let plain_at_once = conn.link.as_ref().is_some_and(Link::is_plain);
        conn.sniffing = !known;
        self.sniffing += usize::from(!known);
        self.touch(id);
        if plain_at_once {
            self.plain_begins(id, out);
        }
    }

    pub(super) fn received(&mut self, id: LinkId, bytes: &[u8], out: &mut Vec<Effect>) {
        self.counters.bytes_in += bytes.len() as u64;
        if let Some(&first) = bytes.first()
            && self.links.get(&id).is_some_and(|conn| conn.sniffing)
            && !self.lets_speak(id, first, out)
        {
            return;
        }
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(link) = &mut conn.link else { return };
        if self.now.mono.since(link.heard()) >= limits::CHEAP_PAUSE {
            (conn.cheap, conn.pings) = (0, 0);
        }
        let shaking = !link.is_open() && !link.is_plain();
        let mut plaintext = std::mem::take(&mut self.plaintext);
        let progress = shelter::read(self.config.sheltered, || {
            shelter::breaks(bytes, "break the link");
            link.receive(self.now.mono, bytes, &self.keys, &mut self.rng, &mut plaintext)
        });
        let progress = progress.unwrap_or_else(|| {
            self.broken(id, &mut plaintext);
            Err(Why::Broken)
        });
        match progress {
            Ok(progress) => {
                self.progress(id, progress, out);
                self.hear(id, &plaintext, out);
                self.touch(id);
                // The other side has nothing to do but to wait for this, and the turn may have a
                // dozen handshakes more to calculate.
                if shaking {
                    self.write_link(id, out);
                }
            }
            Err(why) => {
                // What was proven before the fault is still true.
                self.hear(id, &plaintext, out);
                self.punish(id, why);
                self.fail(id, why, out);
            }
        }
        plaintext.clear();
        self.plaintext = plaintext;
    }

    pub(super) fn flushed(&mut self, id: LinkId, count: usize, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        conn.unflushed = conn.unflushed.saturating_sub(count);
        conn.progress = self.now.mono;
        let (drained, peer) = (conn.unflushed == 0, conn.peer);
        if let Some(ix) = peer {
            self.make_ready(ix);
        }
        if drained {
            self.plain_flushed(id, out);
        }
        self.touch(id);
    }

    pub(super) fn closed(&mut self, id: LinkId, why: Why, out: &mut Vec<Effect>) {
        self.punish(id, why);
        let Some(conn) = self.links.get_mut(&id) else { return };
        let why = match (&mut conn.link, why) {
            (Some(link), Why::Eof | Why::Reset) => {
                conn.over = true;
                if let Some(burst) = link.end() {
                    self.heard_burst(id, burst, true, out);
                }
                let link = self.links.get(&id).and_then(|conn| conn.link.as_ref());
                link.map_or(
                    why,
                    |link| if link.is_open() || link.is_plain() { why } else { link.why_at_eof() },
                )
            }
            (_, why) => why,
        };
        self.drop_link(id, why, out);
    }

    /// Closes a link of our own accord, because of `why`.
    pub(super) fn fail(&mut self, id: LinkId, why: Why, out: &mut Vec<Effect>) {
        self.counters.broken += u64::from(why == Why::Broken);
        let Some(conn) = self.links.get_mut(&id) else { return };
        if conn.over {
            return self.drop_link(id, why, out);
        }
        // Whoever is not let in is owed nothing, and may keep us waiting for its end.
        let refused = matches!(why, Why::Limit(_));
        if let Some(link) = conn.link.as_mut().filter(|_| !refused) {
            let bytes = link.take(&mut self.spare);
            if !bytes.is_empty() {
                self.counters.bytes_out += bytes.len() as u64;
                out.push(Effect::Write { link: id, bytes });
            }
        }
        out.push(if refused { Effect::Cut { link: id } } else { Effect::Close { link: id } });
        self.drop_link(id, why, out);
    }

    /// Says goodbye on a link and closes it, without a word to the front end.
    pub(super) fn part(&mut self, id: LinkId, reason: Bye, out: &mut Vec<Effect>) {
        if self.links.get(&id).is_some_and(|conn| conn.told != 0) {
            self.say(id, &Message::Bye { reason });
        }
        self.fail(id, Why::Closed, out);
    }

    /// Arms the timer of a link anew if it is due earlier than armed; a timer that fires too early
    /// does nothing but that.
    pub(super) fn touch(&mut self, id: LinkId) {
        let crowded = self.sniffing > limits::WAITING_CROWD;
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(link) = &conn.link else { return };
        if link.waiting() > 0 && !conn.dirty {
            conn.dirty = true;
            self.dirty.push(id);
        }
        let mut due = link.deadline(crowded);
        if conn.unflushed > 0 {
            due = due.min(conn.progress.plus(limits::WRITE_STALL));
        }
        for other in [conn.talk.linger, conn.resumes].into_iter().flatten() {
            due = due.min(other);
        }
        if conn.timer.is_none_or(|armed| due < armed) {
            if let Some(armed) = conn.timer.replace(due) {
                self.timers.remove(&(armed, Timer::Link(id)));
            }
            self.timers.insert((due, Timer::Link(id)));
        }
    }

    pub(super) fn link_due(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let now = self.now.mono;
        let crowded = self.sniffing > limits::WAITING_CROWD;
        let Some(conn) = self.links.get_mut(&id) else { return };
        conn.timer = None;
        if conn.unflushed > 0 && now >= conn.progress.plus(limits::WRITE_STALL) {
            return self.fail(id, Why::Slow, out);
        }
        if conn.talk.linger.is_some_and(|linger| now >= linger) {
            return self.plain_lingered(id, out);
        }
        if conn.resumes.is_some_and(|at| now >= at) {
            return self.resume(id, out);
        }
        let Some(link) = &mut conn.link else { return };
        match link.tick(now, crowded) {
            Ok(progress) => {
                self.progress(id, progress, out);
                self.touch(id);
            }
            Err(why) => {
                self.punish(id, why);
                self.fail(id, why, out);
            }
        }
    }

    fn progress(&mut self, id: LinkId, progress: Progress, out: &mut Vec<Effect>) {
        self.count_phase(id);
        if let Some(key) = progress.authenticated {
            if let Err(why) = self.lets_prove(id, key) {
                return self.fail(id, why, out);
            }
            self.authenticated(id, key, out);
        }
        if progress.became_plain {
            self.plain_begins(id, out);
        }
        // Whoever has not been told who we are is told nothing else.
        if progress.ask && self.links.get(&id).is_some_and(|conn| conn.told != 0) {
            self.ping(id);
        }
        if let Some(burst) = progress.burst {
            self.heard_burst(id, burst, false, out);
        }
    }

    /// Keeps the count of silent callers.
    fn count_phase(&mut self, id: LinkId) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(link) = &conn.link else { return };
        if conn.sniffing && !link.is_waiting() {
            conn.sniffing = false;
            self.sniffing -= 1;
        }
    }

    /// Of a peer's links this is the latest that is left. If it is not of the life that said hello last,
    /// that hello was overtaken, and what was left unheard meanwhile has to come again.
    fn live_on(&mut self, ix: PeerIx, left: LinkId, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get(&left) else { return };
        let (life, unheard) = (conn.life, conn.stale > 0);
        let before = std::mem::replace(&mut self.peers.get_mut(ix).life, life);
        if before != life && unheard {
            self.fail(left, Why::Reset, out);
        }
    }

    /// Forgets a link and says what that means for its peer.
    fn drop_link(&mut self, id: LinkId, why: Why, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.remove(&id) else { return };
        if let Some(armed) = conn.timer {
            self.timers.remove(&(armed, Timer::Link(id)));
        }
        self.sniffing -= usize::from(conn.sniffing);
        debug_assert!(!self.links.is_empty() || self.sniffing == 0);
        if let Some(admission) = &mut self.admission {
            admission.leaves(id, self.now.mono);
        }
        let plain = conn.link.as_ref().is_some_and(Link::is_plain);
        if let Some(ix) = conn.peer.or(conn.talk.ours()) {
            self.peers.get_mut(ix).held -= 1;
        }
        if let Some(ix) = conn.peer {
            let peer = self.peers.get_mut(ix);
            let current = peer.link() == Some(id);
            peer.links.retain(|&link| link != id);
            let left = peer.links.last().copied();
            if let Some(left) = left {
                self.live_on(ix, left, out);
            }
            let peer = self.peers.get_mut(ix);
            if current && !peer.links.is_empty() {
                // What was on its way on this link goes out again on the other one.
                if !planted::is(Planted::OtherLinkGoesOn) {
                    peer.outbox.break_off();
                }
                peer.inbox.repeat();
                self.make_ready(ix);
            } else if peer.is_connected() && why != Why::Closed && !self.has_link_to(ix) {
                let peer = self.peers.get_mut(ix);
                if planted::is(Planted::DoubleDelivery) {
                    peer.inbox = Inbox::default();
                }
                peer.state = PeerState::Lost;
                self.emit(What::Lost { who: self.peers.who(ix), why }, out);
                self.peer_away(ix);
            }
        } else if plain || conn.talk.is_ours() {
            self.plain_closed(id, conn, why, out);
            return;
        } else if conn.dial.is_none() && conn.link.is_some() && why != Why::Closed {
            let quiet = conn.sniffing && matches!(why, Why::Eof | Why::Reset | Why::TimedOut);
            if !quiet {
                self.refused(conn.remote, why, out);
            }
        }
        if let Some(dial) = conn.dial {
            self.dial_failed(dial, why, out);
        }
    }
}

fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

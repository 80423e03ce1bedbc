//! Plain peers: programs that say one text a connection, or a few dialects that keep one open.
//! Decides what the beginning and the end of such a connection mean. What is heard on it and what is
//! said stand next door. Nothing here touches a native peer.

mod hear;
mod place;
mod say;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::api::event::What;
use crate::api::reply::PeerState;
use crate::id::{LinkId, RequestId};
use crate::limits;
use crate::node::io::Effect;
use crate::node::links::Conn;
use crate::node::peers::PeerIx;
use crate::node::{Node, Timer};
use crate::text::Body;
use crate::time::Mono;
use crate::why::Why;
use crate::wire::classic::{self, Context};

/// What we know of a plain peer beyond its name.
#[derive(Default)]
pub(in crate::node) struct PlainPeer {
    /// The dialect that it last used.
    spoke: Option<classic::Dialect>,
    /// It has said itself where it listens.
    announced: bool,
    /// Whether it last named another machine than the one that it speaks from, if it named any.
    elsewhere: Option<bool>,
    /// When a goodbye of its was last shown as a text.
    exit_shown: Option<Mono>,
    /// Somebody here has given its address in full.
    typed: bool,
    /// Our own addresses by which it has reached us, the latest last.
    knows_us_as: Vec<IpAddr>,
    /// What waits to be said.
    pub(in crate::node) queue: VecDeque<Saying>,
    /// The connection that carries the front of the queue.
    busy: Option<LinkId>,
    /// We have parted from it and neither has spoken since.
    parted: bool,
}

/// Something of ours on its way to a plain peer.
pub(in crate::node) struct Saying {
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
pub(in crate::node) struct PlainTalk {
    context: Context,
    answer: Option<(Mono, Vec<u8>)>,
    /// We opened it, to speak to this peer.
    ours: Option<PeerIx>,
    stage: Stage,
    /// What was written and not yet taken by the stream: its number, and whether it is the last of
    /// its message.
    said: Option<(u64, bool, Option<RequestId>)>,
    /// The end of a pause: to close, or to say the next thing.
    pub(in crate::node) linger: Option<Mono>,
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

impl PlainPeer {
    /// Whether nothing is being said to it.
    pub(in crate::node) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.busy.is_none()
    }

    /// The name of the dialect in which it is written to.
    pub(in crate::node) fn dialect(&self) -> &'static str {
        match self.spoke {
            None => "flat, until it says otherwise",
            Some(classic::Dialect::Flat | classic::Dialect::FlatTwo) => "flat",
            Some(classic::Dialect::BracketFlat) => "bracketed header",
            Some(classic::Dialect::Bracket) => "bracket",
            Some(classic::Dialect::Json) => "json",
            Some(classic::Dialect::Lines) => "lines",
            Some(classic::Dialect::PortHello) => "port hello",
            Some(classic::Dialect::Raw) => "raw",
        }
    }
}

impl PlainTalk {
    pub(in crate::node) fn is_ours(&self) -> bool {
        self.ours.is_some()
    }

    /// Whom we opened it to speak to.
    pub(in crate::node) fn ours(&self) -> Option<PeerIx> {
        self.ours
    }
}

impl Node {
    /// A dialled stream is to be spoken on in plain text, or a stranger has begun to.
    pub(in crate::node) fn plain_begins(&mut self, id: LinkId, out: &mut Vec<Effect>) {
        let Some(conn) = self.links.get_mut(&id) else { return };
        let Some(remote) = conn.remote else { return };
        if !id.is_dialled() {
            return;
        }
        if conn.talk.ours.is_none() {
            let dial = conn.dial.take();
            let ix = self.plain_peer(remote, None);
            if let Some(conn) = self.links.get_mut(&id) {
                conn.talk.ours = Some(ix);
                self.peers.get_mut(ix).held += 1;
            }
            self.plain_typed(ix);
            self.take_intents(ix, dial, out);
            let Some(plain) = &mut self.peers.get_mut(ix).plain else { return };
            if plain.busy.is_some() || plain.queue.is_empty() {
                // Its queue is being said on another connection, or there is nothing to say.
                return self.fail(id, Why::Closed, out);
            }
            plain.busy = Some(id);
        }
        self.plain_open(id);
    }

    /// Everything written on a plain connection of ours is with the other side's system.
    pub(in crate::node) fn plain_flushed(&mut self, id: LinkId, out: &mut Vec<Effect>) {
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
    pub(in crate::node) fn plain_lingered(&mut self, id: LinkId, out: &mut Vec<Effect>) {
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
    pub(in crate::node) fn plain_closed(&mut self, id: LinkId, conn: Conn, why: Why, out: &mut Vec<Effect>) {
        if let Some((due, _)) = conn.talk.answer {
            self.timers.remove(&(due, Timer::Answer(id)));
        }
        if matches!(why, Why::Protocol | Why::Broken | Why::Full | Why::Limit(_)) {
            self.refused(conn.remote, why, out);
        }
        let clean = matches!(why, Why::Eof | Why::Closed);
        if let Some(ix) = conn.talk.ours {
            if let Some(plain) = &mut self.peers.get_mut(ix).plain
                && plain.busy == Some(id)
            {
                plain.busy = None;
            }
            let all_out = conn.waiting() == 0;
            self.plain_said(ix, conn.talk.said, if clean && all_out { Ok(()) } else { Err(why) }, out);
            if conn.link.is_none() || !clean || conn.talk.stage == Stage::Opening {
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

    pub(in crate::node) fn answer_due(&mut self, id: LinkId) {
        if let Some(conn) = self.links.get_mut(&id)
            && let Some((_, bytes)) = conn.talk.answer.take()
            && let Some(link) = &mut conn.link
        {
            link.say_plain(&bytes);
            self.mark_dirty(id);
        }
    }

    pub(super) fn plain_active(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        let peer = self.peers.get_mut(ix);
        if let Some(plain) = &mut peer.plain {
            plain.parted = false;
        }
        if peer.is_connected() || peer.listens.is_none() {
            return;
        }
        peer.state = PeerState::Connected;
        let (listens, who) = (peer.listens, self.peers.who(ix));
        self.emit(What::Joined { who, listens, dialled: false }, out);
    }

    pub(super) fn plain_left(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        if self.peers.get(ix).is_connected() {
            self.leave_peer(ix, false, out);
        }
    }

    /// No time is left: what could not be said has failed, and nothing stays open.
    pub(in crate::node) fn plain_unsaid(&mut self, out: &mut Vec<Effect>) {
        let ours = self.links.iter().filter(|(_, conn)| conn.talk.is_ours());
        let ours: Vec<_> = ours.map(|(id, conn)| (*id, conn.talk.ours, conn.talk.linger.is_some())).collect();
        for (id, ix, is_out) in ours {
            self.fail(id, if is_out { Why::Closed } else { Why::TimedOut }, out);
            if let Some(ix) = ix {
                self.plain_lost(ix, Why::TimedOut, out);
            }
        }
    }

    /// It cannot be reached: what waits for it has failed.
    pub(super) fn plain_lost(&mut self, ix: PeerIx, why: Why, out: &mut Vec<Effect>) {
        let Some(plain) = &mut self.peers.get_mut(ix).plain else { return };
        for saying in std::mem::take(&mut plain.queue) {
            self.plain_said(ix, Some((saying.seq, true, saying.request)), Err(why), out);
        }
        let peer = self.peers.get_mut(ix);
        if peer.is_connected() {
            peer.state = PeerState::Lost;
            if !self.waiting_to_leave() {
                self.emit(What::Lost { who: self.peers.who(ix), why }, out);
                self.peer_away(ix);
            }
        }
    }
}

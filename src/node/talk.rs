//! What native peers say, and what it changes: hellos, texts, acknowledgements, pings, goodbyes.
//! Knows nothing of plain text or of dialling.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::Dialect;
use crate::api::event::{Message as Heard, What};
use crate::api::reply::{PeerState, Reply};
use crate::id::{LinkId, MessageId, Name, PeerId, RequestId};
use crate::key::PeerKey;
use crate::limits;
use crate::limits::doors;
use crate::node::Node;
use crate::node::delivery::{Arrival, Outbox, Resumed};
use crate::node::io::Effect;
use crate::node::keep::Mark;
use crate::node::peer::Peer;
use crate::node::peers::PeerIx;
use crate::node::record::Record;
use crate::node::shelter;
use crate::node::waiting::{PONG, Waiting};
use crate::planted::{self, Planted};
use crate::text::{Body, Untrusted};
use crate::why::Why;
use crate::wire::message::{Bye, Message};

impl Node {
    /// A run of messages on a link.
    pub(super) fn hear(&mut self, id: LinkId, mut run: &[u8], out: &mut Vec<Effect>) {
        while !run.is_empty() {
            let rest = run;
            let taken = shelter::read(self.config.sheltered, || {
                shelter::breaks(run, "break the run");
                Message::take(&mut run)
            });
            let heard = taken.map_or(Err(Why::Broken), |message| message.map_err(|_| Why::Protocol));
            let Some(conn) = self.links.get_mut(&id) else { return };
            let Some(ix) = conn.peer else { return };
            if conn.resumes.is_some() {
                return conn.held.extend_from_slice(rest);
            }
            let spoken = conn.greeted && matches!(heard, Ok(Message::Chat { .. } | Message::Rename { .. }));
            if spoken && self.has_to_wait(id, ix) {
                return self.hold(id, ix, rest, out);
            }
            let Some(conn) = self.links.get_mut(&id) else { return };
            let peer = self.peers.get(ix);
            let done = match heard {
                Ok(Message::Chat { .. })
                    if conn.greeted && (conn.stream != peer.inbox.epoch() || conn.life != peer.life) =>
                {
                    // Of a stream that has ended; it comes again in the later one. Or its program has
                    // begun anew since, and heard from us what we had then: whatever it still has comes
                    // again; of the rest it knows nothing, and may count other messages so.
                    conn.stale += 1;
                    if conn.stale > limits::WINDOW_MESSAGES { Err(Why::Protocol) } else { Ok(()) }
                }
                Ok(Message::Chat { seq, id: name, auto, text }) if conn.greeted => {
                    (conn.cheap, conn.pings) = (0, 0);
                    self.chat(ix, seq, MessageId(name), auto, text, out)
                }
                Ok(other) => self.message(id, ix, other, out),
                Err(why) => Err(why),
            };
            if let Err(why) = done {
                return self.fail(id, why, out);
            }
        }
    }

    fn message(
        &mut self,
        id: LinkId,
        ix: PeerIx,
        message: Message<'_>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Why> {
        let Some(conn) = self.links.get_mut(&id) else { return Ok(()) };
        if conn.greeted == matches!(message, Message::Hello { .. }) {
            return Err(Why::Protocol);
        }
        let (count, most) = match message {
            Message::Ping { .. } => (&mut conn.pings, doors::PINGS_IN_A_ROW),
            _ => (&mut conn.cheap, doors::CHEAP_MAX),
        };
        *count += 1;
        if *count > most {
            return Err(Why::Protocol);
        }
        match message {
            Message::Hello { name, port, passing, epoch, base, have, life } => {
                conn.greeted = true;
                (conn.stream, conn.life) = (epoch, life);
                let place = conn.remote.filter(|_| port > 0).map(|remote| SocketAddr::new(remote.ip(), port));
                self.rename_peer(ix, name, out);
                let peer = self.peers.get_mut(ix);
                (peer.passing, peer.life) = (passing, life);
                peer.listens = place.or(peer.listens);
                let (key, claims) = (peer.key(), peer.claims);
                if let (Some(pinned), Some(key)) = (self.usurped(id, ix, claims), key) {
                    // Nothing was ever said to it, and nobody can mean it.
                    self.peers.get_mut(ix).listens = None;
                    self.peers.set_gone(ix, true);
                    self.refuse_key(id, pinned, key, out);
                    return Ok(());
                }
                if !id.is_dialled() {
                    self.greet(id, ix);
                }
                self.begin_stream(ix, epoch, base, out);
                match self.peers.get_mut(ix).outbox.resume(have) {
                    Resumed::Same => {}
                    Resumed::Delivered(first, last) => self.delivered(ix, Some((first, last)), out),
                    Resumed::Conflict if planted::is(Planted::ConflictIgnored) => {}
                    Resumed::Conflict => self.renumber(ix, have.map_or(0, |have| have.epoch), out)?,
                }
                self.usable(id, ix, place, out);
            }
            // Only before the hello, which the check above has refused.
            Message::Chat { .. } => return Err(Why::Protocol),
            Message::Ack { epoch, seq } => {
                let was_sent = self.peers.get(ix).outbox.was_sent(epoch, seq);
                self.counters.false_receipts += u64::from(!was_sent);
                let news = self.peers.get_mut(ix).outbox.acknowledge(epoch, seq);
                if news.is_some() {
                    (conn.cheap, conn.pings) = (0, 0);
                }
                self.delivered(ix, news, out);
            }
            // Whoever asks and does not read gets no more answers than fit its queue.
            Message::Ping { .. } if conn.waiting() >= limits::SEND_QUEUE_MAX => {}
            Message::Ping { nonce } => self.say(id, &Message::Pong { nonce }),
            Message::Pong { nonce } => {
                let latest = conn.ping.take_if(|(expected, _)| *expected == nonce);
                let rtt = latest.map(|(_, left)| self.now.mono.since(left));
                // Another ping may have left after the one that somebody waits for.
                if let Some(rtt) = rtt.or_else(|| self.pinged_for(nonce)) {
                    self.peers.get_mut(ix).rtt = Some(rtt);
                    self.pong(ix, nonce, rtt, out);
                }
            }
            Message::Bye { reason } => self.bye(id, ix, reason, out),
            Message::Rename { name } => self.rename_peer(ix, name, out),
            Message::Stream { epoch, base } => {
                (conn.stream, conn.stale) = (epoch, 0);
                self.begin_stream(ix, epoch, base, out);
            }
            Message::Optional { .. } => {}
        }
        Ok(())
    }

    fn chat(
        &mut self,
        ix: PeerIx,
        seq: u64,
        id: MessageId,
        auto: bool,
        text: &str,
        out: &mut Vec<Effect>,
    ) -> Result<(), Why> {
        let peer = self.peers.get_mut(ix);
        let arrival = peer.inbox.arrive(seq, id);
        match arrival {
            Arrival::Gap => return Err(Why::Protocol),
            Arrival::Repeat | Arrival::Conflict => {
                self.counters.repeated += u64::from(arrival == Arrival::Repeat);
                self.counters.conflicts += u64::from(arrival == Arrival::Conflict);
                self.make_ready(ix);
                return Ok(());
            }
            Arrival::New => {}
        }
        peer.heard = Some(self.now.mono);
        peer.received += 1;
        self.counters.received += 1;
        let (PeerId::Native(from), epoch) = (peer.id, peer.inbox.epoch()) else { return Err(Why::Protocol) };
        let (ignored, doubtful) = (peer.ignored, peer.inbox.is_doubtful());
        let text = Untrusted::new(Body::new(text).map_err(|_| Why::Protocol)?);
        let at = self.now.wall;
        self.save(ix, || Record::Received { from, epoch, seq, id, text: text.clone(), auto, at });
        self.last_writer = Some(PeerId::Native(from));
        if planted::is(Planted::BroadcastStorm)
            && let Ok(text) = Body::new(text.expose())
        {
            let _ = self.broadcast(RequestId(0), &text, auto, out);
        }
        if ignored {
            self.counters.ignored += 1;
        } else {
            let (who, dialect) = (self.peers.who(ix), Dialect::Native);
            let message = Heard { from: who, seq, id: Some(id), text, auto, dialect, claim: None };
            if doubtful {
                self.once_saved(Mark::Doubted { from, id, message: Box::new(message) });
            } else {
                self.emit(What::Message(message), out);
            }
        }
        Ok(())
    }

    /// The peer's stream to us is called so and begins there, as far as we can still have it.
    fn begin_stream(&mut self, ix: PeerIx, epoch: u64, base: u64, out: &mut Vec<Effect>) {
        let count = self.peers.get_mut(ix).inbox.begin(epoch, base);
        if count > 0 {
            self.emit(What::Missed { from: self.peers.who(ix), count }, out);
        }
    }

    /// The peer has what we do not remember to have sent: what waits for it goes by a new stream, and
    /// whatever of it the peer has already it knows by name.
    fn renumber(&mut self, ix: PeerIx, known: u64, out: &mut Vec<Effect>) -> Result<(), Why> {
        let peer = self.peers.get_mut(ix);
        let latest = known.max(peer.outbox.epoch());
        let epoch = latest.checked_add(1).ok_or(Why::Protocol)?;
        peer.outbox.renumber(epoch);
        if let Some(to) = peer.key() {
            self.save(ix, || Record::Renumbered { to, epoch });
        }
        self.emit(What::SetBack { by: self.peers.who(ix) }, out);
        Ok(())
    }

    fn delivered(&mut self, ix: PeerIx, news: Option<(u64, u64)>, out: &mut Vec<Effect>) {
        let Some((first, last)) = news else { return };
        let peer = self.peers.get(ix);
        let PeerId::Native(to) = peer.id else { return };
        let epoch = peer.outbox.epoch();
        self.counters.delivered += last + 1 - first;
        self.recount_outboxes(ix);
        self.save_fact(|| Record::Delivered { to, epoch, seq: last });
        self.emit(What::Delivered { to: self.peers.who(ix), first, last }, out);
        self.make_ready(ix);
    }

    fn bye(&mut self, id: LinkId, ix: PeerIx, reason: Bye, out: &mut Vec<Effect>) {
        // The other link's hello may still be on its way.
        let others = self.links.iter().any(|(other, conn)| *other != id && conn.peer == Some(ix));
        if !(reason == Bye::Duplicate && others) && self.peers.get(ix).is_connected() {
            self.leave_peer(ix, false, out);
            self.stop_reaching(ix);
            let peer = self.peers.get(ix);
            if reason == Bye::Leaving && peer.passing {
                self.give_up(ix, Why::Left, out);
            }
            self.peer_away(ix);
        }
        // Its other links, if any, end the same way when their own goodbye or end comes.
        self.fail(id, Why::Closed, out);
    }

    /// The peer is no longer connected, by somebody's wish.
    pub(super) fn leave_peer(&mut self, ix: PeerIx, ours: bool, out: &mut Vec<Effect>) {
        if !planted::is(Planted::StalePeer) {
            self.peers.get_mut(ix).state = PeerState::Left;
        }
        self.peers.get_mut(ix).wanted = false;
        self.remember(ix);
        self.emit(What::Left { who: self.peers.who(ix), ours }, out);
    }

    fn rename_peer(&mut self, ix: PeerIx, claimed: &str, out: &mut Vec<Effect>) {
        let PeerId::Native(key) = self.peers.get(ix).id else { return };
        let (before, name) = (self.peers.get(ix).claims, Name::claimed(claimed, &key.short()));
        self.peers.rename(ix, name);
        if before != name && self.peers.get(ix).is_connected() {
            self.remember(ix);
        }
        if before != name && self.peers.get(ix).is_connected() {
            self.emit(What::Renamed { who: self.peers.who(ix), before }, out);
        }
    }

    /// Asks a peer whether it is alive, and how long the way is.
    pub(super) fn ping(&mut self, id: LinkId) -> u64 {
        let nonce = self.rng.next_u64();
        if let Some(conn) = self.links.get_mut(&id) {
            conn.ping = Some((nonce, self.now.mono));
        }
        self.say(id, &Message::Ping { nonce });
        nonce
    }

    /// How long somebody has waited for the pong with this nonce.
    fn pinged_for(&self, nonce: u64) -> Option<Duration> {
        self.waiting.values().find_map(|waiting| match waiting {
            Waiting::Pong { nonce: n, until, .. } if *n == nonce => {
                Some(PONG.saturating_sub(until.since(self.now.mono)))
            }
            _ => None,
        })
    }

    fn pong(&mut self, ix: PeerIx, nonce: u64, rtt: Duration, out: &mut Vec<Effect>) {
        let asked = |waiting: &Waiting| matches!(waiting, Waiting::Pong { nonce: n, .. } if *n == nonce);
        let found = self.waiting.iter().find(|(_, waiting)| asked(waiting)).map(|(request, _)| *request);
        if let Some(request) = found {
            self.stop_waiting(request);
            self.answer(request, Ok(Reply::Pong(self.peers.who(ix), rtt)), out);
        }
    }

    /// The peer with this key, met before or now.
    pub(super) fn native_peer(&mut self, key: PeerKey) -> PeerIx {
        let id = PeerId::Native(key);
        if let Some(ix) = self.peers.find(id) {
            return ix;
        }
        let epoch = self.first_epoch();
        self.peers.add(Peer::new(id, Name::claimed("", &key.short()), Outbox::new(epoch)))
    }

    /// The name of a stream that nothing was said in yet; there are as many greater ones.
    pub(super) fn first_epoch(&mut self) -> u64 {
        (self.rng.next_u64() >> 1).max(1)
    }
}

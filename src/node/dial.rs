//! Whom we dial and when: once because somebody asked, or again and again for an address that is
//! kept or a peer that messages wait for, with pauses that double. Decides what an attempt's end
//! means for those who wait for it; knows nothing of what is said on the link.

use std::time::Duration;

use crate::addr::Address;
use crate::api::command::{CommandError, Dialect};
use crate::api::event::What;
use crate::api::reply::Reply;
use crate::id::{LinkId, PeerId, RequestId};
use crate::limits;
use crate::node::io::Effect;
use crate::node::links::Conn;
use crate::node::peer::Peer;
use crate::node::peers::{PeerIx, Peers};
use crate::node::{Node, Timer};
use crate::text::Body;
use crate::time::Mono;
use crate::why::Why;

/// An attempt to reach an address.
pub(super) struct Dial {
    pub(super) to: Address,
    pub(super) dialect: Dialect,
    /// The address has shown that it is plain, so it need not be probed.
    pub(super) known_plain: bool,
    pub(super) intents: Vec<Intent>,
    /// The same, of those who asked when it was under way: that it fails says nothing to them, as it
    /// may have begun before what they saw.
    pub(super) later: Vec<Intent>,
}

/// Why it is dialled.
pub(super) enum Intent {
    /// To be connected.
    Connect(RequestId),
    /// To be connected, as one of all known.
    Known(RequestId, PeerId),
    /// To say something there.
    Send { request: RequestId, text: Body, auto: bool },
    /// To keep it connected.
    Keep,
}

/// An address that is dialled until it answers.
pub(super) struct Redial {
    address: Address,
    /// Who answered there, or for whom messages wait.
    peer: Option<PeerId>,
    /// Forever, not only until nothing waits.
    kept: bool,
    /// Because it was connected when we were last here; until somebody parts.
    recalled: bool,
    /// Whoever asked to keep it, until the first attempt has ended.
    requests: Vec<RequestId>,
    pause: Duration,
    due: Option<Mono>,
    since: Option<Mono>,
    reported: bool,
    /// Nobody has asked for it in this run.
    quiet: bool,
}

impl Node {
    /// Dials `to`, or joins an attempt that is under way.
    pub(super) fn dial(&mut self, to: &Address, dialect: Dialect, intent: Intent, out: &mut Vec<Effect>) {
        let under_way = self.links.values_mut().filter(|conn| !conn.greeted && !conn.talk.is_ours());
        let same = under_way.filter_map(|conn| conn.dial.as_mut());
        if let Some(dial) = same.into_iter().find(|dial| dial.to == *to && dial.dialect == dialect) {
            let keeps = |other: &Intent| matches!(other, Intent::Keep);
            match intent {
                Intent::Keep if dial.intents.iter().any(keeps) => {}
                intent if matches!(intent, Intent::Keep) || dialect == Dialect::Plain => {
                    dial.intents.push(intent);
                }
                intent => dial.later.push(intent),
            }
            return;
        }
        let known_plain = dialect == Dialect::Plain && (!self.config.probes || self.is_known_plain(to));
        let dial = Dial { to: to.clone(), dialect, known_plain, intents: vec![intent], later: Vec::new() };
        let link = self.dial_link(dial);
        out.push(Effect::Dial { link, to: to.clone() });
    }

    /// Names a stream that is to be dialled.
    pub(super) fn dial_link(&mut self, dial: Dial) -> LinkId {
        self.dials += 1;
        let link = LinkId::dialled(self.dials);
        self.links.insert(link, Conn::new(Some(dial)));
        link
    }

    /// Keeps an address connected from now on.
    pub(super) fn keep(&mut self, address: Address, request: RequestId, out: &mut Vec<Effect>) {
        let mut dialect = self.config.dialect;
        if let Some(redial) = self.redials.iter_mut().find(|redial| redial.address == address) {
            (redial.kept, redial.recalled) = (true, false);
            let peer = redial.peer.and_then(|id| self.peers.find(id));
            if let Some(ix) = peer.filter(|&ix| self.peers.get(ix).is_connected()) {
                return self.answer(request, Ok(Reply::Kept(Ok(self.peers.who(ix)))), out);
            }
            redial.requests.push(request);
            dialect = redial.dialect(&self.peers).unwrap_or(dialect);
        } else {
            self.redials.push(Redial::new(address.clone(), None, true, Some(request)));
        }
        self.dial(&address, dialect, Intent::Keep, out);
    }

    /// A peer is away: whatever reason there is to reach it again takes effect.
    pub(super) fn peer_away(&mut self, ix: PeerIx) {
        let (id, waiting) = (self.peers.get(ix).id, self.peers.get(ix).outbox.len());
        let now = self.now.mono;
        if let Some(redial) = self.redials.iter_mut().find(|redial| redial.peer == Some(id)) {
            if redial.since.is_some_and(|since| now.since(since) >= limits::REDIAL_RESET) {
                redial.pause = limits::REDIAL_MIN;
            }
            redial.since = None;
            self.schedule(id);
        } else if waiting > 0 {
            // After a pause, or one that comes and goes would be dialled without end.
            self.reach_later(ix);
            self.schedule(id);
        }
    }

    /// Something waits for a peer that is not connected: dials it, now and later.
    pub(super) fn reach(&mut self, ix: PeerIx, out: &mut Vec<Effect>) {
        let peer = self.peers.get(ix);
        let (id, Some(place)) = (peer.id, peer.place()) else { return };
        if peer.changed.is_some() {
            return;
        }
        let address = Address::from(place);
        if let Some(redial) = self.redials.iter_mut().find(|redial| redial.peer == Some(id)) {
            // Whoever was only looked for is asked for now: that it is not there is no silent matter.
            if std::mem::take(&mut redial.quiet) {
                redial.reported = false;
                if redial.due.take().is_some() {
                    let address = redial.address.clone();
                    self.dial(&address, Dialect::Native, Intent::Keep, out);
                }
            }
            return;
        }
        self.redials.push(Redial::new(address.clone(), Some(id), false, None));
        self.dial(&address, Dialect::Native, Intent::Keep, out);
    }

    /// Something was said to a peer from which we are parting: it is connected to once more after that.
    pub(super) fn reach_later(&mut self, ix: PeerIx) {
        let peer = self.peers.get(ix);
        let (id, Some(place)) = (peer.id, peer.place()) else { return };
        if !self.redials.iter().any(|redial| redial.peer == Some(id)) {
            self.redials.push(Redial::new(Address::from(place), Some(id), false, None));
        }
    }

    /// We have parted from a peer, and before that forgot every reason to reach it: what there is now
    /// was asked for later.
    pub(super) fn reach_again(&mut self, ix: PeerIx) {
        self.schedule(self.peers.get(ix).id);
    }

    /// Whoever was connected to us when we were last here is looked for, and whoever something waits
    /// for. Many at once would be a storm, so each has its own moment.
    pub(super) fn recall(&mut self, out: &mut Vec<Effect>) {
        let is_missed = |peer: &Peer| {
            let waits = peer.outbox.len() > 0;
            !peer.gone && !peer.id.is_plain() && (waits || peer.wanted && self.config.recalls)
        };
        let missed: Vec<_> =
            self.peers.iter().filter(|(_, peer)| is_missed(peer)).map(|(ix, _)| ix).collect();
        for (nth, ix) in missed.into_iter().enumerate() {
            let peer = self.peers.get(ix);
            if peer.outbox.len() > 0 {
                self.watch_age();
            }
            let peer = self.peers.get(ix);
            let (id, wanted, Some(place)) = (peer.id, peer.wanted, peer.place()) else { continue };
            let address = Address::from(place);
            let recalled = wanted && self.config.recalls;
            let mut redial = Redial::new(address.clone(), Some(id), recalled, None);
            redial.recalled = recalled;
            // Nobody has asked for it, so nobody is told that it is not there.
            (redial.reported, redial.quiet) = (true, true);
            if nth < RECALL_AT_ONCE {
                self.redials.push(redial);
                self.dial(&address, Dialect::Native, Intent::Keep, out);
            } else {
                let due = self.now.mono.plus(RECALL_PAUSE * u32::try_from(nth).unwrap_or(u32::MAX));
                redial.due = Some(due);
                self.redials.push(redial);
                self.timers.insert((due, Timer::Redial));
            }
        }
    }

    /// Whoever last answered at an address that is dialled again and again.
    pub(super) fn redialled(&self, address: &Address) -> Option<PeerIx> {
        let redial = self.redials.iter().find(|redial| redial.address == *address)?;
        self.peers.find(redial.peer?)
    }

    /// Stops reaching for a peer, unless somebody wants its address to be kept for ever.
    pub(super) fn stop_reaching(&mut self, ix: PeerIx) {
        let id = self.peers.get(ix).id;
        self.redials.retain(|redial| redial.peer != Some(id) || redial.kept && !redial.recalled);
    }

    /// Stops reaching for a peer.
    pub(super) fn stop_redial(&mut self, ix: PeerIx) {
        let id = self.peers.get(ix).id;
        self.redials.retain(|redial| redial.peer != Some(id));
    }

    /// A dialled link has become a peer that can be talked to.
    pub(super) fn dial_succeeded(&mut self, link: LinkId, ix: PeerIx, out: &mut Vec<Effect>) {
        let Some(dial) = self.links.get_mut(&link).and_then(|conn| conn.dial.take()) else {
            return self.redial_answered(ix, None, out);
        };
        let who = self.peers.who(ix);
        if self.peers.get(ix).listens.is_none() {
            self.peers.get_mut(ix).listens = dial.to.socket();
        }
        self.redial_answered(ix, Some(&dial.to), out);
        for intent in dial.intents.into_iter().chain(dial.later) {
            match intent {
                Intent::Connect(request) => {
                    self.answer(request, Ok(Reply::Connected { who, already: false }), out);
                }
                Intent::Known(request, _) => self.known_tried(request, Some(ix), Ok(()), out),
                Intent::Send { request, text, auto } => match self.check_room(ix) {
                    Ok(()) => self.queue(request, ix, text, auto, out),
                    Err(error) => self.answer(request, Err(error), out),
                },
                Intent::Keep => {}
            }
        }
    }

    /// An attempt has failed; everybody who waited for it is told, or has another.
    pub(super) fn dial_failed(&mut self, mut dial: Dial, why: Why, out: &mut Vec<Effect>) {
        let mut later = std::mem::take(&mut dial.later);
        if self.waiting_to_leave() || why == Why::KeyChanged || why == Why::Ourselves {
            dial.intents.append(&mut later);
        }
        for intent in later {
            self.dial(&dial.to, dial.dialect, intent, out);
        }
        for intent in dial.intents {
            match intent {
                Intent::Connect(request) | Intent::Send { request, .. } => {
                    let at = dial.to.to_string();
                    self.answer(request, Err(CommandError::Unreachable { at, why }), out);
                }
                Intent::Known(request, id) => {
                    let ix = self.peers.find(id);
                    self.known_tried(request, ix, Err(why), out);
                }
                Intent::Keep => self.redial_failed(&dial.to, why, out),
            }
        }
    }

    pub(super) fn redial_due(&mut self, out: &mut Vec<Effect>) {
        let now = self.now.mono;
        let mut due = Vec::new();
        self.redials.retain_mut(|redial| {
            if redial.due.is_none_or(|at| at > now) {
                return true;
            }
            redial.due = None;
            let peer = redial.peer.and_then(|id| self.peers.find(id)).map(|ix| self.peers.get(ix));
            let wanted = redial.kept || peer.is_some_and(|peer| peer.outbox.len() > 0 && !peer.gone);
            let connected = peer.is_some_and(|peer| peer.is_connected());
            if wanted && !connected {
                let dialect = redial.dialect(&self.peers).unwrap_or(self.config.dialect);
                due.push((redial.address.clone(), dialect));
            }
            wanted
        });
        for (address, dialect) in due {
            self.dial(&address, dialect, Intent::Keep, out);
        }
    }

    /// A peer is there, at the address that was dialled if it was: nobody need reach for it now.
    pub(super) fn redial_answered(&mut self, ix: PeerIx, address: Option<&Address>, out: &mut Vec<Effect>) {
        let id = self.peers.get(ix).id;
        let who = self.peers.who(ix);
        let mut asked = Vec::new();
        self.redials.retain_mut(|redial| {
            if redial.peer == Some(id) || Some(&redial.address) == address {
                redial.peer = Some(id);
                redial.due = None;
                redial.since = Some(self.now.mono);
                (redial.reported, redial.quiet) = (false, false);
                asked.append(&mut redial.requests);
                return redial.kept;
            }
            true
        });
        for request in asked {
            self.answer(request, Ok(Reply::Kept(Ok(who))), out);
        }
    }

    fn redial_failed(&mut self, address: &Address, why: Why, out: &mut Vec<Effect>) {
        let Some(at) = self.redials.iter().position(|redial| redial.address == *address) else { return };
        // Whoever is kept by another address of its own, or is ourselves, will never answer here.
        if why == Why::Ourselves {
            let redial = self.redials.remove(at);
            for request in redial.requests {
                self.answer(request, Ok(Reply::Kept(Err(why))), out);
            }
            return self.emit(What::Unreachable { who: None, at: address.clone(), why, retry: None }, out);
        }
        let wait = self.jittered(self.redials[at].pause);
        let redial = &mut self.redials[at];
        redial.pause = (redial.pause * 2).min(limits::REDIAL_MAX);
        let due = self.now.mono.plus(wait);
        redial.due = Some(due);
        let (first, requests) =
            (!std::mem::replace(&mut redial.reported, true), std::mem::take(&mut redial.requests));
        self.timers.insert((due, Timer::Redial));
        for request in requests {
            self.answer(request, Ok(Reply::Kept(Err(why))), out);
        }
        if first {
            let who = self.redialled(address).map(|ix| self.peers.who(ix));
            self.emit(What::Unreachable { who, at: address.clone(), why, retry: Some(wait) }, out);
        }
    }

    fn schedule(&mut self, id: PeerId) {
        let Some(at) = self.redials.iter().position(|redial| redial.peer == Some(id)) else { return };
        let due = self.now.mono.plus(self.jittered(self.redials[at].pause));
        self.redials[at].due = Some(due);
        self.timers.insert((due, Timer::Redial));
    }

    /// `pause` ± 50 %, so that those who lost the same switch do not come back in step.
    fn jittered(&mut self, pause: Duration) -> Duration {
        pause / 2 + pause * u32::try_from(self.rng.below(1_001)).unwrap_or(0) / 1_000
    }
}

/// Peers that are looked for at once when a node starts, and the pause between the others.
const RECALL_AT_ONCE: usize = 16;
const RECALL_PAUSE: Duration = Duration::from_millis(20);

impl Redial {
    /// Whether it is what a timer of that time was set for; it may have been put off since, or be done.
    pub(super) fn is_due_at(&self, at: Mono) -> bool {
        self.due == Some(at)
    }

    fn new(address: Address, peer: Option<PeerId>, kept: bool, request: Option<RequestId>) -> Self {
        let (pause, due, since) = (limits::REDIAL_MIN, None, None);
        let requests = request.into_iter().collect();
        Self {
            address,
            peer,
            kept,
            recalled: false,
            requests,
            pause,
            due,
            since,
            reported: false,
            quiet: false,
        }
    }

    /// What is spoken there, if whoever answered there can still be meant.
    fn dialect(&self, peers: &Peers) -> Option<Dialect> {
        let peer = peers.get(peers.find(self.peer?)?);
        (!peer.gone).then(|| peer.dialect())
    }
}

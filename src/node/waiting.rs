//! Commands whose effect is still to come, and our own end, which is the longest of them: first what
//! can be delivered is, then goodbyes are said, then nothing is left open.

use std::time::Duration;

use crate::api::command::CommandError;
use crate::api::event::{What, Who};
use crate::api::reply::Reply;
use crate::id::{Name, RequestId};
use crate::limits;
use crate::node::io::Effect;
use crate::node::peer::Peer;
use crate::node::peers::PeerIx;
use crate::node::{Node, Timer};
use crate::time::Mono;
use crate::why::Why;
use crate::wire::message::Bye;

/// A command whose effect is still to come.
pub(super) enum Waiting {
    /// A pong with this nonce.
    Pong { nonce: u64, from: Name, until: Mono },
    /// This many of the known peers are still being tried.
    Known { left: usize, connected: Vec<Who>, failed: Vec<(Who, Why)> },
    /// A goodbye to these: first what can be delivered is.
    Part { whom: Vec<PeerIx>, until: Mono },
    /// Our own end: first what can be delivered is, then goodbyes are said.
    Leave { parted: bool, until: Mono },
}

/// Longest wait for a pong.
pub(super) const PONG: Duration = Duration::from_secs(5);

impl Node {
    pub(super) fn wait(&mut self, request: RequestId, until: Mono, waiting: Waiting) {
        self.timers.insert((until, Timer::Waiting(request)));
        self.waiting.insert(request, waiting);
    }

    pub(super) fn stop_waiting(&mut self, request: RequestId) {
        if let Some(
            Waiting::Pong { until, .. } | Waiting::Leave { until, .. } | Waiting::Part { until, .. },
        ) = self.waiting.remove(&request)
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
            Some(Waiting::Part { .. }) => self.part_from(request, out),
            Some(Waiting::Leave { parted: false, .. }) => self.part_all(request, out),
            Some(Waiting::Leave { parted: true, .. }) => {
                self.plain_unsaid(out);
                self.waiting.remove(&request);
                self.answer(request, Ok(Reply::Goodbye), out);
            }
            Some(Waiting::Known { .. }) | None => {}
        }
    }

    pub(super) fn waiting_to_leave(&self) -> bool {
        self.waiting.values().any(|waiting| matches!(waiting, Waiting::Leave { .. }))
    }

    /// Says the goodbyes to single peers with whom nothing is left to do: what was said to them is
    /// delivered, and what they said is acknowledged, or it would come again on the next link.
    pub(super) fn part_when_done(&mut self, out: &mut Vec<Effect>) {
        let owes = |ix: &PeerIx| {
            let peer = self.peers.get(*ix);
            peer.is_connected() && (peer.outbox.len() > 0 || peer.unsaved || peer.saving)
        };
        let is_done = |(request, waiting): (&RequestId, &Waiting)| match waiting {
            Waiting::Part { whom, .. } if !whom.iter().any(owes) => Some(*request),
            _ => None,
        };
        let done: Vec<_> = self.waiting.iter().filter_map(is_done).collect();
        done.into_iter().for_each(|request| self.part_from(request, out));
    }

    /// Whether a goodbye to this peer waits for what is still to be delivered.
    pub(super) fn is_parting(&self, ix: PeerIx) -> bool {
        self.waiting
            .values()
            .any(|waiting| matches!(waiting, Waiting::Part { whom, .. } if whom.contains(&ix)))
    }

    /// Closes what is open with the peers of a waiting goodbye, and answers it.
    fn part_from(&mut self, request: RequestId, out: &mut Vec<Effect>) {
        let Some(Waiting::Part { whom, .. }) = self.waiting.get(&request) else { return };
        let whom = whom.clone();
        self.stop_waiting(request);
        let told = whom.iter().map(|&ix| self.peers.who(ix)).collect();
        for ix in whom {
            if self.peers.get(ix).id.is_plain() {
                self.plain_exit(ix, out);
            }
            self.leave_peer(ix, true, out);
            let links: Vec<_> =
                self.links.iter().filter(|(_, conn)| conn.peer == Some(ix)).map(|(id, _)| *id).collect();
            for link in links {
                self.part(link, Bye::Disconnecting, out);
            }
            self.reach_again(ix);
        }
        self.answer(request, Ok(Reply::Disconnected(told)), out);
    }

    /// When we are leaving: says goodbye as soon as nothing is left to deliver, and has left once
    /// the goodbyes are said.
    pub(super) fn leave_when_done(&mut self, out: &mut Vec<Effect>) {
        let leaving = |(request, waiting): (&RequestId, &Waiting)| match waiting {
            Waiting::Leave { parted, .. } => Some((*request, *parted)),
            Waiting::Pong { .. } | Waiting::Known { .. } | Waiting::Part { .. } => None,
        };
        let Some((request, parted)) = self.waiting.iter().find_map(leaving) else { return };
        if !parted {
            // What was received and not acknowledged yet would come again, or count as undelivered.
            let unsaved = !self.all_saved();
            let undelivered = |peer: &Peer| peer.is_connected() && peer.outbox.len() > 0;
            if unsaved || self.peers.iter().any(|(_, peer)| undelivered(peer)) {
                return;
            }
            self.part_all(request, out);
        }
        if self.links.is_empty() {
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
        let unsaid: Vec<_> =
            self.peers.iter().filter(|(_, peer)| peer.outbox.len() > 0).map(|(ix, _)| ix).collect();
        for ix in unsaid {
            if self.config.passing {
                self.give_up(ix, Why::Closed, out);
            } else {
                let count = self.peers.get(ix).outbox.len();
                self.emit(What::Kept { to: self.peers.who(ix), count }, out);
            }
        }
        self.emit(What::Leaving, out);
    }
}

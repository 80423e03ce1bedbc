//! Who is known: names, aliases, where they listen, whether they can be talked to. Decides who a
//! reference means, and never guesses: two of one name are refused. Knows no streams.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::addr::Address;
use crate::api::command::{CommandError, PeerRef};
use crate::api::event::Who;
use crate::api::reply::PeerRow;
use crate::id::{Name, PeerId};
use crate::limits::PEERS_MAX;
use crate::node::peer::Peer;
use crate::text::escape_display;
use crate::time::Mono;

/// A peer's place in [`Peers`]; stays the same while the node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PeerIx(usize);

/// Everybody ever met.
#[derive(Default)]
pub(super) struct Peers {
    list: Vec<Peer>,
    by_id: BTreeMap<PeerId, PeerIx>,
    by_name: BTreeMap<Name, Vec<PeerIx>>,
    /// Those to forget next, the first last, and when they had been heard of.
    stale: Vec<(PeerIx, Option<Mono>)>,
}

impl Peers {
    pub(super) fn get(&self, ix: PeerIx) -> &Peer {
        &self.list[ix.0]
    }

    pub(super) fn get_mut(&mut self, ix: PeerIx) -> &mut Peer {
        &mut self.list[ix.0]
    }

    pub(super) fn find(&self, id: PeerId) -> Option<PeerIx> {
        self.by_id.get(&id).copied()
    }

    /// Remembers a peer; when there are too many, in the place of one that nothing depends on: a plain
    /// one before any that can prove who it is, and of those the one heard of least lately.
    pub(super) fn add(&mut self, peer: Peer) -> PeerIx {
        let (id, name) = (peer.id, peer.name());
        let ix = match self.forgettable() {
            Some(ix) => {
                let old = std::mem::replace(self.get_mut(ix), peer);
                self.by_id.remove(&old.id);
                self.unlist(old.name(), ix);
                ix
            }
            None => {
                self.list.push(peer);
                PeerIx(self.list.len() - 1)
            }
        };
        self.by_id.insert(id, ix);
        self.by_name.entry(name).or_default().push(ix);
        self.mark_twins(name, ix);
        ix
    }

    /// Nothing can reach the peer any more, so it no longer stands in the way of its name.
    pub(super) fn set_gone(&mut self, ix: PeerIx, gone: bool) {
        self.get_mut(ix).gone = gone;
        self.mark_twins(self.get(ix).name(), ix);
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerIx, &Peer)> {
        self.list.iter().enumerate().map(|(at, peer)| (PeerIx(at), peer))
    }

    /// Everybody connected, in the order of having been met.
    pub(super) fn connected(&self) -> Vec<PeerIx> {
        self.iter().filter(|(_, peer)| peer.is_connected()).map(|(ix, _)| ix).collect()
    }

    /// The peer calls itself something else, or goes by its claim again.
    pub(super) fn rename(&mut self, ix: PeerIx, claims: Name) {
        self.rekey(ix, |peer| peer.claims = claims);
    }

    /// We call the peer something of our own.
    ///
    /// # Errors
    /// Another peer that can still be meant is called that.
    pub(super) fn alias(&mut self, ix: PeerIx, name: Name) -> Result<(), CommandError> {
        if self.named(name).into_iter().any(|other| other != ix) {
            return Err(CommandError::NameTaken(name));
        }
        self.rekey(ix, |peer| peer.alias = Some(name));
        Ok(())
    }

    /// The peer goes by its claim again.
    pub(super) fn unalias(&mut self, ix: PeerIx) {
        self.rekey(ix, |peer| peer.alias = None);
    }

    /// The peer as it is to be shown.
    pub(super) fn who(&self, ix: PeerIx) -> Who {
        let peer = self.get(ix);
        Who { id: peer.id, name: peer.name(), twin: peer.twin, trust: peer.trust() }
    }

    /// Who `what` means.
    ///
    /// # Errors
    /// Nobody, or more than one.
    pub(super) fn resolve(&self, what: &PeerRef) -> Result<PeerIx, CommandError> {
        if let PeerRef::Id(id) = what
            && let Some(ix) = self.find(*id)
        {
            return Ok(ix);
        }
        let (shown, found) = match what {
            PeerRef::Id(_) => (String::new(), Vec::new()),
            PeerRef::At(address) => (address.to_string(), self.at(address)),
            PeerRef::Word(word) => (escape_display(word), self.called(word)),
        };
        match found[..] {
            [] => Err(self.unknown(shown)),
            [one] => Ok(one),
            _ => Err(CommandError::Ambiguous {
                name: shown,
                candidates: found.into_iter().map(|ix| self.describe(ix)).collect(),
            }),
        }
    }

    /// Who listens at `address`: native peers before plain ones, which may claim any port, then
    /// connected ones before those that once did.
    pub(super) fn at(&self, address: &Address) -> Vec<PeerIx> {
        let Some(addr) = address.socket() else { return Vec::new() };
        let there = |peer: &Peer| !peer.gone && peer.listens.is_some_and(|listens| same_place(listens, addr));
        let mut all: Vec<_> = self.iter().filter(|(_, peer)| there(peer)).map(|(ix, _)| ix).collect();
        if all.iter().any(|&ix| !self.get(ix).id.is_plain()) {
            all.retain(|&ix| !self.get(ix).id.is_plain());
        }
        let connected: Vec<_> = all.iter().copied().filter(|&ix| self.get(ix).is_connected()).collect();
        if connected.is_empty() { all } else { connected }
    }

    pub(super) fn row(&self, ix: PeerIx, now: Mono) -> PeerRow {
        let peer = self.get(ix);
        PeerRow {
            who: self.who(ix),
            listens: peer.listens,
            state: peer.state,
            dialect: peer.dialect(),
            rtt: peer.rtt,
            heard: peer.heard.map(|heard| now.since(heard)),
            queued: peer.outbox.len() + peer.plain.as_ref().map_or(0, |plain| plain.queue.len()),
            ignored: peer.ignored,
        }
    }

    fn called(&self, word: &str) -> Vec<PeerIx> {
        let by_name = Name::new(word).map(|name| self.named(name)).unwrap_or_default();
        // What a peer calls itself still means it, if nobody is shown by that name.
        let by_name = match Name::new(word) {
            Ok(name) if by_name.is_empty() => {
                let claims = |peer: &Peer| peer.claims == name && !peer.gone;
                self.iter().filter(|(_, peer)| claims(peer)).map(|(ix, _)| ix).collect()
            }
            Ok(_) | Err(_) => by_name,
        };
        let by_key = self.with_key(word);
        // Native peers are meant before plain ones, which may claim any name.
        let native = |list: &[PeerIx]| list.iter().any(|&ix| !self.get(ix).id.is_plain());
        let mut found = by_name;
        if native(&found) {
            found.retain(|&ix| !self.get(ix).id.is_plain());
        }
        found.extend(by_key);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Peers of that name that can still be meant; if all have gone, the latest of them.
    fn named(&self, name: Name) -> Vec<PeerIx> {
        let all = self.by_name.get(&name).map_or(&[][..], Vec::as_slice);
        let here: Vec<_> = all.iter().copied().filter(|&ix| !self.get(ix).gone).collect();
        if here.is_empty() { all.last().copied().into_iter().collect() } else { here }
    }

    fn with_key(&self, prefix: &str) -> Vec<PeerIx> {
        let is_prefix = (4..=64).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_prefix {
            return Vec::new();
        }
        let prefix = prefix.to_ascii_lowercase();
        let matches = |id: PeerId| match id {
            PeerId::Native(key) => key.to_string().starts_with(&prefix),
            PeerId::Plain(_) => false,
        };
        self.iter().filter(|(_, peer)| matches(peer.id)).map(|(ix, _)| ix).collect()
    }

    fn unknown(&self, name: String) -> CommandError {
        let mut peers: Vec<_> =
            self.iter().filter(|(_, peer)| !peer.gone).map(|(_, peer)| peer.name()).collect();
        peers.sort_unstable();
        peers.dedup();
        let near = peers.iter().copied().min_by_key(|peer| strsim::damerau_levenshtein(peer.as_str(), &name));
        let near = near.filter(|near| {
            let distance = strsim::damerau_levenshtein(near.as_str(), &name);
            distance <= 1 + name.chars().count() / 3
        });
        CommandError::UnknownPeer { name, near, peers }
    }

    fn describe(&self, ix: PeerIx) -> String {
        let peer = self.get(ix);
        let which = match peer.id {
            PeerId::Native(key) => key.short(),
            PeerId::Plain(addr) => format!("[plain] {addr}"),
        };
        let listens = peer.listens.map(|addr| format!("{addr}, ")).unwrap_or_default();
        format!("{which} ({listens}{})", peer.state.word())
    }

    fn rekey(&mut self, ix: PeerIx, change: impl FnOnce(&mut Peer)) {
        let before = self.get(ix).name();
        change(self.get_mut(ix));
        let after = self.get(ix).name();
        if before == after {
            return;
        }
        self.unlist(before, ix);
        self.by_name.entry(after).or_default().push(ix);
        self.mark_twins(after, ix);
    }

    fn unlist(&mut self, name: Name, ix: PeerIx) {
        if let Some(list) = self.by_name.get_mut(&name) {
            list.retain(|&other| other != ix);
            if list.is_empty() {
                self.by_name.remove(&name);
            }
        }
        self.mark_twins(name, ix);
    }

    /// `changed` came, went, or can be meant no longer.
    fn mark_twins(&mut self, name: Name, changed: PeerIx) {
        let Some(alike) = self.by_name.get(&name) else { return };
        // Beyond two, one more or less is the same to the others, who may be thousands.
        let here = alike.iter().filter(|ix| !self.list[ix.0].gone).take(3).count();
        for ix in if here > 2 { std::slice::from_ref(&changed) } else { alike } {
            let peer = &mut self.list[ix.0];
            peer.twin = here > usize::from(!peer.gone);
        }
    }

    fn forgettable(&mut self) -> Option<PeerIx> {
        if self.list.len() < PEERS_MAX {
            return None;
        }
        loop {
            while let Some((ix, heard)) = self.stale.pop() {
                if self.get(ix).is_idle() && self.get(ix).heard == heard {
                    return Some(ix);
                }
            }
            // Many at once, as it takes a look at all.
            let idle = self.iter().filter(|(_, peer)| peer.is_idle());
            let mut idle: Vec<_> = idle.map(|(ix, peer)| (peer.worth(), ix)).collect();
            idle.sort_unstable();
            idle.truncate(FORGET);
            self.stale.extend(idle.iter().rev().map(|&((_, _, heard), ix)| (ix, heard)));
            if self.stale.is_empty() {
                return None;
            }
        }
    }
}

/// How many are picked to be forgotten in one go.
const FORGET: usize = PEERS_MAX / 64;

/// Whether two addresses mean one listener: every loopback address is this machine.
pub(super) fn same_place(a: SocketAddr, b: SocketAddr) -> bool {
    let (ip_a, ip_b) = (a.ip().to_canonical(), b.ip().to_canonical());
    a.port() == b.port() && (ip_a == ip_b || is_here(ip_a) && is_here(ip_b))
}

fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback()
}

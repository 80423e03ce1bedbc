//! Lines about the world rather than about one peer, and whom a word in any line means.

use std::time::Duration;

use crate::api::command::{CommandError, PeerRef, show};
use crate::api::fault::Fault;
use crate::id::Name;
use crate::script::act::Target;
use crate::script::error::{Failure, ScriptError, Spot};
use crate::script::network::{Between, Machine};
use crate::script::turns::Turns;
use crate::world::PeerNo;

/// Whom a word means: one of the cast, or somebody as a node knows it; `None` for one that is left
/// out.
pub(super) fn target(turns: &Turns<'_>, peer: &PeerRef) -> Option<Target> {
    let stage = turns.stage.borrow();
    let cast = match peer {
        PeerRef::Word(word) => {
            let name = Name::new(word).ok();
            if name.is_some_and(|name| stage.is_left_out(name)) {
                return None;
            }
            name.and_then(|name| stage.scene.find(name))
        }
        PeerRef::At(address) => address.socket().and_then(|addr| stage.scene.by_address(addr)),
        PeerRef::Id(_) => None,
    };
    Some(cast.map_or_else(|| Target::Other(peer.clone()), Target::Cast))
}

/// Does this to the network, or to a machine on it.
pub(super) fn disturb(turns: &Turns<'_>, spot: &Spot, fault: &Fault) -> Result<(), ScriptError> {
    let all = |peers: &[PeerRef]| -> Result<Vec<PeerNo>, ScriptError> {
        let found = peers.iter().map(|peer| match target(turns, peer) {
            Some(Target::Cast(no)) => Ok(Some(no)),
            None => Ok(None),
            Some(Target::Other(other)) => {
                let stage = turns.stage.borrow();
                let names = stage.scene.actors.iter().map(|actor| actor.name);
                let (name, peers): (_, Vec<_>) = (other.to_string(), names.collect());
                let near = crate::api::near::nearest(&name, peers.iter().map(Name::as_str));
                let near = near.and_then(|near| Name::new(near).ok());
                let (verb, error) = (fault.verb(), CommandError::UnknownPeer { name, near, peers });
                Err(ScriptError::from(Failure::Command { verb, error }))
            }
        });
        Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    };
    let two = |a: &PeerRef, b: &PeerRef| -> Result<Option<(PeerNo, PeerNo)>, ScriptError> {
        let both = all(&[a.clone(), b.clone()])?;
        Ok(both.first().copied().zip(both.get(1).copied()))
    };
    let between = |verb, a, b| match two(a, b)? {
        Some((a, b)) => Ok(turns.stage.borrow_mut().between(spot, verb, a, b)?),
        None => Ok(()),
    };
    let machine = |verb, peer: &PeerRef| match all(std::slice::from_ref(peer))?.first() {
        Some(who) => Ok(turns.stage.borrow_mut().machine(spot, verb, *who)?),
        None => Ok(()),
    };
    match fault {
        Fault::Link { ends: None, shape } => Ok(turns.stage.borrow_mut().shape(spot, None, shape)?),
        Fault::Link { ends: Some((a, b)), shape } => match two(a, b)? {
            Some(ends) => Ok(turns.stage.borrow_mut().shape(spot, Some(ends), shape)?),
            None => Ok(()),
        },
        Fault::Partition(from, to) => {
            let (from, to) = (all(from)?, all(to)?);
            if from.is_empty() || to.is_empty() {
                return Ok(());
            }
            Ok(turns.stage.borrow_mut().partition(spot, &from, &to, false)?)
        }
        Fault::Heal => Ok(turns.stage.borrow_mut().heal(spot)?),
        Fault::Hold(a, b) => between(Between::Hold, a, b),
        Fault::Release(a, b) => between(Between::Release, a, b),
        Fault::Crash(peer) => machine(Machine::Crash, peer),
        Fault::Restart(peer) => machine(Machine::Restart, peer),
    }
}

/// Lets the world come to rest, or says that it did not.
pub(super) fn settle(turns: &mut Turns<'_>, spot: &Spot, within: Duration) -> Result<(), ScriptError> {
    if !turns.waits(spot, "settle") || turns.settle(within)? {
        return Ok(());
    }
    let words = format!("settle: the world did not come to rest within {}", show(within));
    Err(Failure::Check(words).into())
}

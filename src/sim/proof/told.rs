//! What programs tell the people before them: answers to what was asked, and news. Some of it may
//! never be told.

use crate::api::command::CommandError;
use crate::api::event::What;
use crate::api::reply::Reply;
use crate::id::PeerId;
use crate::sim::proof::{Broken, Proof};
use crate::why::StoreFault;
use crate::world::World;

impl Proof {
    /// Takes in everything that was told since this was last done.
    pub(super) fn listen(&mut self) -> Result<(), Broken> {
        for (who, request) in self.book.open() {
            let reply = self.sim.session(who).ok().and_then(|mut session| session.take_reply(request));
            match reply {
                Some(Ok(Reply::Queued { .. })) => self.book.promised_all(who, request),
                Some(Ok(Reply::Broadcast(told))) => {
                    let keys = told.iter().filter_map(|(peer, _)| match peer.id {
                        PeerId::Native(key) => Some(key),
                        PeerId::Plain(_) => None,
                    });
                    self.book.promised_to(who, request, &keys.collect::<Vec<_>>());
                }
                Some(Ok(Reply::Trusted { .. })) => {
                    return Err(("S9", format!("{who:?} took a key for another's, whose digits were typed")));
                }
                Some(Ok(Reply::Goodbye)) => self.restart_after_quit(who),
                Some(Ok(_)) => {}
                // What was being saved when a real store broke is there whole or not at all.
                Some(Err(CommandError::Store(StoreFault::Broken))) if self.sim.may_doubt(who) => {
                    self.book.doubted(who, request);
                }
                Some(Err(_)) => self.book.refused(who, request),
                None => {}
            }
        }
        while let Some((who, event)) = self.sim.take_event() {
            match event.what {
                What::KeyChanged { who: old, shown, .. } => {
                    if let PeerId::Native(old) = old.id {
                        self.book.key_changed(who, old, shown);
                    }
                }
                What::Failed { to, first, last, why } => {
                    return Err(("S1", format!("{who:?} gives up {first}..={last} for {}: {why}", to.name)));
                }
                What::Message(message) => {
                    if let PeerId::Native(key) = message.from.id {
                        self.book.shown(who, key, message.text.expose())?;
                    }
                }
                What::Missed { from, count } => {
                    if let PeerId::Native(key) = from.id {
                        let unreliable = &self.book.unreliable;
                        if !unreliable.contains(&key) && !unreliable.contains(&self.key(who)) {
                            return Err((
                                "S4",
                                format!("{who:?} misses {count} of {} for no reason", from.name),
                            ));
                        }
                        self.book.missed(who, key, count);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn restart_after_quit(&mut self, who: crate::world::PeerNo) {
        if !self.is_up(who) {
            self.restart(who);
        }
    }
}

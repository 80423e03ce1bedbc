//! From what a node tells to what is on the list: each event becomes the moments that reports know,
//! with the moment that caused it, and wakes the handlers that wait for it.

use std::sync::Arc;

use crate::api::event::{Event, Message, What, Who};
use crate::play::{Ev, Moment, More};
use crate::script::record::text;
use crate::script::scene::{About, Heard, On, Someone};
use crate::script::stage::Stage;
use crate::why::Why;
use crate::world::PeerNo;

impl Stage {
    /// Something happened to a peer.
    pub(super) fn heard(&mut self, me: PeerNo, event: Event) {
        let at = self.scene.since(event.at.mono);
        match event.what {
            What::Joined { who, dialled, .. } => {
                let ev = if dialled { Ev::Connect } else { Ev::Accept };
                let someone = self.note(me, at, ev, &who, |_| {});
                self.scene.call(me, On::Joined, &About::Peer(someone));
            }
            What::Left { who, ours: true } => drop(self.note(me, at, Ev::Disconnect, &who, |_| {})),
            What::Left { who, ours: false } => {
                let someone = self.note(me, at, Ev::Left, &who, |_| {});
                self.gone(me, someone, Ev::Left, On::Left);
            }
            What::Lost { who, why } => {
                let someone = self.note(me, at, Ev::Lost, &who, because(why));
                self.gone(me, someone, Ev::Lost, On::Lost);
            }
            What::Renamed { who, before } => {
                let words = format!("{before} is now called {}", who.name);
                self.note(me, at, Ev::Note, &who, |moment| moment.text = text(words));
            }
            What::Superseded { who, .. } => {
                self.note(me, at, Ev::Note, &who, |moment| {
                    moment.text = text("another key answers at this address");
                });
            }
            What::KeyChanged { who, .. } => {
                self.note(me, at, Ev::Note, &who, |moment| {
                    moment.text = text("another key answers in its place");
                });
            }
            What::Missed { from, count } => {
                self.note(me, at, Ev::Note, &from, |moment| {
                    moment.text = text(format!("{count} earlier messages never came here"));
                });
            }
            What::SetBack { by } => {
                self.note(me, at, Ev::Note, &by, |moment| {
                    moment.text = text("it has messages that are forgotten here");
                });
            }
            What::Kept { to, count } => {
                self.note(me, at, Ev::Note, &to, |moment| {
                    moment.text = text(format!("{count} messages stay queued"));
                });
            }
            What::StoreFailed(_) | What::StoreWorks => {
                let mut moment = Moment::new(at, Ev::Note);
                moment.text = match event.what {
                    What::StoreFailed(fault) => text(fault.to_string()),
                    _ => text("what happens is saved again"),
                };
                self.record_moment(Some(me), moment);
            }
            What::Message(message) => self.message(me, at, &message),
            What::Delivered { to, first, last } => {
                let someone = self.scene.who(&to);
                let plain = to.id.is_plain();
                for seq in first..=last {
                    let read = |to| self.scene.read.remove(&(me, to, seq));
                    let cause = someone.no.filter(|_| !plain).and_then(read);
                    let ev = if plain { Ev::Send } else { Ev::Delivered };
                    self.note(me, at, ev, &to, |moment| {
                        moment.msg = Some(seq);
                        moment.cause = cause;
                    });
                }
            }
            What::Failed { to, first, last, why } => self.failed(me, at, &to, first..=last, why),
            What::Unreachable { at: address, why, .. } => {
                let ev = match why {
                    Why::Refused => Ev::Refused,
                    _ => Ev::Timeout,
                };
                let with = address.socket().and_then(|addr| self.scene.by_address(addr));
                let mut moment = Moment::new(at, ev);
                moment.with = with.map(|with| self.name(with));
                because(why)(&mut moment);
                self.record_moment(Some(me), moment);
            }
            What::Leaving => drop(self.record_moment(Some(me), Moment::new(at, Ev::Exit))),
            What::Dropped { .. } => {}
        }
    }

    fn message(&mut self, me: PeerNo, at: u64, message: &Message) {
        let from = self.scene.who(&message.from);
        let plain = message.from.id.is_plain();
        let words: Arc<str> = message.text.expose().into();
        let cause = from.no.and_then(|from| self.scene.arrived(from, me, message.seq, &words, plain));
        let mut moment = Moment::new(at, Ev::Recv);
        moment.with = Some(from.name);
        moment.plain = plain;
        moment.auto = message.auto;
        moment.msg = Some(message.seq);
        moment.text = text(Arc::clone(&words));
        moment.cause = cause;
        let number = self.record_moment(Some(me), moment);
        if let (Some(from), false) = (from.no, plain) {
            self.scene.read.insert((from, me, message.seq), number);
        }
        let auto = message.auto || (plain && self.is_answer(from.name.as_str()));
        let heard = Heard { moment: number, from, text: words, auto, plain };
        self.scene.actors[me.0].hear(heard.clone());
        self.take_if_unasked(me);
        self.scene.call(me, On::Message, &About::Message(heard));
    }

    fn failed(&mut self, me: PeerNo, at: u64, to: &Who, which: std::ops::RangeInclusive<u64>, why: Why) {
        for seq in which {
            let sent = self.scene.who(to).no.and_then(|no| self.scene.sent.get_mut(&(me, no)));
            let sent = sent.and_then(|sent| {
                let place = sent.iter().position(|sent| sent.seq == seq)?;
                sent.remove(place)
            });
            let words = sent.as_ref().map_or_else(|| "".into(), |sent| Arc::clone(&sent.text));
            let someone = self.note(me, at, Ev::Drop, to, |moment| {
                moment.msg = Some(seq);
                moment.text = text(Arc::clone(&words));
                moment.cause = sent.map(|sent| sent.moment);
                because(why)(moment);
            });
            self.scene.call(me, On::Failed, &About::Failed(someone, words));
        }
    }

    /// Adds a moment about somebody.
    fn note(&mut self, me: PeerNo, at: u64, ev: Ev, who: &Who, fill: impl FnOnce(&mut Moment)) -> Someone {
        let someone = self.scene.who(who);
        let mut moment = Moment::new(at, ev);
        moment.with = Some(someone.name);
        moment.plain = who.id.is_plain();
        fill(&mut moment);
        self.record_moment(Some(me), moment);
        someone
    }

    fn gone(&mut self, me: PeerNo, someone: Someone, ev: Ev, on: On) {
        let actor = &mut self.scene.actors[me.0];
        if actor.gone.len() >= crate::limits::UNREAD_MAX {
            actor.gone.pop_front();
        }
        actor.gone.push_back((someone, ev));
        self.scene.call(me, on, &About::Peer(someone));
    }
}

fn because(why: Why) -> impl FnOnce(&mut Moment) {
    move |moment| moment.more = Some(Box::new(More { why: Some(why.to_string()), ..More::default() }))
}

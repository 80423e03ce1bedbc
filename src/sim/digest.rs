//! What goes into the running number of all that happens: every field of every input and effect. Those
//! that happen by the million go in as they are; the rare ones as they print themselves, since making
//! text of a thing costs more than doing it.

use std::net::{IpAddr, SocketAddr};

use crate::api::command::Command;
use crate::api::event::{Event, What, Who};
use crate::api::reply::Reply;
use crate::id::PeerId;
use crate::node::io::{Effect, Input};
use crate::node::record::Answer;
use crate::sim::mix::Mix;

/// Adds what a node is told.
pub(super) fn input(mix: &mut Mix, input: &Input<'_>) {
    match input {
        Input::Tick => mix.add(1),
        Input::Command { request, command: Command::Broadcast { text, auto } } => {
            mix.add(2);
            mix.add(request.0);
            mix.add(u64::from(*auto));
            mix.bytes(text.as_str().as_bytes());
        }
        Input::Command { request, command } => {
            mix.add(3);
            mix.add(request.0);
            printed(mix, command);
        }
        Input::Opened { link, remote, local } => {
            mix.add(4);
            mix.add(link.number());
            address(mix, remote);
            address(mix, local);
        }
        Input::Received { link, bytes } => {
            mix.add(5);
            mix.add(link.number());
            mix.bytes(bytes);
        }
        Input::Flushed { link, count } => {
            mix.add(6);
            mix.add(link.number());
            mix.add(*count as u64);
        }
        Input::Closed { link, why } => {
            mix.add(7);
            mix.add(link.number());
            printed(mix, why);
        }
        Input::Stored(Answer::Saved { save, known }) => {
            mix.add(8);
            mix.add(save.0);
            mix.add(known.len() as u64);
        }
        Input::Stored(Answer::Unsaved { save, records, fault }) => {
            mix.add(9);
            mix.add(save.0);
            mix.add(records.len() as u64);
            printed(mix, fault);
        }
        Input::Stored(Answer::Found { load, rows }) => {
            mix.add(10);
            mix.add(load.0);
            printed(mix, rows);
        }
    }
}

/// Adds what a node wishes.
pub(super) fn effect(mix: &mut Mix, effect: &Effect) {
    match effect {
        Effect::Dial { link, to } => {
            mix.add(11);
            mix.add(link.number());
            printed(mix, to);
        }
        Effect::Write { link, bytes } => {
            mix.add(12);
            mix.add(link.number());
            mix.bytes(bytes);
        }
        Effect::Finish { link } => {
            mix.add(13);
            mix.add(link.number());
        }
        Effect::Close { link } => {
            mix.add(14);
            mix.add(link.number());
        }
        Effect::Cut { link } => {
            mix.add(19);
            mix.add(link.number());
        }
        Effect::Pause { link, until } => {
            mix.add(20);
            mix.add(link.number());
            mix.add(until.0);
        }
        Effect::Save { save, records } => {
            mix.add(15);
            mix.add(save.0);
            mix.add(records.len() as u64);
        }
        Effect::Load { load, query } => {
            mix.add(19);
            mix.add(load.0);
            printed(mix, query);
        }
        Effect::Reply { request, result: Ok(Reply::Broadcast(told)) } => {
            mix.add(16);
            mix.add(request.0);
            mix.add(told.len() as u64);
            for (to, seq) in told {
                who(mix, to);
                mix.add(*seq);
            }
        }
        Effect::Reply { request, result: Ok(Reply::Queued { to, seq, connected }) } => {
            mix.add(17);
            mix.add(request.0);
            who(mix, to);
            mix.add(*seq);
            mix.add(u64::from(*connected));
        }
        Effect::Reply { request, result } => {
            mix.add(18);
            mix.add(request.0);
            printed(mix, result);
        }
        Effect::Emit(told) => event(mix, told),
    }
}

fn event(mix: &mut Mix, event: &Event) {
    mix.add(event.at.wall.0.cast_unsigned());
    match &event.what {
        What::Message(message) if message.claim.is_none() => {
            mix.add(21);
            who(mix, &message.from);
            mix.add(message.seq);
            if let Some(id) = message.id {
                mix.bytes(&id.0);
            }
            mix.bytes(message.text.expose().as_bytes());
            mix.add(u64::from(message.auto));
            mix.add(message.dialect as u64);
        }
        What::Delivered { to, first, last } => {
            mix.add(22);
            who(mix, to);
            mix.add(*first);
            mix.add(*last);
        }
        What::Joined { who: peer, listens, dialled } => {
            mix.add(23);
            who(mix, peer);
            mix.add(u64::from(*dialled));
            if let Some(listens) = listens {
                address(mix, listens);
            }
        }
        rare => {
            mix.add(24);
            printed(mix, rare);
        }
    }
}

fn who(mix: &mut Mix, who: &Who) {
    match who.id {
        PeerId::Native(key) => mix.bytes(&key.0),
        PeerId::Plain(addr) => address(mix, &addr),
    }
    mix.bytes(who.name.as_str().as_bytes());
    mix.add(u64::from(who.twin));
    mix.add(who.trust as u64);
}

fn address(mix: &mut Mix, addr: &SocketAddr) {
    match addr.ip() {
        IpAddr::V4(ip) => mix.bytes(&ip.octets()),
        IpAddr::V6(ip) => mix.bytes(&ip.octets()),
    }
    mix.add(u64::from(addr.port()));
}

fn printed(mix: &mut Mix, thing: &impl std::fmt::Debug) {
    mix.bytes(format!("{thing:?}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::command::Dialect;
    use crate::api::event::Message;
    use crate::api::reply::Trust;
    use crate::id::LoadId;
    use crate::id::{LinkId, MessageId, Name, RequestId, SaveId};
    use crate::key::PeerKey;
    use crate::text::{Body, Untrusted};
    use crate::time::{Mono, Now, Wall};
    use crate::why::StoreFault;
    use crate::why::Why;

    fn addr(last: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], port))
    }

    fn peer(key: u8, name: &str, twin: bool) -> Who {
        let name = Name::new(name).expect("a name");
        Who { id: PeerId::Native(PeerKey([key; 32])), name, twin, trust: Trust::FirstUse }
    }

    /// All different, in pairs and threes that differ in one field.
    fn inputs() -> Vec<Input<'static>> {
        let (a, b) = (LinkId::dialled(1), LinkId::accepted(1));
        let text = |text| Body::new(text).expect("a body");
        let broadcast = |request, words, auto| Input::Command {
            request: RequestId(request),
            command: Command::Broadcast { text: text(words), auto },
        };
        vec![
            Input::Tick,
            broadcast(1, "x", false),
            broadcast(2, "x", false),
            broadcast(1, "y", false),
            broadcast(1, "x", true),
            Input::Command { request: RequestId(1), command: Command::Status },
            Input::Command { request: RequestId(1), command: Command::Me { name: None } },
            Input::Opened { link: a, remote: addr(1, 2), local: addr(3, 4) },
            Input::Opened { link: a, remote: addr(1, 2), local: addr(3, 5) },
            Input::Opened { link: a, remote: addr(2, 2), local: addr(3, 4) },
            Input::Received { link: a, bytes: b"12345678" },
            Input::Received { link: a, bytes: b"12345678\0" },
            Input::Received { link: b, bytes: b"12345678" },
            Input::Flushed { link: a, count: 8 },
            Input::Flushed { link: a, count: 9 },
            Input::Closed { link: a, why: Why::Eof },
            Input::Closed { link: a, why: Why::Reset },
            saved(1, Vec::new()),
            saved(2, Vec::new()),
            saved(2, vec![(PeerKey([1; 32]), MessageId([1; 16]))]),
            Input::Stored(Answer::Unsaved { save: SaveId(1), records: Vec::new(), fault: StoreFault::Full }),
            Input::Stored(Answer::Unsaved {
                save: SaveId(1),
                records: Vec::new(),
                fault: StoreFault::Broken,
            }),
            Input::Stored(Answer::Found { load: LoadId(1), rows: Ok(Vec::new()) }),
        ]
    }

    fn saved(save: u64, known: Vec<(PeerKey, MessageId)>) -> Input<'static> {
        Input::Stored(Answer::Saved { save: SaveId(save), known })
    }

    fn events() -> Vec<Event> {
        let at = Now { mono: Mono(1), wall: Wall(2) };
        let message = |from, seq, id, text: &str, auto, claim: Option<&str>| {
            What::Message(Message {
                from,
                seq,
                id,
                text: Untrusted::new(Body::new(text).expect("a body")),
                auto,
                dialect: Dialect::Native,
                claim: claim.map(|claim| Untrusted::new(claim.to_owned())),
            })
        };
        let (who, id) = (peer(1, "a", false), Some(MessageId([1; 16])));
        let whats = vec![
            message(who, 1, id, "x", false, None),
            message(peer(2, "a", false), 1, id, "x", false, None),
            message(peer(1, "b", false), 1, id, "x", false, None),
            message(peer(1, "a", true), 1, id, "x", false, None),
            message(who, 2, id, "x", false, None),
            message(who, 1, None, "x", false, None),
            message(who, 1, id, "y", false, None),
            message(who, 1, id, "x", true, None),
            message(who, 1, id, "x", false, Some("1.2.3.4:5")),
            What::Delivered { to: who, first: 1, last: 2 },
            What::Delivered { to: who, first: 2, last: 2 },
            What::Joined { who, listens: None, dialled: true },
            What::Joined { who, listens: Some(addr(1, 2)), dialled: true },
            What::Joined { who, listens: None, dialled: false },
            What::Leaving,
        ];
        let mut events: Vec<_> = whats.into_iter().map(|what| Event { at, what }).collect();
        events.push(Event { at: Now { wall: Wall(3), ..at }, what: What::Leaving });
        events
    }

    #[test]
    fn whatever_differs_has_another_number() {
        let number = |add: &dyn Fn(&mut Mix)| {
            let mut mix = Mix::default();
            add(&mut mix);
            mix.number()
        };
        let mut all: Vec<_> = inputs().iter().map(|one| number(&|mix| input(mix, one))).collect();
        let (a, b) = (LinkId::dialled(1), LinkId::dialled(2));
        let who = peer(1, "a", false);
        let reply = |result| Effect::Reply { request: RequestId(1), result };
        let mut effects = vec![
            Effect::Finish { link: a },
            Effect::Close { link: a },
            Effect::Close { link: b },
            Effect::Cut { link: a },
            Effect::Cut { link: b },
            Effect::Pause { link: a, until: Mono(1) },
            Effect::Pause { link: a, until: Mono(2) },
            Effect::Write { link: a, bytes: vec![1] },
            Effect::Write { link: a, bytes: vec![2] },
            Effect::Save { save: SaveId(1), records: Vec::new() },
            reply(Ok(Reply::Broadcast(vec![(who, 1)]))),
            reply(Ok(Reply::Broadcast(vec![(who, 2)]))),
            reply(Ok(Reply::Queued { to: who, seq: 1, connected: true })),
            reply(Ok(Reply::Queued { to: who, seq: 1, connected: false })),
            reply(Ok(Reply::Goodbye)),
        ];
        effects.extend(events().into_iter().map(Effect::Emit));
        all.extend(effects.iter().map(|one| number(&|mix| effect(mix, one))));
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}

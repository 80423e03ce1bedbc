//! The network and the fates of peers, in a world that we host.

use crate::api::action::Action;
use crate::api::command::PeerRef;
use crate::api::fault::{Fault, ShapeWish};
use crate::api::table::{BARE, PEER};
use crate::api::value::{peer, side, word};
use crate::api::verb::{Arg, Kind, Verb};

const A: Arg = Arg::new("A", Kind::Peer);
const B: Arg = Arg::new("B", Kind::Peer);

pub(super) static VERBS: &[Verb] = &[
    Verb {
        name: "link",
        args: &[A, B, Arg::new("KEY=VALUE", Kind::Shape).repeated()],
        summary: "delay, jitter, bandwidth, split, glue; * * for all",
        example: "link alice bob delay=20ms jitter=5ms",
        error: "link: loss cannot be made on a stream: TCP sends again what was lost, so a program sees \
                only delay; use delay=, jitter=, hold, or cut the link",
        build: |args| {
            let (a, b) = (args.required(word)?, args.required(word)?);
            let ends = match (a.as_str(), b.as_str()) {
                ("*", "*") => None,
                _ => {
                    let end = |name, end: &str| peer(end).map_err(|why| args.bad_value(name, why));
                    Some((end("A", &a)?, end("B", &b)?))
                }
            };
            let mut shape = ShapeWish::default();
            for word in args.rest(word)? {
                shape.set(&word).map_err(|why| args.bad_value("KEY=VALUE", why))?;
            }
            Ok(Action::Fault(Fault::Link { ends, shape }))
        },
        ..BARE
    },
    Verb {
        name: "partition",
        args: &[Arg::new("A,B", Kind::Peer), Arg::new("C,D", Kind::Peer)],
        summary: "nothing passes between these two sides until heal",
        example: "partition carol alice,bob",
        error: "partition: alice stands on both sides; name two different peers",
        build: |args| Ok(Action::Fault(Fault::Partition(args.required(side)?, args.required(side)?))),
        ..BARE
    },
    Verb {
        name: "heal",
        summary: "the network is whole again; what was withheld comes",
        example: "heal",
        error: "heal: \"now\" is one word too many; usage: heal",
        build: |_| Ok(Action::Fault(Fault::Heal)),
        ..BARE
    },
    Verb {
        name: "hold",
        args: &[A, B],
        summary: "nothing passes between two peers until release",
        example: "hold alice bob",
        error: "hold: B is missing; usage: hold A B",
        build: |args| two(args, Fault::Hold),
        ..BARE
    },
    Verb {
        name: "release",
        args: &[A, B],
        summary: "what was held comes, in order",
        example: "release alice bob",
        error: "release: B is missing; usage: release A B",
        build: |args| two(args, Fault::Release),
        ..BARE
    },
    Verb {
        name: "crash",
        args: &[PEER],
        summary: "the peer's program dies at once, without a word",
        example: "crash bob",
        error: "crash: bob is down; restart it first",
        build: |args| Ok(Action::Fault(Fault::Crash(args.required(peer)?))),
        ..BARE
    },
    Verb {
        name: "restart",
        args: &[PEER],
        summary: "it starts again, with what it had saved",
        example: "restart bob",
        error: "restart: bob is up already; crash it first",
        build: |args| Ok(Action::Fault(Fault::Restart(args.required(peer)?))),
        ..BARE
    },
];

fn two(
    args: &mut crate::api::args::Args,
    fault: fn(PeerRef, PeerRef) -> Fault,
) -> Result<Action, crate::api::error::LineError> {
    Ok(Action::Fault(fault(args.required(peer)?, args.required(peer)?)))
}

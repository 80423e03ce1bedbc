//! Who is there: coming, going, being reached and being heard.

use crate::api::action::Action;
use crate::api::command::Command;
use crate::api::table::{BARE, PEER, flag, valued};
use crate::api::value::{count, peer};
use crate::api::verb::{Opt, Verb};

pub(super) static VERBS: &[Verb] = &[
    Verb {
        name: "peers",
        also: &["p", "2"],
        options: &[flag("--known", "also those that were there before")],
        summary: "name, address, state, round trip and last heard of each",
        example: "peers --known",
        error: "peers: no option --konwn; did you mean --known?",
        build: |args| Ok(Action::Node(Command::Peers { known: args.has("--known") })),
        ..BARE
    },
    Verb {
        name: "connect",
        also: &["c", "3"],
        args: &[PEER.repeated()],
        options: &[flag("--classic", "they are plain programs: send each its connection line")],
        summary: "connect to each; without an argument, to all known peers",
        example: "connect --classic :5001",
        error: "connect: 127.0.0.1:5009 refused (nothing listens there)",
        build: |args| {
            let plain = args.has("--classic");
            let first = if plain { Some(args.required(peer)?) } else { None };
            let to = first.into_iter().chain(args.rest(peer)?).collect();
            Ok(Action::Connect { to, plain })
        },
    },
    Verb {
        name: "disconnect",
        also: &["d", "5"],
        args: &[PEER],
        options: &[Opt { instead: true, ..flag("--all", "from everybody") }],
        summary: "close politely and say so",
        example: "disconnect carol",
        error: "disconnect: carol is not connected",
        build: |args| {
            let peer = if args.has("--all") { None } else { Some(args.required(peer)?) };
            Ok(Action::Node(Command::Disconnect { peer }))
        },
    },
    Verb {
        name: "ping",
        args: &[PEER],
        options: &[valued("-n", "N", "how many, one after the other; 1 if not said")],
        summary: "measure round trips",
        example: "ping bob -n 3",
        error: "ping: carol is not connected",
        build: |args| {
            let peer = args.required(peer)?;
            let count = args.option("-n", count)?.unwrap_or(1);
            Ok(Action::Ping { peer, count })
        },
        ..BARE
    },
    Verb {
        name: "ignore",
        args: &[PEER],
        summary: "do not show what PEER says",
        example: "ignore mallory",
        error: "ignore: no peer called \"malory\"; did you mean mallory? (peers: mallory)",
        build: |args| Ok(Action::Node(Command::Ignore { peer: args.required(peer)? })),
        ..BARE
    },
    Verb {
        name: "unignore",
        args: &[PEER],
        summary: "show it again",
        example: "unignore mallory",
        error: "unignore: PEER is missing; usage: unignore PEER",
        build: |args| Ok(Action::Node(Command::Unignore { peer: args.required(peer)? })),
        ..BARE
    },
];

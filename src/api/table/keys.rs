//! Who is who: keys, the names that people give themselves, and those that we give them.

use crate::api::action::Action;
use crate::api::command::Command;
use crate::api::table::{BARE, NAME, PEER, flag, valued};
use crate::api::value::{name, peer, word};
use crate::api::verb::Verb;

pub(super) static VERBS: &[Verb] = &[
    Verb {
        name: "whois",
        args: &[PEER],
        summary: "key, words, address, state and dialect of PEER",
        example: "whois bob",
        error: "whois: \"bob\" could be bob 3f9a01c2 or bob 77e0d15b; name one by its key or address",
        build: |args| Ok(Action::Node(Command::Whois { peer: args.required(peer)? })),
        ..BARE
    },
    Verb {
        name: "trust",
        args: &[PEER],
        options: &[
            valued("--replace", "KEY", "the new key of PEER, which begins so: what waits is for that key"),
            flag("--forget", "PEER is no longer where it was"),
        ],
        summary: "the key of PEER was compared with PEER itself",
        example: "trust bob --replace 3f9a01c2",
        error: "trust: no other key than its own has answered for bob; nothing is to be replaced",
        build: |args| {
            let peer = args.required(peer)?;
            Ok(Action::Node(match args.option("--replace", word)? {
                Some(_) if args.has("--forget") => {
                    return Err(
                        args.bad_value("--replace", "--replace and --forget exclude each other".into())
                    );
                }
                Some(key) => Command::TrustReplace { peer, key },
                None if args.has("--forget") => Command::TrustForget { peer },
                None => Command::Trust { peer },
            }))
        },
        ..BARE
    },
    Verb {
        name: "alias",
        args: &[NAME, PEER],
        summary: "call PEER by a name of your own choice",
        example: "alias boss 10.0.0.7:5000",
        error: "alias: bob is already the name of another peer",
        build: |args| {
            let (name, peer) = (args.required(name)?, args.required(peer)?);
            Ok(Action::Node(Command::Alias { name, peer }))
        },
        ..BARE
    },
    Verb {
        name: "me",
        also: &["nick", "whoami"],
        args: &[NAME.optional()],
        summary: "who am I; with a name, be called so from now on",
        example: "me alice",
        error: "me: the name \"system\" is taken by the program itself",
        build: |args| Ok(Action::Node(Command::Me { name: args.optional(name)? })),
        ..BARE
    },
];

//! Saying things: to one peer, to whoever wrote last, to all.

use crate::api::action::Action;
use crate::api::command::Command;
use crate::api::table::{BARE, PEER, TEXT, valued};
use crate::api::value::{lines, peer, text, word};
use crate::api::verb::Verb;
use crate::limits::LOG_LINES;

pub(super) static VERBS: &[Verb] = &[
    Verb {
        name: "send",
        also: &["msg", "1", "@PEER"],
        args: &[PEER, TEXT],
        summary: "to one peer; connects if need be; queued if it is away",
        example: "send bob don't wait for me",
        error: "send: no peer called \"bbo\"; did you mean bob? (peers: alice, bob)",
        build: |args| {
            let (to, text) = (args.required(peer)?, args.required(text)?);
            Ok(Action::Node(Command::Send { to, text, auto: false }))
        },
        ..BARE
    },
    Verb {
        name: "broadcast",
        also: &["all", "4", "*"],
        args: &[TEXT],
        summary: "to every connected peer; answers with how many",
        example: "broadcast hello, all",
        error: "broadcast: nobody is connected; try: connect :5001",
        build: |args| {
            let text = args.required(text)?;
            Ok(Action::Node(Command::Broadcast { text, auto: false }))
        },
        ..BARE
    },
    Verb {
        name: "reply",
        also: &["r"],
        args: &[TEXT],
        summary: "to whoever wrote last",
        example: "reply so am I",
        error: "reply: no one has written yet",
        build: |args| Ok(Action::Node(Command::Reply { text: args.required(text)? })),
        ..BARE
    },
    Verb {
        name: "log",
        args: &[PEER.optional()],
        options: &[
            valued("-n", "N", "the latest so many; 50 if not said"),
            valued("--find", "TEXT", "only those with all of these words"),
        ],
        summary: "messages kept, the oldest first",
        example: "log bob -n 20",
        error: "log: nothing is kept here (--ephemeral, or no data folder)",
        build: |args| {
            let last = args.option("-n", lines)?.unwrap_or(LOG_LINES);
            let (peer, find) = (args.optional(peer)?, args.option("--find", word)?);
            Ok(Action::Node(Command::Log { peer, last, find }))
        },
        ..BARE
    },
    Verb {
        name: "chat",
        args: &[PEER],
        summary: "every line goes to PEER until /end or Ctrl-D",
        example: "chat bob",
        error: "chat: PEER is missing; usage: chat PEER",
        build: |args| Ok(Action::Chat(args.required(peer)?)),
        ..BARE
    },
];

//! What a file of lines needs beyond what a person needs: waiting, and being sure.

use crate::api::action::Action;
use crate::api::table::{BARE, DURATION, PEER, TEXT, valued};
use crate::api::value::{duration, path, pattern, sender, word};
use crate::api::verb::{Arg, Kind, Verb};

pub(super) static VERBS: &[Verb] = &[
    Verb {
        name: "expect",
        args: &[PEER, Arg::new("PATTERN", Kind::Pattern)],
        options: &[valued("--within", "D", "how long; 5s if not said")],
        summary: "wait for a message, else fail; PEER is * for anybody",
        example: "expect bob *hi* --within 2s",
        error: "expect: \"/a(b/\" is no pattern: unclosed group",
        build: |args| {
            let (from, pattern) = (args.required(sender)?, args.required(pattern)?);
            let within = args.option("--within", duration)?;
            Ok(Action::Expect { from, pattern, within })
        },
        ..BARE
    },
    Verb {
        name: "expect-none",
        args: &[DURATION.optional()],
        summary: "fail if anything arrives; listens for 500ms if not said",
        example: "expect-none 1s",
        error: "expect-none: \"1\" has no unit; write 1s or 1ms",
        build: |args| Ok(Action::ExpectNone(args.optional(duration)?)),
        ..BARE
    },
    Verb {
        name: "wait",
        args: &[DURATION],
        summary: "let time pass",
        example: "wait 500ms",
        error: "wait: \"5\" has no unit; write 5s or 5ms",
        build: |args| Ok(Action::Wait(args.required(duration)?)),
        ..BARE
    },
    Verb {
        name: "settle",
        summary: "let everything in flight land",
        example: "settle",
        error: "settle: \"1s\" is one word too many; usage: settle",
        build: |_| Ok(Action::Settle),
        ..BARE
    },
    Verb {
        name: "step",
        args: &[TEXT],
        summary: "a part of the script begins; transcripts and reports show it",
        example: "step everyone connects",
        error: "step: TEXT is missing; usage: step TEXT",
        build: |args| Ok(Action::Step(args.required(word)?)),
        ..BARE
    },
    Verb {
        name: "run",
        args: &[Arg::new("FILE", Kind::Path), Arg::new("ARG", Kind::Word).repeated()],
        summary: "run a script, .rhai or .hob; in it, me is this peer",
        example: "run demo.rhai",
        error: "demo.hob:14: expect: alice got no message like \"hi\" within 5s",
        build: |args| Ok(Action::Run { path: args.required(path)?, args: args.rest(word)? }),
        ..BARE
    },
    Verb {
        name: "record",
        args: &[Arg::new("FILE|off", Kind::Path)],
        summary: "what I do, as a script; each wait is what was waited for",
        example: "record demo.hob",
        error: "record: nothing is being recorded; try: record demo.hob",
        build: |args| {
            let file = args.required(path)?;
            Ok(Action::Record((file != "off").then_some(file)))
        },
        ..BARE
    },
    Verb {
        name: "source",
        args: &[Arg::new("FILE", Kind::Path)],
        summary: "read lines from a file as if they were typed",
        example: "source demo.hob",
        error: "demo.hob:14: expect: \"5\" has no unit; write 5s or 5ms",
        build: |args| Ok(Action::Source(args.required(path)?)),
        ..BARE
    },
];

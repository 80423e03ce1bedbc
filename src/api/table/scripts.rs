//! What a file of lines needs beyond what a person needs: waiting, and being sure.

use crate::api::action::Action;
use crate::api::table::{BARE, DURATION, PEER, valued};
use crate::api::value::{duration, path, pattern, sender};
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
        name: "source",
        args: &[Arg::new("FILE", Kind::Path)],
        summary: "read lines from a file as if they were typed",
        example: "source demo.hob",
        error: "demo.hob:14: expect: \"5\" has no unit; write 5s or 5ms",
        build: |args| Ok(Action::Source(args.required(path)?)),
        ..BARE
    },
];

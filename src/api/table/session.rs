//! The program itself: its settings, its numbers, its screen, and the way out.

use crate::api::action::Action;
use crate::api::command::Command;
use crate::api::settings::{Change, SettingError};
use crate::api::table::BARE;
use crate::api::value::{setting, word};
use crate::api::verb::{Arg, Kind, Verb};

pub(super) static VERBS: &[Verb] = &[
    Verb {
        name: "set",
        args: &[Arg::new("KEY", Kind::Setting).optional(), Arg::new("VALUE", Kind::Value).optional()],
        summary: "change a setting, show one, or list all",
        example: "set color never",
        error: "set: color cannot be \"blue\"; it is one of auto, always, never",
        build: |args| {
            let Some(setting) = args.optional(setting)? else {
                return Ok(Action::Show(None));
            };
            let Some(value) = args.optional(word)? else {
                return Ok(Action::Show(Some(setting)));
            };
            let refused = |why: SettingError| args.bad_value("VALUE", why.to_string());
            Change::new(setting, &value).map(Action::Set).map_err(refused)
        },
        ..BARE
    },
    Verb {
        name: "status",
        summary: "counters since the start",
        example: "status",
        error: "status: \"all\" is one word too many; usage: status",
        build: |_| Ok(Action::Node(Command::Status)),
        ..BARE
    },
    Verb {
        name: "limits",
        summary: "every bound, with its reason",
        example: "limits",
        error: "limits: \"name\" is one word too many; usage: limits",
        build: |_| Ok(Action::Limits),
        ..BARE
    },
    Verb {
        name: "clear",
        summary: "clear the screen",
        example: "clear",
        error: "unknown command \"claer\"; did you mean clear? (help lists all)",
        build: |_| Ok(Action::Clear),
        ..BARE
    },
    Verb {
        name: "menu",
        summary: "the numbered menu, which asks for each field in turn",
        example: "menu",
        error: "menu: \"1\" is one word too many; usage: menu",
        build: |_| Ok(Action::Menu),
        ..BARE
    },
    Verb {
        name: "help",
        also: &["h", "?"],
        args: &[Arg::new("VERB|TOPIC", Kind::Topic).optional()],
        summary: "explain a verb or a topic, or list all",
        example: "help send",
        error: "help: no verb and no topic is called \"sned\"; did you mean send? (help lists all)",
        build: |args| Ok(Action::Help(args.optional(word)?)),
        ..BARE
    },
    Verb {
        name: "quit",
        also: &["q", "exit", "0"],
        summary: "say goodbye, wait until it is said, leave",
        example: "quit",
        error: "quit: already saying goodbye",
        build: |_| Ok(Action::Node(Command::Quit)),
        ..BARE
    },
];

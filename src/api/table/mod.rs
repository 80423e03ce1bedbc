//! Every verb, defined once, in one file for each topic of help. To add one, add it there and obey
//! its action; usage, help, hints, completion and the table in the README follow.

mod faults;
mod keys;
mod messages;
mod peers;
mod scripts;
mod session;

use crate::api::verb::{Arg, Kind, Opt, Topic, Verb};

/// All verbs, by topic, in the order of help.
pub static TABLE: &[(Topic, &[Verb])] = &[
    (Topic::Messages, messages::VERBS),
    (Topic::Peers, peers::VERBS),
    (Topic::Keys, keys::VERBS),
    (Topic::Faults, faults::VERBS),
    (Topic::Scripts, scripts::VERBS),
    (Topic::Session, session::VERBS),
];

/// Every verb, in the order of help.
pub fn verbs() -> impl Iterator<Item = &'static Verb> {
    TABLE.iter().flat_map(|(_, verbs)| verbs.iter())
}

/// The verb that answers to `word` in full.
pub fn find(word: &str) -> Option<&'static Verb> {
    verbs().find(|verb| verb.name == word || verb.also.contains(&word))
}

/// Every word that a verb answers to, with the verb.
pub fn words() -> impl Iterator<Item = (&'static str, &'static Verb)> {
    verbs().flat_map(|verb| {
        std::iter::once(verb.name).chain(verb.also.iter().copied()).map(move |word| (word, verb))
    })
}

const PEER: Arg = Arg::new("PEER", Kind::Peer);
const TEXT: Arg = Arg::new("TEXT", Kind::Text);
const NAME: Arg = Arg::new("NAME", Kind::Name);
const DURATION: Arg = Arg::new("D", Kind::Duration);

/// What a verb has unless it says otherwise: neither arguments nor options.
const BARE: Verb = Verb {
    name: "",
    also: &[],
    args: &[],
    options: &[],
    summary: "",
    example: "",
    error: "",
    build: |args| Err(args.bad_value("", "it does nothing".into())),
};

const fn flag(name: &'static str, meaning: &'static str) -> Opt {
    Opt { name, value: None, instead: false, meaning }
}

const fn valued(name: &'static str, value: &'static str, meaning: &'static str) -> Opt {
    Opt { name, value: Some(value), instead: false, meaning }
}

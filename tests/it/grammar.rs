//! Whatever is typed is read without panic; every action prints as a line that asks for it; and the
//! table of verbs keeps its promises.

use hobnob::addr::Address;
use hobnob::api::action::Action;
use hobnob::api::command::{Command, PeerRef};
use hobnob::api::grammar::{Content, Mode, Outcome, parse};
use hobnob::api::help::page;
use hobnob::api::hint::{at_cursor, hint};
use hobnob::api::pattern::Pattern;
use hobnob::api::settings::{Change, SETTINGS, Setting};
use hobnob::api::table::{find, verbs, words};
use hobnob::api::verb::{Kind, Need};
use hobnob::id::Name;
use hobnob::limits::{DURATION_MAX, PINGS_MAX};
use hobnob::text::Body;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use std::time::Duration;

/// What trips a parser: marks of the grammar, quotes, blanks, controls, letters of several bytes.
const HOSTILE: &str = "([ \t'\"\\\\/*?!@#=<>:-]|[\0\n\r\x1b\u{85}\u{a0}\u{202e}é日]|[a-d0-2]){0,12}";

fn actions() -> impl Strategy<Value = Action> {
    let node = |command: fn(PeerRef) -> Command| peers().prop_map(move |peer| Action::Node(command(peer)));
    prop_oneof![
        (peers(), texts()).prop_map(|(to, text)| { Action::Node(Command::Send { to, text, auto: false }) }),
        texts().prop_map(|text| Action::Node(Command::Broadcast { text, auto: false })),
        texts().prop_map(|text| Action::Node(Command::Reply { text })),
        any::<bool>().prop_map(|known| Action::Node(Command::Peers { known })),
        option::of(peers()).prop_map(|peer| Action::Node(Command::Disconnect { peer })),
        node(|peer| Command::Whois { peer }),
        node(|peer| Command::Ignore { peer }),
        node(|peer| Command::Unignore { peer }),
        (names(), peers()).prop_map(|(name, peer)| Action::Node(Command::Alias { name, peer })),
        option::of(names()).prop_map(|name| Action::Node(Command::Me { name })),
        vec(peers(), 0..4).prop_map(|to| Action::Connect { to, plain: false }),
        vec(peers(), 1..4).prop_map(|to| Action::Connect { to, plain: true }),
        (peers(), 1..=PINGS_MAX).prop_map(|(peer, count)| Action::Ping { peer, count }),
        peers().prop_map(Action::Chat),
        (option::of(peers()), patterns(), option::of(durations()))
            .prop_map(|(from, pattern, within)| Action::Expect { from, pattern, within }),
        option::of(durations()).prop_map(Action::ExpectNone),
        durations().prop_map(Action::Wait),
        HOSTILE.prop_filter("a path", |path| !path.is_empty()).prop_map(Action::Source),
        option::of(settings()).prop_map(Action::Show),
        changes().prop_map(Action::Set),
        option::of(HOSTILE).prop_map(Action::Help),
        select(vec![
            Action::Limits,
            Action::Clear,
            Action::Menu,
            Action::Node(Command::Status),
            Action::Node(Command::Quit),
        ]),
    ]
}

fn peers() -> impl Strategy<Value = PeerRef> {
    prop_oneof![
        HOSTILE
            .prop_filter("a word", |word| !matches!(word.as_str(), "" | "*") && !Address::is_meant(word))
            .prop_map(PeerRef::Word),
        select(&["bob", "--all", "-n", "--", "-", "my peer", "@bob", "/x/"][..])
            .prop_map(|word| PeerRef::Word(word.into())),
        select(&[":5001", "[::1]:1", "box.lan:65535", "10.0.0.1:80"][..])
            .prop_map(|addr| PeerRef::At(addr.parse().expect(addr))),
    ]
}

fn texts() -> impl Strategy<Value = Body> {
    prop_oneof![HOSTILE, ".{1,30}", "\"[a '\"]{0,6}\" ?", "'[a '\"]{0,6}'"]
        .prop_filter_map("some text", |text| Body::new(&text).ok())
}

fn patterns() -> impl Strategy<Value = Pattern> {
    prop_oneof![HOSTILE, "/[a-c /\\\\]{0,8}/", "[a-c*? ]{0,6}"]
        .prop_filter_map("a pattern", |source| source.parse().ok())
}

fn names() -> impl Strategy<Value = Name> {
    "[a-zé0-9][a-z_.+~-]{0,8}".prop_filter_map("a name", |name| Name::new(&name).ok())
}

fn durations() -> impl Strategy<Value = Duration> {
    let micros_max = u64::try_from(DURATION_MAX.as_micros()).expect("a day fits");
    prop_oneof![
        (0..=micros_max).prop_map(Duration::from_micros),
        (0..=86_400_u64).prop_map(Duration::from_secs),
    ]
}

fn settings() -> impl Strategy<Value = Setting> {
    select(SETTINGS).prop_map(|row| row.setting)
}

fn changes() -> impl Strategy<Value = Change> {
    let words = settings().prop_filter_map("has words", |setting| {
        let change = |word: &&str| Change::new(setting, word).ok();
        setting.row().values.last().and_then(change)
    });
    prop_oneof![words, durations().prop_map(Change::Timeout)]
}

/// A verb, so that more than the first word is read, and anything behind it.
fn lines() -> impl Strategy<Value = String> {
    let verb = select(Vec::from_iter(words().map(|(word, _)| word)));
    prop_oneof![
        any::<String>(),
        HOSTILE,
        (verb, HOSTILE).prop_map(|(verb, rest)| format!("{verb} {rest}")),
        (HOSTILE, ".{0,20}").prop_map(|(head, rest)| format!("@{head} {rest}")),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(action in actions()) {
        let line = action.to_string();
        for mode in [Mode::Prompt, Mode::Batch] {
            let read = parse(&line, mode);
            prop_assert!(read.is_ok(), "{line:?}: {read:?}");
            let read = read.expect("just checked");
            prop_assert_eq!(&read.content, &Content::Action(action.clone()), "{:?}", line);
            prop_assert_eq!((read.speaker, read.outcome), (None, Outcome::Succeed));
        }
    }

    #[test]
    fn nothing_that_is_typed_panics(line in lines(), cursor in 0..64_usize) {
        for mode in [Mode::Prompt, Mode::Batch] {
            if let Err(error) = parse(&line, mode) {
                let message = error.to_string();
                prop_assert!(!message.chars().any(char::is_control), "{:?}", message);
                prop_assert!(message.len() < 1_000, "{:?}", message);
            }
        }
        let _ = hint(&line);
        let (start, _) = at_cursor(&line, cursor);
        prop_assert!(start <= cursor && line.is_char_boundary(start));
    }

    #[test]
    fn what_a_line_asks_for_can_be_written_down(line in lines()) {
        // Two spellings of one line ask for the same.
        if let Ok(read) = parse(&line, Mode::Prompt)
            && let Content::Action(action) = read.content
        {
            let again = parse(&action.to_string(), Mode::Batch).map(|line| line.content);
            prop_assert_eq!(again, Ok(Content::Action(action)));
        }
    }
}

#[test]
fn every_verb_keeps_the_promises_of_the_table() {
    for verb in verbs() {
        let read = parse(verb.example, Mode::Batch).expect(verb.example);
        assert!(matches!(read.content, Content::Action(_)), "{verb:?}");
        let first = verb.example.split(' ').next();
        assert_eq!(first.and_then(find), Some(verb), "{verb:?}");
        assert!(!verb.summary.is_empty() && !verb.error.is_empty(), "{verb:?}");
        assert!(page(verb.name).is_ok(), "{verb:?}");
        let whole_line = |kind| kind == Kind::Text;
        for pair in verb.args.windows(2) {
            assert!(!whole_line(pair[0].kind) && pair[0].need != Need::Repeated, "{verb:?}");
            assert!(pair[0].need == Need::Required || pair[1].need != Need::Required, "{verb:?}");
        }
    }
}

#[test]
fn no_two_verbs_answer_to_one_word() {
    let all = Vec::from_iter(words().map(|(word, _)| word));
    assert_eq!(BTreeSet::from_iter(&all).len(), all.len(), "{all:?}");
}

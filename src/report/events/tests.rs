//! What is written is read back, whatever it is; what is no run is refused with its line.

use proptest::prelude::*;

use super::*;
use crate::limits::EVENTS_TIME_MAX;
use crate::play::{End, Ev, Head, Moment, More, Play, Verdict, WorldKind};
use crate::report::sample::{Sample, name, untrusted};
use crate::text::Untrusted;

type Text = Untrusted<std::sync::Arc<str>>;

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        any::<String>().prop_map(|text| untrusted(&text)),
        Just(untrusted(
            "\"}\n{\"v\":1,\"n\":1,\"t\":0,\"ev\":\"end\",\"result\":0}\n\u{1b}[2J\u{202e}\u{feff}"
        )),
        Just(untrusted("\\\\\\\"\u{0}\u{7f}\u{9b}\u{2028}\u{e0041}\u{10ffff}")),
        Just(untrusted("")),
    ]
}

fn names() -> impl Strategy<Value = crate::id::Name> {
    prop_oneof![Just("alice"), Just("日本"), Just("Žluťoučký"), Just("a.b_c+d~-")].prop_map(name)
}

prop_compose! {
    fn mores()(
        why in proptest::option::of(any::<String>()),
        verdict in proptest::option::of(prop_oneof![Just(Verdict::Pass), Just(Verdict::Fail), Just(Verdict::Flaky)]),
        points in proptest::option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO),
        got in proptest::option::of(0.0..100.0f64),
        sides in proptest::option::of([proptest::collection::vec(names(), 0..3), proptest::collection::vec(names(), 0..3)]),
        one_way: bool,
        expected in proptest::option::of(text()),
        unread in proptest::collection::vec(text(), 0..3),
        quote in proptest::option::of(text()),
        file in proptest::option::of(text()),
    ) -> Option<Box<More>> {
        let more = More { why, verdict, points, got, sides, one_way, expected, unread, quote, file };
        (more != More::default()).then(|| Box::new(more))
    }
}

prop_compose! {
    fn moments()(
        (at, ev, peer, with, plain, auto) in (
            0..=EVENTS_TIME_MAX,
            proptest::sample::select(Ev::ALL.to_vec()),
            proptest::option::of(names()),
            proptest::option::of(names()),
            any::<bool>(),
            any::<bool>(),
        ),
        msg: Option<u64>,
        text in proptest::option::of(text()),
        line: Option<u32>,
        cause: Option<u64>,
        lam: u64,
        more in prop_oneof![Just(None), mores()],
    ) -> Moment {
        Moment { at, ev, peer, with, plain, auto, msg, text, line, cause, lam, more }
    }
}

prop_compose! {
    pub(in crate::report) fn plays()(
        mut moments in proptest::collection::vec(moments(), 0..20),
        (hobnob, script, hash, seed, timed, wall) in (
            any::<String>(),
            text(),
            any::<String>(),
            any::<u64>(),
            any::<bool>(),
            any::<Option<i64>>(),
        ),
        world in prop_oneof![Just(WorldKind::Sim), Just(WorldKind::Tcp)],
        end in proptest::option::of((0..=EVENTS_TIME_MAX, any::<u8>(), any::<Option<u64>>())),
    ) -> Play {
        for (at, moment) in moments.iter_mut().enumerate() {
            // A cause lies before what it causes.
            moment.cause = moment.cause.filter(|_| at > 0).map(|cause| cause % at as u64);
        }
        let end = end.map(|(at, result, trace)| End { at, result, trace });
        Play { head: Head { hobnob, script, hash, seed, world, timed, wall }, moments, end }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(play in plays()) {
        let written = write(&play);
        prop_assert!(written.iter().all(|&byte| byte == b'\n' || byte >= 0x20));
        prop_assert_eq!(
            written.iter().filter(|&&byte| byte == b'\n').count(),
            play.moments.len() + 1 + usize::from(play.end.is_some())
        );
        prop_assert_eq!(read(&written), Ok(play));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, at: usize, byte: u8) {
        let _ = read(&bytes);
        let mut written = write(&Sample::graded().end(0));
        // The hash is of all lines but the last.
        let last = written[..written.len() - 1].iter().rposition(|&byte| byte == b'\n').expect("lines");
        let at = at % last;
        if written[at] != byte {
            written[at] = byte;
            prop_assert!(read(&written).is_err(), "byte {} changed to {}", at, byte);
        }
        let _ = read(&written[..at]);
    }
}

fn lines() -> Vec<String> {
    let written = String::from_utf8(write(&Sample::talk().end(0))).expect("UTF-8");
    written.lines().map(|line| format!("{line}\n")).collect()
}

fn error(lines: &[String]) -> String {
    read(lines.concat().as_bytes()).expect_err("it is wrong").to_string()
}

#[test]
fn the_lines_look_so() {
    let lines = lines();
    assert_eq!(
        lines[0],
        "{\"v\":1,\"n\":0,\"t\":0.000000,\"ev\":\"header\",\"hobnob\":\"0.1.0\",\"world\":\"sim\",\
         \"script\":\"demo.rhai\",\"hash\":\"00ff\",\"seed\":7}\n"
    );
    let recv = lines.iter().find(|line| line.contains("recv")).expect("one");
    assert!(recv.contains("\"t\":0.010000,\"ev\":\"recv\",\"peer\":\"bob\",\"with\":\"alice\",\"msg\":1,"));
    let cause: usize =
        recv.split("\"cause\":").nth(1).expect("it").trim_end().trim_end_matches('}').parse().expect("n");
    assert!(lines[cause].contains("\"ev\":\"queued\""));
    assert!(lines.last().expect("one").contains("\"result\":0,\"trace\":\"0000000000000abc\",\"hash\":\""));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let changed = |at: usize, from: &str, to: &str| {
        let mut lines = lines();
        assert!(lines[at].contains(from), "{}", lines[at]);
        lines[at] = lines[at].replacen(from, to, 1);
        error(&lines)
    };
    let last = lines().len() - 1;
    assert!(changed(3, "\"v\":1", "\"v\":2").starts_with("line 4: version 2"));
    assert!(changed(3, "listen", "li\\u001bsten").starts_with("line 4: unknown event \"li\\x1bsten\""));
    assert!(
        changed(last, "\"hash\":\"", "\"hash\":\"0").starts_with(&format!("line {}: the lines", last + 1))
    );
    assert!(changed(2, "bob", "eve").contains("somebody changed them"));
    assert!(changed(last, "\"hash\"", "\"hush\"").contains("the hash of the lines before is missing"));
    assert!(changed(0, "header", "note").starts_with("line 1: \"note\" is no header"));
    assert!(changed(0, "\"sim\"", "\"moon\"").contains("unknown world"));
    assert!(changed(1, "\"alice\"", "\"<b>\"").starts_with("line 2: a name cannot contain"));
    assert!(changed(1, "0.000000", "-1").contains("68 years"));
    assert!(changed(1, "\"n\":1", "\"n\":9").contains("it says it is number 9, not 1"));
    assert!(changed(last, "\"result\":0", "\"result\":999").starts_with("line"));
    let mut missing = lines();
    missing.remove(4);
    assert!(error(&missing).starts_with("line 5: it says it is number 5, not 4"));
    let mut twice = lines();
    twice.push(twice[last].clone());
    assert!(error(&twice).contains("a line after the end"));
    let mut torn = lines();
    torn.truncate(3);
    torn[2].truncate(20);
    assert_eq!(error(&torn), "line 3: it is cut off; remove it to read what is before");
    assert_eq!(read(b""), Err(ReadError::Empty));
    assert!(matches!(read(b"hello\n"), Err(ReadError::Line { line: 1, .. })));
}

#[test]
fn unknown_fields_are_for_later() {
    let mut lines = lines();
    lines.truncate(5);
    lines[2] = lines[2].replacen("\"v\":1", "\"v\":1,\"new\":{\"deep\":[1,2]}", 1);
    assert_eq!(read(lines.concat().as_bytes()).expect("it is read").moments.len(), 4);
}

#[test]
fn what_a_prompt_lived_through_is_read() {
    let text = r#"{"v":1,"n":0,"t":0.000000,"ev":"header","peer":"alice","hobnob":"0.1.0","world":"tcp"}
{"v":1,"n":1,"t":0.000100,"ev":"listen","peer":"alice","addr":"127.0.0.1:5000"}
{"v":1,"n":2,"t":0.100000,"ev":"accept","peer":"alice","with":"bob","key":"abababab","addr":"127.0.0.1:5001"}
{"v":1,"n":3,"t":0.200000,"ev":"reply","peer":"alice","text":"help"}
{"v":1,"n":4,"t":0.300000,"ev":"recv","peer":"alice","with":"bob","key":"abababab","msg":1,"text":"hi"}
{"v":1,"n":5,"t":0.400000,"ev":"send","peer":"alice","with":"eve","plain":true,"msg":1}
{"v":1,"n":6,"t":0.500000,"ev":"exit","peer":"alice"}
{"v":1,"n":7,"t":0.500000,"ev":"end","peer":"alice","result":0}
"#;
    let play = read(text.as_bytes()).expect("it is read");
    assert_eq!((play.moments.len(), play.head.world, play.head.timed), (5, WorldKind::Tcp, true));
    assert_eq!(play.end, Some(End { at: 500_000, result: 0, trace: None }));
    let transcript = crate::report::transcript::write(&play, false);
    assert!(transcript.contains("   0.300  alice  <- bob    #1 \"hi\"\n"), "{transcript}");
}

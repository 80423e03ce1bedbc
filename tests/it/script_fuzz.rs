//! Scripts that chance writes: whatever they do, one seed gives one run to the byte, and the list of
//! what happened is in order. Those that wait for causes give one stable transcript for every seed
//! and in both worlds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hobnob::id::Name;
use hobnob::play::{Ev, Play, WorldKind};
use hobnob::report::{events, stable};
use hobnob::rng::{Rng, Seed};
use hobnob::script::Outcome;

use crate::play::{play, script};

const CAST: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[usize::try_from(rng.below(from.len() as u64)).expect("small")]
}

/// Two different peers.
fn two<'a>(rng: &mut Rng, from: &[&'a str]) -> (&'a str, &'a str) {
    let a = pick(rng, from);
    let others: Vec<_> = from.iter().copied().filter(|name| *name != a).collect();
    (a, pick(rng, &others))
}

/// Anything, in any order.
fn wild(rng: &mut Rng) -> String {
    let mut text = String::from("cast([\"alice\", \"bob\", \"carol\", \"dave\"]);\n");
    if rng.below(4) == 0 {
        text.insert_str(0, "wire(\"classic\");\n");
    }
    for number in 0..10 + rng.below(30) {
        let (a, b) = two(rng, &CAST);
        let ms = rng.below(300);
        let line = match rng.below(31) {
            0..=3 => format!("{a}.connect({b})"),
            4..=8 => format!("{a}.send({b}, \"m{number}\")"),
            9 => format!("{a}.broadcast(\"all{number}\")"),
            10 => format!("{a}.connect({b}, #{{ wait: false }})"),
            11 => format!("{a}.disconnect({b})"),
            12 => format!("{a}.quit()"),
            13 => format!("crash({a})"),
            14 | 15 => format!("restart({a})"),
            16 => format!("partition([{a}], [{b}], #{{ one_way: {} }})", rng.below(2) == 0),
            17 | 18 => "heal()".into(),
            19 => format!("hold({a}, {b})"),
            20 => format!("release({a}, {b})"),
            21 => format!("cut({a}, {b})"),
            22 => format!("half_open({a}, {b})"),
            23 => format!("clog({a}, {b}, {ms}.ms)"),
            24 => format!("net(#{{ delay: {ms}.ms, jitter: {}.ms, split: {} }})", ms / 3, 1 + ms),
            25 => format!("crash_after({a}, {})", rng.below(12)),
            26 => format!("slow({a}, {ms}.ms); disk({b}, {ms}.ms)"),
            27 => format!("{a}.on(\"{}\", |me, m| {{ wait({ms}.ms); {b}.send({a}, \"h{number}\") }})", {
                pick(rng, &["message", "joined", "left", "lost", "failed"])
            }),
            28 => format!("{a}.expect(\"m*\", #{{ from: {b}, within: {ms}.ms }})"),
            29 => "settle(10.s)".into(),
            _ => format!("wait({ms}.ms)"),
        };
        let _ = writeln!(text, "try {{ {line}; }} catch (e) {{ print(`${{e}}`); }}");
    }
    text
}

/// What holds of every list.
fn in_order(play: &Play, about: &str) {
    let mut clocks: BTreeMap<Option<Name>, u64> = BTreeMap::new();
    let mut latest = 0;
    for (at, moment) in play.moments.iter().enumerate() {
        let place = format!("{about}\n{at}: {moment:?}");
        assert!(moment.at >= latest, "time goes back: {place}");
        latest = moment.at;
        if moment.peer.is_some() {
            let clock = clocks.entry(moment.peer).or_default();
            assert!(moment.lam > *clock, "a clock goes back: {place}");
            *clock = moment.lam;
        }
        if let Some(cause) = moment.cause {
            let cause = &play.moments[usize::try_from(cause).expect("small")];
            assert!(cause.lam < moment.lam || moment.peer.is_none(), "a cause is later: {place}\n{cause:?}");
        }
        let is_odd = moment.ev == Ev::Recv && moment.cause.is_none();
        assert!(!is_odd, "nobody sent this: {place}");
    }
    let kept = events::read(&events::write(play)).expect("it can be read");
    assert_eq!(&kept, play, "{about}");
}

fn error(outcome: &Outcome) -> String {
    outcome.error.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn whatever_a_script_does_one_seed_gives_one_run() {
    let many = std::env::var("HOBNOB_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let from = std::env::var("HOBNOB_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    for number in from..from + many {
        let text = wild(&mut Rng::new(Seed::from_number(number)));
        let source = script("wild.rhai", &text);
        let about = format!("script {number}\n{text}");
        let [first, second] = [(); 2].map(|()| play(&source, number, WorldKind::Sim));
        assert_eq!(first.play, second.play, "{about}");
        in_order(&first.play, &about);
        assert_eq!(error(&first), "", "{about}");
    }
}

/// Only what waits for causes.
fn calm(rng: &mut Rng, classic: bool) -> String {
    let count = 2 + usize::try_from(rng.below(3)).expect("small");
    let mut up: Vec<_> = CAST[..count].to_vec();
    let mut text = String::new();
    if classic {
        text.push_str("wire(\"classic\");\n");
    }
    let _ = writeln!(text, "cast({up:?});");
    let meet = |up: &[&str], text: &mut String| {
        for (at, a) in up.iter().enumerate() {
            for b in &up[at + 1..] {
                let _ = writeln!(text, "{a}.connect({b});");
            }
        }
        text.push_str("settle();\n");
    };
    if rng.below(2) == 0 {
        let (a, b) = two(rng, &up);
        let _ = writeln!(
            text,
            "{a}.on(\"message\", |me, m| if m.text.contains(\"ask\") {{ me.send(m.from, \"re \" + m.text) }});"
        );
        let _ = writeln!(text, "let asked = \"{a}\"; let asker = \"{b}\";");
    }
    meet(&up, &mut text);
    for number in 0..4 + rng.below(12) {
        if up.len() < 2 {
            break;
        }
        let (a, b) = two(rng, &up);
        match rng.below(if classic { 8 } else { 13 }) {
            0..=2 => {
                let _ = writeln!(
                    text,
                    "{a}.send({b}, \"m{number}\"); {b}.expect(\"m{number}\", #{{ from: {a} }});"
                );
            }
            // Plain ones travel apart, so nothing orders two of them.
            3 if !classic => {
                for part in 0..1 + rng.below(20) {
                    let _ = writeln!(text, "{a}.send({b}, \"m{number} {part}\");");
                }
                text.push_str("settle();\n");
            }
            4 => {
                let _ = writeln!(text, "{a}.broadcast(\"all{number}\");");
                for p in up.iter().filter(|p| **p != a) {
                    let _ = writeln!(text, "{p}.expect(\"all{number}\", #{{ from: {a} }});");
                }
            }
            5 => {
                let _ = writeln!(text, "{a}.send({b}, \"ask{number}\"); settle();");
            }
            6 => {
                let _ = writeln!(text, "settle(); step(\"part {number}\");");
            }
            3 | 7 => {
                let _ = writeln!(text, "check({a}.peers().len() == {}, \"all are here\");", up.len() - 1);
            }
            8 => {
                let _ = writeln!(
                    text,
                    "settle(); crash({a}); {b}.send({a}, \"late{number}\"); restart({a}); settle();"
                );
                meet(&up, &mut text);
                let _ = writeln!(text, "{a}.expect(\"late{number}\", #{{ within: 60.s }});");
            }
            9 => {
                let _ = writeln!(
                    text,
                    "settle(); partition([{a}], [{b}]); {a}.send({b}, \"cut{number}\"); settle(); heal();"
                );
                let _ = writeln!(text, "{b}.expect(\"cut{number}\", #{{ within: 60.s }}); settle();");
            }
            10 | 11 => {
                let _ = writeln!(text, "settle(); cut({a}, {b}); {a}.connect({b}); settle();");
            }
            _ => {
                let _ = writeln!(text, "settle(); {a}.quit(); settle();");
                up.retain(|p| *p != a);
            }
        }
    }
    text.push_str("settle();\n");
    text
}

fn same_everywhere(scripts: std::ops::Range<u64>, classic: bool) {
    for number in scripts {
        let text = calm(&mut Rng::new(Seed::from_number(number)), classic);
        let source = script("calm.rhai", &text);
        let mut wanted = None;
        for (seed, world) in [(1, WorldKind::Sim), (2, WorldKind::Sim), (3, WorldKind::Tcp)] {
            let outcome = play(&source, seed, world);
            let about = format!("script {number}, seed {seed}, {world:?}\n{text}");
            assert_eq!(error(&outcome), "", "{about}");
            in_order(&outcome.play, &about);
            let stable = stable::write(&outcome.play);
            let wanted = wanted.get_or_insert_with(|| stable.clone());
            assert_eq!(&stable, wanted, "{about}");
        }
    }
}

#[test]
fn who_waits_for_causes_gets_one_transcript_everywhere() {
    let many = std::env::var("HOBNOB_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let from = std::env::var("HOBNOB_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    same_everywhere(from..from + many, false);
}

#[test]
fn plain_ones_do_too() {
    let many = std::env::var("HOBNOB_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let from = std::env::var("HOBNOB_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    same_everywhere(from..from + many, true);
}

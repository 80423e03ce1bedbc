//! Files of events and bundles that something has damaged: they are refused with the place, or read,
//! and then every report can be made of them. Nothing breaks, whatever stands in them.

use std::path::Path;

use hobnob::play::{Play, WorldKind};
use hobnob::report::bundle::{self, Bundle};
use hobnob::report::{cast, diagram, events, gradescope, html, junit, stable, tap, transcript};
use hobnob::rng::{Rng, Seed};

use crate::play::{file, play};

/// What may stand where a number stood, an event, a name, and anything else.
const NUMBERS: [&str; 8] =
    ["0", "1", "7", "2147483647", "4294967295", "18446744073709551615", "1e9", "0.000001"];
const EVENTS: [&str; 10] = [
    "\"test\"",
    "\"check\"",
    "\"expect.fail\"",
    "\"step\"",
    "\"queued\"",
    "\"recv\"",
    "\"partition\"",
    "\"heal\"",
    "\"listen\"",
    "\"delivered\"",
];
const NAMES: [&str; 4] = ["\"alice\"", "\"bob\"", "\"nobody-here\"", "\"x\""];
const ODD: [&str; 6] = ["null", "true", "\"\"", "[]", "-1", "\"\\u202e\\u0000<b>\\n\""];

fn recorded() -> Vec<Play> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let names = ["chaos.rhai", "rubric.rhai", "bot.rhai"];
    names.iter().map(|name| play(&file(&root.join(name)), 1, WorldKind::Sim).play).collect()
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).expect("small")
}

/// A line in which one value is another, or one byte, or which is cut off.
fn damage(rng: &mut Rng, line: &str) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    match rng.below(12) {
        0 => {
            let at = below(rng, bytes.len());
            bytes[at] = u8::try_from(rng.below(256)).expect("a byte");
        }
        1 => bytes.truncate(below(rng, bytes.len())),
        _ => {
            // The version and the number of a line are looked at first; those stay.
            let colons: Vec<_> = line.match_indices("\":").map(|(at, _)| at).skip(2).collect();
            let colon = colons[below(rng, colons.len())];
            let field = line[..colon].rsplit('"').next().expect("a name");
            let rest = &line[colon + 2..];
            let text = rest.starts_with('"').then(|| rest[1..].find('"').map(|at| at + 2));
            let length = text.unwrap_or_else(|| rest.find([',', '}'])).unwrap_or(1);
            let all: &[&str] = match field {
                "t" | "lam" | "msg" | "cause" | "line" | "points" | "got" | "seed" => &NUMBERS,
                "ev" => &EVENTS,
                "peer" | "with" => &NAMES,
                _ => &ODD,
            };
            bytes.splice(colon + 2..colon + 2 + length, all[below(rng, all.len())].bytes());
        }
    }
    bytes
}

/// Everything that can be made of a run.
fn reports(play: &Play) {
    assert!(!events::write(play).is_empty());
    stable::write(play);
    html::write(play);
    transcript::write(play, true);
    junit::write(play);
    tap::write(play);
    gradescope::write(play);
    cast::write(play);
    for columns in [0, 1, 40, 100] {
        diagram::write(play, columns);
    }
}

#[test]
fn damaged_events_are_refused_or_shown() {
    let mut rng = Rng::new(Seed::from_number(7));
    let (mut refused, mut shown) = (0, 0);
    for play in recorded() {
        let whole = events::write(&play);
        let text = std::str::from_utf8(&whole).expect("text");
        let lines: Vec<_> = text.lines().collect();
        for _ in 0..150 {
            // Without its last line, which has the hash of the others, a file is a run that did not end.
            let mut bytes = Vec::new();
            let hurt = [(); 3].map(|()| below(&mut rng, lines.len() - 1));
            for (number, line) in lines[..lines.len() - 1].iter().enumerate() {
                match hurt.contains(&number) {
                    true => bytes.extend(damage(&mut rng, line)),
                    false => bytes.extend(line.bytes()),
                }
                bytes.push(b'\n');
            }
            match events::read(&bytes) {
                Ok(play) => {
                    reports(&play);
                    shown += 1;
                }
                Err(error) => {
                    assert!(error.to_string().starts_with("line "), "{error}");
                    refused += 1;
                }
            }
            let at = below(&mut rng, whole.len());
            let mut one = whole.clone();
            one[at] ^= 1 << rng.below(8);
            assert!(events::read(&one).is_err() || at >= whole.len() - 200, "byte {at} was changed");
            let _ = events::read(&whole[..at]);
        }
    }
    assert!(refused > 50 && shown > 50, "{refused} refused, {shown} shown");
}

#[test]
fn a_damaged_bundle_is_refused_or_the_same() {
    let play = recorded().remove(2);
    let script = Bundle {
        script: "bot.rhai".into(),
        files: vec![("bot.rhai".into(), b"x".to_vec())],
        play,
        program: String::new(),
        args: Vec::new(),
    };
    let whole = bundle::write(&script).expect("it fits");
    let mut rng = Rng::new(Seed::from_number(9));
    for _ in 0..1_500 {
        let mut bytes = whole.clone();
        // Headers are where lengths and names stand.
        let block = below(&mut rng, whole.len() / 512) * 512;
        let at = if rng.below(2) == 0 { block + below(&mut rng, 157) } else { below(&mut rng, whole.len()) };
        bytes[at] = u8::try_from(rng.below(256)).expect("a byte");
        let _ = bundle::read(&bytes);
        bytes.truncate(at);
        let _ = bundle::read(&bytes);
    }
}

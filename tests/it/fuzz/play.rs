//! A run made from an input's bytes: any moments in any order, with any text wherever a text can
//! stand, from one short list of names so that moments are about each other.

use std::sync::Arc;

use hobnob::id::Name;
use hobnob::limits::EVENTS_TIME_MAX;
use hobnob::play::{End, Ev, Head, Moment, More, Play, Verdict, WorldKind};
use hobnob::text::Untrusted;

use super::draw::Draw;

const NAMES: [&str; 6] = ["alice", "bob", "日本", "Žluťoučký", "a.b_c+d~-", "x"];
const VERDICTS: [Verdict; 3] = [Verdict::Pass, Verdict::Fail, Verdict::Flaky];
/// Enough for every kind to be about some other.
const MOMENTS_MAX: usize = 24;

type Text = Untrusted<Arc<str>>;

fn name(draw: &mut Draw<'_>) -> Name {
    Name::new(draw.pick(&NAMES)).expect("a name")
}

fn maybe<T>(draw: &mut Draw<'_>, make: impl FnOnce(&mut Draw<'_>) -> T) -> Option<T> {
    draw.flag().then(|| make(draw))
}

fn text(draw: &mut Draw<'_>) -> Text {
    Untrusted::new(draw.text().into())
}

fn number(draw: &mut Draw<'_>) -> f64 {
    let odd = [0.0, 1.0, 2.5, -1.0, 1e300, f64::NAN, f64::INFINITY, 0.1];
    draw.pick(&odd)
}

fn more(draw: &mut Draw<'_>) -> Option<Box<More>> {
    let more = More {
        why: maybe(draw, |draw| draw.text()),
        verdict: maybe(draw, |draw| draw.pick(&VERDICTS)),
        points: maybe(draw, number),
        got: maybe(draw, number),
        sides: maybe(draw, |draw| [(); 2].map(|()| (0..draw.below(3)).map(|_| name(draw)).collect())),
        one_way: draw.flag(),
        expected: maybe(draw, text),
        unread: (0..draw.below(3)).map(|_| text(draw)).collect(),
        quote: maybe(draw, text),
        file: maybe(draw, text),
    };
    (more != More::default()).then(|| Box::new(more))
}

fn moment(draw: &mut Draw<'_>, before: usize) -> Moment {
    let ev = draw.pick(&Ev::ALL);
    let at = if draw.below(16) == 15 { draw.u64() % (EVENTS_TIME_MAX + 1) } else { draw.u16().into() };
    let bits = draw.byte();
    let is = |bit: u8| bits >> bit & 1 == 1;
    Moment {
        at,
        ev,
        peer: is(0).then(|| name(draw)),
        with: is(1).then(|| name(draw)),
        plain: is(2),
        auto: is(3),
        msg: is(4).then(|| draw.u64()),
        text: is(5).then(|| text(draw)),
        line: maybe(draw, |draw| draw.byte().into()),
        // A cause lies before what it causes.
        cause: maybe(draw, |draw| draw.u64()).filter(|_| before > 0).map(|cause| cause % before as u64),
        lam: draw.byte().into(),
        more: if is(6) { more(draw) } else { None },
    }
}

/// A whole run.
pub(super) fn play(draw: &mut Draw<'_>) -> Play {
    let bits = draw.byte();
    let head = Head {
        hobnob: draw.text(),
        script: text(draw),
        hash: draw.text(),
        seed: draw.u64(),
        world: if bits & 1 == 0 { WorldKind::Sim } else { WorldKind::Tcp },
        timed: bits & 2 == 2,
        wall: (bits & 4 == 4).then(|| i64::from(draw.byte()) - 100),
    };
    let end = (bits & 8 == 0).then(|| End {
        at: draw.u16().into(),
        result: draw.byte() % 5,
        trace: (bits & 16 == 16).then(|| draw.u64()),
    });
    let mut moments = Vec::new();
    while !draw.is_over() && moments.len() < MOMENTS_MAX {
        moments.push(moment(draw, moments.len()));
    }
    Play { head, moments, end }
}

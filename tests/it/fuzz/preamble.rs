//! The first bytes of a stream, from somebody who has proven nothing, on each kind of link: whatever
//! they are, the link comes to the same end however they are cut, nobody is taken for proven, nothing
//! is taken for said, and what is answered is bounded.

use std::sync::LazyLock;

use hobnob::key::Keys;
use hobnob::limits;
use hobnob::link::Link;
use hobnob::rng::{Rng, Seed};
use hobnob::time::Mono;
use hobnob::why::Why;
use hobnob::wire::classic::is_plain_first_byte;
use hobnob::wire::preamble::{LEN, OURS, Verdict, judge};

use super::draw::Draw;

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::from_seed(Seed::from_number(1)));

/// Our preamble and the two messages of a handshake that we may say before it fails, with prefixes.
const ANSWER_MAX: usize = LEN + 2 + 192 + 2 + 160;

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Course {
    ended: Option<Why>,
    burst: Vec<u8>,
    out: Vec<u8>,
    /// Waiting, plain; what an end would have meant.
    state: (bool, bool, Why),
}

fn course(link: Link, stream: &[u8], mut cuts: impl Iterator<Item = usize>) -> Course {
    let (mut link, mut rng, mut plain) = (link, Rng::new(Seed::from_number(2)), Vec::new());
    let (mut rest, mut ended, mut burst, mut out) = (stream, None, Vec::new(), Vec::new());
    while !rest.is_empty() && ended.is_none() {
        let (piece, more) = rest.split_at(cuts.next().unwrap_or(rest.len()).clamp(1, rest.len()));
        rest = more;
        match link.receive(Mono(7), piece, &KEYS, &mut rng, &mut plain) {
            Ok(progress) => {
                assert_eq!(progress.authenticated, None, "nobody has shown a key");
                burst.extend(progress.burst.unwrap_or_default());
            }
            Err(why) => ended = Some(why),
        }
        out.extend(link.take(&mut Vec::new()));
        assert!(!link.is_open() && plain.is_empty(), "nothing was proven, so nothing was said");
    }
    burst.extend(link.end().unwrap_or_default());
    Course { ended, burst, out, state: (link.is_waiting(), link.is_plain(), link.why_at_eof()) }
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let kind = draw.below(5);
    let cuts: Vec<_> = draw.run().iter().map(|&cut| usize::from(cut)).collect();
    let stream = draw.rest();
    let link = || match kind {
        0 => Link::accepted(Mono(0), false),
        1 => Link::accepted(Mono(0), true),
        2 => Link::dialled(Mono(0)),
        3 => Link::probing(Mono(0)),
        _ => Link::plain(Mono(0)),
    };
    let whole = course(link(), stream, std::iter::empty());
    assert_eq!(course(link(), stream, cuts.into_iter().cycle()), whole, "the cuts made a difference");
    assert!(whole.out.len() <= ANSWER_MAX);
    // A link that has failed keeps what it has read of a burst that came before.
    let room = stream.len().min(limits::BURST_MAX);
    if whole.state.1 {
        assert_eq!(whole.burst[..room], stream[..room], "plain text is as it came");
    }
    match (kind, stream.first()) {
        (0 | 1, Some(0x7f)) | (2, Some(_)) | (3, Some(0x7f)) => match judge(stream) {
            Verdict::Partial => assert_eq!(whole.ended, None),
            Verdict::Ours => assert!(whole.out.starts_with(&OURS)),
            Verdict::Other(version) => assert_eq!(whole.ended, Some(Why::Version(version))),
            Verdict::Not => assert!(matches!(whole.ended, Some(Why::NotHobnob | Why::Protocol))),
        },
        (0, Some(&first)) => assert_eq!(whole.state.1, is_plain_first_byte(first)),
        (1, Some(_)) => assert!(whole.ended.is_some() && whole.out.is_empty()),
        (_, Some(_)) => assert!(whole.state.1),
        (_, None) => assert_eq!(whole.ended, None),
    }
}

//! Our own protocol's values: what is written is read back, what is read can only have been written
//! one way, and no bytes do harm.

use proptest::prelude::*;

use hobnob::limits::{BODY_MAX, NAME_MAX, SEQ_MAX};
use hobnob::wire::message::{Bye, Have, Message};
use hobnob::wire::preamble;
use hobnob::wire::record::{Splitter, put_prefix};

/// What a message borrows from.
#[derive(Clone, Debug)]
struct Parts {
    kind: u8,
    numbers: [u64; 3],
    id: [u8; 16],
    flag: bool,
    name: String,
    text: String,
    bytes: Vec<u8>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let text = prop_oneof![9 => ".{1,300}", 1 => Just("x".repeat(BODY_MAX))];
    let number = prop_oneof![Just(0), Just(127), Just(128), Just(u64::MAX), any::<u64>()];
    let numbers = [number.clone(), number.clone(), number];
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    (0..9u8, numbers, any::<[u8; 16]>(), any::<bool>(), "[a-zé]{0,16}", text, bytes).prop_map(
        |(kind, numbers, id, flag, name, text, bytes)| Parts { kind, numbers, id, flag, name, text, bytes },
    )
}

fn message(parts: &Parts) -> Message<'_> {
    let Parts { kind, numbers: [a, b, c], id, flag, name, text, bytes } = parts;
    let (a, b, c, id, flag) = (*a, *b, *c, *id, *flag);
    match kind {
        0 => {
            let port = u16::try_from(a % 65_536).expect("in range");
            Message::Hello {
                name,
                port,
                passing: flag,
                epoch: a,
                base: b & SEQ_MAX,
                have: flag.then_some(Have { epoch: a, saved: b, last: c, id }),
                life: c,
            }
        }
        1 => Message::Chat { seq: a & SEQ_MAX, id, auto: flag, text },
        2 => Message::Ack { epoch: a, seq: b },
        3 => Message::Ping { nonce: a },
        4 => Message::Pong { nonce: a },
        5 => Message::Bye { reason: if flag { Bye::Leaving } else { Bye::Duplicate } },
        6 => Message::Rename { name },
        7 => Message::Stream { epoch: a, base: b & SEQ_MAX },
        _ => Message::Optional { kind: u32::try_from(a % 1_000).expect("small"), content: bytes },
    }
}

proptest! {
    #[test]
    fn a_run_of_messages_is_read_as_it_was_written(all in prop::collection::vec(parts(), 0..12)) {
        let mut run = Vec::new();
        all.iter().for_each(|parts| message(parts).put(&mut run));
        let mut rest = &run[..];
        for parts in &all {
            prop_assert_eq!(Message::take(&mut rest), Ok(message(parts)));
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn what_is_read_could_only_be_written_so(bytes in prop::collection::vec(any::<u8>(), 0..400), tag in 0..9u8) {
        let bytes = [vec![tag], bytes].concat();
        let mut rest = &bytes[..];
        if let Ok(message) = Message::take(&mut rest) {
            let mut again = Vec::new();
            message.put(&mut again);
            prop_assert_eq!(&again[..], &bytes[..bytes.len() - rest.len()]);
            if let Message::Hello { name, .. } | Message::Rename { name } = message {
                prop_assert!(name.len() <= NAME_MAX);
            }
        } else {
            prop_assert_eq!(rest, &bytes[..], "what is refused is not taken");
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_read_as_something_whole(parts in parts(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = Vec::new();
        message(&parts).put(&mut bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let mut rest = &bytes[..];
        while !rest.is_empty() && Message::take(&mut rest).is_ok() {}
    }

    #[test]
    fn records_survive_any_cut(
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..500), 0..8),
        cuts in prop::collection::vec(1..64usize, 1..40),
    ) {
        let mut stream = Vec::new();
        for record in &records {
            put_prefix(record.len(), &mut stream);
            stream.extend_from_slice(record);
        }
        let (mut splitter, mut found, mut rest) = (Splitter::default(), Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*cut).min(rest.len()));
            rest = more;
            let mut input = piece;
            while let Some(record) = splitter.next(&mut input, 1, 500).expect("good lengths") {
                found.push(record.into_owned());
            }
            prop_assert!(input.is_empty());
        }
        prop_assert_eq!(found, records);
        prop_assert_eq!(splitter.held(), 0);
    }

    #[test]
    fn any_lengths_are_judged_before_they_cost_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut splitter, mut input) = (Splitter::default(), &bytes[..]);
        while let Ok(Some(record)) = splitter.next(&mut input, 17, 64) {
            prop_assert!((17..=64).contains(&record.len()));
        }
        prop_assert!(splitter.held() <= 2 + 64);
    }

    #[test]
    fn the_preamble_is_judged_by_its_own_bytes_only(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
        let verdict = preamble::judge(&bytes);
        let longer = [&bytes[..], &[0; 9]].concat();
        if bytes.len() >= preamble::LEN {
            prop_assert_eq!(preamble::judge(&longer), verdict);
        }
        prop_assert_eq!(verdict == preamble::Verdict::Ours, bytes.starts_with(&preamble::OURS));
    }
}

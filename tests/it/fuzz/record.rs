//! A stream of records, cut anywhere: the splitter gives what a reader of the whole stream would,
//! keeps no more than one record, and refuses a length before it keeps anything for it.

use hobnob::wire::record::{Splitter, put_prefix};

use super::draw::Draw;

/// The records of a whole stream, and whether a length in it is refused.
fn whole(mut stream: &[u8], min: usize, max: usize) -> (Vec<Vec<u8>>, bool) {
    let mut records = Vec::new();
    while let Some((&[high, low], rest)) = stream.split_first_chunk() {
        let length = usize::from(high) * 256 + usize::from(low);
        if length < min || length > max {
            return (records, true);
        }
        let Some((record, rest)) = rest.split_at_checked(length) else { break };
        records.push(record.to_vec());
        stream = rest;
    }
    (records, false)
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let min = draw.below(20);
    let max = min + draw.pick(&[0, 1, 5, 30, 200, 1_000, 65_535 - 20]);
    let cuts: Vec<_> = draw.run().iter().map(|&cut| usize::from(cut).max(1)).collect();
    let stream = draw.rest();
    let (wanted, refused) = whole(stream, min, max);
    let (mut splitter, mut found, mut rest) = (Splitter::default(), Vec::new(), stream);
    let (mut cuts, mut seen) = (cuts.iter().cycle(), 0);
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(cuts.next().map_or(rest.len(), |&cut| cut.min(rest.len())));
        rest = more;
        seen += piece.len();
        let mut input = piece;
        loop {
            match splitter.next(&mut input, min, max) {
                Ok(Some(record)) => found.push(record.into_owned()),
                Ok(None) => break,
                Err(bad) => {
                    assert!(refused && bad.length < min || bad.length > max, "{bad:?}");
                    assert_eq!(found, wanted);
                    assert!(splitter.held() <= 2);
                    return;
                }
            }
        }
        assert!(input.is_empty(), "what is not given is held");
        let given: usize = found.iter().map(|record| record.len() + 2).sum();
        assert_eq!(splitter.held(), seen - given);
        assert!(splitter.held() < 2 + max.max(1));
    }
    assert!(!refused, "a length that is not allowed was taken");
    assert_eq!(found, wanted);
    let mut again = Vec::new();
    for record in &found {
        put_prefix(record.len(), &mut again);
        again.extend_from_slice(record);
    }
    assert!(stream.starts_with(&again));
}

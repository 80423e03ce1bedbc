//! All that a disk ever had, in the order of being saved, in little space: most of what a large world
//! would take is the same message for eight peers, and numbers that are one more than the last. Knows
//! what a record is and nothing of what it is good for.

use std::collections::BTreeMap;

use crate::id::MessageId;
use crate::key::PeerKey;
use crate::node::record::Record;
use crate::text::{Body, Untrusted};
use crate::time::Wall;

/// Records, packed.
#[derive(Default)]
pub(super) struct Log {
    /// What is neither queued, delivered nor received, in the order of being saved.
    others: Vec<Record>,
    peers: Vec<PeerKey>,
    by_key: BTreeMap<PeerKey, usize>,
    /// Whole records in each.
    chunks: Vec<Vec<u8>>,
    count: usize,
    last: Last,
}

/// What the next record is compared with: the writer's and the reader's are always the same.
#[derive(Default)]
struct Last {
    /// Of each peer the stream and the number in it, for each kind of record.
    streams: Vec<[(u64, u64); KINDS]>,
    queued: Option<(MessageId, Body, Wall)>,
}

/// Reads a packed record by record.
struct Reader<'a> {
    bytes: &'a [u8],
}

// The first byte of a record: its kind, then what need not be said.
const QUEUED: u8 = 0;
const DELIVERED: u8 = 1;
const RECEIVED: u8 = 2;
const KINDS: usize = 3;
/// The next of `others`.
const OTHER: u8 = 3;
const KIND: u8 = 0b11;
/// The next number of the same stream.
const NEXT: u8 = 1 << 2;
/// The message that was queued before, for another peer.
const SAME: u8 = 1 << 3;
const AUTO: u8 = 1 << 4;
/// Bytes of a record but for its text, at most.
const HEAD: usize = 1 + 3 * 10 + 16 + 8 + 8;
const CHUNK_MIN: usize = 512;
const CHUNK_MAX: usize = 64 * 1024;

impl Log {
    pub(super) fn add(&mut self, record: &Record) {
        self.count += 1;
        let (kind, key, epoch, seq) = match record {
            Record::Queued { to, epoch, seq, .. } => (QUEUED, *to, *epoch, *seq),
            Record::Delivered { to, epoch, seq } => (DELIVERED, *to, *epoch, *seq),
            Record::Received { from, epoch, seq, .. } => (RECEIVED, *from, *epoch, *seq),
            other => {
                self.others.push(other.clone());
                return room(&mut self.chunks, 1).push(OTHER);
            }
        };
        let peer = self.peer(key);
        let last = &mut self.last.streams[peer][usize::from(kind)];
        let mut flags = kind;
        if last.0 == epoch && last.1.checked_add(1) == Some(seq) {
            flags |= NEXT;
        }
        *last = (epoch, seq);
        let message = match record {
            Record::Queued { id, text, auto, at, .. } => {
                flags |= if *auto { AUTO } else { 0 };
                let queued = Some((*id, text.clone(), *at));
                if self.last.queued == queued {
                    flags |= SAME;
                }
                self.last.queued = queued;
                Some((id, text.as_str(), at))
            }
            Record::Received { id, text, auto, at, .. } => {
                flags |= if *auto { AUTO } else { 0 };
                Some((id, text.expose(), at))
            }
            _ => None,
        };
        let message = message.filter(|_| flags & SAME == 0);
        let chunk = room(&mut self.chunks, HEAD + message.map_or(0, |(_, text, _)| text.len()));
        chunk.push(flags);
        put(peer as u64, chunk);
        if flags & NEXT == 0 {
            chunk.extend_from_slice(&epoch.to_le_bytes());
            put(seq, chunk);
        }
        if let Some((id, text, at)) = message {
            chunk.extend_from_slice(&id.0);
            chunk.extend_from_slice(&at.0.to_le_bytes());
            put(text.len() as u64, chunk);
            chunk.extend_from_slice(text.as_bytes());
        }
    }

    /// How many records that is.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// All of it, as it was.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut last = Last { streams: vec![Default::default(); self.peers.len()], queued: None };
        let mut records = Vec::with_capacity(self.count);
        let mut others = self.others.iter().cloned();
        for chunk in &self.chunks {
            let mut reader = Reader { bytes: chunk };
            while !reader.bytes.is_empty() {
                records.extend(reader.record(&self.peers, &mut last, &mut others));
            }
        }
        debug_assert_eq!(records.len(), self.count);
        records
    }

    fn peer(&mut self, key: PeerKey) -> usize {
        *self.by_key.entry(key).or_insert_with(|| {
            self.peers.push(key);
            self.last.streams.push(Default::default());
            self.peers.len() - 1
        })
    }
}

/// A chunk with so much room. Chunks grow with the log, so that little of it is ever empty.
fn room(chunks: &mut Vec<Vec<u8>>, bytes: usize) -> &mut Vec<u8> {
    if chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < bytes) {
        let all: usize = chunks.iter().map(Vec::len).sum();
        chunks.push(Vec::with_capacity((all / 8).clamp(CHUNK_MIN, CHUNK_MAX).max(bytes)));
    }
    let last = chunks.len() - 1;
    &mut chunks[last]
}

/// A number, seven bits a byte, the low ones first.
fn put(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

impl Reader<'_> {
    /// The next record. What is here was written here, so it is there.
    fn record(
        &mut self,
        peers: &[PeerKey],
        last: &mut Last,
        others: &mut impl Iterator<Item = Record>,
    ) -> Option<Record> {
        let flags = self.take(1)?[0];
        if flags & KIND == OTHER {
            return others.next();
        }
        let at = usize::try_from(self.number()?).ok()?;
        let key = *peers.get(at)?;
        let stream = &mut last.streams[at][usize::from(flags & KIND)];
        if flags & NEXT == 0 {
            *stream = (u64::from_le_bytes(*self.take(8)?.first_chunk()?), self.number()?);
        } else {
            stream.1 += 1;
        }
        let (epoch, seq) = *stream;
        match flags & KIND {
            QUEUED => {
                if flags & SAME == 0 {
                    last.queued = Some(self.message()?);
                }
                let (id, text, at) = last.queued.clone()?;
                Some(Record::Queued { to: key, epoch, seq, id, text, auto: flags & AUTO != 0, at })
            }
            DELIVERED => Some(Record::Delivered { to: key, epoch, seq }),
            _ => {
                let (id, text, at) = self.message()?;
                let (text, auto) = (Untrusted::new(text), flags & AUTO != 0);
                Some(Record::Received { from: key, epoch, seq, id, text, auto, at })
            }
        }
    }

    fn message(&mut self) -> Option<(MessageId, Body, Wall)> {
        let id = MessageId(*self.take(16)?.first_chunk()?);
        let at = Wall(i64::from_le_bytes(*self.take(8)?.first_chunk()?));
        let length = usize::try_from(self.number()?).ok()?;
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        Some((id, Body::new(text).ok()?, at))
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count).unwrap_or((self.bytes, &[]));
        self.bytes = rest;
        (taken.len() == count).then_some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Rng, Seed};

    #[test]
    fn what_is_read_is_what_was_written() {
        let mut rng = Rng::new(Seed::from_number(3));
        let (mut log, mut all) = (Log::default(), Vec::new());
        for number in 0..3_000 {
            let key = PeerKey([u8::try_from(rng.below(200)).expect("small"); 32]);
            let epoch = [0, 7, u64::MAX][usize::try_from(rng.below(3)).expect("small")];
            let seq =
                [number, number / 200, 1 << 40, u64::MAX][usize::try_from(rng.below(4)).expect("small")];
            let id = MessageId([u8::try_from(rng.below(3)).expect("small"); 16]);
            let length = [1, 40, 130, 15_000][usize::try_from(rng.below(100) / 33).expect("small")];
            let text = Body::new(&"é".repeat(length)[..2 * length]).expect("a body");
            let auto = rng.below(2) == 0;
            let at = Wall(i64::try_from(number / 7).expect("small"));
            let record = match rng.below(4) {
                0 => Record::Queued { to: key, epoch, seq, id, text, auto, at },
                1 => Record::Delivered { to: key, epoch, seq },
                2 => Record::Renumbered { to: key, epoch },
                _ => Record::Received { from: key, epoch, seq, id, text: Untrusted::new(text), auto, at },
            };
            log.add(&record);
            all.push(record);
        }
        assert_eq!(log.records(), all);
    }

    #[test]
    fn a_broadcast_to_many_is_kept_once() {
        let (mut log, text) = (Log::default(), Body::new(&"x".repeat(100)).expect("a body"));
        for seq in 1..=100 {
            for key in 0..8 {
                let (to, id) = (PeerKey([key; 32]), MessageId([u8::try_from(seq).expect("small"); 16]));
                let at = Wall(5);
                log.add(&Record::Queued { to, epoch: 5, seq, id, text: text.clone(), auto: false, at });
            }
        }
        let bytes: usize = log.chunks.iter().map(Vec::capacity).sum();
        assert!(bytes < 100 * 200, "{bytes} for 100 texts of 100 bytes, each for eight");
        assert_eq!(log.records().len(), 800);
    }
}

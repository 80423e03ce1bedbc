//! One direction of a stream, as TCP would carry it: bytes keep their order whatever the delays are,
//! arrive in pieces of any size, and stall their writer when nobody reads them. Knows no peers and
//! no faults; whoever moves the bytes asks first whether they may pass.

use std::collections::VecDeque;
use std::time::Duration;

use crate::planted::{self, Planted};
use crate::rng::Rng;
use crate::time::Mono;
use crate::why::Why;
use crate::world::Shape;

/// One direction of a stream.
pub(crate) struct Pipe {
    /// Written, not taken yet because the window is full.
    backlog: VecDeque<Vec<u8>>,
    /// Taken; the first that is due is in front.
    flight: VecDeque<(Mono, Cargo)>,
    /// Bytes taken that the writer does not know to be read.
    window: usize,
    /// Bytes of these that were read while no word of that could go back.
    unheard: usize,
    /// When the wire has carried what it was given.
    free: Mono,
    /// When the last of the flight is due: nothing overtakes it.
    last: Mono,
    finishing: bool,
    ended: bool,
    /// The arrival that is in the queue.
    pub(crate) armed: Option<Mono>,
    /// How long anything takes at least.
    least: Duration,
    rng: Rng,
}

enum Cargo {
    /// Bytes, and how many of them were read.
    Bytes(Vec<u8>, usize),
    End(Why),
}

/// What was there to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Nothing,
    Bytes,
    End(Why),
}

/// What the buffers at both ends hold together; about what Linux gives a stream at first.
pub(crate) const WINDOW: usize = 256 * 1024;
/// Most bytes in one read.
const READ_MAX: usize = 128 * 1024;
/// Nothing arrives in the instant in which it left, so the world cannot spin without time passing.
const LIGHT: Duration = Duration::from_micros(1);

impl Pipe {
    pub(crate) fn new(rng: Rng) -> Self {
        let zero = Mono::default();
        Self {
            backlog: VecDeque::new(),
            flight: VecDeque::new(),
            window: 0,
            unheard: 0,
            free: zero,
            last: zero,
            finishing: false,
            ended: false,
            armed: None,
            least: LIGHT,
            rng,
        }
    }

    /// A pipe where time passes by itself, so what leaves may arrive in the same instant.
    pub(crate) fn instant(rng: Rng) -> Self {
        Self { least: Duration::ZERO, ..Self::new(rng) }
    }

    /// How long one word takes over a link of this shape.
    pub(crate) fn travel(&mut self, shape: &Shape) -> Duration {
        let jitter = u64::try_from(shape.jitter.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
        let mut late =
            if jitter > 1 { Duration::from_micros(self.rng.below(jitter)) } else { Duration::ZERO };
        if planted::is(Planted::RealClock) {
            late += Duration::from_micros(planted::clock_micros());
        }
        shape.delay.saturating_add(late).max(self.least)
    }

    /// The writer has this to say.
    pub(crate) fn write(&mut self, bytes: Vec<u8>) {
        if !self.finishing && !bytes.is_empty() {
            self.backlog.push_back(bytes);
        }
    }

    /// The writer has nothing more to say.
    pub(crate) fn finish(&mut self) {
        self.finishing = true;
    }

    /// Takes from the backlog what fits the window; gives how much.
    pub(crate) fn fill(&mut self, now: Mono, shape: &Shape) -> usize {
        let mut taken = 0;
        while self.window < WINDOW
            && let Some(mut bytes) = self.backlog.pop_front()
        {
            let room = WINDOW - self.window;
            if bytes.len() > room {
                self.backlog.push_front(bytes.split_off(room));
            }
            self.window += bytes.len();
            taken += bytes.len();
            self.send(now, shape, Cargo::Bytes(bytes, 0));
        }
        if self.backlog.is_empty() && self.finishing && !self.ended {
            self.ended = true;
            self.send(now, shape, Cargo::End(Why::Eof));
        }
        taken
    }

    fn send(&mut self, now: Mono, shape: &Shape, cargo: Cargo) {
        let mut gone = self.free.max(now);
        if let (Some(rate), Cargo::Bytes(bytes, _)) = (shape.bandwidth, &cargo) {
            let micros = (bytes.len() as u64).saturating_mul(1_000_000) / rate.max(1);
            gone = gone.plus(Duration::from_micros(micros));
            self.free = gone;
        }
        let mut due = gone.plus(self.travel(shape)).max(self.last);
        let glue = u64::try_from(shape.glue.as_micros()).unwrap_or(u64::MAX);
        if glue > 0 {
            due = Mono(due.0.div_ceil(glue).saturating_mul(glue));
        }
        self.last = due;
        self.flight.push_back((due, cargo));
    }

    /// When the next piece is due.
    pub(crate) fn due(&self) -> Option<Mono> {
        self.flight.front().map(|(due, _)| *due)
    }

    /// Reads one piece of what has arrived into `out`.
    pub(crate) fn take(&mut self, now: Mono, shape: &Shape, out: &mut Vec<u8>) -> Taken {
        out.clear();
        if self.due().is_none_or(|due| due > now) {
            return Taken::Nothing;
        }
        let limit = match shape.pieces {
            Some(most) => usize::try_from(1 + self.rng.below(most)).unwrap_or(READ_MAX).min(READ_MAX),
            None => READ_MAX,
        };
        while out.len() < limit
            && let Some((due, cargo)) = self.flight.front_mut()
            && *due <= now
        {
            match cargo {
                Cargo::Bytes(bytes, read) => {
                    let end = bytes.len().min(*read + limit - out.len());
                    out.extend_from_slice(&bytes[*read..end]);
                    *read = end;
                    if end == bytes.len() {
                        self.flight.pop_front();
                    }
                }
                Cargo::End(why) => {
                    let why = *why;
                    if !out.is_empty() {
                        break;
                    }
                    self.flight.pop_front();
                    return Taken::End(why);
                }
            }
        }
        Taken::Bytes
    }

    /// So many bytes were read. The writer hears of it, if its side can be reached, and of all that
    /// it could not hear of before.
    pub(crate) fn read(&mut self, count: usize, reachable: bool) {
        self.unheard += count;
        if reachable {
            self.window -= std::mem::take(&mut self.unheard);
        }
    }

    /// Whether there is something that the stream has not taken.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Whether nothing is on its way or waits to be.
    pub(crate) fn is_empty(&self) -> bool {
        self.backlog.is_empty() && self.flight.is_empty()
    }

    /// The writer waits no longer: what was not taken is lost, then comes the end.
    pub(crate) fn give_up(&mut self) {
        self.backlog.clear();
        self.finishing = true;
    }

    /// The writer's program is dead. Chance decides whether what was taken still comes, and then the
    /// end, or only a part of it, and then a reset.
    pub(crate) fn die(&mut self, now: Mono, shape: &Shape) {
        self.backlog.clear();
        if self.rng.below(2) == 0 {
            return self.finish();
        }
        let left = usize::try_from(self.rng.below(self.flight.len() as u64 + 1)).unwrap_or(0);
        self.flight.truncate(left);
        self.cut(now, shape);
    }

    /// After what is in flight comes a reset.
    pub(crate) fn cut(&mut self, now: Mono, shape: &Shape) {
        self.backlog.clear();
        self.flight.retain(|(_, cargo)| matches!(cargo, Cargo::Bytes(..)));
        (self.finishing, self.ended) = (true, true);
        self.send(now, shape, Cargo::End(Why::Reset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    fn pipe(seed: u64) -> Pipe {
        Pipe::new(Rng::new(Seed::from_number(seed)))
    }

    /// Everything that comes out, with the times.
    fn drain(pipe: &mut Pipe, shape: &Shape) -> (Vec<u8>, Vec<(Mono, usize)>) {
        let (mut all, mut pieces, mut out) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(due) = pipe.due() {
            if pipe.take(due, shape, &mut out) != Taken::Bytes {
                break;
            }
            pipe.read(out.len(), true);
            pipe.fill(due, shape);
            all.extend_from_slice(&out);
            pieces.push((due, out.len()));
        }
        (all, pieces)
    }

    #[test]
    fn order_is_kept_in_whatever_pieces_and_delays() {
        for seed in 0..200 {
            let ms = Duration::from_millis;
            let pieces = [None, Some(1), Some(3), Some(500)][usize::try_from(seed % 4).expect("small")];
            let shape =
                Shape { delay: ms(5), jitter: ms(40), bandwidth: Some(20_000), pieces, ..Shape::default() };
            let mut pipe = pipe(seed);
            let sent: Vec<u8> = (0..=255).cycle().take(3_000).collect();
            for (at, part) in sent.chunks(170).enumerate() {
                pipe.write(part.to_vec());
                assert_eq!(pipe.fill(Mono(at as u64 * 1_000), &shape), part.len());
            }
            let (got, pieces) = drain(&mut pipe, &shape);
            assert_eq!(got, sent, "seed {seed}");
            assert!(pieces.is_sorted_by_key(|(at, _)| *at), "seed {seed}");
            let last = pieces.last().expect("some").0;
            assert!(last >= Mono(150_000), "3,000 bytes at 20,000 a second: {last:?}");
        }
    }

    #[test]
    fn glue_lets_what_was_written_apart_arrive_together() {
        let shape = Shape { glue: Duration::from_millis(50), ..Shape::default() };
        let mut pipe = pipe(1);
        for at in [1_000, 9_000, 30_000, 51_000] {
            pipe.write(vec![1; 10]);
            pipe.fill(Mono(at), &shape);
        }
        let (_, pieces) = drain(&mut pipe, &shape);
        assert_eq!(pieces, [(Mono(50_000), 30), (Mono(100_000), 10)]);
    }

    #[test]
    fn a_reader_that_does_not_read_stalls_the_writer() {
        let (mut pipe, shape) = (pipe(1), Shape::default());
        pipe.write(vec![7; WINDOW + 10]);
        assert_eq!(pipe.fill(Mono(0), &shape), WINDOW);
        assert_eq!(pipe.fill(Mono(1), &shape), 0);
        let mut out = Vec::new();
        assert_eq!(pipe.take(Mono(1), &shape, &mut out), Taken::Bytes);
        pipe.read(out.len(), false);
        assert_eq!(pipe.fill(Mono(2), &shape), 0, "the writer does not know yet");
        pipe.read(0, true);
        assert_eq!(pipe.fill(Mono(3), &shape), 10);
    }

    #[test]
    fn an_end_comes_after_the_last_byte() {
        let (mut pipe, shape) = (pipe(1), Shape::default());
        pipe.write(vec![7; WINDOW + 10]);
        pipe.fill(Mono(0), &shape);
        pipe.finish();
        let mut out = Vec::new();
        let mut total = 0;
        for at in 1..9 {
            match pipe.take(Mono(at), &shape, &mut out) {
                Taken::Bytes => {
                    total += out.len();
                    pipe.read(out.len(), true);
                }
                Taken::Nothing => {}
                Taken::End(why) => {
                    assert_eq!((why, total), (Why::Eof, WINDOW + 10));
                    return;
                }
            }
            pipe.fill(Mono(at), &shape);
        }
        panic!("it ends");
    }
}

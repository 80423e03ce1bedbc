//! What a seed is about: how many there are, how the network is, which faults there are and how
//! often. Each seed draws its own few, so that some have many of one kind (swarm testing, after
//! Groce et al., "Swarm Testing", ISSTA 2012).

use std::time::Duration;

use crate::rng::Rng;
use crate::sim::Cipher;
use crate::world::Shape;

/// What a seed is about.
pub(super) struct Plan {
    pub(super) peers: usize,
    pub(super) cipher: Cipher,
    pub(super) shape: Shape,
    /// How many things are done.
    pub(super) deeds: u64,
    /// The faults that there are, by number.
    pub(super) faults: Vec<Trouble>,
    /// Faults among 1,000 deeds.
    pub(super) rate: u64,
    pauses: [u64; 4],
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Partition,
    OneWay,
    Hold,
    Reset,
    HalfOpen,
    Refuse,
    Clog,
    Slow,
    SlowDisk,
    Crash,
    CrashSoon,
    CrashSaved,
    FullDisk,
    BrokenDisk,
    SetBack,
    Anew,
    Freeze,
    Clock,
}

impl Trouble {
    const ALL: [Self; 18] = [
        Self::Partition,
        Self::OneWay,
        Self::Hold,
        Self::Reset,
        Self::HalfOpen,
        Self::Refuse,
        Self::Clog,
        Self::Slow,
        Self::SlowDisk,
        Self::Crash,
        Self::CrashSoon,
        Self::CrashSaved,
        Self::FullDisk,
        Self::BrokenDisk,
        Self::SetBack,
        Self::Anew,
        Self::Freeze,
        Self::Clock,
    ];

    /// Whether it takes something back that was promised, so that only part of the promises is left.
    fn is_rare(self) -> bool {
        matches!(self, Self::SetBack | Self::Anew | Self::BrokenDisk | Self::FullDisk)
    }
}

impl Plan {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let ms = Duration::from_millis;
        let one_in = |rng: &mut Rng, n: u64| rng.below(n) == 0;
        let cipher = if one_in(rng, 10) { Cipher::Noise } else { Cipher::Sham };
        let faults = Trouble::ALL
            .into_iter()
            .filter(|trouble| rng.below(if trouble.is_rare() { 6 } else { 2 }) == 0)
            .collect();
        let shape = Shape {
            delay: ms(rng.below(30)),
            jitter: ms(choose(rng, [0, 10, 300, 10_000])),
            bandwidth: choose(rng, [None, None, Some(3_000), Some(100_000)]),
            pieces: choose(rng, [None, None, Some(1), Some(90)]),
            ..Shape::default()
        };
        Self {
            peers: 2 + index(rng, 7).min(index(rng, 7)),
            cipher,
            shape,
            deeds: choose(rng, [40, 80, 150, 300, 600, 1_900]) + rng.below(100),
            faults,
            rate: choose(rng, [0, 20, 100, 300]),
            pauses: choose(rng, [[0, 1, 30, 800], [0, 0, 0, 5], [10, 500, 3_000, 20_000]]),
        }
    }

    /// The pause after a deed.
    pub(super) fn pause(&self, rng: &mut Rng) -> Duration {
        let longest = choose(rng, self.pauses);
        Duration::from_millis(rng.below(longest + 1))
    }
}

fn index(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).unwrap_or(0)
}

fn choose<T: Copy, const N: usize>(rng: &mut Rng, from: [T; N]) -> T {
    from[index(rng, N as u64)]
}

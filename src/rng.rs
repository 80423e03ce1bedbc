//! The one source of chance. Whoever starts a node gives it a seed: from the operating system in
//! production, from a number in the simulator. Everything random in the core is drawn from here.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng};

/// 256 bits from which everything random in a node follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

/// A ChaCha20 stream (RFC 8439): strong enough for keys, the same on every machine. One that nobody
/// has drawn from takes no room for it: most of the thousands of an imaginary world never are.
pub struct Rng {
    seed: Seed,
    stream: Option<Box<ChaCha20Rng>>,
}

impl Seed {
    /// A seed from the operating system.
    ///
    /// # Errors
    /// The system's source of randomness failed; nothing can be done without it.
    pub fn from_os() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A seed for simulations and tests: predictable, so never for a real identity.
    pub fn from_number(number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }
}

impl Rng {
    /// All chance of somebody in a world, from the world's seed and a name of at most 32 bytes:
    /// distinct names give distinct streams, so whoever joins changes nobody else's.
    pub fn of_name(mut seed: Seed, name: &str) -> Self {
        for (byte, letter) in seed.0.iter_mut().zip(name.bytes()) {
            *byte ^= letter;
        }
        Self::new(seed)
    }

    /// The stream that follows from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self { seed, stream: None }
    }

    /// A seed of its own for a part of the program, so that parts do not disturb each other's draws.
    pub fn fork(&mut self) -> Seed {
        Seed(self.bytes())
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.stream().fill_bytes(bytes);
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.stream().next_u64()
    }

    /// A number in `0..bound`; 0 when `bound` is 0. The bias of the modulo is below 2⁻³² for the
    /// small bounds that are used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.stream().next_u64() % bound }
    }

    fn stream(&mut self) -> &mut ChaCha20Rng {
        self.stream.get_or_insert_with(|| Box::new(ChaCha20Rng::from_seed(self.seed.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let mut a = Rng::new(Seed::from_number(7));
        let mut b = Rng::new(Seed::from_number(7));
        assert_eq!(a.bytes::<40>(), b.bytes::<40>());
        assert!(a.fork().0 == b.fork().0);
        assert_ne!(Rng::new(Seed::from_number(8)).next_u64(), a.next_u64());
    }
}

//! A running number for all that it was given: not against enemies, only to tell two courses of
//! things apart and to notice a changed byte. The same on every machine.

/// What was given so far.
#[derive(Clone, Copy)]
pub(super) struct Mix(u64);

/// An odd number with as many ones as zeros, spread well: 2⁶⁴ divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Default for Mix {
    fn default() -> Self {
        Self(GOLDEN)
    }
}

impl Mix {
    /// Each step can be undone by whoever knows what was added, so one changed word is always seen.
    pub(super) fn add(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(GOLDEN);
        self.0 = mixed ^ (mixed >> 29);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.add(u64::from_le_bytes(word));
        }
        self.add(bytes.len() as u64);
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }
}

//! What a program has printed in all: the beginning and the end are kept, and what is between is
//! counted.

use crate::limits;

/// Text of which the beginning and the end are kept.
#[derive(Default)]
pub(super) struct Printed {
    head: String,
    tail: String,
    lost: u64,
}

impl Printed {
    pub(super) fn add(&mut self, words: &str, lost: u64) {
        self.lost += lost;
        let room = limits::LAUNCH_OUTPUT_KEPT.saturating_sub(self.head.len());
        let at = boundary(words, room);
        self.head.push_str(&words[..at]);
        self.tail.push_str(&words[at..]);
        if self.tail.len() > 2 * limits::LAUNCH_OUTPUT_KEPT {
            let cut = boundary(&self.tail, self.tail.len() - limits::LAUNCH_OUTPUT_KEPT);
            self.lost += cut as u64;
            self.tail.drain(..cut);
        }
    }

    /// How much there was.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// All of it, with a word about what is missing.
    pub(super) fn all(&self) -> String {
        match self.lost {
            0 => format!("{}{}", self.head, self.tail),
            lost => format!("{}\n… {lost} bytes are left out …\n{}", self.head, self.tail),
        }
    }

    /// What came behind this many bytes of it.
    pub(super) fn since(&self, at: usize) -> String {
        let all = format!("{}{}", self.head, self.tail);
        all.get(at.min(all.len())..).unwrap_or_default().to_owned()
    }
}

/// The end of a character at or before this byte.
pub(super) fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

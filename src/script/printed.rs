//! What a program printed in all: of a lot, the beginning and the end are kept.

use crate::limits;

/// Text of which the beginning and the end are kept.
#[derive(Default)]
pub(super) struct Printed {
    head: String,
    tail: String,
    /// Bytes that were dropped between the two.
    dropped: usize,
    /// Bytes that nobody ever had.
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
            self.dropped += cut;
            self.tail.drain(..cut);
        }
    }

    /// How much there was.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.dropped + self.tail.len()
    }

    /// All of it, with a word about what is missing.
    pub(super) fn all(&self) -> String {
        match self.lost + self.dropped as u64 {
            0 => format!("{}{}", self.head, self.tail),
            lost => format!("{}\n… {lost} bytes are left out …\n{}", self.head, self.tail),
        }
    }

    /// What is left of what came behind this many bytes of it.
    pub(super) fn since(&self, at: usize) -> String {
        let behind = at.saturating_sub(self.head.len());
        let head = self.head.get(at.min(self.head.len())..).unwrap_or_default();
        let tail = self.tail.get(behind.saturating_sub(self.dropped).min(self.tail.len())..);
        format!("{head}{}", tail.unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_its_beginning_and_its_end() {
        let mut printed = Printed::default();
        printed.add("first ", 0);
        for _ in 0..100 {
            printed.add(&"x".repeat(64 * 1024), 0);
        }
        let at = printed.len();
        assert_eq!(at, 6 + 100 * 64 * 1024);
        printed.add("last", 3);
        assert_eq!(printed.since(at), "last");
        let all = printed.all();
        assert!(all.starts_with("first x") && all.ends_with("xlast") && all.contains("bytes are left out"));
        assert!(all.len() < 4 * limits::LAUNCH_OUTPUT_KEPT);
    }
}

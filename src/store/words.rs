//! What a word is when messages are searched, the same for every store: letters and digits, without
//! accents, case and compatibility forms; each character of a script without blanks is a word by
//! itself. A word that is asked for stands at the beginning of a word of the text, so "deploy" finds
//! "deployed" and "ploy" does not.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Characters of a word that count: nobody asks for more, and an index has a bound.
const WORD_MAX: usize = 64;

/// Words that are asked for, each with a blank before it.
pub(super) struct Asked(Vec<String>);

impl Asked {
    pub(super) fn new(find: &str) -> Self {
        let mut words: Vec<String> = spread(find).split(' ').skip(1).map(|word| format!(" {word}")).collect();
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    /// The words, each without its blank; none if nothing that was asked for is a word.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|word| word.trim_start())
    }

    /// Whether a text has all of them. Nothing has none of them.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let text = spread(text);
        !self.0.is_empty() && self.0.iter().all(|word| text.contains(word))
    }
}

/// The words of a text, each with a blank before it.
pub(super) fn spread(text: &str) -> String {
    let mut out = Spread { words: String::with_capacity(text.len() + 1), length: 0 };
    if text.is_ascii() {
        text.bytes().for_each(|byte| out.push(char::from(byte.to_ascii_lowercase())));
    } else {
        let small = text.nfkd().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c });
        small.filter(|&c| canonical_combining_class(c) == 0).for_each(|c| out.push(c));
    }
    out.words
}

struct Spread {
    words: String,
    /// Characters of the word under way.
    length: usize,
}

impl Spread {
    fn push(&mut self, c: char) {
        if !c.is_alphanumeric() {
            self.length = 0;
            return;
        }
        let alone = stands_alone(c);
        if self.length == 0 || alone {
            self.words.push(' ');
            self.length = 0;
        }
        if self.length < WORD_MAX {
            self.words.push(c);
        }
        self.length = if alone { 0 } else { self.length + 1 };
    }
}

/// Kana and ideographs: no blank tells where a word of them begins.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_begin_with_what_is_asked_for() {
        assert_eq!(spread("Hello, wide-World! 3.14"), " hello wide world 3 14");
        assert_eq!(spread("Žluťoučký ﬁn ΟΔΟΣ οδος İ K"), " zlutoucky fin οδοσ οδοσ i k");
        assert_eq!(spread("東京 2号"), " 東 京 2 号");
        assert_eq!(spread("--"), "");
        assert_eq!(spread(&"x".repeat(70)), format!(" {}", "x".repeat(64)));
        for (asked, text, found) in [
            ("deploy", "it was Deployed", true),
            ("ploy", "it was deployed", false),
            ("was IT", "it was deployed", true),
            ("was not", "it was deployed", false),
            ("京", "東京", true),
            ("\"*", "\"*", false),
            ("", "anything", false),
        ] {
            assert_eq!(Asked::new(asked).are_in(text), found, "{asked} in {text}");
        }
    }
}

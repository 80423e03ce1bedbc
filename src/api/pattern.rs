//! What a message must look like to be expected: a glob or a `/regex/`. Decides what matches;
//! knows nothing of messages or of waiting.

use regex::{Regex, RegexBuilder};
use std::fmt;
use std::str::FromStr;

use crate::limits::{PATTERN_COMPILED_MAX, PATTERN_MAX};
use crate::text::{escape_display, is_hidden};

/// A glob, which must match a whole text and where `*` stands for anything and `?` for one
/// character, line ends included; or a `/regex/`, which must match somewhere. Prints as it was
/// written.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

/// The pattern cannot be used; the user's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{pattern}\" is no pattern: {why}")]
pub struct PatternError {
    /// What was written, escaped and cut.
    pub pattern: String,
    /// What is wrong with it, in one line.
    pub why: String,
}

impl Pattern {
    /// One that matches `text` and nothing else: the text itself where that is a glob of one text, a
    /// regex otherwise. Of a text that is too long for a pattern it matches the beginning.
    ///
    /// # Errors
    /// Never, as both kinds are made of escapes alone.
    pub fn literal(text: &str) -> Result<Self, PatternError> {
        let is_glob = |c: char| matches!(c, '*' | '?') || is_hidden(c);
        let mut source = text.to_owned();
        if text.len() > PATTERN_MAX || text.chars().any(is_glob) || regex_of(text).is_some() {
            source = r"/\A".into();
            let mut rest = text.chars();
            let whole = loop {
                let Some(c) = rest.next() else { break true };
                let piece = match c {
                    '/' => r"\/".to_owned(),
                    c if is_hidden(c) => format!(r"\x{{{:x}}}", u32::from(c)),
                    c => regex::escape(c.encode_utf8(&mut [0; 4])),
                };
                if source.len() + piece.len() + r"\z/".len() > PATTERN_MAX {
                    break false;
                }
                source.push_str(&piece);
            };
            source.push_str(if whole { r"\z/" } else { "/" });
        }
        source.parse()
    }

    /// Whether `text` is like this.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(source: &str) -> Result<Self, PatternError> {
        let error = |why: String| PatternError {
            pattern: escape_display(&source.chars().take(60).collect::<String>()),
            why,
        };
        if source.len() > PATTERN_MAX {
            return Err(error(format!(
                "{} bytes are too many; the limit is {PATTERN_MAX} bytes",
                source.len()
            )));
        }
        let regex = match regex_of(source) {
            Some(regex) => regex.to_owned(),
            None => translate(source),
        };
        let regex = RegexBuilder::new(&regex)
            .size_limit(PATTERN_COMPILED_MAX)
            .build()
            .map_err(|refusal| error(one_line(&refusal)))?;
        Ok(Self { source: source.to_owned(), regex })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.source)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

fn regex_of(source: &str) -> Option<&str> {
    source.strip_prefix('/')?.strip_suffix('/')
}

fn translate(glob: &str) -> String {
    let mut regex = String::from(r"(?s)\A");
    for c in glob.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(r"\z");
    regex
}

/// The last line of what regex says; those before it draw a picture.
fn one_line(refusal: &regex::Error) -> String {
    match refusal {
        regex::Error::CompiledTooBig(limit) => {
            format!("it would take more than {limit} bytes of memory; repeat less in it")
        }
        refusal => {
            let text = refusal.to_string();
            let last = text.lines().next_back().unwrap_or_default();
            escape_display(last.strip_prefix("error: ").unwrap_or(last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(source: &str) -> Pattern {
        source.parse().expect(source)
    }

    #[test]
    fn globs_match_the_whole_text() {
        for (glob, text, matches) in [
            ("hello*", "hello, all", true),
            ("hello", "hello, all", false),
            ("*hi*", "oh\nhi\nthere", true),
            ("h?llo", "hällo", true),
            ("?", "\n", true),
            ("?", "", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a.b", "axb", false),
            ("[x](y)+$", "[x](y)+$", true),
            ("/x", "/x", true),
            ("/", "/", true),
        ] {
            assert_eq!(pattern(glob).matches(text), matches, "{glob} {text:?}");
        }
    }

    #[test]
    fn regexes_match_somewhere() {
        assert!(pattern(r"/\d+ of \d+/").matches("got 3 of 5"));
        assert!(!pattern("/^got$/").matches("got 3"));
        assert!(pattern(r"/a\/b/").matches("a/b"));
        assert!(pattern("//").matches("anything"));
        assert_eq!(pattern("/a b/").to_string(), "/a b/");
    }

    #[test]
    fn an_error_is_one_line_with_the_pattern() {
        let error = |source: &str| {
            let error = Pattern::from_str(source).expect_err(source).to_string();
            assert!(!error.contains('\n'), "{error}");
            error
        };
        assert_eq!(error("/a(b/"), "\"/a(b/\" is no pattern: unclosed group");
        assert!(error("/(?:a{1000}){1000}/").contains("bytes of memory"));
        assert!(error(&"x".repeat(PATTERN_MAX + 1)).contains("the limit is"));
        assert!(error("/\x1b[/").starts_with("\"/\\x1b[/\""));
    }

    #[test]
    fn a_literal_matches_its_text_alone() {
        let long = "x*".repeat(PATTERN_MAX);
        for text in [
            "hi",
            "a*b?",
            "/hi/",
            "/",
            "//",
            "*",
            "a\nb",
            "a/b*",
            "\u{1b}[2J",
            "(a|b)*\\",
            "\\",
            " * ",
            "é*\u{202e}",
        ] {
            let pattern = Pattern::literal(text).expect(text);
            assert!(pattern.matches(text), "{pattern}");
            assert!(
                !pattern.matches(&format!("{text}x")) && !pattern.matches(&format!("x{text}")),
                "{pattern}"
            );
            assert!(!pattern.as_str().chars().any(is_hidden), "{pattern}");
        }
        assert_eq!(Pattern::literal("what?").expect("good").as_str(), r"/\Awhat\?\z/");
        let pattern = Pattern::literal(&long).expect("good");
        assert!(pattern.matches(&long) && !pattern.matches(&long[..600]), "{pattern}");
    }

    #[test]
    fn every_glob_within_its_length_compiles() {
        for glob in ["?", "*", "x", "é", "\u{10ffff}", "*?", "\\"] {
            pattern(&glob.repeat(PATTERN_MAX / glob.len()));
        }
    }
}

//! A line cut into words by the rules of the shell, and the text at its end, which has rules of its
//! own; both ways. Knows no verbs.
//!
//! Reading is our own because shlex tells no positions, which errors, hints and completion need; that
//! both agree is tested. Writing is shlex's.

use std::borrow::Cow;

use crate::text::is_hidden;

/// The words of a line, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    line: &'a str,
    at: usize,
}

/// One word, its quotes and backslashes taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) value: String,
    /// It begins with neither quote nor backslash; only such a word can be an option.
    pub(super) bare: bool,
}

/// Nothing follows what was opened at byte `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) mark: char,
    pub(super) at: usize,
}

impl<'a> Words<'a> {
    /// The words from byte `at` on.
    pub(super) fn new(line: &'a str, at: usize) -> Self {
        Self { line, at }
    }

    /// Where the next word begins; `None` at the end.
    pub(super) fn next_start(&mut self) -> Option<usize> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
        (self.at < self.line.len()).then_some(self.at)
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// Whether anything is left, blanks included.
    pub(super) fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next word. To be called at the start of one.
    pub(super) fn word(&mut self) -> Result<Word, Unclosed> {
        let rest = self.rest();
        let mut value = String::new();
        let mut open: Option<Unclosed> = None;
        let mut length = rest.len();
        let mut chars = rest.char_indices();
        while let Some((i, c)) = chars.next() {
            let mark = Unclosed { mark: c, at: self.at + i };
            match (open.map(|open| open.mark), c) {
                (None, c) if is_blank(c) => {
                    length = i;
                    break;
                }
                (None, '\'' | '"') => open = Some(mark),
                (Some(quote), c) if c == quote => open = None,
                (Some('\''), c) => value.push(c),
                (quote, '\\') => match chars.next() {
                    None => return Err(open.unwrap_or(mark)),
                    Some((_, '\n')) => {}
                    Some((_, next)) => {
                        if quote.is_some() && !matches!(next, '$' | '`' | '"' | '\\') {
                            value.push('\\');
                        }
                        value.push(next);
                    }
                },
                (_, c) => value.push(c),
            }
        }
        if let Some(open) = open {
            return Err(open);
        }
        self.at += length;
        Ok(Word { value, bare: !rest.starts_with(['\'', '"', '\\']) })
    }

    /// The next word, or all of `/a regex/` as it stands: its backslashes are its own.
    pub(super) fn pattern(&mut self) -> Result<Word, Unclosed> {
        let Some(regex) = leading_regex(self.rest()) else {
            return self.word();
        };
        self.at += regex.len();
        Ok(Word { value: regex.to_owned(), bare: true })
    }
}

/// What separates words.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

/// `word` as it must be written in a line to be read as one word, and not as an option.
pub fn quote(word: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '\'' | '"' | '\\') && !is_hidden(c);
    // shlex would also quote what only a shell expands (`*`, `é`): here that stays readable.
    let quoted = if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        let quoter = shlex::Quoter::new().allow_nul(true);
        quoter.quote(word).map_or_else(|_| word.to_owned(), Cow::into_owned)
    };
    if quoted.starts_with('-') {
        return format!("\\{quoted}");
    }
    quoted
}

/// As [`quote`], for a pattern: a regex stands bare where it can be read back so.
pub fn quote_pattern(source: &str) -> String {
    match leading_regex(source) {
        Some(regex) if regex == source && !source.chars().any(is_hidden) => source.to_owned(),
        _ => quote(source),
    }
}

/// `text` as it must be written at the end of a line to be read verbatim.
pub fn quote_text(text: &str) -> String {
    if !needs_quotes(text) {
        return text.to_owned();
    }
    let quote = if text.contains('"') && !text.contains('\'') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

/// The text at the end of a line: verbatim, but for one pair of quotes around all of it.
pub(super) fn unquote_text(text: &str) -> &str {
    match inside_quotes(text) {
        Some((quote, inner)) if needs_quotes(inner) || is_one_quotation(quote, inner) => inner,
        _ => text,
    }
}

fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text.starts_with(is_blank)
        || text.ends_with(['\n', '\r'])
        || inside_quotes(text).is_some()
}

/// What stands between the quotes at both ends; blanks that trail the last are nobody's intention.
fn inside_quotes(text: &str) -> Option<(char, &str)> {
    let text = text.trim_end_matches(is_blank);
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    Some((quote, text[1..].strip_suffix(quote)?))
}

/// Whether the quotes around `inner` belong together: in `"yes" or "no"` they do not, in
/// `"he said "no" twice"` and `'don't'` they do. The first quote that is no apostrophe decides: it
/// closes what came before, unless it follows a blank and so opens something.
fn is_one_quotation(quote: char, inner: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    inner
        .match_indices(quote)
        .map(|(i, _)| (inner[..i].chars().next_back(), inner[i + 1..].chars().next()))
        .find(|&(before, after)| !(is_letter(before) && is_letter(after)))
        .is_none_or(|(before, _)| before.is_none_or(is_blank))
}

/// The `/regex/` that `text` begins with: it ends at the first slash before a blank or the end.
fn leading_regex(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip_while(|&(i, c)| i == 0 && c == '/') {
        if i == 0 {
            return None;
        }
        let end = &text[i + c.len_utf8()..];
        if c == '/' && !escaped && (end.is_empty() || end.starts_with(is_blank)) {
            return Some(&text[..=i]);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(line: &str) -> Result<Vec<String>, Unclosed> {
        let mut words = Words::new(line, 0);
        let mut all = Vec::new();
        while words.next_start().is_some() {
            all.push(words.word()?.value);
        }
        Ok(all)
    }

    #[test]
    fn quotes_that_stay_open_say_where() {
        for (line, mark, at) in [("a 'b c", '\'', 2), ("\"x", '"', 0), ("x\\", '\\', 1), ("\"x\\", '"', 0)] {
            assert_eq!(all(line), Err(Unclosed { mark, at }), "{line}");
        }
    }

    #[test]
    fn a_regex_is_one_word_as_it_stands() {
        for (text, regex) in [
            ("/a b/ c", Some("/a b/")),
            ("/a/b/", Some("/a/b/")),
            (r"/\d+ \/ x/", Some(r"/\d+ \/ x/")),
            ("//", Some("//")),
            ("/é/", Some("/é/")),
            ("/tmp/x", None),
            ("/", None),
            ("", None),
            ("a/ b/", None),
        ] {
            assert_eq!(leading_regex(text), regex, "{text}");
        }
    }

    #[test]
    fn one_pair_of_outer_quotes_is_removed() {
        for (typed, text) in [
            ("don't", "don't"),
            ("\"hi there\"", "hi there"),
            ("'hi'", "hi"),
            ("'don't'", "don't"),
            ("\"\"hi\"\"", "\"hi\""),
            ("\"yes\" or \"no\"", "\"yes\" or \"no\""),
            ("\"yes\", \"no\"", "\"yes\", \"no\""),
            ("\"he said \"no\" twice\"", "he said \"no\" twice"),
            ("\"hi\"  ", "hi"),
            ("hi  ", "hi  "),
            ("\"", "\""),
            ("\"hi'", "\"hi'"),
            ("\"\"", ""),
            ("\" it's \"x\" \"", " it's \"x\" "),
        ] {
            assert_eq!(unquote_text(typed), text, "{typed}");
            assert_eq!(unquote_text(&quote_text(text)), text, "{typed}");
        }
    }

    #[test]
    fn what_needs_no_quotes_gets_none() {
        for word in ["bob", "*hi*", "日本", ":5001", "a=b", "#x"] {
            assert_eq!(quote(word), word);
        }
        assert_eq!(quote("my peer"), "'my peer'");
        assert_eq!(quote("-n"), "\\-n");
        assert_eq!(quote(""), "''");
    }

    proptest! {
        // Without `#`: only shlex knows comments within a line.
        #[test]
        fn words_are_those_of_shlex(line in "([abé]|[ '\"\\\\\t\n$`]){0,12}") {
            prop_assert_eq!(all(&line).ok(), shlex::split(&line));
        }

        #[test]
        fn a_quoted_word_is_one_word_and_no_option(word in "[-ab '\"\\\\/^!\0\n\r\u{85}é]{0,8}") {
            let line = quote(&word);
            prop_assert_eq!(all(&line), Ok(vec![word]));
            prop_assert!(!line.starts_with('-'));
        }

        #[test]
        fn a_quoted_text_is_read_verbatim(text in "[a '\"\\\\\n\r\t,é]{0,10}") {
            let quoted = quote_text(&text);
            prop_assert_eq!(unquote_text(&quoted), &text);
        }

        #[test]
        fn a_quoted_pattern_is_one_pattern(source in "/?[a \\\\/'\"é-]{0,6}/?") {
            let line = quote_pattern(&source);
            let mut words = Words::new(&line, 0);
            prop_assert_eq!(words.pattern().map(|word| word.value), Ok(source));
            prop_assert!(words.is_done());
        }
    }
}

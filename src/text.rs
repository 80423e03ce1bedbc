//! Text that came from outside, and how it may leave: `Untrusted` wraps it from the first byte, and
//! only the methods here take it out, each for one medium. Also the text that we send: a `Body` is
//! UTF-8 within its bound. Knows no colours and no columns.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use unicode_normalization::char::canonical_combining_class;

use crate::limits::{BODY_MAX, COMBINING_MAX};

/// Text that somebody else chose. It has no `Display`: say for which medium you want it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Untrusted<T>(T);

/// What one chat message says: any UTF-8 of 1 to [`BODY_MAX`] bytes. Cloning shares it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Body(Arc<str>);

/// Why a text cannot be sent. Nothing was queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The user wrote nothing.
    #[error("there is no text to send")]
    Empty,
    /// The user wrote too much.
    #[error("a message of {0} bytes is too long; the chat body limit is {BODY_MAX} bytes")]
    TooLong(usize),
}

impl Body {
    /// Takes `text` as it is.
    ///
    /// # Errors
    /// It is empty or longer than [`BODY_MAX`] bytes.
    pub fn new(text: &str) -> Result<Self, BodyError> {
        match text.len() {
            0 => Err(BodyError::Empty),
            1..=BODY_MAX => Ok(Self(text.into())),
            length => Err(BodyError::TooLong(length)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub fn share(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl AsRef<str> for Body {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> Untrusted<T> {
    /// Wraps what came from outside.
    pub fn new(text: T) -> Self {
        Self(text)
    }

    /// For a terminal or a log: one line of visible characters. Whatever could move the cursor,
    /// change a colour, reorder or hide text is written as an escape such as `\x1b` or `\u{202e}`.
    pub fn display(&self) -> String {
        escape_display(self.0.as_ref())
    }

    /// For a terminal, a line at a time: line feeds end lines, everything else as in
    /// [`Self::display`]. At least one line.
    pub fn display_lines(&self) -> Vec<String> {
        let text = self.0.as_ref();
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.split('\n').map(|line| escape_display(line.strip_suffix('\r').unwrap_or(line))).collect()
    }

    /// Appends it as a JSON string with its quotes (RFC 8259 §7). Beyond what JSON asks, everything
    /// that [`Self::display`] escapes is written `\uXXXX`, so that the file is safe to `cat`.
    pub fn json(&self, out: &mut Vec<u8>) {
        escape_json(self.0.as_ref(), out);
    }

    /// For one line of a transcript: as [`Self::display`], in double quotes, with `"` and `\` escaped,
    /// so that what stands behind the quotes is ours and two texts never look the same.
    pub fn quoted(&self) -> String {
        let inner = self.0.as_ref().replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", escape_display(&inner))
    }

    /// Appends it to HTML, as text or inside a quoted attribute: see [`escape_html`].
    pub fn html(&self, out: &mut String) {
        escape_html(self.0.as_ref(), out);
    }

    /// For a writer of XML that escapes markup by itself: what XML 1.0 forbids became U+FFFD, and what
    /// else is not seen is written as in [`Self::display`].
    pub fn xml(&self) -> String {
        escape_xml(self.0.as_ref())
    }

    /// The text itself, for comparing with a pattern or for the wire: never for a medium that
    /// people see.
    pub fn expose(&self) -> &str {
        self.0.as_ref()
    }
}

/// As [`Untrusted::display`], for text of our own making that may quote what a user typed.
pub fn escape_display(text: &str) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut marks = 0;
    let mut previous = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        marks = if canonical_combining_class(c) == 0 { 0 } else { marks + 1 };
        if marks > COMBINING_MAX {
            if marks == COMBINING_MAX + 1 {
                out.push('…');
            }
            continue;
        }
        let joins_emoji = c == '\u{200d}'
            && is_pictographic(previous)
            && chars.peek().is_some_and(|&next| is_pictographic(next));
        if is_hidden(c) && !joins_emoji {
            push_escape(c, &mut out)
        } else {
            out.push(c)
        }
        if !matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}') {
            previous = c;
        }
    }
    out
}

/// As [`Untrusted::json`].
pub fn escape_json(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| !(0x20..0x7f).contains(&b) || b == b'"' || b == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let Some(c) = special.chars().next() else {
            break;
        };
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', if c == '"' { b'"' } else { b'\\' }]),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            _ if is_hidden(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            _ => out.extend_from_slice(&special.as_bytes()[..c.len_utf8()]),
        }
        rest = &special[c.len_utf8()..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// Appends `text` to HTML or SVG: visible as [`Untrusted::display`] makes it, and without any of the
/// five characters that mean something there. The one place that decides this.
pub fn escape_html(text: &str, out: &mut String) {
    for c in escape_display(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

/// As [`Untrusted::xml`]. Line feeds stay for nobody: they are written `\n`.
pub fn escape_xml(text: &str) -> String {
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ => c,
    };
    escape_display(&text.chars().map(allowed).collect::<String>())
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `c` is not seen, or changes how its neighbours are seen: C0, DEL and C1, every
/// Bidi_Control (UAX 9), line and paragraph separators, and the default-ignorable code points
/// (DerivedCoreProperties.txt) but for variation selectors, which emoji need.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_pictographic(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

fn push_escape(c: char, out: &mut String) {
    let written = match c {
        '\t' => {
            out.push_str("\\t");
            Ok(())
        }
        '\r' => {
            out.push_str("\\r");
            Ok(())
        }
        '\n' => {
            out.push_str("\\n");
            Ok(())
        }
        '\0'..='\u{7f}' => write!(out, "\\x{:02x}", u32::from(c)),
        _ => write!(out, "\\u{{{:x}}}", u32::from(c)),
    };
    debug_assert!(matches!(written, Ok(()) | Err(fmt::Error)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(text: &str) -> String {
        Untrusted::new(text).display()
    }

    #[test]
    fn controls_become_visible_escapes() {
        assert_eq!(display("a\x1b[2Jb\u{9b}c\x07\x7f"), "a\\x1b[2Jb\\u{9b}c\\x07\\x7f");
        assert_eq!(display("x\u{202e}y\u{2028}z\u{200b}"), "x\\u{202e}y\\u{2028}z\\u{200b}");
        assert_eq!(display("two\nlines"), "two\\nlines");
        assert_eq!(Untrusted::new("a\r\nb\n").display_lines(), ["a", "b"]);
    }

    #[test]
    fn every_bidi_control_is_hidden() {
        // The property Bidi_Control in PropList.txt has these twelve and no others.
        for c in
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
                .chars()
        {
            assert!(is_hidden(c), "{:x}", u32::from(c));
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in
            ["don't", "héllo wörld", "日本語", "❤\u{fe0f}", "👩\u{200d}👩\u{200d}👧", "👍🏽", "c:\\temp"]
        {
            assert_eq!(display(text), text);
        }
    }

    #[test]
    fn stacks_of_marks_are_cut() {
        let shown = display(&format!("a{}b", "\u{301}".repeat(10_000)));
        assert_eq!(shown.chars().count(), 1 + COMBINING_MAX + 1 + 1);
    }

    #[test]
    fn json_is_json_and_ascii_controls_never_raw() {
        let text = "q\"b\\n\n\x1b\u{9b}\u{202e}\u{e0041}é👍";
        let mut out = Vec::new();
        Untrusted::new(text).json(&mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).expect("valid JSON"), text);
        assert!(String::from_utf8(out).expect("UTF-8").chars().all(|c| !is_hidden(c)));
    }

    #[test]
    fn quotes_end_where_we_say() {
        let quoted = |text: &str| Untrusted::new(text).quoted();
        assert_eq!(quoted("a\" -> bob \"b\\\n"), r#""a\" -> bob \"b\\\n""#);
        assert_ne!(quoted("\n"), quoted("\\n"));
    }

    #[test]
    fn markup_is_text() {
        let mut out = String::new();
        Untrusted::new("<a b=\"c\" d='e'>&amp;\u{202e}\x1b").html(&mut out);
        assert_eq!(out, "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;\\u{202e}\\x1b");
        assert_eq!(
            Untrusted::new("a\x1b\0\u{fffe}b\u{202e}\n").xml(),
            "a\u{fffd}\u{fffd}\u{fffd}b\\u{202e}\\n"
        );
    }

    #[test]
    fn bodies_have_bounds() {
        assert_eq!(Body::new(""), Err(BodyError::Empty));
        assert!(Body::new(&"x".repeat(BODY_MAX)).is_ok());
        assert_eq!(Body::new(&"x".repeat(BODY_MAX + 1)), Err(BodyError::TooLong(BODY_MAX + 1)));
    }
}

//! Rows of characters in columns, as a terminal shows them: wide characters take two, what belongs to
//! the one before none, and a selector may make two of one. What does not fit is cut. Knows nothing of what is drawn.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// One row, a string for each column; behind a wide character stands an empty one.
pub(super) struct Row(Vec<String>);

impl Row {
    /// Nothing, so many columns wide.
    pub(super) fn blank(columns: usize) -> Self {
        Self(vec![" ".into(); columns])
    }

    /// A line from end to end.
    pub(super) fn rule(&mut self) {
        self.0.fill("─".into());
    }

    /// One character in one column. Of a wide one that stood there, nothing is left.
    pub(super) fn set(&mut self, at: usize, what: &str) {
        if self.0.get(at).is_some_and(String::is_empty)
            && let Some(before) = at.checked_sub(1).and_then(|before| self.0.get_mut(before))
        {
            " ".clone_into(before);
        }
        if let Some(behind) = self.0.get_mut(at + 1).filter(|behind| behind.is_empty()) {
            " ".clone_into(behind);
        }
        if let Some(cell) = self.0.get_mut(at) {
            what.clone_into(cell);
        }
    }

    /// Writes from here on, as far as there is room.
    pub(super) fn put(&mut self, at: usize, text: &str) {
        let mut at = at;
        for grapheme in cut(text, self.0.len().saturating_sub(at)).graphemes(true) {
            match grapheme.width() {
                // It belongs to the character before.
                0 => {
                    if let Some(before) = self.0.iter_mut().take(at).rev().find(|cell| !cell.is_empty()) {
                        before.push_str(grapheme);
                    }
                }
                wide => {
                    self.set(at, grapheme);
                    for behind in 1..wide {
                        self.set(at + behind, "");
                    }
                    at += wide;
                }
            }
        }
    }

    /// Writes from here on, or so far before that all of it has room.
    pub(super) fn put_near(&mut self, at: usize, text: &str) {
        self.put(at.min(self.0.len().saturating_sub(width(text))), text);
    }

    /// A line between two columns, with a label in its middle if there is room.
    pub(super) fn line(&mut self, a: usize, b: usize, with: &str, label: &str) {
        let (left, right) = (a.min(b), a.max(b));
        for at in left + 1..right {
            let crossed = self.0.get(at).is_some_and(|cell| cell == "│" || cell == "┊");
            match (crossed, with) {
                (true, "─") => self.set(at, "┼"),
                // A broken line passes behind.
                (true, _) => {}
                (false, with) => self.set(at, with),
            }
        }
        let room = (right - left).saturating_sub(3);
        if !label.is_empty() && room > 2 {
            let label = cut(label, room - 2);
            let start = left + 1 + (room - 2 - width(&label)) / 2;
            self.put(start, &format!(" {label} "));
        }
    }

    pub(super) fn text(&self) -> String {
        self.0.concat().trim_end().to_owned()
    }
}

pub(super) fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// As much of visible text as fits so many columns.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 0);
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used + 1 > columns {
            break;
        }
        kept.push_str(grapheme);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_width() {
        let mut row = Row::blank(12);
        row.put(1, "日本");
        row.put(2, "x");
        row.set(3, "日");
        row.set(4, "");
        row.put(6, "e\u{301}f");
        row.line(8, 11, "─", "long label");
        assert_eq!(row.text(), "  x日 e\u{301}f ──");
        assert_eq!(width("日本e\u{301}"), 5);
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("x", 0), "");
        // Of a digit or a heart the selector makes a picture of two columns.
        assert_eq!((width("0\u{fe0f}"), cut("0\u{fe0f}0\u{fe0f}", 3)), (2, "0\u{fe0f}…".to_owned()));
    }
}

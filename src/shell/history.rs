//! Lines typed before: in memory for arrow-up and Ctrl-R, and in a file that only its owner reads.
//! No line is kept twice, none that begins with a blank, and the newest are kept. Our own because
//! rustyline's compares only with the line before and cannot read a file that is not UTF-8. The
//! format is rustyline's. Several prompts may share the file: a line is one append.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustyline::history::{History as Lines, SearchDirection, SearchResult};

use crate::limits::{HISTORY_BYTES, HISTORY_MAX, LINE_MAX};

/// See the module.
#[derive(Default)]
pub(super) struct History {
    entries: Vec<String>,
    file: Option<PathBuf>,
}

/// First line of the file: line feeds and backslashes in the others are escaped.
const VERSION: &str = "#V2";

impl History {
    /// What `file` holds, which is made if need be.
    ///
    /// # Errors
    /// It can neither be read nor made.
    pub(super) fn open(file: PathBuf) -> io::Result<Self> {
        let mut history = Self { entries: read(&file)?, file: None };
        if tidy(&mut history.entries) {
            replace(&file, &history.entries)?;
        }
        history.file = Some(file);
        Ok(history)
    }

    fn keep(&mut self, line: &str) -> io::Result<bool> {
        if line.trim().is_empty() || line.starts_with(char::is_whitespace) || line.len() > LINE_MAX {
            return Ok(false);
        }
        let count = self.entries.len();
        self.entries.retain(|entry| entry != line);
        let is_again = self.entries.len() < count;
        self.entries.push(line.to_owned());
        tidy(&mut self.entries);
        let Some(file) = &self.file else {
            return Ok(true);
        };
        if is_again {
            // Another prompt may have written since; its lines stay.
            let mut entries = read(file)?;
            entries.push(line.to_owned());
            tidy(&mut entries);
            replace(file, &entries)?;
        } else {
            open(file)?.write_all(format!("{}\n", escape(line)).as_bytes())?;
        }
        Ok(true)
    }

    fn find(
        &self,
        start: usize,
        direction: SearchDirection,
        found: impl Fn(&str) -> Option<usize>,
    ) -> Option<SearchResult<'_>> {
        let matches = |idx: usize| {
            let entry = self.entries.get(idx)?;
            Some(SearchResult { pos: found(entry)?, idx, entry: Cow::Borrowed(entry) })
        };
        match direction {
            _ if start >= self.entries.len() => None,
            SearchDirection::Reverse => (0..=start).rev().find_map(matches),
            SearchDirection::Forward => (start..self.entries.len()).find_map(matches),
        }
    }
}

/// The lines in `file`, oldest first.
fn read(path: &Path) -> io::Result<Vec<String>> {
    let mut file = open(path)?;
    let skipped = file.metadata()?.len().saturating_sub(HISTORY_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(HISTORY_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let torn = usize::from(skipped > 0);
    Ok(text.lines().skip(torn).filter(|line| !line.is_empty() && *line != VERSION).map(unescape).collect())
}

/// Opens it for its owner alone, with its first line.
fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    let metadata = file.metadata()?;
    if metadata.permissions().mode() & 0o777 != 0o600 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    if metadata.len() == 0 {
        file.write_all(format!("{VERSION}\n").as_bytes())?;
    }
    Ok(file)
}

/// Puts `entries` in place of the file, at once or not at all.
fn replace(path: &Path, entries: &[String]) -> io::Result<()> {
    let mut text = format!("{VERSION}\n");
    for entry in entries {
        text += &escape(entry);
        text.push('\n');
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Leaves the last of equal lines, and no more than fit; whether that changed anything.
fn tidy(entries: &mut Vec<String>) -> bool {
    let count = entries.len();
    let mut seen = std::collections::HashSet::new();
    let newest: Vec<bool> = entries.iter().rev().map(|entry| seen.insert(entry.clone())).collect();
    let mut newest = newest.into_iter().rev();
    entries.retain(|_| newest.next().unwrap_or(false));
    entries.drain(..entries.len().saturating_sub(HISTORY_MAX));
    entries.len() < count
}

fn escape(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('\\')) => text.push('\\'),
            _ => {
                text.push(c);
                continue;
            }
        }
        chars.next();
    }
    text
}

impl Lines for History {
    fn get(&self, index: usize, _: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        let found = |entry: &String| SearchResult { entry: Cow::Owned(entry.clone()), idx: index, pos: 0 };
        Ok(self.entries.get(index).map(found))
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        Ok(self.keep(line)?)
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        self.add(&line)
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        let found = |entry: &str| entry.find(term).filter(|_| !term.is_empty());
        Ok(self.find(start, direction, found))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        let found = |entry: &str| entry.starts_with(term).then_some(term.len()).filter(|&len| len > 0);
        Ok(self.find(start, direction, found))
    }

    // The rest is settled above: the bounds are ours, and the file is always current.

    fn set_max_len(&mut self, _: usize) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_dups(&mut self, _: bool) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_space(&mut self, _: bool) {}

    fn save(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn append(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        self.entries.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_outlive_the_prompt_once_and_for_their_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("history");
        let mut history = History::open(file.clone()).expect("a new file");
        for line in ["a", "b\\n\nc", " secret", "", "a", "é", "a", "b\\n\nc"] {
            history.add(line).expect("a line");
        }
        assert_eq!(history.entries, ["é", "a", "b\\n\nc"]);
        let text = fs::read_to_string(&file).expect("UTF-8");
        assert_eq!(text, "#V2\né\na\nb\\\\n\\nc\n");
        assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(History::open(file).expect("the file").entries, history.entries);
    }

    #[test]
    fn prompts_share_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("history");
        let mut ours = History::open(file.clone()).expect("a file");
        let mut theirs = History::open(file.clone()).expect("a file");
        for line in ["a", "b"] {
            ours.add(line).expect("a line");
        }
        theirs.add("c").expect("a line");
        ours.add("a").expect("a line");
        assert_eq!(History::open(file).expect("a file").entries, ["b", "c", "a"]);
    }

    #[test]
    fn a_damaged_or_huge_or_open_file_is_read_and_put_right() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("history");
        let mut bytes = b"\xff\xfe\nx\\q\\\n".to_vec();
        (0..HISTORY_MAX + 5).for_each(|n| bytes.extend(format!("{n}\n").bytes()));
        fs::write(&file, bytes).expect("a file");
        let history = History::open(file.clone()).expect("a file");
        assert_eq!((history.entries.len(), history.entries[0].as_str()), (HISTORY_MAX, "5"));
        assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(unescape("x\\q\\"), "x\\q\\");
    }

    #[test]
    fn searches_go_both_ways() {
        let mut history = History::default();
        for line in ["send bob hi", "peers", "send carol hi"] {
            history.add(line).expect("a line");
        }
        let found = |result: rustyline::Result<Option<SearchResult<'_>>>| {
            result.expect("no I/O").map(|found| (found.idx, found.pos))
        };
        assert_eq!(found(history.search("hi", 2, SearchDirection::Reverse)), Some((2, 11)));
        assert_eq!(found(history.search("hi", 1, SearchDirection::Reverse)), Some((0, 9)));
        assert_eq!(found(history.search("hi", 1, SearchDirection::Forward)), Some((2, 11)));
        assert_eq!(found(history.starts_with("send b", 2, SearchDirection::Reverse)), Some((0, 6)));
        assert_eq!(found(history.search("", 2, SearchDirection::Reverse)), None);
        assert_eq!(found(history.search("x", 9, SearchDirection::Reverse)), None);
    }
}

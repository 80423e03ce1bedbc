//! A script as it is read, and what came of playing it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::api::exit::Exit;
use crate::limits::SCRIPT_BYTES_MAX;
use crate::play::{End, Head, Play};
use crate::script::deeds::Deeds;
use crate::script::error::ScriptError;
use crate::script::stage::Stage;
use crate::text::escape_display;

/// A script as it is read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its file's name, without folders.
    pub name: String,
    /// Its folder: what it imports is in there.
    pub folder: PathBuf,
    /// What it says.
    pub text: String,
    /// What it is given.
    pub args: Vec<String>,
}

/// Why a script cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The system says so.
    #[error("{path}: {error}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A folder, a pipe or a device is no script.
    #[error("{0} is no regular file")]
    NotPlain(String),
    /// It is too big to be a script.
    #[error("{0} is bigger than the {mib} MiB that a script may have", mib = SCRIPT_BYTES_MAX / 1024 / 1024)]
    TooBig(String),
    /// It is not UTF-8.
    #[error("{0} is not UTF-8 text")]
    NotText(String),
}

impl Source {
    /// Reads a script.
    ///
    /// # Errors
    /// It cannot be read; the error names it.
    pub fn read(path: &Path, args: Vec<String>) -> Result<Self, SourceError> {
        let shown = escape_display(&path.display().to_string());
        let read = |error| SourceError::Read { path: shown.clone(), error };
        let found = std::fs::metadata(path).map_err(read)?;
        if !found.is_file() {
            return Err(SourceError::NotPlain(shown));
        }
        if found.len() > SCRIPT_BYTES_MAX {
            return Err(SourceError::TooBig(shown));
        }
        let text = String::from_utf8(std::fs::read(path).map_err(read)?)
            .map_err(|_| SourceError::NotText(shown.clone()))?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let name = path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_path_buf();
        Ok(Self { name, folder, text, args })
    }

    /// BLAKE2s-256 of its text, in hex.
    pub fn hash(&self) -> String {
        use blake2::Digest;
        let hash = blake2::Blake2s256::digest(self.text.as_bytes());
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What came of playing a script.
pub struct Outcome {
    /// All that happened, with its end.
    pub play: Play,
    /// What the script did, deed by deed.
    pub deeds: Deeds,
    /// Why it ended, if it did not end well.
    pub error: Option<ScriptError>,
    /// The tests that failed: title and why.
    pub failed: Vec<(String, ScriptError)>,
}

impl Outcome {
    /// The exit code that says how it ended.
    pub fn exit(&self) -> Exit {
        exit_of(self.error.as_ref(), &self.failed)
    }

    /// Of a script that could not be played at all.
    pub(super) fn unplayed(head: Head, error: ScriptError) -> Self {
        let end = End { at: 0, result: error.failure.exit().code(), trace: None };
        let play = Play { head, moments: Vec::new(), end: Some(end) };
        Self { play, deeds: Deeds::default(), error: Some(error), failed: Vec::new() }
    }

    /// Of a stage on which nothing happens any more.
    pub(super) fn of(stage: &RefCell<Stage>, result: Result<(), ScriptError>) -> Self {
        let error = result.err();
        let failed = std::mem::take(&mut stage.borrow_mut().tests).errors;
        let exit = exit_of(error.as_ref(), &failed);
        let (play, deeds) = stage.borrow_mut().end(exit);
        Self { play, deeds, error, failed }
    }
}

fn exit_of(error: Option<&ScriptError>, failed: &[(String, ScriptError)]) -> Exit {
    match error {
        Some(error) => error.failure.exit(),
        None if failed.is_empty() => Exit::Done,
        None => Exit::Expectation,
    }
}

//! A script as it is read, and what came of playing it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::exit::Exit;
use crate::limits::SCRIPT_BYTES_MAX;
use crate::play::{End, Head, Play};
use crate::script::deeds::Deeds;
use crate::script::error::ScriptError;
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
    /// The files that it may import, when they are not in its folder but kept with it.
    pub files: Option<BTreeMap<String, String>>,
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
        Ok(Self { name, folder, text, args, files: None })
    }

    /// BLAKE2s-256 of its text, in hex.
    pub fn hash(&self) -> String {
        use blake2::Digest;
        let hash = blake2::Blake2s256::digest(self.text.as_bytes());
        crate::text::hex(&hash)
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
    /// Every file that it consists of, by name.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
    /// What its worlds told of themselves, if that was to be kept.
    pub trace: Vec<String>,
}

impl Outcome {
    /// The exit code that says how it ended.
    pub fn exit(&self) -> Exit {
        match &self.error {
            Some(error) => error.failure.exit(),
            None if self.failed.is_empty() => Exit::Done,
            None => Exit::Expectation,
        }
    }

    /// Of a script that could not be played at all.
    pub(super) fn unplayed(head: Head, error: ScriptError) -> Self {
        let end = End { at: 0, result: error.failure.exit().code(), trace: None };
        let play = Play { head, moments: Vec::new(), end: Some(end) };
        let (deeds, failed, texts, trace) = Default::default();
        Self { play, deeds, error: Some(error), failed, texts, trace }
    }
}

//! What is made of a run, and where it goes: files, or standard output for a lone hyphen. A file is
//! written whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::scripts::args::Wanted;
use crate::play::Play;
use crate::report::bundle::{self, Bundle};
use crate::report::{cast, events, gradescope, html, junit, stable, tap, transcript};
use crate::shell::output::complain;
use crate::text::escape_display;

impl Wanted {
    /// Whether anything is asked for.
    pub(super) fn anything(&self) -> bool {
        self.tap || self.places().iter().any(Option::is_some)
    }

    /// The same without what goes to standard output.
    pub(super) fn files_only(&self) -> Self {
        let file = |path: &Option<PathBuf>| path.clone().filter(|path| !is_stdout(path));
        Self {
            transcript: file(&self.transcript),
            stable: file(&self.stable),
            events: file(&self.events),
            report: file(&self.report),
            junit: file(&self.junit),
            tap: false,
            gradescope: file(&self.gradescope),
            cast: file(&self.cast),
            bundle: None,
            wall: self.wall,
        }
    }

    fn places(&self) -> [Option<&Path>; 8] {
        [
            self.transcript.as_deref(),
            self.stable.as_deref(),
            self.events.as_deref(),
            self.report.as_deref(),
            self.junit.as_deref(),
            self.gradescope.as_deref(),
            self.cast.as_deref(),
            self.bundle.as_deref(),
        ]
    }

    /// Whether not more than one thing is to go to standard output, where nobody could tell them
    /// apart, and nothing to where it is made of; says so if it is. `spoken`: something goes to
    /// standard output already.
    pub(super) fn is_clear(&self, spoken: bool, input: &Path) -> bool {
        if self.places().into_iter().flatten().any(|path| is_input(path, input)) {
            return false;
        }
        let out = self.places().into_iter().flatten().filter(|path| is_stdout(path)).count();
        let clear = out + usize::from(self.tap) + usize::from(spoken) <= 1;
        if !clear {
            complain("hobnob: two things cannot both go to standard output; give one of them a file");
        }
        clear
    }
}

/// Makes all that is wanted. `bundle` gives what a bundle needs besides the run.
///
/// # Errors
/// Something cannot be written; the text names it.
pub(super) fn make(
    play: &Play,
    wanted: &Wanted,
    color: bool,
    bundle: &dyn Fn() -> Bundle,
) -> Result<(), String> {
    let put = |path: &Option<PathBuf>, made: &dyn Fn(bool) -> Vec<u8>| match path {
        Some(path) => put(path, &made(is_stdout(path))),
        None => Ok(()),
    };
    put(&wanted.transcript, &|screen| transcript::write(play, color && screen).into_bytes())?;
    put(&wanted.stable, &|_| stable::write(play).into_bytes())?;
    put(&wanted.events, &|_| events::write(play))?;
    put(&wanted.report, &|_| html::write(play).into_bytes())?;
    put(&wanted.junit, &|_| junit::write(play).into_bytes())?;
    put(&wanted.gradescope, &|_| gradescope::write(play).into_bytes())?;
    put(&wanted.cast, &|_| cast::write(play))?;
    if let Some(path) = &wanted.bundle {
        let bytes = bundle::write(&bundle()).map_err(|error| error.to_string())?;
        self::put(path, &bytes)?;
    }
    if wanted.tap {
        say(tap::write(play).as_bytes())?;
    }
    Ok(())
}

/// Whether a file is the one that is read; says so if it is.
pub(super) fn is_input(path: &Path, input: &Path) -> bool {
    let same = matches!((path.canonicalize(), input.canonicalize()), (Ok(a), Ok(b)) if a == b);
    if same {
        let shown = escape_display(&path.display().to_string());
        complain(&format!("hobnob: {shown} is what is read, and would be lost; write to another file"));
    }
    same
}

/// Whether that means standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes a file whole, beside its place first; or standard output.
///
/// # Errors
/// It cannot be written; the text names it.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if is_stdout(path) {
        return say(bytes);
    }
    let shown = escape_display(&path.display().to_string());
    let failed = |error: std::io::Error| format!("cannot write {shown}: {error}");
    // A device or a pipe is written as it is; a file is replaced at once.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(path, bytes).map_err(failed);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = Path::new(&beside);
    std::fs::write(beside, bytes).and_then(|()| std::fs::rename(beside, path)).map_err(|error| {
        // What was begun is of no use to anybody.
        let _ = std::fs::remove_file(beside);
        failed(error)
    })
}

/// Writes to standard output. That nobody reads it any more is no error of ours.
///
/// # Errors
/// It cannot be written.
pub(super) fn say(bytes: &[u8]) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write the output: {error}"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

//! `report`: makes any report from the events of a saved run.

use std::io::Read as _;
use std::path::Path;

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::args::Wanted;
use crate::cli::scripts::made::{self, is_stdout, say};
use crate::cli::start::look;
use crate::limits::EVENTS_BYTES_MAX;
use crate::report::bundle::Bundle;
use crate::report::{diagram, events};
use crate::shell::output::complain;
use crate::text::escape_display;

/// Makes reports.
pub(super) fn report(
    path: &Path,
    wanted: &Wanted,
    text: Option<usize>,
    columns: usize,
    flags: &Flags,
) -> Exit {
    if !wanted.is_clear(text.is_some(), path) {
        return Exit::Usage;
    }
    if wanted.bundle.is_some() {
        complain("hobnob: report: a bundle holds the script, and events do not; use: hobnob run --bundle");
        return Exit::Usage;
    }
    let shown = escape_display(&path.display().to_string());
    let play = match bytes(path).and_then(|bytes| events::read(&bytes).map_err(|error| error.to_string())) {
        Ok(play) => play,
        Err(error) => {
            complain(&format!("hobnob: {shown}: {error}"));
            return Exit::Runtime;
        }
    };
    let empty = || Bundle {
        script: String::new(),
        files: Vec::new(),
        play: play.clone(),
        program: String::new(),
        args: Vec::new(),
    };
    let mut made = made::make(&play, wanted, look(flags, true).color, &empty);
    if made.is_ok() && (text.is_some() || !wanted.anything()) {
        made = say(diagram::write(&play, columns).as_bytes());
    }
    match made {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("hobnob: {error}"));
            Exit::Runtime
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = EVENTS_BYTES_MAX as u64 + 1;
    let read = if is_stdout(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map(|_| bytes).map_err(|error| error.to_string())
}

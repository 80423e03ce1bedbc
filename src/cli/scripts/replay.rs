//! `replay`: runs a saved bundle again and compares: every event in the imaginary world, the stable
//! transcript over sockets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::cli::scripts::made::say;
use crate::cli::scripts::play::{Ends, Manner, play};
use crate::cli::scripts::run::{difference, tell};
use crate::limits::BUNDLE_BYTES_MAX;
use crate::play::WorldKind;
use crate::report::bundle::{self, Bundle};
use crate::report::{events, stable};
use crate::script::Source;
use crate::shell::output::complain;
use crate::text::escape_display;

/// Runs a bundle again.
pub(super) fn replay(path: &Path, flags: &Flags) -> Exit {
    let shown = escape_display(&path.display().to_string());
    let (source, kept) = match read(path).and_then(source) {
        Ok(read) => read,
        Err(error) => {
            complain(&format!("hobnob: {shown}: {error}"));
            return Exit::Runtime;
        }
    };
    let tcp = kept.head.world == WorldKind::Tcp;
    let ends = Ends::by_signal_or(flags.timeout);
    let wall = kept.head.wall;
    let mut outcome = play(&source, Manner { seed: kept.head.seed, tcp, ends, ..Manner::default() });
    outcome.play.head.wall = wall;
    let (before, now) = if tcp {
        (stable::write(&kept), stable::write(&outcome.play))
    } else {
        let text = |play| String::from_utf8_lossy(&events::write(play)).into_owned();
        (text(&kept), text(&outcome.play))
    };
    if before == now {
        let same: &[u8] = if flags.json { b"{\"v\":1,\"ev\":\"identical\"}\n" } else { b"identical\n" };
        drop(say(same));
        return Exit::Done;
    }
    if kept.head.hobnob != outcome.play.head.hobnob {
        let (then, now) = (escape_display(&kept.head.hobnob), &outcome.play.head.hobnob);
        complain(&format!("hobnob: the bundle was made by version {then}; this is {now}"));
    }
    tell(&outcome);
    complain(&format!("hobnob: {}", difference(&shown, &before, &now)));
    Exit::Differs
}

fn read(path: &Path) -> Result<Bundle, String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if found.len() > BUNDLE_BYTES_MAX as u64 {
        return Err(
            bundle::BundleError::TooBig(usize::try_from(found.len()).unwrap_or(usize::MAX)).to_string()
        );
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    bundle::read(&bytes).map_err(|error| error.to_string())
}

/// The script of a bundle, with all that it imports, and what came of it then.
fn source(bundle: Bundle) -> Result<(Source, crate::play::Play), String> {
    let mut files = BTreeMap::new();
    for (name, bytes) in bundle.files {
        let text =
            String::from_utf8(bytes).map_err(|_| format!("\"{}\" is no text", escape_display(&name)))?;
        files.insert(name, text);
    }
    let text = files.get(&bundle.script).cloned().ok_or("its script is not in it")?;
    let (name, args) = (bundle.script, bundle.args);
    Ok((Source { name, folder: PathBuf::from("."), text, args, files: Some(files) }, bundle.play))
}

//! Where a node keeps what must survive: in a data folder of its own, or nowhere. Decides what a folder
//! that cannot be had means: one that was asked for is an error, the usual one is done without.

use crate::cli::args::Flags;
use crate::cli::home::Home;
use crate::key::Keys;
use crate::live::Live;
use crate::rng::Rng;
use crate::shell::output::complain;
use crate::store::sqlite::{OpenError, Settings, Sqlite};
use crate::store::{Ephemeral, Store};

/// A store, and who we are by it.
pub(super) struct Keeping {
    pub(super) store: Box<dyn Store>,
    pub(super) keys: Keys,
    pub(super) kept: Kept,
}

/// What was set at the last prompt, and where to keep what is set at this one.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) settings: Vec<(String, String)>,
    pub(super) keep_setting: Option<Settings>,
    /// Anything is kept at all.
    pub(super) keeps: bool,
}

/// Opens what the flags and the user's home say.
///
/// # Errors
/// The folder cannot be used; nothing was changed.
pub(super) fn open(home: &Home, flags: &Flags, live: &Live, rng: &mut Rng) -> Result<Keeping, OpenError> {
    let Some(folder) = home.data() else {
        if !flags.ephemeral {
            complain(
                "hobnob: nothing is kept: there is no home folder (--data DIR names one, --ephemeral is silent)",
            );
        }
        return Ok(nowhere(rng));
    };
    match Sqlite::open(folder, live.store_bell()) {
        Ok(store) => Ok(Keeping {
            keys: Keys::from_seed(store.identity()),
            kept: Kept {
                settings: store.settings().unwrap_or_default(),
                keep_setting: store.settings_handle(),
                keeps: true,
            },
            store: Box::new(store),
        }),
        // Two of one name on one machine are no mistake: both talk, and the second is somebody new.
        Err(error @ (OpenError::InUse { .. } | OpenError::Unusable { .. })) if flags.data.is_none() => {
            complain(&format!("hobnob: nothing is kept, and the key is for this run only: {error}"));
            Ok(nowhere(rng))
        }
        Err(error) => Err(error),
    }
}

fn nowhere(rng: &mut Rng) -> Keeping {
    let keys = Keys::from_seed(rng.fork());
    let store = Box::new(Ephemeral::default());
    Keeping { store, keys, kept: Kept::default() }
}

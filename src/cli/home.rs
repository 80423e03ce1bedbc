//! What the user's own folders hold for us: the history of the prompt, and the lines that it starts
//! with. Decides where they are and whether they can be trusted.

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};
use std::path::{Path, PathBuf};

use crate::id::Name;

/// Where things are, if the user has a home at all.
pub(super) struct Home {
    data: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Home {
    /// `data` as the user said, or a folder for each name in the XDG data folder; nowhere if nothing is
    /// to be written.
    pub(super) fn new(data: Option<PathBuf>, ephemeral: bool, name: Name) -> Self {
        let app = AppStrategyArgs {
            top_level_domain: String::new(),
            author: String::new(),
            app_name: "hobnob".into(),
        };
        let xdg = choose_app_strategy(app).ok();
        let config = xdg.as_ref().map(AppStrategy::config_dir);
        let data = if ephemeral {
            None
        } else {
            data.or_else(|| xdg.as_ref().map(|xdg| xdg.data_dir().join(name.as_str())))
        };
        Self { data, config }
    }

    /// The folder for what is kept, if there is to be one.
    pub(super) fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The file of the prompt's history. Its folder is made, for its owner only.
    ///
    /// # Errors
    /// The folder cannot be made; the message names it.
    pub(super) fn history(&self) -> Result<Option<PathBuf>, String> {
        let Some(data) = &self.data else { return Ok(None) };
        make_private(data).map_err(|error| format!("cannot use the folder {}: {error}", data.display()))?;
        Ok(Some(data.join("history")))
    }

    /// The file of lines that a prompt starts with, if there is one.
    ///
    /// # Errors
    /// It belongs to somebody else, or others may write it.
    pub(super) fn rc(&self) -> Result<Option<PathBuf>, String> {
        use std::os::unix::fs::MetadataExt;
        let Some(path) = self.config.as_ref().map(|config| config.join("rc")) else { return Ok(None) };
        let Ok(found) = std::fs::symlink_metadata(&path) else { return Ok(None) };
        let ours = found.is_file() && found.uid() == rustix::process::geteuid().as_raw();
        if !ours || found.mode() & 0o022 != 0 {
            return Err(format!(
                "{} is not read: it must be a file of yours that nobody else may write (chmod go-w)",
                path.display()
            ));
        }
        Ok(Some(path))
    }
}

fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

//! Bubblewrap, which shuts a program in: it sees the system's files read-only, no homes, no other
//! processes, and dies with all that it has started. Decides what is shut off; without it nothing is,
//! and whoever starts a program says so.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::launch::users::User;

/// How a program is shut in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// By this bubblewrap.
    Bubblewrap(PathBuf),
    /// Not at all.
    None,
}

/// Folders that programs do not see: what people keep, and what others leave there.
const HIDDEN: [&str; 6] = ["/home", "/root", "/tmp", "/var/tmp", "/run", "/mnt"];

/// The bubblewrap on the PATH, if it works here for whoever programs are started as.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("bwrap")).find(|file| file.is_file())?;
    // Some systems have it and do not let it make namespaces.
    let user = User::claim().ok()?;
    let mut command = Command::new(&found);
    if let Some(user) = &user {
        // With these, the groups of whoever we are go too.
        command.uid(user.number()).gid(user.number());
    }
    let tried = command
        .args(["--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--dev", "/dev", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success()).then_some(found)
}

impl Sandbox {
    /// The command that runs `argv` in here, with `root` as the only place that can be written.
    pub(super) fn around(&self, root: &Path, work: &Path, argv: &[OsString]) -> Vec<OsString> {
        let Self::Bubblewrap(program) = self else { return argv.to_vec() };
        let mut command: Vec<OsString> = vec![program.into()];
        let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
            command.extend(words.iter().map(|word| word.as_ref().to_owned()));
        };
        add(&[&"--ro-bind", &"/", &"/", &"--dev", &"/dev", &"--proc", &"/proc"]);
        for hidden in HIDDEN.into_iter().filter(|folder| Path::new(folder).is_dir()) {
            add(&[&"--tmpfs", &hidden]);
        }
        add(&[&"--bind", &root, &root, &"--chdir", &work]);
        add(&[&"--unshare-pid", &"--unshare-ipc", &"--unshare-uts", &"--unshare-cgroup-try"]);
        add(&[&"--die-with-parent", &"--"]);
        command.extend(argv.iter().cloned());
        command
    }

    /// What a report says of it.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Bubblewrap(_) => "shut in by bubblewrap",
            Self::None => "UNSAFE: not shut in; it could read and change what its user can",
        }
    }
}

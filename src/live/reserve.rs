//! Descriptors: whether there are enough to begin with, how many links they are enough for, and one in
//! reserve, so that a stream which there is none for is turned away and not left waiting.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;

use mio::net::TcpListener;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::limits::doors;
use crate::live::open::OpenError;

/// A descriptor that is kept for nothing else.
pub(super) struct Reserve(Option<UnixDatagram>);

impl Reserve {
    pub(super) fn new() -> Self {
        // Later is early enough.
        Self(UnixDatagram::unbound().ok())
    }

    /// Takes up to `most` streams that wait at a listener, and closes them at once: the system has no
    /// descriptor for them.
    pub(super) fn turn_away(&mut self, tcp: &TcpListener, most: u32) {
        drop(self.0.take());
        for _ in 0..most {
            match tcp.accept() {
                Ok(_) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                // None waits, or somebody else was quicker than us.
                Err(_) => break,
            }
        }
        *self = Self::new();
    }
}

/// Whether the system gives as many descriptors as it takes to begin; asked before anything is begun,
/// as some of what we build on panics without.
///
/// # Errors
/// It does not.
pub fn enough() -> Result<(), OpenError> {
    let trial: std::io::Result<Vec<_>> =
        (0..doors::DESCRIPTORS_MIN).map(|_| UnixDatagram::unbound()).collect();
    match trial {
        Err(error) if is_none_left(&error) => Err(OpenError::Descriptors),
        // Of whatever else is wrong those will speak who need it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// As many links as there are descriptors for, at most `wanted`.
pub fn links_max(wanted: usize) -> usize {
    match getrlimit(Resource::Nofile).current {
        Some(all) => {
            let all = usize::try_from(all).unwrap_or(usize::MAX);
            wanted.min(all.saturating_sub(doors::DESCRIPTORS_FREE).max(all / 4))
        }
        None => wanted,
    }
}

/// Whether that is what the system says when it has no descriptor left, for us or for anybody.
pub(super) fn is_none_left(error: &std::io::Error) -> bool {
    let none = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    none.contains(&error.raw_os_error())
}

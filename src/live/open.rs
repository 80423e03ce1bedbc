//! Where a node listens, and why it may not be able to: the errors say what to do about it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::limits;
use crate::live::listen::Listener;

/// Why nodes cannot be started, or one cannot listen. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else listens there, or the address is not ours.
    #[error("cannot listen on {addr}: {}{}", explain(.source), remedy(.source))]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives fewer descriptors than it takes to begin.
    #[error(
        "too few file descriptors: it takes {} more; close something, or raise `ulimit -n`",
        limits::doors::DESCRIPTORS_MIN
    )]
    Descriptors,
    /// The system has no descriptors left.
    #[error("the system gives nothing to wait with: {0}; close something, or raise `ulimit -n`")]
    Wait(std::io::Error),
    /// The system gave no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// Where a node listens.
#[derive(Clone, Copy, Debug)]
pub enum Listen {
    /// On every address of this machine, both kinds where there are both.
    All {
        /// 0 for a free one.
        port: u16,
    },
    /// On this address.
    At(SocketAddr),
    /// Not at all.
    Nowhere,
}

pub(super) fn bind_all(port: u16, host: usize) -> Result<Listener, OpenError> {
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port);
    match Listener::bind(v6, host) {
        // A machine without IPv6 says one of these.
        Err(OpenError::Listen { source, .. })
            if matches!(
                source.kind(),
                std::io::ErrorKind::AddrNotAvailable | std::io::ErrorKind::Unsupported
            ) || source.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) =>
        {
            Listener::bind(SocketAddr::from(([0, 0, 0, 0], port)), host)
        }
        other => other,
    }
}

fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "the port is in use".into(),
        std::io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need more rights".into(),
        _ => error.to_string(),
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "; choose another, or leave it out for a free one",
        _ => "",
    }
}

//! A listening socket: takes what comes, a share at a time. When the system has no descriptor left it
//! turns away what waits, and rests instead of asking again and again.

use mio::net::{TcpListener, TcpStream};
use std::io::ErrorKind;
use std::net::SocketAddr;

use crate::limits::doors;
use crate::live::open::OpenError;
use crate::live::ready::{Ready, Token};
use crate::live::reserve::{Reserve, is_none_left};
use crate::time::Mono;

/// Streams taken in one turn.
const SHARE: u32 = 64;

/// A listening socket of one node.
pub(super) struct Listener {
    tcp: TcpListener,
    addr: SocketAddr,
    host: usize,
    taken: u32,
    rest: Option<Mono>,
    pub(super) armed: Option<Mono>,
}

impl Listener {
    pub(super) fn bind(addr: SocketAddr, host: usize) -> Result<Self, OpenError> {
        let bound = std::net::TcpListener::bind(addr).and_then(|tcp| {
            rustix::net::listen(&tcp, doors::BACKLOG)?;
            tcp.set_nonblocking(true)?;
            Ok((tcp.local_addr()?, TcpListener::from_std(tcp)))
        });
        let (addr, tcp) = bound.map_err(|source| OpenError::Listen { addr, source })?;
        Ok(Self { tcp, addr, host, taken: 0, rest: None, armed: None })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn watch(&mut self, ready: &Ready, token: Token) -> Result<(), OpenError> {
        ready.watch(&mut self.tcp, token).map_err(|source| OpenError::Listen { addr: self.addr, source })
    }

    /// The next stream, or `None` for now. Those that the system has no descriptor for are turned away.
    pub(super) fn accept(&mut self, now: Mono, reserve: &mut Reserve) -> Option<(TcpStream, SocketAddr)> {
        if self.rest.is_some_and(|rest| now < rest) {
            return None;
        }
        self.rest = None;
        while self.taken < SHARE {
            match self.tcp.accept() {
                Ok(accepted) => {
                    self.taken += 1;
                    return Some(accepted);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.taken = 0;
                    return None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if is_none_left(&error) {
                        reserve.turn_away(&self.tcp, SHARE);
                    }
                    self.rest = Some(now.plus(doors::ACCEPT_REST));
                    return None;
                }
            }
        }
        None
    }

    /// Whether it stopped only because its share was taken.
    pub(super) fn wants_more(&mut self) -> bool {
        std::mem::take(&mut self.taken) >= SHARE
    }

    /// When its rest is over.
    pub(super) fn deadline(&self) -> Option<Mono> {
        self.rest
    }
}

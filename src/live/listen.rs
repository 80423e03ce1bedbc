//! A listening socket: takes what comes, a share at a time, and rests when the system has no
//! descriptor left instead of asking again and again.

use async_io::Async;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Waker};
use std::time::Duration;

use crate::live::OpenError;
use crate::time::Mono;

/// Streams taken in one turn.
const SHARE: u32 = 64;
/// Rest after the system had no descriptor for us.
const REST: Duration = Duration::from_millis(100);

/// A listening socket of one node.
pub(super) struct Listener {
    tcp: Async<TcpListener>,
    addr: SocketAddr,
    host: usize,
    waker: Option<Waker>,
    taken: u32,
    rest: Option<Mono>,
    timer: Option<async_io::Timer>,
}

impl Listener {
    pub(super) fn bind(addr: SocketAddr, host: usize) -> Result<Self, OpenError> {
        let bound = Async::<TcpListener>::bind(addr).and_then(|tcp| Ok((tcp.get_ref().local_addr()?, tcp)));
        let (addr, tcp) = bound.map_err(|source| OpenError::Listen { addr, source })?;
        Ok(Self { tcp, addr, host, waker: None, taken: 0, rest: None, timer: None })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn register(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    /// The next stream, or `None` for now; then it will be woken when there is one.
    pub(super) fn accept(&mut self, now: Mono) -> Option<(Async<TcpStream>, SocketAddr)> {
        let waker = self.waker.clone()?;
        let cx = &mut Context::from_waker(&waker);
        if let Some(rest) = self.rest {
            if now < rest {
                let timer = self.timer.get_or_insert_with(async_io::Timer::never);
                timer.set_after(rest.since(now));
                let _ = Future::poll(std::pin::Pin::new(timer), cx);
                return None;
            }
            self.rest = None;
        }
        while self.taken < SHARE {
            match self.tcp.get_ref().accept() {
                Ok((tcp, remote)) => {
                    self.taken += 1;
                    if let Ok(tcp) = Async::new(tcp) {
                        return Some((tcp, remote));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    self.taken = 0;
                    if self.tcp.poll_readable(cx).is_pending() {
                        return None;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    self.rest = Some(now.plus(REST));
                    return self.accept(now);
                }
            }
        }
        None
    }

    /// Whether it stopped only because its share was taken.
    pub(super) fn wants_more(&mut self) -> bool {
        std::mem::take(&mut self.taken) >= SHARE
    }
}

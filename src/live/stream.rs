//! One TCP stream: being dialled, open, or closing. Reads into a buffer that belongs to the thread,
//! keeps what could not be written yet, and lets the last bytes out before it goes.

use async_io::Async;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::addr::{Address, Host};
use crate::id::LinkId;
use crate::limits;
use crate::live::{CLOSE, why};
use crate::time::Mono;
use crate::why::Why;

/// A stream of one node.
pub(super) struct Stream {
    host: usize,
    link: LinkId,
    state: State,
    waker: Option<Waker>,
    out: VecDeque<Vec<u8>>,
    /// Bytes of the first of `out` that are written.
    written: usize,
    /// Something was ever written, so the other side may be reading still.
    spoke: bool,
    half_closed: bool,
    finish: bool,
    closing: Option<Mono>,
}

enum State {
    Dialling(Pin<Box<dyn Future<Output = Result<Async<TcpStream>, Why>>>>),
    Open(Async<TcpStream>),
}

/// What a read gave.
pub(super) enum Taken {
    Nothing,
    /// So many bytes; there may be more.
    Bytes {
        count: usize,
        more: bool,
    },
    End(Why),
}

impl Stream {
    pub(super) fn dial(to: Address, host: usize, link: LinkId) -> Self {
        Self::new(State::Dialling(Box::pin(connect(to))), host, link)
    }

    /// `None` when the other side is gone already.
    pub(super) fn accepted(tcp: Async<TcpStream>, host: usize, link: LinkId) -> Option<Self> {
        tcp.get_ref().set_nodelay(true).ok()?;
        tcp.get_ref().local_addr().ok()?;
        Some(Self::new(State::Open(tcp), host, link))
    }

    fn new(state: State, host: usize, link: LinkId) -> Self {
        let (waker, closing, out) = (None, None, VecDeque::new());
        Self {
            host,
            link,
            state,
            waker,
            out,
            written: 0,
            spoke: false,
            half_closed: false,
            finish: false,
            closing,
        }
    }

    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn link(&self) -> LinkId {
        self.link
    }

    pub(super) fn local(&self) -> SocketAddr {
        let local = match &self.state {
            State::Open(tcp) => tcp.get_ref().local_addr().ok(),
            State::Dialling(_) => None,
        };
        local.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    pub(super) fn register(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    /// Gives a dialled stream a push; once it is up or has failed, says so.
    pub(super) fn poll_dial(&mut self) -> Option<Result<(SocketAddr, SocketAddr), Why>> {
        if self.is_closing() {
            return None;
        }
        let State::Dialling(future) = &mut self.state else { return None };
        let waker = self.waker.clone()?;
        let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) else { return None };
        Some(result.and_then(|tcp| {
            let (remote, local) = addresses(&tcp).map_err(|error| why(&error))?;
            self.state = State::Open(tcp);
            Ok((remote, local))
        }))
    }

    pub(super) fn queue(&mut self, bytes: Vec<u8>) {
        self.out.push_back(bytes);
    }

    /// Ends our half once everything queued is written.
    pub(super) fn finish(&mut self) {
        self.finish = true;
    }

    /// Lets go: what is queued is still written, nothing more is read.
    pub(super) fn close(&mut self, now: Mono) {
        self.finish = true;
        self.closing = Some(now.plus(CLOSE));
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    pub(super) fn deadline_if_closing(&self) -> Option<Mono> {
        self.closing
    }

    /// Whether nothing is left to wait for.
    pub(super) fn is_done(&self, now: Mono) -> bool {
        let Some(until) = self.closing else { return false };
        matches!(self.state, State::Dialling(_)) || now >= until || (self.out.is_empty() && !self.spoke)
    }

    /// Writes as much as the system takes; gives the bytes.
    pub(super) fn write(&mut self) -> Result<usize, Why> {
        let State::Open(tcp) = &self.state else { return Ok(0) };
        let mut total = 0;
        while let Some(first) = self.out.front() {
            let mut slices = [IoSlice::new(&[]); 8];
            slices[0] = IoSlice::new(&first[self.written..]);
            for (slice, bytes) in slices[1..].iter_mut().zip(self.out.iter().skip(1)) {
                *slice = IoSlice::new(bytes);
            }
            let used = self.out.len().min(slices.len());
            match tcp.get_ref().write_vectored(&slices[..used]) {
                Ok(0) => return Err(Why::Reset),
                Ok(count) => {
                    self.spoke = true;
                    total += count;
                    self.written += count;
                    while let Some(first) = self.out.front()
                        && self.written >= first.len()
                    {
                        self.written -= first.len();
                        self.out.pop_front();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if let Some(waker) = &self.waker
                        && tcp.poll_writable(&mut Context::from_waker(waker)).is_pending()
                    {
                        return Ok(total);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(why(&error)),
            }
        }
        if self.finish && !self.half_closed {
            self.half_closed = true;
            // The other side may have closed first; then there is nothing to end.
            let _ = tcp.get_ref().shutdown(Shutdown::Write);
        }
        Ok(total)
    }

    /// Reads what is there, if the system says that something is.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Taken {
        let (State::Open(tcp), Some(waker)) = (&self.state, &self.waker) else { return Taken::Nothing };
        let cx = &mut Context::from_waker(waker);
        loop {
            match tcp.poll_readable(cx) {
                Poll::Pending => return Taken::Nothing,
                Poll::Ready(Err(error)) => return Taken::End(why(&error)),
                Poll::Ready(Ok(())) => {}
            }
            match tcp.get_ref().read(buffer) {
                Ok(0) => return Taken::End(Why::Eof),
                Ok(count) if count == buffer.len() => return Taken::Bytes { count, more: true },
                Ok(count) => {
                    let more = tcp.poll_readable(cx).is_ready();
                    return Taken::Bytes { count, more };
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Taken::End(why(&error)),
            }
        }
    }
}

async fn connect(to: Address) -> Result<Async<TcpStream>, Why> {
    let deadline = async {
        async_io::Timer::after(limits::DIAL).await;
        Err(Why::TimedOut)
    };
    let dial = async {
        let addrs = match &to.host {
            Host::Ip(ip) => vec![SocketAddr::new(*ip, to.port)],
            Host::Name(name) => {
                async_net::resolve((name.as_str(), to.port)).await.map_err(|_| Why::NoSuchHost)?
            }
        };
        let mut last = Why::NoSuchHost;
        for addr in addrs {
            match Async::<TcpStream>::connect(addr).await {
                Ok(tcp) => {
                    let (remote, local) = addresses(&tcp).map_err(|error| why(&error))?;
                    // TCP lets a socket meet itself when the port it was given is the one it dials.
                    if remote == local {
                        return Err(Why::Refused);
                    }
                    tcp.get_ref().set_nodelay(true).map_err(|error| why(&error))?;
                    return Ok(tcp);
                }
                Err(error) => last = why(&error),
            }
        }
        Err(last)
    };
    smol::future::or(dial, deadline).await
}

fn addresses(tcp: &Async<TcpStream>) -> std::io::Result<(SocketAddr, SocketAddr)> {
    Ok((tcp.get_ref().peer_addr()?, tcp.get_ref().local_addr()?))
}

//! Getting a stream to somewhere: a name is looked up, each of its addresses is tried in turn, and
//! all of it together has a deadline.

use mio::net::TcpStream;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::addr::{Address, Host};
use crate::limits;
use crate::live::ready::{Ready, Token};
use crate::live::why;
use crate::time::Mono;
use crate::why::Why;

/// An attempt to reach an address.
pub(super) struct Dial {
    lookup: Option<Lookup>,
    addrs: std::vec::IntoIter<SocketAddr>,
    trying: Option<TcpStream>,
    /// Why the address before did not work.
    last: Why,
    until: Mono,
}

type Lookup = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>>>>;

/// A stream that is up, its other end and ours.
pub(super) type Dialled = (TcpStream, SocketAddr, SocketAddr);

impl Dial {
    pub(super) fn new(to: Address, now: Mono) -> Self {
        let (lookup, addrs): (Option<Lookup>, _) = match to.host {
            Host::Ip(ip) => (None, vec![SocketAddr::new(ip, to.port)]),
            Host::Name(name) => (Some(Box::pin(smol::net::resolve((name, to.port)))), Vec::new()),
        };
        let until = now.plus(limits::DIAL);
        Self { lookup, addrs: addrs.into_iter(), trying: None, last: Why::NoSuchHost, until }
    }

    pub(super) fn until(&self) -> Mono {
        self.until
    }

    /// Goes on as far as it can.
    pub(super) fn poll(&mut self, now: Mono, ready: &Ready, token: Token) -> Poll<Result<Dialled, Why>> {
        if let Some(lookup) = &mut self.lookup {
            let waker = ready.waker(token);
            match lookup.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(Ok(addrs)) => self.addrs = addrs.into_iter(),
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Why::NoSuchHost)),
                Poll::Pending if now >= self.until => return Poll::Ready(Err(Why::TimedOut)),
                Poll::Pending => return Poll::Pending,
            }
            self.lookup = None;
        }
        loop {
            match self.trying.take() {
                Some(tcp) => match established(&tcp) {
                    Some(Ok((remote, local))) => return Poll::Ready(Ok((tcp, remote, local))),
                    Some(Err(why)) => self.last = why,
                    None if now >= self.until => return Poll::Ready(Err(Why::TimedOut)),
                    None => {
                        self.trying = Some(tcp);
                        return Poll::Pending;
                    }
                },
                None => {
                    let Some(addr) = self.addrs.next() else { return Poll::Ready(Err(self.last)) };
                    let begun = TcpStream::connect(addr).and_then(|mut tcp| {
                        ready.watch(&mut tcp, token)?;
                        Ok(tcp)
                    });
                    match begun {
                        Ok(tcp) => self.trying = Some(tcp),
                        Err(error) => self.last = why(&error),
                    }
                }
            }
        }
    }
}

/// Both ends of a stream once it is up; `None` while it is not known whether it will be.
pub(super) fn established(tcp: &TcpStream) -> Option<Result<(SocketAddr, SocketAddr), Why>> {
    match tcp.take_error() {
        Ok(None) => {}
        Ok(Some(error)) | Err(error) => return Some(Err(why(&error))),
    }
    let both = match tcp.peer_addr() {
        Ok(remote) => tcp.local_addr().map(|local| (remote, local)),
        Err(error) if error.kind() == ErrorKind::NotConnected => return None,
        Err(error) => Err(error),
    };
    Some(match both.and_then(|both| tcp.set_nodelay(true).map(|()| both)) {
        // TCP lets a socket meet itself when the port it was given is the one it dials.
        Ok((remote, local)) if remote == local => Err(Why::Refused),
        Ok(both) => Ok(both),
        Err(error) => Err(why(&error)),
    })
}

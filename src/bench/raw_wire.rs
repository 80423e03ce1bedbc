//! The yardstick's stream. Whoever has something to say appends it to the wire's buffer; the writer
//! takes the buffer whole, seals it as one record and does one write. Messages are `len:u16 | bytes`.
//! No identity, no numbers, no acknowledgements, no bounds: nothing that a chat needs and a stream
//! does not. The buffers for reading and sealing belong to the thread.

use smol::Async;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::task::{Context, Poll};

use crate::bench::Fault;
use crate::bench::raw_noise::{Handshake, Noise};
use crate::limits::RECORD_MAX;

/// Bytes read at once.
const READ_MAX: usize = 256 * 1024;

/// An encrypted stream.
pub(super) struct Wire {
    tcp: Async<TcpStream>,
    noise: Noise,
    /// Said and not yet sealed.
    said: Vec<u8>,
    /// Sealed, and not taken by the system.
    left: Vec<u8>,
    /// The beginning of a record whose end is still to come.
    partial: Vec<u8>,
    /// The last read took all there was, so the next one waits for more to be announced.
    drained: bool,
}

/// Buffers of the thread.
pub(super) struct Scratch {
    sealed: Vec<u8>,
    read: Vec<u8>,
    plain: Vec<u8>,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { sealed: Vec::new(), read: vec![0; READ_MAX], plain: vec![0; RECORD_MAX] }
    }
}

/// A listener on a free port, which it gives too.
pub(super) fn listen() -> Result<(Async<TcpListener>, u64), Fault> {
    let listener = Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.get_ref().local_addr()?.port();
    Ok((listener, port.into()))
}

/// A stream to `port`.
pub(super) async fn dial(port: u64) -> Result<Async<TcpStream>, Fault> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap_or(0)));
    let tcp = Async::<TcpStream>::connect(addr).await?;
    tcp.get_ref().set_nodelay(true)?;
    Ok(tcp)
}

/// The next stream.
pub(super) async fn accept(listener: &Async<TcpListener>) -> Result<Async<TcpStream>, Fault> {
    let (tcp, _) = listener.accept().await?;
    tcp.get_ref().set_nodelay(true)?;
    Ok(tcp)
}

impl Wire {
    /// Agrees on keys and opens.
    pub(super) async fn open(tcp: Async<TcpStream>, handshake: Handshake) -> Result<Self, Fault> {
        // In a box of its own, or the future of the whole link would keep room for it for ever.
        let noise = Box::pin(handshake.finish(&tcp)).await?;
        let (said, left, partial) = Default::default();
        Ok(Self { tcp, noise, said, left, partial, drained: false })
    }

    /// Bytes that were said and are not sealed yet; [`PLAIN_MAX`] of them fit a record.
    pub(super) fn said(&self) -> usize {
        self.said.len()
    }

    /// Appends a message.
    pub(super) fn say(&mut self, message: &[u8]) {
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        self.said.reserve(2 + message.len());
        self.said.extend_from_slice(&length.to_be_bytes());
        self.said.extend_from_slice(message);
    }

    /// Seals and writes all that was said; ready when the system has it.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Poll<Result<(), Error>> {
        loop {
            while !self.left.is_empty() {
                match self.tcp.get_ref().write(&self.left) {
                    Ok(count) => drop(self.left.drain(..count)),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        if self.tcp.poll_writable(cx)?.is_pending() {
                            return Poll::Pending;
                        }
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            if self.said.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let sealed = &mut scratch.sealed;
            sealed.clear();
            self.noise.seal(&self.said, sealed)?;
            self.said.clear();
            let mut written = 0;
            while written < sealed.len() {
                match self.tcp.get_ref().write(&sealed[written..]) {
                    Ok(count) => written += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            self.left.extend_from_slice(&sealed[written..]);
        }
    }

    /// Reads once, and hands over every message that is whole. Ready with false at the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        mut hear: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Poll<Result<bool, Error>> {
        // The unfinished record goes in front, so that records are decrypted where they were read.
        let held = self.partial.len();
        let count = loop {
            if self.drained && self.tcp.poll_readable(cx)?.is_pending() {
                return Poll::Pending;
            }
            self.drained = false;
            match self.tcp.get_ref().read(&mut scratch.read[held..]) {
                Ok(0) => return Poll::Ready(Ok(false)),
                Ok(count) => {
                    self.drained = held + count < READ_MAX;
                    break count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.drained = true,
                Err(error) => return Poll::Ready(Err(error)),
            }
        };
        scratch.read[..held].copy_from_slice(&self.partial);
        self.partial.clear();
        let mut rest = &scratch.read[..held + count];
        while let Some((record, after)) = cut(rest) {
            let length = self.noise.open(record, &mut scratch.plain)?;
            let mut run = &scratch.plain[..length];
            while let Some((message, others)) = cut(run) {
                hear(message)?;
                run = others;
            }
            rest = after;
        }
        self.partial.extend_from_slice(rest);
        Poll::Ready(Ok(true))
    }
}

/// The first `len:u16 | bytes`, and what follows.
fn cut(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (prefix, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*prefix).into())
}

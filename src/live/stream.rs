//! One TCP stream: being dialled, open, or closing. Reads into a buffer that belongs to the thread,
//! keeps what could not be written yet, and lets the last bytes out before it goes. The system says
//! once that it can be read or written; from then on we may until it refuses.

use mio::net::TcpStream;
use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::task::Poll;

use crate::addr::Address;
use crate::id::LinkId;
use crate::limits::doors;
use crate::live::dial::Dial;
use crate::live::ready::{Ready, Signs, Token};
use crate::live::world::relay::Wire;
use crate::live::{CLOSE, why};
use crate::time::Mono;
use crate::why::Why;

/// A stream of one node.
pub(super) struct Stream {
    host: usize,
    link: LinkId,
    state: State,
    out: VecDeque<Vec<u8>>,
    /// Bytes of the first of `out` that are written.
    written: usize,
    /// There may be something to read; the system takes no more just now; the other side has ended.
    readable: bool,
    blocked: bool,
    ended: bool,
    /// Something was ever written, so the other side may be reading still.
    spoke: bool,
    half_closed: bool,
    finish: bool,
    closing: Option<Mono>,
    /// Nothing is read until then; it has been so, and little is read at once.
    paused: Option<Mono>,
    slow: bool,
    pub(super) armed: Option<Mono>,
    /// The relay that it leads to, if it does.
    wire: Option<Wire>,
    /// Bytes written and read, ever, each end counted as one.
    said: u64,
    heard: u64,
    /// How many had been read when it was closed.
    heard_open: u64,
}

enum State {
    Dialling(Box<Dial>),
    /// Its relay is to bring the socket.
    Awaiting,
    Open(TcpStream),
    /// Its program is dead.
    Dead,
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
    pub(super) fn dial(to: Address, now: Mono, host: usize, link: LinkId) -> Self {
        Self::new(State::Dialling(Box::new(Dial::new(to, now))), host, link)
    }

    pub(super) fn relayed(host: usize, link: LinkId, wire: Wire) -> Self {
        Self { wire: Some(wire), ..Self::new(State::Awaiting, host, link) }
    }

    pub(super) fn accepted(tcp: TcpStream, host: usize, link: LinkId, wire: Option<Wire>) -> Self {
        Self { wire, ..Self::new(State::Open(tcp), host, link) }
    }

    fn new(state: State, host: usize, link: LinkId) -> Self {
        Self {
            host,
            link,
            state,
            out: VecDeque::new(),
            written: 0,
            readable: false,
            blocked: false,
            ended: false,
            spoke: false,
            half_closed: false,
            finish: false,
            closing: None,
            paused: None,
            slow: false,
            armed: None,
            wire: None,
            said: 0,
            heard: 0,
            heard_open: 0,
        }
    }

    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn link(&self) -> LinkId {
        self.link
    }

    pub(super) fn wire(&self) -> Option<Wire> {
        self.wire
    }

    /// How many bytes were written and read, ever, each end counted as one.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.said, self.heard)
    }

    /// Whether something is still to be written here.
    pub(super) fn is_writing(&self) -> bool {
        !self.out.is_empty()
    }

    pub(super) fn is_dialling(&self) -> bool {
        matches!(self.state, State::Dialling(_) | State::Awaiting)
    }

    /// The socket that a relay brings.
    pub(super) fn came_up(&mut self, tcp: TcpStream) {
        self.state = State::Open(tcp);
    }

    /// Its program is dead: the system closes it as it is, and nobody hears of it any more.
    pub(super) fn kill(&mut self) {
        self.state = State::Dead;
        self.out.clear();
        self.closing = Some(Mono::default());
    }

    /// What the system says.
    pub(super) fn tell(&mut self, signs: Signs) {
        self.readable |= signs.readable;
        self.blocked &= !signs.writable;
        self.ended |= signs.ended;
    }

    /// Gives a dialled stream a push; once it is up or has failed, says so.
    pub(super) fn poll_dial(
        &mut self,
        now: Mono,
        ready: &Ready,
        token: Token,
    ) -> Option<Result<(SocketAddr, SocketAddr), Why>> {
        if self.is_closing() {
            return None;
        }
        let State::Dialling(dial) = &mut self.state else { return None };
        let Poll::Ready(result) = dial.poll(now, ready, token) else { return None };
        Some(result.map(|(tcp, remote, local)| {
            self.state = State::Open(tcp);
            (remote, local)
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
        self.heard_open = self.heard;
    }

    /// Reads nothing until then, and little at once from then on.
    pub(super) fn pause(&mut self, until: Mono) {
        (self.paused, self.slow) = (Some(until), true);
    }

    /// Whether it is not to be read yet.
    pub(super) fn is_paused(&mut self, now: Mono) -> bool {
        self.paused.take_if(|until| *until <= now);
        self.paused.is_some()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// When it is to be looked at even if nothing happens.
    pub(super) fn deadline(&self) -> Option<Mono> {
        match &self.state {
            State::Dialling(dial) => Some(dial.until()),
            State::Awaiting => None,
            State::Open(_) | State::Dead => self.closing.or(self.paused),
        }
    }

    /// Whether nothing is left to wait for.
    pub(super) fn is_done(&self, now: Mono) -> bool {
        let Some(until) = self.closing else { return false };
        let enough = self.heard >= self.heard_open.saturating_add(doors::CLOSED_READ);
        !matches!(self.state, State::Open(_))
            || now >= until
            || enough
            || (self.out.is_empty() && !self.spoke)
    }

    /// Writes as much as the system takes; gives the bytes, and `spent` the buffers.
    pub(super) fn write(&mut self, spent: &mut Vec<Vec<u8>>) -> Result<usize, Why> {
        let State::Open(tcp) = &mut self.state else { return Ok(0) };
        let mut total = 0;
        while !self.blocked
            && let Some(first) = self.out.front()
        {
            let mut slices = [IoSlice::new(&[]); 8];
            slices[0] = IoSlice::new(&first[self.written..]);
            for (slice, bytes) in slices[1..].iter_mut().zip(self.out.iter().skip(1)) {
                *slice = IoSlice::new(bytes);
            }
            let used = self.out.len().min(slices.len());
            match tcp.write_vectored(&slices[..used]) {
                Ok(0) => return Err(Why::Reset),
                Ok(count) => {
                    self.spoke = true;
                    total += count;
                    self.said += count as u64;
                    self.written += count;
                    while let Some(first) = self.out.front()
                        && self.written >= first.len()
                    {
                        self.written -= first.len();
                        spent.extend(self.out.pop_front());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.blocked = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(why(&error)),
            }
        }
        if self.out.is_empty() && self.finish && !self.half_closed {
            self.half_closed = true;
            self.said += 1;
            // The other side may have closed first; then there is nothing to end.
            let _ = tcp.shutdown(Shutdown::Write);
        }
        Ok(total)
    }

    /// Reads what is there, if the system says that something is.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Taken {
        let State::Open(tcp) = &mut self.state else { return Taken::Nothing };
        let most = if self.slow { doors::HELD_READ } else { usize::MAX };
        let (room, _) = buffer.split_at_mut(most.min(buffer.len()));
        while self.readable {
            match tcp.read(room) {
                Ok(0) => return Taken::End(Why::Eof),
                Ok(count) => {
                    // Less than asked for is all there was, and what comes now is news, but for an
                    // end that was announced before.
                    self.readable = count == room.len() || self.ended;
                    self.heard += count as u64;
                    return Taken::Bytes { count, more: self.readable };
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Taken::End(why(&error)),
            }
        }
        Taken::Nothing
    }
}

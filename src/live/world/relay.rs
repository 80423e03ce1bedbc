//! A relay: what lies between two streams of the cast. It has a socket to each, and what it reads
//! from one goes through a pipe that is shaped as the network says before it is written to the
//! other. Moves bytes and ends; whose they are and what they mean it must not know.

use mio::net::TcpStream;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};

use crate::live::ready::{Signs, Token};
use crate::live::stream::Taken;
use crate::live::why;
use crate::rng::Rng;
use crate::time::Mono;
use crate::why::Why;
use crate::world::fault::{Fault, Gate};
use crate::world::pipe::{self, Pipe};
use crate::world::{PeerNo, Shape};

/// Where a stream's relay is, and at which side of it the stream is.
#[derive(Clone, Copy)]
pub(in crate::live) struct Wire {
    pub(in crate::live) relay: Token,
    pub(in crate::live) no: u64,
    pub(in crate::live) side: usize,
}

/// A relay: side 0 is that of the dialler, side 1 that of the listener.
pub(in crate::live) struct Relay {
    /// Unlike that of any other there ever was; places are used again.
    pub(in crate::live) no: u64,
    pub(in crate::live) far: Token,
    pub(super) ends: [PeerNo; 2],
    /// What was dialled, and until when.
    pub(super) to: SocketAddr,
    pub(super) until: Mono,
    pub(super) stage: Stage,
    pub(super) sides: [Side; 2],
    /// The bytes on their way *to* each side.
    pub(super) pipes: [Pipe; 2],
    /// Nothing comes of it any more.
    pub(super) hole: bool,
    /// When something is due here.
    pub(in crate::live) next: Option<Mono>,
    pub(in crate::live) armed: Option<Mono>,
}

/// How far the dial is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It reaches the other side at this time.
    Knocking(Mono),
    /// The refusal reaches the dialler at this time.
    Refused(Mono),
    /// The system connects us to the listener.
    Connecting,
    /// The answer reaches the dialler at this time.
    Answered(Mono),
    Open,
}

/// Our socket to one of the two streams.
#[derive(Default)]
pub(super) struct Side {
    pub(super) tcp: Option<TcpStream>,
    /// The stream at its other end, once it is known and as long as it is there.
    pub(super) stream: Option<Token>,
    pub(super) gone: bool,
    readable: bool,
    blocked: bool,
    ended: bool,
    /// Bytes read and written, ever, each end counted as one.
    pub(super) read: u64,
    pub(super) written: u64,
    /// Nothing more comes from there, nothing more goes there.
    pub(super) heard_end: bool,
    pub(super) shut: bool,
    /// The piece on its way out of here, and how much of it is written.
    out: Vec<u8>,
    done: usize,
}

impl Relay {
    pub(super) fn new(no: u64, far: Token, ends: [PeerNo; 2], to: SocketAddr, rng: &mut Rng) -> Self {
        let mut pipe = || Pipe::instant(Rng::new(rng.fork()));
        Self {
            no,
            far,
            ends,
            to,
            until: Mono::default(),
            stage: Stage::Knocking(Mono::default()),
            sides: Default::default(),
            pipes: [pipe(), pipe()],
            hole: false,
            next: None,
            armed: None,
        }
    }

    /// What the system says of one of the sockets.
    pub(in crate::live) fn tell(&mut self, side: usize, signs: Signs) {
        let side = &mut self.sides[side];
        side.readable |= signs.readable;
        side.blocked &= !signs.writable;
        side.ended |= signs.ended;
    }

    /// Moves what may be moved now. `heard` is how much the streams have read. False when nothing is
    /// left to move, ever.
    pub(super) fn pump(&mut self, now: Mono, fault: &Fault, heard: [u64; 2], scratch: &mut [u8]) -> bool {
        self.next = None;
        if self.hole {
            return !self.sides.iter().all(|side| side.gone);
        }
        for to in [0, 1] {
            let from = 1 - to;
            let shape = fault.shape(self.ends[from], self.ends[to]);
            let reachable = fault.gate(self.ends[to], self.ends[from], now) == Gate::Open;
            self.pipes[to].read(0, reachable);
            self.pipes[to].fill(now, &shape);
            self.take_in(to, now, &shape, scratch);
            match fault.gate(self.ends[from], self.ends[to], now) {
                Gate::Open => self.give_out(to, now, &shape, reachable, heard[to]),
                Gate::Until(at) => self.due(at),
                Gate::Shut => {}
            }
        }
        !self.sides.iter().all(|side| side.shut)
    }

    /// Whether it could read on at once.
    pub(super) fn wants_more(&self) -> bool {
        let reads = |to: usize| {
            let side = &self.sides[1 - to];
            side.readable && !side.heard_end && !self.pipes[to].is_stuck()
        };
        !self.hole && (reads(0) || reads(1))
    }

    /// Reads what goes to side `to`, unless that much is on its way already that the writer has to
    /// wait.
    fn take_in(&mut self, to: usize, now: Mono, shape: &Shape, scratch: &mut [u8]) {
        let (side, pipe) = (&mut self.sides[1 - to], &mut self.pipes[to]);
        if side.heard_end || pipe.is_stuck() {
            return;
        }
        match side.take(scratch) {
            Taken::Nothing => return,
            Taken::Bytes { count, .. } => pipe.write(scratch[..count].to_vec()),
            Taken::End(Why::Eof) => pipe.finish(),
            Taken::End(_) => return self.broken(1 - to, now, shape),
        }
        pipe.fill(now, shape);
    }

    /// Writes what has arrived for side `to`.
    fn give_out(&mut self, to: usize, now: Mono, shape: &Shape, reachable: bool, heard: u64) {
        while !self.sides[to].shut {
            let (side, pipe) = (&mut self.sides[to], &mut self.pipes[to]);
            match side.put() {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => return self.broken(to, now, shape),
            }
            // Pieces are read one by one only if each waits for that.
            if shape.pieces.is_some() && !side.gone && side.written != heard {
                return;
            }
            match pipe.take(now, shape, &mut side.out) {
                pipe::Taken::Nothing => {
                    if let Some(at) = pipe.due() {
                        self.due(at);
                    }
                    return;
                }
                pipe::Taken::Bytes => {
                    side.done = 0;
                    pipe.read(side.out.len(), reachable);
                    pipe.fill(now, shape);
                }
                pipe::Taken::End(Why::Eof) => side.shut(),
                pipe::Taken::End(_) => side.reset(),
            }
        }
    }

    /// The stream at one side is gone without an end: the other side is told once it has what was on
    /// its way, and what was to come back is lost.
    fn broken(&mut self, at: usize, now: Mono, shape: &Shape) {
        let side = &mut self.sides[at];
        (side.heard_end, side.shut) = (true, true);
        side.out.clear();
        self.pipes[at].give_up();
        if !self.sides[1 - at].shut {
            self.pipes[1 - at].cut(now, shape);
            self.due(now);
        }
    }

    /// Both streams are to see a reset.
    pub(super) fn reset(&mut self) {
        self.sides.iter_mut().for_each(Side::reset);
    }

    /// It is to be looked at then.
    pub(super) fn due(&mut self, at: Mono) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

impl Side {
    fn take(&mut self, buffer: &mut [u8]) -> Taken {
        let Some(tcp) = &mut self.tcp else { return Taken::Nothing };
        while self.readable {
            match tcp.read(buffer) {
                Ok(0) => {
                    self.heard_end = true;
                    self.read += 1;
                    return Taken::End(Why::Eof);
                }
                Ok(count) => {
                    self.readable = count == buffer.len() || self.ended;
                    self.read += count as u64;
                    return Taken::Bytes { count, more: self.readable };
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Taken::End(why(&error)),
            }
        }
        Taken::Nothing
    }

    /// Writes what is left of a piece. Whether all of it is written.
    fn put(&mut self) -> Result<bool, Why> {
        let Some(tcp) = &mut self.tcp else { return Err(Why::Reset) };
        while let Some(rest) = self.out.get(self.done..).filter(|rest| !rest.is_empty()) {
            if self.blocked {
                return Ok(false);
            }
            match tcp.write(rest) {
                Ok(0) => return Err(Why::Reset),
                Ok(count) => {
                    self.done += count;
                    self.written += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.blocked = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(why(&error)),
            }
        }
        self.out.clear();
        self.done = 0;
        Ok(true)
    }

    /// Nothing more goes there.
    fn shut(&mut self) {
        self.shut = true;
        if let Some(tcp) = &self.tcp {
            // Whoever is gone need not be told.
            let _ = tcp.shutdown(Shutdown::Write);
        }
    }

    /// The stream there sees a reset.
    fn reset(&mut self) {
        (self.heard_end, self.shut) = (true, true);
        if let Some(tcp) = self.tcp.take() {
            // If the system refuses this, it is an end like any other.
            let _ = rustix::net::sockopt::set_socket_linger(&tcp, Some(std::time::Duration::ZERO));
        }
    }

    /// Whether all that was written there was read, where the stream has read so much.
    pub(super) fn is_drained(&self, heard: u64) -> bool {
        self.out.is_empty() && self.written == heard
    }
}

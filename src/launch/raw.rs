//! Bare TCP with a program that was started: bytes as they are, in the pieces in which they are given,
//! ended as one likes; and an ear, a port at which the program reaches nobody but whoever listens for
//! it. Both are on this machine alone.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::limits::RAW_HEARD;

/// The longest that a program may make us wait for a connection or for room to write.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection on which nothing is said but what one says.
pub struct Raw {
    stream: Option<TcpStream>,
    heard: Vec<u8>,
    ended: bool,
}

impl Raw {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(port: u16) -> Result<Self> {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::of(TcpStream::connect_timeout(&addr, PATIENCE)?)
    }

    fn of(stream: TcpStream) -> Result<Self> {
        // What is written in two pieces is to travel in two.
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: Some(stream), heard: Vec::new(), ended: false })
    }

    /// Writes this, at once.
    ///
    /// # Errors
    /// It was closed, or the other side does not read.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let stream = self.stream.as_mut().ok_or(ErrorKind::NotConnected)?;
        stream.set_nonblocking(false)?;
        stream.write_all(bytes)
    }

    /// Ends it as programs do.
    pub fn close(&mut self) {
        self.stream = None;
    }

    /// Ends it as a machine does that is switched off and on again.
    pub fn reset(&mut self) {
        if let Some(stream) = self.stream.take() {
            // With nothing to linger for, the system sends a reset. If it refuses, this is a close.
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        }
    }

    /// Reads what is there; never waits. True if there was something new.
    pub fn poll(&mut self) -> bool {
        let before = (self.heard.len(), self.ended);
        let Some(stream) = self.stream.as_mut().filter(|_| !self.ended) else {
            self.ended = true;
            return before.1 != self.ended;
        };
        let mut buffer = [0; 4096];
        self.ended = stream.set_nonblocking(true).is_err();
        while !self.ended {
            match stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    // What nobody can use is read, so that the program need not wait, and forgotten.
                    let room = RAW_HEARD.saturating_sub(self.heard.len()).min(count);
                    self.heard.extend_from_slice(&buffer[..room]);
                    if room == 0 {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.ended = true,
            }
        }
        before != (self.heard.len(), self.ended)
    }

    /// Nothing comes any more.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes what was read.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.heard)
    }
}

/// A port at which a program may reach us.
pub struct Ear(TcpListener);

impl Ear {
    /// A port that nobody has.
    ///
    /// # Errors
    /// The system has none.
    pub fn open() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.local_addr().map_or(0, |addr| addr.port())
    }

    /// The next connection, if there is one; never waits.
    pub fn accept(&self) -> Option<Raw> {
        let (stream, _) = self.0.accept().ok()?;
        Raw::of(stream).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls until it has ended; the test's own thread does nothing else.
    fn all(raw: &mut Raw) -> Vec<u8> {
        while !raw.has_ended() {
            if !raw.poll() {
                std::thread::yield_now();
            }
        }
        raw.take()
    }

    fn pair() -> (Raw, Raw) {
        let ear = Ear::open().expect("a port");
        let here = Raw::connect(ear.port()).expect("it listens");
        loop {
            if let Some(there) = ear.accept() {
                return (here, there);
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn bytes_pass_as_they_are_and_a_close_is_seen() {
        let (mut here, mut there) = pair();
        here.write(b"a\xff\0").expect("open");
        here.write(b"b").expect("open");
        here.close();
        assert_eq!(all(&mut there), b"a\xff\0b");
        assert!(here.write(b"c").is_err());
    }

    #[test]
    fn a_reset_loses_what_was_not_read() {
        let (mut here, there) = pair();
        here.write(b"lost").expect("open");
        here.reset();
        let mut stream = there.stream.expect("open");
        stream.set_nonblocking(false).expect("a socket");
        let error = stream.read_to_end(&mut Vec::new()).expect_err("it was reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }

    #[test]
    fn nobody_listens_on_a_port_that_was_closed() {
        let port = Ear::open().expect("a port").port();
        assert!(Raw::connect(port).is_err());
    }
}

//! The yardstick's encryption: the same pattern from the same parts as a link of ours, without
//! identities, bounds or checks of its own. The one file besides `link/noise.rs` that names snow,
//! because what a link costs can only be told beside what snow alone costs.

use smol::Async;
use smol::future::poll_fn;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver, RingResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::bench::Fault;
use crate::limits::TAG_LEN;
use crate::rng::{Rng, Seed};

/// Plaintext bytes of one record.
pub(super) const PLAIN_MAX: usize = crate::limits::PLAINTEXT_MAX;

/// A static key and chance.
pub(super) struct Secrets {
    key: [u8; 32],
    rng: Rng,
}

/// Our side of a handshake.
pub(super) struct Handshake(snow::HandshakeState);

/// An open session.
pub(super) struct Noise(snow::TransportState);

impl Secrets {
    pub(super) fn new() -> Result<Self, Fault> {
        let seed = Seed::from_os().map_err(|error| Fault::Wrong(error.to_string()))?;
        let mut rng = Rng::new(seed);
        Ok(Self { key: rng.bytes(), rng })
    }

    /// Our side of a handshake.
    pub(super) fn begin(&mut self, initiator: bool) -> Result<Handshake, Error> {
        self.state(initiator).map(Handshake).map_err(refused)
    }

    fn state(&mut self, initiator: bool) -> Result<snow::HandshakeState, snow::Error> {
        let params = "Noise_XX_25519_ChaChaPoly_BLAKE2s".parse()?;
        let parts = Box::new(Parts(self.rng.fork()));
        let builder = snow::Builder::with_resolver(params, parts).local_private_key(&self.key)?;
        if initiator { builder.build_initiator() } else { builder.build_responder() }
    }
}

impl Handshake {
    /// XX: three messages, 32, 96 and 64 bytes, sent as they are.
    pub(super) async fn finish(mut self, tcp: &Async<TcpStream>) -> Result<Noise, Error> {
        let (mut message, ours) = ([0; 96], self.0.is_initiator());
        for (turn, length) in [32, 96, 64].into_iter().enumerate() {
            if (turn % 2 == 0) == ours {
                self.0.write_message(&[], &mut message).map_err(refused)?;
                write_all(tcp, &message[..length]).await?;
            } else {
                read_exact(tcp, &mut message[..length]).await?;
                self.0.read_message(&message[..length], &mut []).map_err(refused)?;
            }
        }
        self.0.into_transport_mode().map(Noise).map_err(refused)
    }
}

impl Noise {
    /// Appends `plain`, at most [`PLAIN_MAX`] bytes, as a record: length and ciphertext.
    pub(super) fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let length = plain.len() + TAG_LEN;
        let prefix = u16::try_from(length).map_err(|_| ErrorKind::InvalidInput)?;
        out.extend_from_slice(&prefix.to_be_bytes());
        let start = out.len();
        out.resize(start + length, 0);
        self.0.write_message(plain, &mut out[start..]).map(drop).map_err(refused)
    }

    /// Decrypts `record` into `plain`, which is at least as long; gives the length of the text.
    pub(super) fn open(&mut self, record: &[u8], plain: &mut [u8]) -> Result<usize, Error> {
        self.0.read_message(record, plain).map_err(refused)
    }
}

fn refused(error: snow::Error) -> Error {
    Error::new(ErrorKind::InvalidData, error.to_string())
}

async fn write_all(tcp: &Async<TcpStream>, mut bytes: &[u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        match tcp.get_ref().write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll_fn(|cx| tcp.poll_writable(cx)).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read_exact(tcp: &Async<TcpStream>, mut bytes: &mut [u8]) -> Result<(), Error> {
    while !bytes.is_empty() {
        match tcp.get_ref().read(bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => bytes = &mut bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll_fn(|cx| tcp.poll_readable(cx)).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// As in `link/noise.rs`: chance from our one source, the cipher from ring, the rest from snow.
struct Parts(Seed);

struct SeededRandom(Rng);

impl CryptoResolver for Parts {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(SeededRandom(Rng::new(self.0))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        RingResolver.resolve_cipher(choice)
    }
}

impl Random for SeededRandom {
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), snow::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

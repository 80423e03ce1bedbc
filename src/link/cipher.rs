//! What a link asks of its cipher: three messages that prove who is there, then records sealed and
//! opened. Production has one, Noise. Another can be named only by whoever can name its `Begin`: the
//! imaginary world has one that is private to it, so nothing else can hand it to a node.

use crate::key::{Keys, PeerKey};
use crate::limits::TAG_LEN;
use crate::link::noise;
use crate::rng::Rng;
use crate::why::Why;

/// How handshakes begin: as initiator or not, with whose keys, with chance from where.
pub(crate) type Begin = fn(bool, &Keys, &mut Rng) -> Result<Box<dyn Handshake>, Why>;

/// What seals the links of a node.
#[derive(Clone, Copy)]
pub(crate) struct Cipher(Begin);

/// What comes next in a handshake, which has this shape whatever the cipher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    First,
    Second,
    Third,
    Done,
}

/// Our side of a handshake.
pub(crate) trait Handshake: Send {
    fn step(&self) -> Step;

    /// Appends our next message, as a record.
    fn write(&mut self, keys: &Keys, out: &mut Vec<u8>) -> Result<(), Why>;

    /// Reads the other side's next message.
    fn read(&mut self, message: &[u8]) -> Result<(), Why>;

    /// The session, and who has proven to be at its other end.
    fn finish(self: Box<Self>, keys: &Keys) -> Result<(Box<dyn Transport>, PeerKey), Why>;
}

/// An open session.
pub(crate) trait Transport: Send {
    /// Appends `plaintext` (at most 65,519 bytes), sealed, to `out`: a tag longer.
    fn encrypt(&mut self, plaintext: &[u8], out: &mut Vec<u8>);

    /// Appends what `record` holds to `plain`.
    ///
    /// # Errors
    /// It does not open: somebody changed the stream, and nothing of it can be believed.
    fn open(&mut self, record: &[u8], plain: &mut Vec<u8>) -> Result<(), Why>;
}

impl Cipher {
    /// The one of production.
    pub(crate) const NOISE: Self = Self(noise::begin);

    /// One that somebody has.
    pub(crate) const fn of(begin: Begin) -> Self {
        Self(begin)
    }

    pub(super) fn begin(
        self,
        initiator: bool,
        keys: &Keys,
        rng: &mut Rng,
    ) -> Result<Box<dyn Handshake>, Why> {
        (self.0)(initiator, keys, rng)
    }
}

/// A public key, and a key with a signature, each with its tag.
const STATIC: usize = 32 + TAG_LEN;
const IDENTITY: usize = 32 + 64 + TAG_LEN;

impl Step {
    /// The exact length of the message that is due.
    pub(crate) fn expects(self) -> usize {
        match self {
            Self::First => 32,
            Self::Second => 32 + STATIC + IDENTITY,
            Self::Third | Self::Done => STATIC + IDENTITY,
        }
    }

    pub(crate) fn next(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::Third,
            Self::Third | Self::Done => Self::Done,
        }
    }
}

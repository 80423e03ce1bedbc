//! A cipher that hides nothing and proves nothing, for worlds so large that real ones would take all
//! the time: the same three messages of the same sizes, the same refusals, a checksum in each tag.
//! A changed byte, a record left out, repeated or out of order, and an identity shown beside another's
//! key end the link, as they do under Noise; somebody who wants to deceive could.
//!
//! It cannot get into production: this module is private to `sim`, so nothing else can name what is
//! in here, `Node::new` has no cipher to choose, and no link asks the other side which one it wants.
//!
//! ```compile_fail,E0603
//! use hobnob::sim::sham::SHAM;
//! ```

use crate::key::{Keys, PeerKey};
use crate::limits::TAG_LEN;
use crate::link::cipher::{Cipher, Handshake, Step, Transport};
use crate::sim::mix::Mix;
use crate::why::Why;
use crate::wire::{preamble, record};

/// It.
pub(super) const SHAM: Cipher = Cipher::of(|initiator, _, rng| {
    let mut said = Mix::default();
    said.bytes(b"sham");
    said.bytes(&preamble::OURS);
    Ok(Box::new(Meeting { initiator, step: Step::First, ephemeral: rng.bytes(), said, remote: None }))
});

/// Our side of a handshake.
struct Meeting {
    initiator: bool,
    step: Step,
    ephemeral: [u8; 32],
    /// All that both sides have said: they agree on it, or they do not agree.
    said: Mix,
    remote: Option<PeerKey>,
}

/// One direction of an open session: its key, and how many records it has had.
struct Way {
    key: Mix,
    count: u64,
}

/// An open session.
struct Open {
    ours: Way,
    theirs: Way,
}

/// As Noise would have it: a key for agreeing, known to be its owner's by a signature.
const PUBLIC: usize = 32;
const SIGNATURE: usize = 64;

/// `N` bytes that follow from what was mixed.
fn spread<const N: usize>(mut mix: Mix) -> [u8; N] {
    let mut out = [0; N];
    for (number, word) in (0..).zip(out.chunks_mut(8)) {
        mix.add(number);
        word.copy_from_slice(&mix.number().to_le_bytes()[..word.len()]);
    }
    out
}

/// The key for agreeing that stands in for the one of this identity.
fn public(keys: &Keys) -> [u8; PUBLIC] {
    let mut mix = Mix::default();
    mix.bytes(keys.noise_secret());
    spread(mix)
}

/// What stands in for an identity's signature over such a key.
fn vouch(identity: &PeerKey, public: &[u8]) -> [u8; SIGNATURE] {
    let mut mix = Mix::default();
    mix.bytes(&identity.0);
    mix.bytes(public);
    spread(mix)
}

impl Meeting {
    /// Appends `part` and a tag over all that was said.
    fn put(&mut self, part: &[u8], message: &mut Vec<u8>) {
        self.said.bytes(part);
        message.extend_from_slice(part);
        let tag: [u8; TAG_LEN] = spread(self.said);
        message.extend_from_slice(&tag);
        self.said.bytes(&tag);
    }

    /// Takes `length` bytes with their tag.
    fn take<'a>(&mut self, length: usize, message: &mut &'a [u8]) -> Result<&'a [u8], Why> {
        let (part, rest) = message.split_at_checked(length).ok_or(Why::Protocol)?;
        let (tag, rest) = rest.split_at_checked(TAG_LEN).ok_or(Why::Protocol)?;
        *message = rest;
        self.said.bytes(part);
        if tag != spread::<TAG_LEN>(self.said) {
            return Err(Why::Crypto);
        }
        self.said.bytes(tag);
        Ok(part)
    }
}

impl Handshake for Meeting {
    fn step(&self) -> Step {
        self.step
    }

    fn write(&mut self, keys: &Keys, out: &mut Vec<u8>) -> Result<(), Why> {
        record::put_prefix(self.step.expects(), out);
        if self.step != Step::Third {
            self.said.bytes(&self.ephemeral);
            out.extend_from_slice(&self.ephemeral);
        }
        if self.step != Step::First {
            let (identity, public) = (keys.public(), public(keys));
            self.put(&public, out);
            self.put(&[&identity.0[..], &vouch(&identity, &public)].concat(), out);
        }
        self.step = self.step.next();
        Ok(())
    }

    fn read(&mut self, mut message: &[u8]) -> Result<(), Why> {
        if self.step != Step::Third {
            let (ephemeral, rest) = message.split_at_checked(PUBLIC).ok_or(Why::Protocol)?;
            self.said.bytes(ephemeral);
            message = rest;
        }
        if self.step != Step::First {
            let public = self.take(PUBLIC, &mut message)?;
            let shown = self.take(PUBLIC + SIGNATURE, &mut message)?;
            let (identity, signature) = shown.split_first_chunk().ok_or(Why::Protocol)?;
            let identity = PeerKey(*identity);
            if signature != vouch(&identity, public) {
                return Err(Why::Crypto);
            }
            self.remote = Some(identity);
        }
        self.step = self.step.next();
        Ok(())
    }

    fn finish(self: Box<Self>, keys: &Keys) -> Result<(Box<dyn Transport>, PeerKey), Why> {
        let remote = self.remote.ok_or(Why::Crypto)?;
        if remote == keys.public() {
            return Err(Why::Ourselves);
        }
        let way = |of_initiator: bool| {
            let mut key = self.said;
            key.add(u64::from(of_initiator));
            Way { key, count: 0 }
        };
        Ok((Box::new(Open { ours: way(self.initiator), theirs: way(!self.initiator) }), remote))
    }
}

impl Way {
    /// The tag of the next record.
    fn tag(&mut self, record: &[u8]) -> [u8; TAG_LEN] {
        let mut mix = self.key;
        mix.add(self.count);
        mix.bytes(record);
        self.count += 1;
        spread(mix)
    }
}

impl Transport for Open {
    fn encrypt(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(plaintext);
        out.extend_from_slice(&self.ours.tag(plaintext));
    }

    fn open(&mut self, record: &[u8], plain: &mut Vec<u8>) -> Result<(), Why> {
        let (plaintext, tag) = record.split_last_chunk::<TAG_LEN>().ok_or(Why::Crypto)?;
        if *tag != self.theirs.tag(plaintext) {
            return Err(Why::Crypto);
        }
        plain.extend_from_slice(plaintext);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

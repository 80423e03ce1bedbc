//! Who a peer is: its Ed25519 key, and our own secret halves. Decides how keys are printed, spoken
//! and signed; knows nothing of handshakes or of names.

use curve25519_dalek::MontgomeryPoint;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fmt;

use crate::rng::{Rng, Seed};

/// Before the Noise static key in what an identity signs, so that no signature made for another
/// purpose fits here and none made here fits elsewhere.
const DOMAIN: &[u8] = b"hobnob noise static key v1";

/// A peer's public Ed25519 key (RFC 8032). A peer *is* this key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

/// A node's secrets: the identity that signs, and the Noise static key that it vouches for.
#[derive(Clone)]
pub struct Keys {
    identity: SigningKey,
    noise_secret: [u8; 32],
    vouch: [u8; 64],
}

impl Keys {
    /// The keys that follow from `seed`.
    pub fn from_seed(seed: Seed) -> Self {
        let mut rng = Rng::new(seed);
        let identity = SigningKey::from_bytes(&rng.bytes());
        let noise_secret = rng.bytes();
        let noise_public = MontgomeryPoint::mul_base_clamped(noise_secret).to_bytes();
        let vouch = identity.sign(&vouched(&noise_public)).to_bytes();
        Self { identity, noise_secret, vouch }
    }

    /// The public half that others know us by.
    pub fn public(&self) -> PeerKey {
        PeerKey(self.identity.verifying_key().to_bytes())
    }

    /// The X25519 secret for Noise.
    pub fn noise_secret(&self) -> &[u8; 32] {
        &self.noise_secret
    }

    /// The same identity, with its signature over another's public key.
    #[cfg(test)]
    pub(crate) fn vouching_for(mut self, noise_public: &[u8; 32]) -> Self {
        self.vouch = self.identity.sign(&vouched(noise_public)).to_bytes();
        self
    }

    /// Our identity's signature over our Noise static public key, under a domain string.
    pub fn vouch(&self) -> &[u8; 64] {
        &self.vouch
    }
}

impl PeerKey {
    /// Whether this identity vouched for `noise_public`. Strict verification: keys of small order
    /// and malleable signatures are refused (RFC 8032 §5.1.7, and §8.9 of ed25519-dalek's notes).
    pub fn vouches_for(&self, noise_public: &[u8; 32], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            !key.is_weak()
                && key.verify_strict(&vouched(noise_public), &Signature::from_bytes(signature)).is_ok()
        })
    }

    /// The first eight hex digits, enough to tell peers apart on a screen.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }

    /// 96 bits of the key as six five-letter words to read out loud: proquints, after
    /// D. S. Wilkerson, "A Proposal for Proquints", arXiv:0901.4016.
    pub fn words(&self) -> String {
        let word = |pair: &[u8]| {
            let bits = u16::from_be_bytes([pair[0], pair[1]]);
            let consonant = |shift: u16| char::from(b"bdfghjklmnprstvz"[usize::from(bits >> shift & 15)]);
            let vowel = |shift: u16| char::from(b"aiou"[usize::from(bits >> shift & 3)]);
            [consonant(12), vowel(10), consonant(6), vowel(4), consonant(0)].iter().collect::<String>()
        };
        self.0[..12].chunks(2).map(word).collect::<Vec<_>>().join("-")
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({})", self.short())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}, secrets not shown)", self.public().short())
    }
}

fn vouched(noise_public: &[u8; 32]) -> Vec<u8> {
    [DOMAIN, noise_public].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_vouches_for_one_static_key_only() {
        let keys = Keys::from_seed(Seed::from_number(1));
        let noise_public = MontgomeryPoint::mul_base_clamped(*keys.noise_secret()).to_bytes();
        assert!(keys.public().vouches_for(&noise_public, keys.vouch()));
        assert!(!keys.public().vouches_for(&[6; 32], keys.vouch()));
        let other = Keys::from_seed(Seed::from_number(2));
        assert!(!other.public().vouches_for(&noise_public, keys.vouch()));
        assert!(!PeerKey([0; 32]).vouches_for(&noise_public, keys.vouch()), "a key of small order");
    }

    #[test]
    fn words_follow_the_proquint_proposal() {
        // 127.0.0.1 is lusab-babad and 63.84.220.193 is gutih-tugad in the paper's own examples.
        let mut key = PeerKey([0; 32]);
        key.0[..8].copy_from_slice(&[127, 0, 0, 1, 63, 84, 220, 193]);
        assert!(key.words().starts_with("lusab-babad-gutih-tugad-"));
    }

    #[test]
    fn secrets_are_not_printed() {
        let keys = Keys::from_seed(Seed::from_number(1));
        let secret: String = keys.noise_secret().iter().map(|b| format!("{b:02x}")).collect();
        assert!(!format!("{keys:?}").contains(&secret));
    }
}

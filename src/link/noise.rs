//! Noise_XX_25519_ChaChaPoly_BLAKE2s (The Noise Protocol Framework, revision 34), and the only file
//! that names snow. Each side's handshake payload is its Ed25519 key and that key's signature over
//! its Noise static key. Both preambles are in the prologue, so a changed one fails the handshake.
//!
//! ```text
//! -> e                                         32 bytes
//! <- e, ee, s, es, identity, signature        192 bytes
//! -> s, se, identity, signature               160 bytes
//! ```

use snow::params::{CipherChoice, DHChoice, HashChoice, NoiseParams};
use snow::resolvers::{BoxedCryptoResolver, CryptoResolver, DefaultResolver, RingResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use std::sync::LazyLock;

use crate::key::{Keys, PeerKey};
use crate::limits::TAG_LEN;
use crate::link::cipher::{self, Step};
use crate::rng::{Rng, Seed};
use crate::why::Why;
use crate::wire::preamble;
use crate::wire::record;

/// Our side of a handshake.
struct Handshake {
    state: snow::HandshakeState,
    step: Step,
    remote: Option<PeerKey>,
    signature: [u8; 64],
}

/// An open session.
struct Transport(snow::TransportState);

static PARAMS: LazyLock<NoiseParams> =
    LazyLock::new(|| "Noise_XX_25519_ChaChaPoly_BLAKE2s".parse().expect("a pattern that snow knows"));

static PROLOGUE: LazyLock<Vec<u8>> =
    LazyLock::new(|| [b"hobnob", &preamble::OURS[..], &preamble::OURS[..]].concat());

/// Begins as initiator or responder, with an ephemeral key drawn from `rng`.
pub(super) fn begin(initiator: bool, keys: &Keys, rng: &mut Rng) -> Result<Box<dyn cipher::Handshake>, Why> {
    let resolver: BoxedCryptoResolver = Box::new(Seeded(rng.fork()));
    let builder = snow::Builder::with_resolver(PARAMS.clone(), resolver)
        .local_private_key(keys.noise_secret())
        .and_then(|builder| builder.prologue(&PROLOGUE))
        .map_err(|_| Why::Crypto)?;
    let state = if initiator { builder.build_initiator() } else { builder.build_responder() };
    let state = state.map_err(|_| Why::Crypto)?;
    Ok(Box::new(Handshake { state, step: Step::First, remote: None, signature: [0; 64] }))
}

impl cipher::Handshake for Handshake {
    fn step(&self) -> Step {
        self.step
    }

    fn write(&mut self, keys: &Keys, out: &mut Vec<u8>) -> Result<(), Why> {
        let mut payload = Vec::new();
        if self.step != Step::First {
            payload.extend_from_slice(&keys.public().0);
            payload.extend_from_slice(keys.vouch());
        }
        let mut message = [0; 256];
        let length = self.state.write_message(&payload, &mut message).map_err(|_| Why::Crypto)?;
        record::put_prefix(length, out);
        out.extend_from_slice(&message[..length]);
        self.step = self.step.next();
        Ok(())
    }

    fn read(&mut self, message: &[u8]) -> Result<(), Why> {
        if self.step != Step::Third {
            refuse_low_order(message.first_chunk().ok_or(Why::Protocol)?)?;
        }
        let mut payload = [0; 256];
        let length = self.state.read_message(message, &mut payload).map_err(|_| Why::Crypto)?;
        if self.step != Step::First {
            let (key, signature) = payload[..length].split_first_chunk().ok_or(Why::Protocol)?;
            self.remote = Some(PeerKey(*key));
            self.signature = *signature.first_chunk().ok_or(Why::Protocol)?;
        } else if length != 0 {
            return Err(Why::Protocol);
        }
        self.step = self.step.next();
        Ok(())
    }

    /// That key signed the Noise static key that this session has proven.
    fn finish(self: Box<Self>, keys: &Keys) -> Result<(Box<dyn cipher::Transport>, PeerKey), Why> {
        let remote = self.remote.ok_or(Why::Crypto)?;
        let proven: [u8; 32] =
            self.state.get_remote_static().and_then(|key| key.try_into().ok()).ok_or(Why::Crypto)?;
        refuse_low_order(&proven)?;
        if remote == keys.public() {
            return Err(Why::Ourselves);
        }
        if !remote.vouches_for(&proven, &self.signature) {
            return Err(Why::Crypto);
        }
        Ok((Box::new(Transport(self.state.into_transport_mode().map_err(|_| Why::Crypto)?)), remote))
    }
}

impl cipher::Transport for Transport {
    fn encrypt(&mut self, plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + plaintext.len() + TAG_LEN, 0);
        let length =
            self.0.write_message(plaintext, &mut out[start..]).expect("plaintext fits a Noise message");
        debug_assert_eq!(length, plaintext.len() + TAG_LEN);
    }

    fn open(&mut self, record: &[u8], plain: &mut Vec<u8>) -> Result<(), Why> {
        let start = plain.len();
        // As long as the ciphertext: ring decrypts in place then, and copies otherwise.
        plain.resize(start + record.len(), 0);
        let read = self.0.read_message(record, &mut plain[start..]);
        plain.truncate(start + *read.as_ref().unwrap_or(&0));
        read.map(drop).map_err(|_| Why::Crypto)
    }
}

/// Chance from our one source, the cipher from ring, the rest from snow's own resolver.
struct Seeded(Seed);

struct SeededRandom(Rng);

impl CryptoResolver for Seeded {
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

/// The X25519 inputs of small order (D. J. Bernstein, "Curve25519: new Diffie-Hellman speed
/// records", and RFC 7748 §6.1): with them the shared secret is zero whatever our key is. The high
/// bit of the last byte does not count.
const LOW_ORDER: [[u8; 32]; 7] = {
    const fn around_p(low: u8) -> [u8; 32] {
        let mut bytes = [0xff; 32];
        bytes[0] = low;
        bytes[31] = 0x7f;
        bytes
    }
    const fn small(low: u8) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    }
    [
        small(0),
        small(1),
        around_p(0xec),
        around_p(0xed),
        around_p(0xee),
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
            0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
            0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
    ]
};

fn refuse_low_order(point: &[u8; 32]) -> Result<(), Why> {
    let mut masked = *point;
    masked[31] &= 0x7f;
    if LOW_ORDER.contains(&masked) { Err(Why::Crypto) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_small_order_give_a_zero_secret_and_are_refused() {
        for point in LOW_ORDER {
            for high in [0, 0x80] {
                let mut point = point;
                point[31] |= high;
                assert_eq!(refuse_low_order(&point), Err(Why::Crypto));
                let shared = curve25519_dalek::MontgomeryPoint(point).mul_clamped([0x42; 32]);
                assert_eq!(shared.to_bytes(), [0; 32]);
            }
        }
        assert_eq!(refuse_low_order(&[9; 32]), Ok(()));
    }

    /// A static key whose owner says that it is another: what it calculates is its own, or nothing.
    struct Claimed {
        dh: Box<dyn Dh>,
        says: [u8; 32],
        is_static: bool,
        zeros: bool,
    }

    impl Dh for Claimed {
        fn name(&self) -> &'static str {
            self.dh.name()
        }
        fn pub_len(&self) -> usize {
            self.dh.pub_len()
        }
        fn priv_len(&self) -> usize {
            self.dh.priv_len()
        }
        fn set(&mut self, secret: &[u8]) {
            self.is_static = true;
            self.dh.set(secret);
        }
        fn generate(&mut self, rng: &mut dyn Random) -> Result<(), snow::Error> {
            self.dh.generate(rng)
        }
        fn pubkey(&self) -> &[u8] {
            if self.is_static { &self.says } else { self.dh.pubkey() }
        }
        fn privkey(&self) -> &[u8] {
            self.dh.privkey()
        }
        fn dh(&self, public: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
            self.dh.dh(public, out)?;
            if self.is_static && self.zeros {
                out[..32].fill(0);
            }
            Ok(())
        }
    }

    /// Somebody with the secret of one, the public key of another, and the signature of a third.
    struct Impostor {
        says: [u8; 32],
        zeros: bool,
        chance: Seed,
    }

    impl CryptoResolver for Impostor {
        fn resolve_rng(&self) -> Option<Box<dyn Random>> {
            Seeded(self.chance).resolve_rng()
        }
        fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
            let dh = DefaultResolver.resolve_dh(choice)?;
            Some(Box::new(Claimed { dh, says: self.says, is_static: false, zeros: self.zeros }))
        }
        fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
            DefaultResolver.resolve_hash(choice)
        }
        fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
            RingResolver.resolve_cipher(choice)
        }
    }

    fn public(keys: &Keys) -> [u8; 32] {
        curve25519_dalek::MontgomeryPoint::mul_base_clamped(*keys.noise_secret()).to_bytes()
    }

    /// What `victim` makes of somebody who has the Noise secret `secret`, says that it is the one of
    /// `says`, and brings the identity and the signature of `identity`.
    fn meet(
        victim: &Keys,
        victim_dials: bool,
        secret: &[u8; 32],
        (says, zeros): ([u8; 32], bool),
        identity: &Keys,
        number: u64,
    ) -> Result<PeerKey, Why> {
        let mut rng = Rng::new(Seed::from_number(number));
        let resolver = Box::new(Impostor { says, zeros, chance: rng.fork() });
        let builder = snow::Builder::with_resolver(PARAMS.clone(), resolver)
            .local_private_key(secret)
            .and_then(|builder| builder.prologue(&PROLOGUE))
            .expect("a key");
        let state = if victim_dials { builder.build_responder() } else { builder.build_initiator() };
        let mut theirs = state.expect("it begins");
        let mut ours = begin(victim_dials, victim, &mut rng)?;
        let payload = [&identity.public().0[..], &identity.vouch()[..]].concat();
        for turn in 0..3 {
            let mut bytes = Vec::new();
            if (turn % 2 == 0) == victim_dials {
                ours.write(victim, &mut bytes)?;
                // An impostor without the right secret may be unable to read this; so be it.
                if theirs.read_message(&bytes[2..], &mut [0; 256]).is_err() {
                    return Err(Why::Crypto);
                }
            } else {
                let mut message = [0; 256];
                let said = if turn == 0 { &[][..] } else { &payload[..] };
                let length = theirs.write_message(said, &mut message).expect("it fits");
                ours.read(&message[..length])?;
            }
        }
        ours.finish(victim).map(|(_, key)| key)
    }

    #[test]
    fn nobody_is_taken_for_another() {
        let [alice, bob, mallory] = [1, 2, 3].map(|number| Keys::from_seed(Seed::from_number(number)));
        for dials in [false, true] {
            let meet = |secret: &Keys, says: [u8; 32], identity: &Keys, number| {
                meet(&alice, dials, secret.noise_secret(), (says, false), identity, number)
            };
            assert_eq!(meet(&bob, public(&bob), &bob, 1), Ok(bob.public()), "the one that it is");
            // Either side, with either key beside Alice's own: a thousand attempts.
            for number in 0..250 {
                // Mallory with what Bob once sent to Mallory; then with Alice's own stolen secrets.
                for stolen in [&mallory, &alice] {
                    assert_eq!(meet(stolen, public(stolen), &bob, number), Err(Why::Crypto));
                    assert_eq!(meet(stolen, public(&bob), &bob, number), Err(Why::Crypto));
                }
                assert_eq!(meet(&bob, public(&bob), &mallory, number), Err(Why::Crypto), "misbound");
                assert_eq!(meet(&alice, public(&alice), &alice, number), Err(Why::Ourselves));
            }
        }
    }

    #[test]
    fn a_point_of_small_order_is_nobodys_key() {
        let [alice, mallory] = [1, 2].map(|number| Keys::from_seed(Seed::from_number(number)));
        for (point, high) in LOW_ORDER.iter().flat_map(|point| [(*point, 0), (*point, 0x80)]) {
            let mut point = point;
            point[31] |= high;
            for dials in [false, true] {
                // Its owner has signed it, and calculates nothing, as everybody else does with it.
                let owner = mallory.clone().vouching_for(&point);
                let result = meet(&alice, dials, mallory.noise_secret(), (point, true), &owner, 1);
                assert_eq!(result.err(), Some(Why::Crypto), "as a static key");
                let mut ours = begin(dials, &alice, &mut Rng::new(Seed::from_number(1))).expect("it begins");
                let mut message = point.to_vec();
                if dials {
                    ours.write(&alice, &mut Vec::new()).expect("the first");
                    message.resize(192, 0);
                }
                assert_eq!(ours.read(&message), Err(Why::Crypto), "as an ephemeral one");
            }
        }
    }
}

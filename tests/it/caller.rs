//! Somebody who speaks our protocol without being a node: it shakes hands and then says whatever the
//! test wants, be it allowed or not.

use hobnob::key::Keys;
use hobnob::link::Link;
use hobnob::rng::{Rng, Seed};
use hobnob::time::Mono;
use hobnob::wire::message::Message;

/// The dialling end of a stream.
pub(crate) struct Caller {
    link: Link,
    keys: Keys,
    rng: Rng,
    plain: Vec<u8>,
    spare: Vec<Vec<u8>>,
}

impl Caller {
    /// One whose key follows from `number`.
    pub(crate) fn new(number: u64) -> Self {
        let keys = Keys::from_seed(Seed::from_number(number));
        let rng = Rng::new(Seed::from_number(number + 1_000_000));
        Self { link: Link::dialled(Mono(0)), keys, rng, plain: Vec::new(), spare: Vec::new() }
    }

    /// What it wants to write.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.link.take(&mut self.spare)
    }

    /// What it hears. False if it is not our protocol.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> bool {
        self.link.receive(Mono(0), bytes, &self.keys, &mut self.rng, &mut self.plain).is_ok()
    }

    /// Whether the handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        self.link.is_open()
    }

    pub(crate) fn say(&mut self, message: &Message<'_>) {
        self.link.say(&mut self.spare, |run| message.put(run));
    }

    pub(crate) fn hello(&mut self, name: &str) {
        self.say(&Message::Hello { name, port: 0, passing: true, epoch: 1, base: 1, have: None, life: 0 });
    }

    pub(crate) fn chat(&mut self, seq: u64, text: &str) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&seq.to_be_bytes());
        self.say(&Message::Chat { seq, id, auto: false, text });
    }

    /// What it heard since it was last asked.
    pub(crate) fn heard(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.plain)
    }
}

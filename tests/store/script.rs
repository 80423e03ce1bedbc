//! Records in an order in which a node could give them: streams without gaps, acknowledgements of what
//! was sent, now and then a peer that begins anew or takes another's place.

use hobnob::api::reply::MessageState;
use hobnob::id::{MessageId, Name};
use hobnob::key::PeerKey;
use hobnob::node::record::{Facts, Record};
use hobnob::rng::{Rng, Seed};
use hobnob::text::{Body, Untrusted};
use hobnob::time::Wall;

/// Peers in a script.
const PEERS: u64 = 4;

/// Writes records.
pub(crate) struct Script {
    rng: Rng,
    peers: Vec<Peer>,
    ids: u64,
    clock: i64,
    /// What it lets happen but for messages; one in so many records.
    pub(crate) events: u64,
}

/// Where the streams with a peer are.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    epoch: u64,
    next: u64,
    waiting: u64,
    heard: Option<(u64, u64)>,
    sent: Vec<MessageId>,
}

pub(crate) fn key(peer: u64) -> PeerKey {
    let mut key = [7; 32];
    key[31] = u8::try_from(peer).expect("small");
    PeerKey(key)
}

pub(crate) fn plain(peer: u64) -> std::net::SocketAddr {
    let port = u16::try_from(peer).expect("small");
    if peer.is_multiple_of(2) {
        ([10, 0, 0, 1], port).into()
    } else {
        ([0xfe80, 0, 0, 0, 0, 0, 0, 1], port).into()
    }
}

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = Rng::new(Seed::from_number(seed));
        Self { rng, peers: vec![Peer::default(); 4], ids: 0, clock: 0, events: 3 }
    }

    /// Where all streams are.
    pub(crate) fn peers(&self) -> Vec<Peer> {
        self.peers.clone()
    }

    /// What came since then is not so.
    pub(crate) fn go_back(&mut self, peers: Vec<Peer>) {
        self.peers = peers;
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    /// The next so many records.
    pub(crate) fn records(&mut self, count: u64) -> Vec<Record> {
        (0..count).map(|_| self.record()).collect()
    }

    fn record(&mut self) -> Record {
        let peer = self.rng.below(PEERS);
        if self.rng.below(self.events) == 0 {
            return self.event(peer);
        }
        match self.rng.below(4) {
            0 | 1 => self.received(peer),
            2 => self.queued(peer),
            _ => self.ended(peer, None),
        }
    }

    fn event(&mut self, peer: u64) -> Record {
        match self.rng.below(7) {
            0 => self.facts(peer),
            1 | 2 => {
                let expired = self.rng.below(2) == 0;
                self.ended(peer, Some(expired))
            }
            3 => {
                let epoch = self.rng.next_u64();
                let known = self.peer(peer);
                (known.epoch, known.next) = (epoch, known.waiting + 1);
                Record::Renumbered { to: key(peer), epoch }
            }
            4 => self.moved(peer),
            5 => {
                // The peer begins anew, at its beginning or in the midst of a stream that it knows; or it
                // was set back and does not know yet that it gives numbers a second time.
                let (seq, epoch, goes_on) = (self.rng.below(3), self.rng.next_u64(), self.rng.below(2) == 0);
                let known = self.peer(peer);
                let same = known.heard.filter(|_| goes_on).map(|(epoch, _)| epoch);
                known.heard = Some((same.unwrap_or(epoch), seq));
                self.received(peer)
            }
            _ => self.plain(peer),
        }
    }

    fn peer(&mut self, peer: u64) -> &mut Peer {
        &mut self.peers[usize::try_from(peer).expect("small")]
    }

    fn id(&mut self) -> MessageId {
        self.ids += 1;
        MessageId(u128::from(self.ids).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
    }

    fn at(&mut self) -> Wall {
        self.clock += 1;
        Wall(self.clock - 5)
    }

    pub(crate) fn text(&mut self) -> Body {
        const WORDS: [&str; 12] = [
            "Deploy",
            "deployed",
            "the",
            "Žluťoučký",
            "kůň",
            "東京",
            "1.5",
            "x\0y",
            "\x1b[2J",
            "don't",
            "ﬁn",
            "🎉",
        ];
        let count = 1 + self.rng.below(5);
        let mut text = String::new();
        for _ in 0..count {
            let word = WORDS[usize::try_from(self.rng.below(12)).expect("small")];
            text.push_str(word);
            text.push_str([" ", ", ", "\n"][usize::try_from(self.rng.below(3)).expect("small")]);
        }
        if self.rng.below(50) == 0 {
            text = text.repeat(200);
        }
        Body::new(&text).expect("a body")
    }

    pub(crate) fn queued(&mut self, peer: u64) -> Record {
        let (id, text, at, fresh) = (self.id(), self.text(), self.at(), self.rng.next_u64());
        let auto = self.rng.below(4) == 0;
        let known = self.peer(peer);
        if known.next == 0 {
            (known.epoch, known.next) = (fresh, 1);
        }
        known.waiting += 1;
        known.next += 1;
        Record::Queued { to: key(peer), epoch: known.epoch, seq: known.next - 1, id, text, auto, at }
    }

    /// What a peer acknowledged, or what became of what it did not (if that is `Some`): everything up
    /// to a number, which may be old, and of a stream, which may be gone.
    fn ended(&mut self, peer: u64, failed: Option<bool>) -> Record {
        let (part, old) = (self.rng.below(u64::MAX), self.rng.below(10) == 0);
        let known = self.peer(peer);
        let first = known.next - known.waiting;
        let count = if known.waiting == 0 { 0 } else { part % (known.waiting + 1) };
        let seq = (first + count).saturating_sub(1);
        let epoch = if old { known.epoch ^ 1 } else { known.epoch };
        if !old {
            known.waiting -= count;
        }
        match failed {
            None => Record::Delivered { to: key(peer), epoch, seq },
            Some(expired) => Record::Failed { to: key(peer), epoch, seq, expired },
        }
    }

    fn moved(&mut self, from: u64) -> Record {
        let to = (from + 1 + self.rng.below(PEERS - 1)) % PEERS;
        let (count, fresh) = (std::mem::take(&mut self.peer(from).waiting), self.rng.next_u64());
        let known = self.peer(to);
        if known.next == 0 {
            (known.epoch, known.next) = (fresh, 1);
        }
        let (epoch, next) = (known.epoch, known.next);
        known.next += count;
        known.waiting += count;
        Record::Moved { from: key(from), to: key(to), epoch, next }
    }

    pub(crate) fn received(&mut self, peer: u64) -> Record {
        let (mut id, text, at, fresh) = (self.id(), self.text(), self.at(), self.rng.next_u64());
        let (auto, repeats) = (self.rng.below(4) == 0, self.rng.below(3) == 0);
        let known = self.peer(peer);
        let (epoch, seq) = known.heard.unwrap_or((fresh, 0));
        known.heard = Some((epoch, seq + 1));
        // Within its first stream a peer never sends what it sent before.
        if repeats && !known.sent.is_empty() {
            let again = usize::try_from(fresh % known.sent.len() as u64).expect("small");
            id = known.sent[again];
        }
        known.sent.push(id);
        Record::Received { from: key(peer), epoch, seq: seq + 1, id, text: Untrusted::new(text), auto, at }
    }

    fn plain(&mut self, peer: u64) -> Record {
        let name =
            Name::new(["ann", "Žofie"][usize::try_from(self.rng.below(2)).expect("small")]).expect("a name");
        let (text, at, ours) = (Untrusted::new(self.text()), self.at(), self.rng.below(2) == 0);
        Record::Plain { with: plain(peer), name, ours, text, at }
    }

    fn facts(&mut self, peer: u64) -> Record {
        let mut facts = Facts::new(key(peer));
        let bits = self.rng.next_u64();
        if bits & 1 != 0 {
            facts.claims = Name::claimed(&format!("peer{}", bits >> 60), "x");
        }
        facts.alias = (bits & 2 != 0).then(|| Name::new("Ž-alias").expect("a name"));
        facts.listens = (bits & 4 != 0).then(|| plain(peer));
        (facts.verified, facts.ignored) = (bits & 8 != 0, bits & 16 != 0);
        (facts.passing, facts.gone, facts.wanted) = (bits & 32 != 0, bits & 64 != 0, bits & 128 != 0);
        Record::Peer(facts)
    }
}

/// What may be asked of a store: each with the number of rows wanted.
pub(crate) fn finds() -> [Option<&'static str>; 8] {
    [
        None,
        Some("deploy"),
        Some("zlut kun"),
        Some("京"),
        Some("y x"),
        Some("5 DON"),
        Some("\"*'"),
        Some("fin NEAR"),
    ]
}

pub(crate) fn is_ours(state: MessageState) -> bool {
    state != MessageState::Received
}

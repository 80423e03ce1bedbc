//! Nodes under random weather: commands, cuts, stalls, restarts of the way, strangers with garbage
//! and with plain text, in any order. Whatever came, afterwards every command was answered once, every
//! message that was queued between two that stay has arrived once and in order, and nothing is left.

use std::collections::BTreeMap;
use std::time::Duration;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{Name, PeerId, RequestId};
use hobnob::node::record::Snapshot;
use hobnob::rng::{Rng, Seed};
use hobnob::text::Body;

use crate::net::Net;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

fn pick(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).expect("small")
}

struct Weather {
    net: Net,
    rng: Rng,
    given: Vec<(usize, RequestId)>,
    /// Texts that may have been queued, by sender and receiver.
    sent: BTreeMap<(usize, usize), Vec<(RequestId, String)>>,
    count: usize,
}

impl Weather {
    fn new(seed: u64) -> Self {
        let dialect = if seed.is_multiple_of(3) { Dialect::Plain } else { Dialect::Native };
        let mut net = Net::speaking(&NAMES, seed, &Snapshot::default(), dialect);
        net.piece = [1, 7, 60, 5_000][pick(&mut Rng::new(Seed::from_number(seed)), 4)];
        let rng = Rng::new(Seed::from_number(seed + 1_000_000));
        Self { net, rng, given: Vec::new(), sent: BTreeMap::new(), count: 0 }
    }

    fn give(&mut self, host: usize, command: Command) -> RequestId {
        let request = self.net.give(host, command);
        self.given.push((host, request));
        request
    }

    fn turn(&mut self) {
        let host = pick(&mut self.rng, NAMES.len());
        let other = (host + 1 + pick(&mut self.rng, NAMES.len() - 1)) % NAMES.len();
        let at = PeerRef::At(self.net.hosts[other].addr.into());
        let whom = PeerRef::Word(NAMES[other].into());
        match self.rng.below(26) {
            0 | 1 => drop(self.give(host, Command::Connect { to: at, dialect: None })),
            2 => drop(self.give(host, Command::ConnectKnown)),
            3 => drop(self.give(host, Command::Keep { address: self.net.hosts[other].addr.into() })),
            4 => drop(self.give(host, Command::Disconnect { peer: Some(whom) })),
            5 => drop(self.give(host, Command::Ping { peer: whom })),
            6 => {
                let name = Name::new(NAMES[host]).expect("a name");
                self.give(host, Command::Me { name: Some(name) });
            }
            7..=12 => {
                self.count += 1;
                let text = self.count.to_string();
                let to = if self.rng.below(2) == 0 { at } else { whom };
                let body = Body::new(&text).expect("a body");
                let request = self.give(host, Command::Send { to, text: body, auto: false });
                self.sent.entry((host, other)).or_default().push((request, text));
            }
            13 => self.net.cut(host, other),
            14 => self.net.unplug(host),
            15 => self.net.plug(host),
            16 => self.net.stall(Duration::from_millis(self.rng.below(3_000))),
            17 if self.rng.below(4) == 0 => self.net.stall(Duration::from_secs(self.rng.below(70))),
            18 => self.net.pass(Duration::from_millis(self.rng.below(2_000))),
            19 => {
                let garbage = self.rng.bytes::<40>();
                let cut = pick(&mut self.rng, garbage.len());
                let first = [&b""[..], b"\x7fHOBNOB1", b"\x7fHOBNOB1\x00\x20"][pick(&mut self.rng, 3)];
                let ends = self.rng.below(2) == 0;
                self.net.stranger(host, &[first, &garbage[..cut]].concat(), ends);
            }
            20 => {
                let port = 7_000 + self.rng.below(3);
                let texts = [
                    format!("127.0.0.1:{port} Theirs hi"),
                    format!("127.0.0.1:{port} Theirs exit"),
                    format!("PORT:{port}"),
                    format!("{port}\nLiner\nCONNECT\nhello\n"),
                    "raw".to_owned(),
                ];
                let text = &texts[pick(&mut self.rng, texts.len())];
                let ends = self.rng.below(2) == 0;
                self.net.stranger(host, text.as_bytes(), ends);
            }
            21 => {
                let text = Body::new("to all").expect("a body");
                self.give(host, Command::Broadcast { text, auto: false });
            }
            _ => {
                for _ in 0..self.rng.below(30) {
                    self.net.step();
                }
            }
        }
    }

    /// Texts of one host to another that were queued, in their order, and those that arrived.
    fn check(&mut self, seed: u64) {
        for ((from, to), texts) in &self.sent {
            let queued = |request: &RequestId| matches!(self.net.hosts[*from].replies.get(request), Some(Ok(Reply::Queued { to, .. })) if !to.id.is_plain());
            let mut expected: Vec<_> =
                texts.iter().filter(|(request, _)| queued(request)).map(|(_, text)| text.clone()).collect();
            let from_key = self.net.hosts[*from].node.key();
            let told = self.net.hosts[*to].events.iter().filter_map(|what| match what {
                What::Message(message) if message.from.id == PeerId::Native(from_key) => Some(message),
                _ => None,
            });
            let numbers: Vec<_> = told.clone().map(|message| message.seq).collect();
            let whole: Vec<_> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, whole, "seed {seed}: {from} to {to}, each once and in order");
            let texts = told.map(|message| message.text.expose().to_owned());
            let mut heard: Vec<_> = texts.filter(|text| text.parse::<usize>().is_ok()).collect();
            // A text to an address is queued when the dial has ended, so in an order of its own.
            expected.sort();
            heard.sort();
            assert_eq!(heard, expected, "seed {seed}: {from} to {to}");
        }
        for &(host, request) in &self.given {
            assert!(
                self.net.hosts[host].replies.contains_key(&request),
                "seed {seed}: {request:?} of {host}"
            );
        }
    }
}

#[test]
fn whatever_the_weather_nothing_is_lost_doubled_or_left() {
    for seed in 0..500 {
        let mut weather = Weather::new(seed);
        for _ in 0..120 {
            weather.turn();
        }
        // It clears up, and who is waited for can be reached.
        (0..NAMES.len()).for_each(|host| weather.net.plug(host));
        for _ in 0..2 {
            weather.net.pass(Duration::from_secs(200));
            for (from, to) in [(0, 1), (0, 2), (1, 2)] {
                let to = PeerRef::At(weather.net.hosts[to].addr.into());
                weather.give(from, Command::Connect { to, dialect: Some(Dialect::Native) });
            }
        }
        weather.net.pass(Duration::from_secs(200));
        weather.check(seed);
        for host in 0..NAMES.len() {
            weather.net.unplug(host);
            let quit = weather.net.give(host, Command::Quit);
            weather.net.pass(Duration::from_secs(10));
            assert_eq!(weather.net.hosts[host].replies.get(&quit), Some(&Ok(Reply::Goodbye)), "seed {seed}");
            let status = weather.net.call(host, Command::Status);
            let Ok(Reply::Status(status)) = status else { panic!("seed {seed}: {status:?}") };
            assert_eq!((status.links, status.queued), (0, 0), "seed {seed}");
        }
        weather.net.pass(Duration::from_secs(300));
        assert_eq!(weather.net.streams(), 0, "seed {seed}");
    }
}

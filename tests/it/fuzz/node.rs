//! One node whose whole surroundings an input makes up: streams that strangers, plain programs and
//! hostile peers open, what arrives and when it is flushed, saved and closed, every command, and the
//! time. It does only what its driver can do, answers each command once, tells of no text that nobody
//! sent, never does the same thing for ever, and leaves when it is told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use hobnob::api::command::{Command, Dialect};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{LinkId, LoadId, Name, PeerId, RequestId, SaveId};
use hobnob::key::Keys;
use hobnob::limits;
use hobnob::limits::doors::DOORS;
use hobnob::node::Node;
use hobnob::node::io::{Config, Effect, Input};
use hobnob::node::record::{Answer, Record, Snapshot};
use hobnob::rng::Seed;
use hobnob::time::{Mono, Now};
use hobnob::why::{StoreFault, Why};

use super::command::command;
use super::draw::Draw;
use super::hostile::{Hostile, KEYS};

/// Inputs of a run, and peers with a real handshake, which is what takes the time.
const INPUTS_MAX: usize = 96;
const HOSTILES_MAX: usize = 3;
/// What a stream may hold beyond the bound: one message and the answers of one turn.
const SLACK: usize = 192 * 1024;

static OURS: std::sync::LazyLock<Keys> =
    std::sync::LazyLock::new(|| Keys::from_seed(Seed::from_number(12_345)));

struct Stream {
    dialling: bool,
    finished: bool,
    unflushed: usize,
    hostile: Option<Hostile>,
}

struct Driver {
    node: Node,
    keeps: bool,
    now: Mono,
    streams: BTreeMap<LinkId, Stream>,
    /// Every stream that there ever was.
    known: Vec<LinkId>,
    saves: VecDeque<(SaveId, Vec<Record>)>,
    loads: VecDeque<LoadId>,
    last_save: u64,
    open: BTreeSet<RequestId>,
    requests: u64,
    accepts: u64,
    hostiles: usize,
    /// What was ever sent to the node in plain text, by stream, and by peers that had proven themselves.
    plain: BTreeMap<LinkId, String>,
    said: BTreeSet<String>,
    left: bool,
}

pub(super) fn addr(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], port))
}

/// Letters of a text that a plain reader may not take for an end, an address or a gap.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

impl Driver {
    fn new(bits: u8) -> Self {
        let mut config = Config::new(Name::new("us").expect("a name"));
        let keeps = bits & 1 == 0;
        config.listens = Some(addr(1, 5_000));
        config.dialect = if bits & 2 == 0 { Dialect::Native } else { Dialect::Plain };
        (config.keeps, config.probes, config.hear_plain) = (keeps, bits & 4 == 0, bits & 8 == 0);
        if bits & 0x10 != 0 {
            config.links_max = 3;
        }
        config.doors = (bits & 0x20 != 0).then_some(DOORS);
        let node = Node::new(config, OURS.clone(), Snapshot::default(), Seed::from_number(bits.into()));
        Self {
            node,
            keeps,
            now: Mono(1),
            streams: BTreeMap::new(),
            known: Vec::new(),
            saves: VecDeque::new(),
            loads: VecDeque::new(),
            last_save: 0,
            open: BTreeSet::new(),
            requests: 0,
            accepts: 0,
            hostiles: 0,
            plain: BTreeMap::new(),
            said: BTreeSet::new(),
            left: false,
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.now, ..Now::default() }
    }

    /// An input, and if its turn ends all that it asks for then.
    fn input(&mut self, input: Input<'_>, ends: bool) {
        let mut effects = Vec::new();
        self.node.handle(self.now(), input, &mut effects);
        effects.into_iter().for_each(|effect| self.perform(effect));
        if ends {
            self.flush();
        }
        if self.is_due() {
            // One silent stream more may make a crowd, in which others have waited for too long.
            let mut effects = Vec::new();
            self.node.handle(self.now(), Input::Tick, &mut effects);
            effects.into_iter().for_each(|effect| self.perform(effect));
        }
        assert!(!self.is_due(), "what was due is still due");
    }

    fn is_due(&self) -> bool {
        self.node.deadline().is_some_and(|due| due <= self.now)
    }

    fn flush(&mut self) {
        for turn in 0.. {
            let mut effects = Vec::new();
            self.node.flush(&mut effects);
            if effects.is_empty() {
                return;
            }
            assert!(turn < 10_000, "a turn without an end: {effects:?}");
            effects.into_iter().for_each(|effect| self.perform(effect));
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { link, .. } => {
                assert!(link.is_dialled() && !self.known.contains(&link), "a name that is taken");
                self.known.push(link);
                let stream = Stream { dialling: true, finished: false, unflushed: 0, hostile: None };
                self.streams.insert(link, stream);
            }
            Effect::Write { link, bytes } => {
                let stream = self.streams.get_mut(&link).expect("it writes where a stream is");
                assert!(!stream.dialling && !stream.finished && !bytes.is_empty());
                stream.unflushed += bytes.len();
                assert!(stream.unflushed <= limits::SEND_QUEUE_MAX + SLACK, "{} wait", stream.unflushed);
                if let Some(hostile) = &mut stream.hostile {
                    hostile.hear(&bytes);
                }
            }
            Effect::Finish { link } => {
                let stream = self.streams.get_mut(&link).expect("it ends what is there");
                assert!(!stream.dialling && !stream.finished);
                stream.finished = true;
            }
            Effect::Pause { link, .. } => {
                assert!(self.streams.contains_key(&link), "it lets wait what is there");
            }
            Effect::Load { load, .. } => {
                assert!(self.keeps, "there is nothing to look into");
                self.loads.push_back(load);
            }
            Effect::Close { link } | Effect::Cut { link } => {
                assert!(self.streams.remove(&link).is_some(), "it closes what is there");
            }
            Effect::Save { save, records } => {
                assert!(self.keeps && self.saves.is_empty() && save.0 > self.last_save);
                self.last_save = save.0;
                for record in &records {
                    if let Record::Received { text, .. } = record {
                        assert!(self.said.contains(text.expose()), "nobody said {text:?}");
                    }
                }
                self.saves.push_back((save, records));
            }
            Effect::Reply { request, result } => {
                assert!(self.open.remove(&request), "{request:?} is answered once: {result:?}");
                self.left |= matches!(result, Ok(Reply::Goodbye));
            }
            Effect::Emit(event) => self.told(event.what),
        }
    }

    fn told(&self, what: What) {
        match what {
            What::Message(message) => match message.from.id {
                PeerId::Native(key) => {
                    assert!(KEYS.iter().any(|keys| keys.public() == key), "nobody has that key");
                    assert!(self.said.contains(message.text.expose()), "nobody said {:?}", message.text);
                }
                // An escape of JSON, or a byte that was no text, is not what was sent.
                PeerId::Plain(_) if self.plain.values().any(|said| said.contains(['\\', '\u{fffd}'])) => {}
                PeerId::Plain(_) => {
                    let text = bare(message.text.expose());
                    let said = self.plain.values().any(|said| said.contains(&text));
                    assert!(said, "nobody said {text:?}");
                }
            },
            What::Delivered { first, last, .. } | What::Failed { first, last, .. } => assert!(first <= last),
            _ => {}
        }
    }

    /// Some stream, of those that are there or ever were.
    fn link(&self, draw: &mut Draw<'_>) -> LinkId {
        let number = draw.below(64);
        let back = self.known.len().saturating_sub(1).saturating_sub(number % self.known.len().max(1));
        self.known.get(back).copied().unwrap_or(LinkId::accepted(99))
    }

    fn receive(&mut self, link: LinkId, bytes: &[u8], ends: bool) {
        if self.streams.get(&link).is_some_and(|stream| stream.dialling) {
            return;
        }
        self.input(Input::Received { link, bytes }, ends);
    }

    fn opened(&mut self, draw: &mut Draw<'_>, hostile: bool, ends: bool) {
        let waiting = self.streams.iter().find(|(_, stream)| stream.dialling).map(|(link, _)| *link);
        let which = draw.byte();
        let remote = addr(2 + which % 3, 40_000 + u16::from(which >> 6));
        let link = waiting.filter(|_| which & 0x20 == 0).unwrap_or_else(|| {
            self.accepts += 1;
            LinkId::accepted(self.accepts)
        });
        let hostile = hostile && self.hostiles < HOSTILES_MAX;
        self.hostiles += usize::from(hostile);
        let seed = u64::from(which) + 100 * self.known.len() as u64;
        let hostile = hostile.then(|| Hostile::new(usize::from(which >> 2) % 3, !link.is_dialled(), seed));
        let stream = Stream { dialling: false, finished: false, unflushed: 0, hostile };
        if self.streams.insert(link, stream).is_none() {
            self.known.push(link);
        }
        self.input(Input::Opened { link, remote, local: addr(1, 5_000) }, ends);
    }

    /// What a hostile peer has written arrives, all of it or some.
    fn arrive(&mut self, link: LinkId, most: usize, ends: bool) {
        let Some(Stream { hostile: Some(hostile), .. }) = self.streams.get_mut(&link) else { return };
        let count = most.min(hostile.wire.len());
        let bytes: Vec<u8> = hostile.wire.drain(..count).collect();
        self.said.extend(hostile.said.iter().cloned());
        self.receive(link, &bytes, ends);
    }

    fn step(&mut self, draw: &mut Draw<'_>) {
        let what = draw.byte();
        let ends = what & 0x80 == 0;
        match what & 0x1f {
            0 | 1 => self.opened(draw, false, ends),
            2..=4 => {
                self.opened(draw, true, true);
                let link = *self.known.last().expect("just now");
                for _ in 0..4 {
                    self.arrive(link, usize::MAX, true);
                }
            }
            5..=7 => {
                let (link, bytes) = (self.link(draw), draw.run());
                let said = bare(&String::from_utf8_lossy(bytes));
                self.plain.entry(link).or_default().push_str(&said);
                self.receive(link, bytes, ends);
            }
            8..=12 => {
                let link = self.link(draw);
                if let Some(Stream { hostile: Some(hostile), .. }) = self.streams.get_mut(&link) {
                    hostile.say(draw);
                }
                if what & 0x40 == 0 {
                    self.arrive(link, usize::MAX, ends);
                }
            }
            13 => {
                let (link, most) = (self.link(draw), draw.byte());
                self.arrive(link, most.into(), ends);
            }
            14 | 15 => {
                let link = self.link(draw);
                let Some(stream) = self.streams.get_mut(&link) else { return };
                let count = if draw.flag() { stream.unflushed } else { stream.unflushed.min(9) };
                // A driver tells of what was taken, and of nothing else.
                if count == 0 {
                    return;
                }
                stream.unflushed -= count;
                self.input(Input::Flushed { link, count }, ends);
            }
            16 | 17 => {
                let (link, whys) = (self.link(draw), [Why::Eof, Why::Reset, Why::Refused, Why::TimedOut]);
                self.streams.remove(&link);
                self.input(Input::Closed { link, why: draw.pick(&whys) }, ends);
            }
            18..=20 => self.save(draw, ends),
            21..=23 => self.pass(draw.pick(&[0, 1, 150, 400, 2_000, 20_000, 130_000]), ends),
            _ => {
                let command = command(draw);
                self.give(command, ends);
            }
        }
    }

    /// The store says what it has done, or that it has not.
    fn save(&mut self, draw: &mut Draw<'_>, ends: bool) {
        if let Some(load) = self.loads.pop_front() {
            self.input(Input::Stored(Answer::Found { load, rows: Ok(Vec::new()) }), ends);
        }
        let Some((save, records)) = self.saves.pop_front() else { return };
        let answer = match draw.below(8) {
            0 => Answer::Unsaved { save, records, fault: StoreFault::Full },
            1 if draw.below(4) == 3 => Answer::Unsaved { save, records, fault: StoreFault::Broken },
            2 => {
                let known = records.iter().filter_map(|record| match record {
                    Record::Received { from, id, .. } => Some((*from, *id)),
                    _ => None,
                });
                Answer::Saved { save, known: known.collect() }
            }
            _ => Answer::Saved { save, known: Vec::new() },
        };
        self.input(Input::Stored(answer), ends);
    }

    fn pass(&mut self, ms: u64, ends: bool) {
        self.now = match self.node.deadline() {
            Some(due) if ms == 0 => due.max(self.now),
            _ => self.now.plus(Duration::from_millis(ms)),
        };
        self.input(Input::Tick, ends);
    }

    fn give(&mut self, command: Command, ends: bool) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.open.insert(request);
        self.input(Input::Command { request, command }, ends);
        request
    }
}

pub(super) fn target(data: &[u8]) {
    let mut draw = Draw::new(data);
    let mut driver = Driver::new(draw.byte());
    for _ in 0..INPUTS_MAX {
        if draw.is_over() {
            break;
        }
        driver.step(&mut draw);
    }
    // Nobody flushes, saves or answers any more: it leaves all the same.
    driver.flush();
    driver.give(Command::Quit, true);
    for _ in 0..300 {
        if driver.left {
            break;
        }
        driver.pass(0, true);
    }
    assert!(driver.left, "it never left");
}

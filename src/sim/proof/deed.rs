//! What people do and what goes wrong, one thing at a time, as chance has it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::command::{Command, Dialect, PeerRef};
use crate::id::{Name, PeerId, RequestId};
use crate::key::PeerKey;
use crate::node::io::Config;
use crate::node::record::Record;
use crate::sim::Harm;
use crate::sim::proof::book::Ask;
use crate::sim::proof::plan::Trouble;
use crate::sim::proof::{CANARY, Proof};
use crate::text::Body;
use crate::world::{Network, PeerNo, World};

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];
/// The longest that a program is held.
const HELD_MAX: u64 = 90_000;

impl Proof {
    /// Everybody comes, knows where the others are, and keeps them connected.
    pub(super) fn cast(&mut self) {
        self.apply(&Network::Default(self.plan.shape));
        for name in &NAMES[..self.plan.peers] {
            // A world holds far more than eight, and the names differ.
            let Ok(name) = Name::new(name) else { return };
            let recalls = self.rng.below(2) == 0;
            let config = Config { dialect: Dialect::Native, recalls, ..Config::new(name) };
            if let Ok(who) = self.sim.cast_as(config) {
                let key = self.key(who);
                self.book.comes(who, key);
            }
        }
        for who in self.everybody() {
            self.keep_all(who);
        }
        self.faults = 0;
    }

    /// One thing: mostly somebody writes to somebody.
    pub(super) fn deed(&mut self, number: u64) {
        if self.rng.below(1_000) < self.plan.rate && !self.plan.faults.is_empty() {
            let at = self.below(self.plan.faults.len());
            self.trouble(self.plan.faults[at]);
        }
        let (who, to) = self.two();
        if !self.acts(who) {
            return;
        }
        let text = format!("{CANARY} {number} {}", "x".repeat(self.below(200)));
        match self.rng.below(40) {
            0 => self.broadcast(who, text),
            1 => {
                let to = PeerRef::At(self.address(to));
                self.give(who, Command::Connect { to, dialect: None });
            }
            2 => {
                let peer = Some(self.by_key(to));
                self.give(who, Command::Disconnect { peer });
            }
            3 => {
                let peer = self.by_key(to);
                self.give(who, Command::Ping { peer });
            }
            4 => {
                let find = [None, Some(CANARY.to_owned())][self.below(2)].clone();
                self.give(who, Command::Log { peer: None, last: 20, find });
            }
            5 => {
                let peer = self.by_key(to);
                self.give(who, Command::Trust { peer });
            }
            6 => self.replace(who),
            7 => {
                let request = self.give(who, Command::Quit);
                self.book.watches(who, request);
            }
            _ => self.send(who, to, text),
        }
    }

    fn send(&mut self, who: PeerNo, to: PeerNo, text: String) {
        let (from, key) = (self.key(who), self.key(to));
        let Ok(body) = Body::new(&text) else { return };
        let to = PeerRef::Id(PeerId::Native(key));
        let request = self.give(who, Command::Send { to, text: body, auto: false });
        self.book.asks(who, request, Ask { from, to: vec![key], text });
    }

    fn broadcast(&mut self, who: PeerNo, text: String) {
        let Ok(body) = Body::new(&text) else { return };
        let from = self.key(who);
        let request = self.give(who, Command::Broadcast { text: body, auto: false });
        let to = self.book.keys();
        self.book.asks(who, request, Ask { from, to, text });
    }

    /// Somebody says that a key which was shown is right.
    fn replace(&mut self, who: PeerNo) {
        for (old, new) in self.book.changed(who) {
            let peer = PeerRef::Id(PeerId::Native(old));
            // Some type the digits of whatever stands on the screen beside it.
            let wrong = self.rng.below(4) == 0;
            let key = if wrong { old } else { new };
            let request = self.give(who, Command::TrustReplace { peer, key: key.to_string() });
            if wrong {
                self.book.watches(who, request);
            } else {
                self.book.replaces(self.key(who), old, new);
            }
        }
    }

    pub(super) fn replace_all(&mut self) {
        for who in self.everybody() {
            self.replace(who);
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        let (a, b) = self.two();
        let time = Duration::from_millis(self.rng.below(30_000));
        let change = match trouble {
            Trouble::Partition | Trouble::OneWay => {
                let everybody: Vec<_> = self.everybody().collect();
                let (from, to) = everybody.into_iter().partition(|_| self.rng.below(2) == 0);
                Network::Partition { from, to, one_way: trouble == Trouble::OneWay }
            }
            Trouble::Hold => Network::Hold(a, b),
            Trouble::Reset => Network::Reset(a, b),
            Trouble::HalfOpen => Network::HalfOpen(a, b),
            Trouble::Refuse => Network::Refuse(a, self.rng.below(2) == 0),
            Trouble::Clog => Network::Clog(a, b, time),
            Trouble::Slow => Network::Slow(a, time * 4),
            Trouble::SlowDisk => Network::Disk(a, Duration::from_millis(self.rng.below(1_000))),
            Trouble::Clock => {
                let days = i64::try_from(self.rng.below(7_300)).unwrap_or(0) - 3_650;
                Network::Skew(a, days * 86_400 * 1_000_000)
            }
            Trouble::Crash | Trouble::CrashSoon | Trouble::CrashSaved if !self.is_up(a) => {
                return self.restart(a);
            }
            Trouble::Crash => Network::Crash(a),
            Trouble::CrashSoon => Network::CrashAfter(a, self.rng.below(60)),
            Trouble::CrashSaved => return self.harm(a, Harm::CrashSaved),
            Trouble::FullDisk => {
                let full = self.rng.below(2) == 0;
                return self.harm(a, Harm::Full(full));
            }
            Trouble::BrokenDisk => return self.harm(a, Harm::Breaks),
            Trouble::Freeze => {
                let time = Duration::from_millis(self.rng.below(HELD_MAX));
                self.book.holds(a, self.time().plus(time));
                return self.harm(a, Harm::Hold(time));
            }
            Trouble::SetBack => return self.set_back(a),
            Trouble::Anew => return self.set_up_anew(a),
        };
        self.apply(&change);
        // Walls that only ever grow would leave nobody to talk to.
        if self.rng.below(4) == 0 {
            self.apply(&Network::Heal);
        }
    }

    fn set_back(&mut self, who: PeerNo) {
        if self.is_up(who) {
            self.apply(&Network::Crash(who));
        }
        let saves = self.below(self.sim.saves(who) + 1);
        let before = self.sim.written(who);
        self.harm(who, Harm::SetBack(saves));
        let after = self.sim.written(who);
        let key = self.key(who);
        self.book.set_back(who, key, &before, &after);
        self.restart(who);
    }

    fn set_up_anew(&mut self, who: PeerNo) {
        if self.is_up(who) {
            self.apply(&Network::Crash(who));
        }
        self.harm(who, Harm::Anew);
        let key = self.key(who);
        self.book.comes(who, key);
        self.restart(who);
    }

    fn harm(&mut self, who: PeerNo, harm: Harm) {
        self.faults += 1;
        self.sim.harm(who, harm);
    }

    pub(super) fn restart(&mut self, who: PeerNo) {
        // What the program that has ended still told belongs to it.
        if let Err(broken) = self.listen() {
            self.broken.get_or_insert(broken);
        }
        self.apply(&Network::Restart(who));
        self.book.restarts(who);
        // Some start without being told again where the others are, and look for those that they know;
        // but whose disk has forgotten something hears of it only from the others.
        let forgets = [Trouble::SetBack, Trouble::Anew].iter().any(|it| self.plan.faults.contains(it));
        let told = self.rng.below(2) == 0 || forgets;
        let known = if told { BTreeSet::new() } else { self.places(who) };
        self.keep(who, &known);
    }

    /// Whatever ails a machine ends.
    pub(super) fn mend(&mut self, who: PeerNo) {
        self.sim.harm(who, Harm::Full(false));
        self.apply(&Network::Disk(who, Duration::ZERO));
        if self.is_up(who) && self.rng.below(2) == 0 && self.book.acts(who, self.time()) {
            // A fuse that has not burnt down would still go off.
            self.apply(&Network::CrashAfter(who, u64::MAX));
            // Some have parted by their own wish, and would not dial again.
            self.keep_all(who);
            if !self.plan.faults.contains(&Trouble::BrokenDisk) {
                return;
            }
        }
        if self.is_up(who) {
            self.apply(&Network::Crash(who));
        }
        self.restart(who);
    }

    /// Where there is more below the disks than memory, all of them lose their power a last time, and are
    /// read again.
    pub(super) fn cut_all(&mut self) {
        for who in self.everybody().filter(|who| self.sim.may_doubt(*who)).collect::<Vec<_>>() {
            if self.is_up(who) {
                self.apply(&Network::Crash(who));
            }
            self.apply(&Network::Restart(who));
        }
    }

    /// As whoever starts a program with `--peer` for each of the others.
    fn keep_all(&mut self, who: PeerNo) {
        self.keep(who, &BTreeSet::new());
    }

    fn keep(&mut self, who: PeerNo, but: &BTreeSet<PeerKey>) {
        for other in self.everybody().filter(|other| *other != who) {
            if !but.contains(&self.key(other)) {
                let address = self.address(other);
                self.give(who, Command::Keep { address });
            }
        }
    }

    /// Those of whom its disk says where they listen.
    fn places(&self, who: PeerNo) -> BTreeSet<PeerKey> {
        let mut places = BTreeSet::new();
        for record in self.sim.written(who) {
            if let Record::Peer(facts) = record {
                let is_known = facts.listens.is_some() && !facts.gone;
                if is_known {
                    places.insert(facts.key)
                } else {
                    places.remove(&facts.key)
                };
            }
        }
        places
    }

    /// Whether its program runs and goes on.
    fn acts(&self, who: PeerNo) -> bool {
        self.is_up(who) && self.book.acts(who, self.time())
    }

    fn give(&mut self, who: PeerNo, command: Command) -> RequestId {
        match self.sim.session(who) {
            Ok(mut session) => session.submit(command),
            Err(_) => RequestId(0),
        }
    }

    pub(super) fn key(&self, who: PeerNo) -> PeerKey {
        self.sim.key(who).unwrap_or(PeerKey([0; 32]))
    }

    fn by_key(&self, who: PeerNo) -> PeerRef {
        PeerRef::Id(PeerId::Native(self.key(who)))
    }

    fn address(&self, who: PeerNo) -> crate::addr::Address {
        let nowhere = std::net::SocketAddr::from(([0, 0, 0, 0], 0));
        self.sim.address(who).unwrap_or(nowhere).into()
    }

    fn two(&mut self) -> (PeerNo, PeerNo) {
        let count = self.sim.peers();
        let a = self.below(count);
        let b = (a + 1 + self.below(count - 1)) % count;
        (PeerNo(a), PeerNo(b))
    }
}

//! Runs for the tests of this folder, put together a moment at a time. Time stands
//! still unless it is told to pass.

use std::sync::Arc;

use crate::id::Name;
use crate::play::{End, Ev, Head, Moment, More, Play, Verdict, WorldKind};
use crate::text::Untrusted;

/// A run in the making.
pub(crate) struct Sample {
    at: u64,
    numbers: u64,
    pub(crate) moments: Vec<Moment>,
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn untrusted(text: &str) -> Untrusted<Arc<str>> {
    Untrusted::new(text.into())
}

impl Sample {
    pub(crate) fn empty() -> Self {
        Self { at: 0, numbers: 0, moments: Vec::new() }
    }

    /// A step, a question, an answer by a handler, a broadcast.
    pub(crate) fn talk() -> Self {
        let mut sample = Self::empty();
        sample.listen(&["alice", "bob", "carol"]).step("everyone connects");
        sample.join("alice", "bob").join("alice", "carol").step("talk");
        let (ping, _) = sample.send("alice", Some("bob"), &["bob"], "ping");
        sample.after(8_000).recv(ping[0]);
        sample.next_is_auto(true);
        let (pong, _) = sample.send("bob", Some("alice"), &["alice"], "pong");
        sample.next_is_auto(false);
        sample.after(9_000).recv(pong[0]);
        let (all, _) = sample.send("alice", None, &["bob", "carol"], "hello, all");
        sample.after(4_000).recv(all[1]).after(3_000).recv(all[0]);
        sample
    }

    /// Three tests: one passed, one failed, one flaky.
    pub(crate) fn graded() -> Self {
        let mut sample = Self::empty();
        sample.test("says hello", Some(4.0)).listen(&["judge", "s"]).join("judge", "s");
        let (hello, _) = sample.send("s", Some("judge"), &["judge"], "hello");
        sample.after(5_000).recv(hello[0]);
        sample.verdict("says hello", Verdict::Pass, None);
        sample
            .test("says goodbye", Some(2.5))
            .listen(&["alice", "bob"])
            .join("alice", "bob")
            .failure_of("alice");
        sample.verdict("says goodbye", Verdict::Fail, Some(0.5));
        sample.test("says thanks", None).verdict("says thanks", Verdict::Flaky, None);
        sample
    }

    pub(crate) fn push(&mut self, moment: Moment) -> u64 {
        self.moments.push(moment);
        self.moments.len() as u64 - 1
    }

    pub(crate) fn moment(&self, ev: Ev, peer: Option<&str>, with: Option<&str>) -> Moment {
        Moment { peer: peer.map(name), with: with.map(name), ..Moment::new(self.at, ev) }
    }

    pub(crate) fn add(&mut self, ev: Ev, peer: &str, with: &str) -> &mut Self {
        let moment = self.moment(ev, Some(peer), Some(with));
        self.push(moment);
        self
    }

    pub(crate) fn say(&mut self, ev: Ev, text: &str) -> &mut Self {
        let moment = Moment { text: Some(untrusted(text)), ..self.moment(ev, None, None) };
        self.push(moment);
        self
    }

    pub(crate) fn after(&mut self, us: u64) -> &mut Self {
        self.at += us;
        self
    }

    pub(crate) fn listen(&mut self, names: &[&str]) -> &mut Self {
        for peer in names {
            let moment = self.moment(Ev::Listen, Some(peer), None);
            self.push(moment);
        }
        self
    }

    pub(crate) fn join(&mut self, a: &str, b: &str) -> &mut Self {
        self.after(1_000).add(Ev::Connect, a, b).add(Ev::Accept, b, a)
    }

    pub(crate) fn step(&mut self, title: &str) -> &mut Self {
        self.say(Ev::Step, title)
    }

    pub(crate) fn next_is_auto(&mut self, auto: bool) {
        self.numbers = self.numbers / 2 * 2 + u64::from(auto);
    }

    /// A wish and what is queued for it: their numbers.
    pub(crate) fn send(&mut self, from: &str, to: Option<&str>, all: &[&str], text: &str) -> (Vec<u64>, u64) {
        let auto = self.numbers % 2 == 1;
        let wish = Moment { text: Some(untrusted(text)), auto, ..self.moment(Ev::Send, Some(from), to) };
        let wish = self.push(wish);
        self.numbers += 2;
        let mut queued = Vec::new();
        for to in all {
            let number = Some(self.numbers / 2);
            let moment = Moment {
                msg: number,
                cause: Some(wish),
                auto,
                ..self.moment(Ev::Queued, Some(from), Some(to))
            };
            queued.push(self.push(moment));
        }
        (queued, wish)
    }

    pub(crate) fn recv(&mut self, queued: u64) -> &mut Self {
        let at = usize::try_from(queued).expect("small");
        let sent = self.moments[at].clone();
        let wish = usize::try_from(sent.cause.expect("a wish")).expect("small");
        let text = self.moments[wish].text.clone();
        let recv = Moment {
            at: self.at,
            ev: Ev::Recv,
            peer: sent.with,
            with: sent.peer,
            cause: Some(queued),
            text,
            ..sent
        };
        self.push(recv);
        self
    }

    pub(crate) fn test(&mut self, title: &str, points: Option<f64>) -> &mut Self {
        self.at = 0;
        let more = points.map(|_| Box::new(More { points, ..More::default() }));
        let moment = Moment { text: Some(untrusted(title)), more, ..self.moment(Ev::Test, None, None) };
        self.push(moment);
        self
    }

    pub(crate) fn verdict(&mut self, title: &str, verdict: Verdict, got: Option<f64>) -> &mut Self {
        let more = Some(Box::new(More { verdict: Some(verdict), got, ..More::default() }));
        let moment = Moment { text: Some(untrusted(title)), more, ..self.moment(Ev::Test, None, None) };
        self.push(moment);
        self
    }

    pub(crate) fn check(&mut self, what: &str, verdict: Verdict) -> &mut Self {
        let more = Some(Box::new(More { verdict: Some(verdict), ..More::default() }));
        let moment = Moment {
            text: Some(untrusted(what)),
            line: Some(20),
            more,
            ..self.moment(Ev::Check, None, None)
        };
        self.push(moment);
        self
    }

    /// Alice waits for `pong`, and bob says something else.
    pub(crate) fn failure(mut self) -> Self {
        self.failure_of("alice");
        self
    }

    pub(crate) fn failure_of(&mut self, who: &str) -> &mut Self {
        let (pnog, _) = self.send("bob", Some(who), &[who], "pnog");
        self.after(7_000).recv(pnog[0]);
        let near = self.moments.len() as u64 - 1;
        let more = More {
            expected: Some(untrusted("pong")),
            unread: vec![untrusted("bob: pnog"), untrusted("bob: \x1b[2J")],
            quote: Some(untrusted("    alice.expect(\"pong\");")),
            ..More::default()
        };
        self.after(1_000_000);
        let moment = Moment {
            line: Some(12),
            cause: Some(near),
            more: Some(Box::new(more)),
            ..self.moment(Ev::ExpectFail, Some(who), None)
        };
        self.push(moment);
        self
    }

    /// The network falls apart for a second, and a message is lost meanwhile.
    pub(crate) fn parted(&mut self) -> &mut Self {
        let sides = Some([vec![name("carol")], vec![name("alice"), name("bob")]]);
        let more = Some(Box::new(More { sides, ..More::default() }));
        let moment = Moment { more, ..self.moment(Ev::Partition, None, None) };
        self.push(moment);
        self.after(10_000).send("alice", Some("carol"), &["carol"], "are you there?");
        let (msg, why) = (Some(self.numbers / 2), Some("it has left".to_owned()));
        let more = Some(Box::new(More { why, ..More::default() }));
        let lost =
            Moment { msg, more, ..self.after(1_000_000).moment(Ev::Drop, Some("alice"), Some("carol")) };
        self.push(lost);
        let heal = self.moment(Ev::Heal, None, None);
        self.push(heal);
        self
    }

    pub(crate) fn end(&self, result: u8) -> Play {
        let head = Head {
            hobnob: "0.1.0".into(),
            script: untrusted("demo.rhai"),
            hash: "00ff".into(),
            seed: 7,
            world: WorldKind::Sim,
            timed: false,
            wall: None,
        };
        let end = Some(End { at: self.at, result, trace: Some(0xabc) });
        Play { head, moments: self.moments.clone(), end }
    }
}

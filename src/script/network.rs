//! What a script does to the network and to the fates of its peers, and what of it is on the list.

use std::time::Duration;

use crate::api::command::show;
use crate::api::fault::ShapeWish;
use crate::id::Name;
use crate::play::{Ev, More};
use crate::script::deeds::DeedKind;
use crate::script::error::{Failure, Spot};
use crate::script::record::text;
use crate::script::stage::Stage;
use crate::world::{Network, PeerNo, Shape, WorldError};

impl Stage {
    fn may_disturb(&mut self, spot: &Spot, line: &str) -> bool {
        self.may(spot, DeedKind::Fault, line, || line.to_owned())
    }

    fn names(&self, peers: &[PeerNo]) -> Vec<Name> {
        peers.iter().map(|no| self.name(*no)).collect()
    }

    /// From now on it is like this between two, or between all that have no shape of their own.
    pub(super) fn shape(
        &mut self,
        spot: &Spot,
        ends: Option<(PeerNo, PeerNo)>,
        wish: &ShapeWish,
    ) -> Result<(), Failure> {
        let line = match ends {
            Some((a, b)) => format!("link {} {} {wish}", self.name(a), self.name(b)),
            None => format!("link * * {wish}"),
        };
        if !self.may_disturb(spot, &line) {
            return Ok(());
        }
        let shape = wished(self.scene.usual, wish);
        let change = match ends {
            Some((a, b)) => Network::Link { a, b, shape },
            None => Network::Default(shape),
        };
        self.apply(&change)?;
        if ends.is_none() {
            self.scene.usual = shape;
        }
        let ev = if wish.split.is_some() { Ev::Split } else { Ev::Note };
        self.disturbed(spot, ev, ends, &line);
        self.absorb();
        Ok(())
    }

    /// Nothing passes from one side to the other any more.
    pub(super) fn partition(
        &mut self,
        spot: &Spot,
        from: &[PeerNo],
        to: &[PeerNo],
        one_way: bool,
    ) -> Result<(), Failure> {
        let sides = [self.names(from), self.names(to)];
        let [a, b] =
            [0, 1].map(|side: usize| sides[side].iter().map(Name::to_string).collect::<Vec<_>>().join(","));
        let line = match one_way {
            false => format!("partition {a} {b}"),
            // No line of a batch does this, but one may call the script's own verb.
            true => {
                let [a, b] = [&a, &b].map(|side| side.replace(',', ", "));
                format!("=partition([{a}], [{b}], #{{ one_way: true }})")
            }
        };
        if !self.may_disturb(spot, &line) {
            return Ok(());
        }
        self.apply(&Network::Partition { from: from.to_vec(), to: to.to_vec(), one_way })?;
        let words = format!("{a} {} {b}", if one_way { "-/->" } else { "|" });
        self.record(None, Ev::Partition, |moment| {
            moment.line = Some(spot.line);
            moment.text = text(words);
            moment.more = Some(Box::new(More { sides: Some(sides), one_way, ..More::default() }));
        });
        self.absorb();
        Ok(())
    }

    /// All is well again.
    pub(super) fn heal(&mut self, spot: &Spot) -> Result<(), Failure> {
        if !self.may_disturb(spot, "heal") {
            return Ok(());
        }
        self.apply(&Network::Heal)?;
        self.record(None, Ev::Heal, |moment| moment.line = Some(spot.line));
        self.absorb();
        Ok(())
    }

    /// Something between two peers.
    pub(super) fn between(
        &mut self,
        spot: &Spot,
        verb: Between,
        a: PeerNo,
        b: PeerNo,
    ) -> Result<(), Failure> {
        let (word, ev, change) = match verb {
            Between::Hold => ("hold", Ev::Hold, Network::Hold(a, b)),
            Between::Release => ("release", Ev::Release, Network::Release(a, b)),
            Between::Cut => ("cut", Ev::Cut, Network::Reset(a, b)),
            Between::HalfOpen => ("half_open", Ev::Note, Network::HalfOpen(a, b)),
            Between::Clog(time) => ("clog", Ev::Note, Network::Clog(a, b, time)),
        };
        let mut line = format!("{word} {} {}", self.name(a), self.name(b));
        if let Between::Clog(time) = verb {
            line = format!("{line} {}", show(time));
        }
        let deed = match verb {
            Between::Hold | Between::Release => line.clone(),
            Between::Cut | Between::HalfOpen | Between::Clog(_) => called(&line),
        };
        if !self.may_disturb(spot, &deed) {
            return Ok(());
        }
        if a == b {
            return Err(WorldError::BothSides(word, self.name(b)).into());
        }
        self.apply(&change)?;
        self.disturbed(spot, ev, Some((a, b)), &line);
        self.absorb();
        Ok(())
    }

    /// Something about one peer's machine.
    pub(super) fn machine(&mut self, spot: &Spot, verb: Machine, who: PeerNo) -> Result<(), Failure> {
        let name = self.name(who);
        let (ev, line, change) = match verb {
            Machine::Crash => (Ev::Crash, format!("crash {name}"), Network::Crash(who)),
            Machine::CrashAfter(wishes) => {
                (Ev::Note, format!("crash_after {name} {wishes}"), Network::CrashAfter(who, wishes))
            }
            Machine::Restart => (Ev::Restart, format!("restart {name}"), Network::Restart(who)),
            Machine::Refuse(yes) => (Ev::Note, format!("refuse {name} {yes}"), Network::Refuse(who, yes)),
            Machine::Slow(time) => {
                (Ev::Note, format!("slow {name} {}", show(time)), Network::Slow(who, time))
            }
            Machine::Disk(time) => {
                (Ev::Note, format!("disk {name} {}", show(time)), Network::Disk(who, time))
            }
            Machine::Skew(micros) => {
                let verb = if micros < 0 { "skew_back" } else { "skew" };
                (Ev::Note, format!("{verb} {name} {}us", micros.unsigned_abs()), Network::Skew(who, micros))
            }
        };
        let deed = match verb {
            Machine::Crash | Machine::Restart => line.clone(),
            Machine::CrashAfter(_)
            | Machine::Refuse(_)
            | Machine::Slow(_)
            | Machine::Disk(_)
            | Machine::Skew(_) => called(&line),
        };
        if !self.may_disturb(spot, &deed) {
            return Ok(());
        }
        // A peer that said goodbye is down as one that died is.
        self.scene.world.name(who)?;
        if ev == Ev::Crash && !self.scene.world.is_up(who)? {
            return Err(WorldError::Down(name).into());
        }
        if ev == Ev::Restart && self.scene.world.is_up(who)? {
            return Err(WorldError::Up(name).into());
        }
        self.apply(&change)?;
        let note = (ev == Ev::Note).then_some(line);
        self.record(Some(who), ev, |moment| {
            moment.line = Some(spot.line);
            moment.text = note.and_then(text);
        });
        match verb {
            Machine::Crash => self.scene.actors[who.0].ended = Some(Ev::Crash),
            Machine::Restart => self.scene.actors[who.0].ended = None,
            Machine::CrashAfter(_) if !self.scene.doomed.contains(&who) => self.scene.doomed.push(who),
            _ => {}
        }
        self.absorb();
        Ok(())
    }

    /// Whoever was to die by itself and has died is on the list.
    pub(super) fn bury(&mut self) {
        let mut at = 0;
        while let Some(&who) = self.scene.doomed.get(at) {
            if self.scene.world.is_up(who) != Ok(false) {
                at += 1;
                continue;
            }
            self.scene.doomed.remove(at);
            // It may have left before, or somebody killed it.
            if self.scene.actors[who.0].ended.is_none() {
                self.scene.actors[who.0].ended = Some(Ev::Crash);
                self.record(Some(who), Ev::Crash, |_| {});
            }
        }
    }

    fn disturbed(&mut self, spot: &Spot, ev: Ev, ends: Option<(PeerNo, PeerNo)>, line: &str) {
        let with = ends.map(|(_, b)| self.name(b));
        self.record(ends.map(|(a, _)| a), ev, |moment| {
            moment.line = Some(spot.line);
            moment.with = with;
            moment.text = if matches!(ev, Ev::Note | Ev::Split) { text(line) } else { None };
        });
    }
}

/// Something that is done between two peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    Hold,
    Release,
    Cut,
    HalfOpen,
    Clog(Duration),
}

/// Something that is done to one peer's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    Crash,
    CrashAfter(u64),
    Restart,
    Refuse(bool),
    Slow(Duration),
    Disk(Duration),
    Skew(i64),
}

/// The words of a deed that no line of a batch does, as the call that a line may make.
fn called(words: &str) -> String {
    let mut words = words.split(' ');
    let verb = words.next().unwrap_or_default();
    let arg = |word: &str| match word.find(|c: char| !c.is_ascii_digit()) {
        // A duration is a number with a unit.
        Some(unit) if unit > 0 => format!("{}.{}", &word[..unit], &word[unit..]),
        Some(_) | None => word.to_owned(),
    };
    format!("={verb}({})", words.map(arg).collect::<Vec<_>>().join(", "))
}

/// What is not wished for stays as it usually is.
fn wished(usual: Shape, wish: &ShapeWish) -> Shape {
    Shape {
        delay: wish.delay.unwrap_or(usual.delay),
        jitter: wish.jitter.unwrap_or(usual.jitter),
        bandwidth: wish.bandwidth.or(usual.bandwidth),
        pieces: wish.split.or(usual.pieces),
        glue: wish.glue.unwrap_or(usual.glue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_batch_does_is_called() {
        let calls = ["cut alice bob", "clog a b 1500us", "refuse bob true", "crash_after bob 12"].map(called);
        let wanted =
            ["=cut(alice, bob)", "=clog(a, b, 1500.us)", "=refuse(bob, true)", "=crash_after(bob, 12)"];
        assert_eq!(calls, wanted);
    }
}

//! The stable transcript: the same text for a script in whatever world and for every seed, as long as
//! the script waits for causes. So it has no times, ports, ids, numbers or seeds, and nothing that
//! depends on them: what got lost, who joined again, what the network did.
//!
//! One fact a line, no columns, so that `diff` shows facts: `== STEP`; a line with each peer's name,
//! in the order of coming to listen; below it its own messages `-> bob "hi"` (`-> *` for all), first
//! the script's in order, then, by recipient, those of handlers, `->> bob "hi"`; then by sender what
//! came in: `<- bob joined` once a world, messages, `<- bob left`. At a step's end what was found.
//! Of one sender, the script's messages stand before its handlers', as their order is chance.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::Name;
use crate::play::{Ev, Moment, Play, Verdict};
use crate::report::failure::{Failure, describe};
use crate::report::scene::{cast, said};
use crate::report::verdict::{begins, ends, is_failure, more, number, plural, word};
use crate::text::Untrusted;

/// Between two begins of a step.
#[derive(Default)]
struct Step {
    title: Option<String>,
    /// Of each peer the lines, under what they are sorted by.
    peers: BTreeMap<usize, BTreeMap<Place, Vec<String>>>,
    findings: Vec<String>,
}

/// Where a line stands below its peer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// What the script let it say.
    Own,
    /// What its handlers said, to whom: all come first.
    Handler(Option<usize>),
    /// What came from whom, and as which part of it.
    Inbound(usize, Part),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Joined,
    Messages,
    HandlerMessages,
    Left,
}

/// One world's cast, and who has met in it.
#[derive(Default)]
struct Stage {
    places: BTreeMap<Name, usize>,
    cast: Vec<Name>,
    met: BTreeSet<(Name, Name)>,
}

impl Stage {
    fn new<'a>(moments: impl Iterator<Item = &'a Moment> + Clone) -> Self {
        let cast = cast(moments);
        let places = cast.iter().enumerate().map(|(at, &name)| (name, at)).collect();
        Self { places, cast, met: BTreeSet::new() }
    }
}

/// All of a run, with a line end after each line.
pub fn write(play: &Play) -> String {
    let mut out = String::new();
    let mut own = Stage::new(outside(play).into_iter());
    let mut test: Option<Stage> = None;
    let mut step = Step::default();
    for (at, moment) in play.moments.iter().enumerate() {
        if begins(moment) {
            step.put(test.as_ref().unwrap_or(&own), &mut out);
            let until = play.moments.iter().skip(at + 1).position(|next| next.ev == Ev::Test);
            let until = until.map_or(play.moments.len(), |after| at + 1 + after);
            test = Some(Stage::new(play.moments.iter().take(until).skip(at)));
            step = Step { title: Some(test_title(moment)), ..Step::default() };
            continue;
        }
        if moment.ev == Ev::Step {
            step.put(test.as_ref().unwrap_or(&own), &mut out);
            let title = moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
            step = Step { title: Some(title), ..Step::default() };
            continue;
        }
        step.add(play, moment, test.as_mut().unwrap_or(&mut own));
        if ends(moment) {
            step.put(test.as_ref().unwrap_or(&own), &mut out);
            step = Step::default();
            test = None;
        }
    }
    step.put(test.as_ref().unwrap_or(&own), &mut out);
    out
}

fn outside(play: &Play) -> Vec<&Moment> {
    let mut inside = false;
    let mut moments = Vec::new();
    for moment in &play.moments {
        inside |= begins(moment);
        if !inside {
            moments.push(moment);
        }
        inside &= !ends(moment);
    }
    moments
}

fn test_title(moment: &Moment) -> String {
    let points = more(moment).points.map(|points| format!(", {}", plural(points)));
    let name = moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
    format!("test{}: {name}", points.unwrap_or_default())
}

impl Step {
    fn add(&mut self, play: &Play, moment: &Moment, stage: &mut Stage) {
        if is_failure(moment) {
            let Failure { heading, .. } = describe(moment, None, &play.head.script);
            self.findings.push(format!("FAILED {heading}"));
        } else if matches!(moment.ev, Ev::Check | Ev::Test) {
            self.findings.push(finding(moment));
        }
        let place = |name: Option<Name>| name.and_then(|name| stage.places.get(&name)).copied();
        let (Some(peer), with) = (place(moment.peer), place(moment.with)) else {
            return;
        };
        let mut put = |place: Place, line: String| {
            self.peers.entry(peer).or_default().entry(place).or_default().push(line);
        };
        let to = moment.with.map_or_else(|| "*".into(), |with| with.to_string());
        let text = || said(play, moment).map(Untrusted::quoted).unwrap_or_default();
        let plain = if moment.plain { "[plain] " } else { "" };
        match (moment.ev, with) {
            (Ev::Send, _) if moment.text.is_none() => {}
            (Ev::Send, with) if moment.auto => {
                put(Place::Handler(with), format!("->> {to} {plain}{}", text()));
            }
            (Ev::Send, _) => put(Place::Own, format!("-> {to} {plain}{}", text())),
            (Ev::Recv, Some(from)) => {
                let part = if is_auto(play, moment) { Part::HandlerMessages } else { Part::Messages };
                put(Place::Inbound(from, part), format!("<- {to} {plain}{}", text()));
            }
            (Ev::Connect | Ev::Accept, Some(from))
                if moment.peer.zip(moment.with).is_some_and(|pair| stage.met.insert(pair)) =>
            {
                put(Place::Inbound(from, Part::Joined), format!("<- {to} joined"));
            }
            (Ev::Left, Some(from)) => put(Place::Inbound(from, Part::Left), format!("<- {to} left")),
            _ => {}
        }
    }

    fn put(&self, stage: &Stage, out: &mut String) {
        if self.title.is_none() && self.peers.is_empty() && self.findings.is_empty() {
            return;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        if let Some(title) = &self.title {
            out.push_str(&format!("== {title}\n"));
        }
        for (&peer, places) in &self.peers {
            let name = stage.cast.get(peer).map(Name::as_str).unwrap_or_default();
            out.push_str(&format!("{name}\n"));
            for line in places.values().flatten() {
                out.push_str(&format!("  {line}\n"));
            }
        }
        for finding in &self.findings {
            out.push_str(&format!("= {finding}\n"));
        }
    }
}

/// Whether a handler of its sender's said it.
fn is_auto(play: &Play, recv: &Moment) -> bool {
    let before = |moment: &Moment| play.moments.get(usize::try_from(moment.cause?).ok()?);
    let queued = before(recv);
    recv.auto || queued.is_some_and(|queued| queued.auto || before(queued).is_some_and(|sent| sent.auto))
}

fn finding(moment: &Moment) -> String {
    let more = more(moment);
    let word = match more.verdict {
        Some(Verdict::Fail) => "FAILED",
        verdict => verdict.map_or("done", word),
    };
    let points = match (more.got, more.points) {
        (Some(got), Some(points)) => format!(", {} of {}", number(got), plural(points)),
        (Some(got), None) => format!(", {}", plural(got)),
        _ => String::new(),
    };
    let text = moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
    format!("{word}{points}: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;

    fn golden(play: &Play, expected: &str) {
        let text = write(play);
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_talk_with_a_partition() {
        let mut sample = Sample::talk();
        sample.parted().join("carol", "alice").check("everybody is back", Verdict::Pass);
        sample.step("bob leaves").add(Ev::Left, "alice", "bob").step("nothing");
        golden(
            &sample.end(0),
            r#"== everyone connects
alice
  <- bob joined
  <- carol joined
bob
  <- alice joined
carol
  <- alice joined

== talk
alice
  -> bob "ping"
  -> * "hello, all"
  -> carol "are you there?"
  <- bob "pong"
bob
  ->> alice "pong"
  <- alice "ping"
  <- alice "hello, all"
carol
  <- alice "hello, all"
= passed: everybody is back

== bob leaves
alice
  <- bob left

== nothing
"#,
        );
    }

    #[test]
    fn tests_have_worlds_of_their_own() {
        golden(
            &Sample::graded().end(4),
            r#"== test, 4 points: says hello
judge
  <- s joined
  <- s "hello"
s
  -> judge "hello"
  <- judge joined
= passed: says hello

== test, 2.5 points: says goodbye
alice
  <- bob joined
  <- bob "pnog"
bob
  -> alice "pnog"
  <- alice joined
= FAILED alice expected pong
= FAILED, 0.5 points: says goodbye

== test: says thanks
= flaky: says thanks
"#,
        );
    }

    /// What chance may change: who is first, how long it takes, what a broken network repeats.
    #[test]
    fn chance_changes_nothing() {
        let play = |swap: bool| {
            let mut sample = Sample::empty();
            sample.listen(&["alice", "bob", "carol"]);
            let joins = [("alice", "bob"), ("carol", "bob")];
            let order = if swap { [1, 0] } else { [0, 1] };
            for at in order {
                sample.join(joins[at].0, joins[at].1);
            }
            let first = sample.send("alice", Some("bob"), &["bob"], "one").0[0];
            let second = sample.send("carol", Some("bob"), &["bob"], "two").0[0];
            let messages = [first, second];
            for at in order {
                sample.after(3_000).recv(messages[at]);
            }
            sample.next_is_auto(true);
            let people = ["alice", "carol"];
            for at in order {
                sample.send("bob", Some(people[at]), &[people[at]], "thanks");
            }
            if swap {
                sample.add(Ev::Lost, "alice", "bob").add(Ev::Crash, "bob", "bob").join("bob", "alice");
                sample.say(Ev::Note, "what a day");
            }
            write(&sample.end(0))
        };
        assert_eq!(play(false), play(true));
    }
}

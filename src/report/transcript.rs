//! The timed transcript: a line for each moment that is worth showing, as `   0.024  alice  -> bob
//! #3 "ping"`. The mark says what it is: `->` sent, `<-` read, `x` lost or failed, `*` news, `#` the
//! script's own course, `|` printed by a program, `>` given to one. Every line begins with the time
//! or, below a failure, with blanks, and every text is on one line, so nothing that anybody says
//! looks like a line of ours. It can be printed while the run goes on.

use anstyle::{AnsiColor, Style};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

use crate::id::Name;
use crate::play::{Ev, Head, Moment, Play, Verdict};
use crate::report::failure::{Failure, describe};
use crate::report::verdict::{Judgement, is_failure, judge, more, number, plural, word};
use crate::report::{hue, scene};
use crate::text::{Untrusted, escape_display};

/// Blanks under the time, where a failure's further lines begin.
const INDENT: &str = "          ";

/// Writes the lines of one run, a moment at a time.
pub struct Transcript {
    color: bool,
    script: Untrusted<Arc<str>>,
    /// Everybody so far, numbered; the number decides the colour.
    cast: BTreeMap<Name, usize>,
    /// Columns of the longest name so far.
    widest: usize,
    /// Moments so far.
    count: u64,
    /// What was said, by the number of its moment, and who said it: later ones refer to it.
    said: BTreeMap<u64, (Option<Name>, Untrusted<Arc<str>>)>,
    /// How many of them are kept, if not all.
    keep: Option<usize>,
}

impl Transcript {
    /// Of a run that begins so; with escape sequences for colour or without.
    pub fn new(head: &Head, color: bool) -> Self {
        Self {
            color,
            script: head.script.clone(),
            cast: BTreeMap::new(),
            widest: 0,
            count: 0,
            said: BTreeMap::new(),
            keep: None,
        }
    }

    /// Of what was said, only the latest is remembered: the run is never to end.
    pub fn keep(&mut self, latest: usize) {
        self.keep = Some(latest);
    }

    /// Makes room for these names from the first line on. Without it, a column widens once a longer
    /// name comes.
    pub fn expect(&mut self, names: impl IntoIterator<Item = Name>) {
        names.into_iter().for_each(|name| self.meet(name));
    }

    /// The next moment's line, or lines, without the last line end; `None` if it is not shown. Every
    /// moment of a run must pass here, in order.
    pub fn line(&mut self, moment: &Moment) -> Option<String> {
        let number = self.count;
        self.count += 1;
        for name in [moment.peer, moment.with].into_iter().flatten() {
            self.meet(name);
        }
        let text = self.recall(moment);
        if let (Ev::Send | Ev::Queued | Ev::Recv, Some(text)) = (moment.ev, &text) {
            let speaker = if moment.ev == Ev::Recv { moment.with } else { moment.peer };
            self.said.insert(number, (speaker, text.clone()));
            if self.keep.is_some_and(|keep| self.said.len() > keep) {
                self.said.pop_first();
            }
        }
        if is_failure(moment) {
            return Some(self.failure(moment));
        }
        self.other(moment, text.as_ref())
    }

    /// The last line.
    pub fn end(&self, at: u64, judgement: &Judgement<'_>) -> String {
        let style = match judgement.verdict {
            Verdict::Pass => Style::new().bold(),
            Verdict::Fail | Verdict::Flaky => bad(),
        };
        self.course(at, &self.paint(style, &judgement.sentence()))
    }

    fn meet(&mut self, name: Name) {
        let number = self.cast.len();
        if let Entry::Vacant(new) = self.cast.entry(name) {
            new.insert(number);
            self.widest = self.widest.max(name.as_str().width());
        }
    }

    fn recall(&self, moment: &Moment) -> Option<Untrusted<Arc<str>>> {
        let caused = || self.said.get(&moment.cause?).map(|(_, text)| text.clone());
        moment.text.clone().or_else(caused)
    }

    fn other(&self, moment: &Moment, text: Option<&Untrusted<Arc<str>>>) -> Option<String> {
        let quoted = || text.map(Untrusted::quoted).unwrap_or_default();
        let shown = || text.map(Untrusted::display).unwrap_or_default();
        let reason = more(moment).why.as_deref().map(escape_display);
        let why = || reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let (mark, rest) = match moment.ev {
            Ev::Listen | Ev::Delivered | Ev::ExpectOk => return None,
            Ev::Send if moment.msg.is_none() => return None,
            Ev::Send => ("->", self.message(moment, "sent, not confirmed")),
            Ev::Queued => ("->", self.message(moment, &quoted())),
            Ev::Recv => ("<-", self.message(moment, &quoted())),
            Ev::Connect | Ev::Accept => ("*", "joined".into()),
            Ev::Left => ("*", "left".into()),
            Ev::Disconnect => ("*", "disconnected".into()),
            Ev::Lost => ("x", format!("lost{}", why())),
            // Why says it in a sentence of its own.
            Ev::Refused | Ev::Timeout => ("x", reason.unwrap_or_else(|| "no answer".into())),
            Ev::Drop => ("x", self.message(moment, &format!("dropped{}", why()))),
            Ev::Crash => ("*", "crashed".into()),
            Ev::Restart => ("*", "restarted".into()),
            Ev::Exit => ("*", "exits".into()),
            Ev::Out => ("|", quoted()),
            Ev::In => (">", quoted()),
            Ev::Note => ("*", format!("note: {}", shown())),
            Ev::Cut | Ev::Split | Ev::Hold | Ev::Release | Ev::Partition | Ev::Heal => {
                return Some(format!("{}  *  {}", self.time(moment.at), scene::network(moment)));
            }
            Ev::Step => {
                return Some(self.course(moment.at, &self.paint(Style::new().bold(), &shown())));
            }
            Ev::Test => return Some(self.test(moment, &shown())),
            Ev::Check => {
                let verdict = more(moment).verdict.map_or("done", word);
                return Some(self.course(moment.at, &format!("{verdict}: {}", shown())));
            }
            Ev::ExpectFail => return Some(self.failure(moment)),
        };
        Some(self.columns(moment, mark, &rest))
    }

    fn message(&self, moment: &Moment, what: &str) -> String {
        let number = moment.msg.map(|msg| format!("#{msg} ")).unwrap_or_default();
        let plain = if moment.plain { "[plain] " } else { "" };
        format!("{number}{plain}{what}")
    }

    fn columns(&self, moment: &Moment, mark: &str, rest: &str) -> String {
        let mut line = format!("{}  ", self.time(moment.at));
        if let Some(peer) = moment.peer {
            line.push_str(&format!("{}  ", self.name(peer)));
        }
        let style = if mark == "x" { bad() } else { Style::new() };
        line.push_str(&self.paint(style, mark));
        line.push_str(&" ".repeat(3 - mark.len()));
        if let Some(with) = moment.with {
            line.push_str(&format!("{}  ", self.name(with)));
        }
        line.push_str(rest);
        line
    }

    fn test(&self, moment: &Moment, name: &str) -> String {
        let more = more(moment);
        let points = match (more.verdict, more.got, more.points) {
            (None, _, Some(points)) => format!(", {}", plural(points)),
            (Some(_), Some(got), Some(points)) => format!(", {} of {}", number(got), plural(points)),
            (Some(_), Some(got), None) => format!(", {}", plural(got)),
            _ => String::new(),
        };
        let word = more.verdict.map_or("test", word);
        let style = match more.verdict {
            Some(Verdict::Fail | Verdict::Flaky) => bad(),
            _ => Style::new().bold(),
        };
        self.course(moment.at, &self.paint(style, &format!("{word}{points}: {name}")))
    }

    fn failure(&self, moment: &Moment) -> String {
        let nearest = moment.cause.filter(|_| moment.ev == Ev::ExpectFail);
        let nearest = nearest.and_then(|cause| self.said.get(&cause));
        let nearest = nearest.map(|(from, text)| Moment {
            with: *from,
            text: Some(text.clone()),
            ..Moment::new(moment.at, Ev::Recv)
        });
        let Failure { heading, details } = describe(moment, nearest.as_ref(), &self.script);
        let mut lines = format!("{}  {}  {}", self.time(moment.at), self.paint(bad(), "x"), heading);
        for (label, text) in details {
            lines.push_str(&format!("\n{INDENT}   {label:<8} {text}"));
        }
        lines
    }

    fn course(&self, at: u64, what: &str) -> String {
        format!("{}  #  {what}", self.time(at))
    }

    fn time(&self, at: u64) -> String {
        let time = format!("{:>4}.{:03}", at / 1_000_000, at % 1_000_000 / 1_000);
        self.paint(Style::new().dimmed(), &time)
    }

    fn name(&self, name: Name) -> String {
        let place = self.cast.get(&name).copied().unwrap_or(0);
        let blanks = self.widest.saturating_sub(name.as_str().width());
        format!("{}{}", self.paint(hue::of_name(place), name.as_str()), " ".repeat(blanks))
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// All of a run, with a line end after each line.
pub fn write(play: &Play, color: bool) -> String {
    let mut transcript = Transcript::new(&play.head, color);
    transcript.expect(scene::cast(play.moments.iter()));
    let mut text = String::new();
    for line in play.moments.iter().filter_map(|moment| transcript.line(moment)) {
        text.push_str(&line);
        text.push('\n');
    }
    let at = play.end.as_ref().map(|end| end.at).or(play.moments.last().map(|last| last.at));
    text.push_str(&transcript.end(at.unwrap_or(0), &judge(play)));
    text.push('\n');
    text
}

fn bad() -> Style {
    Style::new().bold().fg_color(Some(AnsiColor::Red.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{Sample, untrusted};

    fn golden(play: &Play, expected: &str) {
        let text = write(play, false);
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_talk_with_a_partition() {
        let mut sample = Sample::talk();
        sample.parted().check("everybody is back", Verdict::Pass);
        golden(
            &sample.end(0),
            r##"   0.000  #  everyone connects
   0.001  alice  *  bob    joined
   0.001  bob    *  alice  joined
   0.002  alice  *  carol  joined
   0.002  carol  *  alice  joined
   0.002  #  talk
   0.002  alice  -> bob    #1 "ping"
   0.010  bob    <- alice  #1 "ping"
   0.010  bob    -> alice  #2 "pong"
   0.019  alice  <- bob    #2 "pong"
   0.019  alice  -> bob    #3 "hello, all"
   0.019  alice  -> carol  #3 "hello, all"
   0.023  carol  <- alice  #3 "hello, all"
   0.026  bob    <- alice  #3 "hello, all"
   0.026  *  partition carol | alice, bob
   0.036  alice  -> carol  #4 "are you there?"
   1.036  alice  x  carol  #4 dropped: it has left
   1.036  *  heal
   1.036  #  passed: everybody is back
   1.036  #  passed
"##,
        );
    }

    #[test]
    fn tests_with_points_and_a_failure() {
        golden(
            &Sample::graded().end(4),
            r##"   0.000  #  test, 4 points: says hello
   0.001  judge  *  s      joined
   0.001  s      *  judge  joined
   0.001  s      -> judge  #1 "hello"
   0.006  judge  <- s      #1 "hello"
   0.006  #  passed: says hello
   0.000  #  test, 2.5 points: says goodbye
   0.001  alice  *  bob    joined
   0.001  bob    *  alice  joined
   0.001  bob    -> alice  #2 "pnog"
   0.008  alice  <- bob    #2 "pnog"
   1.008  x  alice expected pong
             unread   bob: pnog
             unread   bob: \x1b[2J
             nearest  bob: pnog
             line     demo.rhai:12: alice.expect("pong");
   1.008  #  failed, 0.5 points: says goodbye
   0.000  #  test: says thanks
   0.000  #  flaky: says thanks
   0.000  #  1 of 3 tests passed, 1 flaky, 4.5 of 6.5 points
"##,
        );
    }

    #[test]
    fn nothing_that_is_said_makes_a_line_or_a_colour() {
        let mut sample = Sample::empty();
        sample.listen(&["alice", "bob"]);
        let hostile = "x\"\n   0.000  #  passed\r\x1b[31m\u{202e}\u{2028}";
        let (queued, _) = sample.send("alice", Some("bob"), &["bob"], hostile);
        sample.recv(queued[0]).step(hostile).test(hostile, None).check(hostile, Verdict::Fail);
        sample.say(Ev::Note, hostile).say(Ev::Out, hostile);
        let mut play = sample.end(1);
        play.head.script = untrusted(hostile);
        let text = write(&play, false);
        assert!(text.lines().all(|line| line.starts_with("   0.000  ") || line.starts_with("             ")));
        assert!(text.chars().all(|c| c == '\n' || !crate::text::is_hidden(c)), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("   0.000  #  passed")).count(), 0);
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let play = Sample::graded().end(4);
        let (mut bare, mut rest) = (String::new(), write(&play, true));
        assert!(rest.contains("\x1b["));
        while let Some(at) = rest.find('\x1b') {
            bare.push_str(&rest[..at]);
            let end = rest[at..].find('m').expect("a whole sequence");
            rest = rest.split_off(at + end + 1);
        }
        assert_eq!(format!("{bare}{rest}"), write(&play, false));
    }
}

//! The space-time diagram in box characters, for a terminal: peers as columns, a row for each moment
//! that is worth it, time downward. A message that nothing comes between is one row; one that others
//! overtake is two, with its number on both. Never wider than it is told. Decides no colours.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::Name;
use crate::play::{Ev, Moment, Play};
use crate::report::canvas::{Row, cut, width};
use crate::report::failure::describe;
use crate::report::scene::{Arrow, Fate, Scene, network, scenes};
use crate::report::verdict::{Case, is_failure, judge, number, plural, word};
use crate::text::{Untrusted, escape_display};

/// Columns of the time and a mark, before the peers.
const GUTTER: usize = 11;
/// The narrowest and the widest that a peer's column may be.
const PITCH: (usize, usize) = (10, 26);
/// Narrower than this nothing can be drawn.
const COLUMNS_MIN: usize = 40;

/// All of a run, at most so many columns wide.
pub fn write(play: &Play, columns: usize) -> String {
    let columns = columns.max(COLUMNS_MIN);
    let judgement = judge(play);
    let mut out = String::new();
    let mut cases = judgement.cases.iter().filter(|case| !case.whole);
    for scene in scenes(play) {
        let case = if scene.title.is_some() { cases.next() } else { None };
        if let Some(case) = case {
            line(&title(case), columns, &mut out);
        }
        Sheet::new(play, &scene, columns).draw(&mut out);
        out.push('\n');
    }
    line(&judgement.sentence(), columns, &mut out);
    out
}

fn title(case: &Case<'_>) -> String {
    let points = match (case.got, case.points) {
        (Some(got), Some(points)) => format!(", {} of {}", number(got), plural(points)),
        _ => String::new(),
    };
    format!("== {}{points}: {}", word(case.verdict), case.name.display())
}

/// One line of text, cut where it has to be.
fn line(text: &str, columns: usize, out: &mut String) {
    out.push_str(&cut(&escape_display(text), columns));
    out.push('\n');
}

/// A scene being drawn.
struct Sheet<'a> {
    play: &'a Play,
    scene: &'a Scene<'a>,
    columns: usize,
    /// Peers that have a column, and how far two are apart.
    peers: usize,
    pitch: usize,
    /// Which message was sent, and which ended, at a moment.
    sent: BTreeMap<usize, usize>,
    ended: BTreeMap<usize, usize>,
    /// Messages that are one row.
    short: BTreeSet<usize>,
    /// Messages that nearly were what was expected.
    near: BTreeSet<usize>,
    /// Who saw a link come up that it had dialled to whom.
    dialled: BTreeSet<(Option<Name>, Option<Name>)>,
    /// Who does not run at the moment.
    gone: BTreeSet<usize>,
}

impl<'a> Sheet<'a> {
    fn new(play: &'a Play, scene: &'a Scene<'a>, columns: usize) -> Self {
        let room = columns - GUTTER;
        let peers = scene.cast.len().min(room / PITCH.0);
        let pitch = (room / peers.max(1)).clamp(PITCH.0, PITCH.1);
        let end = |arrow: &Arrow<'_>| match arrow.fate {
            Fate::Read(at) | Fate::Arrived(at) | Fate::Written(at) | Fate::Dropped(at) => Some(at),
            Fate::UnderWay => None,
        };
        let arrows = || scene.arrows.iter().enumerate();
        let sent: BTreeMap<usize, usize> = arrows().map(|(number, arrow)| (arrow.sent, number)).collect();
        let ended: BTreeMap<usize, usize> =
            arrows().filter_map(|(number, arrow)| Some((end(arrow)?, number))).collect();
        let near: BTreeSet<usize> = scene
            .moments
            .iter()
            .filter(|(_, moment)| moment.ev == Ev::ExpectFail)
            .filter_map(|(_, moment)| ended.get(&scene.place(moment.cause?)?).copied())
            .collect();
        let dialled = scene.moments.iter().filter(|(_, moment)| moment.ev == Ev::Connect);
        let dialled = dialled.map(|(_, moment)| (moment.peer, moment.with)).collect();
        let gone = BTreeSet::new();
        let short = BTreeSet::new();
        let mut sheet = Self { play, scene, columns, peers, pitch, sent, ended, short, near, dialled, gone };
        sheet.short = arrows()
            .filter(|(number, arrow)| {
                let Some(end) = end(arrow).filter(|_| !matches!(arrow.fate, Fate::Dropped(_))) else {
                    return false;
                };
                let between = (arrow.sent + 1)..end.max(arrow.sent + 1);
                sheet.sent.get(&arrow.sent) == Some(number)
                    && !between.into_iter().any(|at| sheet.interests(at))
            })
            .map(|(number, _)| number)
            .collect();
        sheet
    }

    /// Whether a moment has a row of its own.
    fn interests(&self, place: usize) -> bool {
        let Some((_, moment)) = self.scene.moments.get(place) else { return false };
        self.sent.contains_key(&place)
            || self.ended.contains_key(&place)
            || self.words(moment).is_some()
            || matches!(moment.ev, Ev::Step | Ev::Connect)
            || self.is_unseen(moment)
    }

    fn draw(&mut self, out: &mut String) {
        if self.peers > 0 {
            self.names(out);
        }
        let missing = self.scene.cast.len() - self.peers;
        if missing > 0 {
            line(&format!("({missing} peers more do not fit {} columns)", self.columns), self.columns, out);
        }
        let mut open = 0;
        for (place, &(_, moment)) in self.scene.moments.iter().enumerate() {
            for &(peer, from, until) in &self.scene.absences {
                if from == place {
                    self.gone.insert(peer);
                }
                if until == Some(place) {
                    self.gone.remove(&peer);
                }
            }
            open += self.scene.bands.iter().filter(|band| band.from == place).count();
            open -= self.scene.bands.iter().filter(|band| band.until == Some(place)).count();
            if let Some(row) = self.row(place, moment) {
                let mark = if open > 0 { '▒' } else { ' ' };
                let time = format!("{:>4}.{:03}", moment.at / 1_000_000, moment.at % 1_000_000 / 1_000);
                let text = format!("{time} {mark} {}", row.text());
                out.push_str(&cut(&text, self.columns));
                out.push('\n');
            }
        }
    }

    fn names(&self, out: &mut String) {
        let mut row = Row::blank(self.pitch * self.peers);
        for (peer, name) in self.scene.cast.iter().enumerate().take(self.peers) {
            let name = cut(name.as_str(), self.pitch - 1);
            let wide = width(&name);
            row.put((self.column(peer) + 1).saturating_sub(wide.div_ceil(2)), &name);
        }
        out.push_str(&" ".repeat(GUTTER));
        out.push_str(row.text().trim_end());
        out.push('\n');
    }

    fn column(&self, peer: usize) -> usize {
        self.pitch / 2 + peer * self.pitch
    }

    fn row(&self, place: usize, moment: &Moment) -> Option<Row> {
        let mut row = self.lifelines();
        if moment.ev == Ev::Step {
            let title = moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
            row.rule();
            row.put(2, &format!(" {} ", cut(&title, (self.columns - GUTTER).saturating_sub(6))));
            return Some(row);
        }
        if let Some(arrow) =
            self.sent.get(&place).and_then(|&number| Some((number, self.scene.arrows.get(number)?)))
        {
            return self.leaves(row, arrow.0, arrow.1);
        }
        if let Some(arrow) =
            self.ended.get(&place).and_then(|&number| Some((number, self.scene.arrows.get(number)?)))
        {
            return self.arrives(row, arrow.0, arrow.1);
        }
        let who =
            |name| self.scene.cast.iter().position(|&peer| Some(peer) == name).filter(|&at| at < self.peers);
        if moment.ev == Ev::Connect || self.is_unseen(moment) {
            let (a, b) = who(moment.peer).zip(who(moment.with))?;
            row.line(self.column(a), self.column(b), "┄", "");
            return Some(row);
        }
        let words = self.words(moment)?;
        let across = matches!(moment.ev, Ev::Check | Ev::Partition | Ev::Heal | Ev::Hold | Ev::Release);
        match who(moment.peer).filter(|_| !across) {
            Some(peer) => row.put_near(self.column(peer) + 2, &words),
            None => row.put(1, &format!(" {words} ")),
        }
        Some(row)
    }

    /// Whether the other side did not see that a link came up which it had dialled.
    fn is_unseen(&self, moment: &Moment) -> bool {
        moment.ev == Ev::Accept && !self.dialled.contains(&(moment.with, moment.peer))
    }

    fn leaves(&self, mut row: Row, number: usize, arrow: &Arrow<'_>) -> Option<Row> {
        let (from, to) = self.ends(arrow)?;
        let label = self.label(number, arrow);
        if self.short.contains(&number) {
            row.line(from, to, "─", &label);
            row.set(if from < to { to.saturating_sub(1) } else { to + 1 }, if from < to { "▶" } else { "◀" });
        } else {
            // It is on its way: the line fades before it gets there.
            let stub = self.pitch.saturating_sub(3);
            let until = if from < to { from + stub } else { from.saturating_sub(stub) };
            row.line(from, until, "─", &label);
            row.set(until, "╌");
        }
        row.set(from, if from < to { "├" } else { "┤" });
        Some(row)
    }

    fn arrives(&self, mut row: Row, number: usize, arrow: &Arrow<'_>) -> Option<Row> {
        let (from, to) = self.ends(arrow)?;
        if self.short.contains(&number) {
            return None;
        }
        let label = self.label(number, arrow);
        if matches!(arrow.fate, Fate::Dropped(_)) {
            let until = if from < to { to.saturating_sub(3) } else { to + 3 };
            row.line(from, until, "─", &label);
            row.set(from, if from < to { "├" } else { "┤" });
            row.set(until, "×");
            return Some(row);
        }
        row.line(from, to, "╌", &label);
        row.set(if from < to { to.saturating_sub(1) } else { to + 1 }, if from < to { "▶" } else { "◀" });
        Some(row)
    }

    fn ends(&self, arrow: &Arrow<'_>) -> Option<(usize, usize)> {
        let drawn = arrow.from < self.peers && arrow.to < self.peers && arrow.from != arrow.to;
        drawn.then(|| (self.column(arrow.from), self.column(arrow.to)))
    }

    fn label(&self, number: usize, arrow: &Arrow<'_>) -> String {
        let msg = arrow.msg.filter(|_| !self.short.contains(&number)).map(|msg| format!("#{msg} "));
        let near = if self.near.contains(&number) { "(near) " } else { "" };
        format!("{near}{}{}", msg.unwrap_or_default(), arrow.text.map(Untrusted::display).unwrap_or_default())
    }

    fn lifelines(&self) -> Row {
        let mut row = Row::blank(self.columns - GUTTER);
        for peer in 0..self.peers {
            row.set(self.column(peer), if self.gone.contains(&peer) { "┊" } else { "│" });
        }
        row
    }

    /// What is said of a moment that is no message.
    fn words(&self, moment: &Moment) -> Option<String> {
        let with = moment.with.map(|with| with.to_string()).unwrap_or_default();
        let text = || moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
        if is_failure(moment) && moment.ev != Ev::Test {
            return Some(format!("✗ {}", describe(moment, None, &self.play.head.script).heading));
        }
        match moment.ev {
            Ev::Partition | Ev::Heal | Ev::Hold | Ev::Release | Ev::Cut | Ev::Split => Some(network(moment)),
            Ev::Crash => Some("✗ crashed".into()),
            Ev::Restart => Some("restarted".into()),
            Ev::Left => Some(format!("{with} left")),
            Ev::Lost => Some(format!("lost {with}")),
            Ev::Refused => Some(format!("refused {with}")),
            Ev::Timeout => Some(format!("no answer {with}")),
            Ev::Disconnect => Some(format!("disconnected {with}")),
            Ev::Exit => Some("exits".into()),
            Ev::Check => Some(format!("✓ {}", text())),
            Ev::Out => Some(format!("prints {}", text())),
            Ev::In => Some(format!("reads {}", text())),
            Ev::Note => Some(text()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::Verdict;
    use crate::report::sample::Sample;

    #[test]
    fn a_talk_with_a_partition() {
        let mut sample = Sample::talk();
        sample.parted().check("everybody is back", Verdict::Pass);
        let text = write(&sample.end(0), 80);
        assert_eq!(
            text,
            r#"                    alice                   bob                   carol
   0.000   ── everyone connects ────────────────────────────────────────────────
   0.001              │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│                      │
   0.002              │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│
   0.002   ── talk ─────────────────────────────────────────────────────────────
   0.002              ├─────── ping ────────▶│                      │
   0.010              │◀────── pong ─────────┤                      │
   0.019              ├─ #3 hello, all ───╌  │                      │
   0.019              ├─────────────── hello, all ─────────────────▶│
   0.026              │╌╌ #3 hello, all ╌╌╌╌▶│                      │
   0.026 ▒   partition carol | alice, bob    │                      │
   0.036 ▒            ├ #4 are you the… ──╌  │                      │
   1.036 ▒            ├────────── #4 are you there? ─────────────×  │
   1.036     heal     │                      │                      │
   1.036     ✓ everybody is back             │                      │

passed
"#,
            "\n{text}"
        );
    }

    #[test]
    fn tests_and_what_failed() {
        let text = write(&Sample::graded().end(4), 60);
        assert_eq!(
            text,
            r#"== passed, 4 of 4 points: says hello
                     judge                     s
   0.001               │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│
   0.001               │◀────── hello ─────────┤

== failed, 0.5 of 2.5 points: says goodbye
                     alice                    bob
   0.001               │┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│
   0.001               │◀─── (near) pnog ──────┤
   1.008               │ ✗ alice expected pong │

== flaky: says thanks

1 of 3 tests passed, 1 flaky, 4.5 of 6.5 points
"#,
            "\n{text}"
        );
    }

    #[test]
    fn never_wider_than_told() {
        let mut sample = Sample::empty();
        let names: Vec<String> = (0..30).map(|number| format!("名前{number}-a-long-name")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        sample.listen(&names);
        for (text, to) in
            [("日本語の長い文章です、とても長い", 1), ("e\u{301}\u{301}x\n\x1b[31m\u{202e}", 2), ("x", 29)]
        {
            let (queued, _) = sample.send(names[0], Some(names[to]), &[names[to]], text);
            let (other, _) = sample.send(names[to], Some(names[0]), &[names[0]], text);
            sample.after(1_000).recv(other[0]).recv(queued[0]).step(text).check(text, Verdict::Fail);
        }
        let play = sample.end(1);
        for columns in [0, 40, 41, 57, 80, 200] {
            let text = write(&play, columns);
            for line in text.lines() {
                assert!(
                    unicode_width::UnicodeWidthStr::width(line) <= columns.max(COLUMNS_MIN),
                    "{columns}: {line}"
                );
            }
            assert!(text.chars().all(|c| c == '\n' || !crate::text::is_hidden(c)));
        }
    }
}

//! The space-time diagram of a scene as inline SVG: peers as columns, time downward, an arrow from
//! where a message was sent to where it was read, a cross where one died, bands for steps and for
//! what kept peers apart. Arrows of one look share one path, which keeps ten thousand small. Decides
//! what is drawn; the style sheet says how it looks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::play::{Ev, Moment, Play, Verdict};
use crate::report::html::layout::{ARROWS_MAX, Layout};
use crate::report::scene::{Arrow, Fate, Scene, network};
use crate::report::verdict::{is_failure, more};
use crate::text::{Untrusted, escape_display, escape_html};

/// Looks of arrows: a colour for each sender, in turn.
pub(super) const COLORS: usize = 8;
/// Columns of a character beside an arrow, roughly.
const CHARACTER: i64 = 6;

/// Draws it; the names stand in a picture of their own that stays while the other is scrolled.
pub(super) fn draw(play: &Play, scene: &Scene<'_>, out: &mut String) {
    let layout = Layout::new(scene);
    let missing = scene.cast.len() - layout.peers;
    if missing > 0 {
        push(out, format_args!("<p>The picture leaves out {missing} peers more.</p>"));
    }
    if let Some(more) = scene.arrows.len().checked_sub(ARROWS_MAX).filter(|&more| more > 0) {
        push(out, format_args!("<p>The picture leaves out the last {more} messages.</p>"));
    }
    let (width, height) = (layout.width, layout.height);
    out.push_str("<div class=d>");
    names(scene, &layout, out);
    push(out, format_args!("<svg width={width} height={height} viewBox=\"0 0 {width} {height}\" role=img>"));
    out.push_str("<title>Messages between the peers; the table below has the same as text</title>");
    let picture = Picture { play, scene, layout };
    picture.steps(out);
    picture.bands(out);
    picture.lifelines(out);
    picture.times(out);
    picture.arrows(out);
    picture.texts(out);
    out.push_str("</svg></div>\n");
}

/// The names above their columns; slanted, where the columns are narrower.
fn names(scene: &Scene<'_>, layout: &Layout, out: &mut String) {
    let widest = scene.cast.iter().take(layout.peers).map(|name| name.as_str().chars().count()).max();
    let widest = i64::try_from(widest.unwrap_or(0)).unwrap_or(i64::MAX);
    let slanted = widest.saturating_mul(CHARACTER + 2) > layout.spacing;
    let (width, height) = (layout.width, if slanted { 16 + 5 * widest.min(24) } else { 24 });
    push(out, format_args!("<svg class=h width={width} height={height} viewBox=\"0 0 {width} {height}\">"));
    for (peer, name) in scene.cast.iter().enumerate() {
        let Some(x) = layout.x(peer) else { break };
        let y = height - 8;
        if slanted {
            push(out, format_args!("<text class=o x={x} y={y} transform=\"rotate(-40 {x} {y})\">"));
        } else {
            push(out, format_args!("<text x={x} y={y}>"));
        }
        escape_html(&cut(name.as_str(), 24), out);
        out.push_str("</text>");
    }
    out.push_str("</svg>");
}

struct Picture<'a> {
    play: &'a Play,
    scene: &'a Scene<'a>,
    layout: Layout,
}

impl Picture<'_> {
    fn moments(&self) -> impl Iterator<Item = (usize, &Moment)> {
        self.scene.moments.iter().enumerate().map(|(place, &(_, moment))| (place, moment))
    }

    /// A band for every other step, and the titles.
    fn steps(&self, out: &mut String) {
        let steps: Vec<_> = self.moments().filter(|(_, moment)| moment.ev == Ev::Step).collect();
        let width = self.layout.right;
        for (number, &(place, moment)) in steps.iter().enumerate() {
            let top = self.layout.down(place) - 14;
            let next = steps.get(number + 1).map_or(self.layout.height, |next| self.layout.down(next.0) - 14);
            let class = if number % 2 == 0 { "s" } else { "e" };
            push(out, format_args!("<rect class={class} y={top} width={width} height={} />", next - top));
            push(out, format_args!("<text class=b x=6 y={}>", top + 15));
            let title = moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
            escape_html(&cut(&title, width / (CHARACTER + 1)), out);
            out.push_str("</text>\n");
        }
    }

    fn bands(&self, out: &mut String) {
        for band in &self.scene.bands {
            let top = self.layout.down(band.from);
            let bottom = band.until.map_or(self.layout.height, |until| self.layout.down(until));
            let (left, right) = match band.pair {
                None => (Some(self.layout.left), Some(self.layout.right)),
                Some((a, b)) => (self.layout.x(a), self.layout.x(b)),
            };
            if let (Some(left), Some(right)) = (left, right) {
                let (width, height) = (right - left, bottom - top);
                push(out, format_args!("<rect class=a x={left} y={top} width={width} height={height} />\n"));
            }
        }
    }

    fn lifelines(&self, out: &mut String) {
        let (mut here, mut gone) = (String::new(), String::new());
        for peer in 0..self.layout.peers {
            let Some(x) = self.layout.x(peer) else { continue };
            let mut from = 0;
            for &(_, since, until) in self.scene.absences.iter().filter(|absence| absence.0 == peer) {
                let (top, bottom) = (
                    self.layout.down(since),
                    until.map_or(self.layout.height, |until| self.layout.down(until)),
                );
                push(&mut here, format_args!("M{x} {from}V{top}"));
                push(&mut gone, format_args!("M{x} {top}V{bottom}"));
                from = bottom;
            }
            push(&mut here, format_args!("M{x} {from}V{}", self.layout.height));
        }
        path("l", &here, out);
        path("g", &gone, out);
    }

    /// Times at the left, where there is room.
    fn times(&self, out: &mut String) {
        let mut free = 0;
        let mut last = None;
        for (place, moment) in self.moments() {
            let y = self.layout.down(place) + 4;
            let shown = moment.at / 1_000;
            let drawn = self.layout.drawn.get(place).copied().unwrap_or(false);
            if y >= free && last != Some(shown) && drawn {
                push(
                    out,
                    format_args!("<text class=t x=56 y={y}>{}.{:03}</text>", shown / 1_000, shown % 1_000),
                );
                (free, last) = (y + if self.layout.labelled { 20 } else { 60 }, Some(shown));
            }
        }
        out.push('\n');
    }

    fn arrows(&self, out: &mut String) {
        let near: Vec<Option<usize>> = self
            .moments()
            .filter(|(_, moment)| moment.ev == Ev::ExpectFail)
            .map(|(_, moment)| moment.cause.and_then(|cause| self.scene.place(cause)))
            .collect();
        let mut paths: BTreeMap<String, String> = BTreeMap::new();
        for arrow in self.scene.arrows.iter().take(ARROWS_MAX) {
            let (Some(from), Some(to)) = (self.layout.x(arrow.from), self.layout.x(arrow.to)) else {
                continue;
            };
            let missed = matches!(arrow.fate, Fate::Read(read) if near.contains(&Some(read)));
            let class = match arrow.fate {
                _ if missed => "m".to_owned(),
                Fate::Dropped(_) => "x".to_owned(),
                Fate::UnderWay => "u".to_owned(),
                _ => format!("p{}", arrow.from % COLORS),
            };
            self.arrow(arrow, from, to, paths.entry(class).or_default());
        }
        for (class, data) in &paths {
            path(class, data, out);
        }
        self.joins(out);
    }

    fn arrow(&self, arrow: &Arrow<'_>, from: i64, to: i64, path: &mut String) {
        let top = self.layout.down(arrow.sent);
        match arrow.fate {
            Fate::Read(at) | Fate::Arrived(at) | Fate::Written(at) => {
                let down = self.layout.down(at) - top;
                push(path, format_args!("M{from} {top}"));
                head(to - from, down.max(0), self.layout.labelled, path);
            }
            // It got somewhere, and no further: nobody saw where.
            Fate::Dropped(_) | Fate::UnderWay => {
                let (aside, down) = ((to - from) * 6 / 10, 10);
                push(path, format_args!("M{from} {top}l{aside} {down}"));
                if matches!(arrow.fate, Fate::Dropped(_)) {
                    path.push_str("m-5-5l10 10m0-10l-10 10");
                }
            }
        }
    }

    /// Who met whom.
    fn joins(&self, out: &mut String) {
        let mut data = String::new();
        let place = |name| self.scene.cast.iter().position(|&peer| Some(peer) == name);
        for (at, moment) in
            self.moments().filter(|(_, moment)| self.layout.labelled && moment.ev == Ev::Connect)
        {
            let ends = place(moment.peer).zip(place(moment.with));
            if let Some((Some(a), Some(b))) = ends.map(|(a, b)| (self.layout.x(a), self.layout.x(b))) {
                push(&mut data, format_args!("M{a} {}H{b}", self.layout.down(at)));
            }
        }
        path("j", &data, out);
    }

    fn texts(&self, out: &mut String) {
        let mut said = None;
        for arrow in self.scene.arrows.iter().filter(|_| self.layout.labelled) {
            let Some(x) = self.layout.x(arrow.from) else { continue };
            let y = self.layout.down(arrow.sent) - 3;
            let text = arrow.text.map(Untrusted::display).unwrap_or_default();
            let right = arrow.from <= arrow.to;
            let here = Some((x, y, right, text.clone()));
            if said != here {
                let text = cut(&text, (self.layout.spacing / CHARACTER - 3).max(16));
                self.text(if right { "r" } else { "f" }, x + if right { 7 } else { -7 }, y, &text, out);
                said = here;
            }
        }
        let names: BTreeMap<_, _> =
            self.scene.cast.iter().enumerate().map(|(at, &name)| (name, at)).collect();
        for (place, moment) in self.moments() {
            let Some((words, class)) = self.words(moment) else { continue };
            let column = moment.peer.and_then(|peer| names.get(&peer)).and_then(|&peer| self.layout.x(peer));
            let across = matches!(moment.ev, Ev::Check | Ev::Partition | Ev::Heal | Ev::Hold | Ev::Release);
            let y = self.layout.down(place);
            match column.filter(|_| !across) {
                Some(x) => {
                    let words = cut(&words, 40);
                    let length = i64::try_from(words.chars().count()).unwrap_or(i64::MAX) * CHARACTER;
                    // Beside the last columns it stands on the other side.
                    if x + 7 + length > self.layout.width && x > length {
                        self.text(&format!("\"{class} f\""), x - 7, y + 4, &words, out);
                    } else {
                        self.text(class, x + 7, y + 4, &words, out);
                    }
                }
                None => self.text(class, self.layout.left + 4, y + 11, &cut(&words, 120), out),
            }
        }
    }

    /// What is said of a moment that is no message, and in which look.
    fn words(&self, moment: &Moment) -> Option<(String, &'static str)> {
        let with = moment.with.map(|with| format!(" {with}")).unwrap_or_default();
        let text = || moment.text.as_ref().map(Untrusted::display).unwrap_or_default();
        if is_failure(moment) && moment.ev != Ev::Test {
            let failure = crate::report::failure::describe(moment, None, &self.play.head.script);
            return Some((format!("✗ {}", failure.heading), "k"));
        }
        let always = match moment.ev {
            Ev::Crash => "✗ crashed".into(),
            Ev::Restart => "restarted".into(),
            Ev::Partition | Ev::Hold | Ev::Heal | Ev::Release => network(moment),
            Ev::Check if more(moment).verdict == Some(Verdict::Pass) => format!("✓ {}", text()),
            Ev::Note if moment.peer.is_none() => text(),
            _ if !self.layout.labelled => return None,
            Ev::Left => format!("{} left", with.trim()),
            Ev::Lost => format!("lost{with}"),
            Ev::Refused => format!("refused{with}"),
            Ev::Timeout => format!("no answer{with}"),
            Ev::Disconnect => format!("disconnected{with}"),
            Ev::Exit => "exits".into(),
            Ev::Cut | Ev::Split => network(moment),
            Ev::Out => format!("prints {}", text()),
            Ev::In => format!("reads {}", text()),
            Ev::Note => text(),
            _ => return None,
        };
        Some((always, "n"))
    }

    fn text(&self, class: &str, x: i64, y: i64, text: &str, out: &mut String) {
        push(out, format_args!("<text class={class} x={x} y={y}>"));
        escape_html(text, out);
        out.push_str("</text>\n");
    }
}

/// A line from here, so far aside and down, with a head; among thousands half a head will do.
fn head(aside: i64, down: i64, whole: bool, path: &mut String) {
    let length = (aside * aside + down * down).isqrt().max(1);
    let (along, across) = ((7 * aside / length, 7 * down / length), (-3 * down / length, 3 * aside / length));
    let (one, other) = ((across.0 - along.0, across.1 - along.1), (-across.0 - along.0, -across.1 - along.1));
    push(path, format_args!("l{aside} {down}"));
    pair(one, path);
    if whole {
        path.push('m');
        push(path, format_args!("{}", other.0 - one.0));
        number(other.1 - one.1, path);
        pair((-other.0, -other.1), path);
    }
}

/// Two numbers more for what went before; a sign separates as well as a blank.
fn pair((x, y): (i64, i64), path: &mut String) {
    number(x, path);
    number(y, path);
}

fn number(value: i64, path: &mut String) {
    push(path, format_args!("{}{value}", if value < 0 { "" } else { " " }));
}

fn path(class: &str, data: &str, out: &mut String) {
    if !data.is_empty() {
        push(out, format_args!("<path class={class} d=\"{data}\" />\n"));
    }
}

/// At most so many characters of visible text.
pub(super) fn cut(text: &str, most: i64) -> String {
    let most = usize::try_from(most).unwrap_or(0).max(2);
    let text = escape_display(text);
    match text.char_indices().nth(most) {
        None => text,
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

pub(super) fn push(out: &mut String, what: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(what);
    debug_assert!(written.is_ok(), "a String takes any number of bytes");
}

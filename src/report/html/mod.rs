//! A run as one page: the verdict and the way to see it again on top, what failed first, then each
//! world with a picture and its messages as a table. No script, no network, nothing from elsewhere;
//! it prints on paper. Text leaves its wrapper through `escape_html` alone, and nothing that anybody
//! chose stands in a tag.

mod layout;
mod picture;

#[cfg(test)]
mod tests;

use crate::limits::SHOWN_MAX;
use crate::play::{Moment, Play, Verdict, WorldKind};
use crate::report::failure::{Failure, of_case};
use crate::report::scene::{Arrow, Fate, Scene, scenes};
use crate::report::verdict::{Case, Judgement, judge, more, number, word};
use crate::text::{Untrusted, escape_html};
use layout::ARROWS_MAX;
use picture::{cut, push};

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded and nothing runs, whatever might have got into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// More messages than this stand in a table that is closed at first: laying it out takes time.
const OPEN_MAX: usize = 500;
/// Bytes that all rows of messages together may take, roughly: what is said is cut for that, and the
/// whole page of ten thousand messages stays below a megabyte.
const ROWS_BYTES: usize = 700_000;

/// All of a run.
pub fn write(play: &Play) -> String {
    let judgement = judge(play);
    let mut out = String::with_capacity(64 * 1024 + play.moments.len() * 60);
    out.push_str("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\n");
    push(&mut out, format_args!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n"));
    out.push_str("<meta name=viewport content=\"width=device-width\"><title>");
    text(&title(play), &mut out);
    push(
        &mut out,
        format_args!(": {}</title>\n<style>\n{STYLE}</style></head><body>\n", word(judgement.verdict)),
    );
    top(play, &judgement, &mut out);
    failures(play, &judgement, &mut out);
    overview(&judgement, &mut out);
    let mut cases = judgement.cases.iter().filter(|case| !case.whole);
    let scenes = scenes(play);
    let count: usize = scenes.iter().map(|scene| scene.arrows.len()).sum();
    let row = ROWS_BYTES / count.max(1);
    for (place, scene) in scenes.iter().enumerate() {
        let case = if scene.title.is_some() { cases.next() } else { None };
        push(&mut out, format_args!("<h2 id=s{place}>"));
        section(play, scene, case, row, &mut out);
    }
    out.push_str("</body></html>\n");
    out
}

fn title(play: &Play) -> String {
    let script = play.head.script.display();
    if script.is_empty() { "a session".into() } else { script }
}

fn top(play: &Play, judgement: &Judgement<'_>, out: &mut String) {
    let head = &play.head;
    out.push_str("<h1>");
    text(&title(play), out);
    let class = judgement.verdict.word();
    push(out, format_args!("</h1>\n<p class=\"verdict {class}\">{} ", mark(judgement.verdict)));
    text(&judgement.sentence(), out);
    out.push_str("</p>\n");
    if let Some(command) = command(play) {
        out.push_str("<p class=dim>To see it again:</p><pre>");
        text(&command, out);
        out.push_str("</pre>\n");
    }
    out.push_str("<dl>");
    let world = match head.world {
        WorldKind::Sim => "imaginary (sim): made-up network and time, the same for every run of a seed",
        WorldKind::Tcp => "sockets (tcp)",
    };
    pair("seed", &head.seed.to_string(), out);
    pair("world", world, out);
    if head.timed {
        pair("timed", "some peers were not ours, so waits went by the clock", out);
    }
    if !head.hash.is_empty() {
        pair("script", &format!("BLAKE2s-256 {}", head.hash), out);
    }
    if let Some(end) = &play.end {
        pair("ended", &format!("after {} s, exit code {}", seconds(end.at), end.result), out);
        if let Some(trace) = end.trace {
            pair("trace", &format!("{trace:016x}"), out);
        }
    }
    pair("hobnob", &head.hobnob, out);
    out.push_str("</dl>\n");
}

/// What plays it again. What came from a prompt has no script to play.
pub(crate) fn command(play: &Play) -> Option<String> {
    let script = play.head.script.expose();
    let script = if script.starts_with('-') { format!("./{script}") } else { script.to_owned() };
    let quoted = shlex::try_quote(&script).ok().filter(|_| !script.is_empty())?;
    let tcp = if play.head.world == WorldKind::Tcp { " --tcp" } else { "" };
    Some(format!("hobnob run{tcp} {quoted} --seed {}", play.head.seed))
}

fn failures(play: &Play, judgement: &Judgement<'_>, out: &mut String) {
    for case in judgement.cases.iter().filter(|case| case.verdict != Verdict::Pass) {
        out.push_str("<article><h3>");
        push(out, format_args!("<span class={}>{} ", case.verdict.word(), mark(case.verdict)));
        name(case.name, out);
        push(out, format_args!("</span> <small>{}{}</small></h3>\n", word(case.verdict), points(case)));
        for failure in of_case(play, case) {
            failed(&failure, out);
        }
        out.push_str("</article>\n");
    }
}

fn failed(failure: &Failure, out: &mut String) {
    out.push_str("<p>");
    text(&failure.heading, out);
    out.push_str("</p>\n<dl>");
    for (label, words) in failure.details.iter().filter(|(label, _)| *label != "line") {
        pair(label, words, out);
    }
    out.push_str("</dl>\n");
    for (_, line) in failure.details.iter().filter(|(label, _)| *label == "line") {
        out.push_str("<pre>");
        text(line, out);
        out.push_str("</pre>\n");
    }
}

fn overview(judgement: &Judgement<'_>, out: &mut String) {
    if judgement.cases.iter().all(|case| case.whole) {
        return;
    }
    out.push_str("<h2>Tests</h2>\n<table>");
    for case in &judgement.cases {
        let (class, sign) = (case.verdict.word(), mark(case.verdict));
        push(out, format_args!("<tr><td class={class}>{sign} {}<td>", word(case.verdict)));
        name(case.name, out);
        push(out, format_args!("<td>{}\n", points(case).trim_start_matches(", ")));
    }
    out.push_str("</table>\n");
}

fn section(play: &Play, scene: &Scene<'_>, case: Option<&Case<'_>>, row: usize, out: &mut String) {
    match (case, scene.title) {
        (Some(case), _) => {
            push(out, format_args!("<span class={}>{}</span> ", case.verdict.word(), mark(case.verdict)));
            name(case.name, out);
            push(out, format_args!(" <small>{}{}</small>", word(case.verdict), points(case)));
        }
        (None, Some(title)) => name(title, out),
        (None, None) => out.push_str("The run"),
    }
    out.push_str("</h2>\n");
    if !scene.cast.is_empty() {
        picture::draw(play, scene, out);
    }
    if !scene.arrows.is_empty() {
        messages(scene, row, out);
    }
}

fn messages(scene: &Scene<'_>, row: usize, out: &mut String) {
    let count = scene.arrows.len();
    let open = if count <= OPEN_MAX { " open" } else { "" };
    let what = if count == 1 { "message" } else { "messages" };
    push(out, format_args!("<details{open}><summary>{count} {what}</summary>\n<table class=msgs>"));
    out.push_str("<tr><th>sent, s<th>took, ms<th>who<th>what\n");
    for arrow in scene.arrows.iter().take(ARROWS_MAX) {
        message(scene, arrow, row, out);
    }
    out.push_str("</table>");
    if let Some(more) = count.checked_sub(ARROWS_MAX).filter(|&more| more > 0) {
        push(out, format_args!("<p>{more} messages more are in the events of this run.</p>"));
    }
    out.push_str("</details>\n");
}

/// A row of about so many bytes.
fn message(scene: &Scene<'_>, arrow: &Arrow<'_>, row: usize, out: &mut String) {
    let moment = |place: usize| scene.moments.get(place).map(|&(_, moment)| moment);
    let sent = moment(arrow.sent).map_or(0, |sent| sent.at);
    let (class, took) = match arrow.fate {
        Fate::Read(at) | Fate::Arrived(at) => ("", moment(at).map_or(0, |end| end.at).saturating_sub(sent)),
        Fate::Written(_) | Fate::UnderWay => ("", 0),
        Fate::Dropped(_) => (" class=x", 0),
    };
    let begun = out.len();
    push(out, format_args!("<tr{class}><td>{}<td>", seconds(sent)));
    match arrow.fate {
        Fate::Read(_) | Fate::Arrived(_) if took >= 100_000 => push(out, format_args!("{}", took / 1_000)),
        Fate::Read(_) | Fate::Arrived(_) => {
            push(out, format_args!("{}.{}", took / 1_000, took % 1_000 / 100))
        }
        Fate::Written(_) => out.push_str("unconfirmed"),
        Fate::UnderWay => out.push_str("under way"),
        Fate::Dropped(_) => out.push_str("× lost"),
    }
    out.push_str("<td>");
    let peer = |peer: usize| scene.cast.get(peer).map(|name| name.as_str()).unwrap_or_default();
    let names = if row < 2 * SHOWN_MAX { 12 } else { 32 };
    text(&cut(peer(arrow.from), names), out);
    out.push('→');
    text(&cut(peer(arrow.to), names), out);
    if let Some(msg) = arrow.msg {
        push(out, format_args!(" #{msg}"));
    }
    out.push_str("<td>");
    if moment(arrow.sent).is_some_and(|sent| sent.plain) {
        out.push_str("[plain] ");
    }
    let room = row.saturating_sub(out.len() - begun).clamp(12, SHOWN_MAX);
    fit(arrow.text.map(Untrusted::expose).unwrap_or_default(), room, out);
    if let Some(why) = dropped(scene, arrow).and_then(|drop| more(drop).why.as_deref()) {
        out.push_str(" (");
        text(why, out);
        out.push(')');
    }
    out.push('\n');
}

fn dropped<'a>(scene: &Scene<'a>, arrow: &Arrow<'_>) -> Option<&'a Moment> {
    match arrow.fate {
        Fate::Dropped(at) => scene.moments.get(at).map(|&(_, moment)| moment),
        _ => None,
    }
}

fn pair(label: &str, value: &str, out: &mut String) {
    push(out, format_args!("<dt>{label}<dd>"));
    text(value, out);
    out.push('\n');
}

fn name(name: &Untrusted<std::sync::Arc<str>>, out: &mut String) {
    shown(name.expose(), out);
}

/// As much of it as a page shows.
fn shown(long: &str, out: &mut String) {
    text(&cut(long, i64::try_from(SHOWN_MAX).unwrap_or(i64::MAX)), out);
}

/// The same, in at most so many bytes of the page.
fn fit(long: &str, bytes: usize, out: &mut String) {
    let mut shown = String::new();
    text(long, &mut shown);
    if shown.len() <= bytes {
        out.push_str(&shown);
        return;
    }
    let mut most = i64::try_from(bytes.min(shown.len())).unwrap_or(i64::MAX);
    loop {
        shown.clear();
        text(&cut(long, most), &mut shown);
        if shown.len() <= bytes + '…'.len_utf8() || most <= 2 {
            out.push_str(&shown);
            return;
        }
        most = most * 3 / 4;
    }
}

fn text(text: &str, out: &mut String) {
    escape_html(text, out);
}

fn points(case: &Case<'_>) -> String {
    match (case.got, case.points) {
        (Some(got), Some(points)) => format!(", {} of {} points", number(got), number(points)),
        _ => String::new(),
    }
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Flaky => "~",
    }
}

fn seconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000_000, us % 1_000_000 / 1_000)
}

//! Writes the lines of a run, a moment at a time. Decides the order of the fields; a field that says
//! nothing is left out.

use blake2::{Blake2s256, Digest};

use super::VERSION;
use crate::id::Name;
use crate::play::{End, Head, Moment, More, Play};
use crate::report::line::{Line, put_number, put_seconds};
use crate::text::Untrusted;
use crate::text::hex;

/// Writes the lines of one run.
#[derive(Default)]
pub struct Writer {
    lines: u64,
    hash: Blake2s256,
}

/// All of a run.
pub fn write(play: &Play) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::default();
    writer.header(&play.head, &mut out);
    for moment in &play.moments {
        writer.moment(moment, &mut out);
    }
    if let Some(end) = &play.end {
        writer.end(end, &mut out);
    }
    out
}

impl Writer {
    /// The first line.
    pub fn header(&mut self, head: &Head, out: &mut Vec<u8>) {
        let from = out.len();
        let mut line = self.begin("header", 0, out);
        line.text("hobnob", &head.hobnob);
        line.text("world", head.world.word());
        untrusted(&mut line, "script", &head.script);
        line.text("hash", &head.hash);
        line.number("seed", head.seed);
        if head.timed {
            line.flag("timed");
        }
        if let Some(wall) = head.wall {
            line.name("wall");
            line.0.extend_from_slice(wall.to_string().as_bytes());
        }
        line.end();
        self.hash.update(&out[from..]);
    }

    /// The next line.
    pub fn moment(&mut self, moment: &Moment, out: &mut Vec<u8>) {
        let from = out.len();
        let mut line = self.begin(moment.ev.word(), moment.at, out);
        for (name, who) in [("peer", moment.peer), ("with", moment.with)] {
            if let Some(who) = who {
                // Names have no character that JSON escapes.
                line.name(name);
                put_name(who, line.0);
            }
        }
        for (name, set) in [("plain", moment.plain), ("auto", moment.auto)] {
            if set {
                line.flag(name);
            }
        }
        if let Some(msg) = moment.msg {
            line.number("msg", msg);
        }
        if let Some(text) = &moment.text {
            untrusted(&mut line, "text", text);
        }
        if let Some(number) = moment.line {
            line.number("line", number.into());
        }
        if let Some(cause) = moment.cause {
            // The header is line 0.
            line.number("cause", cause.saturating_add(1));
        }
        if moment.lam > 0 {
            line.number("lam", moment.lam);
        }
        if let Some(more) = &moment.more {
            put_more(&mut line, more);
        }
        line.end();
        self.hash.update(&out[from..]);
    }

    /// The last line.
    pub fn end(&mut self, end: &End, out: &mut Vec<u8>) {
        let hash = hex(&self.hash.clone().finalize());
        let mut line = self.begin("end", end.at, out);
        line.number("result", end.result.into());
        if let Some(trace) = end.trace {
            line.text("trace", &format!("{trace:016x}"));
        }
        line.text("hash", &hash);
        line.end();
    }

    fn begin<'a>(&mut self, ev: &str, at: u64, out: &'a mut Vec<u8>) -> Line<'a> {
        out.extend_from_slice(b"{\"v\":");
        put_number(VERSION, out);
        out.extend_from_slice(b",\"n\":");
        put_number(self.lines, out);
        out.extend_from_slice(b",\"t\":");
        put_seconds(at, out);
        out.extend_from_slice(b",\"ev\":\"");
        out.extend_from_slice(ev.as_bytes());
        out.push(b'"');
        self.lines += 1;
        Line(out)
    }
}

fn put_more(line: &mut Line<'_>, more: &More) {
    if let Some(why) = &more.why {
        line.text("why", why);
    }
    if let Some(verdict) = more.verdict {
        line.text("verdict", verdict.word());
    }
    for (name, value) in [("points", more.points), ("got", more.got)] {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            line.name(name);
            line.0.extend_from_slice(format!("{value:?}").as_bytes());
        }
    }
    if let Some(sides) = &more.sides {
        line.name("sides");
        list(line.0, sides, |names, out| list(out, names, |&name, out| put_name(name, out)));
    }
    if more.one_way {
        line.flag("one_way");
    }
    if let Some(expected) = &more.expected {
        untrusted(line, "expected", expected);
    }
    if !more.unread.is_empty() {
        line.name("unread");
        list(line.0, &more.unread, |text, out| text.json(out));
    }
    for (name, text) in [("quote", &more.quote), ("file", &more.file)] {
        if let Some(text) = text {
            untrusted(line, name, text);
        }
    }
}

fn untrusted(line: &mut Line<'_>, name: &str, text: &Untrusted<std::sync::Arc<str>>) {
    line.name(name);
    text.json(line.0);
}

fn put_name(name: Name, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_str().as_bytes());
    out.push(b'"');
}

fn list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        put(item, out);
    }
    out.push(b']');
}

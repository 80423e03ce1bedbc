//! Events as lines of JSON, version 1: `{"v":1,"n":3,"t":0.024110,"ev":"recv","peer":"alice",…}`.
//! `n` counts lines from 0, `t` is seconds since the first, `peer` is who of ours saw it, `with` who
//! it is about, `key` the first eight digits of that one's key, `msg` a message's number. A first
//! line with `"ev":"header"`, a last one with `"ev":"end"`.

use std::net::SocketAddr;

use crate::api::event::{Event, What, Who};
use crate::api::reply::{LogEntry, PeerRow, Reply};
use crate::id::{Name, PeerId};
use crate::report::line::{Line, hex, put_number, put_seconds};
use crate::time::Mono;
use crate::why::Why;

/// Writes the lines of one run.
pub struct Ndjson {
    lines: u64,
    origin: Mono,
    me: Name,
}

impl Ndjson {
    /// For the node called `me`; times count from `origin`.
    pub fn new(me: Name, origin: Mono) -> Self {
        Self { lines: 0, origin, me }
    }

    /// From now on we are called so.
    pub fn rename(&mut self, me: Name) {
        self.me = me;
    }

    /// The first line: what wrote this, and in which world.
    pub fn header(&mut self, now: Mono, out: &mut Vec<u8>) {
        let mut line = self.begin("header", now, out);
        line.text("hobnob", env!("CARGO_PKG_VERSION"));
        line.text("world", "tcp");
        line.end();
    }

    /// Where we listen.
    pub fn listen(&mut self, now: Mono, addr: SocketAddr, out: &mut Vec<u8>) {
        let mut line = self.begin("listen", now, out);
        line.text("addr", &addr.to_string());
        line.end();
    }

    /// One line for most events; a line for each message that an event is about.
    pub fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let at = event.at.mono;
        match &event.what {
            What::Joined { who, listens, dialled } => {
                let mut line = self.about(if *dialled { "connect" } else { "accept" }, at, who, out);
                line.addr(*listens);
                line.end();
            }
            What::Left { who, ours } => {
                self.about(if *ours { "disconnect" } else { "left" }, at, who, out).end()
            }
            What::Lost { who, why } => {
                let mut line = self.about("lost", at, who, out);
                line.why(*why);
                line.end();
            }
            What::Renamed { who, before } => {
                let mut line = self.about("note", at, who, out);
                line.text("text", "renamed");
                line.text("before", before.as_str());
                line.end();
            }
            What::Superseded { who, by } => {
                let mut line = self.about("note", at, who, out);
                line.text("text", "superseded");
                if let PeerId::Native(key) = by.id {
                    line.text("by", &key.short());
                }
                line.end();
            }
            What::KeyChanged { who, at: addr, shown, .. } => {
                let mut line = self.about("refused", at, who, out);
                line.addr(*addr);
                line.why(Why::KeyChanged);
                line.text("shown", &shown.to_string());
                line.text("words", &shown.words());
                line.end();
            }
            What::Missed { from, count } => {
                let mut line = self.about("note", at, from, out);
                line.text("text", "missed");
                line.number("count", *count);
                line.end();
            }
            What::SetBack { by } => {
                let mut line = self.about("note", at, by, out);
                line.text("text", "set back");
                line.end();
            }
            What::Kept { to, count } => {
                let mut line = self.about("note", at, to, out);
                line.text("text", "kept");
                line.number("count", *count as u64);
                line.end();
            }
            What::StoreFailed(fault) => self.note(at, "note", &fault.to_string(), out),
            What::StoreWorks => self.note(at, "note", "what happens is saved again", out),
            What::Message(message) => {
                let mut line = self.about("recv", at, &message.from, out);
                line.number("msg", message.seq);
                line.name("text");
                message.text.json(line.0);
                if message.auto {
                    line.flag("auto");
                }
                if let Some(claim) = &message.claim {
                    line.name("claim");
                    claim.json(line.0);
                }
                line.end();
            }
            What::Delivered { to, first, last } => {
                for seq in *first..=*last {
                    // Of a plain peer nothing is known but that it was written.
                    let mut line =
                        self.about(if to.id.is_plain() { "send" } else { "delivered" }, at, to, out);
                    line.number("msg", seq);
                    line.end();
                }
            }
            What::Failed { to, first, last, why } => {
                for seq in *first..=*last {
                    let mut line = self.about("drop", at, to, out);
                    line.number("msg", seq);
                    line.why(*why);
                    line.end();
                }
            }
            What::Unreachable { who, at: address, why, retry } => {
                let ev = match why {
                    Why::Refused => "refused",
                    Why::TimedOut => "timeout",
                    _ => "lost",
                };
                let mut line = match who {
                    Some(who) => self.about(ev, at, who, out),
                    None => self.begin(ev, at, out),
                };
                line.text("addr", &address.to_string());
                line.why(*why);
                if let Some(retry) = retry {
                    line.seconds("retry", *retry);
                }
                line.end();
            }
            What::Dropped { from, why } => {
                let mut line = self.begin("refused", at, out);
                line.addr(*from);
                line.why(*why);
                line.end();
            }
            What::Leaving => self.begin("exit", at, out).end(),
        }
    }

    /// What came of a command. Messages are `queued`; the rest is a `reply` with its own fields.
    pub fn reply(&mut self, now: Mono, reply: &Reply, out: &mut Vec<u8>) {
        match reply {
            Reply::Queued { to, seq, .. } => self.queued(now, to, *seq, out),
            Reply::Broadcast(told) => told.iter().for_each(|(who, seq)| self.queued(now, who, *seq, out)),
            Reply::Peers(rows) => {
                for row in rows {
                    self.row(now, row, out);
                }
            }
            Reply::Connected { who, already } => {
                let mut line = self.about("reply", now, who, out);
                line.text("state", "connected");
                if *already {
                    line.flag("already");
                }
                line.end();
            }
            Reply::ConnectedKnown { connected, failed } => {
                for who in connected {
                    let mut line = self.about("reply", now, who, out);
                    line.text("state", "connected");
                    line.end();
                }
                for (who, why) in failed {
                    let mut line = self.about("reply", now, who, out);
                    line.why(*why);
                    line.end();
                }
            }
            Reply::Kept(_) | Reply::Disconnected(_) | Reply::Goodbye => {}
            Reply::Pong(who, rtt) => {
                let mut line = self.about("reply", now, who, out);
                line.seconds("rtt", *rtt);
                line.end();
            }
            Reply::Whois(whois) => {
                let mut line = self.about("reply", now, &whois.row.who, out);
                line.addr(whois.row.listens);
                line.text("state", whois.row.state.word());
                line.text("dialect", whois.dialect);
                line.text("trust", whois.row.who.trust.word());
                if let Some(key) = whois.key {
                    line.text("full_key", &key.to_string());
                    line.text("words", &key.words());
                }
                line.number("received", whois.received);
                line.number("sent", whois.sent);
                line.end();
            }
            Reply::Trusted { who, key } => {
                let mut line = self.about("reply", now, who, out);
                line.text("full_key", &key.to_string());
                line.text("words", &key.words());
                line.text("trust", who.trust.word());
                line.end();
            }
            Reply::Log(entries) => {
                for entry in entries {
                    self.entry(now, entry, out);
                }
            }
            Reply::Aliased(who) => self.about("reply", now, who, out).end(),
            Reply::Ignored(who, ignored) => {
                let mut line = self.about("reply", now, who, out);
                line.name("ignored");
                line.0.extend_from_slice(if *ignored { b"true" } else { b"false" });
                line.end();
            }
            Reply::Me(me) => {
                let mut line = self.begin("reply", now, out);
                line.text("name", me.name.as_str());
                line.text("full_key", &me.key.to_string());
                line.text("words", &me.key.words());
                line.addr(me.listens);
                line.end();
            }
            Reply::Status(status) => {
                let mut line = self.begin("reply", now, out);
                line.seconds("uptime", status.uptime);
                for (name, value) in [
                    ("links", status.links as u64),
                    ("connected", status.connected as u64),
                    ("known", status.known as u64),
                    ("received", status.received),
                    ("sent", status.sent),
                    ("delivered", status.delivered),
                    ("queued", status.queued as u64),
                    ("repeated", status.repeated),
                    ("bytes_in", status.bytes_in),
                    ("bytes_out", status.bytes_out),
                    ("records_out", status.records_out),
                    ("dropped", status.dropped),
                    ("ignored", status.ignored),
                    ("broken", status.broken),
                    ("false_receipts", status.false_receipts),
                    ("conflicts", status.conflicts),
                ] {
                    line.number(name, value);
                }
                line.end();
            }
        }
    }

    /// Something that a front end has to say in its own words.
    pub fn note(&mut self, now: Mono, ev: &str, text: &str, out: &mut Vec<u8>) {
        let mut line = self.begin(ev, now, out);
        line.text("text", text);
        line.end();
    }

    /// The last line.
    pub fn end(&mut self, now: Mono, code: u8, out: &mut Vec<u8>) {
        let mut line = self.begin("end", now, out);
        line.number("result", code.into());
        line.end();
    }

    fn queued(&mut self, now: Mono, to: &Who, seq: u64, out: &mut Vec<u8>) {
        let mut line = self.about("queued", now, to, out);
        line.number("msg", seq);
        line.end();
    }

    fn entry(&mut self, now: Mono, entry: &LogEntry, out: &mut Vec<u8>) {
        let mut line = self.about("reply", now, &entry.who, out);
        if entry.ours {
            line.flag("ours");
        }
        line.text("state", entry.state.word());
        line.text("at", &entry.at.date());
        line.name("text");
        entry.text.json(line.0);
        line.end();
    }

    fn row(&mut self, now: Mono, row: &PeerRow, out: &mut Vec<u8>) {
        let mut line = self.about("reply", now, &row.who, out);
        line.addr(row.listens);
        line.text("state", row.state.word());
        line.text("trust", row.who.trust.word());
        if let Some(rtt) = row.rtt {
            line.seconds("rtt", rtt);
        }
        if let Some(heard) = row.heard {
            line.seconds("heard", heard);
        }
        line.number("queued", row.queued as u64);
        if row.ignored {
            line.flag("ignored");
        }
        line.end();
    }

    fn begin<'a>(&mut self, ev: &str, at: Mono, out: &'a mut Vec<u8>) -> Line<'a> {
        let us = at.0.saturating_sub(self.origin.0);
        out.extend_from_slice(b"{\"v\":1,\"n\":");
        put_number(self.lines, out);
        out.extend_from_slice(b",\"t\":");
        put_seconds(us, out);
        out.extend_from_slice(b",\"ev\":\"");
        out.extend_from_slice(ev.as_bytes());
        out.extend_from_slice(b"\",\"peer\":\"");
        out.extend_from_slice(self.me.as_str().as_bytes());
        out.push(b'"');
        self.lines += 1;
        Line(out)
    }

    fn about<'a>(&mut self, ev: &str, at: Mono, who: &Who, out: &'a mut Vec<u8>) -> Line<'a> {
        let mut line = self.begin(ev, at, out);
        // Names have no character that JSON escapes.
        line.0.extend_from_slice(b",\"with\":\"");
        line.0.extend_from_slice(who.name.as_str().as_bytes());
        line.0.push(b'"');
        match who.id {
            PeerId::Native(key) => {
                line.0.extend_from_slice(b",\"key\":\"");
                for byte in &key.0[..4] {
                    line.0.extend_from_slice(&[hex(byte >> 4), hex(byte & 15)]);
                }
                line.0.push(b'"');
            }
            PeerId::Plain(_) => line.flag("plain"),
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::command::Dialect;
    use crate::api::event::Message;
    use crate::api::reply::Trust;
    use crate::key::PeerKey;
    use crate::text::{Body, Untrusted};
    use crate::time::{Now, Wall};

    #[test]
    fn hostile_text_stays_one_line_of_json() {
        let text = "a\"b\\c\n{\"ev\":\"end\"}\u{1b}[2J\u{202e}";
        let from = Who {
            id: PeerId::Native(PeerKey([0xab; 32])),
            name: Name::new("bob").expect("a name"),
            twin: false,
            trust: Trust::FirstUse,
        };
        let body = Untrusted::new(Body::new(text).expect("a body"));
        let dialect = Dialect::Native;
        let message = Message { from, seq: 7, id: None, text: body, auto: false, dialect, claim: None };
        let at = Now { mono: Mono(1_024_110), wall: Wall(0) };
        let mut out = Vec::new();
        let mut lines = Ndjson::new(Name::new("alice").expect("a name"), Mono(1_000_000));
        lines.event(&Event { at, what: What::Message(message) }, &mut out);
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
        let line: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(line["text"], text);
        assert_eq!(
            (&line["ev"], &line["with"], &line["key"]),
            (&"recv".into(), &"bob".into(), &"abababab".into())
        );
        assert_eq!(
            (line["n"].as_u64(), line["t"].as_f64(), line["msg"].as_u64()),
            (Some(0), Some(0.02411), Some(7))
        );
    }
}

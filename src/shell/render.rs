//! How events and answers look on a terminal or in a pipe: lines of text. What a peer wrote always
//! follows its name in angle brackets, and its further lines stand behind a gutter, so that nothing
//! it writes looks like a line of ours; ours begin with `*`. Nothing is said by colour alone.

use anstyle::{AnsiColor, Style};
use std::net::SocketAddr;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

use crate::addr::Address;
use crate::api::command::Dialect;
use crate::api::event::{Event, Message, What, Who};
use crate::api::reply::{PeerRow, Reply, Status, Whois};
use crate::id::PeerId;
use crate::report::hue;
use crate::shell::kept::{unsure, worth};
use crate::time::Wall;
use crate::why::Why;

/// What is shown, and whether in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// With escape sequences for colour.
    pub color: bool,
    /// The same, when nobody says otherwise.
    pub auto_color: bool,
    /// The time of day, in UTC, before each line.
    pub times: bool,
    /// That messages of ours were delivered.
    pub receipts: bool,
    /// Who comes and goes.
    pub news: bool,
    /// Links that never became a peer.
    pub details: bool,
}

impl Look {
    /// The lines for an event; none when it is not to be shown.
    pub fn event(&self, event: &Event) -> Vec<String> {
        let lines = match &event.what {
            What::Message(message) => self.message(message),
            What::Delivered { .. } if !self.receipts => Vec::new(),
            What::Delivered { to, first, last } => {
                let (mark, what) = match to.id {
                    PeerId::Native(_) => ("✓✓", "delivered"),
                    PeerId::Plain(_) => ("✓", "sent, not confirmed"),
                };
                vec![self.dim(&format!("{mark} {} {} {what}", self.who(to), numbers(*first, *last)))]
            }
            What::Failed { to, first, last, why } => {
                vec![self.bad(&format!("✗ {} {} not delivered: {why}", self.who(to), numbers(*first, *last)))]
            }
            What::Dropped { .. } if !self.details => Vec::new(),
            What::Dropped { from, why } => {
                let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
                vec![self.news(&format!("closed a link{from}: {why}"))]
            }
            What::Unreachable { who, at, why, retry } => vec![self.unreachable(who.as_ref(), at, *why, *retry)],
            What::KeyChanged { who, at, pinned, shown } => self.key_changed(who, *at, *pinned, *shown),
            What::Missed { from, count: missed } => {
                let missed = count(usize::try_from(*missed).unwrap_or(usize::MAX), "earlier message");
                vec![self.news(&format!(
                    "{missed} of {} never came here: given up, or delivered to a former installation",
                    self.who(from)
                ))]
            }
            What::SetBack { by } => vec![self.news(&format!(
                "{} has messages of yours that are forgotten here: this store was set back; what waits is sent anew",
                self.who(by)
            ))],
            What::Kept { to, count: waiting } => {
                vec![self.news(&format!("{} for {} queued until you both run", stays(*waiting), self.who(to)))]
            }
            What::StoreFailed(fault) => vec![self.bad(&format!("✗ {fault}: nothing is promised until it does"))],
            What::StoreWorks => vec![self.news("what happens is saved again")],
            What::Superseded { who, by } => {
                vec![self.news(&format!("{} listens where {} did", self.keyed(by), self.keyed(who)))]
            }
            _ if !self.news => Vec::new(),
            What::Joined { who, listens, .. } => {
                let at = listens.map(|at| format!(" at {at}")).unwrap_or_default();
                vec![self.news(&format!("{} joined{at}", self.who(who)))]
            }
            // The answer to the command says so.
            What::Left { ours: true, .. } => Vec::new(),
            What::Left { who, ours: false } => vec![self.news(&format!("{} left", self.who(who)))],
            What::Lost { who, why } => vec![self.news(&format!("lost {}: {why}", self.who(who)))],
            What::Renamed { who, before } => vec![self.news(&format!("{before} is now {}", self.who(who)))],
            What::Leaving => Vec::new(),
        };
        if self.times {
            let clock = clock(event.at.wall);
            return lines.into_iter().map(|line| format!("{} {line}", self.dim(&clock))).collect();
        }
        lines
    }

    /// The lines for an answer.
    pub fn reply(&self, reply: &Reply) -> Vec<String> {
        match reply {
            Reply::Queued { to, seq, connected: false } => {
                vec![self.dim(&format!(
                    "✓ {} #{seq} queued; it goes out when {} is back",
                    self.who(to),
                    to.name
                ))]
            }
            // That it was delivered is said when it is.
            Reply::Queued { .. } | Reply::Kept(_) | Reply::Goodbye => Vec::new(),
            Reply::Broadcast(told) => vec![self.dim(&format!(
                "✓ to {}: {}",
                count(told.len(), "peer"),
                self.list(told.iter().map(|(who, _)| who))
            ))],
            Reply::Peers(rows) => self.peers(rows),
            Reply::Connected { who, already: true } => {
                vec![self.news(&format!("{} is connected already", self.who(who)))]
            }
            // The event says so.
            Reply::Connected { .. } | Reply::Aliased(_) => Vec::new(),
            Reply::Disconnected(told) => {
                vec![self.news(&format!("disconnected from {}", self.list(told.iter())))]
            }
            Reply::ConnectedKnown { connected, failed } => {
                let mut lines = vec![self.news(&format!(
                    "{} connected: {}",
                    count(connected.len(), "peer"),
                    self.list(connected.iter())
                ))];
                lines
                    .extend(failed.iter().map(|(who, why)| self.bad(&format!("✗ {}: {why}", self.who(who)))));
                lines
            }
            Reply::Pong(who, rtt) => {
                vec![self.news(&format!("pong from {} in {}", self.who(who), rounded(*rtt)))]
            }
            Reply::Whois(whois) => self.whois(whois),
            Reply::Trusted { who, key } => vec![self.trusted(who, &key.words())],
            Reply::Log(entries) => self.log(entries),
            Reply::Ignored(who, true) => {
                vec![self.news(&format!("ignoring {}: what it says is not shown", self.keyed(who)))]
            }
            Reply::Ignored(who, false) => {
                vec![self.news(&format!("showing what {} says again", self.keyed(who)))]
            }
            Reply::Me(me) => {
                let listens = me.listens.map(|at| format!(", listening on {at}")).unwrap_or_default();
                vec![
                    self.news(&format!("you are {}{listens}", me.name)),
                    format!("  key    {}", me.key),
                    format!("  words  {}", me.key.words()),
                ]
            }
            Reply::Status(status) => status_lines(status),
        }
    }

    /// A line of our own news.
    pub fn news(&self, text: &str) -> String {
        format!("{} {text}", self.paint(Style::new().fg_color(Some(AnsiColor::Cyan.into())), "*"))
    }

    /// A line that something failed.
    pub fn bad(&self, text: &str) -> String {
        self.paint(Style::new().fg_color(Some(AnsiColor::Red.into())), text)
    }

    /// A name in its own hue, with key or address when another has the same name, and marked when
    /// nothing of it is proven.
    pub fn who(&self, who: &Who) -> String {
        let called = match who.id {
            PeerId::Native(_) => who.name.to_string(),
            PeerId::Plain(addr) => called(who, addr),
        };
        let name = self.paint(self.hue(who.id), &called);
        match who.id {
            PeerId::Native(key) if who.twin => format!("{name} ({})", key.short()),
            PeerId::Native(_) => name,
            PeerId::Plain(addr) if who.twin => format!("[plain] {name} ({addr})"),
            PeerId::Plain(_) => format!("[plain] {name}"),
        }
    }

    pub(super) fn keyed(&self, who: &Who) -> String {
        self.who(&Who { twin: true, ..*who })
    }

    fn list<'a>(&self, whos: impl Iterator<Item = &'a Who>) -> String {
        whos.map(|who| self.who(who)).collect::<Vec<_>>().join(", ")
    }

    fn message(&self, message: &Message) -> Vec<String> {
        let who = &message.from;
        let (mark, name) = match who.id {
            PeerId::Native(_) => ("", self.paint(self.hue(who.id), who.name.as_str())),
            PeerId::Plain(addr) => ("[plain] ", self.paint(self.hue(who.id), &called(who, addr))),
        };
        let suffix = match who.id {
            PeerId::Native(key) if who.twin => format!("·{}", key.short()),
            PeerId::Plain(addr) if who.twin => format!("·{addr}"),
            PeerId::Native(_) | PeerId::Plain(_) => String::new(),
        };
        let claim =
            message.claim.as_ref().map(|claim| format!(" (says {})", claim.display())).unwrap_or_default();
        let mut lines = message.text.display_lines().into_iter();
        let first = lines.next().unwrap_or_default();
        let mut shown = vec![format!("{mark}<{name}{suffix}{}>{claim} {first}", unsure(who))];
        shown.extend(lines.map(|line| format!("  | {line}")));
        shown
    }

    fn unreachable(&self, who: Option<&Who>, at: &Address, why: Why, retry: Option<Duration>) -> String {
        let who = who.map(|who| format!("{} is away: ", self.who(who))).unwrap_or_default();
        let hint = match why {
            Why::NotHobnob => format!("; if it is a plain program: connect --classic {at}"),
            _ => String::new(),
        };
        let retry = if retry.is_some() { "; trying again from time to time" } else { "" };
        self.news(&format!("{who}{at} {why}{hint}{retry}"))
    }

    fn peers(&self, rows: &[PeerRow]) -> Vec<String> {
        if rows.is_empty() {
            return vec![self.news("nobody is connected; try: connect :5001")];
        }
        let cells = |row: &PeerRow| {
            let mut notes = Vec::new();
            if row.queued > 0 {
                notes.push(format!("{} queued", row.queued));
            }
            if row.ignored {
                notes.push("ignored".into());
            }
            [
                self.who(&row.who),
                row.listens.map_or_else(|| unlisted(row), |at| at.to_string()),
                row.state.word().to_owned(),
                row.who.trust.word().to_owned(),
                row.rtt.map_or_else(|| "-".into(), rounded),
                row.heard.map_or_else(|| "-".into(), |ago| format!("{} ago", rounded_seconds(ago))),
                notes.join(", "),
            ]
        };
        let header = ["name", "address", "state", "trust", "rtt", "heard", ""].map(str::to_owned);
        let table: Vec<_> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
        let widths: Vec<_> =
            (0..7).map(|at| table.iter().map(|row| width(&row[at])).max().unwrap_or(0)).collect();
        let line = |row: &[String; 7]| {
            let padded: Vec<_> = row
                .iter()
                .zip(&widths)
                .map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))))
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut lines: Vec<_> = table.iter().map(line).collect();
        lines[0] = self.dim(&lines[0]);
        lines
    }

    fn whois(&self, whois: &Whois) -> Vec<String> {
        let row = &whois.row;
        let mut lines = vec![self.who(&row.who)];
        if let Some(claims) = whois.claims {
            lines.push(format!("  calls itself  {claims}"));
        }
        match whois.key {
            Some(key) => {
                lines.push(format!("  key           {key}"));
                lines.push(format!("  words         {}", key.words()));
                lines.push(format!("  trust         {}", worth(row.who.trust, row.who.name)));
            }
            None => lines.push("  key           none: a plain program proves nothing".into()),
        }
        let link = match row.dialect {
            Dialect::Native => "encrypted",
            Dialect::Plain => "plain text: anybody on the way can read and change it",
        };
        lines.push(format!(
            "  address       {}",
            row.listens.map_or_else(|| unlisted(row), |at| at.to_string())
        ));
        lines.push(format!("  state         {}", row.state.word()));
        lines.push(format!("  link          {link}"));
        lines.push(format!("  dialect       {}", whois.dialect));
        if let Some(rtt) = row.rtt {
            lines.push(format!("  round trip    {}", rounded(rtt)));
        }
        let queued = if row.queued > 0 { format!(", {} queued", row.queued) } else { String::new() };
        lines.push(format!("  messages      {} received, {} sent{queued}", whois.received, whois.sent));
        if row.ignored {
            lines.push("  ignored       yes".into());
        }
        lines
    }

    fn hue(&self, id: PeerId) -> Style {
        let number = match id {
            PeerId::Native(key) => usize::from(key.0[0]),
            PeerId::Plain(addr) => usize::from(addr.port()),
        };
        hue::of_name(number)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A duration as people say it.
pub fn rounded(duration: Duration) -> String {
    match duration.as_micros() {
        us @ 0..1_000 => format!("{us} µs"),
        us @ 1_000..1_000_000 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        us => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

fn rounded_seconds(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

fn stays(messages: usize) -> String {
    if messages == 1 { "1 message stays".into() } else { format!("{messages} messages stay") }
}

/// A plain peer's name; of one that never said where it listens, the address that is known of it.
fn called(who: &Who, addr: SocketAddr) -> String {
    if addr.port() == 0 { format!("{}:?", addr.ip()) } else { who.name.to_string() }
}

/// The messages `first..=last`.
fn numbers(first: u64, last: u64) -> String {
    if first == last { format!("#{first}") } else { format!("#{first}–#{last}") }
}

fn unlisted(row: &PeerRow) -> String {
    match row.who.id {
        PeerId::Plain(addr) => format!("{}:?", addr.ip()),
        PeerId::Native(_) => "not listening".into(),
    }
}

fn status_lines(status: &Status) -> Vec<String> {
    let mut lines = vec![
        format!("up         {}", rounded_seconds(status.uptime)),
        format!("peers      {} connected, {} known", status.connected, status.known),
        format!("links      {} open, {} dropped", status.links, status.dropped),
        format!(
            "messages   {} received, {} repeated, {} from ignored peers",
            status.received, status.repeated, status.ignored
        ),
        format!("           {} sent, {} delivered, {} queued", status.sent, status.delivered, status.queued),
        format!(
            "bytes      {} in, {} out in {}",
            status.bytes_in,
            status.bytes_out,
            count(usize::try_from(status.records_out).unwrap_or(usize::MAX), "record")
        ),
    ];
    let (receipts, conflicts, broken) = (status.false_receipts, status.conflicts, status.broken);
    let broken =
        (broken > 0).then(|| format!("broken     {broken} links by what they sent; please report it"));
    lines.extend(broken);
    let refused = format!("refused    {receipts} false receipts, {conflicts} messages under a used number");
    lines.extend((receipts + conflicts > 0).then_some(refused));
    lines
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Columns that a cell takes, colours not counted.
fn width(cell: &str) -> usize {
    let mut plain = String::new();
    let mut rest = cell.chars();
    while let Some(c) = rest.next() {
        if c == '\x1b' {
            rest.by_ref().find(|c| c.is_ascii_alphabetic());
        } else {
            plain.push(c);
        }
    }
    plain.width()
}

fn clock(wall: Wall) -> String {
    let seconds = wall.0.div_euclid(1_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

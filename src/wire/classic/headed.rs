//! Texts that begin with the sender's address: with or without brackets, a team, a time stamp or an
//! end mark, one or several of the same sender glued together. Knows nothing of connections.
//!
//! ```text
//! 127.0.0.1:7202 Team text             127.0.0.1:7202 DISCONNECTED
//! <127.0.0.1:7202> <My Team> <text>    <Unknown:7202> [10:00:00] @ <My Team>\ntext\n<end>
//! ```

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Dialect, HOST_MAX, Plain, control, parse, port};

const END: &str = "<end>";

/// Characters of a time stamp: `2025-02-22T10:00:00.000+01:00` and a zone fit, a sentence does not.
const STAMP_MAX: usize = 40;

/// An address at the start of a text.
struct Address<'a> {
    /// As written, brackets included: what a glued message repeats.
    token: &'a str,
    host: &'a str,
    port: u16,
    brackets: bool,
}

/// What follows an address.
struct Tail<'a> {
    dialect: Dialect,
    team: Option<&'a str>,
    text: &'a str,
}

/// All messages of a text that begins with an address; None when the first has no valid header or
/// nothing after it. A later piece without text is a raw message.
pub(super) fn messages(text: &str) -> Option<Vec<Plain>> {
    let (first, _) = address(text)?;
    let mut pieces = pieces(text, first.token).into_iter();
    let mut messages = vec![message(pieces.next()?)?];
    messages.extend(pieces.map(|piece| message(piece).unwrap_or_else(|| parse::raw(piece))));
    Some(messages)
}

/// The one message of a text that begins with an address; None when it has no valid header or
/// nothing after it.
pub(super) fn message(text: &str) -> Option<Plain> {
    let (address, after) = address(text)?;
    let Tail { dialect, team, text } = tail(after, address.brackets)?;
    Some(Plain {
        kind: control::kind(text),
        dialect,
        host: Some(address.host.to_owned()),
        port: Some(address.port),
        team: team.map(str::to_owned),
        text: text.to_owned(),
    })
}

/// The text without a leading `<ip:port> <team> ` or `<ip:port> team `, if something is left then.
pub(super) fn undecorated(text: &str) -> Option<&str> {
    let (address, after) = address(text)?;
    let (_, rest) = angled(after).or_else(|| after.split_once(' '))?;
    (address.brackets && is_host(address.host) && !rest.trim().is_empty()).then_some(rest.trim_start())
}

/// The address at the start, and what follows it and the space behind it; never blank.
fn address(text: &str) -> Option<(Address<'_>, &str)> {
    let brackets = text.starts_with('<');
    let end = if brackets { text.find('>')? + 1 } else { text.find([' ', '\t'])? };
    let (token, after) = text.split_at_checked(end)?;
    let inner = if brackets { token.strip_prefix('<')?.strip_suffix('>')?.trim_matches(' ') } else { token };
    let (host, digits) = inner.rsplit_once(':')?;
    let host_fits = if brackets { is_word(host) } else { is_host(host) };
    let tail = after.trim_start_matches([' ', '\t']);
    let complete = host_fits && tail.len() < after.len() && !tail.trim().is_empty();
    let address = Address { token, host, port: port(digits)?, brackets };
    complete.then_some((address, tail))
}

/// What nobody types by chance before a colon: "12:30 lunch?" is text.
fn is_host(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match v6 {
        Some(inner) => {
            let (ip, zone) = inner.split_once('%').unwrap_or((inner, "1"));
            ip.parse::<Ipv6Addr>().is_ok() && is_word(zone)
        }
        None => host.parse::<Ipv4Addr>().is_ok() || host.eq_ignore_ascii_case("localhost"),
    }
}

/// Between brackets any word may be a host: some programs announce `Unknown`.
fn is_word(host: &str) -> bool {
    (1..=HOST_MAX).contains(&host.len()) && !host.contains(|c: char| c.is_whitespace() || c == '<')
}

/// Splits glued messages: a line feed or an end mark, then the same address and a space. A different
/// address is part of the text, or anybody could be quoted into saying anything.
fn pieces<'a>(text: &'a str, token: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (found, _) in text.match_indices(token) {
        let (before, after) = text.split_at_checked(found).unwrap_or((text, ""));
        let glued = before.ends_with('\n') || before.ends_with(END);
        if glued && after.get(token.len()..).is_some_and(|tail| tail.starts_with([' ', '\t'])) {
            pieces.extend(text.get(start..found));
            start = found;
        }
    }
    pieces.extend(text.get(start..));
    pieces.iter().map(|piece| piece.trim_end()).filter(|piece| !piece.is_empty()).collect()
}

/// What follows an address, most particular form first.
fn tail(tail: &str, brackets: bool) -> Option<Tail<'_>> {
    two_fields(tail, brackets).or_else(|| stamped(tail)).or_else(|| named(tail, brackets))
}

/// A control word or any other single word, without a team. "connection request" is two words and
/// still one control word; nobody's team is called "connection".
fn two_fields(tail: &str, brackets: bool) -> Option<Tail<'_>> {
    let starts_so = tail.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("connection"));
    let is_control = control::control(tail).is_some();
    let is_one = !tail.contains(char::is_whitespace) || is_angled_alone(tail);
    let dialect = match (brackets, is_control) {
        (true, true) => Dialect::Bracket,
        (true, false) => Dialect::BracketFlat,
        (false, _) => Dialect::FlatTwo,
    };
    (is_one || starts_so && is_control).then_some(Tail { dialect, team: None, text: tail })
}

/// `[time] @ <team>` and a text, or `[time]` and a control word; the first also without a time.
fn stamped(tail: &str) -> Option<Tail<'_>> {
    let dialect = Dialect::Bracket;
    let after_stamp = without_stamp(tail);
    let rest = after_stamp.unwrap_or(tail);
    if let Some(at) = rest.strip_prefix('@') {
        let (team, text) = angled(at.trim_start())?;
        let text = without_end(text);
        return (!text.is_empty()).then_some(Tail { dialect, team: Some(team), text });
    }
    (after_stamp.is_some() && control::control(rest).is_some()).then_some(Tail {
        dialect,
        team: None,
        text: rest,
    })
}

/// A team and a text, either or both between brackets.
fn named(tail: &str, brackets: bool) -> Option<Tail<'_>> {
    let (team, text) = match angled(tail) {
        Some((team, text)) => (team, unwrapped(text)),
        None => {
            let (team, text) = tail.split_at_checked(tail.find(char::is_whitespace)?)?;
            (team, without_one_space(text))
        }
    };
    // "@" is half of a header whose text is missing.
    let complete = !matches!(team, "" | "@") && !text.trim().is_empty();
    let dialect = if brackets { Dialect::BracketFlat } else { Dialect::Flat };
    let team = Some(team);
    complete.then_some(Tail { dialect, team, text })
}

/// What follows a leading `[time stamp]`. `[TEAM]` is no time stamp.
fn without_stamp(tail: &str) -> Option<&str> {
    let inner = tail.strip_prefix('[')?;
    let end = inner.char_indices().take(STAMP_MAX).find(|(_, c)| *c == ']')?.0;
    let (stamp, rest) = inner.split_at_checked(end)?;
    let of_time = |c: char| c.is_ascii_digit() || " -:/.,+TZAPM".contains(c.to_ascii_uppercase());
    let is_stamp = stamp.contains(|c: char| c.is_ascii_digit()) && stamp.chars().all(of_time);
    Some(rest.strip_prefix(']')?.trim_start()).filter(|_| is_stamp)
}

/// A leading `<team with spaces>` and the text after the white space behind it; neither is blank.
fn angled(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let (team, after) = inner.split_at_checked(inner.find(['<', '>', '\n'])?)?;
    let after = after.strip_prefix('>')?;
    let rest = without_one_space(after);
    let complete = !team.trim().is_empty() && rest.len() < after.len() && !rest.trim().is_empty();
    complete.then_some((team.trim(), rest))
}

fn is_angled_alone(text: &str) -> bool {
    text.starts_with('<') && text.find(['>', '\n']).is_some_and(|end| end + 1 == text.len())
}

/// `<text>` without its brackets, if they are a pair: "<b> or <i>" keeps them.
fn unwrapped(text: &str) -> &str {
    let inner = text.strip_prefix('<').and_then(|inner| inner.strip_suffix('>'));
    inner.filter(|inner| !inner.trim().is_empty() && !inner.contains('>')).unwrap_or(text)
}

/// Further white space belongs to the text.
fn without_one_space(text: &str) -> &str {
    let rest = text.strip_prefix("\r\n").or_else(|| text.strip_prefix(char::is_whitespace));
    rest.unwrap_or(text)
}

/// The text without its end mark.
fn without_end(text: &str) -> &str {
    text.strip_suffix(END).unwrap_or(text).trim_end()
}

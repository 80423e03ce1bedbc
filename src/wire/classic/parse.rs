//! The bytes of one burst to messages: decode, then try JSON, `PORT:n`, lines and headers in this
//! order; what is none of them is raw text, so that nothing said is ever dropped. Knows the
//! persistent dialects; headers and objects are read elsewhere.
//!
//! ```text
//! PORT:7202                      a hello; later texts on the connection are from port 7202
//! 7202\nTeam\nCONNECT\ntext\n    lines, and every later line is a text from port 7202
//! ```

use super::{Context, Dialect, Kind, Plain, TEAM_MAX, control, headed, json, port};

/// White space that ends a burst or a line without being said.
const ENDS: [char; 4] = ['\r', '\n', ' ', '\t'];

/// What `burst` says, read in the light of what the connection has said before. Never fails: an
/// empty or blank burst says nothing, an incomprehensible one is one raw message, and bytes that
/// are not UTF-8 become U+FFFD. At most one message for each two bytes of the burst, plus one.
pub fn parse(burst: &[u8], context: &mut Context) -> Vec<Plain> {
    let text = String::from_utf8_lossy(burst).replace('\0', "");
    let text = text.trim_end_matches(ENDS);
    if text.trim().is_empty() {
        return Vec::new();
    }
    match context {
        Context::Fresh => fresh(text, context),
        Context::Lines { port, team } => text_lines(text, *port, team.as_deref()),
        Context::PortHello { .. } => port_hellos(text, context),
    }
}

/// A text without any header.
pub(super) fn raw(text: &str) -> Plain {
    Plain {
        kind: control::kind(text),
        dialect: Dialect::Raw,
        host: None,
        port: None,
        team: None,
        text: text.to_owned(),
    }
}

/// A burst that nothing came before.
fn fresh(text: &str, context: &mut Context) -> Vec<Plain> {
    // A byte order mark is no white space to Rust, and no text to whoever wrote the file.
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if let Some(messages) = json::messages(start) {
        messages
    } else if port_hello(start).is_some() {
        port_hellos(start, context)
    } else if let Some(messages) = lines(start, context) {
        messages
    } else {
        headed::messages(start).unwrap_or_else(|| vec![raw(text)])
    }
}

/// Texts on a connection that began with `PORT:n`, hellos among them. Their port is n: the address in
/// their headers is the receiver's.
fn port_hellos(text: &str, context: &mut Context) -> Vec<Plain> {
    let mut messages = Vec::new();
    let mut rest = text;
    while let Some((port, after)) = port_hello(rest) {
        *context = Context::PortHello { port };
        messages.push(Plain {
            kind: Kind::Hello,
            dialect: Dialect::PortHello,
            host: None,
            port: Some(port),
            team: None,
            text: String::new(),
        });
        rest = after;
    }
    if let Context::PortHello { port } = *context
        && !rest.trim().is_empty()
    {
        let texts = headed::messages(rest.trim_start()).unwrap_or_else(|| vec![raw(rest)]);
        messages.extend(texts.into_iter().map(|plain| Plain {
            dialect: Dialect::PortHello,
            host: None,
            port: Some(port),
            ..plain
        }));
    }
    messages
}

/// The port of a first line `PORT:n`, and what follows it.
fn port_hello(text: &str) -> Option<(u16, &str)> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    Some((port(line.trim_end().strip_prefix("PORT:")?.trim_start())?, rest))
}

/// A connection that opens with its port on a line of its own. A number alone is no opening: it may
/// as well be what somebody typed.
fn lines(text: &str, context: &mut Context) -> Option<Vec<Plain>> {
    let (number, rest) = text.split_once('\n')?;
    let port = port(number.trim())?;
    if rest.trim().is_empty() {
        return None;
    }
    let (team, connects, texts) = opening(rest);
    *context = Context::Lines { port, team: team.map(str::to_owned) };
    let mut messages = Vec::new();
    if connects {
        messages.push(Plain {
            kind: Kind::Connect,
            dialect: Dialect::Lines,
            host: None,
            port: Some(port),
            team: None,
            text: String::new(),
        });
    }
    messages.extend(text_lines(texts, port, team));
    Some(messages)
}

/// The lines after the port: the team, whether there is a `CONNECT`, and the texts. Without a
/// `CONNECT` the second line is a team only if it reads like one and a text follows it: a text taken
/// for a team would not be shown.
fn opening(lines: &str) -> (Option<&str>, bool, &str) {
    let connects = |line: &str| line.trim().eq_ignore_ascii_case("CONNECT");
    let (second, after) = lines.split_once('\n').unwrap_or((lines, ""));
    let (third, texts) = after.split_once('\n').unwrap_or((after, ""));
    let team = Some(second.trim()).filter(|team| !team.is_empty());
    let fits = second.trim().len() <= TEAM_MAX;
    if connects(second) {
        (None, true, after)
    } else if connects(third) && fits {
        (team, true, texts)
    } else if after.trim().is_empty()
        || !fits
        || control::control(second).is_some()
        || headed::message(second.trim()).is_some()
    {
        (None, false, lines)
    } else {
        (team, false, after)
    }
}

/// One text for each line that is not blank. A line may start with a header of its own; its address
/// says less than the port that the connection opened with.
fn text_lines(lines: &str, port: u16, team: Option<&str>) -> Vec<Plain> {
    let spoken = lines.lines().map(|line| line.trim_end_matches(ENDS));
    spoken
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let said = headed::message(line.trim_start()).unwrap_or_else(|| raw(line));
            Plain {
                dialect: Dialect::Lines,
                host: None,
                port: Some(port),
                team: said.team.or_else(|| team.map(str::to_owned)),
                ..said
            }
        })
        .collect()
}

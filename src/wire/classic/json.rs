//! The dialect of JSON objects, one or several in a row. Accepts every field name that was seen and
//! ignores fields that say nothing to us; objects that it cannot understand are left to be shown
//! as they are. Nesting is bounded by `serde_json` (128).
//!
//! ```text
//! {"type": "message", "content": "text", "sender_name": "Team", "sender_port": 7202}
//! ```

use serde_json::{Deserializer, Map, Value};

use super::{Dialect, Kind, Plain, control, headed, parse, port};

/// All messages of a text that begins with an object we understand, else None. The first thing behind
/// it that we do not understand is, with all that follows, one raw message.
pub(super) fn messages(text: &str) -> Option<Vec<Plain>> {
    if !text.starts_with('{') {
        return None;
    }
    let mut objects = Deserializer::from_str(text).into_iter::<Value>();
    let mut messages = Vec::new();
    let mut understood = 0;
    while let Some(Ok(Value::Object(object))) = objects.next()
        && let Some(plain) = message(&object)
    {
        messages.push(plain);
        understood = objects.byte_offset();
    }
    if messages.is_empty() {
        return None;
    }
    let rest = text.get(understood..).map(str::trim).filter(|rest| !rest.is_empty());
    messages.extend(rest.map(parse::raw));
    Some(messages)
}

/// What one object says; None without a text and a telling type, or with a port that is none.
fn message(object: &Map<String, Value>) -> Option<Plain> {
    let by_type = object.get("type").and_then(Value::as_str).and_then(control::control);
    let said = word(object, &["content", "message", "msg", "text"]);
    let text = match (&said, by_type) {
        (Some(said), _) => undecorated(said.trim_end()),
        (None, Some(_)) => "",
        (None, None) => return None,
    };
    let port = match word(object, &["sender_port", "port"]) {
        Some(digits) => Some(port(digits.trim())?),
        None => None,
    };
    Some(Plain {
        kind: by_type.or_else(|| control::control(text)).unwrap_or(Kind::Message),
        dialect: Dialect::Json,
        host: word(object, &["sender_ip"]),
        port,
        team: word(object, &["sender_name", "name", "team", "team_name"]),
        text: text.to_owned(),
    })
}

/// The first of these fields that is a number or a text that is not blank.
fn word(object: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match object.get(*name)? {
        Value::String(text) => Some(text.replace('\0', "")).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// Some programs put the receiver's address and team before the text, once on each way through their
/// own functions.
fn undecorated(text: &str) -> &str {
    let mut text = text;
    while let Some(rest) = headed::undecorated(text) {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(Kind, Option<u16>, Option<&str>, &str)>) {
        let found = messages(text).and_then(|found| found.into_iter().next());
        let found = found.as_ref().map(|m| (m.kind, m.port, m.team.as_deref(), m.text.as_str()));
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn other_field_names_and_missing_fields_are_understood() {
        check(r#"{"msg":"hi","team_name":"T","port":"7"}"#, Some((Kind::Message, Some(7), Some("T"), "hi")));
        check(r#"{"content":" ","text":"hi"}"#, Some((Kind::Message, None, None, "hi")));
        check(r#"{"type":"message","content":"exit"}"#, Some((Kind::Exit, None, None, "exit")));
        check(r#"{"type":"disconnect","port":7}"#, Some((Kind::Exit, Some(7), None, "")));
        check(r#"{"content":42}"#, Some((Kind::Message, None, None, "42")));
        check(r#"{"content":"<1.2.3.4:5> alone"}"#, Some((Kind::Message, None, None, "<1.2.3.4:5> alone")));
        check(r#"{"content":"a\u0000b"}"#, Some((Kind::Message, None, None, "ab")));
    }

    #[test]
    fn what_is_not_understood_is_left() {
        for text in [
            "{",
            "{}",
            "[]",
            r#"{"a":1}"#,
            r#"{"content":"hi","port":0}"#,
            r#"{"content":["hi"]}"#,
            r#"{"content":"hi","port":65536}"#,
            r#"{"content":"hi""#,
            r#"{"type":"message"}"#,
        ] {
            check(text, None);
        }
    }

    #[test]
    fn several_objects_and_a_rest_are_all_kept() {
        let found =
            messages("{\"msg\":\"one\"}{\"msg\":\"two\"}\n{\"a\":1}{\"msg\":\"three\"}").unwrap_or_default();
        let texts: Vec<_> = found.iter().map(|m| (m.dialect, m.text.as_str())).collect();
        assert_eq!(
            texts,
            [(Dialect::Json, "one"), (Dialect::Json, "two"), (Dialect::Raw, "{\"a\":1}{\"msg\":\"three\"}"),]
        );
    }
}

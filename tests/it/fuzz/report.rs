//! A run in every form that it is reported in, read back by readers of those forms: the texts of the
//! run are there as they are said to be written, and nothing in the report comes from a text but text.

use hobnob::play::{Play, Verdict};
use hobnob::report::class::{Class, Row};
use hobnob::report::failure::of_case;
use hobnob::report::verdict::{Case, judge};
use hobnob::report::{cast, diagram, events, gradescope, html, junit, stable, tap, transcript};
use hobnob::text::{Untrusted, escape_display, escape_xml, is_hidden};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::draw::Draw;
use super::parse::{without_colors, without_html};
use super::{page, play};

/// A joiner between two pictures is the only hidden character that any report may have.
fn visible(name: &str, text: &str) {
    let odd = text.chars().find(|&c| c != '\n' && c != '\u{200d}' && is_hidden(c));
    assert_eq!(odd, None, "in {name}: {text:?}");
}

fn headings(play: &Play, case: &Case<'_>) -> Vec<String> {
    of_case(play, case).into_iter().map(|failure| failure.heading).collect()
}

fn html_page(play: &Play, cases: &[Case<'_>]) {
    let html = html::write(play);
    visible("html", &html);
    let text = page::check(&html);
    // Quotes are harmless between tags, and we do not write any there.
    let text: Vec<_> = text.lines().map(without_html).collect();
    let script = play.head.script.display();
    let title = if script.is_empty() { "a session" } else { &script };
    assert!(text.iter().any(|line| line.starts_with(title)), "{title:?} is nowhere in {text:?}");
    for heading in cases.iter().filter(|case| case.verdict != Verdict::Pass).flat_map(|c| headings(play, c)) {
        assert!(text.contains(&heading), "{heading:?} is nowhere in {text:?}");
    }
}

/// Char of XML 1.0, section 2.2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn xml(play: &Play, cases: &[Case<'_>]) {
    let xml = junit::write(play);
    visible("junit", &xml);
    assert!(xml.chars().all(is_xml), "a character that XML 1.0 forbids");
    let mut reader = Reader::from_str(&xml);
    reader.config_mut().check_end_names = true;
    let (mut names, mut messages, mut open) = (Vec::new(), Vec::new(), 0);
    loop {
        let event = reader.read_event().expect("XML");
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let element = String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8");
                let known = ["testsuites", "testsuite", "testcase", "properties", "property", "failure"];
                assert!(known.contains(&element.as_str()), "an element <{element}>");
                for attribute in tag.attributes() {
                    let attribute = attribute.expect("an attribute");
                    let value = attribute.normalized_value(XmlVersion::Explicit1_0).expect("a value");
                    match (element.as_str(), attribute.key.as_ref()) {
                        ("testcase", b"name") => names.push(value.into_owned()),
                        ("failure", b"message") => messages.push(value.into_owned()),
                        (_, b"name" | b"value" | b"classname" | b"time" | b"type" | b"tests") => {}
                        (_, b"errors" | b"failures" | b"disabled" | b"skipped") => {}
                        (element, key) => panic!("<{element} {}>", String::from_utf8_lossy(key)),
                    }
                }
                open += i32::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => open -= 1,
            Event::CData(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => panic!("{event:?}"),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, 0);
    assert_eq!(names, cases.iter().map(|case| case.name.xml()).collect::<Vec<_>>());
    let failed = cases.iter().filter(|case| case.verdict != Verdict::Pass);
    let first = |case| headings(play, case).first().map(|heading| escape_xml(heading));
    assert_eq!(messages, failed.filter_map(first).collect::<Vec<_>>());
}

fn points(play: &Play, cases: &[Case<'_>]) {
    let tap = tap::write(play);
    visible("tap", &tap);
    let mut lines = tap.lines();
    assert_eq!(lines.next(), Some("TAP version 14"));
    assert_eq!(lines.next(), Some(format!("1..{}", cases.len()).as_str()));
    let (mut number, mut block, mut messages) = (0, false, Vec::new());
    for line in lines {
        if block {
            assert!(line.starts_with("  "), "outside of its block: {line:?}");
            block = line != "  ...";
            if let Some(value) = line.strip_prefix("    - message: ") {
                messages.push(serde_json::from_str::<String>(value).expect("a scalar in quotes"));
            }
        } else if line == "  ---" {
            block = true;
        } else if let Some(comment) = line.strip_prefix("# ") {
            assert!(number == 0 || number == cases.len(), "{comment:?} in the midst");
        } else {
            let case = &cases[number];
            number += 1;
            let ok = if case.verdict == Verdict::Pass { "ok" } else { "not ok" };
            let named = line.strip_prefix(&format!("{ok} {number} - ")).expect("a point");
            let (mut name, mut chars) = (String::new(), named.chars());
            while let Some(c) = chars.next() {
                assert_ne!(c, '#', "a directive: {line:?}");
                name.extend(if c == '\\' { chars.next() } else { Some(c) });
            }
            assert_eq!(name, case.name.display());
        }
    }
    assert_eq!((number, block), (cases.len(), false));
    let failed = cases.iter().filter(|case| case.verdict != Verdict::Pass);
    assert_eq!(messages, failed.flat_map(|case| headings(play, case)).collect::<Vec<_>>());
}

fn grades(play: &Play, cases: &[Case<'_>]) {
    let text = gradescope::write(play);
    visible("gradescope", &text);
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["extra_data"]["script"], play.head.script.display());
    for format in ["output_format", "test_output_format", "test_name_format"] {
        assert_eq!(json[format], "text");
    }
    let tests = json["tests"].as_array().expect("a list");
    assert_eq!(tests.len(), cases.len());
    for (test, case) in tests.iter().zip(cases) {
        assert_eq!(test["name"], case.name.display());
        assert!(test["score"].is_number() && test["max_score"].is_number());
        let output = test["output"].as_str().expect("text");
        assert!(headings(play, case).iter().all(|heading| output.lines().any(|line| line == heading)));
    }
}

fn lines(play: &Play) {
    let written = events::write(play);
    let text = String::from_utf8(written.clone()).expect("UTF-8");
    assert!(!text.contains(|c| c != '\n' && is_hidden(c)));
    // Points that are no number are not written; nothing else is lost.
    let mut kept = play.clone();
    for more in kept.moments.iter_mut().filter_map(|moment| moment.more.as_mut()) {
        more.points = more.points.filter(|points| points.is_finite());
        more.got = more.got.filter(|got| got.is_finite());
    }
    for moment in &mut kept.moments {
        moment.more = moment.more.take().filter(|more| **more != Default::default());
    }
    assert_eq!(events::read(&written), Ok(kept));
    let recording = String::from_utf8(cast::write(play)).expect("UTF-8");
    for line in recording.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        if let Some(shown) = value[2].as_str() {
            shown.split("\r\n").for_each(|shown| visible("cast", &without_colors(shown)));
        }
    }
    for (name, text) in [("transcript", transcript::write(play, false)), ("stable", stable::write(play))] {
        visible(name, &text);
    }
    let colored: String = transcript::write(play, true).lines().map(|l| without_colors(l) + "\n").collect();
    assert_eq!(colored, transcript::write(play, false));
    for columns in [40, 80] {
        let text = diagram::write(play, columns);
        visible("diagram", &text);
        for line in text.lines() {
            assert!(line.width() <= columns, "{} columns of {columns}: {line:?}", line.width());
        }
    }
}

fn class(play: &Play) {
    let (name, why) = (play.head.script.expose().to_owned(), play.head.hobnob.clone());
    let row = |graded| Row {
        name: Untrusted::new(name.clone()),
        hash: "ab".into(),
        report: Some("0.html".into()),
        graded,
    };
    let rows = vec![row(Ok(play.clone())), row(Err(why.clone()))];
    let talks = vec![vec![None, Some(true)], vec![Some(false), None]];
    let class = Class { rubric: play.head.hash.clone(), seed: 1, rows, talks };
    let html = class.html();
    visible("class page", &html);
    page::check_class(&html);
    visible("class lines", &class.lines());
    let csv = class.csv().expect("in memory");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&csv[..]);
    let records: Vec<_> = reader.records().map(|record| record.expect("a record")).collect();
    assert_eq!(records.len(), 3);
    for cell in records.iter().flat_map(csv::StringRecord::iter) {
        let computes = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
        assert!(!computes, "a formula: {cell:?}");
        visible("csv", cell);
    }
    assert_eq!(records[1][0].trim_start_matches('\''), escape_display(&name).trim_start_matches('\''));
}

pub(super) fn target(data: &[u8]) {
    let play = play::play(&mut Draw::new(data));
    let judgement = judge(&play);
    html_page(&play, &judgement.cases);
    xml(&play, &judgement.cases);
    points(&play, &judgement.cases);
    grades(&play, &judgement.cases);
    lines(&play);
    class(&play);
}

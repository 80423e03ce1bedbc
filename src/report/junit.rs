//! A run as JUnit's XML: one suite, a case for each test. What XML 1.0 cannot hold is replaced before
//! anything is escaped, as a single such character makes the whole file unreadable.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

use crate::play::{Play, Verdict};
use crate::report::failure::{Failure, of_case};
use crate::report::verdict::{Case, judge, number, word};
use crate::text::escape_xml;

/// All of a run.
pub fn write(play: &Play) -> String {
    let judgement = judge(play);
    let script = play.head.script.xml();
    let mut suite = TestSuite::new(&script);
    for (name, value) in [
        ("hobnob", escape_xml(&play.head.hobnob)),
        ("seed", play.head.seed.to_string()),
        ("world", play.head.world.word().to_owned()),
        ("script hash", escape_xml(&play.head.hash)),
        ("result", judgement.sentence()),
    ] {
        suite.add_property(Property::new(name, value));
    }
    let mut all = Duration::ZERO;
    for case in &judgement.cases {
        let case = test_case(play, case, &script);
        all += case.time.unwrap_or_default();
        suite.add_test_case(case);
    }
    suite.set_time(all);
    let mut report = Report::new("hobnob");
    report.set_time(all);
    report.add_test_suite(suite);
    // Writing to memory fails only where an attribute could not be written at all.
    report.to_string().unwrap_or_default()
}

fn test_case(play: &Play, case: &Case<'_>, script: &str) -> TestCase {
    let status = match case.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail | Verdict::Flaky => failed(&of_case(play, case), case.verdict),
    };
    let mut test = TestCase::new(case.name.xml(), status);
    test.set_classname(script);
    let end = play.moments.get(case.moments.clone()).and_then(<[_]>::last).map_or(0, |last| last.at);
    test.set_time(Duration::from_micros(end));
    if let (Some(points), Some(got)) = (case.points, case.got) {
        test.add_property(Property::new("points", number(points)));
        test.add_property(Property::new("got", number(got)));
    }
    test
}

fn failed(failures: &[Failure], verdict: Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(word(verdict));
    if let Some(first) = failures.first() {
        status.set_message(escape_xml(&first.heading));
    }
    let mut lines = Vec::new();
    for failure in failures {
        lines.push(escape_xml(&failure.heading));
        lines
            .extend(failure.details.iter().map(|(label, text)| format!("  {label:<8} {}", escape_xml(text))));
    }
    status.set_description(lines.join("\n"));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::Ev;
    use crate::report::sample::{Sample, untrusted};
    use quick_xml::events::Event;
    use quick_xml::{Reader, XmlVersion};

    /// Every text and attribute, by a parser that knows what XML 1.0 forbids.
    fn parse(xml: &str) -> Vec<(String, String)> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = true;
        let (mut found, mut open) = (Vec::new(), 0);
        loop {
            let event = reader.read_event().expect("XML");
            if let Event::Start(tag) | Event::Empty(tag) = &event {
                let name = String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8");
                for attribute in tag.attributes() {
                    let attribute = attribute.expect("an attribute");
                    let value = attribute.normalized_value(XmlVersion::Explicit1_0).expect("a value");
                    let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
                    found.push((format!("{name}@{key}"), value.into_owned()));
                }
            }
            match event {
                Event::Start(_) => open += 1,
                Event::End(_) => open -= 1,
                Event::Eof => break,
                Event::CData(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => panic!("{event:?}"),
                _ => {}
            }
        }
        assert_eq!(open, 0);
        assert!(xml.chars().all(allowed), "a character that XML 1.0 forbids");
        found
    }

    /// Char of XML 1.0, section 2.2.
    fn allowed(c: char) -> bool {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn tests_are_cases() {
        let found = parse(&write(&Sample::graded().end(4)));
        let values = |key: &str| -> Vec<_> {
            found.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(values("testcase@name"), ["says hello", "says goodbye", "says thanks"]);
        assert_eq!(values("failure@message"), ["alice expected pong", "the test went now so, now so"]);
        assert_eq!(values("testsuites@failures"), ["2"]);
        assert_eq!(values("testcase@time"), ["0.006", "1.008", "0.000"]);
        assert_eq!(write(&Sample::graded().end(4)), write(&Sample::graded().end(4)));
    }

    #[test]
    fn every_code_point_makes_good_xml() {
        let all: Vec<char> = (0..=0x0010_ffff).filter_map(char::from_u32).collect();
        for chunk in all.chunks(20_000) {
            let text: String = chunk.iter().collect();
            let mut sample = Sample::empty();
            sample.test(&text, Some(1.0)).check(&text, Verdict::Fail).say(Ev::Note, &text);
            sample.verdict(&text, Verdict::Fail, None);
            let mut play = sample.end(4);
            play.head.script = untrusted(&text);
            let found = parse(&write(&play));
            let names = found.iter().filter(|(name, _)| name == "testcase@name").count();
            assert_eq!(names, 1);
        }
        for (c, shown) in [('\0', '\u{fffd}'), ('\u{ffff}', '\u{fffd}'), ('<', '<'), ('é', 'é'), ('👍', '👍')]
        {
            let mut sample = Sample::empty();
            sample.test(&c.to_string(), None);
            let found = parse(&write(&sample.end(4)));
            let name = found.iter().find(|(name, value)| name == "testcase@name" && !value.contains("demo"));
            assert_eq!(name.map(|(_, value)| value.clone()), Some(shown.to_string()));
        }
    }
}

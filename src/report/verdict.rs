//! What a run came to: its tests, what each got, and what went wrong in it. Every renderer asks here,
//! so that none of them counts otherwise than the next. A script without tests, or with something
//! wrong outside of them, is a test itself. Knows no medium.

use std::ops::Range;
use std::sync::Arc;

use crate::play::{Ev, Moment, More, Play, Verdict};
use crate::text::Untrusted;

/// A test of a run, or the script itself as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<'a> {
    /// How it is called: a test's own name, or the script's.
    pub name: &'a Untrusted<Arc<str>>,
    /// It is the script itself, outside of its tests.
    pub whole: bool,
    /// Points to be had, if it has any.
    pub points: Option<f64>,
    /// Points got: never more than there are.
    pub got: Option<f64>,
    /// How it went.
    pub verdict: Verdict,
    /// Its moments, from the one that began it to the one that ended it. Of the script: all of them.
    pub moments: Range<usize>,
    /// Which of them say what went wrong, in order.
    pub failures: Vec<usize>,
    /// What went wrong when no moment says it.
    pub complaint: Option<&'static str>,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement<'a> {
    /// The script first, if it counts as a test; then its tests in order.
    pub cases: Vec<Case<'a>>,
    /// How all of it went.
    pub verdict: Verdict,
    /// The exit code; `None` when the run did not end.
    pub result: Option<u8>,
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that went now so, now so.
    pub flaky: usize,
    /// Points to be had, if any test has some.
    pub points: Option<f64>,
    /// Points got.
    pub got: f64,
}

/// What a run came to.
pub fn judge(play: &Play) -> Judgement<'_> {
    let (mut cases, outside) = tests(play);
    let result = play.end.as_ref().map(|end| end.result);
    let failures: Vec<usize> = outside.into_iter().filter(|&at| is_failure(&play.moments[at])).collect();
    let blamed = cases.iter().any(|case| case.verdict != Verdict::Pass) || !failures.is_empty();
    let complaint = match result {
        None => Some("the run did not end"),
        Some(0) => None,
        Some(_) if blamed => None,
        Some(_) => Some("the run ended with an error"),
    };
    if cases.is_empty() || complaint.is_some() || !failures.is_empty() {
        let flaky = failures.iter().all(|&at| more(&play.moments[at]).verdict == Some(Verdict::Flaky));
        let verdict = match (complaint, failures.is_empty(), flaky) {
            (None, true, _) => Verdict::Pass,
            (None, false, true) => Verdict::Flaky,
            _ => Verdict::Fail,
        };
        let moments = 0..play.moments.len();
        let name = &play.head.script;
        let script =
            Case { name, whole: true, points: None, got: None, verdict, moments, failures, complaint };
        cases.insert(0, script);
    }
    let count = |verdict| cases.iter().filter(|case| case.verdict == verdict).count();
    let (passed, failed, flaky) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Flaky));
    let verdict = match (failed, flaky) {
        (0, 0) => Verdict::Pass,
        (0, _) => Verdict::Flaky,
        _ => Verdict::Fail,
    };
    let points = cases.iter().any(|case| case.points.is_some());
    let points = points.then(|| cases.iter().filter_map(|case| case.points).sum());
    let got = cases.iter().filter_map(|case| case.got).sum();
    Judgement { cases, verdict, result, passed, failed, flaky, points, got }
}

impl Judgement<'_> {
    /// In one line: `2 of 3 tests passed, 7 of 10 points`.
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        let alone = matches!(self.cases.as_slice(), [case] if case.whole);
        if alone {
            parts.push(word(self.verdict).to_owned());
        } else {
            parts.push(format!("{} of {} tests passed", self.passed, self.cases.len()));
        }
        if !alone && self.flaky > 0 {
            parts.push(format!("{} flaky", self.flaky));
        }
        if let Some(points) = self.points {
            parts.push(format!("{} of {}", number(self.got), plural(points)));
        }
        parts.join(", ")
    }
}

/// The verdict as a word of a sentence.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Flaky => "flaky",
    }
}

/// `1 point`, `2.5 points`.
pub fn plural(points: f64) -> String {
    let word = if number(points) == "1" { "point" } else { "points" };
    format!("{} {word}", number(points))
}

/// Points, or anything else with at most three digits behind the point and no idle ones.
pub fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// Whether it says that something did not go as it should.
pub fn is_failure(moment: &Moment) -> bool {
    match moment.ev {
        Ev::ExpectFail => true,
        Ev::Check => more(moment).verdict.is_some_and(|verdict| verdict != Verdict::Pass),
        // An error of the script is a note that quotes its line.
        Ev::Note | Ev::Test => more(moment).quote.is_some(),
        _ => false,
    }
}

/// What only few moments have; nothing of it for the others.
pub fn more(moment: &Moment) -> &More {
    static NOTHING: More = More {
        why: None,
        verdict: None,
        points: None,
        got: None,
        sides: None,
        one_way: false,
        expected: None,
        unread: Vec::new(),
        quote: None,
        file: None,
    };
    moment.more.as_deref().unwrap_or(&NOTHING)
}

/// Whether a test begins here.
pub fn begins(moment: &Moment) -> bool {
    moment.ev == Ev::Test && more(moment).verdict.is_none()
}

/// Whether a test ends here.
pub fn ends(moment: &Moment) -> bool {
    moment.ev == Ev::Test && more(moment).verdict.is_some()
}

/// The tests, and the moments that belong to none.
fn tests(play: &Play) -> (Vec<Case<'_>>, Vec<usize>) {
    let (mut cases, mut outside) = (Vec::new(), Vec::new());
    let mut open = None;
    for (at, moment) in play.moments.iter().enumerate() {
        match open {
            _ if begins(moment) => {
                // A test that another interrupts has no end of its own.
                cases.extend(open.map(|begun| case(play, begun, at, None)));
                open = Some(at);
            }
            Some(begun) if ends(moment) => {
                cases.push(case(play, begun, at + 1, Some(moment)));
                open = None;
            }
            Some(_) => {}
            None => outside.push(at),
        }
    }
    cases.extend(open.map(|begun| case(play, begun, play.moments.len(), None)));
    (cases, outside)
}

fn case<'a>(play: &'a Play, begun: usize, until: usize, end: Option<&Moment>) -> Case<'a> {
    let first = &play.moments[begun];
    let verdict = end.and_then(|end| more(end).verdict).unwrap_or(Verdict::Fail);
    let points = more(first).points.or_else(|| end.and_then(|end| more(end).points));
    let points = points.filter(|points| points.is_finite());
    let got = end.and_then(|end| more(end).got).filter(|got| got.is_finite());
    let got = points.map(|points| match got {
        Some(got) => got.min(points),
        None if verdict == Verdict::Pass => points,
        None => 0.0,
    });
    let failures: Vec<usize> =
        (begun..until).filter(|&at| verdict != Verdict::Pass && is_failure(&play.moments[at])).collect();
    let complaint = match (end, verdict, failures.is_empty()) {
        (None, ..) => Some("the test did not end"),
        (Some(_), Verdict::Fail, true) => Some("the test failed"),
        (Some(_), Verdict::Flaky, true) => Some("the test went now so, now so"),
        _ => None,
    };
    let name = first.text.as_ref().unwrap_or(&play.head.script);
    Case { name, whole: false, points, got, verdict, moments: begun..until, failures, complaint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;

    #[test]
    fn a_script_without_tests_is_one() {
        let good = Sample::talk().end(0);
        let judgement = judge(&good);
        assert_eq!((judgement.verdict, judgement.passed, judgement.cases.len()), (Verdict::Pass, 1, 1));
        assert!(judgement.cases[0].whole);
        assert_eq!(judgement.sentence(), "passed");
        let bad = Sample::talk().failure().end(3);
        let judgement = judge(&bad);
        assert_eq!((judgement.verdict, judgement.cases[0].failures.len()), (Verdict::Fail, 1));
        assert_eq!(judgement.cases[0].complaint, None);
        assert_eq!(judgement.sentence(), "failed");
    }

    #[test]
    fn an_end_without_a_reason_is_a_complaint() {
        let play = Sample::talk().end(1);
        assert_eq!(judge(&play).cases[0].complaint, Some("the run ended with an error"));
        let mut play = Sample::graded().end(0);
        play.end = None;
        let judgement = judge(&play);
        assert_eq!(judgement.cases[0].complaint, Some("the run did not end"));
        assert_eq!((judgement.verdict, judgement.result), (Verdict::Fail, None));
    }

    #[test]
    fn tests_are_counted_with_their_points() {
        let play = Sample::graded().end(4);
        let judgement = judge(&play);
        let seen: Vec<_> = judgement
            .cases
            .iter()
            .map(|case| {
                (case.name.display(), case.verdict.word(), case.points, case.got, case.failures.len())
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("says hello".into(), "pass", Some(4.0), Some(4.0), 0),
                ("says goodbye".into(), "fail", Some(2.5), Some(0.5), 1),
                ("says thanks".into(), "flaky", None, None, 0),
            ]
        );
        assert_eq!((judgement.points, judgement.got), (Some(6.5), 4.5));
        assert_eq!(judgement.sentence(), "1 of 3 tests passed, 1 flaky, 4.5 of 6.5 points");
    }

    #[test]
    fn a_test_that_never_ends_failed() {
        let mut play = Sample::graded().end(0);
        play.moments.truncate(2);
        let judgement = judge(&play);
        let case = judgement.cases.last().expect("a test");
        assert_eq!((case.verdict, case.complaint), (Verdict::Fail, Some("the test did not end")));
    }
}

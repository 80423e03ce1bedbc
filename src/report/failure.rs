//! What went wrong, put into words once: a heading and labelled lines, visible text without line
//! ends, for transcripts, test protocols and pages alike. Knows no medium and no escapes of one.

use std::sync::Arc;

use crate::play::{Ev, Moment, Play};
use crate::report::verdict::{Case, more};
use crate::text::Untrusted;

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What, in one line.
    pub heading: String,
    /// What belongs to it: label and line.
    pub details: Vec<(&'static str, String)>,
}

/// What a moment says that went wrong. `nearest` is the message that nearly was the expected one, and
/// `script` what the script is called.
pub fn describe(moment: &Moment, nearest: Option<&Moment>, script: &Untrusted<Arc<str>>) -> Failure {
    let more = more(moment);
    let mut text = moment.text.as_ref().map(Untrusted::display_lines).unwrap_or_default().into_iter();
    let first = text.next().filter(|first| !first.is_empty());
    let expected = more.expected.as_ref().map(Untrusted::display);
    let who = moment.peer.map(|peer| peer.to_string());
    let heading = match (moment.ev, first, &expected) {
        (Ev::Test, ..) => more.why.as_deref().map_or_else(|| "the test failed".into(), shown),
        (_, Some(what), _) => what,
        (Ev::ExpectFail, None, expected) => {
            let what = expected.as_deref().unwrap_or("something else");
            who.map_or_else(|| format!("expected {what}"), |who| format!("{who} expected {what}"))
        }
        (_, None, _) => "the script failed".into(),
    };
    // A report of several lines goes on below its first.
    let mut details: Vec<(&'static str, String)> = match moment.ev {
        Ev::Test => Vec::new(),
        _ => text.map(|line| ("detail", line)).collect(),
    };
    if let (Ev::ExpectFail, Some(_), Some(expected)) = (moment.ev, &moment.text, expected) {
        details.push(("expected", expected));
    }
    if let (true, Some(why)) = (moment.ev != Ev::Test, &more.why) {
        details.push(("why", shown(why)));
    }
    details.extend(more.unread.iter().map(|unread| ("unread", unread.display())));
    if moment.ev == Ev::ExpectFail && moment.peer.is_some() && more.unread.is_empty() {
        details.push(("unread", "nothing".into()));
    }
    details.extend(nearest.map(|near| ("nearest", near_miss(near))));
    let file = more.file.as_ref().unwrap_or(script).display();
    match (moment.line, &more.quote) {
        (Some(line), Some(quote)) => {
            details.push(("line", format!("{file}:{line}: {}", quote.display().trim())))
        }
        (None, Some(quote)) => details.push(("line", format!("{file}: {}", quote.display().trim()))),
        (Some(line), None) => details.push(("line", format!("{file}:{line}"))),
        (None, None) => {}
    }
    Failure { heading, details }
}

/// Everything that went wrong in a case, in order.
pub fn of_case(play: &Play, case: &Case<'_>) -> Vec<Failure> {
    let complaint = case.complaint.map(|what| Failure { heading: what.into(), details: Vec::new() });
    let moments = case.failures.iter().filter_map(|&at| play.moments.get(at));
    let described = moments.map(|moment| describe(moment, nearest(play, moment), &play.head.script));
    described.chain(complaint).collect()
}

/// The message that nearly was the expected one.
pub fn nearest<'a>(play: &'a Play, moment: &Moment) -> Option<&'a Moment> {
    let cause = moment.cause.filter(|_| moment.ev == Ev::ExpectFail)?;
    play.moments.get(usize::try_from(cause).ok()?)
}

fn near_miss(near: &Moment) -> String {
    let from = near.with.map_or_else(|| "somebody".into(), |with| with.to_string());
    format!("{from}: {}", near.text.as_ref().map(Untrusted::display).unwrap_or_default())
}

fn shown(text: &str) -> String {
    crate::text::escape_display(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;
    use crate::report::verdict::judge;

    #[test]
    fn an_expectation_says_all_that_helps() {
        let play = Sample::talk().failure().end(3);
        let judgement = judge(&play);
        let failures = of_case(&play, &judgement.cases[0]);
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].heading, "alice expected pong");
        assert_eq!(
            failures[0].details,
            [
                ("unread", "bob: pnog".to_owned()),
                ("unread", "bob: \\x1b[2J".to_owned()),
                ("nearest", "bob: pnog".to_owned()),
                ("line", "demo.rhai:12: alice.expect(\"pong\");".to_owned()),
            ]
        );
    }

    #[test]
    fn a_reason_goes_first_and_may_have_several_lines() {
        let mut play = Sample::talk().failure().end(3);
        let failed = play.moments.last_mut().expect("it failed");
        failed.text = Some(crate::report::sample::untrusted("expect pong: nothing in 1 s\nsee above"));
        let judgement = judge(&play);
        let failures = of_case(&play, &judgement.cases[0]);
        assert_eq!(failures[0].heading, "expect pong: nothing in 1 s");
        assert_eq!(
            failures[0].details[..2],
            [("detail", "see above".to_owned()), ("expected", "pong".to_owned())]
        );
    }
}

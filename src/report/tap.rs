//! A run as TAP, version 14: a plan, a line for each test, and below one that did not pass a block of
//! YAML. Nothing that anybody chose begins a line, ends the block or looks like a directive: names
//! have `\` and `#` escaped, and values stand in double quotes.

use crate::play::{Play, Verdict};
use crate::report::failure::of_case;
use crate::report::verdict::{Case, judge, number};
use crate::text::escape_json;

/// All of a run.
pub fn write(play: &Play) -> String {
    let judgement = judge(play);
    let mut out = format!("TAP version 14\n1..{}\n", judgement.cases.len());
    out.push_str(&format!(
        "# {} seed {} in {}\n",
        comment(&play.head.script.display()),
        play.head.seed,
        play.head.world.word()
    ));
    for (at, case) in judgement.cases.iter().enumerate() {
        let ok = if case.verdict == Verdict::Pass { "ok" } else { "not ok" };
        out.push_str(&format!("{ok} {} - {}\n", at + 1, comment(&case.name.display())));
        diagnostics(play, case, &mut out);
    }
    out.push_str(&format!("# {}\n", judgement.sentence()));
    out
}

fn diagnostics(play: &Play, case: &Case<'_>, out: &mut String) {
    if case.verdict == Verdict::Pass && case.points.is_none() {
        return;
    }
    out.push_str("  ---\n");
    if case.verdict != Verdict::Pass {
        out.push_str(&format!("  verdict: {}\n", case.verdict.word()));
    }
    if let (Some(points), Some(got)) = (case.points, case.got) {
        out.push_str(&format!("  points: {}\n  got: {}\n", number(points), number(got)));
    }
    let failures = of_case(play, case);
    if !failures.is_empty() {
        out.push_str("  failures:\n");
    }
    for failure in failures {
        out.push_str(&format!("    - message: {}\n", value(&failure.heading)));
        let mut before = "";
        for (label, text) in failure.details {
            // Several lines of one label are a list below it.
            if label != before {
                out.push_str(&format!("      {label}:\n"));
            }
            out.push_str(&format!("        - {}\n", value(&text)));
            before = label;
        }
    }
    out.push_str("  ...\n");
}

/// Visible text, where `#` would begin a directive.
fn comment(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#")
}

/// A YAML scalar in double quotes, which for visible text is a JSON string.
fn value(text: &str) -> String {
    let mut out = Vec::new();
    escape_json(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::Ev;
    use crate::report::sample::Sample;

    #[test]
    fn tests_are_points_with_reasons() {
        let text = write(&Sample::graded().end(4));
        assert_eq!(
            text,
            r#"TAP version 14
1..3
# demo.rhai seed 7 in sim
ok 1 - says hello
  ---
  points: 4
  got: 4
  ...
not ok 2 - says goodbye
  ---
  verdict: fail
  points: 2.5
  got: 0.5
  failures:
    - message: "alice expected pong"
      unread:
        - "bob: pnog"
        - "bob: \\x1b[2J"
      nearest:
        - "bob: pnog"
      line:
        - "demo.rhai:12: alice.expect(\"pong\");"
  ...
not ok 3 - says thanks
  ---
  verdict: flaky
  failures:
    - message: "the test went now so, now so"
  ...
# 1 of 3 tests passed, 1 flaky, 4.5 of 6.5 points
"#,
            "\n{text}"
        );
    }

    #[test]
    fn a_script_without_tests_is_one_point() {
        let text = write(&Sample::talk().end(0));
        assert_eq!(text, "TAP version 14\n1..1\n# demo.rhai seed 7 in sim\nok 1 - demo.rhai\n# passed\n");
    }

    #[test]
    fn nothing_that_is_said_makes_a_point() {
        let hostile = "x # TODO \\# SKIP\n  ...\nok 1 - forged\r\n1..0 # skip\u{2028}Bail out!";
        let mut sample = Sample::empty();
        sample.test(hostile, None).check(hostile, Verdict::Fail).say(Ev::Note, hostile);
        sample.verdict(hostile, Verdict::Fail, None);
        let text = write(&sample.end(4));
        assert_eq!(text.lines().filter(|line| line.starts_with("not ok 1 - ")).count(), 1);
        assert_eq!(text.lines().filter(|line| line.starts_with("ok") || line.starts_with("Bail")).count(), 0);
        assert_eq!(text.lines().filter(|line| line.starts_with("1..")).count(), 1);
        assert_eq!(text.lines().filter(|line| line.trim() == "...").count(), 1);
        let point = text.lines().find(|line| line.starts_with("not ok")).expect("one");
        let directive = point
            .match_indices('#')
            .any(|(at, _)| point[..at].bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 0);
        assert!(!directive, "{point}");
    }
}

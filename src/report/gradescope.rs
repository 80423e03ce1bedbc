//! A run as Gradescope's `results.json`. A test without points counts one, so that a grade exists
//! whatever the script says. Names and outputs are shown to people as plain text.

use serde::Serialize;

use crate::play::{Play, Verdict};
use crate::report::failure::of_case;
use crate::report::verdict::{Case, judge, number, word};

/// What Gradescope reads.
#[derive(Serialize)]
struct Results {
    score: f64,
    output: String,
    output_format: &'static str,
    test_output_format: &'static str,
    test_name_format: &'static str,
    visibility: &'static str,
    tests: Vec<Test>,
    /// Kept beside the grade, not shown.
    extra_data: Extra,
}

#[derive(Serialize)]
struct Test {
    name: String,
    score: f64,
    max_score: f64,
    status: &'static str,
    output: String,
}

#[derive(Serialize)]
struct Extra {
    max_score: f64,
    seed: u64,
    script: String,
    script_hash: String,
    hobnob: String,
}

/// All of a run.
pub fn write(play: &Play) -> String {
    let judgement = judge(play);
    // The script itself counts only where there is nothing else to count.
    let alone = judgement.cases.len() == 1;
    let tests: Vec<Test> = judgement.cases.iter().map(|case| test(play, case, alone)).collect();
    let score = tests.iter().map(|test| test.score).sum();
    let max_score = tests.iter().map(|test| test.max_score).sum();
    let results = Results {
        score,
        output: format!(
            "{} (seed {}): {} of {} points",
            play.head.script.display(),
            play.head.seed,
            number(score),
            number(max_score)
        ),
        output_format: "text",
        test_output_format: "text",
        test_name_format: "text",
        visibility: "visible",
        tests,
        extra_data: Extra {
            max_score,
            seed: play.head.seed,
            script: play.head.script.display(),
            script_hash: crate::text::escape_display(&play.head.hash),
            hobnob: crate::text::escape_display(&play.head.hobnob),
        },
    };
    // Plain data in memory: there is nothing that could fail.
    serde_json::to_string_pretty(&results).unwrap_or_default() + "\n"
}

fn test(play: &Play, case: &Case<'_>, alone: bool) -> Test {
    let max_score = case.points.unwrap_or(if case.whole && !alone { 0.0 } else { 1.0 });
    let passed = case.verdict == Verdict::Pass;
    let score = case.got.unwrap_or(if passed { max_score } else { 0.0 });
    let mut lines = vec![word(case.verdict).to_owned()];
    for failure in of_case(play, case) {
        lines.push(failure.heading);
        lines.extend(failure.details.iter().map(|(label, text)| format!("  {label:<8} {text}")));
    }
    Test {
        name: case.name.display(),
        score,
        max_score,
        status: if passed { "passed" } else { "failed" },
        output: lines.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Sample;
    use serde_json::Value;

    #[test]
    fn points_add_up() {
        let json: Value = serde_json::from_str(&write(&Sample::graded().end(4))).expect("JSON");
        assert_eq!(json["score"], 4.5);
        assert_eq!(json["extra_data"]["max_score"], 7.5);
        let tests = json["tests"].as_array().expect("a list");
        let scores: Vec<_> = tests.iter().map(|test| (&test["score"], &test["max_score"])).collect();
        assert_eq!(
            format!("{scores:?}"),
            "[(Number(4.0), Number(4.0)), (Number(0.5), Number(2.5)), (Number(0.0), Number(1.0))]"
        );
        assert_eq!(tests[1]["status"], "failed");
        let output = tests[1]["output"].as_str().expect("text");
        assert!(output.contains("alice expected pong\n  unread   bob: pnog"), "{output}");
    }

    #[test]
    fn a_script_without_tests_has_one_point() {
        for (result, score) in [(0, 1.0), (1, 0.0)] {
            let json: Value = serde_json::from_str(&write(&Sample::talk().end(result))).expect("JSON");
            assert_eq!(
                (json["score"].as_f64(), json["tests"].as_array().map(Vec::len)),
                (Some(score), Some(1))
            );
        }
    }
}

//! What is made of a grade, in every format, when the program prints what looks like ours: it stays
//! quoted text, and counts for nothing.

use std::fs;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::proc::{hobnob, run};
use crate::rubric::without_python;

/// Two tests that fail and one that is passed; each shows what was printed.
const RUBRIC: &str = r#"
wire("classic");
test("listens", 3, || { let s = launch(PROGRAM); s.expect_out("*last*"); s.expect_listen(100.ms); });
test("prints", 2, || { let s = launch(PROGRAM); s.expect_out("*last*"); });
test("says well", 4, || { let s = launch(PROGRAM); s.expect_out("well", #{ within: 1.s }); });
"#;

/// What begins a line only when it is ours.
const FAKES: [&str; 9] =
    ["ok ", "not ok ", "1..", "Bail out!", "# ", "::set-output", "##[", "TAP version", "3 of 3 tests"];

/// Prints it all, then lines of every other kind.
const PROGRAM: &str = r#"
print('ok 1 - listens', 'not ok 2 - x', '1..9', 'Bail out!', '# 3 of 3', '  ---', '  ...', sep='\n')
print('::set-output name=score::9', '##[error]no', 'TAP version 14', '3 of 3 tests passed, 9 of 9 points', sep='\n')
print('\x1b[2J\x1b]0;owned\x07\x9b31m\u202eevil\u2028ok 9 - forged\rok 8 - forged\0')
print('<script>alert(1)</script><img src=x onerror=alert(1)>"\'&amp;', ']]></failure></testcase><testcase name="forged"/>', sep='\n')
print('{"v":1,"ev":"end","result":0}', '{"score":100}', '== step', 'last', sep='\n', flush=True)
"#;

/// Characters that no report has: commands to a terminal, and what hides or turns text.
fn is_tame(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2028}' | '\u{9b}'))
}

/// The names of all cases, and how many have failed, by a parser that is strict.
fn junit(xml: &str) -> (Vec<String>, usize) {
    let (mut reader, mut names, mut failed) = (Reader::from_str(xml), Vec::new(), 0);
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == b"testcase" => {
                let name = tag.try_get_attribute("name").expect("sound").expect("a name");
                names.push(String::from_utf8_lossy(&name.value).into_owned());
            }
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == b"failure" => failed += 1,
            Event::Eof => return (names, failed),
            Event::CData(_) | Event::PI(_) | Event::Comment(_) => panic!("none of ours has that"),
            _ => {}
        }
    }
}

#[test]
fn what_looks_like_ours_stays_quoted_in_every_format() {
    if without_python() {
        return;
    }
    let kept = tempfile::tempdir().expect("a folder");
    let at = |name: &str| kept.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::create_dir(at("own")).expect("made");
    fs::write(at("own/p.py"), PROGRAM).expect("written");
    fs::write(at("r.rhai"), RUBRIC).expect("written");
    let path = if Path::new("/usr/bin/python3").is_file() { "/usr/bin:/bin" } else { env!("PATH") };
    let files = [
        ("--transcript", "t.txt"),
        ("--stable", "s.txt"),
        ("--events", "e.ndjson"),
        ("--report", "r.html"),
        ("--junit", "j.xml"),
        ("--gradescope", "g.json"),
        ("--cast", "c.cast"),
    ];
    let mut command = hobnob(&["grade", "--unsafe", "--attempts", "1", "--tap"]);
    for (flag, name) in files {
        command.arg(flag).arg(at(name));
    }
    command.args([&at("r.rhai"), "--", "python3", "p.py"]).current_dir(at("own")).env("PATH", path);
    let output = command.output().expect("it starts");
    let tap = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(4), "{tap}");
    let read = |name: &str| fs::read_to_string(at(name)).unwrap_or_else(|error| panic!("{name}: {error}"));

    let lines: Vec<_> = tap.lines().filter(|line| !line.starts_with(' ')).collect();
    let wanted = [
        "TAP version 14",
        "1..3",
        "# r.rhai seed 1 in tcp",
        "not ok 1 - listens",
        "ok 2 - prints",
        "not ok 3 - says well",
        "# 1 of 3 tests passed, 2 of 9 points",
    ];
    assert_eq!(lines, wanted);
    assert!(tap.contains("alert(1)"), "it is shown, quoted: {tap}");

    for (name, text) in [("tap", tap.clone()), ("t.txt", read("t.txt")), ("s.txt", read("s.txt"))] {
        assert!(is_tame(&text), "{name}: {text}");
        for line in text.lines().filter(|line| line.starts_with(' ')) {
            let start = line.trim_start();
            assert!(!FAKES.iter().any(|fake| start.starts_with(fake)), "{name}: {line}");
        }
    }
    assert!(!read("s.txt").lines().any(|line| line.starts_with("== step")), "{}", read("s.txt"));

    assert_eq!(junit(&read("j.xml")), (vec!["listens".into(), "prints".into(), "says well".into()], 2));

    let grade: serde_json::Value = serde_json::from_str(&read("g.json")).expect("JSON");
    let scores: Vec<_> =
        grade["tests"].as_array().expect("tests").iter().map(|test| &test["score"]).collect();
    assert_eq!((&grade["score"], scores), (&2.0.into(), vec![&0.0.into(), &2.0.into(), &0.0.into()]));
    for text in [&grade["tests"][0]["output"], &grade["tests"][2]["output"], &grade["output"]] {
        assert!(is_tame(text.as_str().expect("text")), "{text}");
    }

    let page = read("r.html");
    assert!(is_tame(&page) && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onerror=alert(1)>"));

    let events: Vec<serde_json::Value> =
        read("e.ndjson").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.iter().filter(|event| event["ev"] == "end").count(), 1);
    for line in read("c.cast").lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let shown = line[2].as_str().unwrap_or_default().replace("\r\n", "\n");
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains("\u{1b}]"), "{shown:?}");
    }

    // Whatever is made of the events again is the same.
    let (code, out, said) = run(&["report", &at("e.ndjson"), "--junit", &at("again.xml")]);
    assert_eq!((code, &*out, &*said), (0, "", ""));
    assert_eq!(junit(&read("again.xml")), junit(&read("j.xml")));
}

//! docs/assurance.md is true: every promise has its row, once, and every test that a row names exists
//! and is run. The promises stand here a second time, so that a row cannot be dropped quietly.

use std::collections::BTreeMap;
use std::path::Path;

const DOCUMENT: &str = include_str!("../../docs/assurance.md");

/// The promises, by group.
const PROMISES: [(&str, &[u8]); 11] = [
    ("T", &[1, 2, 3, 4, 5, 6, 8, 12, 14]),
    ("I", &[1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 14, 17, 18]),
    ("W", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19, 21, 26, 27]),
    ("C", &[1, 2, 3, 4, 5, 6, 7, 12, 13, 14]),
    ("G", &[1, 2, 3, 4, 6, 7, 8, 9, 13, 15]),
    ("F", &[1, 2, 3, 4, 5, 6, 7, 9, 11, 12]),
    ("S", &[1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 16]),
    ("R", &[1, 2, 3, 4, 5, 6, 8, 10, 11, 13]),
    ("X", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 13]),
    ("rule S", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
    ("rule L", &[1, 2, 3]),
];

/// Groups of what is not there at all: rooms and discovery, files.
const ABSENT: [&str; 2] = ["G", "F"];
/// Rows of what is there that say so too: nothing is relayed; a graded program may use the network; no
/// message is marked as handled; two rules are about rooms.
const EXCEPTIONS: [&str; 5] = ["I18", "X9", "rule S11", "rule S12", "rule L2"];

struct Row {
    id: String,
    priority: String,
    what: String,
    held: String,
}

/// Every row of every table with four columns.
fn rows() -> Vec<Row> {
    let tables = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows = tables.map(cells).filter(|cells| cells.len() == 4 && cells[0] != "Row");
    rows.map(|cells| {
        let [id, priority, what, held] = <[String; 4]>::try_from(cells).expect("four");
        Row { id, priority, what, held }
    })
    .collect()
}

/// The tests that a row names.
fn named(held: &str) -> Vec<&str> {
    held.split('`').skip(1).step_by(2).collect()
}

/// The files that may hold a module's tests.
fn files(module: &str) -> Vec<String> {
    let path = module.replace("::", "/");
    let mut files = ["tests/it/", "tests/store/", "src/"].map(|root| format!("{root}{path}.rs")).to_vec();
    files.push(format!("tests/it/{path}/mod.rs"));
    if let Some(of) = path.strip_suffix("/tests") {
        files.extend([format!("src/{of}.rs"), format!("src/{of}/mod.rs")]);
    }
    files
}

/// Whether `text` has a test of that name that is run.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let begins = format!("fn {name}(");
    lines.iter().enumerate().filter(|(_, line)| line.starts_with(&begins)).any(|(at, _)| {
        let attributes =
            lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        let attributes: Vec<_> = attributes.collect();
        attributes.contains(&&"#[test]") && !attributes.iter().any(|line| line.starts_with("#[ignore"))
    })
}

fn exists(test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = files(module).into_iter().filter_map(|file| std::fs::read_to_string(root.join(file)).ok());
    texts.filter(|text| has_test(text, name)).count() == 1
}

#[test]
fn every_promise_has_its_row_once() {
    let mut expected = Vec::new();
    for (group, numbers) in PROMISES {
        expected.extend(numbers.iter().map(|number| format!("{group}{number}")));
    }
    assert_eq!(expected.len(), 105 + 17);
    let found: Vec<_> = rows().into_iter().map(|row| row.id).collect();
    assert_eq!(found, expected, "in this order, each once");
    for Row { id, priority, what, .. } in rows() {
        assert!(priority == "P0" && what.len() > 10, "{id}: {priority}, {what}");
    }
}

#[test]
fn every_row_has_a_test_that_exists_or_says_that_it_has_none() {
    let mut wrong = BTreeMap::new();
    for Row { id, held, .. } in rows() {
        let tests = named(&held);
        let group = id.trim_end_matches(|c: char| c.is_ascii_digit());
        let may_lack = ABSENT.contains(&group) || EXCEPTIONS.contains(&&*id);
        if held.starts_with("not built") != may_lack {
            wrong.insert(id.clone(), "not built, or built by now".to_owned());
        }
        if tests.is_empty() != may_lack {
            wrong.insert(id.clone(), "no test, or one too many".to_owned());
        }
        // Between the names there is nothing that could be taken for one.
        let rest: String = held.split('`').step_by(2).collect();
        if !may_lack && !rest.trim().is_empty() {
            wrong.insert(id.clone(), rest);
        }
        for test in tests.into_iter().filter(|test| !exists(test)) {
            wrong.insert(id.clone(), format!("there is no test {test}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_test_that_is_not_there_is_noticed() {
    for absent in [
        "floods::no_such_test",
        "no_such_file::every_promise_has_its_row_once",
        "every_promise_has_its_row_once",
        // A function that is no test.
        "assurance::has_test",
        "doors::tests::messages_that_carry_nothing_end_a_link",
        "",
    ] {
        assert!(!exists(absent), "{absent}");
    }
    assert!(
        exists("assurance::a_test_that_is_not_there_is_noticed")
            && exists("link::tests::a_changed_record_is_fatal")
    );
    assert!(!has_test("#[test]\n#[ignore = \"slow\"]\nfn x() {}", "x") && !has_test("fn x() {}", "x"));
}

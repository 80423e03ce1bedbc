//! The rubric for plain chats, with programs of known worth: the reference gets all points, and each
//! copy with one fault loses the points of one test and no others.

use std::path::Path;
use std::process::Command;
use std::thread;

use crate::proc::hobnob;

/// Each program with a fault, and the test that is to find it.
const FAULTY: [(&str, &str); 14] = [
    ("01_announces_ephemeral_port", "sends a message as it was agreed: IP:PORT NAME TEXT"),
    ("02_lists_ephemeral_port", "lists a peer by the port that it announces"),
    ("03_doubles_peers", "lists a peer once, however often it writes"),
    ("04_ignores_exit", "forgets a peer that says exit"),
    ("05_quits_silently", "tells its peers when it quits, and ends"),
    ("06_deaf_while_asking", "shows a message while it asks for something"),
    ("07_reads_once", "reads a message that comes in two pieces"),
    ("08_dies_of_invalid_bytes", "survives bytes that are no text"),
    ("09_cuts_at_512", "reads a message of 1,024 bytes"),
    ("10_connects_to_first", "connects to all peers that it knows"),
    ("11_stops_listening", "listens on the port that it is given"),
    ("12_shows_first_word", "shows an incoming message"),
    ("13_dies_of_absent_peer", "survives a peer that vanishes"),
    ("14_broadcasts_to_first", "broadcasts, where its menu offers that"),
];

/// All points that there are.
const POINTS: f64 = 40.0;

/// True, with a word, when the programs cannot be run here at all.
#[allow(clippy::print_stderr)]
pub(crate) fn without_python() -> bool {
    let missing = Command::new("python3").arg("--version").output().is_err();
    if missing {
        eprintln!("left out: python3 is not installed");
    }
    missing
}

/// Grades `folder/file`; the titles of the tests that lost points, and the points in all.
fn graded(folder: &str, file: &str) -> (Vec<String>, f64, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = tempfile::tempdir().expect("a folder");
    let results = kept.path().join("results.json");
    let mut command = hobnob(&["grade", "--unsafe", "--attempts", "2", "--gradescope"]);
    command.arg(&results).arg(root.join("scripts/cs216.rhai")).args(["--", "python3", file]);
    command.current_dir(root.join(folder)).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let results: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&results).unwrap_or_else(|error| panic!("{error}\n{said}")))
            .expect("JSON");
    let tests = results["tests"].as_array().expect("tests");
    let lost = tests.iter().filter(|test| test["score"].as_f64() < test["max_score"].as_f64());
    let lost = lost.map(|test| test["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(output.status.code(), Some(if results["score"] == POINTS { 0 } else { 4 }), "{file}\n{said}");
    (lost, results["score"].as_f64().expect("a score"), said)
}

#[test]
fn the_reference_gets_all_points_and_each_fault_costs_its_own() {
    if without_python() {
        return;
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            let (lost, points, said) = graded("examples/chat", "p2p_chat.py");
            assert_eq!((lost, points), (Vec::new(), POINTS), "the reference\n{said}");
        });
        scope.spawn(|| {
            let (lost, points, said) = graded("examples/chat", "other_words.py");
            assert_eq!((lost, points), (Vec::new(), POINTS), "other words\n{said}");
        });
        for (file, test) in FAULTY {
            scope.spawn(move || {
                let (lost, points, said) = graded("examples/chat/faulty", &format!("{file}.py"));
                assert_eq!(lost, [test], "{file}\n{said}");
                assert!(points < POINTS, "{file}\n{said}");
            });
        }
    });
}

#[test]
fn no_faulty_program_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/chat/faulty");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "py"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, FAULTY.map(|(file, _)| file));
}

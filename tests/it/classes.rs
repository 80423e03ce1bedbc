//! A whole class: how each submission is started, the table, the pages, the matrix of who reaches whom,
//! and the bar that says how far it is. And a rubric that is graded itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::proc::hobnob;
use crate::pty::Pty;
use crate::rubric::without_python;

const RUBRIC: &str = r#"
wire("classic");
answers(#{ "port": PORT });
test("listens", 3, || { let s = launch(PROGRAM); s.expect_listen(10.s); });
test("greets, and is \"polite\"", 2, || {
    let s = launch(PROGRAM);
    s.expect_listen(10.s);
    s.expect_out("*hello*", #{ within: 1.s });
});
pair(|a, b| { a.line("tell " + b.port); b.expect_out("*from " + a.port + "*", #{ within: 2.s }); });
"#;

/// Listens where it is told, shows what comes, and tells whom it is told to.
const POLITE: &str = r#"
import socket, sys, threading
port = int(input("port: "))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", port))
server.listen()
def hear():
    while True:
        print(server.accept()[0].recv(1000).decode(), flush=True)
threading.Thread(target=hear, daemon=True).start()
print("hello", flush=True)
for line in sys.stdin:
    socket.create_connection(("127.0.0.1", int(line.split()[1]))).sendall(f"from {port}".encode())
"#;

/// A class in a folder of its own.
struct Class(tempfile::TempDir);

impl Class {
    fn new() -> Self {
        let class = Self(tempfile::tempdir().expect("a folder"));
        fs::write(class.at("r.rhai"), RUBRIC).expect("written");
        fs::create_dir(class.at("class")).expect("made");
        class
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn submit(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.at("class").join(name);
        fs::create_dir(&folder).expect("made");
        for (file, text) in files {
            fs::write(folder.join(file), text).expect("written");
        }
        folder
    }

    /// Grades it; what it says.
    fn grade(&self, out: &str, more: &[&str]) -> (i32, String) {
        let mut command = hobnob(&["grade", "r.rhai", "--unsafe", "--class", "class", "--out", out]);
        command.args(more).current_dir(self.0.path()).env("PATH", path());
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap_or(-1), said)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The table without what is before the first test's column and behind the last's.
    fn table(&self, out: &str) -> Vec<Vec<String>> {
        let bytes = fs::read(self.at(out).join("class.csv")).expect("made");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
        reader.records().map(|row| row.expect("CSV").iter().map(str::to_owned).collect()).collect()
    }
}

/// Where system programs are: those in a home are not everybody's.
fn path() -> &'static str {
    if Path::new("/usr/bin/python3").is_file() { "/usr/bin:/bin" } else { env!("PATH") }
}

/// Everybody who can be in a class.
fn everybody() -> Class {
    let class = Class::new();
    class.submit("ann", &[("chat.py", POLITE), ("notes.txt", "")]);
    class.submit(
        "bob",
        &[
            ("hobnob.toml", "start = \"python3 main.py --quietly\"\n"),
            ("main.py", &POLITE.replace("print(\"hello\", flush=True)", "")),
            ("other.py", "import sys\nsys.exit(1)\n"),
        ],
    );
    // Names that look like something else, in a table, on a page and on a command line.
    class.submit("=1+1 <b>\"x\"", &[("chat.py", &POLITE.replace("print(server", "(lambda text: 0)(server"))]);
    class.submit("-dud", &[("readme.txt", "no program")]);
    class.submit("two", &[("a.py", POLITE), ("b.py", POLITE)]);
    class.submit("bad", &[("hobnob.toml", "start = 7\n"), ("a.py", POLITE)]);
    class.submit(".hidden", &[("a.py", POLITE)]);
    std::os::unix::fs::symlink("ann", class.at("class/link")).expect("linked");
    class
}

#[test]
fn every_submission_has_a_row_a_page_and_a_place_in_the_matrix() {
    if without_python() {
        return;
    }
    let class = everybody();
    let (code, said) = class.grade("out", &[]);
    assert_eq!(code, 3, "three have no grade, and it says so: {said}");
    let table = class.table("out");
    let titles = ["listens", "greets, and is \"polite\""];
    assert_eq!(table[0][..3], ["submission", "points", "of"]);
    assert_eq!(table[0][3..5], titles);
    assert_eq!(table[0][5..], ["flaky", "problem", "seed", "hash"]);
    let rows: Vec<Vec<&str>> =
        table[1..].iter().map(|row| row[..7].iter().map(String::as_str).collect()).collect();
    let unknown = "how to start it is not known: ";
    let (none, two) = (
        format!("{unknown}no hobnob.toml, no --start, no .py file"),
        format!("{unknown}2 .py files, and no hobnob.toml or --start"),
    );
    assert_eq!(
        rows,
        [
            // What begins as a formula does is none.
            vec!["'-dud", "0", "0", "", "", "0", &none],
            vec!["'=1+1 <b>\"x\"", "5", "5", "3", "2", "0", ""],
            vec!["ann", "5", "5", "3", "2", "0", ""],
            vec!["bad", "0", "0", "", "", "0", "hobnob.toml has no start = \"…\""],
            vec!["bob", "3", "5", "3", "0", "0", ""],
            vec!["two", "0", "0", "", "", "0", &two],
        ]
    );
    assert!(table[1..].iter().all(|row| row[7] == "1" && row[8].len() == 64), "{table:?}");
    for line in
        ["\nann          5 of 5 points\n", "\nbob          3 of 5 points  (greets, and is \"polite\")"]
    {
        assert!(said.contains(line), "{line}\n{said}");
    }

    let page = class.read("out/class.html");
    assert!(page.contains("=1+1 &lt;b&gt;&quot;x&quot;</a>") && !page.contains("<b>"), "{page}");
    let (_, matrix) = page.split_once("Who reaches whom").expect("a matrix");
    let signs = |line: &str| line.chars().filter(|c| matches!(c, '✓' | '✗' | '·')).collect::<String>();
    let rows: Vec<_> = matrix.lines().filter(|line| line.starts_with("<tr>")).map(signs).collect();
    // The second shows nothing that it is told; nobody is tried with himself, or with who cannot start.
    assert_eq!(rows, ["······", "··✓·✓·", "·✗··✓·", "······", "·✗✓···", "······"], "{matrix}");

    for link in page.split("href=\"").skip(1) {
        let (file, _) = link.split_once('"').expect("an end");
        assert!(class.read(&format!("out/{file}")).contains("<h1"), "{file}");
        assert!(file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{file}");
    }
    assert_eq!(page.matches("href=\"").count(), 3);
    for file in ["ann.html", "ann.json", "ann.ndjson", "bob.json"] {
        assert!(class.at("out").join(file).is_file(), "{file}");
    }
    let left = fs::read_dir(class.at("out")).expect("made").flatten();
    assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with('.')));

    let (_, again) = class.grade("again", &["--jobs", "2"]);
    assert_eq!(again, said);
    assert_eq!(class.read("again/class.csv"), class.read("out/class.csv"), "the same class, the same points");
}

#[test]
fn a_command_is_for_those_who_do_not_say_how() {
    if without_python() {
        return;
    }
    let class = Class::new();
    class.submit("ann", &[("go.py", POLITE), ("z.py", "nonsense")]);
    class.submit(
        "bob",
        &[("hobnob.toml", "start = \"python3 own.py\"\n"), ("own.py", POLITE), ("go.py", "nonsense")],
    );
    let (code, said) = class.grade("out", &["--start", "python3 'go.py'"]);
    assert_eq!((code, &*said), (0, "ann  5 of 5 points\nbob  5 of 5 points\n"));
    let (code, said) = class.grade("out", &["--start", "python3 'go.py"]);
    assert_eq!(code, 3);
    assert_eq!(said, "ann  \"python3 'go.py\" is no command\nbob  5 of 5 points\n");
    let (code, said) = class.grade("out", &["--junit", "j.xml"]);
    assert_eq!((code, class.at("j.xml").exists()), (1, false));
    assert!(said.contains("with --class every submission has its reports in --out"), "{said}");
}

#[test]
fn a_folder_that_is_no_class_is_refused() {
    let class = Class::new();
    let (code, said) = class.grade("out", &[]);
    assert_eq!((code, &*said), (3, "hobnob: grade: class has no folders in it\n"));
    // Said at once, and not when all of it is graded.
    class.submit("ann", &[("a.py", POLITE)]);
    let (code, said) = class.grade("/dev/null/out", &[]);
    assert!(
        code == 3 && said.starts_with("hobnob: grade: no report can be written to /dev/null/out: "),
        "{said}"
    );
    fs::remove_dir_all(class.at("class")).expect("removed");
    let (code, said) = class.grade("out", &[]);
    assert!(code == 3 && said.starts_with("hobnob: grade: class: No such file"), "{said}");
}

#[test]
fn a_terminal_sees_how_far_it_is() {
    if without_python() {
        return;
    }
    let class = Class::new();
    class.submit("ann", &[("chat.py", POLITE)]);
    let at = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (rubric, all, out) = (at(&class.at("r.rhai")), at(&class.at("class")), at(&class.at("out")));
    let args = ["grade", &rubric, "--unsafe", "--class", &all, "--out", &out];
    let mut pty = Pty::start(env!("CARGO_BIN_EXE_hobnob"), &args, &[]);
    for words in ["0/1 graded", "ann  5 of 5 points"] {
        pty.wait(words, |seen| String::from_utf8_lossy(&seen.raw).contains(words).then_some(()));
    }
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_rubric_is_told_what_it_lacks() {
    if without_python() {
        return;
    }
    let class = Class::new();
    let rubric = RUBRIC.replace("s.expect_out(\"*hello*\", #{ within: 1.s });", "wait(1.ms);");
    fs::write(class.at("r.rhai"), rubric).expect("written");
    fs::write(class.at("good.py"), POLITE).expect("written");
    fs::create_dir(class.at("faulty")).expect("made");
    fs::write(class.at("faulty/1_rude.py"), POLITE.replace("\"hello\"", "\"\"")).expect("written");
    fs::write(class.at("faulty/2_dead.py"), "").expect("written");
    let lint = |more: &[&str]| {
        let mut command = hobnob(&["lint", "r.rhai", "--unsafe", "--runs", "2", "--reference", "good.py"]);
        command.args(more).current_dir(class.0.path()).env("PATH", path());
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap_or(-1), said)
    };
    let title = "greets, and is \"polite\"";
    let (code, said) = lint(&["--faulty", "faulty"]);
    let wanted = format!(
        "2/2  listens  (failed by: 2_dead.py)\n2/2  {title}  (failed by: 2_dead.py)\n\
         ! 1_rude.py: no test notices its fault\n! r.rhai:8: waits for time; could it expect something?\n\
         2 tests, 2 runs of the reference, 2 faulty programs: 2 remarks\n"
    );
    assert_eq!((code, said), (4, wanted));
    let (code, said) = lint(&["--json"]);
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        (code, lines.len(), &lines[0]["ev"], &lines[1]["remarks"]),
        (4, 2, &"remark".into(), &1.into())
    );
    fs::write(class.at("r.rhai"), RUBRIC).expect("written");
    let (code, said) = lint(&[]);
    assert!(
        code == 0 && said.ends_with("2 tests, 2 runs of the reference, 0 faulty programs: nothing to mend\n")
    );
    let (code, said) = lint(&["--faulty", "class"]);
    assert_eq!((code, &*said), (3, "hobnob: lint: class has no files in it\n"));
}

//! `run`, `verify`, `sweep`, `replay` and `report`, as people start them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::proc::{hobnob, run};

fn path(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name).display().to_string()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.at(name), text).expect("written");
        self.at(name).display().to_string()
    }

    fn name(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).expect("it was made")
    }
}

#[test]
fn every_report_is_made_of_one_run() {
    let folder = Folder::new();
    let demo = path("scripts/demo.rhai");
    let flags = [
        ("--transcript", "t.txt", "alice  -> bob    #1 \"ping\""),
        ("--stable", "s.txt", "  <- bob \"pong\""),
        ("--events", "e.ndjson", "\"ev\":\"queued\",\"peer\":\"alice\",\"with\":\"bob\""),
        ("--report", "r.html", "<svg"),
        ("--junit", "j.xml", "<testcase"),
        ("--gradescope", "g.json", "\"score\""),
        ("--cast", "c.cast", "\"version\": 2"),
    ];
    let mut args = vec!["run".to_owned(), demo.clone(), "--seed".into(), "7".into()];
    for (flag, name, _) in flags {
        args.extend([flag.to_owned(), folder.name(name)]);
    }
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    assert_eq!(run(&args), (0, String::new(), String::new()));
    for (flag, name, part) in flags {
        let made = folder.read(name).replace("\"version\":2", "\"version\": 2");
        assert!(made.contains(part), "{flag}:\n{made}");
    }
    let (code, tap, _) = run(&["run", &demo, "--tap"]);
    assert_eq!(
        (code, tap.starts_with("TAP version 14\n1..1\n") && tap.contains("\nok 1 - demo.rhai\n")),
        (0, true),
        "{tap}"
    );
    // The same reports, from the events alone.
    let again = folder.name("again.html");
    let (code, _, said) = run(&["report", &folder.name("e.ndjson"), "--report", &again]);
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(folder.read("again.html"), folder.read("r.html"));
    let (code, drawn, _) = run(&["report", &folder.name("e.ndjson"), "--text"]);
    assert!(code == 0 && drawn.contains("ping ") && drawn.contains('▶'), "{drawn}");
}

#[test]
fn events_are_lines_of_json_and_nothing_else() {
    let (code, out, said) = run(&["run", &path("scripts/demo.rhai"), "--json"]);
    assert_eq!((code, said.as_str()), (0, ""));
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let first = &lines[0];
    assert_eq!((&first["ev"], &first["seed"], &first["world"]), (&"header".into(), &1.into(), &"sim".into()));
    let last = lines.last().expect("an end");
    assert_eq!((&last["ev"], &last["result"]), (&"end".into(), &0.into()));
    assert!(last["hash"].as_str().is_some_and(|hash| hash.len() == 64));
    for (n, line) in lines.iter().enumerate() {
        assert_eq!((&line["v"], &line["n"]), (&1.into(), &n.into()));
    }
    let received = lines.iter().find(|line| line["ev"] == "recv").expect("a message");
    let cause = usize::try_from(received["cause"].as_u64().expect("a cause")).expect("small");
    assert_eq!(lines[cause]["ev"], "queued");
    assert!(lines[cause]["lam"].as_u64() < received["lam"].as_u64());
}

#[test]
fn a_failing_script_says_so_once_and_its_reports_are_made() {
    let folder = Folder::new();
    let script = folder.write("bad.rhai", "cast([\"a\"]);\na.expect(\"x\", #{ within: 1.s });\n");
    let (code, out, said) = run(&["run", &script, "--tap"]);
    assert_eq!(code, 4);
    assert!(out.contains("not ok 1"), "{out}");
    assert!(said.starts_with("bad.rhai:2:3: expect: a got no message like \"x\" within 1s"), "{said}");
    assert_eq!(said.matches("a got no message").count(), 1);
    let broken = folder.write("broken.rhai", "let x = ;");
    assert_eq!(run(&["run", &broken]).0, 2);
    let batch = folder.write("broken.hob", "alice> send bob hi\nalice> sned bob hi\n");
    let (code, out, said) = run(&["run", &batch, "-q"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(said.starts_with("broken.hob:2: unknown command \"sned\"; did you mean send?"), "{said}");
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let folder = Folder::new();
    for (args, words) in [
        (vec!["run", "/nonexistent/a.rhai"], "hobnob: /nonexistent/a.rhai: No such file"),
        (vec!["run", "/tmp"], "hobnob: /tmp is no regular file"),
        (vec!["run", "/dev/null"], "hobnob: /dev/null is no regular file"),
        (vec!["report", "/nonexistent/e"], "hobnob: /nonexistent/e: No such file"),
        (vec!["replay", "/nonexistent/b"], "hobnob: /nonexistent/b: No such file"),
    ] {
        let (code, _, said) = run(&args);
        assert_eq!(code, 3, "{args:?}");
        assert!(said.starts_with(words), "{args:?}: {said}");
    }
    let odd = folder.write("script.txt", "hello");
    assert!(run(&["run", &odd]).2.contains("script.txt is no script: it must end in .rhai, .hob or .md"));
    let demo = path("scripts/demo.rhai");
    let (code, _, said) = run(&["run", &demo, "--report", "/dev/null/r.html"]);
    assert_eq!(code, 3);
    assert!(said.contains("cannot write /dev/null/r.html: "), "{said}");
    let (code, _, said) = run(&["run", &demo, "--stable", "-", "--events", "-"]);
    assert_eq!(code, 1);
    assert!(said.contains("two things cannot both go to standard output"), "{said}");
    assert_eq!(run(&["sweep", &demo, "--seeds", "9..1"]).0, 1);
    let bad = folder.write("e.ndjson", "{\"v\":1,\"n\":0,\"t\":0.0,\"ev\":\"nothing\"}\n");
    let (code, _, said) = run(&["report", &bad]);
    assert!(code == 3 && said.contains("e.ndjson: line 1"), "{said}");
}

#[test]
fn one_seed_is_one_run_in_any_process() {
    let demo = path("scripts/demo.rhai");
    let events = |seed: &str| run(&["run", &demo, "--json", "--seed", seed]).1;
    assert_eq!(events("5"), events("5"));
    assert_ne!(events("5"), events("6"));
    let (code, out, _) = run(&["verify", &path("scripts/chaos.rhai"), "--seed", "3"]);
    assert!(code == 0 && out.starts_with("identical: ") && out.ends_with("seed 3, exit 0\n"), "{out}");
}

#[test]
fn a_sweep_tells_which_seeds_fail_and_how_to_see_one() {
    let folder = Folder::new();
    let script = folder.write("some.rhai", "if rand(4) == 0 { throw \"unlucky\" }");
    let (code, out, said) = run(&["sweep", &script, "--seeds", "1..40"]);
    assert_eq!((code, said.as_str()), (3, ""));
    let first = out.lines().next().expect("a failing seed");
    assert!(first.starts_with("seed ") && first.ends_with(": some.rhai:1:19: unlucky"), "{out}");
    let last = out.lines().last().expect("a summary");
    assert!(last.starts_with("40 seeds, ") && last.contains("hobnob run --seed "), "{out}");
    let seed = first.split([' ', ':']).nth(1).expect("a number");
    assert_eq!(run(&["run", &script, "--seed", seed]).0, 3, "the command that is told fails");
    assert_eq!(run(&["sweep", &path("scripts/demo.rhai"), "--seeds", "1..20"]).1, "20 seeds, all well\n");
}

#[test]
fn a_bundle_is_run_again_and_compared() {
    let folder = Folder::new();
    folder.write("names.rhai", "fn two() { [\"ann\", \"ben\"] }");
    let text = "import \"names\" as names; cast(names::two()); peer(\"ann\").send(peer(\"ben\"), ARGS[0]); settle();";
    let script = folder.write("main.rhai", text);
    let bundle = folder.name("run.bundle");
    assert_eq!(run(&["run", "--seed", "9", "--bundle", &bundle, &script, "hello"]).0, 0);
    // What it needs is in it: the files can be gone.
    std::fs::remove_file(folder.at("names.rhai")).expect("removed");
    std::fs::remove_file(folder.at("main.rhai")).expect("removed");
    assert_eq!(run(&["replay", &bundle]), (0, "identical\n".into(), String::new()));
    let bytes = std::fs::read(&bundle).expect("a bundle");
    let other: Vec<u8> = String::from_utf8_lossy(&bytes).replace("ARGS[0]", "\"other\"").into_bytes();
    std::fs::write(&bundle, other).expect("written");
    let (code, _, said) = run(&["replay", &bundle]);
    assert!(code == 3 || code == 5, "{said}");
}

#[test]
fn a_golden_is_compared_and_written_anew() {
    let folder = Folder::new();
    let script = folder.write("a.hob", "ann> send ben hello\nben> expect ann hello\n");
    let golden = folder.name("a.stable");
    assert_eq!(run(&["run", &script, "-q", "--golden", &golden]).0, 3, "there is none yet");
    assert_eq!(run(&["run", &script, "--update"]).0, 0);
    assert!(folder.read("a.stable").contains("  -> ben \"hello\""));
    assert_eq!(run(&["run", &script, "-q", "--golden", &golden]), (0, String::new(), String::new()));
    folder.write("a.stable", &folder.read("a.stable").replace("hello", "hallo"));
    let (code, _, said) = run(&["run", &script, "-q", "--golden", &golden]);
    assert_eq!(code, 5);
    assert!(said.contains("a.stable:") && said.contains("kept") && said.contains("now"), "{said}");
}

#[test]
fn an_interrupt_or_the_clock_ends_a_script() {
    let folder = Folder::new();
    let script =
        folder.write("long.rhai", "cast([\"a\"]); note(\"begun\"); a.expect(\"x\", #{ within: 10.m });");
    let (code, _, said) = run(&["run", "--tcp", &script, "--timeout", "300ms"]);
    assert_eq!(code, 3);
    assert!(said.contains("it took longer than --timeout allows"), "{said}");
    let mut command = hobnob(&["run", "--tcp", &script]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("begun") {
        line.clear();
        assert!(
            std::io::BufRead::read_line(&mut out, &mut line).expect("text") > 0,
            "it says that it has begun"
        );
    }
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a pid")),
        nix::sys::signal::Signal::SIGINT,
    )
    .expect("a child");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_sweep_and_a_verify_make_reports_too() {
    let folder = Folder::new();
    let script = folder.write(
        "some.rhai",
        "cast([\"a\", \"b\"]); a.send(b, \"hi\"); settle(); if rand(3) == 0 { throw \"unlucky\" }",
    );
    let (junit, events) = (folder.name("j.xml"), folder.name("e.ndjson"));
    assert_eq!(run(&["sweep", "--seeds", "1..20", "--junit", &junit, &script]).0, 3);
    assert!(folder.read("j.xml").contains("unlucky"));
    let (code, out, _) = run(&["verify", "--json", "--events", &events, &path("scripts/demo.rhai")]);
    assert_eq!(code, 0);
    let line: serde_json::Value = serde_json::from_str(out.trim()).expect("one line of JSON");
    assert_eq!(line["ev"], "identical");
    assert!(folder.read("e.ndjson").contains("\"ev\":\"end\""));
}

#[test]
fn what_is_said_and_cannot_be_written_is_an_error() {
    let demo = path("scripts/demo.rhai");
    for args in [
        vec!["run", &demo],
        vec!["run", "--json", &demo],
        vec!["verify", &demo],
        vec!["sweep", "--seeds", "1..2", &demo],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let output = hobnob(&args).stdout(full).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        assert_eq!(said.matches("cannot write the output: ").count(), 1, "{args:?}: {said}");
    }
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let folder = Folder::new();
    let text = "cast([\"a\"]);\n";
    let script = folder.write("a.rhai", text);
    let other = folder.name("./a.rhai");
    for args in [
        vec!["run", &script, "--stable", &other],
        vec!["run", &script, "--report", &script],
        vec!["run", &script, "--golden", &script, "--update"],
        vec!["verify", &script, "--events", &script],
        vec!["sweep", &script, "--seeds", "1..2", "--junit", &script],
    ] {
        let (code, _, said) = run(&args);
        assert!(code == 1 && said.contains("a.rhai is what is read, and would be lost"), "{args:?}: {said}");
        assert_eq!(folder.read("a.rhai"), text);
    }
    assert_eq!(run(&["run", &script, "-q", "--events", &folder.name("e")]).0, 0);
    assert_eq!(run(&["report", &folder.name("e"), "--report", &folder.name("e")]).0, 1);
}

#[test]
fn a_misspelt_option_is_no_argument_of_the_script() {
    let folder = Folder::new();
    let script = folder.write("args.rhai", "print(ARGS);");
    let (code, _, said) = run(&["run", &script, "--sedd", "3"]);
    assert!(code == 1 && said.contains("'--sedd'") && said.contains("'--seed'"), "{said}");
    // Options stand anywhere, and what is the script's own may look like one.
    let (code, out, _) = run(&["run", &script, "one", "-1", "-q", "--transcript", "-", "--", "--sedd", "-q"]);
    assert!(code == 0 && out.contains(r#"["one", "-1", "--sedd", "-q"]"#), "{out}");
    let (code, out, _) = run(&["verify", &script, "--", "-x"]);
    assert!(code == 0 && out.starts_with("identical"), "{out}");
    let failing = folder.write("f.rhai", "throw ARGS[0]");
    let (_, out, _) = run(&["sweep", &failing, "--seeds", "4", "--", "-x y"]);
    assert!(out.contains(&format!("hobnob run --seed 4 -- {failing} '-x y'")), "{out}");
}

#[test]
fn a_sweep_that_is_ended_does_not_speak_for_the_rest() {
    let folder = Folder::new();
    let script = folder.write("a.rhai", "cast([\"a\"]);");
    let all = u64::MAX;
    let (code, out, _) = run(&["sweep", &script, "--seeds", &format!("0..{all}"), "--timeout", "300ms"]);
    assert!(code == 3 && out.contains(&format!(" of {all} seeds, all well")), "{out}");
}

#[test]
fn a_script_is_no_name_and_no_port() {
    for (args, words) in [
        (vec!["demo.rhai"], "this is a script; to play it: hobnob run demo.rhai"),
        (vec!["scripts/a.hob"], "this is a script; to play it: hobnob run scripts/a.hob"),
        (vec!["rnu", "a.md"], "to play a script: hobnob run FILE"),
    ] {
        let (code, _, said) = run(&args);
        assert!(code == 1 && said.contains(words), "{args:?}: {said}");
    }
}

#[test]
fn what_is_no_bundle_is_not_read_as_one() {
    let (code, _, said) = run(&["replay", &path("scripts/demo.rhai")]);
    assert_eq!(code, 3);
    assert!(said.contains("no bundle: it does not begin as one; give a file that"), "{said}");
}

#[test]
fn a_golden_may_have_the_line_ends_of_another_system() {
    let folder = Folder::new();
    let script = folder.write("a.hob", "ann> send ben hello\nben> expect ann hello\n");
    assert_eq!(run(&["run", &script, "--update"]).0, 0);
    let golden = folder.write("a.stable", &folder.read("a.stable").replace('\n', "\r\n"));
    assert_eq!(run(&["run", &script, "-q", "--golden", &golden]), (0, String::new(), String::new()));
}

#[test]
fn who_ends_a_verify_ends_its_run_and_the_clock_proves_nothing() {
    let folder = Folder::new();
    let endless = "cast([\"a\", \"b\"]); a.connect(b); loop { a.send(b, \"m\"); b.expect(\"m\"); }";
    let script = folder.write("-endless.rhai", endless);
    let (code, _, err) = run(&["verify", "--timeout", "300ms", &script]);
    assert!(code == 3 && err.contains("longer than --timeout"), "{code}: {err}");
    let mut command = hobnob(&["verify", "--", "-endless.rhai"]);
    let child = command.current_dir(folder.0.path()).stderr(Stdio::piped()).spawn().expect("it starts");
    let pid = rustix::process::Pid::from_child(&child);
    let children = format!("/proc/{pid}/task/{pid}/children", pid = pid.as_raw_nonzero());
    let run = loop {
        let found = std::fs::read_to_string(&children).expect("it runs");
        if let Some(run) = found.split_whitespace().next() {
            break run.to_owned();
        }
        std::thread::yield_now();
    };
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    let done = child.wait_with_output().expect("it ends");
    assert_eq!(done.status.code(), Some(130), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!Path::new(&format!("/proc/{run}")).exists(), "the run has ended, too");
}

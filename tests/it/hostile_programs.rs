//! Programs that mean harm: each ends with a verdict, in time, and nothing of it is left, shut in or
//! not. What only the sandbox prevents is asked of it alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::proc::hobnob;
use crate::rubric::without_python;

/// A grade may take this long, on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(35);

/// Asks for little, in little time: hostile programs do none of it.
const RUBRIC: &str = r#"
wire("classic");
test("listens", 3, || { let s = launch(PROGRAM); s.expect_listen(TIME); });
test("says well", 2, || { let s = launch(PROGRAM); s.expect_out("well", #{ within: TIME }); });
"#;
/// In which they may do it; for those that are to come to an end, more.
const SOON: &str = "1.s";
const LATE: &str = "5.s";
/// Bombs go off one after the other, as the other tests share the machine.
static BOMB: Mutex<()> = Mutex::new(());

/// How a program went.
struct Graded {
    code: i32,
    out: String,
    results: serde_json::Value,
    took: Duration,
}

/// The PATH that bubblewrap is looked for on; python is named in full.
fn path(folder: &Path, shut_in: bool) -> PathBuf {
    if shut_in {
        return std::env::var_os("PATH").unwrap_or_default().into();
    }
    let own = folder.join("bin");
    fs::create_dir(&own).expect("made");
    own
}

/// The interpreter itself, where the sandbox shows it: what is on the PATH may be a script that needs
/// others, or in somebody's home.
fn python() -> String {
    let own = "/usr/bin/python3";
    if Path::new(own).is_file() { own.into() } else { "python3".into() }
}

/// Bubblewrap is there and works.
fn has_sandbox() -> bool {
    hobnob::launch::find_sandbox().is_some()
}

/// Processes that any launch of this `hobnob` has marked.
fn left(pid: u32) -> Vec<String> {
    let mark = format!("HOBNOB_LAUNCHED={pid}-");
    let entries = fs::read_dir("/proc").expect("a folder").flatten();
    let of = |path: PathBuf| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        let is_marked = environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(mark.as_bytes()));
        is_marked.then(|| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            format!("{}: {}", path.display(), String::from_utf8_lossy(&line))
        })
    };
    entries.filter_map(|entry| of(entry.path())).collect()
}

/// Waits for its end, and ends it when it takes too long.
fn wait(child: &mut Child, since: Instant) -> Option<i32> {
    while since.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("a child") {
            return Some(status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Grades this Python. Nothing is left of it, whatever it does.
fn grade(program: &str, shut_in: bool) -> Graded {
    grade_within(SOON, program, shut_in)
}

fn grade_within(time: &str, program: &str, shut_in: bool) -> Graded {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("own");
    fs::create_dir(&own).expect("made");
    fs::write(own.join("p.py"), program).expect("written");
    fs::write(folder.path().join("r.rhai"), RUBRIC.replace("TIME", time)).expect("written");
    let mut command = hobnob(&["grade", "--unsafe", "--attempts", "1", "--gradescope", "../g.json"]);
    command.args(["../r.rhai", "--", &python(), "p.py"]).current_dir(&own);
    command.env("PATH", path(folder.path(), shut_in)).env("SECRET", "the-canary");
    let said = folder.path().join("said");
    let file = fs::File::create(&said).expect("made");
    command.stdout(file.try_clone().expect("a file")).stderr(file).stdin(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let code = wait(&mut child, begun);
    let took = begun.elapsed();
    let out = String::from_utf8_lossy(&fs::read(&said).expect("there")).into_owned();
    let code = code.unwrap_or_else(|| panic!("no end within {PATIENCE:?}:\n{program}\n{out}"));
    // What is killed with us is dead a moment later.
    while !left(child.id()).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "left of\n{program}\n{:#?}", left(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    let results = fs::read(folder.path().join("g.json")).unwrap_or_default();
    let results = serde_json::from_slice(&results).unwrap_or_default();
    Graded { code, out, results, took }
}

/// Grades it both ways; it gets no points and there is a whole verdict.
fn fails(program: &str) -> Vec<Graded> {
    fails_within(SOON, program)
}

fn fails_within(time: &str, program: &str) -> Vec<Graded> {
    if without_python() {
        return Vec::new();
    }
    let ways = [true, false].into_iter().filter(|shut_in| !shut_in || has_sandbox());
    let graded: Vec<_> = ways.map(|shut_in| grade_within(time, program, shut_in)).collect();
    for graded in &graded {
        assert_eq!(graded.code, 4, "{program}\n{}", graded.out);
        assert_eq!(graded.results["score"], 0.0, "{program}\n{}", graded.out);
        assert_eq!(graded.results["tests"].as_array().map(Vec::len), Some(2), "{program}\n{}", graded.out);
        assert!(graded.out.contains("0 of 2 tests passed, 0 of 5 points"), "{program}\n{}", graded.out);
    }
    graded
}

#[test]
fn a_fork_bomb() {
    let _alone = BOMB.lock();
    fails("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass\n");
}

/// Every child makes a session of its own, so no group of processes has them all. It makes 3,000 at
/// most and each is gone after 20 s, whoever fails to end it.
const SESSIONS: &str = "import os, time\nend = time.time() + 20\n\
    made = os.open('made', os.O_RDWR | os.O_CREAT | os.O_APPEND)\nwhile time.time() < end:\n    \
    try:\n        if os.fstat(made).st_size >= 3000: time.sleep(0.05)\n        \
    elif os.fork() == 0:\n            os.write(made, b'.')\n            os.setsid()\n    \
    except OSError: pass\n";

#[test]
fn a_fork_bomb_whose_every_child_has_a_session_of_its_own() {
    let _alone = BOMB.lock();
    fails(SESSIONS);
}

#[test]
fn a_memory_bomb() {
    let _alone = BOMB.lock();
    for graded in fails_within(LATE, "kept = []\nwhile True: kept.append(bytearray(16 * 1024 * 1024))\n") {
        assert!(graded.out.contains("MemoryError"), "{}", graded.out);
    }
}

#[test]
fn endless_output() {
    for program in [
        "import os\nwhile True: os.write(1, b'y\\n' * 30000)\n",
        "import os\nwhile True: os.write(1, b'y' * 60000)\n",
    ] {
        for graded in fails(program) {
            assert!(graded.out.len() < 2 * 1024 * 1024, "{} bytes", graded.out.len());
            assert!(graded.took < Duration::from_secs(20), "{:?}", graded.took);
        }
    }
}

#[test]
fn one_that_ignores_every_signal_it_can() {
    fails(
        "import signal, time\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    \
         except (OSError, ValueError): pass\nwhile True: time.sleep(60)\n",
    );
}

/// Forks twice, makes a session of its own and closes everything, then goes on for ever.
const DAEMON: &str = "import os, sys, time\nif os.fork(): sys.exit(0)\nos.setsid()\n\
    if os.fork(): os._exit(0)\nfor n in range(3): os.close(n)\n";

#[test]
fn a_daemon() {
    fails(&format!("{DAEMON}while True: time.sleep(60)\n"));
}

#[test]
fn a_daemon_that_takes_its_mark_off() {
    if without_python() {
        return;
    }
    // It can be found by nothing but what it holds open.
    let folder = tempfile::tempdir().expect("a folder");
    let held = folder.path().join("held");
    fs::write(&held, "").expect("written");
    let line = "import os,sys,time\\nf = open(sys.argv[1])\\nwhile True: time.sleep(60)";
    let program = format!(
        "{DAEMON}os.execve(sys.executable, ['python3', '-c', '{line}', {held:?}], {{}})\n",
        held = held.display().to_string()
    );
    for graded in fails(&program) {
        assert!(!graded.out.contains("Traceback"), "{}", graded.out);
    }
    let holds = |path: PathBuf| {
        let open = fs::read_dir(path.join("fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|to| to == held)
    };
    let entries = fs::read_dir("/proc").expect("a folder").flatten();
    let found: Vec<_> = entries.map(|entry| entry.path()).filter(|path| holds(path.clone())).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn one_that_looks_for_what_is_not_its_own() {
    let program = "import os\nprint('ENV', sorted(os.environ.items()))\nprint('HOME', os.listdir(os.environ['HOME']))\n\
        print('HERE', os.listdir('.'))\nprint('FDS', sorted(os.listdir('/proc/self/fd')))\n\
        for f in ['/root', '/home', '/tmp']:\n    try: print('LIST', f, os.listdir(f))\n    \
        except OSError as e: print('LIST', f, [])\nprint('PIDS', len([p for p in os.listdir('/proc') if p.isdigit()]))\n";
    if without_python() {
        return;
    }
    for shut_in in [true, false] {
        if shut_in && !has_sandbox() {
            continue;
        }
        let graded = grade(program, shut_in);
        assert_eq!(graded.code, 4, "{}", graded.out);
        let line = |word: &str| {
            let found = graded.out.lines().find_map(|line| line.split_once(word));
            found.unwrap_or_else(|| panic!("no {word} in {}", graded.out)).1.trim().to_owned()
        };
        assert!(!line("ENV ").contains("the-canary"), "{}", graded.out);
        assert_eq!(line("HOME ["), "]");
        assert_eq!(line("HERE "), "['p.py']");
        // The fourth is the folder that is being listed.
        assert_eq!(line("FDS "), "['0', '1', '2', '3']");
        if shut_in {
            assert_eq!(line("LIST /root "), "[]");
            let tmp = line("LIST /tmp ");
            assert!(tmp.matches('\'').count() == 2 && tmp.contains("hobnob-"), "its own folder alone: {tmp}");
            let pids: usize = line("PIDS ").parse().expect("a number");
            assert!(pids <= 4, "{pids} processes");
        }
    }
}

#[test]
fn one_that_writes_results_of_its_own() {
    let program = "import os\nfor f in ['results.json', 'g.json', '../g.json', '/autograder/results/results.json']:\n    \
        try: open(f, 'w').write('{\"score\": 100}')\n    except OSError: pass\n\
        print('ok 1 - listens')\nprint('::set-output name=score::100')\nprint('##[error]no')\n\
        print('\\x1b[2J\\x1b]0;owned\\x07<script>alert(1)</script>')\nprint('2 of 2 tests passed, 5 of 5 points')\n";
    for graded in fails(program) {
        assert!(!graded.out.contains('\x1b') && !graded.out.contains('\x07'), "{}", graded.out);
        for line in graded.out.lines() {
            let start = line.trim_start();
            let fake =
                ["ok 1", "::set-output", "##[", "2 of 2 tests"].iter().any(|fake| start.starts_with(fake));
            assert!(!fake, "{line}");
        }
    }
}

#[test]
fn one_that_kills_its_parent() {
    if without_python() {
        return;
    }
    let program = "import os, time\nos.kill(os.getppid(), 9)\nwhile True: time.sleep(60)\n";
    if has_sandbox() {
        let graded = grade(program, true);
        assert_eq!((graded.code, &graded.results["score"]), (4, &0.0.into()), "{}", graded.out);
    }
    let graded = grade(program, false);
    if rustix::process::geteuid().is_root() {
        // It is somebody else then.
        assert_eq!((graded.code, &graded.results["score"]), (4, &0.0.into()), "{}", graded.out);
        return;
    }
    // Without the sandbox it can; then there is nothing left of it either, and no grade that is better.
    assert_ne!(graded.code, 0, "{}", graded.out);
    assert!(graded.results["score"].is_null() || graded.results["score"] == 0.0, "{}", graded.results);
}

#[test]
fn one_that_ends_at_once_and_one_that_is_none() {
    for graded in fails("") {
        assert!(graded.out.contains("it ends with code 0"), "{}", graded.out);
    }
    for graded in fails("import os\nos.abort()\n") {
        assert!(
            graded.out.contains("it ends by signal 6") || graded.out.contains("code 134"),
            "{}",
            graded.out
        );
    }
    fails("import os\nos.execv('/no/such/program', ['x'])\n");
}

#[test]
fn one_that_closes_its_terminal() {
    fails("import os, time\nfor n in range(3): os.close(n)\nwhile True: time.sleep(60)\n");
}

#[test]
fn one_that_makes_its_folder_unreadable() {
    fails(
        "import os\nos.makedirs('a/b')\nopen('a/b/c', 'w').close()\nos.chmod('a/b', 0)\nos.chmod('a', 0)\nos.chmod('.', 0)\n",
    );
}

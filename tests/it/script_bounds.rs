//! Scripts that would never end, fill the memory, or reach for what is not theirs: each ends with an
//! error, soon and small, as a process of its own.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::play::{error, well};
use crate::proc::hobnob;

/// Loops of every form, and what fills memory.
const BOMBS: [&str; 44] = [
    "loop {}",
    "while true {}",
    "do {} while true;",
    "do {} until false;",
    "for i in 0..4000000000000000 { let n = i; }",
    "let n = 0; loop { n += 1; }",
    "loop { if false { break; } else { continue; } }",
    "fn f() { f() } f();",
    "fn f(n) { f(n + 1) + f(n + 1) } f(0);",
    "let f = |n| n; loop { f.call(1); }",
    "loop { [1, 2, 3].map(|n| n + 1); }",
    "loop { try { throw 1 } catch {} }",
    "loop { `${1 + 1}`; }",
    "loop { print(\"x\"); }",
    "loop { debug(\"x\"); }",
    "loop { note(\"x\"); }",
    "loop { step(\"x\"); }",
    "loop { now(); }",
    "loop { rand(); }",
    "cast([\"a\"]); loop { settle(); }",
    "cast([\"a\"]); loop { wait(0.ms); }",
    "cast([\"a\"]); loop { wait(1.h); }",
    "cast([\"a\"]); loop { a.inbox(); }",
    "cast([\"a\"]); loop { try { a.send(\"b\", \"x\") } catch {} }",
    "let s = \"x\"; loop { s += s; }",
    "let a = [1]; loop { a += a; }",
    "let a = []; loop { a.push(\"0123456789abcdef\"); }",
    "let m = #{}; let n = 0; loop { m[`k${n}`] = n; n += 1; }",
    "let a = []; loop { a = [a, a]; }",
    "let s = \"\"; s.pad(1000000000, \"x\");",
    "let a = []; a.pad(1000000000, 1);",
    "cast([\"a\"]); loop { a.peers(); }",
    "cast([\"a\", \"b\"]); loop { a.connect(b, #{ wait: false }); }",
    "cast([\"a\", \"b\"]); loop { a.send(b, \"x\"); }",
    "cast([\"a\", \"b\"]); loop { try { a.send(b, \"x\"); } catch {} }",
    "cast([\"a\", \"b\"]); loop { hold(a, b); release(a, b); }",
    "cast([\"a\", \"b\"]); loop { crash(a); restart(a); }",
    "cast([\"a\", \"b\"]); loop { a.on(\"message\", |me, m| 1); }",
    "let n = 0; loop { always(`x${n}`, || true); n += 1; }",
    "let n = 0; loop { test(`x${n}`, 1, || 1); n += 1; }",
    "cast([\"a\", \"b\"]); b.on(\"message\", |me, m| { loop {} }); a.send(b, \"1\"); settle();",
    "fn f(a) { f([a, a]) } f([1]);",
    "let a = []; for i in 0..100000 { a.push(i); } loop { a.sort(|x, y| y - x); }",
    "fn f(n) { let s = \"x\"; for i in 0..19 { s += s; } f(n + 1) + s } f(0);",
];

/// How a process ended, what it said, the most memory that it ever had, in bytes, and the time that it
/// took a processor: the tests share the machine, so the time on the wall says little.
fn watched(mut command: Command) -> (Option<i32>, String, u64, Duration) {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (mut most, mut took) = (0, Duration::ZERO);
    let status = loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak =
            peak.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse().ok());
        most = most.max(peak.unwrap_or(0u64) * 1024);
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        // Of what stands behind the name, the 12th and the 13th: hundredths of a second (proc(5)).
        let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        took = took.max(Duration::from_millis(10) * ticks.filter_map(|n| n.parse::<u32>().ok()).sum());
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            // It is the child's own end that is waited for; its memory is looked at meanwhile.
            None if began.elapsed() > Duration::from_secs(60) => {
                child.kill().expect("a child");
                panic!("it does not end");
            }
            None => std::thread::yield_now(),
        }
    };
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("piped"), &mut said).expect("text");
    (status.code(), said, most, took)
}

#[test]
fn a_bomb_ends_soon_and_small() {
    let folder = tempfile::tempdir().expect("a folder");
    for bomb in BOMBS {
        let path = folder.path().join("bomb.rhai");
        std::fs::write(&path, bomb).expect("written");
        let (code, said, most, took) = watched(hobnob(&["run", path.to_str().expect("UTF-8")]));
        assert_eq!(code, Some(3), "{bomb}\n{said}");
        assert!(said.contains("bomb.rhai:1"), "{bomb}\n{said}");
        assert!(most < 64 * 1024 * 1024, "{bomb} took {most} bytes");
        assert!(took < Duration::from_millis(1_500), "{bomb} took {took:?}");
    }
}

#[test]
fn what_is_not_a_scripts_own_is_not_there() {
    for line in [
        "rename_file(\"x\")",
        "open_file(\"x\")",
        "read_file(\"/etc/passwd\")",
        "system(\"ls\")",
        "exec(\"ls\")",
        "env(\"HOME\")",
        "http_get(\"x\")",
        "spawn_thread(|| 1)",
        "eval(\"1 + 1\")",
        "random()",
        "get_env(\"HOME\")",
        "time()",
        "date()",
    ] {
        let said = error(line);
        assert!(
            said.contains("there is no function")
                || said.contains("cannot be called")
                || said.contains("eval"),
            "{line}\n{said}"
        );
    }
    assert!(error("sleep(5)").contains("sleep: \"5\" has no unit; write 5.s or 5.ms"));
    // What has these names is the world's.
    well(
        "cast([\"a\"]); let t = timestamp(); sleep(2.s); check(timestamp() - t == 2.s, \"the world's time\");",
    );
}

#[test]
fn numbers_do_not_wrap() {
    assert!(error("let n = 9223372036854775807; n += 1;").contains("overflow"));
    assert!(error("1 / 0").contains("zero"));
}

#[test]
fn printed_text_is_escaped() {
    let outcome = well("print(\"a\\x1b[2Jb\\u202e\");");
    let shown = hobnob::report::transcript::write(&outcome.play, false);
    assert!(shown.contains("a\\x1b[2Jb\\u{202e}"), "{shown}");
}

#[test]
fn imports_stay_inside_the_scripts_folder() {
    use hobnob::script::Source;
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("own");
    std::fs::create_dir_all(folder.join("lib")).expect("made");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    std::fs::write(outer.path().join("secret.rhai"), "fn f() { 1 }").expect("written");
    write("lib/good.rhai", "import \"near\" as near; fn twice(n) { near::once(n) * 2 }");
    write("lib/near.rhai", "fn once(n) { n }");
    write("loop.rhai", "import \"loop\" as l;");
    write("broken.rhai", "fn f() {\n  let x = ;\n}");
    write("fails.rhai", "fn f() {\n  throw \"no\"\n}");
    std::os::unix::fs::symlink(outer.path().join("secret.rhai"), folder.join("link.rhai")).expect("linked");
    let run = |text: &str| {
        let path = folder.join("main.rhai");
        std::fs::write(&path, text).expect("written");
        let source = Source::read(&path, Vec::new()).expect("readable");
        let outcome = crate::play::play(&source, 1, hobnob::play::WorldKind::Sim);
        outcome.error.map_or_else(|| "fine".to_owned(), |error| error.to_string())
    };
    assert_eq!(run("import \"lib/good\" as g; check(g::twice(4) == 8, \"eight\");"), "fine");
    let absolute = outer.path().join("secret").display().to_string();
    for (path, words) in [
        ("../secret", "import: ../secret is outside the script's own folder"),
        (absolute.as_str(), "is absolute; only files in the script's own folder can be imported"),
        ("link", "import: link is outside the script's own folder"),
        ("lib/../../secret", "is outside the script's own folder"),
        ("nothing", "import: nothing: No such file"),
        ("lib", "import: lib: No such file"),
        ("loop", "import: loop imports itself"),
    ] {
        let said = run(&format!("import \"{path}\" as x;"));
        assert!(said.contains(words), "{path}\n{said}");
    }
    let said = run("import \"broken\" as b;");
    assert!(said.starts_with("broken.rhai:2:11: ") && said.contains("let x = ;"), "{said}");
    let said = run("import \"fails\" as b;\nb::f();");
    assert!(said.starts_with("fails.rhai:2:3: ") && said.contains("throw \"no\""), "{said}");
}

#[test]
fn whoever_takes_what_has_come_does_not_compute_without_end() {
    let text = "cast([\"a\", \"b\"]); a.connect(b);
        for n in 0..10000 { a.send(b, \"m\" + n); }
        settle();
        for n in 0..10000 { b.expect(\"m\" + n); }";
    well(text);
}

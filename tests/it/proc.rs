//! The real program as a process: started, written to, read line by line, and always ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// The longest that anything here may take: the tests share two cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// `hobnob` with a home of its own and nothing of ours in its environment.
pub(crate) fn hobnob(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hobnob"));
    command.args(args).env_clear().env("HOME", home()).env("USER", "tester").stdin(Stdio::null());
    command
}

/// An empty folder that nobody else is given. Those of tests that have ended are removed.
pub(crate) fn home() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let root = ROOT.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("homes");
        for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            let name = old.file_name();
            if !Path::new("/proc").join(&name).exists() {
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        all.join(std::process::id().to_string())
    });
    let home = root.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    std::fs::create_dir_all(&home).expect("a folder of our own");
    home
}

/// The same with so many descriptors.
pub(crate) fn limited(descriptors: u32, args: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_hobnob")]).args(args);
    command.env_clear().env("HOME", home()).env("USER", "tester").stdin(Stdio::null());
    command
}

/// Runs to its end.
pub(crate) fn run(args: &[&str]) -> (i32, String, String) {
    finish(hobnob(args).output().expect("it starts"))
}

/// Runs to its end with `input` on standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> (i32, String, String) {
    let mut command = hobnob(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it wrote");
    finish(output)
}

fn finish(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8 only");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[derive(Default)]
struct Lines {
    seen: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

/// A running `hobnob NAME` that reads a pipe.
pub(crate) struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Arc<Lines>,
    err: Arc<Lines>,
    at: usize,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

impl Peer {
    /// Starts `hobnob NAME 0 --listen 127.0.0.1 ARGS…` and waits until it listens.
    pub(crate) fn start(name: &str, args: &[&str]) -> Self {
        Self::start_at(name, "0", args)
    }

    pub(crate) fn start_at(name: &str, port: &str, args: &[&str]) -> Self {
        Self::spawn(hobnob(&[name, port, "--listen", "127.0.0.1"]), args)
    }

    /// The same with so many descriptors.
    pub(crate) fn start_with(descriptors: u32, name: &str, args: &[&str]) -> Self {
        Self::spawn(limited(descriptors, &[name, "0", "--listen", "127.0.0.1"]), args)
    }

    /// What the system says of it in a file of /proc, as /proc/PID/status.
    pub(crate) fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("it runs, on Linux")
    }

    /// `hobnob tail ARGS…`.
    pub(crate) fn start_tail(args: &[&str]) -> Self {
        Self::spawn(hobnob(&["tail", "--listen", "127.0.0.1"]), args)
    }

    pub(crate) fn spawn(mut command: Command, args: &[&str]) -> Self {
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdin = child.stdin.take();
        let out = follow(child.stdout.take().expect("piped"));
        let err = follow(child.stderr.take().expect("piped"));
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut peer = Self { child, stdin, out, err, at: 0, addr };
        let line = peer.expect("listen");
        let (_, port) = line.trim_end_matches(['"', '}']).rsplit_once(':').expect("an address");
        peer.addr.set_port(port.parse().expect("a port"));
        peer
    }

    pub(crate) fn at(&self) -> String {
        self.addr.to_string()
    }

    pub(crate) fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("still open");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("it reads");
    }

    /// The next line on its output that contains `text`; those before it are passed over.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        match wait(&self.out, self.at, text) {
            Ok((line, at)) => {
                self.at = at;
                line
            }
            Err(seen) => {
                panic!("no {text:?} in {seen:#?}, errors {:#?}", self.err.seen.lock().expect("sound").0)
            }
        }
    }

    /// The next line on its standard error that contains `text`.
    pub(crate) fn expect_error(&mut self, text: &str) -> String {
        wait(&self.err, 0, text).unwrap_or_else(|seen| panic!("no {text:?} in {seen:#?}")).0
    }

    /// Everything printed so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.out.seen.lock().expect("sound").0.clone()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Closes its standard input.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> i32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < until, "it does not end: {:#?}", self.output());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Says goodbye; everything else must have gone well.
    pub(crate) fn quit(mut self) -> Vec<String> {
        self.close();
        assert_eq!(self.wait(), 0, "{:#?}", self.err.seen.lock().expect("sound").0);
        self.output()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(from: impl Read + Send + 'static) -> Arc<Lines> {
    let lines = Arc::new(Lines::default());
    let writer = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { break };
            writer.seen.lock().expect("sound").0.push(line);
            writer.more.notify_all();
        }
        writer.seen.lock().expect("sound").1 = true;
        writer.more.notify_all();
    });
    lines
}

fn wait(lines: &Lines, from: usize, text: &str) -> Result<(String, usize), Vec<String>> {
    let until = Instant::now() + PATIENCE;
    let mut seen = lines.seen.lock().expect("sound");
    loop {
        if let Some(at) = seen.0[from..].iter().position(|line| line.contains(text)) {
            return Ok((seen.0[from + at].clone(), from + at + 1));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || seen.1 {
            return Err(seen.0[from..].to_vec());
        }
        seen = lines.more.wait_timeout(seen, left).expect("sound").0;
    }
}

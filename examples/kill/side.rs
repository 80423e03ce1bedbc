//! One of the two that are killed: its process, what it was told to say, what it has printed, and how
//! that compares with what it and the other have kept.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Something that was promised and is not so.
#[derive(Debug)]
pub(crate) struct Violation(pub(crate) String);

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of the history that are looked at between two lives; the end looks at all of them.
const TAIL: usize = 400;
/// The most that `log` gives.
const ALL: usize = 100_000;

/// A name with its folder, and the process that has both for now.
pub(crate) struct Side {
    name: &'static str,
    other: &'static str,
    port: u16,
    peer: u16,
    program: PathBuf,
    folder: PathBuf,
    process: Option<Process>,
    /// The last number that was to be said.
    said: u64,
    /// Our numbers that were printed as queued, by the number of the message.
    queued: BTreeMap<u64, u64>,
    /// The messages that were printed as delivered.
    delivered: Vec<u64>,
}

struct Process {
    child: Child,
    lines: Sender<u64>,
    book: Arc<(Mutex<Book>, Condvar)>,
}

/// What one life has printed.
#[derive(Default)]
struct Book {
    /// What it was told to say, in that order.
    told: Vec<u64>,
    printed: Vec<String>,
    ended: bool,
    /// As far as somebody has waited for something in it.
    read: usize,
}

impl Side {
    pub(crate) fn new(
        name: &'static str,
        other: &'static str,
        port: u16,
        peer: u16,
        program: &Path,
        root: &Path,
    ) -> Self {
        let (program, folder) = (program.to_owned(), root.join(name));
        let (process, queued, delivered) = (None, BTreeMap::new(), Vec::new());
        Self { name, other, port, peer, program, folder, process, said: 0, queued, delivered }
    }

    /// Whatever was said to it in this and all former lives.
    pub(crate) fn said(&self) -> u64 {
        self.said
    }

    pub(crate) fn start(&mut self) -> Result<(), Violation> {
        let stderr = File::create(self.folder.with_extension("stderr")).map_err(|error| self.wrong(error))?;
        let mut command = self.hobnob(&self.port.to_string());
        command.args(["--peer", &format!("127.0.0.1:{}", self.peer)]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).spawn();
        let mut child = child.map_err(|error| self.wrong(error))?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.wrong("it has no pipes"));
        };
        let book = Arc::new((Mutex::new(Book::default()), Condvar::new()));
        let (lines, to_say) = channel();
        let (other, writes, reads) = (self.other, Arc::clone(&book), Arc::clone(&book));
        std::thread::spawn(move || {
            for number in to_say {
                lock(&writes.0).told.push(number);
                // It may be dead by now, which is what this is about.
                if writeln!(stdin, "send {other} number {number}").is_err() {
                    return;
                }
            }
        });
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                lock(&reads.0).printed.push(line);
                reads.1.notify_all();
            }
            lock(&reads.0).ended = true;
            reads.1.notify_all();
        });
        self.process = Some(Process { child, lines, book });
        Ok(())
    }

    /// Has it say so many numbers more.
    pub(crate) fn say(&mut self, count: u64) {
        for _ in 0..count {
            self.said += 1;
            if let Some(process) = &self.process {
                let _ = process.lines.send(self.said);
            }
        }
    }

    /// Waits until it prints a line with this text, behind those that were waited for before.
    pub(crate) fn until(&mut self, text: &str) -> Result<(), Violation> {
        self.wait(text, |line| line.contains(text))
    }

    /// Waits until the last that it was told to say has arrived.
    pub(crate) fn until_delivered(&mut self) -> Result<(), Violation> {
        let Some(process) = &self.process else { return Err(self.wrong("it does not run")) };
        let book = Arc::clone(&process.book);
        let last = self.said;
        let until = Instant::now() + PATIENCE;
        let mut seen = lock(&book.0);
        loop {
            let told = seen.told.iter().position(|number| *number == last);
            let queued: Vec<_> = seen.printed.iter().filter_map(|line| message("queued", line)).collect();
            let seq = told.and_then(|told| queued.get(told));
            let there = |line: &String| seq.is_some() && message("delivered", line).as_ref() == seq;
            if seen.printed.iter().any(there) {
                return Ok(());
            }
            if seen.ended || Instant::now() >= until {
                drop(seen);
                return Err(self.wrong(format!("number {last} was never delivered")));
            }
            seen = pause(&book.1, seen);
        }
    }

    fn wait(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> Result<(), Violation> {
        let Some(process) = &self.process else { return Err(self.wrong("it does not run")) };
        let book = Arc::clone(&process.book);
        let until = Instant::now() + PATIENCE;
        let mut seen = lock(&book.0);
        loop {
            let from = seen.read;
            if let Some(at) = seen.printed[from..].iter().position(|line| is_it(line)) {
                seen.read += at + 1;
                return Ok(());
            }
            if seen.ended || Instant::now() >= until {
                drop(seen);
                return Err(self.wrong(format!("it does not print {what}")));
            }
            seen = pause(&book.1, seen);
        }
    }

    /// Kills it, and takes down what it has printed.
    pub(crate) fn kill(&mut self) -> Result<(), Violation> {
        let Some(process) = &mut self.process else { return Err(self.wrong("it does not run")) };
        if let Ok(Some(status)) = process.child.try_wait() {
            return Err(self.wrong(format!("it has ended by itself: {status}")));
        }
        let _ = process.child.kill();
        self.bury().map(|_| ())
    }

    /// Ends its input, and waits for its own end, which must be a good one.
    pub(crate) fn quit(&mut self) -> Result<(), Violation> {
        let code = self.bury()?;
        if code == Some(0) { Ok(()) } else { Err(self.wrong(format!("it ended with {code:?}"))) }
    }

    fn bury(&mut self) -> Result<Option<i32>, Violation> {
        let Some(Process { mut child, lines, book }) = self.process.take() else { return Ok(None) };
        drop(lines);
        let status = child.wait().map_err(|error| self.wrong(error))?;
        let mut seen = lock(&book.0);
        while !seen.ended {
            seen = pause(&book.1, seen);
        }
        let mut told = seen.told.iter();
        let mut heard = 0;
        for line in &seen.printed {
            // A last line may be cut off, and has promised nothing.
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            let seq = event["msg"].as_u64().unwrap_or_default();
            match event["ev"].as_str() {
                Some("queued") => {
                    let Some(number) = told.next() else { return Err(self.wrong("queued too often")) };
                    if self.queued.insert(seq, *number).is_some() {
                        return Err(self.wrong(format!("#{seq} was queued twice")));
                    }
                }
                Some("delivered") => self.delivered.push(seq),
                Some("recv") => {
                    let number = number(&event).ok_or_else(|| self.wrong(line))?;
                    if number <= heard {
                        return Err(self.wrong(format!("{number} was shown after {heard} in one life")));
                    }
                    heard = number;
                }
                _ => {}
            }
        }
        Ok(status.code())
    }

    /// Neither runs: what it has printed as delivered must be in the other's history.
    pub(crate) fn was_true(&self, other: &Self) -> Result<(), Violation> {
        let theirs = other.log(TAIL)?;
        let there: Vec<_> = theirs.iter().filter(|line| line.state == "received").collect();
        let Some(first) = there.first() else { return Ok(()) };
        for seq in &self.delivered {
            // Of one that was killed before it could print that it was queued the number is not known.
            let Some(number) = self.queued.get(seq) else { continue };
            if *number >= first.number && !there.iter().any(|line| line.number == *number) {
                return Err(self.wrong(format!("{number} was printed as delivered, and is not there")));
            }
        }
        Ok(())
    }

    /// All is over: how many were printed as queued, and how many as delivered.
    pub(crate) fn compare(&self, other: &Self) -> Result<(usize, usize), Violation> {
        let (ours, theirs) = (self.log(ALL)?, other.log(ALL)?);
        let ours: Vec<_> = ours.iter().filter(|line| line.state != "received").collect();
        let theirs: Vec<_> = theirs.iter().filter(|line| line.state == "received").collect();
        for (whose, lines) in [(self.name, &ours), (other.name, &theirs)] {
            if let Some(pair) = lines.windows(2).find(|pair| pair[0].number >= pair[1].number) {
                let (first, then) = (pair[0].number, pair[1].number);
                return Err(self.wrong(format!("{whose}'s history has {then} after {first}")));
            }
        }
        if let Some(line) = ours.iter().find(|line| line.state != "delivered") {
            return Err(self.wrong(format!("{} is {} and not delivered", line.number, line.state)));
        }
        for number in self.queued.values() {
            for (whose, lines) in [(self.name, &ours), (other.name, &theirs)] {
                if lines.binary_search_by_key(number, |line| line.number).is_err() {
                    return Err(self.wrong(format!("{number} was queued, and {whose} does not have it")));
                }
            }
        }
        if ours.len() != theirs.len() {
            return Err(self.wrong(format!("{} here and {} there", ours.len(), theirs.len())));
        }
        self.check_file()?;
        Ok((self.queued.len(), self.delivered.len()))
    }

    /// What SQLite itself says of the file.
    fn check_file(&self) -> Result<(), Violation> {
        let file = self.folder.join("hobnob.db");
        let db = rusqlite::Connection::open(file).map_err(|error| self.wrong(error))?;
        let said = db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
        match said.as_deref() {
            Ok("ok") => Ok(()),
            Ok(what) => Err(self.wrong(what)),
            Err(error) => Err(self.wrong(error)),
        }
    }

    /// The end of its history, as hobnob itself gives it.
    fn log(&self, count: usize) -> Result<Vec<Line>, Violation> {
        let mut command = self.hobnob("0");
        command.args(["-c", &format!("log -n {count}")]).stdin(Stdio::null());
        let output = command.output().map_err(|error| self.wrong(error))?;
        if !output.status.success() {
            return Err(self.wrong(String::from_utf8_lossy(&output.stderr)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        if text.lines().count() >= ALL {
            return Err(self.wrong("its history is too long to be read at once"));
        }
        let replies = text.lines().filter(|line| line.contains("\"ev\":\"reply\""));
        replies
            .map(|line| {
                let event: Value = serde_json::from_str(line).map_err(|_| self.wrong(line))?;
                let state = event["state"].as_str().unwrap_or_default().to_owned();
                Ok(Line { number: number(&event).ok_or_else(|| self.wrong(line))?, state })
            })
            .collect()
    }

    fn hobnob(&self, port: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args([self.name, port, "--listen", "127.0.0.1", "--json", "--data"]).arg(&self.folder);
        command.env_clear().env(crate::IS_HOBNOB, "1");
        command
    }

    fn wrong(&self, what: impl Display) -> Violation {
        let complaints = std::fs::read_to_string(self.folder.with_extension("stderr")).unwrap_or_default();
        let (colon, complaints) = (if complaints.is_empty() { "" } else { "; it says: " }, complaints.trim());
        Violation(format!("{}: {what}{colon}{complaints}", self.name))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

/// A line of a history.
struct Line {
    number: u64,
    state: String,
}

fn number(event: &Value) -> Option<u64> {
    event["text"].as_str()?.strip_prefix("number ")?.parse().ok()
}

/// Which message a line of the kind `ev` is about.
fn message(ev: &str, line: &str) -> Option<u64> {
    let event: Value = line.contains(ev).then(|| serde_json::from_str(line).ok())??;
    (event["ev"] == ev).then(|| event["msg"].as_u64())?
}

fn pause<'a>(more: &Condvar, seen: std::sync::MutexGuard<'a, Book>) -> std::sync::MutexGuard<'a, Book> {
    more.wait_timeout(seen, Duration::from_secs(1)).unwrap_or_else(PoisonError::into_inner).0
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

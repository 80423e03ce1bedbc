//! The real program in a pseudo-terminal, and what a person would see there: a small terminal that
//! understands what we print and nothing more. Expectrl starts and ends the program; what it prints
//! is read by a thread of our own, because expectrl's waiting takes a whole core.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use expectrl::process::Process;
use expectrl::process::unix::{Signal, UnixProcess, WaitStatus};
use rustix::termios::{Termios, tcgetattr};
use unicode_width::UnicodeWidthChar;

use crate::proc::PATIENCE;

/// A program in a terminal of 80 columns.
pub(crate) struct Pty {
    process: UnixProcess,
    terminal: File,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// How it ended, once that was asked.
    status: Option<i32>,
}

/// Everything printed so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) raw: Vec<u8>,
    pub(crate) screen: Screen,
    closed: bool,
}

/// A terminal that is as high as need be.
pub(crate) struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    col: usize,
    columns: usize,
    sequence: Option<Vec<u8>>,
    partial: Vec<u8>,
    /// What no terminal should get from us.
    pub(crate) strange: Vec<String>,
}

impl Default for Screen {
    fn default() -> Self {
        let rows = vec![Vec::new()];
        Self { rows, row: 0, col: 0, columns: 80, sequence: None, partial: Vec::new(), strange: Vec::new() }
    }
}

impl Pty {
    /// Runs `command` with a clean environment.
    pub(crate) fn start(program: &str, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        command.env("HOME", crate::proc::home()).env("LANG", "C.UTF-8").env("USER", "tester");
        command.envs(env.iter().copied());
        let process = UnixProcess::spawn_command(command).expect("it starts");
        let terminal = process.get_raw_handle().expect("a terminal");
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let (mut from, into) = (process.get_raw_handle().expect("a terminal"), Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut bytes = [0; 64 * 1024];
            loop {
                let read = from.read(&mut bytes);
                let mut seen = into.0.lock().expect("sound");
                match read {
                    // The other side is closed.
                    Ok(0) | Err(_) => {
                        seen.closed = true;
                        into.1.notify_all();
                        return;
                    }
                    Ok(count) => seen.take(&bytes[..count]),
                }
                drop(seen);
                into.1.notify_all();
            }
        });
        Self { process, terminal, seen, status: None }
    }

    /// `hobnob NAME 0 --listen 127.0.0.1 ARGS…` at its prompt, and where it listens.
    pub(crate) fn hobnob(name: &str, args: &[&str], env: &[(&str, &str)]) -> (Self, String) {
        let mut all = vec![name, "0", "--listen", "127.0.0.1"];
        all.extend(args);
        let mut pty = Self::start(env!("CARGO_BIN_EXE_hobnob"), &all, env);
        let line = pty.line("listens on 127.0.0.1:");
        pty.expect("the prompt", |screen| screen.current().starts_with(&format!("{name} (")));
        let at = line.rsplit_once(' ').expect("an address").1.to_owned();
        (pty, at)
    }

    /// Alice at her prompt, started in a folder.
    pub(crate) fn hobnob_from(folder: &str, env: &[(&str, &str)]) -> (Self, String) {
        let script = "cd \"$0\" && exec \"$1\" alice 0 --listen 127.0.0.1 --ephemeral";
        let mut pty = Self::start("sh", &["-c", script, folder, env!("CARGO_BIN_EXE_hobnob")], env);
        let line = pty.line("listens on 127.0.0.1:");
        (pty, line)
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).expect("it takes keys");
    }

    /// Waits until the screen is as it should be.
    pub(crate) fn expect(&mut self, what: &str, mut is_so: impl FnMut(&Screen) -> bool) {
        self.wait(what, |seen| is_so(&seen.screen).then_some(()));
    }

    /// Waits for a line that contains `text`, and gives it.
    pub(crate) fn line(&mut self, text: &str) -> String {
        self.wait(text, |seen| seen.screen.lines().into_iter().find(|line| line.contains(text)))
    }

    /// Waits until the line with the cursor is `text`, without the blanks at its end.
    pub(crate) fn at(&mut self, text: &str) {
        self.expect(text, |screen| screen.current() == text);
    }

    pub(crate) fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&Seen) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().expect("sound");
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || seen.closed {
                let lines = seen.screen.lines();
                let tail = &lines[lines.len().saturating_sub(60)..];
                panic!("not seen: {what}\nclosed: {}\n{}", seen.closed, tail.join("\n"));
            }
            seen = self.seen.1.wait_timeout(seen, left).expect("sound").0;
        }
    }

    /// Looks at everything that was printed until now.
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.0.lock().expect("sound"))
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.process.set_window_size(columns, rows).expect("a size");
    }

    pub(crate) fn modes(&self) -> String {
        let modes: Termios = tcgetattr(&self.terminal).expect("a terminal");
        format!(
            "{:?} {:?} {:?} {:?} {:?}",
            modes.input_modes,
            modes.output_modes,
            modes.local_modes,
            modes.control_modes,
            modes.special_codes
        )
    }

    /// What the system says of it in a file of /proc, as /proc/PID/status.
    pub(crate) fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.pid())).expect("it runs, on Linux")
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal).expect("it is there");
    }

    /// Waits for its end and its last words: the exit code, or 128 and the signal.
    pub(crate) fn end(&mut self) -> i32 {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = match self.process.status() {
                Ok(WaitStatus::Exited(_, code)) => Some(code),
                Ok(WaitStatus::Signaled(_, signal, _)) => Some(128 + signal as i32),
                Ok(_) => None,
                Err(_) => self.status,
            };
            let is_closed = self.seen(|seen| seen.closed);
            self.status = status;
            if let Some(code) = status.filter(|_| is_closed) {
                return code;
            }
            assert!(Instant::now() < until, "it does not end: {:#?}", self.seen(|seen| seen.screen.lines()));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = self.process.signal(Signal::SIGKILL);
            let _ = self.process.wait();
        }
    }
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        for &byte in bytes {
            self.screen.take(byte);
        }
    }
}

impl Screen {
    /// All lines, without blanks at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| String::from_iter(row).trim_end().to_owned()).collect()
    }

    /// The line with the cursor.
    pub(crate) fn current(&self) -> String {
        String::from_iter(&self.rows[self.row]).trim_end().to_owned()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    fn take(&mut self, byte: u8) {
        if let Some(mut sequence) = self.sequence.take() {
            sequence.push(byte);
            let is_csi = sequence[0] == b'[';
            if sequence.len() > 1 && is_csi && (0x40..0x7f).contains(&byte) {
                self.obey(&String::from_utf8_lossy(&sequence));
            } else if is_csi && sequence.len() < 32 {
                self.sequence = Some(sequence);
            } else {
                self.strange.push(format!("ESC {:?}", String::from_utf8_lossy(&sequence)));
            }
            return;
        }
        self.partial.push(byte);
        let Ok(text) = std::str::from_utf8(&self.partial) else {
            assert!(self.partial.len() < 4, "no UTF-8: {:?}", self.partial);
            return;
        };
        let c = text.chars().next().expect("a character");
        self.partial.clear();
        match c {
            '\x1b' => self.sequence = Some(Vec::new()),
            '\r' => self.col = 0,
            '\n' => self.down(1),
            '\x07' => {}
            c if c.is_control() => self.strange.push(format!("{c:?}")),
            c => self.put(c),
        }
    }

    fn obey(&mut self, sequence: &str) {
        let (number, end) = sequence[1..].split_at(sequence.len() - 2);
        let count = number.parse().unwrap_or(1).max(1);
        match (number, end) {
            (_, "m") | ("?2004" | "?2026" | "?25", "h" | "l") => {}
            (_, "A") => self.row = self.row.saturating_sub(count),
            (_, "B") => self.down(count),
            (_, "C") => self.col = (self.col + count).min(self.columns - 1),
            (_, "D") => self.col = self.col.saturating_sub(count),
            ("" | "0", "K") => self.rows[self.row].truncate(self.col),
            ("", "H") => (self.row, self.col) = (0, 0),
            ("" | "2", "J") => self.rows.iter_mut().for_each(Vec::clear),
            _ => self.strange.push(format!("CSI {sequence:?}")),
        }
    }

    fn down(&mut self, count: usize) {
        self.row += count;
        while self.rows.len() <= self.row {
            self.rows.push(Vec::new());
        }
    }

    fn put(&mut self, c: char) {
        let width = c.width().unwrap_or(0);
        if self.col + width > self.columns {
            self.col = 0;
            self.down(1);
        }
        let row = &mut self.rows[self.row];
        while row.len() <= self.col {
            row.push(' ');
        }
        row[self.col] = c;
        self.col += width;
    }
}

//! One line of JSON, written field by field straight into a buffer: at hundreds of thousands of lines
//! a second a tree of values is what would cost. Names of fields are ours and need no escapes.

use std::io::Write as _;
use std::net::SocketAddr;

use crate::text::escape_json;
use crate::why::Why;

/// A line being written.
pub(super) struct Line<'a>(pub(super) &'a mut Vec<u8>);

impl Line<'_> {
    pub(super) fn name(&mut self, name: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        escape_json(text, self.0);
    }

    pub(super) fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        put_number(number, self.0);
    }

    pub(super) fn seconds(&mut self, name: &str, duration: std::time::Duration) {
        self.name(name);
        put_seconds(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), self.0);
    }

    pub(super) fn flag(&mut self, name: &str) {
        self.name(name);
        self.0.extend_from_slice(b"true");
    }

    pub(super) fn addr(&mut self, addr: Option<SocketAddr>) {
        if let Some(addr) = addr {
            self.text("addr", &addr.to_string());
        }
    }

    pub(super) fn why(&mut self, why: Why) {
        self.text("why", &why.to_string());
    }

    pub(super) fn end(self) {
        self.0.extend_from_slice(b"}\n");
    }
}

pub(super) fn hex(digit: u8) -> u8 {
    b"0123456789abcdef"[usize::from(digit & 15)]
}

pub(super) fn put_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

pub(super) fn put_seconds(us: u64, out: &mut Vec<u8>) {
    put_number(us / 1_000_000, out);
    let written = write!(out, ".{:06}", us % 1_000_000);
    debug_assert!(written.is_ok(), "a Vec takes any number of bytes");
}

//! Messages with a number in them, so that a receiver can tell that none is lost and all are in
//! order: ten digits, `.` or `!` for the last one, then filler. The number is counted in the text
//! itself, because formatting and parsing would cost more than a message does.

use crate::bench::Fault;

const DIGITS: usize = 10;

/// The next message, as the sender makes it and the receiver expects it.
#[derive(Clone)]
pub(super) struct Numbered {
    text: Vec<u8>,
}

impl Numbered {
    /// The one before the first; all are `payload` bytes long, at least eleven.
    pub(super) fn new(payload: u64) -> Self {
        let length = usize::try_from(payload).unwrap_or(0).max(DIGITS + 1);
        let mut text = vec![b'x'; length];
        text[..DIGITS].fill(b'0');
        text[DIGITS] = b'.';
        Self { text }
    }

    /// Goes on to the next.
    pub(super) fn advance(&mut self) {
        for digit in self.text[..DIGITS].iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
    }

    /// Marks it as the last.
    pub(super) fn end(&mut self) {
        self.text[DIGITS] = b'!';
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Takes what arrived as the next one. Whether it is the last.
    pub(super) fn expect(&mut self, heard: &[u8]) -> Result<bool, Fault> {
        self.advance();
        if heard.len() != self.text.len() || heard[..DIGITS] != self.text[..DIGITS] {
            let shown = String::from_utf8_lossy(&heard[..heard.len().min(DIGITS)]).into_owned();
            let expected = String::from_utf8_lossy(&self.text[..DIGITS]).into_owned();
            return Err(Fault::Wrong(format!("message {shown:?} came where {expected} was due")));
        }
        Ok(heard[DIGITS] == b'!')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_in_order_is_expected() {
        let (mut sent, mut due) = (Numbered::new(100), Numbered::new(100));
        for number in 1..=1_000 {
            sent.advance();
            assert!(sent.text().starts_with(&format!("{number:010}.")));
            assert!(!due.expect(sent.bytes()).expect("in order"));
        }
        sent.advance();
        sent.advance();
        assert!(due.expect(sent.bytes()).is_err(), "one is missing");
        let mut due = Numbered::new(100);
        let mut last = Numbered::new(100);
        last.advance();
        last.end();
        assert!(due.expect(last.bytes()).expect("in order"));
    }
}

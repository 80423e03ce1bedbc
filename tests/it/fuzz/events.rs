//! A file of events that somebody else may have written: it is read or refused within bounds, what was
//! read is written so that it is read as the same, and an error is one visible line.

use hobnob::report::events::{read, write};
use hobnob::text::is_hidden;

pub(super) fn target(data: &[u8]) {
    match read(data) {
        Ok(play) => {
            let again = write(&play);
            assert_eq!(read(&again).as_ref(), Ok(&play));
            let lines = play.moments.len() + 1 + usize::from(play.end.is_some());
            assert_eq!(again.iter().filter(|&&byte| byte == b'\n').count(), lines);
            assert!(!String::from_utf8(again).expect("UTF-8").contains(|c| c != '\n' && is_hidden(c)));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 4_000 && !message.contains(is_hidden), "{message:?}");
        }
    }
}

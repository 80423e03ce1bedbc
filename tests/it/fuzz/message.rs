//! A run of messages as it comes out of a record: what is read can only have been written so, within
//! its bounds, and what is refused is not taken.

use hobnob::id::MessageId;
use hobnob::limits::{BODY_MAX, NAME_MAX};
use hobnob::text::Body;
use hobnob::wire::message::{ChatTail, Message};

pub(super) fn target(data: &[u8]) {
    let mut run = data;
    while !run.is_empty() {
        let before = run;
        let Ok(message) = Message::take(&mut run) else {
            assert_eq!(run, before, "what is refused is not taken");
            return;
        };
        let read = &before[..before.len() - run.len()];
        assert!(!read.is_empty(), "a message of nothing would never end");
        let mut again = Vec::new();
        message.put(&mut again);
        assert_eq!(again, read, "{message:?}");
        match message {
            Message::Hello { name, .. } | Message::Rename { name } => assert!(name.len() <= NAME_MAX),
            Message::Chat { seq, id, auto, text } => {
                assert!((1..=BODY_MAX).contains(&text.len()));
                let mut short = Vec::new();
                let text = Body::new(text).expect("within its bounds");
                ChatTail::new(MessageId(id), auto, text).put(seq, &mut short);
                assert_eq!(short, read);
            }
            _ => {}
        }
    }
}

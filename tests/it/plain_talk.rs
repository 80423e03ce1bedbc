//! What becomes of what we say to plain programs: each text is written once, in order, and told as
//! sent or failed once; whoever we part from stays away.

use std::time::Duration;

use hobnob::addr::Address;
use hobnob::api::command::{Command, CommandError, Dialect};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::LinkId;
use hobnob::limits;
use hobnob::why::Why;

use crate::lone::{Lone, connect, send_at};

const THEIRS: &str = "10.0.0.2:7202";

/// A node that a plain program has spoken to.
fn met(said: &[u8]) -> Lone {
    let mut us = Lone::new(Dialect::Native);
    let link = us.accept("10.0.0.2:40000");
    us.hear(link, said);
    us.pass(limits::BURST_SILENCE);
    us
}

/// A program of lines that keeps the connection we opened to it.
fn liner() -> (Lone, LinkId) {
    let mut us = met(b"7202\nLiner\nCONNECT\n");
    us.give([send_at(THEIRS, "first")]);
    let link = us.open();
    assert_eq!(us.flush(link), "5000\nus\nCONNECT\n");
    us.hear(link, b"OK\n");
    us.pass(limits::BURST_SILENCE);
    assert_eq!(us.flush(link), "first\n");
    us.pass(limits::BURST_SILENCE);
    us.events.clear();
    (us, link)
}

fn sent(us: &Lone) -> Vec<u64> {
    let sent = |what: &What| match what {
        What::Delivered { first, last, .. } => {
            assert_eq!(first, last);
            Some(*last)
        }
        _ => None,
    };
    us.events.iter().filter_map(sent).collect()
}

fn failed(us: &Lone) -> Vec<u64> {
    let failed = |what: &What| match what {
        What::Failed { last, .. } => Some(*last),
        _ => None,
    };
    us.events.iter().filter_map(failed).collect()
}

fn joins(us: &Lone) -> usize {
    us.events.iter().filter(|what| matches!(what, What::Joined { .. })).count()
}

#[test]
fn texts_on_a_kept_connection_are_written_one_by_one_and_each_is_told() {
    let (mut us, link) = liner();
    us.give(["a", "b", "c"].map(|text| send_at(THEIRS, text)));
    for text in ["a\n", "b\n", "c\n"] {
        assert_eq!(us.flush(link), text);
        us.pass(limits::BURST_SILENCE);
    }
    assert_eq!(sent(&us), [2, 3, 4]);
}

#[test]
fn a_plain_peer_that_we_part_from_does_not_join_again() {
    let mut us = met(b"10.0.0.2:7202 Theirs hi");
    assert_eq!(joins(&us), 1);
    assert!(us.call(Command::Disconnect { peer: None }).is_ok());
    let link = us.open();
    assert_eq!(us.flush(link), "10.0.0.1:5000 us exit");
    us.end(link, Why::Eof);
    us.pass(Duration::from_secs(5));
    assert_eq!(joins(&us), 1);
    assert_eq!(us.call(Command::Peers { known: false }), Ok(Reply::Peers(Vec::new())));
}

#[test]
fn what_could_not_be_written_is_not_told_as_sent() {
    let mut us = met(b"10.0.0.2:7202 Theirs hi");
    us.give([send_at(THEIRS, "hello")]);
    let link = us.open();
    // It closes before the system has taken a byte.
    us.end(link, Why::Eof);
    assert_eq!((sent(&us), failed(&us)), (vec![], vec![1]));
    let (mut us, link) = liner();
    us.give([send_at(THEIRS, "more")]);
    us.end(link, Why::Eof);
    assert_eq!((sent(&us), failed(&us)), (vec![], vec![2]));
}

#[test]
fn what_is_answered_by_an_opening_and_an_end_is_not_told_as_sent() {
    let mut us = met(b"7202\nLiner\nCONNECT\n");
    us.give([send_at(THEIRS, "first")]);
    let link = us.open();
    us.flush(link);
    us.hear(link, b"OK\n");
    us.end(link, Why::Eof);
    assert_eq!((sent(&us), failed(&us)), (vec![], vec![1]));
}

#[test]
fn a_program_that_closes_before_it_answers_is_not_dialled_for_ever() {
    let mut us = met(b"7202\nLiner\nCONNECT\n");
    us.give([send_at(THEIRS, "first")]);
    let link = us.open();
    us.flush(link);
    us.end(link, Why::Eof);
    assert_eq!((us.dials.len(), failed(&us)), (0, vec![1]));
}

#[test]
fn a_kept_address_may_be_a_plain_program() {
    let mut us = Lone::new(Dialect::Plain);
    let address: Address = THEIRS.parse().expect("an address");
    let [keep] = us.give([Command::Keep { address }]);
    let link = us.open();
    us.pass(limits::PLAIN_PROBE);
    assert_eq!(us.flush(link), "10.0.0.1:5000 us connect");
    us.end(link, Why::Eof);
    assert!(matches!(us.answer(keep), Some(Ok(Reply::Kept(Ok(_))))));
    // When it is lost it is dialled again.
    us.give([send_at(THEIRS, "hello")]);
    let (lost, _) = us.dials.remove(0);
    us.end(lost, Why::Refused);
    us.pass(Duration::from_secs(2));
    assert_eq!(us.dials.len(), 1);
}

#[test]
fn blank_text_opens_no_silent_connection() {
    let mut us = Lone::new(Dialect::Plain);
    let [blank, text] = us.give([send_at(THEIRS, " \u{7} "), send_at(THEIRS, "hi")]);
    let link = us.open();
    us.pass(limits::PLAIN_PROBE);
    assert_eq!(us.flush(link), "10.0.0.1:5000 us hi");
    assert_eq!(us.answer(blank), Some(Err(CommandError::NothingPlain)));
    assert!(matches!(us.answer(text), Some(Ok(Reply::Queued { .. }))));
    let [blank] = us.give([send_at("10.0.0.3:7202", "\u{7}")]);
    let link = us.open();
    us.pass(limits::PLAIN_PROBE);
    assert_eq!(us.flush(link), "");
    assert_eq!(us.answer(blank), Some(Err(CommandError::NothingPlain)));
    us.pass(Duration::from_millis(1));
    assert!(us.closed.contains(&link), "nothing is to be said there");
}

#[test]
fn our_own_connections_leave_room_for_theirs() {
    let mut us = Lone::new(Dialect::Plain);
    for port in 1..=limits::doors::DOORS.source.plain {
        us.give([send_at(&format!("10.0.0.2:{port}"), "hi")]);
        us.open();
    }
    us.pass(limits::PLAIN_PROBE);
    let link = us.accept("10.0.0.2:40000");
    us.hear(link, b"10.0.0.2:7202 Theirs hi");
    assert!(!us.closed.contains(&link));
}

#[test]
fn texts_that_no_time_is_left_for_are_told_as_failed() {
    let mut us = met(b"10.0.0.2:7202 Theirs hi");
    us.give(["a", "b"].map(|text| send_at(THEIRS, text)));
    let [quit] = us.give([Command::Quit]);
    us.pass(Duration::from_secs(10));
    assert_eq!(us.answer(quit), Some(Ok(Reply::Goodbye)));
    assert_eq!((sent(&us), failed(&us)), (vec![], vec![1, 2]));
}

#[test]
fn every_connect_is_answered_however_it_ends() {
    for end in [Why::Refused, Why::Eof, Why::Reset, Why::TimedOut] {
        for opened in [false, true] {
            let mut us = Lone::new(Dialect::Plain);
            let requests = us.give([
                connect(THEIRS, None),
                connect(THEIRS, Some(Dialect::Plain)),
                send_at(THEIRS, "hi"),
                Command::Keep { address: THEIRS.parse().expect("an address") },
                Command::Keep { address: THEIRS.parse().expect("an address") },
            ]);
            let link = if opened { us.open() } else { us.dials.remove(0).0 };
            us.end(link, end);
            for request in requests {
                assert!(us.answer(request).is_some(), "{request:?} after {end:?}, opened {opened}");
            }
        }
    }
}

#[test]
fn what_a_kept_connection_brings_is_from_whom_it_goes_to() {
    let (mut us, link) = liner();
    us.hear(link, b"hello yourself\n");
    us.pass(limits::BURST_SILENCE);
    let from = us.events.iter().filter_map(|what| match what {
        What::Message(message) => Some(message.from.name.to_string()),
        _ => None,
    });
    assert_eq!(from.collect::<Vec<_>>(), ["peer-7202"], "the one that we speak to, not a stranger");
    let Ok(Reply::Peers(known)) = us.call(Command::Peers { known: true }) else { panic!("a list") };
    assert_eq!(known.len(), 1);
}

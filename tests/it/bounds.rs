//! Peers that do not read, do not stop, or say what they may not: nothing grows without a bound, and
//! the link ends with a word.

use std::time::Duration;

use hobnob::api::command::CommandError;
use hobnob::api::event::What;
use hobnob::limits;
use hobnob::why::Why;

use crate::net::{Net, send};

fn pair() -> Net {
    let mut net = Net::new(&["alice", "bob"], 1);
    net.connect(0, 1);
    net
}

fn losses(net: &Net, host: usize) -> Vec<Why> {
    let lost = |what: &What| match what {
        What::Lost { why, .. } => Some(*why),
        _ => None,
    };
    net.hosts[host].events.iter().filter_map(lost).collect()
}

#[test]
fn a_peer_that_does_not_read_fills_its_window_and_is_let_go() {
    let mut net = pair();
    let before = net.wire.len();
    let text = "x".repeat(1_000);
    for _ in 0..10_000 {
        net.give(0, send("bob", &text));
    }
    let written = net.wire.len() - before;
    assert!(written <= limits::SEND_QUEUE_MAX + limits::BODY_MAX + 1_024, "{written} bytes for a full queue");
    net.stall(limits::WRITE_STALL - Duration::from_secs(1));
    assert_eq!(losses(&net, 0), []);
    net.stall(Duration::from_secs(2));
    assert_eq!(losses(&net, 0), [Why::Slow]);
}

#[test]
fn a_full_outbox_refuses_the_new_message_and_loses_none() {
    let mut net = pair();
    let mut refused = 0;
    for number in 0..limits::OUTBOX_MESSAGES + 5 {
        let request = net.give(0, send("bob", &number.to_string()));
        if let Some(Err(error)) = net.hosts[0].replies.remove(&request) {
            assert!(matches!(error, CommandError::OutboxFull(_)), "{error}");
            refused += 1;
        }
    }
    assert_eq!(refused, 5);
    net.settle();
    let expected: Vec<_> = (0..limits::OUTBOX_MESSAGES).map(|n| format!("alice: {n}")).collect();
    assert_eq!(net.heard(1), expected);
    assert!(net.send(0, "bob", "there is room again").is_ok());
}

#[test]
fn a_silent_peer_is_lost_within_a_minute() {
    let mut net = pair();
    // Its bytes no longer come, and nobody says so: a cable was pulled.
    net.stall(limits::LINK_SILENT + Duration::from_secs(1));
    assert_eq!(losses(&net, 0).len(), 1);
    assert_eq!(losses(&net, 1).len(), 1);
}

#[test]
fn redials_pause_longer_and_longer() {
    let mut net = pair();
    net.unplug(1);
    net.cut(0, 1);
    net.give(0, send("bob", "when you are back"));
    let before = net.dials(0);
    net.pass(Duration::from_secs(600));
    let dials = net.dials(0) - before;
    // 1, 2, 4 … 64, 120 s and then every 120 s, each ± 50 %.
    assert!((8..=18).contains(&dials), "{dials} dials in ten minutes");
    let said = net.hosts[0].events.iter().filter(|what| matches!(what, What::Unreachable { .. })).count();
    assert_eq!(said, 1, "it is reported once");
    net.plug(1);
    net.pass(Duration::from_secs(200));
    assert_eq!(net.heard(1), ["alice: when you are back"]);
}

#[test]
fn pings_keep_an_idle_link_for_days() {
    let mut net = pair();
    net.pass(Duration::from_secs(48 * 60 * 60));
    assert_eq!((losses(&net, 0), losses(&net, 1)), (vec![], vec![]));
}

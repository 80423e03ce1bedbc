//! What the network does to peers, one fault at a time: nothing that was queued is lost or doubled,
//! order is kept, and a link that is dead is noticed.

use std::time::Duration;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::limits;
use hobnob::sim::LAN;
use hobnob::why::Why;
use hobnob::world::{Network, Shape, World};

use crate::cast::{A, B, C, Cast, LONG, numbers, seeds};

const SEC: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

fn partition(one_way: bool) -> Network {
    Network::Partition { from: vec![A], to: vec![B], one_way }
}

#[test]
fn a_short_partition_delays_and_loses_nothing() {
    let mut cast = Cast::new(1, &["alice", "bob", "carol"]);
    cast.connect(A, B);
    cast.connect(A, C);
    cast.connect(B, C);
    cast.apply(partition(false));
    for number in 0..10 {
        cast.send(A, B, &number.to_string());
        cast.send(B, A, &number.to_string());
        cast.send(B, C, &number.to_string());
    }
    cast.pass(SEC(5));
    assert_eq!((cast.heard(B, A).len(), cast.heard(A, B).len()), (0, 0));
    assert_eq!(cast.heard(C, B), numbers(0..10), "others are not cut off");
    cast.apply(Network::Heal);
    cast.settle();
    assert_eq!((cast.heard(B, A), cast.heard(A, B)), (numbers(0..10), numbers(0..10)));
    assert_eq!((cast.losses(A), cast.losses(B)), (vec![], vec![]), "TCP has waited");
}

#[test]
fn a_long_partition_is_noticed_and_dials_through_it_find_nobody() {
    let mut cast = Cast::pair(1);
    cast.events(A);
    cast.apply(partition(false));
    cast.send(A, B, "0");
    cast.pass(SEC(70));
    let events = cast.events(A);
    assert!(events.iter().any(|what| matches!(what, What::Lost { why: Why::Silent, .. })), "{events:?}");
    let unreachable = |what: &&What| matches!(what, What::Unreachable { why: Why::TimedOut, .. });
    assert_eq!(events.iter().filter(unreachable).count(), 1, "{events:?}");
    cast.apply(Network::Heal);
    cast.pass(SEC(240));
    assert_eq!(cast.heard(B, A), ["0"]);
}

#[test]
fn a_one_way_partition_stops_one_way() {
    let mut cast = Cast::pair(1);
    cast.apply(partition(true));
    cast.send(A, B, "forth");
    cast.send(B, A, "back");
    cast.pass(SEC(5));
    assert_eq!((cast.heard(A, B), cast.heard(B, A)), (vec!["back".into()], vec![]));
    let to = PeerRef::At(cast.sim.address(B).expect("bob").into());
    // The goodbye waits until what was said is delivered, and then no longer.
    cast.call(A, Command::Disconnect { peer: None }).expect("it ends");
    let refused = cast.call(A, Command::Connect { to, dialect: None });
    assert!(refused.is_err(), "a stream takes a word each way");
    cast.apply(Network::Heal);
    cast.settle();
    assert_eq!(cast.heard(B, A), ["forth"], "what was written before the goodbye comes before it");
    cast.connect(A, B);
    cast.settle();
    assert_eq!((cast.heard(A, B), cast.heard(B, A)), (vec!["back".into()], vec!["forth".into()]));
    assert_eq!(cast.undelivered(), 0);
}

#[test]
fn what_is_held_comes_in_order_when_released() {
    let mut cast = Cast::pair(1);
    let shape = Shape { delay: MS(2), jitter: MS(30), bandwidth: None, pieces: Some(5), ..Shape::default() };
    cast.apply(Network::Link { a: A, b: B, shape });
    for number in 0..30 {
        if number == 10 {
            cast.apply(Network::Hold(A, B));
        }
        cast.send(A, B, &number.to_string());
        cast.pass(MS(40));
    }
    cast.pass(SEC(1));
    assert_eq!(cast.heard(B, A), numbers(0..10));
    let before = cast.sim.now().mono;
    cast.settle();
    assert_eq!(cast.sim.now().mono, before, "what is held is not waited for");
    cast.apply(Network::Release(B, A));
    cast.settle();
    assert_eq!(cast.heard(B, A), numbers(0..30));
}

#[test]
fn a_reset_costs_repeats_and_no_message() {
    seeds("sim_faults::a_reset", 0..50, |seed| {
        let mut cast = Cast::pair(seed);
        let shape = Shape {
            delay: MS(5),
            jitter: MS(30),
            bandwidth: Some(20_000),
            pieces: Some(1 + seed),
            ..Shape::default()
        };
        cast.apply(Network::Default(shape));
        for number in 0..30 {
            cast.send(A, B, &number.to_string());
            cast.send(B, A, &number.to_string());
            cast.pass(MS(seed % 17));
            if number % 10 == 9 {
                cast.apply(Network::Reset(A, B));
            }
        }
        cast.pass(SEC(30));
        assert_eq!(cast.heard(B, A), numbers(0..30), "{}", cast.tail());
        assert_eq!(cast.heard(A, B), numbers(0..30), "{}", cast.tail());
        assert!(cast.losses(A).iter().all(|why| *why == Why::Reset));
    });
}

#[test]
fn resets_make_no_storm_of_repeats() {
    /// What they all cost, handshakes and acknowledgements too: records of both for each message.
    const RECORDS: u64 = 3;
    const COUNT: u64 = 600;
    seeds("sim_faults::resets_make", 0..5, |seed| {
        let mut cast = Cast::pair(seed);
        cast.apply(Network::Default(Shape { delay: MS(20), jitter: MS(20), ..Shape::default() }));
        let text = "x".repeat(1_000);
        for number in 0..COUNT {
            cast.send(A, B, &format!("{number} {text}"));
            cast.pass(MS(100));
            // One message in ten loses its link, wherever that is then.
            if (number + seed) % 10 == 9 {
                cast.apply(Network::Reset(A, B));
            }
        }
        cast.pass(LONG);
        assert_eq!(cast.heard(B, A).len() as u64, COUNT, "{}", cast.tail());
        let mut status = |who| match cast.call(who, Command::Status) {
            Ok(Reply::Status(status)) => status,
            other => panic!("it has counters: {other:?}"),
        };
        let (here, there) = (status(A), status(B));
        let most = 2 * COUNT * (text.len() as u64 + 100);
        assert!(here.bytes_out <= most, "{} bytes written, of {most}", here.bytes_out);
        let records = here.records_out + there.records_out;
        assert!(records > COUNT && records <= RECORDS * COUNT, "{records} records for {COUNT} messages");
        assert_eq!((here.false_receipts, here.conflicts), (0, 0), "both are honest");
    });
}

#[test]
fn a_half_open_link_is_noticed_by_silence() {
    let mut cast = Cast::pair(1);
    cast.apply(Network::HalfOpen(A, B));
    cast.send(A, B, "0");
    cast.pass(limits::LINK_SILENT - SEC(1));
    assert_eq!((cast.losses(A), cast.losses(B)), (vec![], vec![]));
    cast.pass(SEC(2));
    assert_eq!((cast.losses(A), cast.losses(B)), (vec![Why::Silent], vec![Why::Silent]));
    cast.pass(SEC(10));
    assert_eq!(cast.heard(B, A), ["0"], "the next link is whole");
}

#[test]
fn a_clog_ends_by_itself() {
    let mut cast = Cast::pair(1);
    cast.apply(Network::Clog(A, B, SEC(15)));
    cast.send(A, B, "0");
    cast.pass(SEC(14));
    assert_eq!(cast.heard(B, A), Vec::<String>::new());
    let before = cast.sim.now().mono;
    cast.settle();
    assert!(cast.sim.now().mono.since(before) >= MS(999), "it is waited for");
    assert_eq!((cast.heard(B, A), cast.losses(A)), (vec!["0".into()], vec![]));
}

#[test]
fn a_slow_reader_stalls_its_writers_and_then_is_let_go() {
    let mut cast = Cast::pair(1);
    let text = "x".repeat(1_000);
    cast.apply(Network::Slow(B, SEC(20)));
    for _ in 0..2_000 {
        cast.send(A, B, &text);
    }
    cast.pass(SEC(19));
    assert_eq!(cast.heard(B, A).len(), 0);
    cast.settle();
    assert_eq!(cast.heard(B, A).len(), 2_000);
    assert_eq!(cast.losses(A), [], "slow is not dead");
    cast.apply(Network::Slow(B, SEC(120)));
    for _ in 0..2_000 {
        cast.send(A, B, &text);
    }
    cast.pass(SEC(60));
    assert_eq!(cast.losses(A), [Why::Slow]);
    cast.pass(SEC(300));
    assert_eq!((cast.heard(B, A).len(), cast.queued(A, B).len()), (4_000, 4_000));
}

#[test]
fn a_refused_dial_is_tried_again() {
    let mut cast = Cast::new(1, &["alice", "bob"]);
    cast.apply(Network::Refuse(B, true));
    cast.keep(A, B);
    cast.pass(SEC(10));
    let refused = |what: &What| matches!(what, What::Unreachable { why: Why::Refused, .. });
    assert!(cast.events(A).iter().any(refused));
    cast.apply(Network::Refuse(B, false));
    cast.pass(SEC(30));
    assert!(cast.events(A).iter().any(|what| matches!(what, What::Joined { .. })));
}

#[test]
fn messages_wait_for_a_peer_that_has_crashed() {
    seeds("sim_faults::messages_wait", 0..20, |seed| {
        let mut cast = Cast::pair(seed);
        cast.send(A, B, "0");
        cast.settle();
        cast.apply(Network::Crash(B));
        cast.pass(SEC(1));
        assert_eq!(cast.losses(A).len(), 1, "its system ends its streams");
        let request = cast.send(A, B, "1");
        cast.pass(SEC(1 + seed * 3));
        assert!(matches!(cast.reply(A, request), Some(Ok(Reply::Queued { connected: false, .. }))));
        cast.apply(Network::Restart(B));
        cast.pass(SEC(200));
        assert_eq!(cast.heard(B, A), numbers(0..2));
        assert_eq!(cast.undelivered(), 0);
    });
}

#[test]
fn what_was_queued_outlives_its_sender() {
    seeds("sim_faults::what_was_queued", 0..20, |seed| {
        let mut cast = Cast::pair(seed);
        cast.apply(partition(false));
        let request = cast.send(A, B, "0");
        cast.pass(SEC(1));
        assert!(matches!(cast.reply(A, request), Some(Ok(Reply::Queued { .. }))));
        cast.apply(Network::Crash(A));
        cast.pass(SEC(seed));
        cast.apply(Network::Heal);
        cast.apply(Network::Restart(A));
        cast.connect(A, B);
        cast.send(A, B, "1");
        cast.settle();
        assert_eq!(cast.heard(B, A), numbers(0..2));
    });
}

#[test]
fn whoever_has_only_received_can_write_after_a_restart() {
    let mut cast = Cast::pair(1);
    cast.send(A, B, "0");
    cast.settle();
    cast.apply(Network::Crash(B));
    cast.apply(Network::Restart(B));
    cast.connect(B, A);
    for number in 0..3 {
        cast.send(B, A, &number.to_string());
        cast.send(A, B, &(number + 1).to_string());
        cast.settle();
    }
    assert_eq!((cast.heard(A, B), cast.heard(B, A)), (numbers(0..3), numbers(0..4)));
}

/// The program dies between two effects, be it before, within or behind a save.
#[test]
fn a_crash_between_any_two_effects_loses_nothing_and_doubles_nothing() {
    for disk in [Duration::ZERO, MS(30)] {
        seeds("sim_faults::a_crash_between", 0..150, |seed| {
            let victim = if seed % 2 == 0 { A } else { B };
            let mut cast = Cast::pair(seed);
            cast.apply(Network::Default(Shape { jitter: MS(3), pieces: Some(200), ..LAN }));
            cast.apply(Network::Disk(victim, disk));
            cast.send(A, B, "a first");
            cast.send(B, A, "b first");
            cast.settle();
            cast.apply(Network::CrashAfter(victim, 1 + seed / 2 % 100));
            let mut asked = Vec::new();
            for number in 0..40 {
                asked.push((A, B, number, cast.send(A, B, &format!("a {number}"))));
                asked.push((B, A, number, cast.send(B, A, &format!("b {number}"))));
                cast.pass(MS(number % 5));
            }
            cast.pass(MS(100));
            // With a slow disk there are fewer effects: then it dies at the end of them.
            if cast.sim.is_up(victim) == Ok(true) {
                cast.apply(Network::Crash(victim));
            }
            cast.apply(Network::Restart(victim));
            cast.connect(victim, if victim == A { B } else { A });
            cast.pass(SEC(60));
            let mut told = 0;
            for (from, to, number, request) in asked {
                if let Some(Ok(Reply::Queued { .. })) = cast.reply(from, request) {
                    told += 1;
                    let text = format!("{} {number}", if from == A { "a" } else { "b" });
                    assert!(cast.queued(from, to).contains(&text), "{text} was reported and is not saved");
                }
            }
            assert!(told >= 39, "the other one has said so at least");
            for (from, to) in [(A, B), (B, A)] {
                assert_eq!(cast.heard(to, from), cast.queued(from, to), "{}", cast.tail());
            }
        });
    }
}

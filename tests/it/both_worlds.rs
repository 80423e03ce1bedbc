//! What holds in every world, played in the imaginary one and on sockets: what the network does to
//! peers delays, and costs repeats, and loses or doubles nothing.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, Dialect};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::Name;
use hobnob::rng::Seed;
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::why::Why;
use hobnob::world::{Network, PeerNo, Shape, WorldError};

use crate::cast::{A, B, C, numbers};
use crate::stage::{Stage, in_both, loopback};

const MS: fn(u64) -> Duration = Duration::from_millis;
const PAIR: [&str; 2] = ["alice", "bob"];

fn partition(one_way: bool) -> Network {
    Network::Partition { from: vec![A], to: vec![B], one_way }
}

fn joined(stage: &mut Stage<'_>, who: PeerNo) -> usize {
    stage.told(who).iter().filter(|what| matches!(what, What::Joined { .. })).count()
}

#[test]
fn three_peers_meet_and_talk() {
    in_both(&["alice", "bob", "carol"], |stage| {
        stage.meet(&[A, B, C]);
        for number in 0..20 {
            for (from, to) in [(A, B), (B, C), (C, A), (B, A)] {
                stage.send(from, to, &number.to_string());
            }
        }
        stage.settle();
        for (from, to) in [(A, B), (B, C), (C, A), (B, A)] {
            assert_eq!(stage.heard(to, from), numbers(0..20));
        }
        assert_eq!([A, B, C].map(|who| joined(stage, who)), [2; 3]);
        let bob = Name::new("bob").expect("a name");
        assert_eq!((stage.world.find(bob), stage.world.name(B), stage.world.peers()), (Some(B), Ok(bob), 3));
    });
}

#[test]
fn a_partition_withholds_and_a_heal_delivers() {
    in_both(&["alice", "bob", "carol"], |stage| {
        stage.meet(&[A, B, C]);
        stage.apply(partition(false));
        for number in 0..10 {
            stage.send(A, B, &number.to_string());
            stage.send(B, A, &number.to_string());
            stage.send(B, C, &number.to_string());
        }
        stage.settle();
        assert_eq!((stage.heard(B, A).len(), stage.heard(A, B).len()), (0, 0));
        assert_eq!(stage.heard(C, B), numbers(0..10), "others are not cut off");
        stage.apply(Network::Heal);
        stage.settle();
        assert_eq!((stage.heard(B, A), stage.heard(A, B)), (numbers(0..10), numbers(0..10)));
        assert_eq!((stage.losses(A), stage.losses(B)), (vec![], vec![]), "TCP has waited");
    });
}

#[test]
fn a_one_way_partition_stops_one_way() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        stage.apply(partition(true));
        stage.send(A, B, "forth");
        stage.send(B, A, "back");
        stage.settle();
        assert_eq!((stage.heard(A, B), stage.heard(B, A)), (vec!["back".into()], vec![]));
        stage.apply(Network::Heal);
        stage.settle();
        assert_eq!((stage.heard(A, B), stage.heard(B, A)), (vec!["back".into()], vec!["forth".into()]));
    });
}

#[test]
fn what_is_held_comes_in_order_when_released() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        let shape =
            Shape { delay: MS(1), jitter: MS(4), bandwidth: None, pieces: Some(5), ..Shape::default() };
        stage.apply(Network::Link { a: A, b: B, shape });
        for number in 0..30 {
            if number == 10 {
                stage.settle();
                stage.apply(Network::Hold(A, B));
            }
            stage.send(A, B, &number.to_string());
            stage.pass(MS(1));
        }
        stage.settle();
        assert_eq!(stage.heard(B, A), numbers(0..10));
        stage.apply(Network::Release(B, A));
        stage.settle();
        assert_eq!(stage.heard(B, A), numbers(0..30));
    });
}

#[test]
fn a_reset_costs_repeats_and_no_message() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        let shape = Shape {
            delay: MS(2),
            jitter: MS(5),
            bandwidth: Some(20_000),
            pieces: Some(40),
            ..Shape::default()
        };
        stage.apply(Network::Default(shape));
        for round in 0..3_u64 {
            for number in 0..10 {
                stage.send(A, B, &(10 * round + number).to_string());
                stage.send(B, A, &(10 * round + number).to_string());
                stage.pass(MS(number % 3));
            }
            if round < 2 {
                stage.apply(Network::Reset(A, B));
                stage.settle();
            }
        }
        stage.until(|stage| stage.heard(B, A).len() >= 30 && stage.heard(A, B).len() >= 30);
        stage.settle();
        assert_eq!((stage.heard(B, A), stage.heard(A, B)), (numbers(0..30), numbers(0..30)));
        let losses = [stage.losses(A), stage.losses(B)].concat();
        assert!(!losses.is_empty() && losses.iter().all(|why| *why == Why::Reset), "{losses:?}");
    });
}

#[test]
fn nothing_comes_of_a_half_open_link_and_the_next_is_whole() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        stage.apply(Network::HalfOpen(A, B));
        stage.send(A, B, "0");
        stage.settle();
        assert_eq!((stage.heard(B, A), stage.losses(A), stage.losses(B)), (vec![], vec![], vec![]));
        stage.call(A, Command::Disconnect { peer: None }).expect("it is connected");
        stage.connect(A, B).expect("a new link");
        stage.until(|stage| !stage.heard(B, A).is_empty());
        stage.settle();
        assert_eq!(stage.heard(B, A), ["0"]);
    });
}

#[test]
fn a_refused_dial_is_refused_and_may_be_tried_again() {
    in_both(&PAIR, |stage| {
        stage.apply(Network::Refuse(B, true));
        let refused = stage.connect(A, B);
        assert!(matches!(refused, Err(CommandError::Unreachable { why: Why::Refused, .. })), "{refused:?}");
        stage.apply(Network::Refuse(B, false));
        stage.connect(A, B).expect("it connects");
        stage.apply(Network::Crash(B));
        stage.settle();
        let refused = stage.connect(A, B);
        assert!(matches!(refused, Err(CommandError::Unreachable { why: Why::Refused, .. })), "{refused:?}");
    });
}

#[test]
fn bytes_may_come_one_by_one() {
    in_both(&PAIR, |stage| {
        stage.apply(Network::Default(Shape { pieces: Some(1), ..Shape::default() }));
        stage.meet(&[A, B]);
        for number in 0..10 {
            stage.send(A, B, &number.to_string());
            stage.send(B, A, &number.to_string());
        }
        stage.settle();
        assert_eq!((stage.heard(B, A), stage.heard(A, B)), (numbers(0..10), numbers(0..10)));
    });
}

#[test]
fn a_link_takes_the_time_it_is_given() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        let took = |stage: &mut Stage<'_>, shape: Shape, text: &str| {
            stage.apply(Network::Link { a: A, b: B, shape });
            let (start, before) = (stage.world.now().mono, stage.heard(B, A).len());
            stage.send(A, B, text);
            stage.until(|stage| stage.heard(B, A).len() > before);
            let took = stage.world.now().mono.since(start);
            stage.settle();
            took
        };
        let late = took(stage, Shape { delay: MS(60), ..Shape::default() }, "late");
        assert!(late >= MS(60), "{late:?}");
        let narrow = Shape { bandwidth: Some(20_000), ..Shape::default() };
        let long = took(stage, narrow, &"x".repeat(5_000));
        assert!(long >= MS(250), "5,000 bytes at 20,000 a second: {long:?}");
    });
}

#[test]
fn a_clog_and_a_slow_reader_are_waited_for() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        let changes = [Network::Clog(A, B, MS(80)), Network::Slow(B, MS(80)), Network::Disk(B, MS(80))];
        for (number, change) in (0_u64..).zip(changes) {
            stage.apply(change.clone());
            let start = stage.world.now().mono;
            stage.send(A, B, &number.to_string());
            stage.settle();
            assert!(stage.world.now().mono.since(start) >= MS(79), "{change:?}");
            assert_eq!(stage.heard(B, A), numbers(0..number + 1), "{change:?}");
        }
        assert_eq!(stage.losses(A), []);
    });
}

#[test]
fn a_dial_waits_for_a_shut_way_to_open() {
    in_both(&PAIR, |stage| {
        stage.apply(partition(false));
        let to = stage.at(B);
        let request = stage.give(A, Command::Connect { to, dialect: None });
        stage.pass(MS(100));
        assert_eq!(stage.world.session(A).expect("alice").take_reply(request), None);
        stage.apply(Network::Heal);
        stage.settle();
        let reply = stage.world.session(A).expect("alice").take_reply(request);
        assert!(matches!(reply, Some(Ok(Reply::Connected { .. }))), "{reply:?}");
    });
}

#[test]
fn a_dial_through_a_shut_way_ends_in_time() {
    in_both(&PAIR, |stage| {
        stage.apply(partition(true));
        let start = stage.world.now().mono;
        let answer = stage.connect(B, A);
        assert!(matches!(answer, Err(CommandError::Unreachable { why: Why::TimedOut, .. })), "{answer:?}");
        assert!(stage.world.now().mono.since(start) >= hobnob::limits::DIAL);
        assert_eq!(stage.told(A), []);
    });
}

#[test]
fn peers_that_dial_in_plain_find_each_other() {
    in_both(&[], |stage| {
        stage.world.speak(Dialect::Plain);
        for name in PAIR {
            stage.world.cast(Name::new(name).expect("a name")).expect("room");
        }
        let to = stage.at(B);
        let text = Body::new("hello").expect("a body");
        let sent = stage.call(A, Command::Send { to, text, auto: false });
        assert!(sent.is_ok(), "{sent:?}");
        stage.settle();
        let mut bob = stage.world.session(B).expect("bob");
        let heard = |event: hobnob::api::event::Event| match event.what {
            What::Message(message) => message.text.expose() == "hello",
            _ => false,
        };
        assert!(std::iter::from_fn(|| bob.take_event()).any(heard));
    });
}

#[test]
fn whoever_dials_itself_is_told_so() {
    in_both(&PAIR, |stage| {
        let answer = stage.connect(A, A);
        assert!(matches!(answer, Err(CommandError::Unreachable { why: Why::Ourselves, .. })), "{answer:?}");
        stage.settle();
    });
}

#[test]
fn a_date_far_off_changes_dates_only() {
    const YEAR: i64 = 365 * 86_400 * 1_000_000;
    in_both(&PAIR, |stage| {
        stage.apply(Network::Skew(A, YEAR));
        stage.apply(Network::Skew(B, -YEAR));
        let before = stage.world.now().wall.0;
        stage.meet(&[A, B]);
        let mut dates = [0; 2];
        while let Some((who, event)) = stage.world.take_event() {
            dates[who.0] = event.at.wall.0 - before;
        }
        let near = |date: i64, to: i64| (date - to).unsigned_abs() < 60_000_000;
        assert!(near(dates[0], YEAR) && near(dates[1], -YEAR), "{dates:?}");
    });
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    in_both(&PAIR, |stage| {
        let cases = [
            (Network::Crash(PeerNo(9)), "there is no P9; cast it first (2 peers are here)"),
            (Network::Hold(A, A), "hold: alice stands on both sides; name two different peers"),
            (Network::Restart(A), "alice is up already; crash it first"),
            (
                Network::Default(Shape { bandwidth: Some(0), ..Shape::default() }),
                "net: no bandwidth carries nothing; hold the link",
            ),
        ];
        for (change, says) in cases {
            let refused = stage.world.apply(&change).map_err(|error| error.to_string());
            assert_eq!(refused, Err(says.into()));
        }
        let alice = Name::new("alice").expect("a name");
        assert_eq!(stage.world.cast(alice), Err(WorldError::NameTaken(alice)));
    });
}

#[test]
fn a_seed_gives_a_name_the_same_key_in_both() {
    let (mut sim, mut loopback) = (Sim::new(Seed::from_number(1)), loopback());
    let (one, other) = (Stage::new(&mut sim, &PAIR), Stage::new(&mut loopback, &["bob", "alice"]));
    assert_eq!((one.world.key(A), one.world.key(B)), (other.world.key(B), other.world.key(A)));
}

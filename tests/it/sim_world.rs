//! The imaginary world itself: it is a world, time in it is its own, one seed is one course of
//! things, and it settles exactly when nothing is left to happen.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, PeerRef};
use hobnob::api::event::What;
use hobnob::id::{Name, PeerId};
use hobnob::node::record::Record;
use hobnob::sim::{LAN, Sim};
use hobnob::time::Wall;
use hobnob::world::{Network, PeerNo, Shape, World, WorldError};

use crate::cast::{A, B, C, Cast, LONG, numbers};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// A busy minute of three peers, with most of what chance can decide.
fn busy(seed: u64, names: &[&str]) -> Cast {
    let mut cast = Cast::new(seed, names);
    cast.sim.keep_trace(100_000);
    let shape = Shape {
        delay: MS(3),
        jitter: MS(20),
        bandwidth: Some(100_000),
        pieces: Some(90),
        ..Shape::default()
    };
    cast.apply(Network::Default(shape));
    cast.connect(A, B);
    cast.connect(B, C);
    for number in 0..20 {
        cast.send(A, B, &number.to_string());
        cast.send(B, C, &number.to_string());
        cast.pass(MS(7));
    }
    cast.apply(Network::CrashAfter(B, 5));
    cast.send(A, B, "20");
    cast.pass(MS(500));
    cast.apply(Network::Restart(B));
    cast.pass(Duration::from_secs(60));
    cast
}

#[test]
fn one_seed_is_one_course_of_things_to_the_byte() {
    let (one, same, other) =
        (busy(7, &["a", "b", "c"]), busy(7, &["a", "b", "c"]), busy(8, &["a", "b", "c"]));
    let lines = |cast: &Cast| cast.sim.trace().map(ToString::to_string).collect::<Vec<_>>();
    assert!(one.sim.trace_count() > 500, "something happened");
    assert_eq!(one.sim.trace_count(), one.sim.trace().count() as u64, "all of it was kept");
    assert_eq!(lines(&one), lines(&same));
    assert_eq!((one.sim.digest(), one.sim.work()), (same.sim.digest(), same.sim.work()));
    assert_ne!(one.sim.digest(), other.sim.digest());
}

#[test]
fn whoever_joins_changes_nobody_elses_chances() {
    // An idle fourth peer: the other three do the same to the byte, at the same times.
    let (three, four) = (busy(7, &["a", "b", "c"]), busy(7, &["a", "b", "c", "idle"]));
    let lines = |cast: &Cast| -> Vec<String> {
        let theirs = cast.sim.trace().filter(|entry| entry.who != Some(PeerNo(3)));
        theirs.map(ToString::to_string).collect()
    };
    assert_eq!(lines(&three), lines(&four));
}

#[test]
fn time_passes_as_it_is_asked_to() {
    let mut cast = Cast::pair(1);
    cast.events(B);
    let shape = Shape { delay: MS(200), ..LAN };
    cast.apply(Network::Link { a: A, b: B, shape });
    let start = cast.sim.now().mono;
    cast.send(A, B, "hello");
    assert!(!cast.sim.session(B).expect("bob").wait(MS(199)), "not yet");
    assert_eq!(cast.sim.now().mono.since(start), MS(199));
    assert!(cast.sim.session(B).expect("bob").wait(LONG));
    assert_eq!(cast.sim.now().mono.since(start), MS(200), "the wait ends with the news");
    assert!(matches!(cast.events(B)[..], [What::Message(_)]));
    cast.pass(Duration::from_secs(3_600));
    assert_eq!(cast.sim.now().mono.since(start), Duration::from_secs(3_600) + MS(200));
    assert_eq!(cast.losses(A), [], "an hour of pings");
}

#[test]
fn a_narrow_link_takes_its_time() {
    let mut cast = Cast::pair(1);
    cast.apply(Network::Default(Shape { bandwidth: Some(1_000), ..LAN }));
    let start = cast.sim.now().mono;
    cast.send(A, B, &"x".repeat(5_000));
    cast.settle();
    let took = cast.sim.now().mono.since(start);
    assert_eq!(cast.heard(B, A).len(), 1);
    assert!((MS(5_000)..MS(5_500)).contains(&took), "5,000 bytes at 1,000 a second: {took:?}");
}

#[test]
fn to_settle_is_to_have_nothing_left_but_keepalives() {
    let mut cast = Cast::new(1, &["alice", "bob", "carol"]);
    let at = |cast: &Cast| cast.sim.now().mono;
    cast.settle();
    assert_eq!(at(&cast).0, 0, "nobody has anything to do");
    let to = PeerRef::At(cast.sim.address(B).expect("bob").into());
    let request = cast.give(A, Command::Connect { to, dialect: None });
    cast.settle();
    assert!(matches!(cast.reply(A, request), Some(Ok(_))), "what was asked is answered");
    assert!(cast.sim.now().mono.0 < 20_000, "a handshake takes some trips of a millisecond");
    let after = at(&cast);
    cast.settle();
    assert_eq!(at(&cast), after, "pings are not waited for");
    for number in 0..10 {
        cast.send(A, B, &number.to_string());
    }
    cast.settle();
    assert_eq!(cast.heard(B, A), numbers(0..10));
    assert!(at(&cast).since(after) < MS(10));
    // A redial comes soon, so it is waited for; those that come later are not.
    cast.apply(Network::Crash(B));
    cast.send(A, B, "10");
    cast.settle();
    assert!(at(&cast).since(after) < Duration::from_secs(60));
    cast.apply(Network::Restart(B));
    cast.connect(A, B);
    cast.settle();
    assert_eq!(cast.heard(B, A), numbers(0..11));
}

#[test]
fn a_redial_that_is_not_needed_any_more_is_not_waited_for() {
    let mut cast = Cast::pair(1);
    cast.apply(Network::Crash(B));
    cast.send(A, B, "0");
    cast.pass(MS(10));
    cast.apply(Network::Restart(B));
    cast.connect(A, B);
    let before = cast.sim.now().mono;
    cast.settle();
    assert_eq!(cast.heard(B, A), ["0"]);
    assert!(cast.sim.now().mono.since(before) < MS(100));
}

#[test]
fn a_handshake_with_a_hole_is_waited_for() {
    let mut cast = Cast::new(1, &["alice", "bob"]);
    let to = PeerRef::At(cast.sim.address(B).expect("bob").into());
    let request = cast.give(A, Command::Connect { to, dialect: None });
    cast.pass(Duration::from_micros(2_500));
    cast.apply(Network::HalfOpen(A, B));
    cast.settle();
    assert!(matches!(cast.reply(A, request), Some(Err(CommandError::Unreachable { .. }))));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    let mut cast = Cast::pair(1);
    let before = cast.sim.digest();
    let nobody = PeerNo(9);
    let cases = [
        (Network::Crash(nobody), "there is no P9; cast it first (2 peers are here)"),
        (Network::Hold(A, A), "hold: alice stands on both sides; name two different peers"),
        (
            Network::Partition { from: vec![A, B], to: vec![B], one_way: false },
            "partition: bob stands on both sides; name two different peers",
        ),
        (Network::Restart(A), "alice is up already; crash it first"),
        (
            Network::Default(Shape { bandwidth: Some(0), ..LAN }),
            "net: no bandwidth carries nothing; hold the link",
        ),
        (
            Network::Link { a: A, b: B, shape: Shape { pieces: Some(0), ..LAN } },
            "link: a piece has at least one byte",
        ),
    ];
    for (change, says) in cases {
        assert_eq!(cast.sim.apply(&change).map_err(|error| error.to_string()), Err(says.into()));
    }
    let alice = Name::new("alice").expect("a name");
    assert_eq!(cast.sim.cast(alice), Err(WorldError::NameTaken(alice)));
    assert_eq!(cast.sim.digest(), before, "nothing has changed");
    cast.apply(Network::Crash(B));
    assert_eq!(
        cast.sim.apply(&Network::Crash(B)).map_err(|error| error.to_string()),
        Err("bob is down; restart it first".into())
    );
    assert_eq!(cast.call(B, Command::Status), Err(CommandError::Leaving), "a dead program obeys nothing");
}

#[test]
fn peers_are_named_as_the_script_goes() {
    let mut cast = Cast::pair(1);
    cast.send(A, B, "before");
    let carol = cast.sim.cast(Name::new("carol").expect("a name")).expect("room");
    assert_eq!((carol, cast.sim.find(Name::new("carol").expect("a name"))), (C, Some(C)));
    cast.connect(C, A);
    cast.send(C, A, "hello");
    cast.settle();
    assert_eq!((cast.heard(A, C), cast.heard(B, A)), (vec!["hello".into()], vec!["before".into()]));
}

#[test]
fn whoever_takes_no_news_is_sent_no_more_and_loses_none() {
    let mut cast = Cast::pair(1);
    cast.events(B);
    let total: u64 = 70_000;
    for number in 0..total {
        cast.send(A, B, &number.to_string());
        if number % 5_000 == 4_999 {
            cast.settle();
        }
    }
    let before = cast.heard(B, A).len();
    assert!((65_536..70_000).contains(&before), "{before} came before it was enough");
    let first = cast.events(B).len();
    cast.settle();
    assert_eq!(first + cast.events(B).len(), 70_000);
    assert_eq!(cast.heard(B, A), numbers(0..total));
}

#[test]
fn who_has_left_is_gone_in_good_order() {
    let mut cast = Cast::pair(1);
    cast.send(B, A, "farewell");
    cast.give(B, Command::Quit);
    cast.settle();
    assert_eq!(cast.heard(A, B), ["farewell"]);
    assert!(cast.events(A).iter().any(|what| matches!(what, What::Left { ours: false, .. })));
    assert_eq!(cast.sim.is_up(B), Ok(false));
    let to = PeerRef::At(cast.sim.address(B).expect("bob").into());
    let refused = cast.call(A, Command::Connect { to, dialect: None });
    assert!(matches!(refused, Err(CommandError::Unreachable { .. } | CommandError::Gone(_))), "{refused:?}");
}

#[test]
fn a_date_ten_years_off_changes_dates_only() {
    const YEARS: i64 = 10 * 365 * 86_400 * 1_000_000;
    let run = |skew: i64| {
        let mut cast = Cast::new(3, &["alice", "bob"]);
        cast.apply(Network::Skew(A, skew));
        cast.apply(Network::Skew(B, -skew));
        cast.connect(A, B);
        for number in 0..10 {
            cast.send(A, B, &number.to_string());
            cast.send(B, A, &number.to_string());
            cast.pass(MS(1));
        }
        cast.apply(Network::Crash(B));
        cast.pass(Duration::from_secs(2));
        cast.apply(Network::Restart(B));
        cast.connect(B, A);
        cast.pass(Duration::from_secs(120));
        cast
    };
    let records = |cast: &Cast| -> Vec<Record> {
        let undated = |mut record: Record| {
            if let Record::Queued { at, .. } | Record::Received { at, .. } = &mut record {
                *at = Wall(0);
            }
            record
        };
        [A, B].into_iter().flat_map(|who| cast.sim.written(who)).map(undated).collect()
    };
    let (plain, mut skewed) = (run(0), run(YEARS));
    assert_eq!(plain.sim.work(), skewed.sim.work());
    assert_eq!(records(&plain), records(&skewed));
    let mut session = skewed.sim.session(A).expect("alice");
    let event = session.take_event().expect("she joined somebody");
    assert_eq!((event.at.wall.0 - 1_767_225_600_000_000 - YEARS).unsigned_abs(), event.at.mono.0);
}

#[test]
fn an_address_where_nobody_is_refuses_and_a_name_is_not_looked_up() {
    let mut cast = Cast::new(1, &["alice"]);
    for (at, says) in [("10.0.0.9:5000", "refused"), ("10.0.0.1:77", "refused"), ("bob:5000", "no such host")]
    {
        let to = PeerRef::At(at.parse().expect("an address"));
        let error = cast.call(A, Command::Connect { to, dialect: None }).expect_err("nobody is there");
        assert!(error.to_string().contains(says), "{at}: {error}");
    }
}

#[test]
fn a_world_is_used_through_its_trait() {
    let mut sim = Sim::new(hobnob::rng::Seed::from_number(1));
    let world: &mut dyn World = &mut sim;
    let alice = world.cast(Name::new("alice").expect("a name")).expect("room");
    let bob = world.cast(Name::new("bob").expect("a name")).expect("room");
    let address = world.address(bob).expect("bob").into();
    world.session(alice).expect("alice").submit(Command::Keep { address });
    assert!(world.settle(LONG));
    let key = world.key(bob).expect("bob");
    let event = world.session(alice).expect("alice").take_event().expect("news");
    assert!(matches!(event.what, What::Joined { who, .. } if who.id == PeerId::Native(key)));
}

//! What only sockets can show: that to settle is exact however busy the machine is, that a bell ends
//! whatever is waited for, that strangers are noticed, and that nothing is left behind.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hobnob::api::command::Command;
use hobnob::api::event::What;
use hobnob::id::Name;
use hobnob::node::record::Record;
use hobnob::session::Bell;
use hobnob::world::{Network, PeerNo, Rest, Shape, World};

use crate::cast::{A, B, C, numbers};
use crate::stage::{Stage, loopback, on_loopback};

const MS: fn(u64) -> Duration = Duration::from_millis;
const LONG: Duration = Duration::from_secs(60);

/// Rounds of messages between three, each checked at once when the world has settled.
fn rounds(stage: &mut Stage<'_>, count: u64) {
    stage.meet(&[A, B, C]);
    for round in 0..count {
        let pairs = [(A, B), (B, C), (C, A), (B, A)];
        for (from, to) in &pairs[..1 + usize::try_from(round % 4).expect("small")] {
            stage.send(*from, *to, &format!("{round} {from} {to}"));
        }
        assert!(stage.world.settle(LONG));
        let (mut heard, mut delivered) = (0, 0);
        while let Some((to, event)) = stage.world.take_event() {
            match event.what {
                What::Message(message) => {
                    heard += 1;
                    let text = message.text.expose();
                    assert!(text.starts_with(&format!("{round} ")) && text.ends_with(&to.to_string()));
                }
                What::Delivered { .. } => delivered += 1,
                other => assert_eq!(round, 0, "{other:?}"),
            }
        }
        assert_eq!((heard, delivered), (1 + round % 4, 1 + round % 4), "round {round}");
    }
}

#[test]
fn to_settle_is_exact() {
    on_loopback(&["alice", "bob", "carol"], |stage| rounds(stage, 200));
}

#[test]
fn to_settle_is_exact_on_a_busy_machine() {
    let done = Arc::new(AtomicBool::new(false));
    let burn = |_| {
        let done = Arc::clone(&done);
        std::thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        })
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let burning: Vec<_> = (0..2 * cores).map(burn).collect();
    let played = std::panic::catch_unwind(|| {
        on_loopback(&["alice", "bob", "carol"], |stage| {
            stage.apply(Network::Default(Shape { jitter: MS(2), pieces: Some(50), ..Shape::default() }));
            rounds(stage, 60);
        });
    });
    done.store(true, Ordering::Relaxed);
    burning.into_iter().for_each(|thread| thread.join().expect("it only spins"));
    played.expect("exact");
}

#[test]
fn much_that_is_under_way_is_waited_for() {
    on_loopback(&["alice", "bob"], |stage| {
        stage.meet(&[A, B]);
        for number in 0..5_000 {
            stage.send(A, B, &number.to_string());
        }
        stage.settle();
        assert_eq!(stage.heard(B, A), numbers(0..5_000));
        // More than all buffers on the way hold, and nobody reads.
        stage.apply(Network::Slow(B, LONG));
        let text = "x".repeat(1_000);
        for _ in 0..4_000 {
            stage.send(A, B, &text);
        }
        assert!(!stage.world.settle(MS(100)), "it is under way");
        assert_eq!(stage.heard(B, A).len(), 5_000);
        stage.apply(Network::Heal);
        stage.settle();
        assert_eq!(stage.heard(B, A).len(), 9_000);
    });
}

#[test]
fn whoever_takes_no_news_is_sent_no_more_and_loses_none() {
    let (mut world, total) = (loopback(), 72_000_u64);
    let mut stage = Stage::new(&mut world, &["alice", "bob", "carol"]);
    stage.meet(&[A, B, C]);
    stage.told(A);
    for number in 0..total {
        stage.send(A, B, &number.to_string());
        if number % 5_000 == 4_999 {
            stage.settle();
        }
    }
    stage.settle();
    // The others are not held up by that.
    stage.send(A, C, "hello");
    stage.settle();
    let mut carol = stage.world.session(C).expect("carol");
    assert!(matches!(carol.take_event().map(|event| event.what), Some(What::Message(_))));
    drop(carol);
    assert!(stage.heard(B, A).len() < 72_000, "it was enough");
    stage.settle();
    assert_eq!(stage.heard(B, A), numbers(0..total));
}

fn ring_after(bell: Bell, time: Duration) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(time);
        bell.ring();
    })
}

#[test]
fn a_bell_ends_whatever_is_waited_for() {
    let mut world = loopback();
    let bell = world.bell();
    let mut stage = Stage::new(&mut world, &["alice", "bob"]);
    stage.meet(&[A, B]);
    stage.apply(Network::Clog(A, B, LONG));
    stage.send(A, B, "hello");
    stage.world.pass(Duration::ZERO);
    let start = stage.world.now().mono;
    type Wait = fn(&mut dyn World);
    let waits: [Wait; 5] = [
        |world| assert!(world.run(LONG)),
        |world| world.pass(LONG),
        |world| assert_eq!(world.rest(LONG), Rest::Waited),
        |world| assert!(!world.settle(LONG)),
        |world| assert!(world.session(B).expect("bob").wait(LONG)),
    ];
    for wait in waits {
        let ringing = ring_after(bell.clone(), MS(10));
        wait(stage.world);
        ringing.join().expect("it rang");
    }
    assert!(stage.world.now().mono.since(start) < LONG / 2);
}

#[test]
fn with_strangers_rest_is_quiet() {
    let mut world = loopback();
    Stage::new(&mut world, &["alice", "bob"]).meet(&[A, B]);
    assert!(world.is_exact());
    let address = world.address(B).expect("bob");
    let mut stranger = TcpStream::connect(address).expect("he listens");
    while world.is_exact() {
        world.run(MS(5));
    }
    let start = world.now().mono;
    assert!(world.settle(LONG));
    assert!(world.now().mono.since(start) >= MS(300));
    stranger.write_all(b"127.0.0.1:9 eve hello").expect("he reads");
    stranger.shutdown(std::net::Shutdown::Write).expect("nobody has closed it");
    assert!(world.settle(LONG));
    let heard = |(_, event): (PeerNo, hobnob::api::event::Event)| matches!(event.what, What::Message(_));
    assert!(std::iter::from_fn(|| world.take_event()).any(heard));
    drop(stranger);
    while !world.is_exact() {
        world.run(MS(5));
    }
}

#[test]
fn whom_nobody_has_cast_is_dialled_as_ever() {
    let outside = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = outside.local_addr().expect("bound");
    let mut world = loopback();
    let mut stage = Stage::new(&mut world, &["alice"]);
    stage.apply(Network::Default(Shape { delay: LONG, ..Shape::default() }));
    stage.give(A, Command::Keep { address: address.into() });
    stage.world.run(MS(1));
    let (mut stream, _) = outside.accept().expect("she dials");
    stage.world.run(MS(1));
    let mut first = [0];
    stream.set_read_timeout(Some(MS(10))).expect("a time");
    while stream.read(&mut first).is_err() {
        stage.world.run(MS(1));
    }
    assert_eq!(first, [0x7f], "our preamble");
}

#[test]
fn nothing_is_left_of_a_world() {
    let mut world = loopback();
    let mut stage = Stage::new(&mut world, &["alice", "bob"]);
    stage.meet(&[A, B]);
    let address = stage.world.address(B).expect("bob");
    // While a program is down its port is refused, and nobody else's.
    stage.apply(Network::Crash(B));
    let refused = TcpStream::connect(address).map_err(|error| error.kind());
    assert!(matches!(refused, Err(std::io::ErrorKind::ConnectionRefused)), "{refused:?}");
    stage.apply(Network::Restart(B));
    drop(TcpStream::connect(address).expect("he listens again"));
    drop(world);
    let refused = TcpStream::connect(address).map_err(|error| error.kind());
    assert!(matches!(refused, Err(std::io::ErrorKind::ConnectionRefused)), "{refused:?}");
}

#[test]
fn a_disk_has_what_was_heard_once_and_in_order() {
    let mut world = loopback();
    let mut stage = Stage::new(&mut world, &["alice", "bob"]);
    stage.meet(&[A, B]);
    for round in 0..30_u64 {
        stage.apply(Network::CrashAfter(B, 1 + round));
        stage.send(A, B, &(2 * round).to_string());
        stage.send(A, B, &(2 * round + 1).to_string());
        stage.pass(MS(5));
        if stage.world.is_up(B) == Ok(true) {
            stage.apply(Network::Crash(B));
        }
        stage.apply(Network::Restart(B));
        stage.connect(B, A).expect("it connects");
        stage.settle();
    }
    let text = |record: &Record| match record {
        Record::Received { text, .. } => Some(text.expose().to_owned()),
        _ => None,
    };
    let heard: Vec<_> = world.written(B).iter().filter_map(text).collect();
    assert_eq!(heard, numbers(0..60));
}

#[test]
fn names_are_those_of_the_cast() {
    let mut world = loopback();
    let zoe = world.cast(Name::new("zoe").expect("a name")).expect("room");
    assert_eq!(world.find(Name::new("zoe").expect("a name")), Some(zoe));
    assert_eq!((world.digest(), world.trace().count()), (None, 0));
    assert!(world.address(zoe).is_ok_and(|address| address.ip().is_loopback()));
}

//! Two or three nodes in memory: they meet, talk, part, and lose each other.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::text::Body;
use hobnob::why::Why;

use crate::net::{Net, send};

fn pair(seed: u64) -> Net {
    let mut net = Net::new(&["alice", "bob"], seed);
    net.connect(0, 1);
    net
}

#[test]
fn messages_arrive_once_in_order_however_streams_are_cut() {
    for seed in 0..50 {
        let mut net = Net::new(&["alice", "bob"], seed);
        net.piece = [1, 3, 40, 5_000][usize::try_from(seed % 4).expect("small")];
        net.connect(0, 1);
        for number in 0..40 {
            net.give(0, send("bob", &format!("a{number}")));
            net.give(1, send("alice", &format!("b{number}")));
        }
        net.settle();
        let expected = |who: &str, letter| (0..40).map(|n| format!("{who}: {letter}{n}")).collect::<Vec<_>>();
        assert_eq!(net.heard(1), expected("alice", 'a'), "seed {seed}");
        assert_eq!(net.heard(0), expected("bob", 'b'), "seed {seed}");
        let delivered = |what: &&What| matches!(what, What::Delivered { last: 40, .. });
        assert_eq!(net.hosts[0].events.iter().filter(delivered).count(), 1, "seed {seed}");
    }
}

#[test]
fn both_dial_at_once_and_one_link_remains() {
    for seed in 0..200 {
        let mut net = Net::new(&["alice", "bob"], seed);
        let (a, b) = (net.hosts[0].addr, net.hosts[1].addr);
        for (host, addr, name) in [(0, b, "bob"), (1, a, "alice")] {
            let to = PeerRef::At(addr.into());
            net.give(host, Command::Connect { to: to.clone(), dialect: None });
            for number in 0..10 {
                let text = Body::new(&format!("{name} {number}")).expect("a body");
                net.give(host, Command::Send { to: to.clone(), text, auto: false });
                net.step();
            }
        }
        net.settle();
        assert_eq!(net.streams(), 1, "seed {seed}");
        for (host, from, to) in [(0, "bob", "alice"), (1, "alice", "bob")] {
            let expected: Vec<_> = (0..10).map(|n| format!("{from}: {to} {n}")).collect();
            assert_eq!(net.heard(host), expected, "seed {seed}");
            let joins =
                net.hosts[host].events.iter().filter(|what| matches!(what, What::Joined { .. })).count();
            let parts = net.hosts[host]
                .events
                .iter()
                .filter(|what| matches!(what, What::Left { .. } | What::Lost { .. }));
            assert_eq!((joins, parts.count()), (1, 0), "seed {seed}: {:?}", net.hosts[host].events);
        }
    }
}

#[test]
fn what_was_under_way_when_a_link_broke_arrives_once_on_the_next() {
    for seed in 0..100 {
        let mut net = pair(seed);
        for number in 0..30 {
            net.give(0, send("bob", &number.to_string()));
            if number % 3 == 0 {
                net.step();
            }
        }
        for _ in 0..seed % 7 {
            net.step();
        }
        net.cut(0, 1);
        net.pass(Duration::from_secs(5));
        let expected: Vec<_> = (0..30).map(|n| format!("alice: {n}")).collect();
        assert_eq!(net.heard(1), expected, "seed {seed}");
        assert!(net.hosts[0].events.iter().any(|what| matches!(what, What::Lost { why: Why::Reset, .. })));
        for host in [0, 1] {
            let Ok(Reply::Status(status)) = net.call(host, Command::Status) else {
                panic!("it has counters")
            };
            assert_eq!((status.false_receipts, status.conflicts), (0, 0), "both are honest: seed {seed}");
        }
    }
}

#[test]
fn a_goodbye_is_told_from_a_loss() {
    let mut net = pair(1);
    assert_eq!(net.call(1, Command::Quit), Ok(Reply::Goodbye));
    assert!(net.hosts[0].events.iter().any(|what| matches!(what, What::Left { ours: false, .. })));
    // He may come back, and what waits is for him alone.
    assert!(matches!(net.send(0, "bob", "x"), Ok(Reply::Queued { connected: false, .. })));
    let mut net = pair(2);
    net.cut(0, 1);
    assert!(net.hosts[0].events.iter().any(|what| matches!(what, What::Lost { why: Why::Reset, .. })));
}

#[test]
fn pings_keep_an_idle_link() {
    let mut net = pair(1);
    net.pass(Duration::from_secs(600));
    assert!(!net.hosts[0].events.iter().any(|what| matches!(what, What::Lost { .. })), "pings keep it");
}

#[test]
fn two_of_one_name_are_refused_with_their_keys() {
    let mut net = Net::new(&["alice", "bob", "bob"], 1);
    net.connect(0, 1);
    net.connect(0, 2);
    let Err(CommandError::Ambiguous { candidates, .. }) = net.send(0, "bob", "x") else {
        panic!("ambiguous")
    };
    let keys = [1, 2].map(|host| net.hosts[host].node.key().short());
    assert!(
        keys.iter().all(|key| candidates.iter().any(|candidate| candidate.contains(key))),
        "{candidates:?}"
    );
    assert!(net.send(0, &keys[1], "to the second").is_ok());
    assert_eq!(net.heard(2), ["alice: to the second"]);
    assert_eq!(net.heard(1), Vec::<String>::new());
}

#[test]
fn a_refused_command_changes_nothing_and_says_what_to_do() {
    let mut net = pair(1);
    let message = |error: CommandError| error.to_string();
    assert_eq!(
        net.send(0, "bbo", "x").map_err(message),
        Err("no peer called \"bbo\"; did you mean bob? (peers: bob)".into())
    );
    let nowhere = PeerRef::At(":9".parse().expect("an address"));
    assert_eq!(
        net.call(0, Command::Connect { to: nowhere, dialect: None }).map_err(message),
        Err("127.0.0.1:9 refused (nothing listens there)".into())
    );
    assert_eq!(
        net.call(1, Command::Reply { text: Body::new("x").expect("a body") }),
        Err(CommandError::NoOneWrote)
    );
    let ourselves = PeerRef::At(net.hosts[0].addr.into());
    assert_eq!(
        net.call(0, Command::Connect { to: ourselves, dialect: None }).map_err(message),
        Err("127.0.0.1:5000 that is you".into())
    );
    assert!(net.heard(1).is_empty());
}

#[test]
fn nothing_readable_is_on_the_wire() {
    let mut net = pair(1);
    net.send(0, "bob", "the canary sings at noon").expect("queued");
    assert_eq!(net.heard(1).len(), 1);
    assert!(!net.wire.windows(6).any(|bytes| bytes == b"canary"));
    assert!(!net.wire.windows(5).any(|bytes| bytes == b"alice"));
}

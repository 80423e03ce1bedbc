//! Who is dialled again, when, and how: kept addresses, peers that messages wait for.

use std::time::Duration;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::node::record::Snapshot;
use hobnob::text::Body;

use crate::net::{Net, send};

fn pair() -> Net {
    let mut net = Net::new(&["alice", "bob"], 1);
    net.connect(0, 1);
    net
}

fn keep(net: &Net, host: usize) -> Command {
    Command::Keep { address: net.hosts[host].addr.into() }
}

fn kept(net: &mut Net, request: hobnob::id::RequestId) -> bool {
    match net.hosts[0].replies.remove(&request) {
        Some(Ok(Reply::Kept(result))) => result.is_ok(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_peer_of_ours_is_never_spoken_to_in_plain_text() {
    // Everything unknown is taken for plain, and its answers are slow.
    let mut net = Net::speaking(&["alice", "bob"], 1, &Snapshot::default(), Dialect::Plain);
    let to = PeerRef::At(net.hosts[1].addr.into());
    net.give(0, Command::Connect { to: to.clone(), dialect: None });
    net.pass(Duration::from_secs(1));
    assert!(net.send(0, "bob", "we have met").is_ok());
    net.cut(0, 1);
    net.give(0, Command::Connect { to, dialect: None });
    net.stall(Duration::from_secs(1));
    net.cut(0, 1);
    net.unplug(1);
    net.give(0, send("bob", "again"));
    net.plug(1);
    for _ in 0..10 {
        net.stall(Duration::from_millis(700));
    }
    assert!(!net.wire.windows(7).any(|bytes| bytes == b"connect"), "said in plain text");
    net.cut(0, 1);
    net.pass(Duration::from_secs(10));
    assert_eq!(net.heard(1), ["alice: we have met", "alice: again"]);
}

#[test]
fn a_plain_claim_to_the_address_of_a_peer_of_ours_takes_none_of_its_texts() {
    let mut net = pair();
    net.unplug(1);
    net.cut(0, 1);
    net.stranger(0, b"127.0.0.1:5001 bob it is me", true);
    let text = Body::new("a secret").expect("a body");
    let to = PeerRef::At(net.hosts[1].addr.into());
    net.give(0, Command::Send { to, text, auto: false });
    net.plug(1);
    net.pass(Duration::from_secs(10));
    assert!(!net.wire.windows(6).any(|bytes| bytes == b"secret"), "said in plain text");
    assert_eq!(net.heard(1), ["alice: a secret"]);
}

#[test]
fn a_peer_that_comes_and_goes_is_not_dialled_without_a_pause() {
    let mut net = pair();
    net.stall(Duration::from_secs(1));
    net.give(0, send("bob", "x"));
    let before = net.dials(0);
    for _ in 0..100 {
        net.cut(0, 1);
        for _ in 0..40 {
            net.step();
        }
        net.give(0, send("bob", "x"));
    }
    assert!(net.dials(0) - before <= 1, "{} dials at once", net.dials(0) - before);
    net.pass(Duration::from_secs(5));
    assert_eq!(net.heard(1).len(), 101);
}

#[test]
fn an_address_may_be_kept_twice() {
    let mut net = Net::new(&["alice", "bob"], 1);
    let (first, second) = (net.give(0, keep(&net, 1)), net.give(0, keep(&net, 1)));
    net.settle();
    assert!(kept(&mut net, first) && kept(&mut net, second));
    let third = net.give(0, keep(&net, 1));
    net.settle();
    assert!(kept(&mut net, third), "it is there already");
    net.unplug(1);
    net.cut(0, 1);
    net.pass(Duration::from_secs(10));
    let fourth = net.give(0, keep(&net, 1));
    net.settle();
    assert!(!kept(&mut net, fourth), "nobody is there");
    net.plug(1);
    let fifth = net.give(0, keep(&net, 1));
    net.settle();
    assert!(kept(&mut net, fifth), "it is tried now, not in two minutes");
}

#[test]
fn two_pings_at_once_are_both_answered() {
    let mut net = pair();
    let ping = || Command::Ping { peer: PeerRef::Word("bob".into()) };
    let requests = [net.give(0, ping()), net.give(0, ping())];
    net.pass(Duration::from_secs(10));
    for request in requests {
        assert!(matches!(net.hosts[0].replies.get(&request), Some(Ok(Reply::Pong(..)))));
    }
}

#[test]
fn a_name_that_changes_while_a_link_begins_is_told() {
    for steps in 0..60 {
        let mut net = Net::new(&["alice", "bob"], steps);
        let to = PeerRef::At(net.hosts[1].addr.into());
        net.give(0, Command::Connect { to, dialect: None });
        (0..steps).for_each(|_| _ = net.step());
        net.give(0, Command::Me { name: Some(hobnob::id::Name::new("eve").expect("a name")) });
        net.settle();
        net.give(0, Command::Broadcast { text: Body::new("hi").expect("a body"), auto: false });
        net.settle();
        assert_eq!(net.heard(1), ["eve: hi"], "renamed after {steps} steps");
    }
}

#[test]
fn whoever_we_part_from_stays_away() {
    let mut total = 0;
    for steps in 0..300 {
        let mut net = Net::new(&["alice", "bob"], steps % 7);
        net.piece = 40;
        let (a, b) = (net.hosts[0].addr, net.hosts[1].addr);
        net.give(0, Command::Connect { to: PeerRef::At(b.into()), dialect: None });
        net.give(1, Command::Connect { to: PeerRef::At(a.into()), dialect: None });
        (0..steps).for_each(|_| _ = net.step());
        let known = |what: &What| matches!(what, What::Joined { .. });
        if !net.hosts[0].events.iter().any(known) {
            continue;
        }
        net.give(0, Command::Disconnect { peer: None });
        let before = net.hosts[0].events.len();
        net.settle();
        total += net.hosts[0].events[before..].iter().filter(|what| known(what)).count();
    }
    // Bob's own dial may come to prove its key only then; that is his wish.
    assert!(total <= 4, "{total} came back");
}

#[test]
fn what_is_asked_for_while_a_goodbye_waits_is_done_after_it() {
    let later = |net: &Net| [send("bob", "after all"), keep(net, 1)];
    for asked in 0..2 {
        let mut net = pair();
        // What is not delivered makes the goodbye wait.
        net.give(0, send("bob", "before"));
        net.give(0, Command::Disconnect { peer: Some(PeerRef::Word("bob".into())) });
        let command = later(&net)[asked].clone();
        net.give(0, command);
        net.stall(Duration::from_secs(5));
        net.cut(0, 1);
        net.pass(Duration::from_secs(30));
        let expected = ["alice: before", "alice: after all"];
        assert_eq!(net.heard(1), expected[..2 - asked], "after {:?}", later(&net)[asked]);
    }
}

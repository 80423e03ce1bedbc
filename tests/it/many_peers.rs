//! More peers than a node remembers: somebody is forgotten, and nobody is taken for somebody else.

use std::time::Duration;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::reply::Reply;
use hobnob::id::PeerId;
use hobnob::key::PeerKey;
use hobnob::limits;
use hobnob::node::record::{Facts, SavedPeer, Snapshot};
use hobnob::why::Why;

use crate::lone::Lone;
use crate::net::{Net, send};

/// Everybody that a node can remember.
fn crowd() -> Snapshot {
    let row = |number: usize| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&(number as u64).to_be_bytes());
        SavedPeer::new(Facts::new(PeerKey(key)))
    };
    Snapshot { peers: (0..limits::PEERS_MAX).map(row).collect() }
}

#[test]
fn two_that_come_at_once_do_not_get_one_place() {
    let crowd = crowd();
    for seed in 0..3 {
        let mut net = Net::knowing(&["alice", "bob", "mallory"], seed, &crowd);
        for host in [1, 2] {
            let to = PeerRef::At(net.hosts[host].addr.into());
            net.give(0, Command::Connect { to, dialect: None });
        }
        net.settle();
        let (bob, mallory) = (net.hosts[1].node.key(), net.hosts[2].node.key());
        for key in [bob, mallory] {
            let Ok(Reply::Whois(whois)) =
                net.call(0, Command::Whois { peer: PeerRef::Id(PeerId::Native(key)) })
            else {
                panic!("seed {seed}: it is known")
            };
            assert_eq!(whois.key, Some(key), "seed {seed}");
        }
        net.send(0, &bob.to_string(), "for bob").expect("queued");
        net.give(2, send("alice", "from mallory"));
        net.settle();
        assert_eq!(net.heard(1), ["alice: for bob"], "seed {seed}");
        assert_eq!(net.heard(0), ["mallory: from mallory"], "seed {seed}");
    }
}

#[test]
fn plain_claims_fill_no_memory() {
    let mut us = Lone::new(Dialect::Native);
    let (mut known, mut port) = (0, 0_u16);
    for host in 1..=2 {
        for _ in 0..14 {
            let link = us.accept(&format!("10.0.1.{host}:4000"));
            let claim = |_| {
                port = port % 20_000 + 1;
                format!("{{\"content\":\"x\",\"sender_name\":\"T\",\"sender_port\":{port}}}")
            };
            us.hear(link, (0..1_000).map(claim).collect::<String>().as_bytes());
            us.pass(limits::BURST_SILENCE);
            us.end(link, Why::Eof);
            us.pass(Duration::from_secs(1));
            us.events.clear();
        }
        let Ok(Reply::Status(status)) = us.call(Command::Status) else { panic!("it has counters") };
        assert!(status.known >= known);
        known = status.known;
    }
    assert_eq!(known, limits::PEERS_MAX);
}

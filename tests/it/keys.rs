//! Whose key it is: another one in a peer's place gets nothing and changes nothing, whoever was in the
//! middle at first is found out, and each of the five things that a key can be worth is one row here.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::{PeerRow, Reply, Trust};
use hobnob::key::PeerKey;

use crate::net::{Net, send};
use crate::proc::{Peer, home, run};

const MINUTE: Duration = Duration::from_secs(60);

fn pair() -> Net {
    let mut net = Net::new(&["alice", "bob"], 1);
    net.connect(0, 1);
    net
}

fn bob() -> PeerRef {
    PeerRef::Word("bob".into())
}

fn row(net: &mut Net, key: PeerKey) -> PeerRow {
    let Ok(Reply::Peers(rows)) = net.call(0, Command::Peers { known: true }) else { panic!("rows") };
    let of_key = |row: &PeerRow| row.who.id == hobnob::id::PeerId::Native(key);
    rows.into_iter().find(of_key).expect("she is known")
}

fn warnings(net: &Net) -> usize {
    net.hosts[0].events.iter().filter(|what| matches!(what, What::KeyChanged { .. })).count()
}

#[test]
fn another_key_in_a_peers_place_gets_nothing_until_it_replaces_the_first() {
    let mut net = pair();
    let first = net.hosts[1].node.key();
    net.usurp(1);
    let other = net.hosts[1].node.key();
    assert!(net.send(0, "bob", "for the first bob").is_ok(), "it is queued, as he may only be away");
    net.pass(MINUTE);
    // The other side tries by itself, too: it takes the name, and asks, and writes.
    let to = PeerRef::At(net.hosts[0].addr.into());
    net.give(1, Command::Connect { to: to.clone(), dialect: None });
    net.give(
        1,
        Command::Send { to, text: hobnob::text::Body::new("it is me").expect("a body"), auto: false },
    );
    net.pass(MINUTE * 10);
    assert_eq!((net.heard(0), net.heard(1)), (vec![], vec![]), "not a word either way");
    let told = |what: &What| matches!(what, What::Delivered { .. } | What::Message(_));
    assert!(!net.hosts[1].events.iter().any(told), "nothing of its own is on her disk either");
    assert!((1..=2).contains(&warnings(&net)), "told of, and not each time: {}", warnings(&net));
    let held = row(&mut net, first);
    assert_eq!((held.who.trust, held.queued), (Trust::Changed, 1), "what waits waits on");
    assert!(
        matches!(net.send(0, "bob", "more"), Err(CommandError::KeyChanged { shown, .. }) if shown == other)
    );
    for (begins, is_other) in
        [("", true), ("0", true), (&first.to_string()[..8], true), (&other.short(), false)]
    {
        let replace = Command::TrustReplace { peer: bob(), key: begins.into() };
        let replaced = net.call(0, replace);
        assert_eq!(
            matches!(replaced, Err(CommandError::OtherKey { .. })),
            is_other,
            "{begins}: {replaced:?}"
        );
    }
    net.pass(MINUTE * 3);
    assert_eq!(net.heard(1), ["alice: for the first bob"], "it was for whoever bob is");
}

#[test]
fn whoever_was_in_the_middle_at_first_is_found_out() {
    // To begin with, somebody who is not bob answers where bob is said to be.
    let mut net = pair();
    let middle = net.hosts[1].node.key();
    assert_eq!(row(&mut net, middle).who.trust, Trust::FirstUse, "no more than that");
    net.usurp(1);
    let real = net.hosts[1].node.key();
    assert_ne!(real.words(), middle.words(), "so those who read them out loud hear it");
    let replace = Command::TrustReplace { peer: bob(), key: real.to_string() };
    assert!(matches!(net.call(0, replace), Err(CommandError::SameKey(_))), "the real one was never shown");
    // Once nobody is in the middle, bob himself is another.
    net.give(0, send("bob", "are you bob?"));
    net.pass(MINUTE);
    assert_eq!((warnings(&net), net.heard(1).len()), (1, 0));
}

#[test]
fn words_and_digits_are_compared_exactly() {
    let key = PeerKey([0xAB; 32]);
    for bit in 0..256 {
        let mut other = key;
        other.0[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(key, other);
        assert_eq!(key.words() == other.words(), bit >= 96, "96 bits are read out loud");
    }
}

/// A net in which bob's key is worth that to alice, and how she means him.
fn worth(trust: Trust) -> (Net, PeerRef) {
    let mut net = Net::new(&["alice", "bob"], 1);
    if trust == Trust::Plain {
        net.stranger(0, b"127.0.0.1:5999 bob hello", true);
        net.pass(Duration::from_secs(1));
        return (net, bob());
    }
    net.connect(0, 1);
    match trust {
        Trust::Verified => drop(net.call(0, Command::Trust { peer: bob() }).expect("he is known")),
        Trust::Changed | Trust::Unknown => {
            let first = net.hosts[1].node.key();
            net.usurp(1);
            net.give(0, send("bob", "x"));
            net.pass(MINUTE);
            if trust == Trust::Unknown {
                let key = net.hosts[1].node.key().to_string();
                net.call(0, Command::TrustReplace { peer: bob(), key }).expect("as shown");
                return (net, PeerRef::Id(hobnob::id::PeerId::Native(first)));
            }
        }
        Trust::FirstUse | Trust::Plain => {}
    }
    (net, bob())
}

/// What may be done with a peer, and with its address, by what its key is worth.
#[test]
fn what_a_key_is_worth_decides_what_is_done() {
    let mut words: Vec<_> = Trust::ALL.iter().map(|trust| trust.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), 5, "each is shown as itself");
    for trust in Trust::ALL {
        let (mut net, who) = worth(trust);
        let Ok(Reply::Whois(whois)) = net.call(0, Command::Whois { peer: who.clone() }) else {
            panic!("{trust:?}")
        };
        assert_eq!(whois.row.who.trust, trust, "whois");
        let Ok(Reply::Peers(rows)) = net.call(0, Command::Peers { known: true }) else { panic!("rows") };
        let shown = rows.iter().find(|row| row.who.id == whois.row.who.id);
        assert_eq!(shown.map(|row| row.who.trust), Some(trust), "peers");

        let text = hobnob::text::Body::new("canary").expect("a body");
        let request = net.give(0, Command::Send { to: who.clone(), text, auto: false });
        let sent = net.hosts[0].replies.remove(&request).expect("answered at once");
        match trust {
            Trust::Verified | Trust::FirstUse | Trust::Plain => {
                assert!(matches!(sent, Ok(Reply::Queued { .. })), "{trust:?}: {sent:?}");
            }
            Trust::Changed => assert!(matches!(sent, Err(CommandError::KeyChanged { .. })), "{sent:?}"),
            Trust::Unknown => assert!(matches!(sent, Err(CommandError::Gone(_))), "{sent:?}"),
        }
        let trusted = net.call(0, Command::Trust { peer: who.clone() });
        match trust {
            Trust::Verified | Trust::FirstUse => {
                assert!(
                    matches!(trusted, Ok(Reply::Trusted { who, .. }) if who.trust == Trust::Verified),
                    "{trusted:?}"
                );
            }
            Trust::Changed => assert!(matches!(trusted, Err(CommandError::KeyChanged { .. })), "{trusted:?}"),
            // It is nobody's any more; to have compared it does no harm.
            Trust::Unknown => assert!(trusted.is_ok(), "{trusted:?}"),
            Trust::Plain => assert!(matches!(trusted, Err(CommandError::PlainPeer(..))), "{trusted:?}"),
        }
        if trust != Trust::Plain {
            let to = PeerRef::At(net.hosts[1].addr.into());
            let plain = net.call(0, Command::Connect { to, dialect: Some(Dialect::Plain) });
            assert!(matches!(plain, Err(CommandError::NotPlain(_))), "{trust:?}: {plain:?}");
            net.pass(MINUTE);
            assert!(!net.wire.windows(6).any(|bytes| bytes == b"canary"), "{trust:?}: on the wire");
        }
    }
}

#[test]
fn a_program_that_meets_another_key_fails_and_names_both() {
    let (alice, bob) = (home().display().to_string(), home().display().to_string());
    let first = Peer::start("bob", &["--data", &bob]);
    let (at, port) = (first.at(), first.addr.port().to_string());
    let tell = |text: &str| {
        let line = format!("send {at} {text}");
        run(&["alice", "0", "--listen", "127.0.0.1", "--data", &alice, "--timeout", "2s", "-c", &line])
    };
    let (code, _, err) = tell("hello");
    assert_eq!(code, 0, "{err}");
    drop(first);
    let mut second = Peer::start_at("bob", &port, &["--ephemeral"]);
    let (code, out, err) = tell("a canary");
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("has another key"), "{err}");
    second.say("me");
    let key = second.expect("key");
    let is_key = |word: &&str| word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let key = key.split_whitespace().find(is_key).unwrap_or_else(|| panic!("{key}"));
    assert!(out.contains("ANOTHER KEY") && out.contains(&format!("--replace {}", &key[..8])), "{out}");
    assert!(!second.quit().iter().any(|line| line.contains("canary")));
}

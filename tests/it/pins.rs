//! Whose key is whose: pinned on first use, refused when another answers in its place, replaced when a
//! person says so and not before; and what waits is for one key alone.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::{Reply, Trust};
use hobnob::id::PeerId;
use hobnob::key::PeerKey;
use hobnob::sim::Harm;
use hobnob::text::Body;
use hobnob::why::Why;
use hobnob::world::{Network, PeerNo, World};

use crate::cast::{A, B, Cast, LONG};

fn word(text: &str) -> PeerRef {
    PeerRef::Word(text.into())
}

fn key(cast: &Cast, who: PeerNo) -> PeerKey {
    cast.sim.key(who).expect("in the cast")
}

/// Alice has met bob, who is set up anew at the same address; she has messages for the old one.
fn bob_is_somebody_else(held: &[&str]) -> (Cast, PeerKey, PeerKey) {
    let mut cast = Cast::pair(1);
    let old = key(&cast, B);
    cast.apply(Network::Crash(B));
    cast.pass(Duration::from_secs(1));
    for text in held {
        let text = Body::new(text).expect("a body");
        let queued = cast.call(A, Command::Send { to: word("bob"), text, auto: false });
        assert!(matches!(queued, Ok(Reply::Queued { connected: false, .. })), "{queued:?}");
    }
    cast.sim.harm(B, Harm::Anew);
    cast.apply(Network::Restart(B));
    let new = key(&cast, B);
    assert_ne!(old, new);
    (cast, old, new)
}

fn connect(cast: &mut Cast, from: PeerNo, to: PeerNo) -> Result<Reply, CommandError> {
    let to = PeerRef::At(cast.sim.address(to).expect("in the cast").into());
    cast.call(from, Command::Connect { to, dialect: None })
}

fn trust_of(cast: &mut Cast, who: PeerNo, peer: &str) -> Trust {
    match cast.call(who, Command::Whois { peer: word(peer) }) {
        Ok(Reply::Whois(whois)) => whois.row.who.trust,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_key_in_the_place_of_a_pinned_one_is_refused_and_told_nothing() {
    let (mut cast, old, new) = bob_is_somebody_else(&["for the old bob"]);
    cast.sim.watch_for(b"for the old bob");
    let refused = connect(&mut cast, A, B);
    assert!(matches!(refused, Err(CommandError::Unreachable { why: Why::KeyChanged, .. })), "{refused:?}");
    cast.pass(LONG);
    let told: Vec<_> = cast
        .events(A)
        .into_iter()
        .filter_map(|what| match what {
            What::KeyChanged { pinned, shown, .. } => Some((pinned, shown)),
            _ => None,
        })
        .collect();
    assert!(!told.is_empty() && told.iter().all(|keys| *keys == (old, new)), "{told:?}");
    assert_eq!(trust_of(&mut cast, A, "bob"), Trust::Changed);
    assert!(cast.heard(B, A).is_empty(), "nothing was said to it");
    let more = cast
        .call(A, Command::Send { to: word("bob"), text: Body::new("more").expect("a body"), auto: false });
    assert!(matches!(more, Err(CommandError::KeyChanged { .. })), "{more:?}");
}

#[test]
fn what_was_held_goes_to_the_new_key_once_a_person_has_typed_how_it_begins() {
    let (mut cast, old, new) = bob_is_somebody_else(&["one", "two"]);
    connect(&mut cast, A, B).expect_err("another key");
    let replace = |key: &str| Command::TrustReplace { peer: word("bob"), key: key.into() };
    for wrong in ["", &new.to_string()[..7], &old.to_string()] {
        let refused = cast.call(A, replace(wrong));
        assert!(matches!(refused, Err(CommandError::OtherKey { .. })), "{wrong}: {refused:?}");
    }
    let typed = new.short().to_uppercase();
    assert!(matches!(cast.call(A, replace(&typed)), Ok(Reply::Trusted { key, .. }) if key == new));
    cast.pass(LONG);
    assert_eq!(cast.heard(B, A), ["one", "two"]);
    assert!(matches!(cast.call(A, replace(&typed)), Err(CommandError::SameKey(_))));
    let told = cast.events(A);
    assert!(!told.iter().any(|what| matches!(what, What::Failed { .. })), "{told:?}");
}

#[test]
fn who_only_calls_under_a_pinned_name_is_refused_and_cannot_be_written_to() {
    let (mut cast, _, new) = bob_is_somebody_else(&[]);
    let refused = connect(&mut cast, B, A);
    assert!(refused.is_err(), "{refused:?}");
    let to = PeerRef::Id(PeerId::Native(new));
    let text = Body::new("to whom?").expect("a body");
    let sent = cast.call(A, Command::Send { to, text, auto: false });
    assert!(sent.is_err(), "{sent:?}");
    // Alice may put the key in the place of the other although she has never dialled it.
    let begins = new.short();
    cast.call(A, Command::TrustReplace { peer: word("bob"), key: begins }).expect("replaced");
    connect(&mut cast, B, A).expect("now it is bob");
}

#[test]
fn a_pin_is_said_once_however_often_the_other_key_calls() {
    let (mut cast, ..) = bob_is_somebody_else(&[]);
    for _ in 0..5 {
        connect(&mut cast, B, A).expect_err("another key");
    }
    let loud = cast.events(A).iter().filter(|what| matches!(what, What::KeyChanged { .. })).count();
    assert_eq!(loud, 1);
}

#[test]
fn a_place_that_is_forgotten_may_be_somebody_elses() {
    let (mut cast, ..) = bob_is_somebody_else(&["for the old bob"]);
    connect(&mut cast, A, B).expect_err("another key");
    cast.call(A, Command::TrustForget { peer: word("bob") }).expect("forgotten");
    connect(&mut cast, A, B).expect("somebody else is there");
    cast.pass(LONG);
    assert!(cast.heard(B, A).is_empty(), "what waits is for the old one alone");
}

#[test]
fn trust_survives_a_restart() {
    let mut cast = Cast::pair(3);
    assert_eq!(trust_of(&mut cast, A, "bob"), Trust::FirstUse);
    cast.call(A, Command::Trust { peer: word("bob") }).expect("trusted");
    cast.apply(Network::Crash(A));
    cast.apply(Network::Restart(A));
    assert_eq!(trust_of(&mut cast, A, "bob"), Trust::Verified);
}

#[test]
fn nobody_who_has_proven_a_key_is_spoken_to_in_plain_text() {
    let mut cast = Cast::pair(4);
    cast.apply(Network::Crash(B));
    cast.pass(Duration::from_secs(1));
    let to = PeerRef::At(cast.sim.address(B).expect("in the cast").into());
    let refused = cast.call(A, Command::Connect { to, dialect: Some(Dialect::Plain) });
    assert!(matches!(refused, Err(CommandError::NotPlain(_))), "{refused:?}");
}

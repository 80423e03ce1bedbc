//! What a node does with a store: what waits survives any restart and is given up only when it is too
//! old by a clock that can be believed; a disk that is full or broken promises nothing; peers are
//! found again; and two ends that disagree because one was set back say so and go on.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::{MessageState, Reply};
use hobnob::sim::Harm;
use hobnob::text::Body;
use hobnob::why::{StoreFault, Why};
use hobnob::world::Network;

use crate::cast::{A, B, Cast, LONG};

const DAY: Duration = Duration::from_secs(86_400);

fn send(cast: &mut Cast, text: &str) -> Result<Reply, CommandError> {
    let (to, text) = (PeerRef::Word("bob".into()), Body::new(text).expect("a body"));
    cast.call(A, Command::Send { to, text, auto: false })
}

fn log(cast: &mut Cast, find: Option<&str>, last: usize) -> Vec<(bool, String, MessageState)> {
    let find = find.map(str::to_owned);
    match cast.call(A, Command::Log { peer: None, last, find }) {
        Ok(Reply::Log(entries)) => entries
            .into_iter()
            .map(|entry| (entry.ours, entry.text.expose().to_owned(), entry.state))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn failures(cast: &mut Cast) -> Vec<(u64, u64, Why)> {
    let failed = |what| match what {
        What::Failed { first, last, why, .. } => Some((first, last, why)),
        _ => None,
    };
    cast.events(A).into_iter().filter_map(failed).collect()
}

#[test]
fn what_waits_for_thirty_days_is_given_up_and_said_so_at_both_ends() {
    let mut cast = Cast::pair(1);
    cast.apply(Network::Crash(B));
    cast.pass(Duration::from_secs(1));
    send(&mut cast, "too late").expect("queued");
    cast.pass(DAY * 29);
    assert_eq!(failures(&mut cast), []);
    cast.pass(DAY * 2);
    assert_eq!(failures(&mut cast), [(1, 1, Why::Expired)]);
    assert_eq!(log(&mut cast, None, 9), [(true, "too late".into(), MessageState::Expired)]);
    send(&mut cast, "in time").expect("queued");
    cast.apply(Network::Restart(B));
    cast.pass(Duration::from_secs(300));
    assert_eq!(cast.heard(B, A), ["in time"]);
    let missed = cast.events(B).into_iter().any(|what| matches!(what, What::Missed { count: 1, .. }));
    assert!(missed, "bob is told that there was something before");
}

#[test]
fn a_clock_that_jumps_gives_up_nothing() {
    for skew in [400, -400] {
        let mut cast = Cast::pair(2);
        cast.apply(Network::Crash(B));
        cast.pass(Duration::from_secs(1));
        send(&mut cast, "patience").expect("queued");
        cast.apply(Network::Skew(A, skew * 86_400 * 1_000_000));
        cast.pass(Duration::from_secs(3_000));
        cast.apply(Network::Skew(A, 0));
        cast.pass(Duration::from_secs(7_200));
        assert_eq!(failures(&mut cast), [], "a year off for less than an hour");
        cast.apply(Network::Restart(B));
        cast.pass(Duration::from_secs(300));
        assert_eq!(cast.heard(B, A), ["patience"]);
    }
}

#[test]
fn a_full_disk_refuses_what_is_sent_and_acknowledges_nothing_until_it_has_room() {
    let mut cast = Cast::pair(3);
    cast.sim.harm(A, Harm::Full(true));
    assert_eq!(send(&mut cast, "refused"), Err(CommandError::Store(StoreFault::Full)));
    let heard = cast.send(B, A, "not yet");
    cast.pass(LONG);
    assert!(matches!(cast.reply(B, heard), Some(Ok(Reply::Queued { .. }))));
    assert_eq!(cast.undelivered(), 1, "bob is told nothing that is not so");
    let told = cast.events(A);
    assert_eq!(told.iter().filter(|what| matches!(what, What::StoreFailed(StoreFault::Full))).count(), 1);
    cast.sim.harm(A, Harm::Full(false));
    cast.pass(LONG);
    assert!(cast.events(A).iter().any(|what| matches!(what, What::StoreWorks)));
    send(&mut cast, "taken").expect("queued");
    cast.pass(LONG);
    assert_eq!((cast.heard(B, A), cast.heard(A, B)), (vec!["taken".into()], vec!["not yet".to_owned()]));
}

#[test]
fn a_broken_disk_promises_nothing_more_in_this_run() {
    let mut cast = Cast::pair(4);
    cast.sim.harm(A, Harm::Breaks);
    assert_eq!(send(&mut cast, "refused"), Err(CommandError::Store(StoreFault::Broken)));
    cast.send(B, A, "later");
    cast.pass(LONG);
    assert_eq!(send(&mut cast, "refused too"), Err(CommandError::Store(StoreFault::Broken)));
    assert_eq!(cast.undelivered(), 1);
    cast.apply(Network::Crash(A));
    cast.apply(Network::Restart(A));
    cast.pass(LONG * 3);
    assert_eq!((cast.heard(B, A), cast.heard(A, B)), (Vec::new(), vec!["later".to_owned()]));
}

#[test]
fn what_was_kept_is_found_again_with_what_became_of_it() {
    let mut cast = Cast::pair(5);
    send(&mut cast, "Milk and bread").expect("queued");
    cast.send(B, A, "no milk today");
    cast.settle();
    cast.apply(Network::Crash(B));
    cast.pass(Duration::from_secs(1));
    send(&mut cast, "milk tomorrow").expect("queued");
    cast.apply(Network::Crash(A));
    cast.apply(Network::Restart(A));
    let (delivered, received) = (MessageState::Delivered, MessageState::Received);
    let all = [
        (true, "Milk and bread".to_owned(), delivered),
        (false, "no milk today".to_owned(), received),
        (true, "milk tomorrow".to_owned(), MessageState::Queued),
    ];
    assert_eq!(log(&mut cast, None, 50), all);
    assert_eq!(log(&mut cast, Some("MILK bread"), 50), all[..1]);
    assert_eq!(log(&mut cast, None, 1), all[2..]);
}

#[test]
fn peers_find_each_other_again_without_being_told() {
    let mut cast = Cast::pair(6);
    for who in [A, B] {
        cast.apply(Network::Crash(who));
    }
    cast.pass(LONG);
    for who in [A, B] {
        cast.apply(Network::Restart(who));
    }
    cast.pass(LONG * 3);
    let joined = cast.events(A).iter().filter(|what| matches!(what, What::Joined { .. })).count();
    assert_eq!(joined, 2, "at first, and again");
    let parted = cast.call(A, Command::Disconnect { peer: None });
    assert!(parted.is_ok(), "{parted:?}");
    cast.apply(Network::Crash(A));
    cast.apply(Network::Restart(A));
    cast.pass(LONG * 3);
    assert!(!cast.events(A).iter().any(|what| matches!(what, What::Joined { .. })), "she had parted");
}

#[test]
fn a_sender_that_was_set_back_doubles_nothing_and_is_told() {
    let mut cast = Cast::pair(7);
    for text in ["one", "two"] {
        send(&mut cast, text).expect("queued");
    }
    cast.settle();
    let then = cast.sim.saves(A);
    for text in ["three", "four"] {
        send(&mut cast, text).expect("queued");
    }
    cast.settle();
    cast.apply(Network::Crash(A));
    cast.sim.harm(A, Harm::SetBack(then));
    cast.apply(Network::Restart(A));
    send(&mut cast, "five").expect("queued");
    cast.pass(LONG);
    assert_eq!(cast.heard(B, A), ["one", "two", "three", "four", "five"]);
    assert!(cast.events(A).iter().any(|what| matches!(what, What::SetBack { .. })));
    let shown = |what: &What| matches!(what, What::Message(_));
    assert_eq!(cast.events(B).iter().filter(|what| shown(what)).count(), 5);
}

#[test]
fn a_receiver_that_was_set_back_is_told_what_it_misses() {
    let mut cast = Cast::pair(8);
    for text in ["one", "two", "three"] {
        send(&mut cast, text).expect("queued");
    }
    cast.settle();
    cast.apply(Network::Crash(B));
    cast.sim.harm(B, Harm::SetBack(0));
    cast.events(B);
    cast.apply(Network::Restart(B));
    cast.pass(Duration::from_secs(1));
    send(&mut cast, "four").expect("queued");
    cast.pass(LONG * 3);
    assert_eq!(cast.heard(B, A), ["four"]);
    assert!(cast.events(B).iter().any(|what| matches!(what, What::Missed { count: 3, .. })));
}

//! Programs that die, leave and start anew, in both worlds: what was saved is neither lost nor doubled,
//! and whoever is left behind notices.

use std::time::Duration;

use hobnob::api::command::{Command, CommandError};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::world::Network;

use crate::cast::{A, B, numbers};
use crate::stage::in_both;

const MS: fn(u64) -> Duration = Duration::from_millis;
const PAIR: [&str; 2] = ["alice", "bob"];

#[test]
fn a_crash_and_a_restart_lose_and_double_nothing() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        let (key, address) = (stage.world.key(B), stage.world.address(B));
        for round in 0..3_u64 {
            for number in 0..5 {
                stage.send(A, B, &(10 * round + number).to_string());
            }
            stage.settle();
            stage.apply(Network::Crash(B));
            assert_eq!(stage.world.is_up(B), Ok(false));
            assert_eq!(stage.call(B, Command::Status), Err(CommandError::Leaving));
            for number in 5..10 {
                stage.send(A, B, &(10 * round + number).to_string());
            }
            // Not to settle, which waits for the next attempts to reach him.
            stage.until(|stage| stage.losses(A).len() as u64 > round);
            stage.apply(Network::Restart(B));
            stage.connect(A, B).expect("it connects");
            stage.settle();
        }
        assert_eq!(stage.heard(B, A), numbers(0..30));
        assert!(stage.losses(A).len() == 3, "its system ends its streams");
        assert_eq!((stage.world.key(B), stage.world.address(B)), (key, address));
    });
}

#[test]
fn what_was_queued_outlives_its_sender() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        stage.apply(Network::Partition { from: vec![A], to: vec![B], one_way: false });
        let request = stage.send(A, B, "0");
        stage.settle();
        let reply = stage.world.session(A).expect("alice").take_reply(request);
        assert!(matches!(reply, Some(Ok(Reply::Queued { .. }))), "{reply:?}");
        stage.apply(Network::Crash(A));
        stage.apply(Network::Heal);
        stage.apply(Network::Restart(A));
        stage.connect(A, B).expect("it connects");
        stage.send(A, B, "1");
        stage.settle();
        assert_eq!(stage.heard(B, A), numbers(0..2));
    });
}

#[test]
fn who_has_left_is_gone_in_good_order() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        stage.send(B, A, "farewell");
        assert_eq!(stage.call(B, Command::Quit), Ok(Reply::Goodbye));
        stage.settle();
        assert_eq!((stage.heard(A, B), stage.world.is_up(B)), (vec!["farewell".into()], Ok(false)));
        assert!(stage.told(A).iter().any(|what| matches!(what, What::Left { ours: false, .. })));
        let refused = stage.connect(A, B);
        assert!(
            matches!(refused, Err(CommandError::Unreachable { .. } | CommandError::Gone(_))),
            "{refused:?}"
        );
    });
}

/// The program dies between two effects, be it before, within or behind a save.
#[test]
fn a_crash_between_two_effects_loses_nothing() {
    in_both(&PAIR, |stage| {
        stage.meet(&[A, B]);
        for round in 0..12_u64 {
            stage.apply(Network::CrashAfter(B, 1 + round));
            for number in 0..5 {
                stage.send(A, B, &(5 * round + number).to_string());
            }
            stage.pass(MS(20));
            // Where much is done at once there are fewer wishes: then it dies at the end of them.
            if stage.world.is_up(B) == Ok(true) {
                stage.apply(Network::Crash(B));
            }
            stage.until(|stage| stage.losses(A).len() as u64 > round);
            stage.apply(Network::Restart(B));
            stage.connect(B, A).expect("it connects");
            stage.settle();
        }
        // What was told and not saved is told again; what was saved is not.
        let mut heard = stage.heard(B, A);
        heard.dedup();
        let mut once = heard.clone();
        once.sort_by_key(|text| text.parse::<u64>().expect("a number"));
        once.dedup();
        assert_eq!(once, numbers(0..60), "{heard:?}");
    });
}

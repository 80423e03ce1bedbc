//! Peers that shake hands as they should and then lie: about what was delivered, about numbers, about
//! names of messages. None of it turns into a receipt, a second copy, or a store that does not open.

use std::io::{Read, Write};
use std::net::TcpStream;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::{Reply, Status};
use hobnob::id::LinkId;
use hobnob::limits::{SEQ_MAX, WINDOW_MESSAGES};
use hobnob::text::Body;
use hobnob::wire::message::{Have, Message};

use crate::caller::Caller;
use crate::lone::{Lone, talk};
use crate::proc::{PATIENCE, Peer, home};

/// Somebody dials us from `from`, and `says` something once the handshake is done.
fn call(us: &mut Lone, from: &str, number: u64, says: impl FnOnce(&mut Caller)) -> (LinkId, Caller) {
    let mut caller = Caller::new(number);
    let link = us.accept(from);
    for _ in 0..3 {
        talk(us, link, &mut caller);
    }
    assert!(caller.is_open());
    says(&mut caller);
    talk(us, link, &mut caller);
    (link, caller)
}

fn send(to: &str, text: &str) -> Command {
    let text = Body::new(text).expect("a body");
    Command::Send { to: PeerRef::Word(to.into()), text, auto: false }
}

fn heard(us: &Lone) -> Vec<String> {
    let text = |what: &What| match what {
        What::Message(message) => Some(format!("{}: {}", message.from.name, message.text.expose())),
        _ => None,
    };
    us.events.iter().filter_map(text).collect()
}

fn delivered(us: &Lone) -> Vec<(u64, u64)> {
    let numbers = |what: &What| match what {
        What::Delivered { first, last, .. } => Some((*first, *last)),
        _ => None,
    };
    us.events.iter().filter_map(numbers).collect()
}

/// The stream that a caller is sent, from what it heard.
fn stream(run: &[u8]) -> (u64, Vec<u64>) {
    let (mut rest, mut epoch, mut numbers) = (run, 0, Vec::new());
    while !rest.is_empty() {
        match Message::take(&mut rest).expect("ours is well formed") {
            Message::Hello { epoch: of, .. } | Message::Stream { epoch: of, .. } => epoch = of,
            Message::Chat { seq, .. } => numbers.push(seq),
            _ => {}
        }
    }
    (epoch, numbers)
}

#[test]
fn no_false_word_makes_a_message_delivered() {
    let mut us = Lone::new(Dialect::Native);
    let (eve_link, mut eve) = call(&mut us, "10.0.0.8:4000", 8, |eve| eve.hello("eve"));
    let (bob_link, mut bob) = call(&mut us, "10.0.0.9:4000", 9, |bob| bob.hello("bob"));
    for number in 1..=3 {
        assert!(matches!(us.call(send("bob", &number.to_string())), Ok(Reply::Queued { .. })));
    }
    talk(&mut us, bob_link, &mut bob);
    let (epoch, numbers) = stream(&bob.heard());
    assert_eq!(numbers, [1, 2, 3]);
    for n in 0..30 {
        // Of another's messages, of none that there is, of another stream, of what was never sent.
        let (of, seq) = [(epoch, 3), (epoch, n + 1), (epoch ^ 1, 1), (0, u64::MAX)]
            [usize::try_from(n % 4).expect("small")];
        eve.say(&Message::Ack { epoch: of, seq });
    }
    talk(&mut us, eve_link, &mut eve);
    for (of, seq) in [(epoch, 0), (epoch, 4), (epoch, u64::MAX), (epoch + 1, 1), (epoch - 1, 3), (0, 2)] {
        bob.say(&Message::Ack { epoch: of, seq });
    }
    talk(&mut us, bob_link, &mut bob);
    assert_eq!(delivered(&us), [], "nobody has them");
    bob.say(&Message::Ack { epoch, seq: 2 });
    bob.say(&Message::Ack { epoch, seq: 1 });
    bob.say(&Message::Ack { epoch, seq: 2 });
    talk(&mut us, bob_link, &mut bob);
    assert_eq!(delivered(&us), [(1, 2)], "once, and never back");
    let Ok(Reply::Peers(rows)) = us.call(Command::Peers { known: true }) else { panic!("rows") };
    let waiting: Vec<_> = rows.iter().map(|row| (row.who.name.as_str(), row.queued)).collect();
    assert!(waiting.contains(&("bob", 1)) && waiting.contains(&("eve", 0)), "{waiting:?}");
}

fn status(us: &mut Lone) -> Status {
    let Ok(Reply::Status(status)) = us.call(Command::Status) else { panic!("it has counters") };
    *status
}

fn acks(epoch: u64, seqs: &[u64]) -> Vec<Message<'static>> {
    seqs.iter().map(|&seq| Message::Ack { epoch, seq }).collect()
}

/// A few at a time, each time after a word of its own: receipts alone would end the link.
fn lie(us: &mut Lone, link: LinkId, caller: &mut Caller, said: &mut u64, acks: Vec<Message<'_>>) {
    for some in acks.chunks(30) {
        *said += 1;
        caller.chat(*said, "me too");
        some.iter().for_each(|ack| caller.say(ack));
        talk(us, link, caller);
    }
    assert!(!us.closed.contains(&link), "it goes on");
}

#[test]
fn ten_thousand_false_receipts_are_counted_and_deliver_nothing() {
    let mut us = Lone::new(Dialect::Native);
    let (eve_link, mut eve) = call(&mut us, "10.0.0.8:4000", 8, |eve| eve.hello("eve"));
    let (mut bob_link, mut bob) = call(&mut us, "10.0.0.9:4000", 9, |bob| bob.hello("bob"));
    let (before, _) = stream(&bob.heard());
    let mut said = [0; 2];
    let all: Vec<_> = (1..=1_500).collect();
    // Before there is anything to be had, and of another's stream.
    lie(&mut us, bob_link, &mut bob, &mut said[0], acks(before, &all));
    assert_eq!(status(&mut us).false_receipts, 1_500);
    // More than may be under way, so that the last ones were never sent.
    for _ in 0..WINDOW_MESSAGES + 100 {
        assert!(us.call(send("bob", "x")).is_ok());
    }
    us.events.clear();
    // It was set back and says so, so what waits goes by a later stream.
    us.end(bob_link, hobnob::why::Why::Eof);
    (bob_link, bob) = call(&mut us, "10.0.0.9:4001", 9, |bob| {
        let have = Some(Have { epoch: before, saved: 9_999, last: 9_999, id: [7; 16] });
        bob.say(&Message::Hello { name: "bob", port: 0, passing: true, epoch: 2, base: 1, have, life: 0 });
    });
    us.pass(std::time::Duration::from_secs(1));
    talk(&mut us, bob_link, &mut bob);
    let (now, numbers) = stream(&bob.heard());
    assert!(now > before && numbers.len() <= WINDOW_MESSAGES && !numbers.is_empty());
    said[0] = 0;
    lie(&mut us, bob_link, &mut bob, &mut said[0], acks(before, &all));
    let unsent: Vec<_> = (0..1_400).map(|n| WINDOW_MESSAGES as u64 + 1 + n).collect();
    lie(&mut us, bob_link, &mut bob, &mut said[0], acks(now, &unsent));
    let far: Vec<_> = (0..600).map(|n| u64::MAX - n).chain((0..600).map(|n| SEQ_MAX - 300 + n)).collect();
    lie(&mut us, bob_link, &mut bob, &mut said[0], acks(now, &far));
    lie(&mut us, bob_link, &mut bob, &mut said[0], acks(now + 1, &all));
    lie(&mut us, eve_link, &mut eve, &mut said[1], acks(now, &all));
    lie(&mut us, eve_link, &mut eve, &mut said[1], acks(before, &all));
    let status = status(&mut us);
    assert!(status.false_receipts >= 10_000, "{}", status.false_receipts);
    assert_eq!((delivered(&us), status.delivered, status.queued), (vec![], 0, WINDOW_MESSAGES + 100));
}

#[test]
fn a_receipt_before_its_message_is_none() {
    let mut us = Lone::new(Dialect::Native);
    for (number, have) in (20..).zip([u64::MAX, 1, SEQ_MAX]) {
        // As if it had our stream already, by a name that it made up.
        let (link, mut liar) = call(&mut us, &format!("10.0.1.{number}:4000"), number, |liar| {
            let have = Some(Have { epoch: 1, saved: have, last: have, id: [7; 16] });
            let name = &format!("liar{number}");
            liar.say(&Message::Hello { name, port: 0, passing: false, epoch: 1, base: 1, have, life: 0 });
        });
        assert!(us.call(send(&format!("liar{number}"), "x")).is_ok());
        talk(&mut us, link, &mut liar);
        assert_eq!(delivered(&us), []);
    }
}

#[test]
fn one_name_for_two_messages_hides_neither_and_a_repeat_is_not_shown() {
    let mut us = Lone::new(Dialect::Native);
    let say = |caller: &mut Caller, seq, text| {
        caller.say(&Message::Chat { seq, id: [5; 16], auto: false, text });
    };
    let (bob_link, mut bob) = call(&mut us, "10.0.0.9:4000", 9, |bob| bob.hello("bob"));
    say(&mut bob, 1, "mine");
    talk(&mut us, bob_link, &mut bob);
    // Another sender may use that name: names are of one sender.
    let (eve_link, mut eve) = call(&mut us, "10.0.0.8:4000", 8, |eve| eve.hello("eve"));
    say(&mut eve, 1, "hers");
    talk(&mut us, eve_link, &mut eve);
    assert_eq!(heard(&us), ["bob: mine", "eve: hers"]);
    // The number again, as it was and with another text: the first is kept.
    say(&mut bob, 1, "mine");
    say(&mut bob, 1, "not what I said");
    talk(&mut us, bob_link, &mut bob);
    assert_eq!(heard(&us).len(), 2);
    bob.say(&Message::Chat { seq: 1, id: [6; 16], auto: false, text: "nor by another name" });
    talk(&mut us, bob_link, &mut bob);
    assert_eq!((heard(&us).len(), status(&mut us).conflicts, status(&mut us).repeated), (2, 1, 2));
    assert!(!us.closed.contains(&bob_link));
    // A hole is what TCP cannot do to an honest peer.
    say(&mut bob, 3, "after a hole");
    talk(&mut us, bob_link, &mut bob);
    assert!(us.closed.contains(&bob_link) && heard(&us).len() == 2);
}

#[test]
fn numbers_at_every_edge_are_survived() {
    let edges = [
        0,
        1,
        2,
        127,
        128,
        u64::from(u32::MAX),
        1 << 53,
        SEQ_MAX - 1,
        SEQ_MAX,
        SEQ_MAX + 1,
        1 << 63,
        u64::MAX,
    ];
    let mut number = 100;
    for base in edges {
        for seq in edges {
            number += 1;
            let mut us = Lone::new(Dialect::Native);
            let (link, mut liar) = call(&mut us, "10.0.0.9:4000", number, |liar| {
                let have = Some(Have { epoch: seq, saved: base, last: seq, id: [0; 16] });
                liar.say(&Message::Hello {
                    name: "liar",
                    port: 1,
                    passing: false,
                    epoch: base,
                    base,
                    have,
                    life: 0,
                });
            });
            assert!(us.closed.contains(&link) || base <= SEQ_MAX, "begins at {base}");
            for seq in [seq, seq.wrapping_add(1), seq] {
                liar.say(&Message::Chat { seq, id: [0; 16], auto: false, text: "x" });
            }
            liar.say(&Message::Ack { epoch: base, seq });
            liar.say(&Message::Stream { epoch: seq, base: seq });
            talk(&mut us, link, &mut liar);
            let _ = us.call(send("liar", "x"));
            talk(&mut us, link, &mut liar);
            assert!(heard(&us).len() <= 2 && delivered(&us).is_empty(), "{base}, {seq}");
        }
    }
}

/// A stranger's number, kept on the disk, must not be one that the next start does not believe.
#[test]
fn no_stranger_can_make_us_refuse_our_own_store() {
    let folder = home().display().to_string();
    for (number, seq) in (1..).zip([SEQ_MAX, SEQ_MAX + 1, 1 << 63, u64::MAX]) {
        let mut alice = Peer::start("alice", &["--data", &folder]);
        let mut stream = TcpStream::connect(alice.addr).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let (mut caller, mut bytes) = (Caller::new(number), [0; 4_096]);
        while !caller.is_open() {
            stream.write_all(&caller.take()).expect("it reads");
            let count = stream.read(&mut bytes).expect("it answers");
            assert!(caller.hear(&bytes[..count]));
        }
        let name = &format!("liar{number}");
        caller.say(&Message::Hello {
            name,
            port: 0,
            passing: false,
            epoch: u64::MAX,
            base: seq,
            have: None,
            life: 0,
        });
        caller.say(&Message::Chat { seq, id: [1; 16], auto: false, text: "from afar" });
        caller.say(&Message::Bye { reason: hobnob::wire::message::Bye::Leaving });
        stream.write_all(&caller.take()).expect("it reads");
        while !matches!(stream.read(&mut bytes), Ok(0) | Err(_)) {}
        alice.say("me");
        alice.expect("* you are alice");
        let heard = alice.quit().iter().any(|line| line.contains("from afar"));
        assert_eq!(heard, seq <= SEQ_MAX, "{seq}");
    }
    Peer::start("alice", &["--data", &folder]).quit();
}

#[test]
fn what_a_former_life_left_under_way_is_not_heard_once_the_next_has_spoken() {
    let mut us = Lone::new(Dialect::Native);
    let hello = |bob: &mut Caller, life| {
        bob.say(&Message::Hello {
            name: "bob",
            port: 0,
            passing: false,
            epoch: 1,
            base: 1,
            have: None,
            life,
        });
    };
    let chat =
        |bob: &mut Caller, id, text| bob.say(&Message::Chat { seq: 1, id: [id; 16], auto: false, text });
    let (former_link, mut former) = call(&mut us, "10.0.0.9:4000", 9, |bob| hello(bob, 1));
    // His machine was set back to before he wrote that, and starts again while it is on its way.
    let (link, mut bob) = call(&mut us, "10.0.0.9:4001", 9, |bob| hello(bob, 2));
    chat(&mut former, 1, "forgotten");
    talk(&mut us, former_link, &mut former);
    chat(&mut bob, 2, "what he knows of");
    talk(&mut us, link, &mut bob);
    assert_eq!(heard(&us), ["bob: what he knows of"]);
    // Was the later hello of the former life only late, what is left has to say all of it again.
    chat(&mut bob, 3, "x");
    us.end(link, hobnob::why::Why::Eof);
    assert!(us.closed.contains(&former_link), "it was not heard, and does not know");
}

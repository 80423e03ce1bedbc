//! Who is let in and how fast, in a whole node: every refusal names its limit, nobody honest pays for
//! others, and whoever says too much waits and loses nothing.

use std::time::Duration;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::{LinkId, Name};
use hobnob::limits::WAITING_CROWD;
use hobnob::limits::doors::{CHEAP_MAX, DOORS, HELD_PAUSE, PINGS_IN_A_ROW};
use hobnob::node::io::Config;
use hobnob::rng::Seed;
use hobnob::sim::Sim;
use hobnob::text::Body;
use hobnob::why::{Limit, Why};
use hobnob::wire::message::Message;
use hobnob::world::{Network, PeerNo, World};

use crate::caller::Caller;
use crate::lone::{Lone, talk};

const SEC: Duration = Duration::from_secs(1);

/// Somebody dials us and shakes hands, as far as it is let.
fn call(us: &mut Lone, from: &str, number: u64) -> (LinkId, Caller) {
    let mut caller = Caller::new(number);
    let link = us.accept(from);
    for _ in 0..3 {
        talk(us, link, &mut caller);
    }
    (link, caller)
}

fn greeted(us: &mut Lone, from: &str, number: u64) -> (LinkId, Caller) {
    let (link, mut caller) = call(us, from, number);
    caller.hello(&format!("caller{number}"));
    talk(us, link, &mut caller);
    (link, caller)
}

fn refusals(us: &Lone) -> Vec<Why> {
    let why = |what: &What| match what {
        What::Dropped { why, .. } => Some(*why),
        _ => None,
    };
    us.events.iter().filter_map(why).collect()
}

fn heard(us: &Lone) -> usize {
    us.events.iter().filter(|what| matches!(what, What::Message(_))).count()
}

fn dropped(us: &mut Lone) -> u64 {
    let Ok(Reply::Status(status)) = us.call(Command::Status) else { panic!("it has counters") };
    status.dropped
}

#[test]
fn one_source_has_eight_links_and_is_told_of_once() {
    let mut us = Lone::new(Dialect::Native);
    for number in 0..12 {
        let (link, caller) = call(&mut us, "10.0.0.9:4000", number);
        assert_eq!(us.closed.contains(&link), number >= 8, "number {number}");
        assert!(number >= 8 || caller.is_open());
        us.pass(SEC);
    }
    assert_eq!(refusals(&us), [Why::Limit(Limit::SourceLinks)], "four in four seconds, one report");
    assert_eq!(dropped(&mut us), 4);
    let (link, _) = call(&mut us, "10.0.0.8:4000", 20);
    assert!(!us.closed.contains(&link), "another source is let in");
    assert_eq!(
        Why::Limit(Limit::SourceLinks).to_string(),
        "over the limit \"links, a source\" (see `limits`)"
    );
}

#[test]
fn nothing_is_calculated_for_a_handshake_too_many() {
    let mut us = Lone::new(Dialect::Native);
    for number in 0..10 {
        let (link, _) = call(&mut us, "10.0.0.9:4000", number);
        us.end(link, Why::Eof);
    }
    let link = us.accept("10.0.0.9:4000");
    us.hear(link, &Caller::new(11).take());
    assert!(us.closed.contains(&link));
    assert_eq!(us.flush_bytes(link), b"", "not even our preamble");
    assert_eq!(refusals(&us), [Why::Limit(Limit::SourceHandshakeRate)]);
}

#[test]
fn a_key_that_comes_and_goes_is_slowed_down_wherever_it_comes_from() {
    let mut us = Lone::new(Dialect::Native);
    let mut in_time = 0;
    for attempt in 0..1_000 {
        let (link, _) = call(&mut us, &format!("10.{}.{}.1:4000", attempt / 250, attempt % 250), 1);
        in_time += usize::from(!us.closed.contains(&link));
        us.end(link, Why::Eof);
        us.pass(SEC / 2);
    }
    // A burst of six, and six in each of the eight minutes and a third that it took.
    assert!((55..=56).contains(&in_time), "{in_time}");
    assert!(refusals(&us).contains(&Why::Limit(Limit::KeyHandshakeRate)));
}

#[test]
fn whoever_breaks_the_protocol_again_and_again_is_kept_out_for_a_while() {
    let mut us = Lone::new(Dialect::Native);
    for _ in 0..3 {
        let link = us.accept("10.0.0.9:4000");
        us.hear(link, b"\x16\x03\x01\x02");
    }
    let link = us.accept("10.0.0.9:4000");
    assert!(us.closed.contains(&link));
    us.pass(SEC * 16);
    let (link, _) = call(&mut us, "10.0.0.9:4000", 1);
    assert!(!us.closed.contains(&link));
    // Connecting and leaving, as some plain programs do to see who is there, is no offence.
    for _ in 0..1_000 {
        let link = us.accept("10.0.0.7:4000");
        assert!(!us.closed.contains(&link));
        us.end(link, Why::Eof);
        us.pass(SEC);
    }
}

#[test]
fn junk_on_an_open_link_is_not_held_against_the_peer() {
    let mut us = Lone::new(Dialect::Native);
    for number in 0..5 {
        let (link, _) = greeted(&mut us, "10.0.0.9:4000", number);
        us.hear(link, &[0, 30, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
        us.hear(link, &[0; 10]);
        assert!(us.closed.contains(&link));
    }
    let link = us.accept("10.0.0.9:4000");
    assert!(!us.closed.contains(&link), "anybody on the way could have put it there");
}

#[test]
fn plain_connections_are_bounded_by_source() {
    let mut us = Lone::new(Dialect::Native);
    for number in 0..5 {
        let link = us.accept("10.0.0.9:4000");
        us.hear(link, b"10.0.0.9:7202 Theirs hi");
        assert_eq!(us.closed.contains(&link), number >= DOORS.source.plain);
    }
    assert_eq!(refusals(&us), [Why::Limit(Limit::SourcePlain)]);
}

#[test]
fn ten_thousand_silent_streams_of_many_sources_keep_nobody_out() {
    let mut us = Lone::new(Dialect::Native);
    let mut open = Vec::new();
    for n in 0..10_000_u32 {
        open.push(us.accept(&format!("10.{}.{}.{}:4000", 1 + n / 62_500, n / 250 % 250, n % 250)));
        us.pass(Duration::from_millis(1));
    }
    let still = open.iter().filter(|link| !us.closed.contains(link)).count();
    assert!(still <= DOORS.strangers, "{still}");
    let (link, caller) = greeted(&mut us, "10.1.0.1:4000", 1);
    assert!(caller.is_open() && !us.closed.contains(&link));
    us.pass(SEC * 4);
    let still = open.iter().filter(|link| !us.closed.contains(link)).count();
    assert!(still <= WAITING_CROWD, "in a crowd three seconds are enough: {still}");
    us.pass(SEC * 30);
    assert!(open.iter().all(|link| us.closed.contains(link)), "nobody waits for ever");
    assert!(!us.closed.contains(&link));
}

#[test]
fn dribblers_of_many_sources_keep_nobody_out() {
    let mut us = Lone::new(Dialect::Native);
    let mut dribblers = Vec::new();
    for n in 0..640 {
        let link = us.accept(&format!("10.1.{}.{}:4000", n / 250, n % 250));
        us.hear(link, b"\x7f");
        dribblers.push(link);
        us.pass(Duration::from_millis(20));
    }
    let still = dribblers.iter().filter(|link| !us.closed.contains(link)).count();
    assert!((1..=DOORS.handshakes.1).contains(&still), "{still}");
    let (link, caller) = greeted(&mut us, "192.168.0.1:4000", 1);
    assert!(caller.is_open() && !us.closed.contains(&link));
}

#[test]
fn a_stranger_says_two_thousand_at_once_and_then_two_hundred_a_second() {
    let mut us = Lone::new(Dialect::Native);
    let (link, mut caller) = greeted(&mut us, "10.0.0.9:4000", 1);
    let mut seq = 0;
    let mut held_up = 0;
    for tick in 0..600_u32 {
        // Ten thousand a second, as far as we read.
        if us.paused.last().is_none_or(|(_, until)| *until <= us.now().mono) {
            for _ in 0..1_000 {
                seq += 1;
                caller.chat(seq, "x");
            }
            us.hear(link, &caller.take());
        } else {
            held_up += 1;
        }
        us.flush_bytes(link);
        us.pass(SEC / 10);
        let most = 2_000 + 20 * (tick as usize + 1) + 1;
        assert!(heard(&us) <= most, "{} heard, {most} allowed", heard(&us));
    }
    assert!(held_up > 400, "{held_up}");
    let most = 2_000 + 200 * 60;
    assert!(heard(&us) >= most - 200, "{} of {most}", heard(&us));
    // It says no more, and all of it comes in its time.
    for _ in 0..10 {
        us.flush_bytes(link);
        us.pass(SEC);
    }
    assert_eq!(heard(&us) as u64, seq);
    assert!(!us.closed.contains(&link), "its link stays");
}

#[test]
fn a_message_that_waits_keeps_its_place_before_a_goodbye() {
    let mut us = Lone::new(Dialect::Native);
    let (link, mut caller) = greeted(&mut us, "10.0.0.9:4000", 1);
    (1..=2_005).for_each(|seq| caller.chat(seq, "x"));
    caller.say(&Message::Bye { reason: hobnob::wire::message::Bye::Leaving });
    us.hear(link, &caller.take());
    assert_eq!((heard(&us), us.closed.contains(&link)), (2_000, false));
    us.pass(HELD_PAUSE);
    assert_eq!((heard(&us), us.closed.contains(&link)), (2_005, true));
}

#[test]
fn messages_that_carry_nothing_end_a_link() {
    type Say = fn(&mut Caller);
    let kinds: [(Say, u32); 3] = [
        (|caller| caller.say(&Message::Ack { epoch: 9, seq: 9 }), CHEAP_MAX),
        (|caller| caller.say(&Message::Pong { nonce: 9 }), CHEAP_MAX),
        (|caller| caller.say(&Message::Ping { nonce: 9 }), PINGS_IN_A_ROW),
    ];
    for (number, (say, most)) in (1..).zip(kinds) {
        let mut us = Lone::new(Dialect::Native);
        let (link, mut caller) = greeted(&mut us, "10.0.0.9:4000", number);
        caller.heard();
        // The hello was one of them.
        (1..most).for_each(|_| say(&mut caller));
        us.hear(link, &caller.take());
        assert!(!us.closed.contains(&link), "{most} are allowed");
        us.pass(SEC);
        (0..1_000_000).for_each(|_| say(&mut caller));
        us.hear(link, &caller.take());
        assert!(us.closed.contains(&link));
        let said = us.flush_bytes(link);
        assert!(said.len() <= 2 * PINGS_IN_A_ROW as usize * 40, "{} bytes in answer", said.len());
    }
}

/// Two peers at addresses of a local network, with doors.
fn pair() -> Sim {
    let mut sim = Sim::new(Seed::from_number(1));
    for name in ["alice", "bob"] {
        let config = Config::new(Name::new(name).expect("a good name"));
        assert_eq!(config.doors, Some(DOORS), "doors are the default");
        sim.cast_as(config).expect("room");
    }
    sim
}

fn connect(sim: &mut Sim) -> Result<Reply, String> {
    let to = PeerRef::At(sim.address(PeerNo(0)).expect("known").into());
    let command = Command::Connect { to, dialect: None };
    let mut bob = sim.session(PeerNo(1)).expect("known");
    bob.call(command, SEC * 10).map_err(|error| error.to_string())
}

#[test]
fn what_a_stranger_sends_all_arrives_once_in_order_only_later() {
    let mut sim = pair();
    connect(&mut sim).expect("it connects");
    let to = PeerRef::Word("alice".into());
    for number in 0..6_000_u64 {
        let text = Body::new(&number.to_string()).expect("a body");
        let command = Command::Send { to: to.clone(), text, auto: false };
        sim.session(PeerNo(1)).expect("known").call(command, SEC).expect("queued");
    }
    let mut said = Vec::new();
    let mut take = |sim: &mut Sim| {
        let mut alice = sim.session(PeerNo(0)).expect("known");
        while let Some(event) = alice.take_event() {
            match event.what {
                What::Message(message) => said.push(message.text.expose().to_owned()),
                What::Lost { why, .. } => panic!("lost: {why}"),
                _ => {}
            }
        }
        said.len()
    };
    let before = sim.now().mono;
    for _ in 0..30 {
        let most = 2_000 + 200 * sim.now().mono.since(before).as_secs() + 200;
        assert!(take(&mut sim) as u64 <= most);
        sim.pass(SEC);
    }
    assert_eq!(take(&mut sim), 6_000);
    assert!(said.iter().enumerate().all(|(number, text)| *text == number.to_string()));
}

#[test]
fn clocks_that_jump_change_no_limit_and_lose_nothing() {
    let mut sim = pair();
    connect(&mut sim).expect("it connects");
    for jump in [86_400_000_000_i64, -86_400_000_000, 315_360_000_000_000, -315_360_000_000_000, 0] {
        for who in [PeerNo(0), PeerNo(1)] {
            sim.apply(&Network::Skew(who, jump)).expect("possible");
        }
        let text = Body::new(&format!("at {jump}")).expect("a body");
        let command = Command::Send { to: PeerRef::Word("alice".into()), text, auto: false };
        sim.session(PeerNo(1)).expect("known").call(command, SEC).expect("queued");
        sim.pass(SEC * 30);
    }
    let mut texts = Vec::new();
    let mut alice = sim.session(PeerNo(0)).expect("known");
    while let Some(event) = alice.take_event() {
        match event.what {
            What::Message(message) => texts.push(message.text.expose().to_owned()),
            What::Lost { .. } | What::Dropped { .. } => panic!("{:?}", event.what),
            _ => {}
        }
    }
    assert_eq!(texts.len(), 5, "{texts:?}");
}

#[test]
fn a_peer_whose_cable_is_pulled_is_lost_within_a_minute() {
    let mut sim = pair();
    connect(&mut sim).expect("it connects");
    sim.apply(&Network::HalfOpen(PeerNo(0), PeerNo(1))).expect("possible");
    let before = sim.now().mono;
    let lost = loop {
        assert!(sim.now().mono.since(before) < SEC * 70, "not noticed");
        sim.pass(SEC);
        let mut alice = sim.session(PeerNo(0)).expect("known");
        if let Some(What::Lost { why, .. }) = std::iter::from_fn(|| alice.take_event()).last().map(|e| e.what)
        {
            break why;
        }
    };
    assert_eq!(lost, Why::Silent);
    assert!(sim.now().mono.since(before) <= SEC * 61, "{:?}", sim.now().mono.since(before));
}

//! What plain programs claim makes us do nothing: not dial, not relay, not part from anybody, and what we
//! write to one goes to where its connection came from, whatever host it named.

use std::time::Duration;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::text::Body;

use crate::lone::{Lone, connect, send_at};

const SEC: Duration = Duration::from_secs(1);

fn text() -> Body {
    Body::new("who are you?").expect("a body")
}

/// Somebody at `from` says that on a connection of its own; gives what it is answered.
fn tell(us: &mut Lone, from: &str, said: &str) -> String {
    let link = us.accept(from);
    us.hear(link, said.as_bytes());
    us.pass(SEC);
    let answer = us.flush(link);
    us.end(link, hobnob::why::Why::Eof);
    answer
}

#[test]
fn no_claim_is_ever_dialled_by_itself() {
    let claims = [
        "169.254.169.254:80",
        "127.0.0.1:22",
        "127.0.0.1:5000",
        "10.0.0.254:25",
        "192.168.0.1:80",
        "0.0.0.0:1",
        "255.255.255.255:5000",
        "224.0.0.251:5353",
        "[::1]:5000",
        "[fe80::1]:5000",
        "[ff02::1]:1",
        "localhost:631",
        "metadata.internal:80",
        "10.0.0.1:5000",
        "10.0.0.3:65535",
    ];
    for claim in claims {
        let mut us = Lone::new(Dialect::Native);
        for said in ["hello", "connect", "CONNECT_REQUEST", "PING", "PEERS", "exit", "hello again"] {
            tell(&mut us, "10.0.0.2:40000", &format!("{claim} Team {said}"));
            us.pass(SEC * 10);
        }
        us.pass(SEC * 600);
        assert_eq!(us.dials, [], "{claim}");
        // Who answers all the same writes to the address that it really came from, unless services
        // listen at the port that it names.
        let port: u16 = claim.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let reply = us.call_or_dial(Command::Reply { text: text() });
        // Our own address, which some programs send by mistake, and a host by its name, are no claims.
        let named = !["10.0.0.1:5000", "metadata.internal:80"].contains(&claim);
        assert_eq!(reply.is_ok(), named && port >= 1_024, "{claim}: {reply:?}");
        let dialled: Vec<_> = us.dials.iter().map(|(_, to)| to.to_string()).collect();
        assert_eq!(dialled, reply.map_or(vec![], |_| vec![format!("10.0.0.2:{port}")]), "{claim}");
    }
}

/// Where somebody speaks from, what it says of itself, and what is wrong with that.
const CLAIMS: [(&str, &str, Option<&str>); 13] = [
    ("10.0.0.2", "10.0.0.2:7202", None),
    ("10.0.0.2", "10.0.0.2:1024", None),
    ("127.0.0.1", "127.0.1.1:7202", None),
    ("10.0.0.2", "10.0.0.2:1023", Some("below 1024")),
    ("10.0.0.2", "10.0.0.2:25", Some("below 1024")),
    ("127.0.0.1", "127.0.0.1:22", Some("below 1024")),
    ("169.254.169.254", "169.254.169.254:80", Some("link-local")),
    ("169.254.7.7", "169.254.7.7:7202", Some("link-local")),
    ("10.0.0.2", "10.0.0.254:7202", Some("another machine")),
    ("10.0.0.2", "169.254.169.254:7202", Some("another machine")),
    ("10.0.0.2", "255.255.255.255:7202", Some("another machine")),
    ("10.0.0.2", "224.0.0.251:7202", Some("another machine")),
    ("10.0.0.2", "0.0.0.0:7202", Some("another machine")),
];

#[test]
fn a_name_alone_leads_nowhere_that_only_a_claim_says() {
    for (from, claim, wrong) in CLAIMS {
        let port = claim.rsplit(':').next().expect("a port");
        let place = format!("{from}:{port}");
        let is_elsewhere = wrong == Some("another machine");
        let named = PeerRef::Word("Team".into());
        let by_name = Command::Connect { to: named.clone(), dialect: None };
        let mut us = Lone::new(Dialect::Native);
        tell(&mut us, &format!("{from}:40000"), &format!("{claim} Team hello"));
        for dialect in [None, Some(Dialect::Plain)] {
            let refused = us.call_or_dial(Command::Connect { to: named.clone(), dialect });
            let said = refused.map(|_| String::new()).map_err(|error| error.to_string());
            match wrong {
                None => assert!(said.is_ok(), "{claim}: {said:?}"),
                Some(wrong) => {
                    let said = said.expect_err(claim);
                    let remedy = format!("if you mean {place} all the same: connect --classic {place}");
                    assert!(said.contains(wrong) && said.ends_with(&remedy), "{claim}: {said}");
                }
            }
        }
        // What is written to a name goes to where it spoke from, if no service listens there.
        let sent = us.call_or_dial(Command::Send { to: named.clone(), text: text(), auto: false });
        assert_eq!(sent.is_ok(), wrong.is_none() || is_elsewhere, "{claim}: {sent:?}");
        let all = us.call_or_dial(Command::Broadcast { text: text(), auto: false });
        assert!(all.is_ok(), "{all:?}");
        assert!(us.dials.iter().all(|(_, to)| sent.is_ok() && to.to_string() == place), "{:?}", us.dials);

        let mut us = Lone::new(Dialect::Native);
        tell(&mut us, &format!("{from}:40000"), &format!("{claim} Team hello"));
        tell(&mut us, &format!("{from}:40000"), &format!("{claim} Team exit"));
        let all = us.call_or_dial(Command::ConnectKnown);
        match wrong {
            None => assert_eq!(us.dials.len(), 1, "{claim}"),
            Some(_) => {
                let Ok(Some(Reply::ConnectedKnown { connected, failed })) = all else { panic!("{all:?}") };
                assert_eq!((connected.len(), failed.len(), us.dials.len()), (0, 1, 0), "{claim}");
                assert_eq!(failed[0].1, hobnob::why::Why::OnlyClaimed);
                // Whoever types the address means it, and its name from then on.
                us.give([connect(&place, Some(Dialect::Plain))]);
                assert_eq!(us.dials.len(), 1, "{claim}");
                let link = us.open();
                us.end(link, hobnob::why::Why::Refused);
                us.dials.clear();
                us.give([by_name]);
                assert_eq!(us.dials.len(), 1, "{claim}: by name");
            }
        }
    }
}

#[test]
fn an_address_that_is_given_in_full_is_meant() {
    for (from, claim, _) in CLAIMS {
        let place = format!("{from}:{}", claim.rsplit(':').next().expect("a port"));
        let mut us = Lone::new(Dialect::Native);
        tell(&mut us, &format!("{from}:40000"), &format!("{claim} Team hello"));
        us.give([send_at(&place, "who are you?")]);
        assert_eq!(us.dials.len(), 1, "{claim}");
        assert_eq!(us.dials[0].1.to_string(), place);
    }
}

#[test]
fn nobody_says_goodbye_to_a_service_that_a_claim_names() {
    for (from, claim, wrong) in CLAIMS {
        let mut us = Lone::new(Dialect::Native);
        tell(&mut us, &format!("{from}:40000"), &format!("{claim} Team hello"));
        us.give([Command::Quit]);
        us.pass(SEC);
        let told = wrong.is_none_or(|wrong| wrong == "another machine");
        assert_eq!(us.dials.len(), usize::from(told), "{claim}: {:?}", us.dials);
    }
}

#[test]
fn what_one_program_says_goes_to_no_other_and_a_repeated_exit_is_one() {
    let mut us = Lone::new(Dialect::Native);
    for (from, port, name) in
        [("10.0.0.2", 7202, "One"), ("10.0.0.3", 7203, "Two"), ("10.0.0.4", 7204, "Three")]
    {
        tell(&mut us, &format!("{from}:40000"), &format!("{from}:{port} {name} hello"));
    }
    us.events.clear();
    // Two that forward whatever they are told, with the address of whom it was from, for ever.
    for turn in 0..200_u64 {
        let from = if turn % 2 == 0 { "10.0.0.3" } else { "10.0.0.4" };
        let answer = tell(&mut us, &format!("{from}:40000"), "10.0.0.2:7202 One exit");
        // Whoever waits is told that it was heard, there and nowhere else.
        assert!(answer.len() < 60, "{answer}");
    }
    us.pass(SEC * 60);
    assert_eq!(us.dials, [], "nothing is relayed");
    let left: Vec<_> = us.events.iter().filter(|what| matches!(what, What::Left { .. })).collect();
    assert!(left.is_empty(), "the one that was named did not say so itself: {left:?}");
    assert!(us.events.len() <= 2, "and it fills no screen: {:?}", us.events);
    for _ in 0..50 {
        tell(&mut us, "10.0.0.2:40000", "10.0.0.2:7202 One exit");
    }
    let left = us.events.iter().filter(|what| matches!(what, What::Left { .. })).count();
    assert_eq!((left, us.dials.len()), (1, 0));
    let row = us.call(Command::Whois { peer: PeerRef::Word("Two".into()) });
    assert!(row.is_ok(), "the others are as they were: {row:?}");
}

#[test]
fn an_answer_goes_to_whoever_asked_and_to_nobody_else() {
    let mut us = Lone::new(Dialect::Native);
    let programs = ["10.0.0.2", "10.0.0.3", "10.0.0.4"];
    let links = programs.map(|from| {
        let link = us.accept(&format!("{from}:40000"));
        us.hear(link, format!("{from}:7202 Team hello").as_bytes());
        us.pass(SEC);
        us.flush(link);
        link
    });
    us.events.clear();
    for forwarder in [1, 2] {
        us.hear(links[forwarder], b"10.0.0.2:7202 Team exit");
        us.pass(SEC * 5);
        let answered: Vec<_> = us.written.keys().copied().collect();
        assert_eq!(answered, [links[forwarder]], "it alone waits");
        let answer = us.flush(links[forwarder]);
        assert!(answer.lines().count() == 1 && answer.len() < 60, "{answer:?}");
        us.pass(SEC * 20);
        assert!(us.written.is_empty(), "once");
    }
    assert_eq!(us.dials, [], "and nothing is opened for it");
    assert_eq!(us.events, [], "the one that was named did not say so itself");
}

/// How many lines the events would be.
fn shown(us: &mut Lone) -> usize {
    let is_shown = |what: &&What| matches!(what, What::Left { .. } | What::Message(_));
    let count = us.events.iter().filter(is_shown).count();
    us.events.clear();
    count
}

#[test]
fn the_same_goodbye_is_shown_once_a_minute() {
    // As itself, as us, as nobody, and in the dialects that keep a connection open.
    for said in ["10.0.0.3:7203 Two exit", "10.0.0.1:5000 us exit", "exit", "<10.0.0.3:7203> Two exit"] {
        let mut us = Lone::new(Dialect::Native);
        tell(&mut us, "10.0.0.3:40000", "10.0.0.3:7203 Two hello");
        shown(&mut us);
        for minute in 0..3 {
            for second in 0..55 {
                tell(&mut us, "10.0.0.3:40000", said);
                us.pass(SEC / 1_000 * second);
            }
            assert!(shown(&mut us) <= 1, "{said}, minute {minute}");
            us.pass(SEC * 60);
        }
        // Whoever came back and goes again is seen to.
        tell(&mut us, "10.0.0.3:40000", "10.0.0.3:7203 Two hello");
        shown(&mut us);
        tell(&mut us, "10.0.0.3:40000", "10.0.0.3:7203 Two exit");
        assert_eq!(shown(&mut us), 1, "{said}");
    }
}

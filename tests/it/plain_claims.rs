//! What plain programs claim makes us do nothing: not dial, not relay, not part from anybody, and what we
//! write to one goes to where its connection came from, whatever host it named.

use std::time::Duration;

use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::api::event::What;
use hobnob::text::Body;

use crate::lone::Lone;

const SEC: Duration = Duration::from_secs(1);

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
        // Who answers all the same writes to the address that it really came from.
        let text = Body::new("who are you?").expect("a body");
        us.give([Command::Reply { text }]);
        assert!(
            us.dials.iter().all(|(_, to)| to.to_string().starts_with("10.0.0.2:")),
            "{claim}: {:?}",
            us.dials
        );
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

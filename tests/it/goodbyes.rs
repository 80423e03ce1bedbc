//! What is said before a goodbye arrives, and what was heard before one is acknowledged: disconnecting
//! is polite, in both worlds.

use hobnob::play::WorldKind;
use hobnob::report::stable;

use crate::play::{play, script};

/// Plays this in both worlds; gives the transcript that they have in common.
fn both(text: &str) -> String {
    let source = script("t.rhai", text);
    let played = [WorldKind::Sim, WorldKind::Tcp].map(|world| {
        let outcome = play(&source, 1, world);
        let error = outcome.error.map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error, "", "{}", world.word());
        stable::write(&outcome.play)
    });
    assert_eq!(played[0], played[1]);
    played[0].clone()
}

#[test]
fn the_last_words_before_a_goodbye_arrive() {
    for delay in ["0.ms", "10.ms"] {
        both(&format!(
            "net(#{{ delay: {delay} }});
             cast([\"a\", \"b\"]); a.connect(b); settle();
             a.send(b, \"last words\"); a.disconnect(b); settle();
             b.expect(\"last words\"); b.expect_left(a);
             check(a.peers() == [] && b.peers() == [], \"both are alone\");
             wait(3.s);
             check(a.peers() == [] && b.peers() == [], \"and stay so\");"
        ));
    }
}

#[test]
fn what_was_heard_is_acknowledged_before_a_goodbye() {
    both(
        "net(#{ delay: 10.ms }); cast([\"a\", \"b\"]); a.connect(b);
         b.on(\"message\", |me, m| { me.send(m.from, \"bye\"); me.disconnect(m.from) });
         a.send(b, \"go\"); a.expect(\"bye\"); a.expect_left(b); settle(); wait(3.s);
         check(a.peers() == [], \"nobody comes back by itself\");",
    );
}

#[test]
fn a_goodbye_to_one_who_does_not_answer_is_said_in_time() {
    both(
        "cast([\"a\", \"b\"]); a.connect(b); settle();
         partition(a, b); a.send(b, \"unheard\"); a.disconnect(b);
         check(a.peers() == [], \"it did not wait for ever\");",
    );
}

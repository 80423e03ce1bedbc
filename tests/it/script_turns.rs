//! What a script sees of time and of its own verbs: in which order things come on the list, what is in
//! time, who is seen to die, and how a script ends itself.

use hobnob::api::exit::Exit;
use hobnob::play::{Ev, Moment, WorldKind};
use hobnob::script::Outcome;

use crate::play::{play, script};

fn sim(text: &str) -> Outcome {
    play(&script("t.rhai", text), 1, WorldKind::Sim)
}

/// It ends well; gives what it prints.
fn prints(text: &str) -> Vec<String> {
    let outcome = sim(text);
    assert_eq!(outcome.error.as_ref().map(ToString::to_string), None, "{text}");
    let notes = outcome.play.moments.iter().filter(|moment| moment.ev == Ev::Note && moment.peer.is_none());
    notes.filter_map(|note| note.text.as_ref()).map(|text| text.expose().to_string()).collect()
}

fn at(outcome: &Outcome, is_it: impl Fn(&Moment) -> bool) -> (usize, &Moment) {
    let found = outcome.play.moments.iter().enumerate().find(|(_, moment)| is_it(moment));
    found.expect("it is on the list")
}

#[test]
fn a_message_is_said_before_it_is_heard_whatever_handlers_wait_for() {
    let outcome = sim("cast([\"a\", \"b\", \"c\", \"d\"]); a.connect(b); c.connect(d); settle();
         a.on(\"lost\", |me, who| wait(1.s));
         cut(a, b);
         c.send(d, \"x\"); settle();
         a.connect(b); cut(a, b);
         c.broadcast(\"y\"); settle();");
    for words in ["x", "y"] {
        let about = |ev: Ev| {
            at(&outcome, |moment| {
                moment.ev == ev && moment.text.as_ref().is_some_and(|text| text.expose() == words)
            })
        };
        let ((said, queued), (heard, recv)) = (about(Ev::Queued), about(Ev::Recv));
        assert!(said < heard && queued.lam < recv.lam && queued.at < recv.at, "{queued:?} {recv:?}");
        assert_eq!(recv.cause, Some(said as u64));
    }
}

#[test]
fn who_dies_by_itself_is_seen_to() {
    let outcome = sim("cast([\"a\", \"b\"]); a.connect(b); settle();
         crash_after(b, 3); a.send(b, \"x\"); settle();
         check(b.state == \"crashed\", \"it is\");
         restart(b); check(b.state == \"up\", \"again\");");
    assert_eq!(outcome.error, None);
    let (crash, _) =
        at(&outcome, |moment| moment.ev == Ev::Crash && moment.peer.is_some_and(|b| b.as_str() == "b"));
    let (lost, _) = at(&outcome, |moment| moment.ev == Ev::Lost);
    assert!(crash < lost, "before others notice");
}

#[test]
fn nobody_waits_for_the_dead() {
    let said = prints(
        "cast([\"a\", \"b\"]); a.connect(b); settle(); let start = now();
         crash_after(a, 1);
         try { a.send(b, \"x\"); } catch (e) { print(e.message); }
         check(now() - start < 1.s, \"at once\");
         restart(a); crash_after(a, 1000); a.quit(); settle();
         check(a.state == \"left\", \"who says goodbye does not die\");",
    );
    assert_eq!(said, ["a is down; restart it first"]);
}

#[test]
fn what_comes_in_the_last_instant_is_in_time() {
    let head = "net(#{ delay: 20.ms }); cast([\"a\", \"b\", \"c\"]); a.connect(b); c.connect(b); settle();
         c.send(b, \"noise\"); a.send(b, \"it\");";
    for (wait, in_time) in [
        ("b.expect(\"it\", #{ within: 20.ms });", true),
        ("b.expect(\"it\", #{ within: 19.ms });", false),
        ("eventually(\"two\", || b.inbox().len() == 2, #{ within: 20.ms });", true),
        ("eventually(\"two\", || b.inbox().len() == 2, #{ within: 19.ms });", false),
        ("wait(20.ms); check(b.inbox().len() == 2, \"both\");", true),
        ("wait(19.ms); check(b.inbox().len() == 0, \"none\");", true),
    ] {
        let outcome = sim(&format!("{head}{wait}"));
        assert_eq!(outcome.error.is_none(), in_time, "{wait} {:?}", outcome.error);
    }
}

#[test]
fn a_script_may_end_itself_anywhere_but_in_a_function_that_it_is_called_with() {
    let outcome = sim("test(\"one\", || { cast([\"a\"]); exit(); check(false, \"not here\"); });
         test(\"two\", || throw \"nor here\");");
    assert_eq!((outcome.exit(), &outcome.error), (Exit::Done, &None));
    let tests = outcome.play.moments.iter().filter(|moment| moment.ev == Ev::Test).count();
    assert_eq!(tests, 2, "one begins and ends");
    let outcome = sim("cast([\"a\", \"b\"]); a.connect(b); b.on(\"message\", |me, m| exit());
         a.send(b, \"x\"); settle();");
    let words = |moment: &Moment| {
        moment.text.as_ref().is_some_and(|text| text.expose().contains("only the script itself"))
    };
    at(&outcome, words);
}

//! What a script's mistakes look like: the place, the line, what was unread, what to do next.

use hobnob::api::exit::Exit;
use hobnob::play::{Ev, Verdict, WorldKind};

use crate::play::{error, play, script, well};

#[test]
fn an_error_names_the_place_and_quotes_the_line() {
    assert_eq!(
        error("cast([\"alice\", \"bob\"]);\nbbo.send(alice, \"x\");\n"),
        "t.rhai:2:1: no variable and no peer is called `bbo`; did you mean bob? (peers here: alice, bob)\n     \
         2 | bbo.send(alice, \"x\");\n       | ^"
    );
}

#[test]
fn who_is_not_cast_yet_is_told_how() {
    let said = error("bob.quit();");
    assert!(said.contains("nobody is cast yet: cast([\"bob\"])"), "{said}");
}

#[test]
fn a_failed_expectation_shows_what_came_instead() {
    let text = "cast([\"alice\", \"bob\"]);
alice.send(bob, \"pung\");
alice.send(bob, \"and \\x1b[2J\");
fn wants(p) {
    p.expect(\"pong\", #{ from: alice, within: 1.s });
}
wants(bob);
";
    assert_eq!(
        error(text),
        "t.rhai:5:7: expect: bob got no message from alice like \"pong\" within 1s\n     \
         5 |     p.expect(\"pong\", #{ from: alice, within: 1.s });\n       |       ^\n  \
         unread by bob:\n    alice \"pung\"   <- the nearest\n    alice \"and \\x1b[2J\""
    );
}

#[test]
fn mistakes_are_said_in_words_that_help() {
    let cast = "cast([\"alice\", \"bob\"]);";
    for (line, words) in [
        (
            "alice.sned(bob, \"x\")",
            "there is no function `sned` for (a peer, a peer, a text); did you mean `send`?",
        ),
        ("alice.send(bob)", "`send` cannot be called with (a peer, a peer); write a.send(b, \"text\")"),
        (
            "cast(\"a\", \"b\")",
            "`cast` cannot be called with (a text, a text); write cast([\"alice\", \"bob\"])",
        ),
        ("alice.peers == []", "a peer has no `peers`; it is a call: a.peers()"),
        ("alice.nme", "a peer has no `nme`; did you mean `name`?"),
        ("alice.colour", "a peer has no `colour`; it has name addr ip port key state last"),
        ("alice.expect_none(1)", "expect_none: \"1\" has no unit; write 1.s or 1.ms"),
        ("note(alice)", "note: a text is wanted, not"),
        (
            "let n = 1; fn f() { n } f()",
            "`n` (peers here: alice, bob); a function sees its parameters, peers",
        ),
        ("wait(5s)", "; a duration is written 5.s"),
        ("let o = #{ within: 1.5ms };", "; a duration is written 1.5.ms"),
        ("alice.send(bob, [1])", "send: a text is wanted, not array"),
        ("alice.send(7, \"x\")", "send: a peer is wanted, not i64"),
        ("alice.send(\"nobody\", \"x\")", "send: no peer called \"nobody\""),
        ("alice.send(bob, \"\")", "send: there is no text to send"),
        ("alice.broadcast(\"x\")", "broadcast: nobody is connected"),
        ("alice.reply(\"x\")", "reply: no one has written yet"),
        ("alice.expect(\"x\", #{ wthin: 1.s })", "expect: no option \"wthin\"; it has from, within"),
        ("alice.expect(\"x\", #{ within: 5 })", "expect: \"5\" has no unit; write 5.s or 5.ms"),
        ("alice.expect(\"/a(/\")", "expect: \"/a(/\" is no pattern: unclosed group"),
        (
            "alice.on(\"mesage\", |me, m| 1)",
            "on: nothing is called \"mesage\"; there are message joined left lost failed",
        ),
        ("link(alice, bob, #{ loss: 10 })", "link: loss cannot be made on a stream"),
        (
            "link(alice, bob, #{ speed: 10 })",
            "link: a link has no \"speed\"; it has delay, jitter, bandwidth, split, glue",
        ),
        ("link(alice, bob, #{ bandwidth: 0 })", "link: no bandwidth carries nothing; hold the link"),
        ("partition([alice], [alice, bob])", "partition: alice stands on both sides"),
        ("hold(alice, alice)", "hold: alice stands on both sides"),
        ("restart(alice)", "alice is up already; crash it first"),
        ("crash(alice); alice.send(bob, \"x\")", "alice is down; restart it first"),
        ("cast([\"alice\"])", "a peer called alice is here already; choose another name"),
        ("cast([\"a b\"])", "cast: a name cannot contain ' '"),
        ("cast([\"system\"])", "cast: the name \"system\" is taken by the program itself"),
        ("wire(\"morse\")", "wire: \"morse\" is no protocol; write \"native\" or \"classic\""),
        ("rand(0)", "rand: 0 has nothing below it; write rand(10)"),
        ("wait(-1.s)", "-1 s is no duration; it is from 0 s to 24 h"),
        ("always(\"x\", || 7); wait(1.s)", "always: the function is to give true or false, not i64"),
        ("eval(\"1\")", "reserved keyword 'eval' is disabled"),
        ("let spawn = 1;", "spawn"),
        ("throw \"no \" + 7", "t.rhai:1:25: no 7"),
        ("throw #{ a: 1 }", "the script threw a map, not a text"),
        ("test(\"a\", -1, || 1)", "test: -1 are no points"),
        ("test(\"a\", 1, || test(\"b\", 1, || 1)); 1 +", "script"),
    ] {
        let said = error(&format!("{cast} {line}"));
        assert!(said.starts_with("t.rhai:1:") || line.ends_with('+'), "{line}\n{said}");
        assert!(said.contains(words) || line.ends_with('+'), "{line}\n{said}");
        assert_ne!(said, "no error", "{line}");
    }
}

#[test]
fn exit_codes_tell_what_kind_of_failure_it_was() {
    for (text, exit) in [
        ("let x = ;", Exit::Parse),
        ("throw \"no\"", Exit::Runtime),
        ("cast([\"a\"]); a.send(\"b\", \"x\")", Exit::Runtime),
        ("cast([\"a\"]); a.expect(\"x\")", Exit::Expectation),
        ("check(false, \"x\")", Exit::Expectation),
        ("test(\"t\", 1, || check(false, \"x\"))", Exit::Expectation),
        ("cast([\"a\"]); try { a.expect(\"x\") } catch {}", Exit::Done),
        ("exit()", Exit::Done),
    ] {
        let outcome = play(&script("t.rhai", text), 1, WorldKind::Sim);
        assert_eq!(outcome.exit(), exit, "{text}");
        assert_eq!(outcome.play.end.as_ref().map(|end| end.result), Some(exit.code()), "{text}");
    }
}

#[test]
fn a_failing_test_does_not_stop_the_next() {
    let text = "
test(\"one\", 2, || { cast([\"a\"]); a.expect(\"x\", #{ within: 1.s }) });
test(\"two\", 3, || { cast([\"a\", \"b\"]); a.send(b, \"x\"); b.expect(\"x\") });
test(\"three\", 1.5, || throw \"no\");
";
    let outcome = play(&script("t.rhai", text), 1, WorldKind::Sim);
    let ends: Vec<_> = outcome
        .play
        .moments
        .iter()
        .filter(|moment| moment.ev == Ev::Test)
        .filter_map(|moment| moment.more.as_ref())
        .filter_map(|more| Some((more.verdict?, more.got?, more.points?)))
        .collect();
    assert_eq!(ends, [(Verdict::Fail, 0.0, 2.0), (Verdict::Pass, 3.0, 3.0), (Verdict::Fail, 0.0, 1.5)]);
    assert_eq!(outcome.failed.len(), 2);
}

#[test]
fn what_is_caught_is_no_failure() {
    let outcome = well(
        "cast([\"a\"]);
         let said = \"\";
         try { a.expect(\"x\", #{ within: 1.s }) } catch (e) { said = e.message; }
         check(said.contains(\"a got no message like\"), \"the script knows why\");
         try { a.send(\"nobody\", \"x\") } catch (e) { said = `${e}`; }
         check(said.contains(\"no peer called\"), \"and as a text\");",
    );
    assert!(outcome.play.moments.iter().all(|moment| moment.ev != Ev::ExpectFail));
}

#[test]
fn a_bound_and_an_interrupt_cannot_be_caught() {
    let said = error("try { loop {} } catch (e) { print(\"caught\"); }");
    assert!(said.contains("computes without end"), "{said}");
    let stop = hobnob::script::stop::Stop::default();
    stop.interrupt();
    let source = script("t.rhai", "cast([\"a\"]); try { a.expect(\"x\") } catch { print(\"caught\") }");
    let outcome = crate::play::play_until(&source, 1, WorldKind::Sim, stop);
    assert_eq!(outcome.exit(), Exit::Interrupted);
}

#[test]
fn a_handler_that_fails_is_said_once_and_the_script_has_failed() {
    let text = "cast([\"a\", \"b\"]);
         b.on(\"message\", |me, m| { throw \"no\" });
         for n in 0..20 { a.send(b, n); }
         settle();
         check(true, \"it went on\")";
    let outcome = play(&script("t.rhai", text), 1, WorldKind::Sim);
    let notes = outcome.play.moments.iter().filter(|moment| moment.ev == Ev::Note).count();
    assert_eq!(notes, 2, "once why, once that it is over");
    assert_eq!(outcome.exit(), Exit::Runtime);
    let said = outcome.error.map(|error| error.to_string()).unwrap_or_default();
    assert!(said.starts_with("t.rhai:2:36: no"), "{said}");
    let text = "test(\"t\", 1, || { cast([\"a\", \"b\"]); b.on(\"message\", |me, m| me.sendd(a, 1)); a.send(b, 1); settle() });
         test(\"u\", 1, || check(true, \"fine\"));";
    let outcome = play(&script("t.rhai", text), 1, WorldKind::Sim);
    assert_eq!((outcome.exit(), outcome.failed.len()), (Exit::Expectation, 1));
}

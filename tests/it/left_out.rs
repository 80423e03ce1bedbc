//! Runs of a script that leave something out, as when a failing one is reduced: whoever is left out
//! breaks no verb that names it, and no check fails because of what nobody could answer.

use std::collections::BTreeSet;

use hobnob::play::{Ev, WorldKind};
use hobnob::script::deeds::{DeedId, DeedKind, Deeds};
use hobnob::script::{Outcome, Source};

use crate::play::{error, play, play_with, script, well};

/// Plays it as it is, which has to end well, and gives the deeds of a kind with their lines.
fn deeds(source: &Source, kind: DeedKind) -> Vec<(DeedId, String)> {
    let whole = play(source, 1, WorldKind::Sim);
    assert!(whole.error.is_none(), "{:?}", whole.error);
    let of_kind = whole.deeds.done.into_iter().filter(|deed| deed.kind == kind);
    of_kind.map(|deed| (deed.id, deed.line)).collect()
}

fn without(source: &Source, left_out: impl IntoIterator<Item = DeedId>) -> Outcome {
    let left_out: BTreeSet<_> = left_out.into_iter().collect();
    play_with(source, 1, WorldKind::Sim, Deeds::without(left_out))
}

/// Leaves out each peer in turn, then all of them.
fn each_peer_can_go(source: &Source) {
    let peers = deeds(source, DeedKind::Peer);
    assert!(peers.len() >= 3, "{peers:?}");
    for (id, line) in &peers {
        let outcome = without(source, [id.clone()]);
        assert!(outcome.error.is_none(), "{} without {line}: {:?}", source.name, outcome.error);
        let name = line.split('>').next().unwrap_or_default();
        let seen = |moment: &hobnob::play::Moment| moment.peer.is_some_and(|peer| peer.as_str() == name);
        assert!(!outcome.play.moments.iter().any(seen), "{name} does nothing");
    }
    let nobody = without(source, peers.into_iter().map(|(id, _)| id));
    assert!(nobody.error.is_none(), "{} without anybody: {:?}", source.name, nobody.error);
    let told = |moment: &&hobnob::play::Moment| moment.ev == Ev::Recv;
    assert_eq!(nobody.play.moments.iter().filter(told).count(), 0);
}

/// Every verb, in a script that fails in nothing whoever is there.
const ALL_VERBS: &str = r#"
    net(#{ delay: 2.ms });
    cast(["ann", "ben"]);
    let cat = peer("cat");
    link(ann, cat, #{ delay: 5.ms });
    step("they meet");
    ann.connect([ben, cat]);
    cat.connect(ben, #{ wait: false });
    settle();
    ben.on("message", |me, m| me.send(m.from, "heard"));
    always("ann is up", || ann.state == "up");
    ann.send(cat, "one");
    cat.expect("one", #{ from: ann });
    cat.reply("two");
    let m = ann.expect("two", #{ from: cat });
    check(m.text == "two", "what was said");
    check(m.from == cat, "and by whom");
    check(ann.peers().contains("cat"), "ann knows cat");
    check(peer("cat").name == cat.name);
    cat.broadcast("three");
    eventually("cat is up", || cat.state == "up");
    ann.expect("three", #{ from: cat });
    ann.ping(cat);
    ben.expect("three", #{ from: "cat" });
    cat.rename("kitty");
    hold(ann, cat); release(ann, cat);
    partition([cat], [ann]); heal();
    partition([cat], [ann], #{ one_way: true }); heal();
    clog(cat, ben, 5.ms); slow(cat, 5.ms); disk(cat, 1.ms); skew(cat, 1.s); refuse(cat, true); refuse(cat, false);
    settle();
    cut(ann, cat); half_open(ben, cat);
    settle();
    crash(cat); restart(cat);
    crash_after(cat, 100000);
    check(cat.addr.contains(":") && cat.key.len() > 8);
    check(cat.state == "up");
    cat.connect(ann);
    settle();
    cat.connect();
    ben.disconnect("ann");
    cat.quit();
    ann.expect_left(cat);
    check(cat.state == "left");
    check(ann.known().contains("cat"));
    ann.expect_none(100.ms);
"#;

#[test]
fn whoever_is_left_out_breaks_no_verb_of_a_script() {
    each_peer_can_go(&script("verbs.rhai", ALL_VERBS));
}

#[test]
fn whoever_is_left_out_breaks_no_line_of_a_batch() {
    let lines = "link ann cat delay=3ms\nann> connect ben cat\nben> connect cat\nsettle\n\
        ann> send cat one\ncat> expect ann one\nann> @cat two\ncat> expect ann two\n\
        ann> ping cat\nann> whois cat\nann> ignore cat\nann> unignore cat\nann> alias kitty cat\n\
        cat> reply two and a half\nann> expect cat two*\ncat> broadcast three\nben> expect cat three\nann> expect cat three\n\
        hold ann cat\nrelease ann cat\npartition ann,ben cat\nheal\ncrash cat\nwait 1s\nrestart cat\n\
        cat> connect ann ben\ncat> me\ncat> peers\ncat> status\nann> disconnect ben\nsettle\n\
        =cut(ann, cat)\nsettle\n?cat> disconnect --all\nann> expect-none 10ms\ncat> quit\n";
    each_peer_can_go(&script("verbs.hob", &lines.replace("?cat> ", "cat> ?")));
}

#[test]
fn what_an_expectation_would_have_taken_is_taken() {
    let source = script("t.hob", "ann> send ben one\nben> expect ann one\nben> expect-none 1s\n");
    let expects = deeds(&source, DeedKind::Expect);
    let outcome = without(&source, [expects[0].0.clone()]);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.deeds.untaken.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["ben"]);
    // It came before; now it comes after.
    let source = script("t.hob", "ann> send ben zero\nben> expect ann one\nann> send ben one\nsettle\n");
    let whole = play(&source, 1, WorldKind::Sim);
    assert!(whole.error.is_some(), "one is said too late");
    let last = whole.deeds.done.last().expect("a deed");
    let outcome = without(&source, [last.id.clone()]);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.deeds.untaken.len(), 1);
}

#[test]
fn a_test_is_left_out_as_a_whole() {
    let text = r#"test("one", 1, || { cast(["ann"]); }); test("two", 1, || { cast(["ben"]); });"#;
    let source = script("t.rhai", text);
    let tests = deeds(&source, DeedKind::Test);
    let lines: Vec<_> = tests.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines, ["# test: one", "# test: two"]);
    let outcome = without(&source, [tests[0].0.clone()]);
    let listening: Vec<_> = outcome.play.moments.iter().filter(|moment| moment.ev == Ev::Listen).collect();
    assert_eq!(listening.len(), 1);
    assert_eq!(listening[0].peer.expect("somebody").as_str(), "ben");
}

#[test]
fn deeds_are_lines_that_a_batch_can_be_made_of() {
    let outcome = well(ALL_VERBS);
    let lines: Vec<_> = outcome.deeds.done.iter().map(|deed| deed.line.as_str()).collect();
    for line in [
        "cat> me",
        "=cat.connect(ben, #{ wait: false })",
        "# check: what was said",
        "=partition([cat], [ann], #{ one_way: true })",
        "=clog(cat, ben, 5.ms)",
        "# in a handler: ben> send cat heard",
        "=ann.expect_left(cat)",
        "cat> quit",
    ] {
        assert!(lines.contains(&line), "{line} is missing: {lines:#?}");
    }
    let again = play(&script("t.hob", &lines.join("\n")), 1, WorldKind::Sim);
    assert!(again.error.is_none(), "{:?}\n{}", again.error, lines.join("\n"));
}

#[test]
fn a_check_that_failed_says_what_it_looked_at() {
    let met = r#"cast(["ann", "ben", "cat"]); ann.connect([ben, cat]); settle(); cat.quit(); settle(); "#;
    let failed = error(&format!("{met} check(ann.peers().is_empty(), \"alone\");"));
    assert!(failed.contains("check: alone (ann.peers(): ben)"), "{failed}");
    let failed = error(&format!(
        "{met} check(ben.peers().len() + cat_list().len() == 9, \"many\"); fn cat_list() {{ [] }}"
    ));
    assert!(failed.contains("check: many (ben.peers(): ann)"), "{failed}");
    let failed = error(&format!("{met} crash(ben); check(ann.peers().is_empty(), \"alone\");"));
    assert!(failed.contains("(ann.peers(): ben (crashed))"), "{failed}");
    let failed = error(&format!(
        "{met} ben.send(ann, \"o\\u001b[1mne\");\nlet m = ann.expect(\"o*\");\ncheck(m.text == \"two\", \"two\");"
    ));
    assert!(failed.contains("check: two (got \"o\\x1b[1mne\")"), "{failed}");
    let failed =
        error(&format!("{met} ann.peers();\ncheck(false, \"what was asked elsewhere is not said\");"));
    assert!(failed.contains("is not said\n") || failed.ends_with("is not said"), "{failed}");
}

#[test]
fn a_cast_that_is_to_speak_plainly_does() {
    let outcome = well(
        r#"wire("classic"); cast(["ann", "ben"]); ann.connect(ben); settle(); ann.send(ben, "hello");
        check(ben.expect("hello", #{ from: ann }).plain, "in plain text"); ben.reply("hi");
        check(ann.expect("hi", #{ from: ben }).plain, "and back"); ann.quit(); ben.expect_left(ann);"#,
    );
    let heard = outcome.play.moments.iter().filter(|moment| moment.ev == Ev::Recv);
    assert_eq!(heard.map(|moment| moment.plain).collect::<Vec<_>>(), [true, true]);
}

//! Batches with a cast: the prompt's own lines, who says them, what must fail; and the blocks of
//! Markdown files, our own among them.

use hobnob::api::exit::Exit;
use hobnob::play::{Ev, WorldKind};
use hobnob::script::Outcome;

use crate::play::{file, play, script};

fn batch(text: &str) -> Outcome {
    play(&script("t.hob", text), 1, WorldKind::Sim)
}

fn well(text: &str) -> Outcome {
    let outcome = batch(text);
    assert!(outcome.error.is_none(), "{}", outcome.error.map(|error| error.to_string()).unwrap_or_default());
    outcome
}

fn error(text: &str) -> String {
    batch(text).error.map_or_else(|| "no error".into(), |error| error.to_string())
}

#[test]
fn whoever_speaks_is_cast_before_the_first_line() {
    let outcome = well("alice> connect bob\nalice> send bob hi\nbob> expect alice hi\nbob> quit\n");
    let cast: Vec<_> =
        outcome.play.moments.iter().take(2).map(|moment| moment.peer.map(|name| name.to_string())).collect();
    assert_eq!(cast, [Some("alice".to_owned()), Some("bob".into())]);
}

#[test]
fn a_line_without_a_speaker_is_mine_or_the_worlds() {
    well("send bob hi\nbob> expect me hi\nbob> reply hello\nexpect bob hello\nsettle\nwait 1s\n");
    let outcome = well("link * * delay=30ms\nalice> connect bob\nalice> ping bob\nbob> wait 1s\n");
    assert!(
        outcome.play.moments.iter().any(|moment| moment
            .text
            .as_ref()
            .is_some_and(|t| t.display().contains("bob answers within 60")))
    );
}

#[test]
fn every_verb_of_the_network_works() {
    well(
        "alice> connect bob\nalice> connect carol\nlink alice bob delay=5ms jitter=1ms split=3\n\
         partition alice bob,carol\nalice> send bob one\nbob> expect-none 200ms\nheal\nbob> expect alice one\n\
         hold alice bob\nalice> send bob two\nbob> expect-none 200ms\nrelease alice bob\nbob> expect alice two\n\
         crash bob\nalice> send bob three\nrestart bob\nbob> connect alice\nbob> expect alice three\n\
         carol> peers\nalice> broadcast all of you\nbob> expect * /all/\ncarol> expect alice \"all *\"\n",
    );
}

#[test]
fn what_must_fail_fails_and_what_may_may() {
    well("alice> ! send nobody hi\nalice> ? send nobody hi\nalice> ? send bob hi\nbob> expect alice hi\n");
    let outcome = well("alice> ! send nobody hi\nalice> ? send nobody hi\n");
    let notes: Vec<_> = outcome
        .play
        .moments
        .iter()
        .filter(|moment| moment.ev == Ev::Note)
        .filter_map(|moment| moment.text.as_ref())
        .collect();
    assert!(notes[0].display().starts_with("failed, as it must: send"), "{notes:?}");
    assert!(notes[1].display().starts_with("failed, as it may: send"), "{notes:?}");
    let said = error("alice> connect bob\nalice> ! send bob hi\nbob> quit\n");
    assert!(said.starts_with("t.hob:2: this was to fail and did not: "), "{said}");
    let outcome = well("alice> ! expect bob hi --within 1s\nbob> wait 1s\n");
    assert!(outcome.play.moments.iter().all(|moment| moment.ev != Ev::ExpectFail));
}

#[test]
fn nothing_is_done_when_a_line_is_no_command() {
    let outcome = batch("alice> send bob hi\nbob> expct alice hi\n");
    assert_eq!(outcome.exit(), Exit::Parse);
    assert!(outcome.play.moments.iter().all(|moment| moment.ev != Ev::Listen));
    for (line, words) in [
        ("sned bob hi", "t.hob:1: unknown command \"sned\"; did you mean send?"),
        ("link alice bob loss=10", "t.hob:1: link: loss cannot be made on a stream"),
        ("link alice bob delay=10", "t.hob:1: link: \"10\" has no unit; write 10s or 10ms"),
        ("partition alice", "t.hob:1: partition: C,D is missing"),
        ("system> send bob hi", "t.hob:1: \"system\" cannot speak"),
    ] {
        let said = error(line);
        assert!(said.starts_with(words), "{line}\n{said}");
    }
    for (lines, words) in [
        ("crash bob", "crash: no peer called \"bob\" (who speaks is in the cast, here: nobody)"),
        ("alice> send bbo hi\nbob> wait 1s", "send: no peer called \"bbo\""),
        (
            "alice> connect bob\nbob> wait 1s\npartition alice alice,bob",
            "t.hob:3: partition: alice stands on both sides",
        ),
        ("alice> wait 1s\nrestart alice", "alice is up already; crash it first"),
        ("menu", "t.hob:1: menu: needs a terminal"),
        ("run other.hob", "t.hob:1: run: a batch cannot run another"),
        ("alice> reply hi", "t.hob:1: reply: no one has written yet"),
    ] {
        let said = error(lines);
        assert!(said.contains(words), "{lines}\n{said}");
    }
}

#[test]
fn the_language_can_be_used_in_a_line() {
    well(
        "alice> connect bob\nbob> wait 0s\n= bob.on(\"message\", |me, m| me.send(m.from, \"echo \" + m.text))\n\
         = let n = 3\nalice> send bob hi\nalice> expect bob \"echo hi\"\n= check(n == 3, \"kept\")\n\
         = check(alice.peers() == [\"bob\"], \"both are one world\")\n",
    );
    assert!(error("= let x = ;").starts_with("t.hob:1: "));
    assert!(error("= check(false, \"no\")").starts_with("t.hob:1: check: no"));
}

#[test]
fn a_chat_and_a_sourced_file_belong_to_their_speaker() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("say.hob", "send bob from a file\n");
    write("self.hob", "source self.hob\n");
    write(
        "main.hob",
        "alice> chat bob\nfirst\nsend bob is no command here\n/end\nalice> source say.hob\nbob> expect alice first\nbob> expect alice \"send bob *\"\nbob> expect alice \"from a file\"\n",
    );
    let outcome = play(&file(&folder.path().join("main.hob")), 1, WorldKind::Sim);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let outcome = play(&file(&folder.path().join("self.hob")), 1, WorldKind::Sim);
    let said = outcome.error.map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("is sourced 16 deep; does it source itself?"), "{said}");
}

#[test]
fn blocks_of_markdown_have_worlds_of_their_own() {
    let text = "# A\n```hob\nann> send ben one\nben> expect ann one\n```\n# B\n```hob\nann> expect ben one --within 1s\nben> wait 1s\n```\n\
        # C\n```hob\nann> connect ben\nben> quit\n```\n";
    let outcome = play(&script("t.md", text), 1, WorldKind::Sim);
    assert_eq!(outcome.exit(), Exit::Expectation);
    let failed: Vec<_> = outcome.failed.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(failed, ["B (line 7)"]);
    assert!(outcome.failed[0].1.to_string().starts_with("t.md:8: expect: ann got no message from ben"));
    let none = play(&script("t.md", "# nothing\n"), 1, WorldKind::Sim);
    assert_eq!(none.exit(), Exit::Parse);
}

#[test]
fn the_documents_play() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["README.md", "docs/scripts.md"] {
        for world in [WorldKind::Sim, WorldKind::Tcp] {
            let outcome = play(&file(&root.join(name)), 1, world);
            let failed = outcome.error.iter().chain(outcome.failed.iter().map(|(_, error)| error)).next();
            assert!(failed.is_none(), "{name}: {}", failed.map(ToString::to_string).unwrap_or_default());
        }
    }
}

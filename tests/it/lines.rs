//! Lines as people type and write them: what each asks for, and what is said of those that ask for
//! nothing.

use hobnob::api::error::LineError;
use hobnob::api::grammar::Mode::{Batch, Prompt};
use hobnob::api::grammar::{Content, Line, Mode, Outcome, answer, parse};
use hobnob::limits::LINE_MAX;

/// The canonical line for what `line` asks for, or the message.
fn read(line: &str, mode: Mode) -> String {
    match parse(line, mode) {
        Ok(Line { content, .. }) => match content {
            Content::Empty => "(empty)".into(),
            Content::Comment => "(comment)".into(),
            Content::Action(action) => action.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_people_type() {
    for (line, canonical) in [
        ("send bob don't", "send bob don't"),
        ("send bob \"hi there\"\r\n", "send bob hi there"),
        ("send bob   a  b  ", "send bob \"  a  b  \""),
        ("send 'my peer' --x -- y", "send 'my peer' --x -- y"),
        ("send -- -odd hi", "send \\-odd hi"),
        ("@:5001 it's", "send 127.0.0.1:5001 it's"),
        ("@'my peer' hi", "send 'my peer' hi"),
        ("* *bold*", "broadcast *bold*"),
        ("all -- hi", "broadcast -- hi"),
        ("/msg bob hi", "send bob hi"),
        ("1 bob hi", "send bob hi"),
        ("2", "peers"),
        ("p --known", "peers --known"),
        ("3", "connect"),
        ("c --classic :5001 box.lan:5000", "connect --classic 127.0.0.1:5001 box.lan:5000"),
        ("connect bob --classic", "connect --classic bob"),
        ("5 --all", "disconnect --all"),
        ("ping bob -n 3", "ping -n 3 bob"),
        ("ping bob", "ping bob"),
        ("alias boss [::1]:5000", "alias boss [::1]:5000"),
        ("nick alice", "me alice"),
        ("expect bob *hi* --within 2s", "expect --within 2s bob *hi*"),
        ("expect --within=1.5s * 'a b'", "expect --within 1500ms * 'a b'"),
        (r"expect bob /\d+ of \d+/ --within 1m", r"expect --within 1m bob /\d+ of \d+/"),
        ("expect bob \"it's\"", "expect bob \"it's\""),
        ("expect-none", "expect-none"),
        ("wait 0.5s", "wait 500ms"),
        ("source 'my file'", "source 'my file'"),
        ("set", "set"),
        ("set bell", "set bell"),
        ("set timeout 2s", "set timeout 2s"),
        ("= 1 +\n1\n\r\n\n", "= 1 +\n1"),
        ("0", "quit"),
        ("", "(empty)"),
        (" \t\r\n", "(empty)"),
        ("  # send bob hi", "(comment)"),
    ] {
        for mode in [Prompt, Batch] {
            assert_eq!(read(line, mode), canonical, "{line:?} {mode:?}");
        }
    }
    assert_eq!(read("? send", Prompt), "help send");
}

#[test]
fn what_is_wrong_and_what_to_do() {
    for (line, error) in [
        ("sned bob hi", "unknown command \"sned\"; did you mean send? (help lists all)"),
        (
            "hello everybody",
            "unknown command \"hello\" (help lists all); to say it to everybody: * TEXT, or to one: @PEER TEXT",
        ),
        (
            "*bold* words",
            "unknown command \"*bold*\" (help lists all); to say it to everybody: * TEXT, or to one: @PEER TEXT",
        ),
        ("=", "no command follows the ="),
        ("/", "no command follows the /"),
        ("send", "send: PEER is missing; usage: send PEER TEXT"),
        ("@", "send: PEER is missing; usage: send PEER TEXT"),
        ("send bob ", "send: TEXT is missing; usage: send PEER TEXT"),
        ("send bob \"\"", "send: there is no text to send"),
        ("send * hi", "send: * means anybody only in expect; to write to everybody: broadcast TEXT"),
        (
            "send bob's hi",
            "send: the ' at column 9 opens a quote that is never closed; write \\' for the character itself",
        ),
        (
            "send é\"x",
            "send: the \" at column 7 opens a quote that is never closed; write \\\" for the character itself",
        ),
        ("whois b\\", "whois: the \\ at column 8 has nothing to escape; write \\\\ for the character itself"),
        ("send --x bob hi", "send: no option --x (it has none; put -- before a word that begins with -)"),
        ("peers --konwn", "peers: no option --konwn; did you mean --known?"),
        ("ping bob -n", "ping: -n needs a value; write -n N"),
        ("ping bob -n 0", "ping: \"0\" is no count; write a number from 1 to 1000"),
        ("peers --known=yes", "peers: --known takes no value"),
        ("connect --classic", "connect: PEER is missing; usage: connect [PEER…] [--classic]"),
        ("disconnect", "disconnect: PEER is missing; usage: disconnect PEER | --all"),
        ("disconnect bob --all", "disconnect: \"bob\" is one word too many; usage: disconnect PEER | --all"),
        ("ping bob carol", "ping: \"carol\" is one word too many; usage: ping PEER [-n N]"),
        ("whois :99999", "whois: \"99999\" is no port; it is a number from 1 to 65535"),
        ("expect bob /a(/", "expect: \"/a(/\" is no pattern: unclosed group"),
        ("wait 5", "wait: \"5\" has no unit; write 5s or 5ms"),
        ("me system", "me: the name \"system\" is taken by the program itself"),
        ("set colour x", "set: no setting \"colour\"; did you mean color? (set lists all)"),
        ("set bell 1", "set: bell cannot be \"1\"; it is one of on, off"),
        (
            "a\0\x1b[2J",
            "unknown command \"a\\x00\\x1b[2J\" (help lists all); to say it to everybody: * TEXT, or to one: @PEER TEXT",
        ),
    ] {
        for mode in [Prompt, Batch] {
            assert_eq!(read(line, mode), error, "{line:?} {mode:?}");
        }
    }
    let long = "x".repeat(LINE_MAX + 1);
    assert_eq!(parse(&long, Prompt), Err(LineError::TooLong(LINE_MAX + 1)));
    assert_eq!(
        read("!quit", Prompt),
        "! marks a command that must fail, and only in a batch; leave it out here"
    );
}

#[test]
fn a_batch_says_who_speaks_and_what_must_fail() {
    let parts = |line| {
        let line = parse(line, Batch).expect(line);
        (line.speaker.map(|name| name.to_string()), line.outcome)
    };
    let alice = || Some("alice".to_owned());
    assert_eq!(parts("alice> send bob hi"), (alice(), Outcome::Succeed));
    assert_eq!(parts("alice>\t! send bbo hi"), (alice(), Outcome::Fail));
    assert_eq!(parts("?peers"), (None, Outcome::Either));
    assert_eq!(parts("alice>"), (alice(), Outcome::Succeed));
    assert_eq!(
        read("a:b> quit", Batch),
        "\"a:b\" cannot speak: a name cannot contain ':'; letters, digits and _ - . + ~ can, and the first is a letter or digit"
    );
    assert_eq!(read("! # x", Batch), "no command follows the !");
    assert!(read("alice> quit", Prompt).starts_with("unknown command \"alice>\""));
}

#[test]
fn verbs_may_be_cut_short_at_a_prompt_only() {
    assert_eq!(read("br hi", Prompt), "broadcast hi");
    assert_eq!(read("ex", Prompt), "\"ex\" could be expect or expect-none or exit; write more of it");
    assert_eq!(read("expect * x", Prompt), "expect * x");
    assert_eq!(read("br hi", Batch), "unknown command \"br\"; did you mean broadcast? (help lists all)");
    assert_eq!(read("", Prompt), "(empty)");
}

#[test]
fn what_is_missing_can_be_asked_for() {
    let mut line = "send".to_owned();
    for (name, said) in [("PEER", "my peer"), ("TEXT", "\"hi\" ")] {
        let error = parse(&line, Prompt).expect_err(&line);
        let missing = error.missing().expect("an argument");
        assert_eq!(missing.0.args[missing.1].name, name);
        line = answer(&line, missing, said);
    }
    assert_eq!(line, "send 'my peer' '\"hi\" '");
    assert_eq!(read(&line, Prompt), line);
}

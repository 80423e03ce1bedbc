//! How each verb and each property of a script is written, for errors to say.

/// Each verb, and a call of it that is right. What the language has of its own stands there only to be
/// suggested.
const VERBS: &[(&str, &str)] = &[
    ("cast", r#"cast(["alice", "bob"])"#),
    ("peer", r#"peer("alice")"#),
    ("net", "net(#{ delay: 20.ms, jitter: 8.ms })"),
    ("link", "link(a, b, #{ delay: 20.ms })"),
    ("partition", "partition([a], [b, c])"),
    ("heal", "heal()"),
    ("hold", "hold(a, b)"),
    ("release", "release(a, b)"),
    ("crash", "crash(a)"),
    ("restart", "restart(a)"),
    ("connect", "a.connect(b) or a.connect([b, c])"),
    ("send", r#"a.send(b, "text")"#),
    ("broadcast", r#"a.broadcast("text")"#),
    ("reply", r#"a.reply("text")"#),
    ("disconnect", "a.disconnect(b)"),
    ("quit", "a.quit()"),
    ("peers", "a.peers()"),
    ("known", "a.known()"),
    ("inbox", "a.inbox()"),
    ("on", r#"a.on("message", |me, m| me.send(m.from, "text"))"#),
    ("expect", r#"a.expect("pattern", #{ from: b, within: 1.s })"#),
    ("expect_none", "a.expect_none(500.ms)"),
    ("expect_left", "a.expect_left(b)"),
    ("wait", "wait(2.s)"),
    ("settle", "settle()"),
    ("now", "now()"),
    ("rand", "rand(10), rand(1, 6) or rand([a, b])"),
    ("step", r#"step("title")"#),
    ("test", r#"test("title", 2, || { … })"#),
    ("check", r#"check(a.peers() == ["b"], "text")"#),
    ("note", r#"note("text")"#),
    ("always", r#"always("text", || a.peers().len() < 3)"#),
    ("eventually", r#"eventually("text", || a.peers().len() == 2)"#),
    ("wire", r#"wire("classic")"#),
    ("cut", "cut(a, b)"),
    ("half_open", "half_open(a, b)"),
    ("clog", "clog(a, b, 1.s)"),
    ("slow", "slow(a, 1.s)"),
    ("disk", "disk(a, 50.ms)"),
    ("skew", "skew(a, 1.h)"),
    ("refuse", "refuse(a, true)"),
    ("crash_after", "crash_after(a, 10)"),
    ("ping", "a.ping(b)"),
    ("rename", r#"a.rename("name")"#),
    ("launch", r#"launch("./program")"#),
    ("answers", r#"answers(#{ "name": "Alpha", "port": PORT })"#),
    ("line", r#"s.line("text")"#),
    ("choose", r#"s.choose("2")"#),
    ("expect_out", r#"s.expect_out("*pattern*")"#),
    ("expect_listen", "s.expect_listen(10.s)"),
    ("expect_exit", "s.expect_exit()"),
    ("print", ""),
    ("len", ""),
    ("push", ""),
    ("contains", ""),
];

/// What may be asked of a thing without a call.
const PROPERTIES: &[(&str, &str)] = &[
    ("Peer", "name addr ip port key state last"),
    ("Message", "text from auto plain"),
    ("Program", "output port"),
    ("Span", "us ms s m h"),
    ("i64", "us ms s m h"),
];

/// The names of all verbs, for "did you mean".
pub(super) fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(verb, _)| *verb)
}

/// A call that is right, if it is a verb of ours.
pub(super) fn form(verb: &str) -> Option<&'static str> {
    VERBS.iter().find(|(name, _)| *name == verb).map(|(_, form)| *form).filter(|form| !form.is_empty())
}

/// What a thing of this kind has.
pub(super) fn properties(kind: &str) -> Option<&'static str> {
    PROPERTIES.iter().find(|(name, _)| *name == kind).map(|(_, all)| *all)
}

//! The page of a run in a real browser: whatever is said in a run stays text, nothing runs, and
//! nothing is asked of any network. Without `chromium` on the PATH only the page itself is looked at.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hobnob::id::Name;
use hobnob::play::{End, Ev, Head, Moment, More, Play, Verdict, WorldKind};
use hobnob::report::{events, html, stable};
use hobnob::text::Untrusted;

use crate::fuzz::page::check;

/// What people have put into pages to make something run or be loaded.
fn payloads(port: u16) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}/");
    let code = format!("fetch('{url}')");
    let mut payloads = Vec::new();
    for (open, close) in [
        ("", ""),
        ("\">", ""),
        ("'>", ""),
        ("</td>", "<td>"),
        ("</text></svg>", ""),
        ("</title>", ""),
        ("</style>", "<style>"),
        ("</pre>", ""),
        ("-->", "<!--"),
        ("]]>", "<![CDATA["),
    ] {
        for body in [
            format!("<script>{code}</script>"),
            format!("<script src={url}></script>"),
            format!("<img src={url} onerror={code}>"),
            format!("<svg onload={code}>"),
            format!("<iframe src={url}></iframe>"),
            format!("<link rel=stylesheet href={url}>"),
            format!("<meta http-equiv=refresh content=\"0;url={url}\">"),
            format!("<a href=\"javascript:{code}\" autofocus onfocus={code}>x</a>"),
            format!("<style>@import '{url}';body{{background:url({url})}}</style>"),
            format!("<form action={url}><button formaction={url}>x</button></form>"),
        ] {
            payloads.push(format!("{open}{body}{close}"));
        }
    }
    payloads.push(format!("\" onmouseover=\"{code}\" x=\""));
    payloads.push(format!("' style='background:url({url})' x='"));
    payloads.push("&lt;b&gt; &#60;script&#62; \u{0}<\u{0}script>\u{202e}\u{feff}".into());
    payloads
}

fn text(text: &str) -> Option<Untrusted<Arc<str>>> {
    Some(Untrusted::new(text.into()))
}

/// A run in which every text that can be chosen is one of these.
fn hostile(payloads: &[String]) -> Play {
    let (alice, bob) = (Name::new("alice").expect("a name"), Name::new("bob").expect("a name"));
    let mut moments = Vec::new();
    for peer in [alice, bob] {
        moments.push(Moment { peer: Some(peer), ..Moment::new(0, Ev::Listen) });
    }
    for (number, payload) in payloads.iter().enumerate() {
        let at = number as u64 * 1_000;
        let said =
            |ev| Moment { peer: Some(alice), with: Some(bob), text: text(payload), ..Moment::new(at, ev) };
        let cause = moments.len() as u64;
        moments.push(said(Ev::Queued));
        moments.push(Moment { cause: Some(cause), peer: Some(bob), with: Some(alice), ..said(Ev::Recv) });
        for ev in [Ev::Step, Ev::Note, Ev::Out, Ev::Check, Ev::ExpectFail, Ev::Drop, Ev::Lost] {
            let more = More {
                why: Some(payload.clone()),
                verdict: (ev == Ev::Check).then_some(Verdict::Fail),
                expected: text(payload),
                unread: vec![Untrusted::new(payload.as_str().into())],
                quote: text(payload),
                file: text(payload),
                ..More::default()
            };
            moments.push(Moment { more: Some(Box::new(more)), cause: Some(cause), ..said(ev) });
        }
        moments.push(Moment { text: text(payload), ..Moment::new(at, Ev::Test) });
    }
    let all = payloads.concat();
    let head = Head {
        hobnob: all.clone(),
        script: Untrusted::new(all.as_str().into()),
        hash: all,
        seed: 7,
        world: WorldKind::Tcp,
        timed: true,
        wall: None,
    };
    Play { head, moments, end: Some(End { at: 0, result: 3, trace: None }) }
}

/// What a browser makes of the page; `None` without a browser.
fn dom(page: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.html");
    std::fs::write(&path, page).expect("written");
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    browser.arg(format!("file://{}", path.display()));
    let mut child = browser.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().ok()?;
    let mut out = child.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || {
        let mut dom = String::new();
        out.read_to_string(&mut dom).map(|_| dom)
    });
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > until {
            child.kill().expect("ours");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(reader.join().expect("it read").expect("UTF-8"))
}

fn unescape(html: &str) -> String {
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever runs the tests should know what was not looked at")]
fn nothing_that_is_said_runs_or_is_loaded() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let payloads = payloads(listener.local_addr().expect("an address").port());
    assert!(payloads.len() > 100);
    let page = html::write(&hostile(&payloads));
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    check(&page);
    let Some(dom) = dom(&page) else {
        println!("no chromium on the PATH: the page was not opened");
        return;
    };
    assert!(dom.contains("</html>"), "it was opened: {dom}");
    check(&dom);
    let shown = unescape(&dom);
    for payload in &payloads {
        let visible = Untrusted::new(payload.as_str()).display();
        assert!(shown.contains(&visible), "{visible} is not shown as it is");
    }
    assert!(listener.accept().is_err(), "the page asked for something");
}

/// Three peers, handlers that answer each other, a partition and a crash.
const STORM: &str = r#"
    net(#{ delay: 10.ms, jitter: 30.ms });
    cast(["alice", "bob", "carol"]);
    step("everyone connects");
    for peer in [bob, carol] { peer.connect(alice); }
    bob.connect(carol);
    settle();
    step("everybody talks at once");
    for peer in [alice, bob, carol] {
        peer.on("message", |me, m| if m.text.starts_with("hello") { me.send(m.from, "thanks, " + m.from.name) });
    }
    for peer in [alice, bob, carol] { peer.broadcast("hello from " + peer.name); }
    settle();
    step("the network breaks");
    partition([carol], [alice, bob]);
    alice.send(carol, "are you there?");
    wait(2.s);
    heal();
    carol.expect("are you there?", #{ within: 200.s });
    step("bob dies and comes back");
    crash(bob);
    alice.send(bob, "wake up");
    wait(1.s);
    restart(bob);
    bob.expect("wake up", #{ within: 200.s });
    settle();
    step("bob leaves");
    bob.quit();
    settle();
    check(alice.peers() == ["carol"]);
"#;

#[test]
fn chance_changes_no_stable_transcript() {
    let mut kept: Option<String> = None;
    for seed in 0..30 {
        let source = crate::play::script("storm.rhai", STORM);
        let outcome = crate::play::play(&source, seed, WorldKind::Sim);
        assert!(outcome.error.is_none(), "seed {seed}: {:?}", outcome.error);
        let text = stable::write(&outcome.play);
        assert_eq!(kept.get_or_insert_with(|| text.clone()), &text, "seed {seed}");
        let lines = events::write(&outcome.play);
        assert_eq!(events::read(&lines).as_ref(), Ok(&outcome.play), "seed {seed}");
    }
    let kept = kept.expect("thirty seeds");
    assert!(kept.contains("alice\n  -> carol \"are you there?\"\n"), "{kept}");
}

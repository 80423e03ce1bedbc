//! The page is small, and whatever is said in it stays text.

use super::*;
use crate::report::sample::{Sample, untrusted};

/// Ten thousand messages between five peers, each read while others are under way.
fn many(count: u64) -> Play {
    let mut sample = Sample::empty();
    let names = ["alice", "bob", "carol", "dave", "erin"];
    sample.listen(&names);
    let mut under_way = std::collections::VecDeque::new();
    for number in 0..count {
        let from = usize::try_from(number % 5).expect("small");
        let to = (from + 1 + usize::try_from(number / 5 % 4).expect("small")) % 5;
        let text = format!("message number {number}");
        let (queued, _) = sample.after(700).send(names[from], Some(names[to]), &[names[to]], &text);
        under_way.push_back(queued[0]);
        if under_way.len() > 6 {
            let at = under_way.pop_front().expect("some");
            sample.after(300).recv(at);
        }
    }
    for at in under_way {
        sample.after(300).recv(at);
    }
    sample.end(0)
}

#[test]
fn ten_thousand_messages_are_less_than_a_megabyte() {
    let page = write(&many(10_000));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("<tr><td>").count(), 10_000);
}

#[test]
fn what_failed_stands_first() {
    let page = write(&Sample::graded().end(4));
    let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what} in {page}"));
    assert!(at("1 of 3 tests passed") < at("hobnob run demo.rhai --seed 7"));
    assert!(at("hobnob run demo.rhai --seed 7") < at("alice expected pong"));
    assert!(at("demo.rhai:12: alice.expect(&quot;pong&quot;);") < at("says hello"));
    assert!(page.contains("<path class=m d="), "the nearest miss is marked");
}

#[test]
fn one_run_one_page() {
    let mut sample = Sample::talk();
    sample.parted();
    let page = write(&sample.end(0));
    assert_eq!(page, write(&sample.end(0)));
    assert!(page.contains("partition carol | alice, bob"));
    assert!(page.contains("<path class=x d="));
    assert!(page.contains("× lost"));
}

#[test]
fn a_command_can_be_pasted() {
    let mut play = Sample::talk().end(0);
    for (script, shown) in [
        ("demo.rhai", Some("hobnob run demo.rhai --seed 7")),
        ("my demo.rhai", Some("hobnob run 'my demo.rhai' --seed 7")),
        ("-x", Some("hobnob run ./-x --seed 7")),
        ("$(rm -r ~)", Some("hobnob run '$(rm -r ~)' --seed 7")),
        ("", None),
    ] {
        play.head.script = untrusted(script);
        assert_eq!(command(&play).as_deref(), shown);
    }
    play.head.script = untrusted("a");
    play.head.world = WorldKind::Tcp;
    assert_eq!(command(&play).as_deref(), Some("hobnob run --tcp a --seed 7"));
}

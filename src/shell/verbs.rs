//! The verbs that a front end does itself: those that wait, show or set something. What the node
//! does is next door.

use std::time::Duration;

use crate::api::action::Action;
use crate::api::command::{Command, Dialect, PeerRef};
use crate::api::event::Who;
use crate::api::help;
use crate::api::reply::Reply;
use crate::api::settings::SETTINGS;
use crate::limits;
use crate::shell::batch::{self, Ended};
use crate::shell::failure::Failure;
use crate::shell::front::{Front, Manner};
use crate::shell::render::rounded;
use crate::text::escape_display;

/// Obeys an action that is no plain command, or a command of a batch that is waited for.
/// True when it led to `quit`.
pub(super) fn obey(
    front: &mut Front<'_>,
    action: Action,
    line: usize,
    manner: Manner,
) -> Result<bool, Failure> {
    let now = front.session.now().mono;
    match action {
        Action::Node(command) => {
            front.call(command)?;
        }
        Action::Connect { to, plain } => connect(front, to, plain)?,
        Action::Ping { peer, count } => ping(front, &peer, count)?,
        Action::Chat(peer) => {
            // Whoever cannot be meant is refused now, not at the first line.
            front
                .session
                .call(Command::Whois { peer: peer.clone() }, front.settings.timeout)
                .map_err(|error| Failure::Command { verb: "chat", error })?;
            front.out.news(&format!("every line goes to {peer} until /end"));
            front.chat = Some(peer);
        }
        Action::Expect { from, pattern, within } => {
            front.expect(from.as_ref(), &pattern, within.unwrap_or(limits::EXPECT))?;
        }
        Action::ExpectNone(patience) => {
            if manner == Manner::Prompt {
                // At a prompt everything shown is read.
                front.unread.clear();
            }
            expect_none(front, patience.unwrap_or(limits::EXPECT_NONE))?;
        }
        Action::Wait(patience) => drop(front.until(patience, |_| None::<()>)?),
        Action::Settle => settle(front)?,
        Action::Fault(fault) => {
            return Err(Failure::NotOurs(fault.verb()));
        }
        Action::Step(title) => front.out.say(now, "step", &format!("# {}", escape_display(&title))),
        Action::Run { path, args } => front.run(&path, args, manner)?,
        Action::Evaluate(text) => front.evaluate(text, line, manner)?,
        Action::Record(path) => front.record(path.as_deref())?,
        Action::Source(path) => return Ok(batch::source(front, &path)? == Ended::Quit),
        Action::Show(setting) => {
            let shown: Vec<_> = match setting {
                Some(setting) => vec![front.setting(setting)],
                None => SETTINGS.iter().map(|row| front.setting(row.setting)).collect(),
            };
            front.out.say(now, "reply", &shown.join("\n"));
        }
        Action::Set(change) => front.change(change),
        Action::Limits => {
            let rows = limits::table();
            let wide = longest(rows.iter().map(|row| row.0));
            let line = |(what, bound, why): &(&str, String, &str)| {
                format!("{what:<wide$}  {bound}\n{:wide$}    {why}", "")
            };
            front.out.say(now, "reply", &rows.iter().map(line).collect::<Vec<_>>().join("\n"));
        }
        Action::Clear if manner == Manner::Prompt => front.out.say(now, "reply", "\x1b[2J\x1b[H"),
        Action::Clear => {}
        Action::Menu => return Err(Failure::NoTerminal("menu")),
        Action::Help(None) => front.out.say(now, "reply", &help::overview()),
        Action::Help(Some(word)) => match help::page(&word) {
            Ok(page) => front.out.say(now, "reply", &page),
            Err(error) => return Err(Failure::Help(error)),
        },
    }
    Ok(false)
}

/// All at once, so that one that does not answer holds up no other.
fn connect(front: &mut Front<'_>, to: Vec<PeerRef>, plain: bool) -> Result<(), Failure> {
    if to.is_empty() {
        front.call(Command::ConnectKnown)?;
        return Ok(());
    }
    let dialect = plain.then_some(Dialect::Plain);
    let commands = to.into_iter().map(|to| Command::Connect { to, dialect });
    let requests: Vec<_> = commands.map(|command| front.submit(command)).collect();
    let mut failed = None;
    for request in requests {
        match front.answer(request, "connect") {
            Ok(_) => {}
            Err(Failure::Interrupted) => return Err(Failure::Interrupted),
            Err(failure) => {
                if let Some(first) = failed.replace(failure) {
                    front.complain(&first);
                }
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

fn ping(front: &mut Front<'_>, peer: &PeerRef, count: u32) -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..count {
        if let Reply::Pong(_, rtt) = front.call(Command::Ping { peer: peer.clone() })? {
            times.push(rtt);
        }
    }
    let total: Duration = times.iter().sum();
    if let (Some(least), Some(most), Ok(n @ 2..)) =
        (times.iter().min(), times.iter().max(), u32::try_from(times.len()))
    {
        let (least, mean, most) = (rounded(*least), rounded(total / n), rounded(*most));
        front.out.news(&format!("{n} round trips: least {least}, mean {mean}, most {most}"));
    }
    Ok(())
}

fn expect_none(front: &mut Front<'_>, patience: Duration) -> Result<(), Failure> {
    let arrived = front.until(patience, |front| (!front.unread.is_empty()).then_some(()))?;
    match arrived {
        None => Ok(()),
        Some(()) => {
            let anything = "*".parse().map_err(|_| Failure::Interrupted)?;
            let unread = front.unread.explain(|_: &Who| true, &anything);
            Err(Failure::Expectation(format!("expect-none: something arrived; {unread}")))
        }
    }
}

/// What is ours has arrived, and then nothing came for a while: of others' nodes no more is known.
fn settle(front: &mut Front<'_>) -> Result<(), Failure> {
    front.arrive()?;
    let until = front.session.now().mono.plus(limits::SETTLE);
    loop {
        let before = front.heard();
        front.until(limits::QUIET, |front| (front.heard() != before).then_some(()))?;
        if front.heard() == before || front.session.now().mono >= until {
            return Ok(());
        }
    }
}

fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

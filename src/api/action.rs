//! Everything that one line can ask for: what goes to the node as it is, and what the front end does
//! itself. An action prints as the line that asks for it.

use std::fmt;
use std::time::Duration;

use crate::api::command::{Command, Dialect, PeerRef, show};
use crate::api::fault::Fault;
use crate::api::pattern::Pattern;
use crate::api::settings::{Change, Setting};
use crate::api::value::peer_word;
use crate::api::words::{quote, quote_pattern, quote_text};
use crate::limits::LOG_LINES;

/// What to do. [`super::grammar::parse`] reads back what `Display` writes for every action that it
/// can make; commands that only programs give are written as the line that comes nearest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The node does it, and answers.
    Node(Command),
    /// Connect to each of these; to every known peer if there are none.
    Connect {
        /// To whom.
        to: Vec<PeerRef>,
        /// They are plain programs.
        plain: bool,
    },
    /// Measure round trips, one after the other.
    Ping {
        /// To whom.
        peer: PeerRef,
        /// How many.
        count: u32,
    },
    /// Send every line from now on to this peer.
    Chat(PeerRef),
    /// Wait for a message and take it, or fail.
    Expect {
        /// From whom; `None` for anybody.
        from: Option<PeerRef>,
        /// What it must look like.
        pattern: Pattern,
        /// How long; `None` for [`crate::limits::EXPECT`].
        within: Option<Duration>,
    },
    /// Fail if a message arrives within this time; `None` for [`crate::limits::EXPECT_NONE`].
    ExpectNone(Option<Duration>),
    /// Let time pass.
    Wait(Duration),
    /// Let everything in flight land.
    Settle,
    /// Do this to the network, or to a peer.
    Fault(Fault),
    /// A part of the script begins, under this title.
    Step(String),
    /// Run a script.
    Run {
        /// Its file.
        path: String,
        /// What it is given.
        args: Vec<String>,
    },
    /// Evaluate this in the script language and print what it gives.
    Evaluate(String),
    /// Write what is done from now on into this file, as a script; `None` to stop that.
    Record(Option<String>),
    /// Read lines from a file as if they were typed.
    Source(String),
    /// Show one setting, or all.
    Show(Option<Setting>),
    /// Change a setting.
    Set(Change),
    /// Show every bound.
    Limits,
    /// Clear the screen.
    Clear,
    /// Show the numbered menu.
    Menu,
    /// Explain a verb or a topic, or list all.
    Help(Option<String>),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(command) => write_command(f, command),
            Self::Connect { to, plain } => write_connect(f, to, *plain),
            Self::Ping { peer, count: 1 } => write!(f, "ping {}", peer_word(peer)),
            Self::Ping { peer, count } => write!(f, "ping -n {count} {}", peer_word(peer)),
            Self::Chat(peer) => write!(f, "chat {}", peer_word(peer)),
            Self::Expect { from, pattern, within } => {
                f.write_str("expect ")?;
                if let Some(within) = within {
                    write!(f, "--within {} ", show(*within))?;
                }
                let from = from.as_ref().map_or_else(|| "*".into(), peer_word);
                write!(f, "{from} {}", quote_pattern(pattern.as_str()))
            }
            Self::ExpectNone(None) => f.write_str("expect-none"),
            Self::ExpectNone(Some(within)) => write!(f, "expect-none {}", show(*within)),
            Self::Wait(duration) => write!(f, "wait {}", show(*duration)),
            Self::Settle => f.write_str("settle"),
            Self::Fault(fault) => fault.fmt(f),
            Self::Step(title) => write!(f, "step {}", quote_text(title)),
            Self::Run { path, args } => {
                write!(f, "run {}", quote(path))?;
                args.iter().try_for_each(|arg| write!(f, " {}", quote(arg)))
            }
            Self::Evaluate(script) => write!(f, "= {script}"),
            Self::Record(None) => f.write_str("record off"),
            Self::Record(Some(path)) => write!(f, "record {}", quote(path)),
            Self::Source(path) => write!(f, "source {}", quote(path)),
            Self::Show(None) => f.write_str("set"),
            Self::Show(Some(setting)) => write!(f, "set {}", setting.row().name),
            Self::Set(change) => write!(f, "set {change}"),
            Self::Limits => f.write_str("limits"),
            Self::Clear => f.write_str("clear"),
            Self::Menu => f.write_str("menu"),
            Self::Help(None) => f.write_str("help"),
            Self::Help(Some(topic)) => write!(f, "help {}", quote(topic)),
        }
    }
}

fn write_command(f: &mut fmt::Formatter<'_>, command: &Command) -> fmt::Result {
    match command {
        Command::Send { to, text, auto: _ } => {
            write!(f, "send {} {}", peer_word(to), quote_text(text.as_str()))
        }
        Command::Broadcast { text, auto: _ } => {
            write!(f, "broadcast {}", quote_text(text.as_str()))
        }
        Command::Reply { text } => write!(f, "reply {}", quote_text(text.as_str())),
        Command::Peers { known: false } => f.write_str("peers"),
        Command::Peers { known: true } => f.write_str("peers --known"),
        Command::Connect { to, dialect } => {
            let plain = *dialect == Some(Dialect::Plain);
            write_connect(f, std::slice::from_ref(to), plain)
        }
        Command::ConnectKnown => write_connect(f, &[], false),
        Command::Keep { address } => write_connect(f, &[PeerRef::At(address.clone())], false),
        Command::Disconnect { peer: None } => f.write_str("disconnect --all"),
        Command::Disconnect { peer: Some(peer) } => write!(f, "disconnect {}", peer_word(peer)),
        Command::Ping { peer } => write!(f, "ping {}", peer_word(peer)),
        Command::Whois { peer } => write!(f, "whois {}", peer_word(peer)),
        Command::Alias { name, peer } => write!(f, "alias {name} {}", peer_word(peer)),
        Command::Trust { peer } => write!(f, "trust {}", peer_word(peer)),
        Command::TrustReplace { peer, key } => {
            write!(f, "trust {} --replace {}", peer_word(peer), quote(key))
        }
        Command::TrustForget { peer } => write!(f, "trust {} --forget", peer_word(peer)),
        Command::Log { peer, last, find } => {
            f.write_str("log")?;
            if let Some(find) = find {
                write!(f, " --find {}", quote(find))?;
            }
            if *last != LOG_LINES {
                write!(f, " -n {last}")?;
            }
            peer.iter().try_for_each(|peer| write!(f, " {}", peer_word(peer)))
        }
        Command::Ignore { peer } => write!(f, "ignore {}", peer_word(peer)),
        Command::Unignore { peer } => write!(f, "unignore {}", peer_word(peer)),
        Command::Me { name: None } => f.write_str("me"),
        Command::Me { name: Some(name) } => write!(f, "me {name}"),
        Command::Status => f.write_str("status"),
        Command::Quit => f.write_str("quit"),
    }
}

fn write_connect(f: &mut fmt::Formatter<'_>, to: &[PeerRef], plain: bool) -> fmt::Result {
    f.write_str(if plain { "connect --classic" } else { "connect" })?;
    to.iter().try_for_each(|peer| write!(f, " {}", peer_word(peer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_prints_as_its_line() {
        let bob = || PeerRef::Word("bob".into());
        let pattern: Pattern = "/got \\d+/".parse().expect("a regex");
        for (action, line) in [
            (
                Action::Expect { from: None, pattern, within: Some(Duration::from_millis(1_500)) },
                "expect --within 1500ms * /got \\d+/",
            ),
            (
                Action::Connect { to: vec![bob(), PeerRef::Word("my peer".into())], plain: true },
                "connect --classic bob 'my peer'",
            ),
            (Action::Node(Command::ConnectKnown), "connect"),
            (Action::Ping { peer: bob(), count: 3 }, "ping -n 3 bob"),
        ] {
            assert_eq!(action.to_string(), line);
        }
    }
}

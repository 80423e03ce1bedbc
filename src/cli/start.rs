//! Starts a node on sockets and gives it a front end: a prompt, a batch from `-c` or a pipe, or
//! `tail`. Decides which, and turns how it ended into an exit.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::api::command::{Command, Dialect};
use crate::api::exit::Exit;
use crate::api::settings::{Color, Settings};
use crate::cli::args::{Args, Flags, Verb};
use crate::cli::home::Home;
use crate::cli::keeping::Kept;
use crate::cli::{keeping, prompt, scripts};
use crate::guest::Outside;
use crate::id::Name;
use crate::limits;
use crate::live::world::Loopback;
use crate::live::{self, Listen, Live, OpenError};
use crate::node::io::Config;
use crate::rng::{Rng, Seed};
use crate::session::{Bell, Session};
use crate::shell::batch::{self, Ended};
use crate::shell::failure::Failure;
use crate::shell::feed::Feed;
use crate::shell::front::Front;
use crate::shell::output::{Output, Stdout, complain};
use crate::shell::render::Look;
use crate::shell::signals;
use crate::shell::tail;
use crate::time::Mono;
use crate::world::World;

/// What kind of front end it is to be.
enum Kind {
    Prompt,
    Lines(Vec<String>),
    Pipe,
    Tail(Option<u64>),
}

/// Runs what the command line asks for, to its end.
pub(super) fn run(args: Args) -> Exit {
    let Args { mut name, mut port, commands, flags, verb } = args;
    let terminal = std::io::stdin().is_terminal();
    let kind = match verb {
        Some(Verb::Tail { count, name: own_name, port: own_port }) => {
            name = own_name.or(name);
            port = own_port.or(port);
            Kind::Tail(count)
        }
        _ if !commands.is_empty() => Kind::Lines(commands),
        _ if terminal && !flags.json => Kind::Prompt,
        _ => Kind::Pipe,
    };
    if matches!(kind, Kind::Prompt) {
        signals::resize_apart();
    }
    let name = name.unwrap_or_else(login_name);
    if let (Some(port), Some((_, Some(other)))) = (port, flags.listen)
        && port != other
    {
        complain(&format!("hobnob: port {port} and --listen with port {other} contradict each other"));
        return Exit::Usage;
    }
    let home = Home::new(flags.data.clone(), flags.ephemeral, name);
    let started = start(name, port, &flags, &home, &kind);
    let (mut live, kept) = match started {
        Ok(started) => started,
        Err(error) => {
            complain(&format!("hobnob: {error}"));
            return Exit::Runtime;
        }
    };
    // From here on a signal ends things in good order.
    let interrupted = Arc::new(AtomicBool::new(false));
    signals::watch(Arc::clone(&interrupted), live.bell());
    let bell = live.bell();
    let addr = live.listens(0);
    let exit = match kind {
        Kind::Prompt => prompt::run(&mut live, &flags, &home, kept, interrupted),
        Kind::Tail(count) => with_front(&mut live, &flags, true, interrupted, |front| {
            front.listens(addr);
            front.keeps = kept.keeps;
            keep(front, &flags);
            tail::run(front, count, flags.timeout)
        }),
        Kind::Lines(lines) => with_front(&mut live, &flags, flags.verbose, interrupted, |front| {
            front.keeps = kept.keeps;
            keep(front, &flags);
            let result = batch::run(front, &lines);
            ended(front, "-c", result)
        }),
        Kind::Pipe => with_front(&mut live, &flags, true, interrupted, |front| {
            front.listens(addr);
            front.keeps = kept.keeps;
            keep(front, &flags);
            let result = batch::run_feed(front, &mut Feed::stdin(bell));
            ended(front, "stdin", result)
        }),
    };
    live.drain(LAST_BYTES);
    exit
}

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Live(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] crate::store::sqlite::OpenError),
}

/// Takes the data folder, binds, and brings up the node.
fn start(
    name: Name,
    port: Option<u16>,
    flags: &Flags,
    home: &Home,
    kind: &Kind,
) -> Result<(Live, Kept), StartError> {
    let mut live = Live::new()?;
    let mut rng = Rng::new(Seed::from_os().map_err(|error| OpenError::Random(error.to_string()))?);
    let keeping = keeping::open(home, flags, &live, &mut rng)?;
    let mut config = Config::new(name);
    config.dialect = if flags.classic { Dialect::Plain } else { Dialect::Native };
    config.hear_plain = !flags.no_classic;
    // One command is for one thing; whoever stays finds everybody again.
    config.sheltered = true;
    config.recalls = !matches!(kind, Kind::Lines(_));
    let prompt = matches!(kind, Kind::Prompt);
    config.links_max = live::links_max(if prompt { limits::LINKS_PROMPT_MAX } else { limits::LINKS_MAX });
    let listen = match flags.listen {
        Some((ip, own)) => Listen::At(SocketAddr::new(ip, port.or(own).unwrap_or(0))),
        None => Listen::All { port: port.unwrap_or(0) },
    };
    live.start(config, keeping.keys, rng.fork(), listen, keeping.store)?;
    Ok((live, keeping.kept))
}

/// Gives the node a front end that writes to standard output, and says goodbye after it.
pub(super) fn with_front(
    live: &mut Live,
    flags: &Flags,
    news: bool,
    interrupted: Arc<AtomicBool>,
    run: impl FnOnce(&mut Front<'_>) -> Exit,
) -> Exit {
    let (name, bell) = (live.name(0), live.bell());
    let mut face = live.face(0);
    let output = output(name, face.now().mono, flags, news);
    let mut front = Front::new(&mut face, name, output, settings(flags), interrupted);
    front.allow_scripts(outside(bell));
    let exit = run(&mut front);
    front.leave();
    front.end(exit)
}

/// What scripts at a front end are given: a world of loopback for everybody but the front end's own
/// peer, which is on the network already.
pub(super) fn outside(bell: Bell) -> Outside {
    let world = |seed| {
        let world = Loopback::new(seed).map_err(|error| error.to_string())?;
        let bell = world.bell();
        Ok((Box::new(world) as Box<dyn World>, bell))
    };
    Outside { world: Arc::new(world), bell, effort: scripts::effort }
}

fn output(name: Name, now: Mono, flags: &Flags, news: bool) -> Output {
    let sink = Box::new(Stdout::default());
    if flags.json {
        return Output::json(sink, name, now);
    }
    Output::text(sink, look(flags, news), flags.quiet)
}

pub(super) fn look(flags: &Flags, news: bool) -> Look {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let auto_color = std::io::stdout().is_terminal() && !dumb && !unwanted;
    let color = Color::from(flags.color).is_on(auto_color);
    Look { color, auto_color, times: false, receipts: true, news, details: flags.verbose }
}

pub(super) fn settings(flags: &Flags) -> Settings {
    let mut settings = Settings { color: flags.color.into(), ..Settings::default() };
    if let Some(timeout) = flags.timeout {
        settings.timeout = timeout;
    }
    settings
}

/// Dials what is to be kept, and gives each a first chance, so that the first line of a batch finds
/// them connected. Those that do not answer are told of, and tried again while we run.
fn keep(front: &mut Front<'_>, flags: &Flags) {
    let commands = flags.peers.iter().map(|address| Command::Keep { address: address.clone() });
    front.keep(commands.collect());
}

fn ended(front: &mut Front<'_>, what: &str, result: Result<Ended, batch::Stopped>) -> Exit {
    match result {
        Ok(Ended::Out | Ended::Quit) => Exit::Done,
        Err((_, failure @ (Failure::Gone | Failure::Interrupted))) => failure.exit(),
        Err((line, failure)) => {
            front.stopped(&format!("{what}:{line}"), &failure);
            failure.exit()
        }
    }
}

fn login_name() -> Name {
    let login = ["USER", "LOGNAME"].iter().find_map(|variable| std::env::var(variable).ok());
    Name::claimed(login.as_deref().unwrap_or("guest"), "me")
}

/// How long the other side may take to close once goodbye is said to it.
const LAST_BYTES: Duration = Duration::from_secs(1);

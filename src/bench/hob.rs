//! Real nodes for the workloads, used as any front end uses them: a `Live` that hosts them, a
//! `Session` for each, nothing kept. Nothing here reaches behind that door.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::api::command::{Command, CommandError, Dialect, PeerRef};
use crate::api::event::What;
use crate::api::reply::Reply;
use crate::bench::{Fault, durable};
use crate::id::{Name, PeerId};
use crate::key::Keys;
use crate::limits;
use crate::limits::doors::{DOORS, Doors, Rate, Row};
use crate::live::{Face, Listen, Live};
use crate::node::io::Config;
use crate::rng::Seed;
use crate::session::Session;
use crate::store::{Ephemeral, Sqlite, Store};

/// Longest wait for anything.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Nobody yet.
pub(super) fn live() -> Result<Live, Fault> {
    Live::new().map_err(|error| Fault::Wrong(error.to_string()))
}

/// Starts a node with keys of its own; a listening one takes whatever port is free.
pub(super) fn start(live: &mut Live, name: &str, listening: bool) -> Result<usize, Fault> {
    let name = Name::new(name).map_err(|error| Fault::Wrong(error.to_string()))?;
    let mut config = Config::new(name);
    config.links_max = limits::LINKS_MAX.max(1 << 20);
    // The doors are there, as for everybody, and wide enough: all of this comes from one machine.
    config.doors = Some(wide());
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listen = if listening { Listen::At(here) } else { Listen::Nowhere };
    let store: Box<dyn Store> = match durable::folder() {
        None => Box::new(Ephemeral::default()),
        Some(folder) => {
            let store = Sqlite::open(folder.path(), live.store_bell());
            Box::new(store.map_err(|error| Fault::Wrong(error.to_string()))?)
        }
    };
    live.start(config, Keys::from_seed(seed()?), seed()?, listen, store)
        .map_err(|error| Fault::Wrong(error.to_string()))
}

fn wide() -> Doors {
    let loopback = Row {
        strangers: 1 << 20,
        handshakes: 1 << 20,
        handshake_rate: Rate { every: Duration::from_micros(1), burst: 1 << 20 },
        links: 1 << 20,
        ..DOORS.loopback
    };
    Doors { loopback, ..DOORS }
}

/// Where it listens, as a number to tell.
pub(super) fn port(live: &Live, at: usize) -> u64 {
    live.listens(at).map_or(0, |addr| addr.port().into())
}

/// The command that connects to a port of this machine.
pub(super) fn connect(port: u64) -> Command {
    let port = u16::try_from(port).unwrap_or(0);
    let to = PeerRef::At(SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into());
    Command::Connect { to, dialect: Some(Dialect::Native) }
}

/// Connects, and says to whom.
pub(super) fn connected(face: &mut Face<'_>, port: u64) -> Result<PeerId, Fault> {
    match face.call(connect(port), PATIENCE) {
        Ok(Reply::Connected { who, .. }) => Ok(who.id),
        other => Err(Fault::Wrong(format!("connecting gave {other:?}"))),
    }
}

/// Waits until `n` peers have joined, and says who.
pub(super) fn joined(face: &mut Face<'_>, n: u64) -> Result<Vec<PeerId>, Fault> {
    let mut peers = Vec::new();
    while (peers.len() as u64) < n {
        match face.take_event().map(|event| event.what) {
            Some(What::Joined { who, .. }) => peers.push(who.id),
            Some(other) => return Err(odd(&other)),
            None => wait(face)?,
        }
    }
    Ok(peers)
}

/// Waits for news.
pub(super) fn wait(face: &mut Face<'_>) -> Result<(), Fault> {
    if face.wait(PATIENCE) { Ok(()) } else { Err(Fault::Wrong("nothing came for 20 s".into())) }
}

/// Lets the nodes live on until the parent ends the process: a link that broke would be news to the
/// other side, which may still be counting.
pub(super) fn rest(live: &mut Live) -> ! {
    loop {
        live.wait(PATIENCE);
    }
}

/// Says goodbye and lets it out.
pub(super) fn quit(live: &mut Live, at: usize) -> Result<(), Fault> {
    let reply = live.face(at).call(Command::Quit, PATIENCE);
    live.drain(PATIENCE);
    reply.map(drop).map_err(|error| refused(&error))
}

/// A command was refused that should not be.
pub(super) fn refused(error: &CommandError) -> Fault {
    Fault::Wrong(error.to_string())
}

/// An event that has no place in a workload.
pub(super) fn odd(what: &What) -> Fault {
    Fault::Wrong(format!("unexpected: {what:?}"))
}

fn seed() -> Result<Seed, Fault> {
    Seed::from_os().map_err(|error| Fault::Wrong(error.to_string()))
}

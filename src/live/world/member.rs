//! The lives of those who were cast: a program starts on its port with what its disk remembers, dies
//! or leaves in good order, and starts anew. Its key, its port and its disk stay.

use rustix::net::{AddressFamily, SocketType, bind, getsockname, sockopt};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use crate::key::Keys;
use crate::live::due::Whose;
use crate::live::host::{Host, Keeping};
use crate::live::listen::Listener;
use crate::live::open::OpenError;
use crate::live::slab::Thing;
use crate::live::world::disk::Disk;
use crate::live::{Live, Token};
use crate::node::Node;
use crate::node::io::Config;
use crate::rng::{Rng, Seed};
use crate::time::Now;

/// What a program of the cast takes to start anew.
pub(in crate::live) struct Life {
    keys: Keys,
    config: Config,
    /// A seed for each life.
    lives: Rng,
    /// Keeps the port from others while nobody listens there.
    _port: Option<OwnedFd>,
}

impl Live {
    /// Starts a program of the cast on a port of its own.
    pub(super) fn cast(&mut self, mut config: Config, seed: Seed) -> Result<usize, OpenError> {
        let at = self.hosts.len();
        let (port, listener) = open_port(at)?;
        let addr = listener.addr();
        let listener = self.listen(listener)?;
        (config.listens, config.keeps) = (Some(addr), true);
        let mut rng = Rng::of_name(seed, config.name.as_str());
        let (keys, mut lives) = (Keys::from_seed(rng.fork()), Rng::new(rng.fork()));
        let mut disk = Disk::default();
        let node = Node::new(config.clone(), keys.clone(), disk.load(), lives.fork());
        let life = Some(Box::new(Life { keys, config, lives, _port: port }));
        let host = Host::new(node, Keeping::Disk(Box::new(disk)), life);
        let host = Host { listens: Some(addr), listener: Some(listener), ..host };
        if let Some(net) = &mut self.net {
            net.members.insert(addr, at);
        }
        Ok(self.add(host))
    }

    /// The program dies at once. Its system closes its sockets as they are.
    pub(in crate::live) fn crash(&mut self, at: usize) {
        // Whoever waits is to see that before anything that comes of it.
        self.news += 1;
        self.stop(at);
        let of_it = |(_, thing): &(Token, &mut Thing)| match thing {
            Thing::Stream(stream) => stream.host() == at,
            _ => false,
        };
        for (token, thing) in self.things.all().filter(of_it) {
            if let Thing::Stream(stream) = thing {
                stream.kill();
                // Its place is free once somebody has looked there, which may be who is there now.
                self.ready.push(token);
            }
        }
    }

    /// The program ends in good order: what it wrote still goes out.
    pub(in crate::live) fn leave(&mut self, at: usize, now: Now) {
        for token in self.stop(at) {
            if let Some(stream) = self.things.stream(token) {
                stream.close(now.mono);
                self.ready.push(token);
            }
        }
    }

    /// Nothing runs and listens there any more. Gives its open streams.
    fn stop(&mut self, at: usize) -> Vec<Token> {
        let host = &mut self.hosts[at];
        (host.node, host.fuse) = (None, None);
        if let Keeping::Disk(disk) = &mut host.store {
            disk.lose();
        }
        let (listener, streams) = (host.listener.take(), std::mem::take(&mut host.streams));
        self.due.arm(Whose::Host(at), &mut host.armed, None);
        if let Some(token) = listener {
            self.forget(token);
        }
        streams.into_values().collect()
    }

    /// The program starts anew, where it was.
    pub(super) fn restart(&mut self, at: usize) -> Result<(), OpenError> {
        let (Some(addr), true) = (self.hosts[at].listens, self.hosts[at].life.is_some()) else {
            return Ok(());
        };
        let listener = self.listen(Listener::bind(addr, at)?)?;
        let host = &mut self.hosts[at];
        host.listener = Some(listener);
        if let Some(life) = &mut host.life {
            let (config, keys, seed) = (life.config.clone(), life.keys.clone(), life.lives.fork());
            host.node = Some(Node::new(config, keys, host.store.load(), seed));
        }
        self.stir(at);
        Ok(())
    }
}

/// A free port of this machine, with what keeps it ours while nobody listens there.
fn open_port(at: usize) -> Result<(Option<OwnedFd>, Listener), OpenError> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (port, addr) = reserve().map_err(|source| OpenError::Listen { addr: any, source })?;
    match Listener::bind(addr, at) {
        Ok(listener) => Ok((Some(port), listener)),
        // Not every system lets a port be kept so.
        Err(_) => {
            drop(port);
            Ok((None, Listener::bind(any, at)?))
        }
    }
}

/// A socket that has a port and does not listen: dials are refused there, and the system gives the
/// port to nobody else.
fn reserve() -> io::Result<(OwnedFd, SocketAddr)> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    let addr = SocketAddr::try_from(getsockname(&socket)?)?;
    Ok((socket, addr))
}

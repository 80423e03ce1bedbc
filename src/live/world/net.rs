//! What lies between the nodes of a cast: the network's faults, who listens where, and the relays
//! whose far ends nobody has accepted yet. Sees to dials within the cast: they knock, are answered
//! or refused, and get a relay. What a stream is for is not asked here.

use mio::net::TcpStream;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::addr::{Address, Host};
use crate::id::LinkId;
use crate::limits;
use crate::live::dial::established;
use crate::live::ready::Token;
use crate::live::slab::Thing;
use crate::live::stream::Stream;
use crate::live::world::relay::{Relay, Stage, Wire};
use crate::live::{Live, why};
use crate::node::io::Input;
use crate::rng::{Rng, Seed};
use crate::time::{Mono, Now};
use crate::why::Why;
use crate::world::PeerNo;
use crate::world::fault::{Fault, Gate};

/// The network of a cast.
pub(in crate::live) struct Net {
    pub(super) fault: Fault,
    pub(super) members: BTreeMap<SocketAddr, usize>,
    /// By the listening host and our own end of the socket.
    unclaimed: BTreeMap<(usize, SocketAddr), Wire>,
    relays: u64,
    rng: Rng,
}

impl Net {
    pub(super) fn new(seed: Seed) -> Self {
        Self {
            fault: Fault::default(),
            members: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            relays: 0,
            rng: Rng::new(seed),
        }
    }

    /// Which of the cast listens at an address.
    pub(in crate::live) fn member_at(&self, to: &Address) -> Option<(usize, SocketAddr)> {
        let addr = match &to.host {
            Host::Ip(ip) => SocketAddr::new(*ip, to.port),
            Host::Name(name) if name == "localhost" => SocketAddr::from((Ipv4Addr::LOCALHOST, to.port)),
            Host::Name(_) => return None,
        };
        self.members.get(&addr).map(|at| (*at, addr))
    }
}

impl Live {
    /// A dial from one of the cast to another.
    pub(in crate::live) fn dial_member(
        &mut self,
        at: usize,
        link: LinkId,
        target: usize,
        to: SocketAddr,
        now: Now,
    ) {
        let Some(net) = &mut self.net else { return };
        net.relays += 1;
        let (relay, far, stream) = (self.things.reserve(), self.things.reserve(), self.things.reserve());
        let ends = [PeerNo(at), PeerNo(target)];
        let mut made = Box::new(Relay::new(net.relays, far, ends, to, &mut net.rng));
        let travel = made.pipes[1].travel(&net.fault.shape(ends[0], ends[1]));
        (made.stage, made.until) = (Stage::Knocking(now.mono.plus(travel)), now.mono.plus(limits::DIAL));
        made.sides[0].stream = Some(stream);
        let wire = Wire { relay, no: made.no, side: 0 };
        self.things.put(relay, Thing::Relay(made));
        self.things.put(far, Thing::Far(relay));
        self.things.put(stream, Thing::Stream(Box::new(Stream::relayed(at, link, wire))));
        self.hosts[at].streams.insert(link, stream);
        self.ready.push(relay);
    }

    /// Somebody has connected to one of the cast: which relay it is, if it is one.
    pub(in crate::live) fn claim(&mut self, at: usize, remote: SocketAddr, stream: Token) -> Option<Wire> {
        let wire = self.net.as_mut()?.unclaimed.remove(&(at, remote))?;
        let relay = self.things.relay(wire.relay).filter(|relay| relay.no == wire.no)?;
        relay.sides[1].stream = Some(stream);
        self.ready.push(wire.relay);
        Some(wire)
    }

    /// Nobody will accept the far end of this relay any more.
    pub(in crate::live) fn unclaim(&mut self, no: u64) {
        if let Some(net) = &mut self.net {
            net.unclaimed.retain(|_, wire| wire.no != no);
        }
    }

    /// A stream at one end of a relay is no more.
    pub(in crate::live) fn end_is_gone(&mut self, wire: Wire) {
        if let Some(relay) = self.things.relay(wire.relay).filter(|relay| relay.no == wire.no) {
            let side = &mut relay.sides[wire.side];
            (side.stream, side.gone) = (None, true);
            self.ready.push(wire.relay);
        }
    }

    /// Something may pass that could not, or in another way: all relays are looked at.
    pub(super) fn wake_relays(&mut self) {
        let relays = self.things.view().filter(|(_, thing)| matches!(thing, Thing::Relay(_)));
        for token in relays.map(|(token, _)| token).collect::<Vec<_>>() {
            self.ready.push(token);
        }
    }

    /// Does what is to be done at a relay. False when nothing is left of it.
    pub(in crate::live) fn attend_relay(&mut self, token: Token, now: Now) -> bool {
        let Some(mut relay) = self.things.take_relay(token) else { return true };
        let mut alive = self.dialling(token, &mut relay, now);
        if alive && relay.stage == Stage::Open {
            let heard = relay.sides.each_ref().map(|side| {
                let stream = side.stream.and_then(|stream| self.things.peek(stream));
                stream.map_or(0, |stream| stream.counts().1)
            });
            if let Some(net) = &self.net {
                alive = relay.pump(now.mono, &net.fault, heard, &mut self.scratch);
            }
            if relay.wants_more() {
                self.ready.push(token);
            }
        }
        self.things.put(token, Thing::Relay(relay));
        alive
    }

    /// Takes a dial as far as it goes now. False when it has failed.
    fn dialling(&mut self, token: Token, relay: &mut Relay, now: Now) -> bool {
        while relay.stage != Stage::Open {
            if relay.sides[0].gone {
                relay.reset();
                return false;
            }
            if now.mono >= relay.until {
                return self.dial_ended(relay, now, Why::TimedOut);
            }
            relay.next = Some(relay.until);
            let done = match relay.stage {
                Stage::Connecting => match relay.sides[1].tcp.as_ref().and_then(established) {
                    None => return true,
                    Some(Err(why)) => Err(why),
                    Some(Ok(_)) => {
                        relay.stage = Stage::Answered(now.mono.plus(self.travel(relay)));
                        Ok(())
                    }
                },
                Stage::Refused(at) if at <= now.mono => Err(Why::Refused),
                Stage::Refused(at) => {
                    relay.due(at);
                    return true;
                }
                Stage::Knocking(at) | Stage::Answered(at) => {
                    if !self.may_pass(relay, at, now.mono) {
                        return true;
                    }
                    match relay.stage {
                        Stage::Knocking(_) => self.knock(token, relay, now.mono),
                        _ => self.answer(token, relay, now),
                    }
                }
                Stage::Open => Ok(()),
            };
            if let Err(why) = done {
                return self.dial_ended(relay, now, why);
            }
        }
        true
    }

    /// Whether the next word of a dial gets through; if not, the relay knows when to ask again.
    fn may_pass(&self, relay: &mut Relay, at: Mono, now: Mono) -> bool {
        let Some(net) = &self.net else { return false };
        match net.fault.gate_both(relay.ends[0], relay.ends[1], now) {
            Gate::Open if at <= now => return true,
            Gate::Open => relay.due(at),
            Gate::Until(open) => relay.due(open.max(at)),
            // TCP knocks again when the way is free.
            Gate::Shut => {}
        }
        false
    }

    /// How long the next word of a dial takes.
    fn travel(&self, relay: &mut Relay) -> Duration {
        let shape = self.net.as_ref().map(|net| net.fault.shape(relay.ends[0], relay.ends[1]));
        relay.pipes[1].travel(&shape.unwrap_or_default())
    }

    /// The dial reaches the other side.
    fn knock(&mut self, token: Token, relay: &mut Relay, now: Mono) -> Result<(), Why> {
        let PeerNo(target) = relay.ends[1];
        let refuses = self.net.as_ref().is_none_or(|net| net.fault.refuses(relay.ends[1]));
        if refuses || self.hosts[target].listener.is_none() {
            relay.stage = Stage::Refused(now.plus(self.travel(relay)));
            return Ok(());
        }
        let connected = TcpStream::connect(relay.to).and_then(|mut tcp| {
            self.ready.watch(&mut tcp, relay.far)?;
            Ok((tcp.local_addr()?, tcp))
        });
        let (local, tcp) = connected.map_err(|error| why(&error))?;
        if let Some(net) = &mut self.net {
            let wire = Wire { relay: token, no: relay.no, side: 1 };
            net.unclaimed.insert((target, local), wire);
        }
        relay.sides[1].tcp = Some(tcp);
        relay.stage = Stage::Connecting;
        Ok(())
    }

    /// The answer reaches the dialler: its stream is up.
    fn answer(&mut self, token: Token, relay: &mut Relay, now: Now) -> Result<(), Why> {
        let place = relay.sides[0].stream;
        let waits = |stream: &&mut Stream| !stream.is_closing();
        let Some((place, stream)) = place.and_then(|at| Some((at, self.things.stream(at).filter(waits)?)))
        else {
            // It will be gone in its turn.
            relay.stage = Stage::Answered(relay.until);
            return Ok(());
        };
        let made = pair().and_then(|(mut theirs, mut ours)| {
            self.ready.watch(&mut ours, token)?;
            self.ready.watch(&mut theirs, place)?;
            Ok((theirs.local_addr()?, theirs, ours))
        });
        let (local, theirs, ours) = made.map_err(|error| why(&error))?;
        stream.came_up(theirs);
        let (host, link) = (stream.host(), stream.link());
        relay.sides[0].tcp = Some(ours);
        relay.stage = Stage::Open;
        self.ready.push(place);
        self.give(host, now, Input::Opened { link, remote: relay.to, local });
        self.write_queued(now);
        Ok(())
    }

    /// A dial has come to nothing; gives false.
    fn dial_ended(&mut self, relay: &mut Relay, now: Now, why: Why) -> bool {
        relay.reset();
        if let Some(place) = relay.sides[0].stream {
            self.break_off(place, now, why);
        }
        false
    }

    /// The stream there ends at once, whatever the system still has to say of it.
    fn break_off(&mut self, place: Token, now: Now, why: Why) {
        self.ended(place, now, why);
        if let Some(stream) = self.things.stream(place) {
            stream.kill();
            self.ready.push(place);
        }
    }

    /// Both ends of every stream between two hosts see a reset now, as in the imaginary world, and not
    /// when the system gets round to it; what is under way is lost.
    pub(super) fn reset_between(&mut self, a: PeerNo, b: PeerNo, now: Now) {
        for token in self.between(a, b) {
            let Some(mut relay) = self.things.take_relay(token) else { continue };
            match relay.stage {
                Stage::Open | Stage::Connecting | Stage::Answered(_) => {
                    relay.reset();
                    for place in relay.sides.iter().filter_map(|side| side.stream) {
                        self.break_off(place, now, Why::Reset);
                    }
                }
                Stage::Knocking(_) | Stage::Refused(_) => {
                    self.things.put(token, Thing::Relay(relay));
                    continue;
                }
            }
            self.things.put(token, Thing::Relay(relay));
            self.forget(token);
        }
    }

    /// Every stream between two hosts becomes a hole.
    pub(super) fn half_open_between(&mut self, a: PeerNo, b: PeerNo) {
        for token in self.between(a, b) {
            if let Some(relay) = self.things.relay(token) {
                relay.hole = relay.stage == Stage::Open;
            }
        }
    }

    fn between(&self, a: PeerNo, b: PeerNo) -> Vec<Token> {
        let is_between = |thing: &Thing| match thing {
            Thing::Relay(relay) => relay.ends == [a, b] || relay.ends == [b, a],
            _ => false,
        };
        self.things.view().filter(|(_, thing)| is_between(thing)).map(|(token, _)| token).collect()
    }
}

/// Two sockets that are connected. It asks nobody but this machine's own system, which answers at
/// once, so it may be waited for; a stranger who gets there first is passed over.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = std::net::TcpStream::connect(listener.local_addr()?)?;
    let here = one.local_addr()?;
    let other = loop {
        let (other, remote) = listener.accept()?;
        if remote == here {
            break other;
        }
    };
    for tcp in [&one, &other] {
        tcp.set_nodelay(true)?;
        tcp.set_nonblocking(true)?;
    }
    Ok((TcpStream::from_std(one), TcpStream::from_std(other)))
}

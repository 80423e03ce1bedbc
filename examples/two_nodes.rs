//! Two nodes in memory, without a socket and without a clock: what one asks to be written is handed
//! to the other, byte for byte. This is all that a driver has to do.
//!
//!     cargo run --example two_nodes
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::net::SocketAddr;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::event::What;
use hobnob::id::{LinkId, Name, RequestId};
use hobnob::key::Keys;
use hobnob::node::Node;
use hobnob::node::io::{Config, Effect, Input};
use hobnob::node::record::Snapshot;
use hobnob::rng::Seed;
use hobnob::text::Body;
use hobnob::time::Now;

/// A node, what it wants, and the one stream that it has: alice dials it, bob accepts it.
struct Side {
    name: &'static str,
    node: Node,
    effects: Vec<Effect>,
    link: LinkId,
    addr: SocketAddr,
}

fn side(
    name: &'static str,
    number: u64,
    link: LinkId,
    port: u16,
) -> Result<Side, Box<dyn std::error::Error>> {
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    // Without a store, nothing is asked to be saved.
    let config = Config { listens: Some(addr), keeps: false, ..Config::new(Name::new(name)?) };
    let keys = Keys::from_seed(Seed::from_number(number));
    let node = Node::new(config, keys, Snapshot::default(), Seed::from_number(number + 100));
    Ok(Side { name, node, effects: Vec::new(), link, addr })
}

impl Side {
    fn give(&mut self, input: Input<'_>) {
        self.node.handle(Now::default(), input, &mut self.effects);
    }

    /// What it wants now, the end of its turn included.
    fn wishes(&mut self) -> Vec<Effect> {
        let mut wishes = std::mem::take(&mut self.effects);
        loop {
            self.node.flush(&mut self.effects);
            if self.effects.is_empty() {
                return wishes;
            }
            wishes.append(&mut self.effects);
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut alice = side("alice", 1, LinkId::dialled(1), 5_000)?;
    let mut bob = side("bob", 2, LinkId::accepted(1), 5_001)?;
    let to = PeerRef::At(bob.addr.into());
    let text = Body::new("hello, without a socket")?;
    alice.give(Input::Command { request: RequestId(1), command: Command::Send { to, text, auto: false } });
    // Until neither wants anything more.
    loop {
        let moved = perform(&mut alice, &mut bob) | perform(&mut bob, &mut alice);
        if !moved {
            return Ok(());
        }
    }
}

/// Does what one side wants; false if it wants nothing.
fn perform(own: &mut Side, other: &mut Side) -> bool {
    let wishes = own.wishes();
    let moved = !wishes.is_empty();
    for wish in wishes {
        match wish {
            Effect::Dial { link, .. } => {
                own.link = link;
                own.give(Input::Opened { link, remote: other.addr, local: own.addr });
                other.give(Input::Opened { link: other.link, remote: own.addr, local: other.addr });
            }
            Effect::Write { link, bytes } => {
                other.give(Input::Received { link: other.link, bytes: &bytes });
                own.give(Input::Flushed { link, count: bytes.len() });
            }
            Effect::Emit(event) => match event.what {
                What::Joined { who, .. } => println!("{}: {} joined", own.name, who.name),
                What::Message(message) => {
                    println!("{}: {} says {}", own.name, message.from.name, message.text.display());
                }
                What::Delivered { to, last, .. } => println!("{}: {} has #{last}", own.name, to.name),
                _ => {}
            },
            Effect::Reply { result: Err(error), .. } => println!("{}: {error}", own.name),
            Effect::Reply { .. }
            | Effect::Save { .. }
            | Effect::Load { .. }
            | Effect::Finish { .. }
            | Effect::Close { .. }
            | Effect::Cut { .. }
            | Effect::Pause { .. } => {}
        }
    }
    moved
}

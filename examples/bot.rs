//! A bot in Rust over real sockets: it listens on this machine, answers whoever writes, and leaves
//! when somebody says "bye". Without arguments it brings its own visitor, so that there is something
//! to see; with a port it waits for yours: `hobnob -c 'send :5000 hello'`.
//!
//!     cargo run --example bot
//!     cargo run --example bot -- 5000
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::net::SocketAddr;
use std::time::Duration;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::event::What;
use hobnob::id::Name;
use hobnob::key::Keys;
use hobnob::live::{Listen, Live};
use hobnob::node::io::Config;
use hobnob::rng::{Rng, Seed};
use hobnob::session::Session;
use hobnob::store::Ephemeral;
use hobnob::text::Body;

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map(|port| port.parse()).transpose()?;
    let mut live = Live::new()?;
    let bot = start(&mut live, "bot", port.unwrap_or(0))?;
    let addr = live.listens(bot).ok_or("it listens")?;
    println!("bot: listens on {addr}");
    let visitor = match port {
        Some(_) => None,
        None => Some(start(&mut live, "visitor", 0)?),
    };
    if let Some(visitor) = visitor {
        for text in ["hello", "how are you?", "bye"] {
            let (to, text) = (PeerRef::At(addr.into()), Body::new(text)?);
            live.face(visitor).call(Command::Send { to, text, auto: false }, PATIENCE)?;
        }
    }
    serve(&mut live, bot)?;
    if let Some(visitor) = visitor {
        while let Some(event) = live.face(visitor).take_event() {
            if let What::Message(message) = event.what {
                println!("visitor: {} says {}", message.from.name, message.text.display());
            }
        }
    }
    live.drain(Duration::from_secs(1));
    Ok(())
}

/// A node with a key of its own and without a memory.
fn start(live: &mut Live, name: &str, port: u16) -> Result<usize, Box<dyn std::error::Error>> {
    let mut rng = Rng::new(Seed::from_os()?);
    let (config, keys) = (Config::new(Name::new(name)?), Keys::from_seed(rng.fork()));
    let listen = Listen::At(SocketAddr::from(([127, 0, 0, 1], port)));
    Ok(live.start(config, keys, rng.fork(), listen, Box::new(Ephemeral::default()))?)
}

/// Answers until somebody says bye.
fn serve(live: &mut Live, bot: usize) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let mut face = live.face(bot);
        while let Some(event) = face.take_event() {
            let What::Message(message) = event.what else { continue };
            let said = message.text.expose();
            println!("bot: {} says {}", message.from.name, message.text.display());
            // What it says is marked as a program's, so that two bots do not talk for ever.
            let text = Body::new(&format!("you said: {said}"))?;
            face.call(Command::Send { to: PeerRef::Id(message.from.id), text, auto: true }, PATIENCE)?;
            if said == "bye" {
                face.call(Command::Quit, PATIENCE)?;
                return Ok(());
            }
        }
        face.wait(PATIENCE);
    }
}

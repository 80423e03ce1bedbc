//! Real sockets on 127.0.0.1, several nodes on one thread.

use std::time::Duration;

use hobnob::api::command::{Command, PeerRef};
use hobnob::api::event::What;
use hobnob::api::reply::Reply;
use hobnob::id::Name;
use hobnob::key::Keys;
use hobnob::live::{Listen, Live};
use hobnob::node::io::Config;
use hobnob::rng::{Rng, Seed};
use hobnob::session::Session;
use hobnob::store::Memory;
use hobnob::text::Body;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn live(names: &[&str]) -> Live {
    let (mut live, mut rng) = (Live::new().expect("descriptors"), Rng::new(Seed::from_number(1)));
    for name in names {
        let config = Config::new(Name::new(name).expect("a good name"));
        let listen = Listen::At("127.0.0.1:0".parse().expect("an address"));
        let store = Box::new(Memory::default());
        live.start(config, Keys::from_seed(rng.fork()), rng.fork(), listen, store).expect("a free port");
    }
    live
}

pub(crate) fn at(live: &Live, host: usize) -> PeerRef {
    PeerRef::At(live.listens(host).expect("it listens").into())
}

/// Waits for the next event of one node that `pick` wants.
pub(crate) fn next<T>(live: &mut Live, host: usize, mut pick: impl FnMut(What) -> Option<T>) -> T {
    loop {
        while let Some(event) = live.face(host).take_event() {
            if let Some(found) = pick(event.what) {
                return found;
            }
        }
        assert!(live.wait(PATIENCE), "nothing came");
    }
}

fn text(what: What) -> Option<String> {
    match what {
        What::Message(message) => Some(message.text.expose().to_owned()),
        _ => None,
    }
}

#[test]
fn a_message_of_every_size_arrives_intact() {
    let mut live = live(&["alice", "bob"]);
    let bob = at(&live, 1);
    for size in [1, 2, 127, 128, 1_024, 16_384, 32_767, 32_768] {
        let sent: String = "aü€😀".chars().cycle().take(size).collect();
        let mut cut = size;
        while !sent.is_char_boundary(cut) {
            cut -= 1;
        }
        let body = Body::new(&sent[..cut]).expect("within the bound");
        let reply = live.face(0).call(Command::Send { to: bob.clone(), text: body, auto: false }, PATIENCE);
        assert!(matches!(reply, Ok(Reply::Queued { .. })), "{reply:?}");
        assert_eq!(next(&mut live, 1, text), sent[..cut]);
        next(&mut live, 0, |what| matches!(what, What::Delivered { .. }).then_some(()));
    }
}

#[test]
fn goodbyes_reach_everybody() {
    let mut live = live(&["alice", "bob", "carol"]);
    for host in [1, 2] {
        let to = at(&live, host);
        live.face(0).call(Command::Connect { to, dialect: None }, PATIENCE).expect("it connects");
    }
    assert_eq!(live.face(0).call(Command::Quit, PATIENCE), Ok(Reply::Goodbye));
    for host in [1, 2] {
        next(&mut live, host, |what| matches!(what, What::Left { ours: false, .. }).then_some(()));
    }
    live.drain(PATIENCE);
}

#[test]
fn nobody_there_is_said_at_once() {
    let mut live = live(&["alice"]);
    let to = PeerRef::At("127.0.0.1:1".parse().expect("an address"));
    let refused =
        live.face(0).call(Command::Connect { to, dialect: None }, PATIENCE).expect_err("nobody listens");
    assert_eq!(refused.to_string(), "127.0.0.1:1 refused (nothing listens there)");
}

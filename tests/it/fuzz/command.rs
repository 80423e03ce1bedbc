//! Every command that a node can be given, about peers that an input's node may know.

use hobnob::addr::Address;
use hobnob::api::command::{Command, Dialect, PeerRef};
use hobnob::id::{Name, PeerId};
use hobnob::text::Body;

use super::draw::Draw;
use super::hostile::KEYS;
use super::node::addr;

fn peer(draw: &mut Draw<'_>) -> PeerRef {
    match draw.below(8) {
        0 => PeerRef::At(Address::from(addr(2, 5_000))),
        1 => PeerRef::At("box.lan:5001".parse().expect("an address")),
        2 => PeerRef::At(Address::from(addr(3, 5_001))),
        3 => PeerRef::Word(draw.text()),
        4 => PeerRef::Id(PeerId::Plain(addr(2 + draw.byte() % 3, 5_000))),
        number => PeerRef::Id(PeerId::Native(KEYS[number - 5].public())),
    }
}

pub(super) fn command(draw: &mut Draw<'_>) -> Command {
    let body = |draw: &mut Draw<'_>| {
        let times = draw.pick(&[1, 1, 1, 1, 3_000]);
        let text = format!("m{}", draw.text().repeat(times));
        Body::new(&text).unwrap_or_else(|_| Body::new("long").expect("a body"))
    };
    let name = |draw: &mut Draw<'_>| Name::claimed(&draw.text(), "abcd");
    match draw.below(28) {
        0..=5 => Command::Send { to: peer(draw), text: body(draw), auto: draw.flag() },
        6 | 7 => Command::Broadcast { text: body(draw), auto: draw.flag() },
        8 => Command::Reply { text: body(draw) },
        9 => Command::Peers { known: draw.flag() },
        10..=12 => {
            let dialect = draw.pick(&[None, Some(Dialect::Native), Some(Dialect::Plain)]);
            Command::Connect { to: peer(draw), dialect }
        }
        13 => Command::ConnectKnown,
        14 => Command::Keep { address: Address::from(addr(2 + draw.byte() % 3, 5_000)) },
        15 => Command::Disconnect { peer: if draw.flag() { Some(peer(draw)) } else { None } },
        16 => Command::Ping { peer: peer(draw) },
        17 => Command::Whois { peer: peer(draw) },
        18 => Command::Alias { name: name(draw), peer: peer(draw) },
        19 => Command::Ignore { peer: peer(draw) },
        20 => Command::Unignore { peer: peer(draw) },
        21 => Command::Me { name: draw.flag().then(|| name(draw)) },
        22 => Command::Status,
        23 => Command::Trust { peer: peer(draw) },
        24 => {
            let key = if draw.flag() { KEYS[draw.below(3)].public().to_string() } else { draw.text() };
            Command::TrustReplace { peer: peer(draw), key }
        }
        25 => Command::TrustForget { peer: peer(draw) },
        26 => Command::Log {
            peer: draw.flag().then(|| peer(draw)),
            last: draw.below(200),
            find: draw.flag().then(|| draw.text()),
        },
        _ => Command::Quit,
    }
}

//! What plain programs really send, and how we read it: every vector of `tests/vectors/classic.json`.

use hobnob::wire::classic::{Context, Dialect, Kind, Plain, parse};
use serde_json::Value;

#[test]
fn every_vector_is_read_as_it_says() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/classic.json")).expect("vectors");
    assert_eq!(vectors.len(), 43);
    for vector in &vectors {
        let expected: Vec<Plain> =
            vector["messages"].as_array().expect("messages").iter().map(plain).collect();
        let found = parse(&bytes(string(&vector["hex"])), &mut Context::Fresh);
        assert_eq!(found, expected, "{}", vector["as_text"]);
    }
}

fn plain(value: &Value) -> Plain {
    let optional = |name: &str| value[name].as_str().map(str::to_owned);
    Plain {
        kind: match string(&value["kind"]) {
            "msg" => Kind::Message,
            "connect" => Kind::Connect,
            "exit" => Kind::Exit,
            "hello" => Kind::Hello,
            other => panic!("unknown kind {other}"),
        },
        dialect: match string(&value["dialect"]) {
            "flat" => Dialect::Flat,
            "flat2" => Dialect::FlatTwo,
            "bflat" => Dialect::BracketFlat,
            "bracket" => Dialect::Bracket,
            "json" => Dialect::Json,
            "lines" => Dialect::Lines,
            "porthello" => Dialect::PortHello,
            "raw" => Dialect::Raw,
            other => panic!("unknown dialect {other}"),
        },
        host: optional("host"),
        port: value["port"].as_u64().map(|port| u16::try_from(port).expect("port")),
        team: optional("team"),
        text: string(&value["text"]).to_owned(),
    }
}

fn string(value: &Value) -> &str {
    value.as_str().expect("string")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(digit).collect()
}

//! W2: a request and its answer, one at a time, between two processes: from the `Send` until the
//! front end has the answering message in its hands.

use std::time::Instant;

use crate::api::command::{Command, PeerRef};
use crate::api::event::{Message, What};
use crate::bench::figure::{Figure, percentile};
use crate::bench::numbered::Numbered;
use crate::bench::options::Options;
use crate::bench::process::{Child, tell};
use crate::bench::{Fault, Sys, hob};
use crate::id::PeerId;
use crate::live::Face;
use crate::session::Session;
use crate::text::Body;

/// Bytes of a message.
pub(super) const PAYLOAD: u64 = 100;
/// Turns before it counts.
pub(super) const WARM_UP: u64 = 300;

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let n = options.n(5_000);
    let mut answerer = Child::start(sys, "w2-answer", &[])?;
    let [port] = answerer.hear("port")?;
    let mut asker = Child::start(sys, "w2-ask", &[port, n])?;
    let nanos = asker.hear_all("turns")?;
    let micros: Vec<f64> = nanos.iter().map(|nanos| *nanos as f64 / 1e3).collect();
    if micros.len() as u64 != n {
        return Err(Fault::Wrong(format!("{} of {n} answers came", micros.len())));
    }
    let values = vec![("p50_us", percentile(&micros, 50)), ("p99_us", percentile(&micros, 99))];
    Ok(Figure::new(sys, "W2", values))
}

pub(super) fn answer() -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "answerer", true)?;
    tell("port", &[hob::port(&live, at)])?;
    let mut face = live.face(at);
    hob::joined(&mut face, 1)?;
    loop {
        match next(&mut face)? {
            Some(message) => {
                say(&mut face, message.from.id, message.text.expose())?;
            }
            None => return Ok(()),
        }
    }
}

pub(super) fn ask(port: u64, n: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "asker", false)?;
    let mut face = live.face(at);
    let to = hob::connected(&mut face, port)?;
    hob::joined(&mut face, 1)?;
    let (mut text, mut due) = (Numbered::new(PAYLOAD), Numbered::new(PAYLOAD));
    let mut nanos = Vec::new();
    for turn in 0..WARM_UP + n {
        text.advance();
        let began = Instant::now();
        say(&mut face, to, text.text())?;
        let message = next(&mut face)?.ok_or_else(|| Fault::Wrong("the answerer left".into()))?;
        let took = began.elapsed();
        due.expect(message.text.expose().as_bytes())?;
        if turn >= WARM_UP {
            nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        }
    }
    hob::quit(&mut live, at)?;
    tell("turns", &nanos)
}

/// Sends; the answer to the command is taken like any front end takes it.
fn say(face: &mut Face<'_>, to: PeerId, text: &str) -> Result<(), Fault> {
    let text = Body::new(text).map_err(|error| Fault::Wrong(error.to_string()))?;
    let reply = face.call(Command::Send { to: PeerRef::Id(to), text, auto: false }, hob::PATIENCE);
    reply.map(drop).map_err(|error| hob::refused(&error))
}

/// The next message; `None` when the other side has left.
fn next(face: &mut Face<'_>) -> Result<Option<Message>, Fault> {
    loop {
        while let Some(event) = face.take_event() {
            match event.what {
                What::Message(message) => return Ok(Some(message)),
                What::Delivered { .. } => {}
                What::Left { .. } => return Ok(None),
                other => return Err(hob::odd(&other)),
            }
        }
        hob::wait(face)?;
    }
}

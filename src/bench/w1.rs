//! W1: one sender and one receiver, each a process. One `Send` a message, given by a front end that
//! keeps the window full, and one event a message, each checked for its number.
//! Measured by the receiver's clock from its first message to its last.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::api::command::{Command, PeerRef};
use crate::api::event::What;
use crate::api::reply::Reply;
use crate::bench::figure::{Figure, per_second};
use crate::bench::numbered::Numbered;
use crate::bench::options::Options;
use crate::bench::process::{Child, cpu, monotonic, tell};
use crate::bench::{Fault, Sys, durable, hob};
use crate::id::RequestId;
use crate::limits;
use crate::live::Face;
use crate::session::Session;
use crate::text::Body;

/// Messages that the front end gives before it waits for the first to be delivered: what the window
/// of one peer holds, so that neither side ever waits for the other's next word.
const AHEAD: u64 = limits::WINDOW_MESSAGES as u64;
/// The same where all is saved first: the next ones are saved here while the other side saves these.
const AHEAD_SAVED: u64 = 2 * AHEAD;

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let payload = options.payload();
    let mut receiver = Child::start(sys, "w1-receive", &[payload])?;
    let [port] = receiver.hear("port")?;
    let mut sender = Child::start(sys, "w1-send", &[port, payload, options.millis()])?;
    let [sent, sender_cpu] = sender.hear("sent")?;
    let [received, nanos, receiver_cpu] = receiver.hear("received")?;
    if received != sent {
        return Err(Fault::Wrong(format!("{received} of {sent} messages arrived")));
    }
    let cpu_us = (sender_cpu + receiver_cpu) as f64 / 1e3;
    let mut values =
        vec![("msgs_per_s", per_second(received - 1, nanos)), ("cpu_us_per_msg", cpu_us / received as f64)];
    if options.detail {
        values.push(("send_ns", sender_cpu as f64 / received as f64));
        values.push(("receive_ns", receiver_cpu as f64 / received as f64));
    }
    Ok(Figure::new(sys, "W1", values))
}

pub(super) fn receive(payload: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "receiver", true)?;
    tell("port", &[hob::port(&live, at)])?;
    let mut face = live.face(at);
    hob::joined(&mut face, 1)?;
    let (mut due, mut count, mut began, mut ended) = (Numbered::new(payload), 0, 0, 0);
    let cpu_before = cpu();
    loop {
        while let Some(event) = face.take_event() {
            match event.what {
                What::Message(message) => {
                    if count == 0 {
                        began = monotonic();
                    }
                    count += 1;
                    if due.expect(message.text.expose().as_bytes())? {
                        ended = monotonic();
                    }
                }
                What::Left { .. } if ended > 0 => {
                    return tell("received", &[count, ended - began, cpu() - cpu_before]);
                }
                other => return Err(hob::odd(&other)),
            }
        }
        hob::wait(&mut face)?;
    }
}

pub(super) fn send(port: u64, payload: u64, millis: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "sender", false)?;
    let mut face = live.face(at);
    let to = PeerRef::Id(hob::connected(&mut face, port)?);
    hob::joined(&mut face, 1)?;
    let mut sender =
        Sender { text: Numbered::new(payload), to, sent: 0, delivered: 0, asked: VecDeque::new() };
    let ahead = if durable::folder().is_some() { AHEAD_SAVED } else { AHEAD };
    let (cpu_before, until) = (cpu(), Instant::now() + Duration::from_millis(millis));
    while Instant::now() < until {
        while sender.sent - sender.delivered < ahead {
            sender.send(&mut face)?;
        }
        sender.hear(&mut face)?;
    }
    sender.text.end();
    sender.send(&mut face)?;
    while sender.delivered < sender.sent {
        sender.hear(&mut face)?;
    }
    let used = cpu() - cpu_before;
    hob::quit(&mut live, at)?;
    tell("sent", &[sender.sent, used])
}

/// A front end that sends.
struct Sender {
    text: Numbered,
    to: PeerRef,
    sent: u64,
    delivered: u64,
    asked: VecDeque<RequestId>,
}

impl Sender {
    fn send(&mut self, face: &mut Face<'_>) -> Result<(), Fault> {
        self.text.advance();
        let text = Body::new(self.text.text()).map_err(|error| Fault::Wrong(error.to_string()))?;
        self.asked.push_back(face.submit(Command::Send { to: self.to.clone(), text, auto: false }));
        self.sent += 1;
        Ok(())
    }

    /// Waits for news and takes all of it: every answer and every event.
    fn hear(&mut self, face: &mut Face<'_>) -> Result<(), Fault> {
        hob::wait(face)?;
        while let Some(&request) = self.asked.front()
            && let Some(reply) = face.take_reply(request)
        {
            match reply {
                Ok(Reply::Queued { .. }) => self.asked.pop_front(),
                Ok(other) => return Err(Fault::Wrong(format!("a send was answered {other:?}"))),
                Err(error) => return Err(hob::refused(&error)),
            };
        }
        while let Some(event) = face.take_event() {
            match event.what {
                What::Delivered { last, .. } => self.delivered = last,
                other => return Err(hob::odd(&other)),
            }
        }
        Ok(())
    }
}

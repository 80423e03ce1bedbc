//! W3: one broadcasts, N distinct peers hear it: the sender alone in its process, the peers in one
//! other. First one broadcast at a time: from the command until the last of the N has it, on a
//! clock that both processes share. Then as many as the outboxes take.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::api::command::{Command, CommandError};
use crate::api::event::What;
use crate::bench::figure::{Figure, per_second, percentile};
use crate::bench::numbered::Numbered;
use crate::bench::options::Options;
use crate::bench::process::{Child, cpu, monotonic, tell};
use crate::bench::{Fault, Sys, hob};
use crate::id::{PeerId, RequestId};
use crate::live::{Face, Live};
use crate::session::Session;
use crate::text::Body;

/// Bytes of a message.
pub(super) const PAYLOAD: u64 = 100;
/// Peers that dial at once while the links come up.
const DIALS: usize = 16;
/// Broadcasts that may be on their way to the slowest peer.
const AHEAD: u64 = 4_000;

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let (n, ones) = (options.n(100), options.ones());
    let mut sender = Child::start(sys, "w3-send", &[n, ones, options.millis()])?;
    let [port] = sender.hear("port")?;
    let mut receiver = Child::start(sys, "w3-receive", &[port, n, ones])?;
    let said = sender.hear_all("said")?;
    let [sent, sender_cpu] = sender.hear("sent")?;
    let heard = receiver.hear_all("heard")?;
    let [received, nanos, receiver_cpu] = receiver.hear("received")?;
    let micros: Vec<f64> =
        said.iter().zip(&heard).map(|(from, to)| to.saturating_sub(*from) as f64 / 1e3).collect();
    if micros.len() as u64 != ones {
        return Err(Fault::Wrong(format!("{} of {ones} single broadcasts arrived", micros.len())));
    }
    let mean = micros.iter().sum::<f64>() / micros.len() as f64;
    let mut values = vec![
        ("deliv_per_s", per_second(received, nanos)),
        ("one_p50_us", percentile(&micros, 50)),
        ("one_p99_us", percentile(&micros, 99)),
        ("one_deliv_per_s", n as f64 * 1e6 / mean),
    ];
    if received < sent * n {
        values.push(("lost_frac", 1.0 - received as f64 / (sent * n) as f64));
    }
    if options.detail {
        values.push(("send_ns", sender_cpu as f64 / received as f64));
        values.push(("receive_ns", receiver_cpu as f64 / received as f64));
    }
    Ok(Figure::new(sys, format!("W3/{n}"), values))
}

pub(super) fn send(n: u64, ones: u64, millis: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "sender", true)?;
    tell("port", &[hob::port(&live, at)])?;
    let mut face = live.face(at);
    let peers = hob::joined(&mut face, n)?;
    let mut caster = Caster::new(peers);
    let mut said = Vec::new();
    for _ in 0..ones {
        said.push(monotonic());
        caster.cast(&mut face)?;
        while caster.behind(1) {
            caster.hear(&mut face)?;
        }
    }
    tell("said", &said)?;
    let cpu_before = cpu();
    let until = Instant::now() + Duration::from_millis(millis);
    while Instant::now() < until {
        while !caster.full && !caster.behind(AHEAD) {
            caster.cast(&mut face)?;
        }
        caster.hear(&mut face)?;
    }
    caster.text.end();
    let before = caster.sent;
    while caster.sent == before {
        caster.cast(&mut face)?;
        // One that is refused for want of room is not sent, and waits for some.
        while caster.full {
            caster.hear(&mut face)?;
        }
    }
    while caster.behind(1) {
        caster.hear(&mut face)?;
    }
    tell("sent", &[caster.sent - ones, cpu() - cpu_before])?;
    hob::rest(&mut live)
}

/// A front end that broadcasts.
struct Caster {
    text: Numbered,
    sent: u64,
    /// The last message that each peer has, and how many peers have how few.
    delivered: HashMap<PeerId, u64>,
    slowest: u64,
    asked: VecDeque<RequestId>,
    full: bool,
}

impl Caster {
    fn new(peers: Vec<PeerId>) -> Self {
        let delivered = peers.into_iter().map(|id| (id, 0)).collect();
        Self {
            text: Numbered::new(PAYLOAD),
            sent: 0,
            delivered,
            slowest: 0,
            asked: VecDeque::new(),
            full: false,
        }
    }

    /// Whether some peer has `count` broadcasts or more still to come.
    fn behind(&self, count: u64) -> bool {
        self.sent - self.slowest >= count
    }

    fn cast(&mut self, face: &mut Face<'_>) -> Result<(), Fault> {
        let before = Numbered::clone(&self.text);
        self.text.advance();
        let text = Body::new(self.text.text()).map_err(|error| Fault::Wrong(error.to_string()))?;
        let request = face.submit(Command::Broadcast { text, auto: false });
        match face.take_reply(request) {
            Some(Err(CommandError::OutboxFull(_))) => {
                self.text = before;
                self.full = true;
                return Ok(());
            }
            Some(Err(error)) => return Err(hob::refused(&error)),
            Some(Ok(_)) => {}
            None => self.asked.push_back(request),
        }
        self.sent += 1;
        Ok(())
    }

    fn hear(&mut self, face: &mut Face<'_>) -> Result<(), Fault> {
        hob::wait(face)?;
        self.full = false;
        while let Some(&request) = self.asked.front()
            && let Some(reply) = face.take_reply(request)
        {
            reply.map_err(|error| hob::refused(&error))?;
            self.asked.pop_front();
        }
        let mut news = false;
        while let Some(event) = face.take_event() {
            match event.what {
                What::Delivered { to, last, .. } => {
                    self.delivered.insert(to.id, last);
                    news = true;
                }
                other => return Err(hob::odd(&other)),
            }
        }
        if news {
            self.slowest = self.delivered.values().copied().min().unwrap_or(0);
        }
        Ok(())
    }
}

pub(super) fn receive(port: u64, n: u64, ones: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let hosts = usize::try_from(n).unwrap_or(usize::MAX);
    for at in 0..hosts {
        hob::start(&mut live, &format!("peer{at}"), false)?;
    }
    connect_all(&mut live, hosts, port)?;
    let mut due: Vec<Numbered> = (0..hosts).map(|_| Numbered::new(PAYLOAD)).collect();
    let (mut count, mut ends, mut began, mut cpu_before) = (0, 0, 0, 0);
    let mut heard = Vec::new();
    loop {
        for (at, due) in due.iter_mut().enumerate() {
            let mut face = live.face(at);
            while let Some(event) = face.take_event() {
                let What::Message(message) = event.what else { return Err(hob::odd(&event.what)) };
                ends += u64::from(due.expect(message.text.expose().as_bytes())?);
                count += 1;
                if count <= ones * n && count.is_multiple_of(n) {
                    heard.push(monotonic());
                }
                if count == ones * n + 1 {
                    began = monotonic();
                    cpu_before = cpu();
                }
            }
        }
        if ends == n {
            break;
        }
        hob::wait(&mut live.face(0))?;
    }
    let nanos = monotonic() - began;
    tell("heard", &heard)?;
    tell("received", &[count - ones * n, nanos, cpu() - cpu_before])?;
    hob::rest(&mut live)
}

/// Connects every host to `port`, some at a time.
fn connect_all(live: &mut Live, hosts: usize, port: u64) -> Result<(), Fault> {
    for first in (0..hosts).step_by(DIALS) {
        let batch = first..(first + DIALS).min(hosts);
        for at in batch.clone() {
            live.face(at).submit(hob::connect(port));
        }
        for at in batch {
            hob::joined(&mut live.face(at), 1)?;
        }
    }
    Ok(())
}

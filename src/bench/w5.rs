//! W5: links a second. N nodes with keys of their own, made beforehand, dial one node in another
//! process, some at a time; a link counts when both sides have been told that the peer has joined.

use std::time::Duration;

use crate::api::event::What;
use crate::bench::figure::{Figure, per_second};
use crate::bench::options::Options;
use crate::bench::process::{Child, monotonic, resident, tell};
use crate::bench::{Fault, Sys, hob};
use crate::session::Session;

/// Quiet after the last link, before memory is looked at.
pub(super) const SETTLE: Duration = Duration::from_millis(300);

pub(super) fn measure(sys: Sys, options: &Options) -> Result<Figure, Fault> {
    let n = options.n(1_500);
    let (nanos, _, _) = links(sys, n, options.at_once())?;
    Ok(Figure::new(sys, "W5", vec![("conns_per_s", per_second(n, nanos))]))
}

/// Brings up `n` links: nanoseconds that it took, and the accepting process' memory in bytes before
/// and after.
pub(super) fn links(sys: Sys, n: u64, at_once: u64) -> Result<(u64, u64, u64), Fault> {
    let mut acceptor = Child::start(sys, "w5-accept", &[n])?;
    let [port] = acceptor.hear("port")?;
    let mut dialer = Child::start(sys, "w5-dial", &[port, n, at_once])?;
    let [began, dialled] = dialer.hear("dialled")?;
    let [accepted, before, after] = acceptor.hear("accepted")?;
    Ok((dialled.max(accepted) - began, before, after))
}

pub(super) fn accept(n: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let at = hob::start(&mut live, "acceptor", true)?;
    // Once around, so that what every node has at rest counts as before.
    live.wait(Duration::from_millis(1));
    let before = resident()?;
    tell("port", &[hob::port(&live, at)])?;
    hob::joined(&mut live.face(at), n)?;
    let accepted = monotonic();
    live.face(at).wait(SETTLE);
    tell("accepted", &[accepted, before, resident()?])?;
    hob::rest(&mut live)
}

pub(super) fn dial(port: u64, n: u64, at_once: u64) -> Result<(), Fault> {
    let mut live = hob::live()?;
    let hosts = usize::try_from(n).unwrap_or(usize::MAX);
    for at in 0..hosts {
        hob::start(&mut live, &format!("dialer{at}"), false)?;
    }
    let (mut under_way, mut next) = (Vec::new(), 0..hosts);
    let began = monotonic();
    loop {
        while (under_way.len() as u64) < at_once
            && let Some(at) = next.next()
        {
            live.face(at).submit(hob::connect(port));
            under_way.push(at);
        }
        if under_way.is_empty() {
            break;
        }
        hob::wait(&mut live.face(0))?;
        let mut left = Vec::new();
        for at in under_way {
            match live.face(at).take_event().map(|event| event.what) {
                Some(What::Joined { .. }) => {}
                Some(other) => return Err(hob::odd(&other)),
                None => left.push(at),
            }
        }
        under_way = left;
    }
    tell("dialled", &[began, monotonic()])?;
    hob::rest(&mut live)
}

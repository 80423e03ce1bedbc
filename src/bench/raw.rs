//! The yardstick: the same messages over a bare smol stream with snow, coalesced into records of 64
//! KiB, and nothing else. What a real node may cost is told as a fraction of this, so it is as good
//! as we can make it: one thread, no wake-up between two tasks, and every buffer used again. Here one
//! stream; `raw_cast` has many, `raw_dials` what a link costs before it says anything.

use smol::Async;
use smol::future::poll_fn;
use std::io::Error;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::bench::numbered::Numbered;
use crate::bench::process::{cpu, monotonic, tell};
use crate::bench::raw_noise::{PLAIN_MAX, Secrets};
use crate::bench::raw_wire::{Scratch, Wire, accept, dial, listen};
use crate::bench::{Fault, w2};

pub(super) fn w1_receive(payload: u64) -> Result<(), Fault> {
    smol::block_on(async {
        let (mut wire, mut scratch) = (accepted().await?, Scratch::new());
        let (mut due, mut count, mut began, mut ended) = (Numbered::new(payload), 0, 0, 0);
        let cpu_before = cpu();
        while ended == 0 {
            let more = poll_fn(|cx| {
                wire.poll_read(cx, &mut scratch, |message| {
                    if count == 0 {
                        began = monotonic();
                    }
                    count += 1;
                    if expect(&mut due, message)? {
                        ended = monotonic();
                    }
                    Ok(())
                })
            });
            if !more.await? {
                return Err(Fault::Wrong("the sender left early".into()));
            }
        }
        // So that the sender knows that it may go.
        wire.say(b"all");
        poll_fn(|cx| wire.poll_write(cx, &mut scratch)).await?;
        tell("received", &[count, ended - began, cpu() - cpu_before])
    })
}

pub(super) fn w1_send(port: u64, payload: u64, millis: u64) -> Result<(), Fault> {
    smol::block_on(async {
        let mut wire = Wire::open(dial(port).await?, Secrets::new()?.begin(true)?).await?;
        let (mut scratch, mut text, mut sent) = (Scratch::new(), Numbered::new(payload), 0);
        let (cpu_before, until) = (cpu(), Instant::now() + Duration::from_millis(millis));
        while Instant::now() < until {
            while wire.said() + text.bytes().len() + 2 <= PLAIN_MAX {
                text.advance();
                wire.say(text.bytes());
                sent += 1;
            }
            poll_fn(|cx| wire.poll_write(cx, &mut scratch)).await?;
        }
        text.advance();
        text.end();
        wire.say(text.bytes());
        sent += 1;
        poll_fn(|cx| wire.poll_write(cx, &mut scratch)).await?;
        turn(&mut wire, &mut scratch, &mut Vec::new()).await?;
        tell("sent", &[sent, cpu() - cpu_before])
    })
}

pub(super) fn w2_answer() -> Result<(), Fault> {
    smol::block_on(async {
        let (mut wire, mut scratch) = (accepted().await?, Scratch::new());
        let mut message = Vec::new();
        loop {
            if !turn(&mut wire, &mut scratch, &mut message).await? {
                return Ok(());
            }
            wire.say(&message);
        }
    })
}

pub(super) fn w2_ask(port: u64, n: u64) -> Result<(), Fault> {
    smol::block_on(async {
        let mut wire = Wire::open(dial(port).await?, Secrets::new()?.begin(true)?).await?;
        let (mut scratch, mut message, mut nanos) = (Scratch::new(), Vec::new(), Vec::new());
        let (mut text, mut due) = (Numbered::new(w2::PAYLOAD), Numbered::new(w2::PAYLOAD));
        for at in 0..w2::WARM_UP + n {
            text.advance();
            let began = Instant::now();
            wire.say(text.bytes());
            if !turn(&mut wire, &mut scratch, &mut message).await? {
                return Err(Fault::Wrong("the answerer left early".into()));
            }
            let took = began.elapsed();
            expect(&mut due, &message)?;
            if at >= w2::WARM_UP {
                nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            }
        }
        tell("turns", &nanos)
    })
}

/// Writes what was said, and waits for one message.
async fn turn(wire: &mut Wire, scratch: &mut Scratch, message: &mut Vec<u8>) -> Result<bool, Error> {
    poll_fn(|cx| wire.poll_write(cx, scratch)).await?;
    message.clear();
    while message.is_empty() {
        let mut take = |bytes: &[u8]| {
            message.extend_from_slice(bytes);
            Ok(())
        };
        if !poll_fn(|cx| wire.poll_read(cx, scratch, &mut take)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The one stream that comes.
async fn accepted() -> Result<Wire, Fault> {
    let (listener, port) = listen()?;
    tell("port", &[port])?;
    let tcp: Async<TcpStream> = accept(&listener).await?;
    Wire::open(tcp, Secrets::new()?.begin(false)?).await
}

pub(super) fn expect(due: &mut Numbered, message: &[u8]) -> Result<bool, Error> {
    due.expect(message).map_err(|fault| Error::other(fault.to_string()))
}

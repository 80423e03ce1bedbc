//! The yardstick before anything is said: links a second, the memory of an idle one, start-up.

use smol::LocalExecutor;
use smol::future::{pending, poll_fn};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::bench::Fault;
use crate::bench::process::{monotonic, resident, tell};
use crate::bench::raw_noise::Secrets;
use crate::bench::raw_wire::{Scratch, Wire, accept, dial, listen};
use crate::bench::w5::SETTLE;

pub(super) fn w5_accept(n: u64) -> Result<(), Fault> {
    let executor = LocalExecutor::new();
    smol::block_on(executor.run(async {
        let (listener, port) = listen()?;
        let scratch = Rc::new(RefCell::new(Scratch::new()));
        let (open, accepted) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let mut secrets = Secrets::new()?;
        let before = resident()?;
        tell("port", &[port])?;
        for _ in 0..n {
            let (tcp, handshake) = (accept(&listener).await?, secrets.begin(false)?);
            let (scratch, open, accepted) = (Rc::clone(&scratch), Rc::clone(&open), Rc::clone(&accepted));
            let link = async move {
                let Ok(mut wire) = Wire::open(tcp, handshake).await else { return };
                open.set(open.get() + 1);
                accepted.set(monotonic());
                let nothing = |_: &[u8]| Ok(());
                while let Ok(true) =
                    poll_fn(|cx| wire.poll_read(cx, &mut scratch.borrow_mut(), nothing)).await
                {
                }
            };
            executor.spawn(link).detach();
        }
        while open.get() < n {
            smol::Timer::after(std::time::Duration::from_millis(1)).await;
        }
        smol::Timer::after(SETTLE).await;
        tell("accepted", &[accepted.get(), before, resident()?])?;
        pending().await
    }))
}

pub(super) fn w5_dial(port: u64, n: u64, at_once: u64) -> Result<(), Fault> {
    let executor = LocalExecutor::new();
    smol::block_on(executor.run(async {
        let secrets: Result<Vec<_>, _> = (0..n).map(|_| Secrets::new()).collect();
        let secrets = Rc::new(RefCell::new(secrets?));
        let began = monotonic();
        let dialers: Vec<_> = (0..at_once)
            .map(|_| {
                let secrets = Rc::clone(&secrets);
                executor.spawn(async move {
                    let mut wires = Vec::new();
                    loop {
                        let Some(mut own) = secrets.borrow_mut().pop() else { return Ok::<_, Fault>(wires) };
                        wires.push(Wire::open(dial(port).await?, own.begin(true)?).await?);
                    }
                })
            })
            .collect();
        let mut held = Vec::new();
        for dialer in dialers {
            held.push(dialer.await?);
        }
        tell("dialled", &[began, monotonic()])?;
        pending().await
    }))
}

pub(super) fn w6_start() -> Result<(), Fault> {
    let _secrets = Secrets::new()?;
    let (_listener, port) = listen()?;
    tell("port", &[port])
}

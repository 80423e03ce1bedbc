//! The yardstick with many streams: one that broadcasts and N that hear it, a task a stream on one
//! thread. The sender appends to each wire's buffer and wakes the writer only when it sleeps.

use smol::Async;
use smol::LocalExecutor;
use smol::future::{pending, poll_fn, yield_now};
use std::cell::{Cell, RefCell};
use std::io::Error;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::bench::numbered::Numbered;
use crate::bench::process::{cpu, monotonic, tell};
use crate::bench::raw::expect;
use crate::bench::raw_noise::Secrets;
use crate::bench::raw_wire::{Scratch, Wire, accept, dial, listen};
use crate::bench::{Fault, w3};

/// Bytes for each wire that are gathered before the writers have their turn.
const GATHER: usize = 16 * 1024;

/// What the tasks of one process share.
struct Shared {
    scratch: RefCell<Scratch>,
    bell: RefCell<Option<Waker>>,
    fault: RefCell<Option<Error>>,
}

/// A wire, and its writer when it sleeps for want of anything to say.
struct Line {
    wire: RefCell<Wire>,
    writer: RefCell<Option<Waker>>,
}

impl Shared {
    fn new() -> Rc<Self> {
        let (bell, fault) = Default::default();
        Rc::new(Self { scratch: RefCell::new(Scratch::new()), bell, fault })
    }

    fn ring(&self) {
        if let Some(waker) = self.bell.take() {
            waker.wake();
        }
    }

    /// Sleeps until `done`, which is looked at whenever somebody rings.
    async fn until(&self, done: impl Fn() -> bool) -> Result<(), Error> {
        poll_fn(|cx| match self.fault.take() {
            Some(fault) => Poll::Ready(Err(fault)),
            None if done() => Poll::Ready(Ok(())),
            None => {
                *self.bell.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    fn fail(&self, fault: Error) {
        self.fault.borrow_mut().get_or_insert(fault);
        self.ring();
    }
}

impl Line {
    fn new(wire: Wire) -> Rc<Self> {
        Rc::new(Self { wire: RefCell::new(wire), writer: RefCell::default() })
    }

    fn say(&self, message: &[u8]) {
        self.wire.borrow_mut().say(message);
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }

    /// Writes whatever is said, for ever.
    async fn write(&self, shared: &Shared) {
        let written = poll_fn(|cx| {
            let mut wire = self.wire.borrow_mut();
            match wire.poll_write(cx, &mut shared.scratch.borrow_mut()) {
                Poll::Ready(Ok(())) => {
                    *self.writer.borrow_mut() = Some(cx.waker().clone());
                    shared.ring();
                    Poll::Pending
                }
                other => other,
            }
        });
        if let Err(fault) = written.await {
            shared.fail(fault);
        }
    }

    /// Reads for ever, a share at a time.
    async fn read(&self, shared: &Shared, mut hear: impl FnMut(&[u8]) -> Result<(), Error>) {
        loop {
            let read = poll_fn(|cx| {
                self.wire.borrow_mut().poll_read(cx, &mut shared.scratch.borrow_mut(), &mut hear)
            });
            match read.await {
                Ok(true) => yield_now().await,
                Ok(false) => return,
                Err(fault) => return shared.fail(fault),
            }
        }
    }
}

pub(super) fn w3_send(n: u64, ones: u64, millis: u64) -> Result<(), Fault> {
    let (shared, answers, executor) = (Shared::new(), Rc::new(Cell::new(0)), LocalExecutor::new());
    smol::block_on(executor.run(async {
        let (listener, port) = listen()?;
        tell("port", &[port])?;
        let (mut lines, mut secrets) = (Vec::new(), Secrets::new()?);
        for _ in 0..n {
            let wire = Wire::open(accept(&listener).await?, secrets.begin(false)?).await?;
            let line = Line::new(wire);
            let (writing, reading, shared) = (Rc::clone(&line), Rc::clone(&line), Rc::clone(&shared));
            let (writes, reads, answers) = (Rc::clone(&shared), shared, Rc::clone(&answers));
            executor.spawn(async move { writing.write(&writes).await }).detach();
            let count = move |reads: &Shared| {
                answers.set(answers.get() + 1);
                reads.ring();
            };
            let read = async move {
                let hear = |_: &[u8]| {
                    count(&reads);
                    Ok(())
                };
                reading.read(&reads, hear).await;
            };
            executor.spawn(read).detach();
            lines.push(line);
        }
        let (mut text, mut said) = (Numbered::new(w3::PAYLOAD), Vec::new());
        for one in 1..=ones {
            text.advance();
            said.push(monotonic());
            lines.iter().for_each(|line| line.say(text.bytes()));
            shared.until(|| answers.get() >= one).await?;
        }
        tell("said", &said)?;
        let cpu_before = cpu();
        let (until, mut sent) = (Instant::now() + Duration::from_millis(millis), 1);
        let size = text.bytes().len() + 2;
        let has_room = || lines.iter().all(|line| line.wire.borrow().said() + size <= GATHER);
        while Instant::now() < until {
            while has_room() {
                text.advance();
                lines.iter().for_each(|line| line.say(text.bytes()));
                sent += 1;
            }
            shared.until(has_room).await?;
        }
        text.advance();
        text.end();
        lines.iter().for_each(|line| line.say(text.bytes()));
        shared.until(|| answers.get() > ones).await?;
        tell("sent", &[sent, cpu() - cpu_before])?;
        pending().await
    }))
}

pub(super) fn w3_receive(port: u64, n: u64, ones: u64) -> Result<(), Fault> {
    let (shared, heard, executor) = (Shared::new(), Rc::new(Heard::default()), LocalExecutor::new());
    smol::block_on(executor.run(async {
        for _ in 0..n {
            let tcp: Async<_> = dial(port).await?;
            let line = Line::new(Wire::open(tcp, Secrets::new()?.begin(true)?).await?);
            let (writing, writes) = (Rc::clone(&line), Rc::clone(&shared));
            executor.spawn(async move { writing.write(&writes).await }).detach();
            let (shared, heard) = (Rc::clone(&shared), Rc::clone(&heard));
            let read = async move {
                let mut due = Numbered::new(w3::PAYLOAD);
                let mut answer = false;
                loop {
                    let hear = |message: &[u8]| {
                        answer |= heard.take(expect(&mut due, message)?, n, ones);
                        Ok(())
                    };
                    let mut hear = hear;
                    let read = poll_fn(|cx| {
                        line.wire.borrow_mut().poll_read(cx, &mut shared.scratch.borrow_mut(), &mut hear)
                    });
                    match read.await {
                        Ok(true) => {}
                        Ok(false) => return,
                        Err(fault) => return shared.fail(fault),
                    }
                    if std::mem::take(&mut answer) {
                        line.say(b"all");
                    }
                    if heard.ends.get() == n {
                        shared.ring();
                    }
                    yield_now().await;
                }
            };
            executor.spawn(read).detach();
        }
        shared.until(|| heard.ends.get() == n).await?;
        tell("heard", &heard.times.borrow())?;
        let (count, nanos) = (heard.count.get() - ones * n, heard.ended.get() - heard.began.get());
        tell("received", &[count, nanos, cpu() - heard.cpu_before.get()])?;
        pending().await
    }))
}

/// What all receivers heard.
#[derive(Default)]
struct Heard {
    count: Cell<u64>,
    ends: Cell<u64>,
    began: Cell<u64>,
    cpu_before: Cell<u64>,
    ended: Cell<u64>,
    times: RefCell<Vec<u64>>,
}

impl Heard {
    /// Counts a message. Whether it was the last delivery of a single broadcast, or of all.
    fn take(&self, last: bool, n: u64, ones: u64) -> bool {
        let count = self.count.get() + 1;
        self.count.set(count);
        if count == ones * n + 1 {
            self.began.set(monotonic());
            self.cpu_before.set(cpu());
        }
        if last {
            self.ends.set(self.ends.get() + 1);
            self.ended.set(monotonic());
        }
        let one = count <= ones * n && count.is_multiple_of(n);
        if one {
            self.times.borrow_mut().push(monotonic());
        }
        one || self.ends.get() == n
    }
}

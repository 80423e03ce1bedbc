//! Streams that we have closed and the other side has not: they cost nothing, and go by themselves.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::loopback::live;

#[test]
fn a_stranger_that_never_closes_is_let_go_and_costs_no_time() {
    let mut live = live(&["alice"]);
    let addr = live.listens(0).expect("it listens");
    let stranger = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(addr).expect("it listens");
        let mut preamble = [0; 8];
        stream.read_exact(&mut preamble).expect("it greets whoever is silent");
        stream.write_all(b"\0").expect("it reads");
        // Well past the time that a closed stream is given.
        std::thread::sleep(Duration::from_millis(4_000));
        let told = |error: &std::io::Error| {
            matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
        };
        let mut write = || {
            std::thread::sleep(Duration::from_millis(50));
            stream.write_all(b"\0").is_err_and(|error| told(&error))
        };
        write() || write()
    });
    let cpu = || clock_gettime(ClockId::ThreadCPUTime);
    let (before, until) = (cpu(), Instant::now() + Duration::from_secs(20));
    while !stranger.is_finished() && Instant::now() < until {
        live.wait(Duration::from_millis(500));
    }
    let spent = Duration::try_from(cpu() - before).expect("time goes on");
    assert!(stranger.join().expect("it was greeted"), "nothing is left of the stream");
    assert!(spent < Duration::from_millis(500), "{spent:?} of work for nothing");
}

//! Ports of this machine, for programs that are told where to listen: which is free, and whether
//! somebody listens on one. Nothing is connected to: a program may die of an empty connection.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Where such ports begin, and how many there are: below those that systems give to whoever asks for
/// any (32768 and up), or one could be given away between being found and being listened on.
const FIRST: u16 = 20_000;
const PORTS: u32 = 12_000;
/// Ports that a process looks at before it comes to those of the next: programs that are graded beside
/// each other must not be told the same one.
const SHARE: u32 = 64;

/// A port on which nobody listens, another each time.
pub fn free() -> Option<u16> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let own = std::process::id().wrapping_mul(SHARE);
    (0..PORTS).find_map(|_| {
        let at = own.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = FIRST + u16::try_from(at).ok()?;
        TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).ok().map(|_| port)
    })
}

/// Whether somebody listens on this port, on whatever address (proc_net_tcp in the kernel's
/// documentation: state 0A).
pub fn is_listening(port: u16) -> bool {
    ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().any(|file| {
        let table = std::fs::read_to_string(file).unwrap_or_default();
        table.lines().skip(1).any(|line| listens(line, port))
    })
}

fn listens(line: &str, port: u16) -> bool {
    let mut fields = line.split_whitespace().skip(1);
    let local = fields.next().and_then(|local| local.rsplit_once(':'));
    let is_port = local.is_some_and(|(_, hex)| u16::from_str_radix(hex, 16) == Ok(port));
    is_port && fields.nth(1) == Some("0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_not_listened_on_until_somebody_does() {
        let port = free().expect("a port");
        assert_ne!(free(), Some(port), "another each time");
        assert!(!is_listening(port));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
        assert!(is_listening(port));
        drop(listener);
        assert!(!is_listening(port));
    }
}

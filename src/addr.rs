//! Addresses as people type them: `host:port`, `[v6]:port`, and `:port` for this machine. Decides
//! which can be dialled at all; looking a name up is the driver's business.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A place to dial.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Where.
    pub host: Host,
    /// 1 to 65,535.
    pub port: u16,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// By number, IPv4-mapped IPv6 already turned into IPv4.
    Ip(IpAddr),
    /// By name: letters, digits, hyphens and dots (RFC 952, RFC 1123 §2.1), in lower case.
    Name(String),
}

/// Why an address cannot be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of the form.
    #[error("\"{0}\" is no address; write host:port, [v6]:port, or :port for this machine")]
    Form(String),
    /// Port out of range, or not written as a plain number.
    #[error("\"{0}\" is no port; it is a number from 1 to 65535")]
    Port(String),
    /// Nobody can be there.
    #[error("{0} cannot be dialled: it is no single machine's address")]
    Nobody(IpAddr),
}

impl Address {
    /// The address when it needs no looking up.
    pub fn socket(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            Host::Name(_) => None,
        }
    }

    /// Whether `text` is meant as an address rather than as a name: it has a colon.
    pub fn is_meant(text: &str) -> bool {
        text.contains(':')
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self { host: Host::Ip(addr.ip().to_canonical()), port: addr.port() }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let form =
            || AddressError::Form(crate::text::escape_display(&text.chars().take(80).collect::<String>()));
        let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
        let port = parse_port(port)?;
        let host = if host.is_empty() {
            Host::Ip(Ipv4Addr::LOCALHOST.into())
        } else if let Some(v6) = host.strip_prefix('[') {
            let v6 = v6.strip_suffix(']').ok_or_else(form)?;
            Host::Ip(IpAddr::V6(v6.parse().map_err(|_| form())?).to_canonical())
        } else if host.contains(':') {
            return Err(form());
        } else if let Ok(v4) = host.parse::<Ipv4Addr>() {
            Host::Ip(v4.into())
        } else if is_host_name(host) {
            Host::Name(host.to_ascii_lowercase())
        } else {
            return Err(form());
        };
        match host {
            Host::Ip(ip) if is_nobody(ip) => Err(AddressError::Nobody(ip)),
            host => Ok(Self { host, port }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    let plain = !text.is_empty()
        && text.len() <= 5
        && text.bytes().all(|b| b.is_ascii_digit())
        && !text.starts_with('0');
    text.parse().ok().filter(|_| plain).ok_or_else(|| {
        AddressError::Port(crate::text::escape_display(&text.chars().take(20).collect::<String>()))
    })
}

fn is_nobody(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn is_host_name(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
        // A name whose last label is a number is a mistyped IPv4 address (WHATWG URL, "ends in a number").
        && !text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_dialled() {
        for (text, shown) in [
            (":5001", "127.0.0.1:5001"),
            ("10.0.0.1:1", "10.0.0.1:1"),
            ("[::1]:5001", "[::1]:5001"),
            ("[::ffff:10.0.0.1]:7", "10.0.0.1:7"),
            ("LocalHost:65535", "localhost:65535"),
            ("my-box.lan:5000", "my-box.lan:5000"),
        ] {
            let parsed: Address = text.parse().expect(text);
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(shown.parse::<Address>().expect(shown), parsed);
        }
    }

    #[test]
    fn what_cannot() {
        for text in [
            "",
            "5001",
            ":",
            ":0",
            ":080",
            ":65536",
            ":+5",
            "a b:5",
            "::1:5",
            "[::1]",
            "[::1:5",
            "1.2.3:5",
            "0.0.0.0:5",
            "255.255.255.255:5",
            "224.0.0.1:5",
            "-a:5",
            "a..b:5",
            "12:30 x",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }
}

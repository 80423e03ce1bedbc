//! Where a plain program is written to: at the address that its connection came from, at the port that
//! it names. Decides when its own word for that is not enough, and somebody here must have given the
//! address in full; knows nothing of what is said there.

use std::net::{IpAddr, SocketAddr};

use crate::api::command::CommandError;
use crate::node::Node;
use crate::node::peers::PeerIx;

impl Node {
    /// Where a plain peer is written to.
    ///
    /// # Errors
    /// It never said where it listens, or named a place that it must not lead us to.
    pub(super) fn plain_place(&self, ix: PeerIx) -> Result<SocketAddr, CommandError> {
        let peer = self.peers.get(ix);
        let name = peer.name();
        let (Some(plain), Some(at)) = (&peer.plain, peer.listens) else {
            return Err(CommandError::NoAddress(name));
        };
        match unfit(at) {
            Some(claim) if !plain.typed => Err(CommandError::OnlyClaimed { name, at, claim }),
            Some(_) | None => Ok(at),
        }
    }

    /// The same for whoever only has a name and wants a connection: what it names must also be where it
    /// speaks from, as nobody can tell which of the two is meant.
    ///
    /// # Errors
    /// As above, or it named another machine.
    pub(in crate::node) fn plain_meant(&self, ix: PeerIx) -> Result<(), CommandError> {
        let peer = self.peers.get(ix);
        let Some(plain) = &peer.plain else { return Ok(()) };
        let at = self.plain_place(ix)?;
        if plain.elsewhere == Some(true) && !plain.typed {
            let claim = "names another machine than the one it speaks from";
            return Err(CommandError::OnlyClaimed { name: peer.name(), at, claim });
        }
        Ok(())
    }

    /// Somebody here has given the peer's address in full, so that is what they mean.
    pub(in crate::node) fn plain_typed(&mut self, ix: PeerIx) {
        if let Some(plain) = &mut self.peers.get_mut(ix).plain {
            plain.typed = true;
        }
    }
}

/// What is wrong with an address that only a stranger names: other programs listen there than those
/// that people talk by, and would read a text as a command.
fn unfit(at: SocketAddr) -> Option<&'static str> {
    let (link_local, nobody) = match at.ip().to_canonical() {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()),
        IpAddr::V6(ip) => (ip.is_unicast_link_local(), ip.is_unspecified() || ip.is_multicast()),
    };
    if nobody {
        Some("claims an address that is no single machine's")
    } else if link_local {
        Some("claims a link-local address, where routers and clouds answer")
    } else if at.port() < FIRST_FREE_PORT {
        Some("claims a port below 1024, where services listen")
    } else {
        None
    }
}

/// Below it are the ports that only a system's own services may take (RFC 6335 §6).
const FIRST_FREE_PORT: u16 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_claim_leads_to_a_service() {
        for (at, fit) in [
            ("10.0.0.2:1024", true),
            ("10.0.0.2:65535", true),
            ("127.0.0.1:5000", true),
            ("169.253.255.255:5000", true),
            ("169.255.0.0:5000", true),
            ("223.255.255.255:5000", true),
            ("[::1]:5000", true),
            ("[2001:db8::1]:5000", true),
            ("[fec0::1]:5000", true),
            ("10.0.0.2:0", false),
            ("10.0.0.2:1", false),
            ("10.0.0.2:25", false),
            ("10.0.0.2:80", false),
            ("10.0.0.2:1023", false),
            ("127.0.0.1:22", false),
            ("[::1]:631", false),
            ("169.254.0.0:5000", false),
            ("169.254.169.254:80", false),
            ("169.254.169.254:8080", false),
            ("169.254.255.255:65535", false),
            ("[::ffff:169.254.169.254]:5000", false),
            ("[fe80::1]:5000", false),
            ("[febf::1]:5000", false),
            ("0.0.0.0:5000", false),
            ("[::]:5000", false),
            ("255.255.255.255:5000", false),
            ("224.0.0.1:5000", false),
            ("239.255.255.250:1900", false),
            ("[ff02::1]:5000", false),
            ("[::ffff:224.0.0.251]:5353", false),
        ] {
            let why = unfit(at.parse().expect("an address"));
            assert_eq!(why.is_none(), fit, "{at}: {why:?}");
        }
    }
}

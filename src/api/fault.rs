//! What a person or a script asks of the network and of the fates of peers, in a world that we host.
//! Peers are not looked up here, and nothing is done.

use std::fmt;
use std::time::Duration;

use crate::api::command::{PeerRef, show};
use crate::api::value::{duration, peer_word};

/// Something to be done to the network, or to a machine on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Between these two it is like this from now on; between all that have no shape of their own,
    /// when nobody is named.
    Link {
        /// Which two.
        ends: Option<(PeerRef, PeerRef)>,
        /// What is said of it.
        shape: ShapeWish,
    },
    /// Nothing passes between these sides.
    Partition(Vec<PeerRef>, Vec<PeerRef>),
    /// All is well again.
    Heal,
    /// Nothing passes between these two until it is released.
    Hold(PeerRef, PeerRef),
    /// What was held comes.
    Release(PeerRef, PeerRef),
    /// The program dies.
    Crash(PeerRef),
    /// It starts again.
    Restart(PeerRef),
}

/// How bytes are to travel; what is not said stays as it is elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapeWish {
    /// How long every byte takes at least.
    pub delay: Option<Duration>,
    /// Up to how much longer a piece takes.
    pub jitter: Option<Duration>,
    /// Bytes a second.
    pub bandwidth: Option<u64>,
    /// The largest piece in which bytes arrive.
    pub split: Option<u64>,
    /// Bytes of so long a time arrive together.
    pub glue: Option<Duration>,
}

impl Fault {
    /// The verb that asks for it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Link { .. } => "link",
            Self::Partition(..) => "partition",
            Self::Heal => "heal",
            Self::Hold(..) => "hold",
            Self::Release(..) => "release",
            Self::Crash(_) => "crash",
            Self::Restart(_) => "restart",
        }
    }
}

impl ShapeWish {
    /// The keys that there are.
    pub const KEYS: &str = "delay, jitter, bandwidth, split, glue";
    /// Why there is no loss, in whatever world.
    pub const LOSS: &str = "loss cannot be made on a stream: TCP sends again what was lost, so a program sees \
        only delay; use delay=, jitter=, hold, or cut the link";

    /// Takes `KEY=VALUE`.
    ///
    /// # Errors
    /// There is no such key, or it cannot have this value.
    pub fn set(&mut self, word: &str) -> Result<(), String> {
        let Some((key, value)) = word.split_once('=') else {
            return Err(format!("\"{}\" is no KEY=VALUE; keys: {}", shown(word), Self::KEYS));
        };
        let number = |value: &str| {
            value.parse::<u64>().map_err(|_| format!("{key}={} is no whole number", shown(value)))
        };
        match key {
            "delay" => self.delay = Some(duration(value)?),
            "jitter" => self.jitter = Some(duration(value)?),
            "bandwidth" => self.bandwidth = Some(number(value)?),
            "split" => self.split = Some(number(value)?),
            "glue" => self.glue = Some(duration(value)?),
            key => return Err(Self::unknown(key)),
        }
        Ok(())
    }

    /// What to say of a key that does not exist.
    pub fn unknown(key: &str) -> String {
        if key == "loss" {
            return Self::LOSS.into();
        }
        format!("a link has no \"{}\"; it has {}", shown(key), Self::KEYS)
    }
}

impl fmt::Display for ShapeWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        words.extend(self.delay.map(|delay| format!("delay={}", show(delay))));
        words.extend(self.jitter.map(|jitter| format!("jitter={}", show(jitter))));
        words.extend(self.bandwidth.map(|bandwidth| format!("bandwidth={bandwidth}")));
        words.extend(self.split.map(|split| format!("split={split}")));
        words.extend(self.glue.map(|glue| format!("glue={}", show(glue))));
        f.write_str(&words.join(" "))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &[PeerRef]| side.iter().map(peer_word).collect::<Vec<_>>().join(",");
        match self {
            Self::Link { ends: Some((a, b)), shape } => {
                write!(f, "link {} {} {shape}", peer_word(a), peer_word(b))
            }
            Self::Link { ends: None, shape } => write!(f, "link * * {shape}"),
            Self::Partition(a, b) => write!(f, "partition {} {}", side(a), side(b)),
            Self::Heal => f.write_str("heal"),
            Self::Hold(a, b) => write!(f, "hold {} {}", peer_word(a), peer_word(b)),
            Self::Release(a, b) => write!(f, "release {} {}", peer_word(a), peer_word(b)),
            Self::Crash(peer) => write!(f, "crash {}", peer_word(peer)),
            Self::Restart(peer) => write!(f, "restart {}", peer_word(peer)),
        }
    }
}

fn shown(word: &str) -> String {
    crate::api::value::shown(word)
}

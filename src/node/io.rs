//! The whole contract of the core: what a node may be told, and what it may ask for. Plain data in
//! both directions, so that a driver over sockets, a simulator and a test all speak it.

use std::net::SocketAddr;

use crate::addr::Address;
use crate::api::command::{Command, CommandError, Dialect};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::{LinkId, LoadId, Name, RequestId, SaveId};
use crate::limits;
use crate::limits::doors::{DOORS, Doors};
use crate::node::record::{Answer, Query, Record};
use crate::time::Mono;
use crate::why::Why;

/// How a node is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it calls itself.
    pub name: Name,
    /// Where its driver listens.
    pub listens: Option<SocketAddr>,
    /// How an address that nothing is known of is dialled.
    pub dialect: Dialect,
    /// Whether such an address is first listened to, to find out what it speaks, when it is dialled in
    /// plain text.
    pub probes: bool,
    /// Whether plain text is heard at all.
    pub hear_plain: bool,
    /// Whether there is a store at all. Without one nothing is asked to be saved, and what would be
    /// said once it is saved is said at the end of the turn.
    pub keeps: bool,
    /// Whether its key ends with its program; others are told.
    pub passing: bool,
    /// Whether it looks for the peers that it was connected to when it was last there.
    pub recalls: bool,
    /// Whether a panic while something is read ends the stream that it came on, and not the program.
    pub sheltered: bool,
    /// Streams open at once; further ones are refused.
    pub links_max: usize,
    /// Whom it lets in, and how fast; `None` for everybody, which is for casts of our own.
    pub doors: Option<Doors>,
}

impl Config {
    /// The usual settings for a node called `name`.
    pub fn new(name: Name) -> Self {
        Self {
            name,
            listens: None,
            dialect: Dialect::Native,
            probes: true,
            hear_plain: true,
            keeps: true,
            passing: false,
            recalls: true,
            sheltered: false,
            links_max: limits::LINKS_MAX,
            doors: Some(DOORS),
        }
    }
}

/// Something that happened to a node.
#[derive(Debug)]
pub enum Input<'a> {
    /// Nothing but time.
    Tick,
    /// A front end wants something.
    Command {
        /// Names the answer.
        request: RequestId,
        /// What.
        command: Command,
    },
    /// A stream is up: one that we asked for by `Dial`, or one that somebody opened to us.
    Opened {
        /// Which.
        link: LinkId,
        /// The other end.
        remote: SocketAddr,
        /// Our end.
        local: SocketAddr,
    },
    /// Bytes arrived.
    Received {
        /// Where.
        link: LinkId,
        /// What.
        bytes: &'a [u8],
    },
    /// Bytes that we wrote were taken by the stream.
    Flushed {
        /// Where.
        link: LinkId,
        /// How many, at least 1.
        count: usize,
    },
    /// A stream has ended, or could not be opened. Nothing more will come of it.
    Closed {
        /// Which.
        link: LinkId,
        /// How.
        why: Why,
    },
    /// What the store says to what it was asked.
    Stored(Answer),
}

/// Something that a node wants done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Open a stream; answer with `Opened` or `Closed`.
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// Where to.
        to: Address,
    },
    /// Write to a stream, after all that was written before; answer with `Flushed`.
    Write {
        /// Which.
        link: LinkId,
        /// What.
        bytes: Vec<u8>,
    },
    /// End our half of a stream once everything is written.
    Finish {
        /// Which.
        link: LinkId,
    },
    /// Close a stream once everything is written, or after a moment. Nothing of it is reported any
    /// more.
    Close {
        /// Which.
        link: LinkId,
    },
    /// Close a stream at once, whatever is still to be written or read.
    Cut {
        /// Which.
        link: LinkId,
    },
    /// Read nothing from a stream until then, so that its writer has to wait; from then on read little
    /// at once.
    Pause {
        /// Which.
        link: LinkId,
        /// Until when.
        until: Mono,
    },
    /// Save these, in order, all or none, after all that was given before; answer with
    /// [`Answer::Saved`] once they survive a power cut, or with [`Answer::Unsaved`].
    Save {
        /// Names the answer.
        save: SaveId,
        /// What.
        records: Vec<Record>,
    },
    /// Look this up among what is saved; answer with [`Answer::Found`].
    Load {
        /// Names the answer.
        load: LoadId,
        /// What.
        query: Query,
    },
    /// The answer to a command.
    Reply {
        /// Which.
        request: RequestId,
        /// What came of it.
        result: Result<Reply, CommandError>,
    },
    /// Tell the front end.
    Emit(Event),
}

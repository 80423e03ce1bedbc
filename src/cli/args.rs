//! The flags, and what each word of them must be. Nothing is run here.

use clap::{Parser, Subcommand, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::addr::Address;
use crate::api::settings::Color;
use crate::cli::scripts::ScriptVerb;
use crate::id::Name;

/// Chat without a server that you can script.
///
/// Without -c and at a terminal this is a prompt: type `help` there. With standard input from a
/// pipe, its lines are obeyed as they come.
#[derive(Parser, Debug)]
#[command(name = "hobnob", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 bad command line, 2 a script or batch does not parse, \
    3 runtime or network failure, 4 an expectation or test failed, 5 not deterministic, or a replay \
    differs, 130 interrupted.")]
pub(super) struct Args {
    /// What you are called; by default your login name.
    #[arg(value_parser = name)]
    pub(super) name: Option<Name>,
    /// The port to listen on; by default a free one.
    #[arg(value_parser = port)]
    pub(super) port: Option<u16>,
    /// Obey this line, and the next -c, then say goodbye and leave.
    #[arg(short = 'c', value_name = "LINE")]
    pub(super) commands: Vec<String>,
    #[command(flatten)]
    pub(super) flags: Flags,
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

/// What there is besides the prompt and -c.
#[derive(Subcommand, Debug)]
pub(super) enum Verb {
    /// Listen, and print what peers say and do.
    Tail {
        /// Leave after this many messages.
        #[arg(short = 'n', value_name = "N")]
        count: Option<u64>,
        /// What you are called; by default your login name.
        #[arg(value_parser = name)]
        name: Option<Name>,
        /// The port to listen on; by default a free one.
        #[arg(value_parser = port)]
        port: Option<u16>,
    },
    #[command(flatten)]
    Script(Box<ScriptVerb>),
    /// Print a completion script for a shell.
    Completions {
        /// Which.
        shell: clap_complete::Shell,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct Flags {
    /// Listen on this address only, IP or IP:PORT; by default on all.
    #[arg(long, value_name = "ADDR", value_parser = listen, global = true)]
    pub(super) listen: Option<(IpAddr, Option<u16>)>,
    /// Dial this address at start and keep it connected; may be given again.
    #[arg(long = "peer", value_name = "ADDR", value_parser = address, global = true)]
    pub(super) peers: Vec<Address>,
    /// Dial unknown addresses in the plain protocol.
    #[arg(long, global = true)]
    pub(super) classic: bool,
    /// Refuse plain lines.
    #[arg(long, global = true, conflicts_with = "classic")]
    pub(super) no_classic: bool,
    /// Keep key, peers, messages and history here; by default in a folder for each name in the XDG
    /// data folder.
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data: Option<PathBuf>,
    /// Keep nothing, and have a key for this run only.
    #[arg(long, global = true)]
    pub(super) ephemeral: bool,
    /// How long a command may take: 500ms, 2s, 1m.
    #[arg(long, value_name = "D", value_parser = duration, global = true)]
    pub(super) timeout: Option<Duration>,
    /// Do not read the file of lines that a prompt starts with.
    #[arg(long, global = true)]
    pub(super) no_rc: bool,
    /// Print lines of JSON and nothing else.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Print messages only.
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Print more: links that never became a peer, and why.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto, global = true)]
    pub(super) color: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// At a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<When> for Color {
    fn from(when: When) -> Self {
        match when {
            When::Auto => Self::Auto,
            When::Always => Self::Always,
            When::Never => Self::Never,
        }
    }
}

fn name(text: &str) -> Result<Name, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("a name comes before the port: hobnob NAME {text}"));
    }
    if is_script(text) {
        return Err(format!("this is a script; to play it: hobnob run {text}"));
    }
    Name::new(text).map_err(|error| error.to_string())
}

/// Whether that can only be meant as the file of a script.
fn is_script(text: &str) -> bool {
    [".rhai", ".hob", ".md"].iter().any(|end| text.len() > end.len() && text.ends_with(end))
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| {
        let script = if is_script(text) { "; to play a script: hobnob run FILE" } else { "" };
        format!("a port is a number from 0 to 65535{script}")
    })
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error: crate::addr::AddressError| error.to_string())
}

fn listen(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok((ip, None));
    }
    let form = "write an IP address of this machine, as 127.0.0.1, or with a port, as 127.0.0.1:5000";
    text.parse::<SocketAddr>().map(|addr| (addr.ip(), Some(addr.port()))).map_err(|_| form.to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::api::value::duration(text)
}

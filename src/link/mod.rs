//! One connection, without I/O: whose preamble comes when, who is at the other end, what it says.
//!
//! ```text
//! dialled   Preamble ──────────┐
//! dialled   Probe ─┬───────────┤
//! accepted  Sniff ─┼─ Preamble ┴─ Handshake ── Open
//!                  └─ Plain
//! ```
//!
//! Bytes go in, plaintext or a burst comes out, and bytes to write gather inside until they are
//! taken. Knows nothing of peers, messages or other links; whoever owns it closes it on any error.

pub(crate) mod cipher;
mod noise;
mod spare;

pub use spare::recycle;

use crate::key::{Keys, PeerKey};
use crate::limits;
use crate::planted::{self, Planted};
use crate::rng::Rng;
use crate::time::Mono;
use crate::why::Why;
use crate::wire::classic::is_plain_first_byte;
use crate::wire::preamble::{self, Verdict};
use crate::wire::record::{self, Splitter};
use cipher::{Cipher, Handshake, Step, Transport};
use spare::SMALL;

/// One stream and what we know of it.
pub struct Link {
    state: State,
    cipher: Cipher,
    opened: Mono,
    heard: Mono,
    asked: bool,
    splitter: Splitter,
    said: Vec<u8>,
    out: Vec<u8>,
    /// Records in `out`.
    records: u64,
}

enum State {
    /// Accepted; nothing heard. Our preamble may have gone out to a silent caller.
    Sniff {
        greeted: bool,
        refuse_plain: bool,
    },
    /// Dialled, silent, waiting whether a native preamble comes.
    Probe,
    /// Part of a preamble was heard, or is due.
    Preamble {
        seen: Vec<u8>,
        since: Mono,
        greeted: bool,
        dialled: bool,
    },
    Handshake {
        noise: Box<dyn Handshake>,
        since: Mono,
    },
    Open(Box<dyn Transport>),
    Plain {
        burst: Vec<u8>,
        last: Mono,
    },
}

/// What an input brought about.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The peer has proven this key; the link is open from now on.
    pub authenticated: Option<PeerKey>,
    /// The other end speaks, or is to be spoken to, in plain text.
    pub became_plain: bool,
    /// The link is quiet: ask whether the peer is alive.
    pub ask: bool,
    /// A whole burst of plain text.
    pub burst: Option<Vec<u8>>,
}

impl Link {
    /// A stream that we opened, to speak our protocol on. The preamble goes out at once.
    pub fn dialled(now: Mono) -> Self {
        let state = State::Preamble { seen: Vec::new(), since: now, greeted: true, dialled: true };
        Self { out: preamble::OURS.to_vec(), ..Self::new(state, now) }
    }

    /// A stream that we opened to an address that may turn out either way.
    pub fn probing(now: Mono) -> Self {
        Self::new(State::Probe, now)
    }

    /// A stream that we opened to a program that is known to be plain.
    pub fn plain(now: Mono) -> Self {
        Self::new(State::Plain { burst: Vec::new(), last: now }, now)
    }

    /// A stream that somebody opened to us.
    pub fn accepted(now: Mono, refuse_plain: bool) -> Self {
        Self::new(State::Sniff { greeted: false, refuse_plain }, now)
    }

    fn new(state: State, now: Mono) -> Self {
        let (said, out) = Default::default();
        let (cipher, splitter) = (Cipher::NOISE, Splitter::default());
        Self { state, cipher, opened: now, heard: now, asked: false, splitter, said, out, records: 0 }
    }

    /// The same link, not yet begun, under another cipher than the usual one.
    pub(crate) fn under(self, cipher: Cipher) -> Self {
        Self { cipher, ..self }
    }

    /// When something was last heard.
    pub fn heard(&self) -> Mono {
        self.heard
    }

    /// That nothing is heard is not the other side's fault.
    pub fn excuse(&mut self, now: Mono) {
        self.heard = now;
        self.asked = false;
    }

    /// Whether messages can be said.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Whether it speaks plain text.
    pub fn is_plain(&self) -> bool {
        matches!(self.state, State::Plain { .. })
    }

    /// Whether not even the first byte is known.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Sniff { .. })
    }

    /// Why an end of stream at this point would be: before a preamble it means the other side does
    /// not speak our protocol.
    pub fn why_at_eof(&self) -> Why {
        match &self.state {
            State::Preamble { dialled: true, .. } => Why::NotHobnob,
            State::Sniff { .. }
            | State::Probe
            | State::Plain { .. }
            | State::Preamble { .. }
            | State::Open(_) => Why::Eof,
            State::Handshake { .. } => Why::Crypto,
        }
    }

    /// Takes what arrived. Plaintext of whole records is appended to `plain`: a run of messages.
    ///
    /// # Errors
    /// The other side broke the protocol or failed to prove itself; close the link.
    pub fn receive(
        &mut self,
        now: Mono,
        mut bytes: &[u8],
        keys: &Keys,
        rng: &mut Rng,
        plain: &mut Vec<u8>,
    ) -> Result<Progress, Why> {
        let mut progress = Progress::default();
        self.heard = now;
        self.asked = false;
        loop {
            match &mut self.state {
                State::Sniff { greeted, refuse_plain } => match bytes.first() {
                    None => return Ok(progress),
                    Some(0x7f) => {
                        self.state = State::Preamble {
                            seen: Vec::new(),
                            since: now,
                            greeted: *greeted,
                            dialled: false,
                        };
                    }
                    Some(&first) if is_plain_first_byte(first) && *refuse_plain => {
                        return Err(Why::PlainRefused);
                    }
                    Some(&first) if is_plain_first_byte(first) => self.turn_plain(now, &mut progress),
                    Some(_) => return Err(Why::Protocol),
                },
                State::Probe => match bytes.first() {
                    None => return Ok(progress),
                    Some(0x7f) => {
                        self.state =
                            State::Preamble { seen: Vec::new(), since: now, greeted: false, dialled: true };
                    }
                    Some(_) => self.turn_plain(now, &mut progress),
                },
                State::Preamble { seen, greeted, dialled, since } => {
                    let wanted = (preamble::LEN - seen.len()).min(bytes.len());
                    let (taken, rest) = bytes.split_at(wanted);
                    seen.extend_from_slice(taken);
                    bytes = rest;
                    match preamble::judge(seen) {
                        Verdict::Partial => return Ok(progress),
                        Verdict::Not if *dialled => return Err(Why::NotHobnob),
                        Verdict::Not => return Err(Why::Protocol),
                        Verdict::Other(version) => {
                            // So that the other side can say which version we speak.
                            if !*greeted {
                                self.out.extend_from_slice(&preamble::OURS);
                            }
                            return Err(Why::Version(version));
                        }
                        Verdict::Ours => {
                            if !*greeted {
                                self.out.extend_from_slice(&preamble::OURS);
                            }
                            let (since, dialled) = (*since, *dialled);
                            let mut noise = self.cipher.begin(dialled, keys, rng)?;
                            if dialled {
                                noise.write(keys, &mut self.out)?;
                                self.records += 1;
                            }
                            self.state = State::Handshake { noise, since };
                        }
                    }
                }
                State::Handshake { noise, .. } => {
                    let length = noise.step().expects();
                    let record = match self.splitter.next(&mut bytes, length, length) {
                        Ok(Some(record)) => record,
                        Ok(None) => return Ok(progress),
                        Err(_) => return Err(Why::Protocol),
                    };
                    noise.read(&record)?;
                    if noise.step() != Step::Done {
                        noise.write(keys, &mut self.out)?;
                        self.records += 1;
                    }
                    if noise.step() == Step::Done {
                        let State::Handshake { noise, .. } = std::mem::replace(&mut self.state, State::Probe)
                        else {
                            return Err(Why::Crypto);
                        };
                        let (transport, key) = noise.finish(keys)?;
                        progress.authenticated = Some(key);
                        self.state = State::Open(transport);
                    }
                }
                State::Open(transport) => {
                    let range = (limits::TAG_LEN + 1, limits::RECORD_MAX);
                    match self.splitter.next(&mut bytes, range.0, range.1) {
                        Ok(Some(record)) => transport.open(&record, plain)?,
                        Ok(None) => return Ok(progress),
                        Err(_) => return Err(Why::Protocol),
                    }
                }
                State::Plain { burst, last } => {
                    *last = now;
                    let room = limits::BURST_MAX - burst.len();
                    burst.extend_from_slice(&bytes[..room.min(bytes.len())]);
                    if burst.len() == limits::BURST_MAX || planted::is(Planted::SplitMessage) {
                        progress.burst = Some(std::mem::take(burst));
                    }
                    return Ok(progress);
                }
            }
        }
    }

    /// The other side ends its half of the stream.
    pub fn end(&mut self) -> Option<Vec<u8>> {
        match &mut self.state {
            State::Plain { burst, .. } if !burst.is_empty() => Some(std::mem::take(burst)),
            _ => None,
        }
    }

    /// When [`Self::tick`] wants to be called next.
    pub fn deadline(&self, crowded: bool) -> Mono {
        match &self.state {
            State::Sniff { greeted: false, .. } => self.opened.plus(limits::LISTENER_SILENCE),
            State::Sniff { .. } => {
                self.opened.plus(if crowded { limits::FIRST_BYTE_CROWDED } else { limits::FIRST_BYTE })
            }
            State::Probe => self.opened.plus(limits::PLAIN_PROBE),
            State::Preamble { since, .. } => since.plus(limits::PREAMBLE),
            State::Handshake { since, .. } => since.plus(limits::HANDSHAKE),
            State::Open(_) if self.asked => self.heard.plus(limits::LINK_SILENT),
            State::Open(_) => self.heard.plus(limits::PING_IDLE),
            State::Plain { burst, last } if burst.is_empty() => last.plus(limits::PLAIN_IDLE),
            State::Plain { last, .. } => last.plus(limits::BURST_SILENCE),
        }
    }

    /// Lets time pass. Nothing happens before [`Self::deadline`].
    ///
    /// # Errors
    /// The other side was silent for too long; close the link.
    pub fn tick(&mut self, now: Mono, crowded: bool) -> Result<Progress, Why> {
        let mut progress = Progress::default();
        if now < self.deadline(crowded) {
            return Ok(progress);
        }
        match &mut self.state {
            State::Sniff { greeted, .. } if !*greeted => {
                *greeted = true;
                self.out.extend_from_slice(&preamble::OURS);
            }
            State::Sniff { .. } => return Err(Why::TimedOut),
            State::Probe => self.turn_plain(now, &mut progress),
            State::Preamble { dialled: true, .. } => return Err(Why::NotHobnob),
            State::Preamble { .. } | State::Handshake { .. } => return Err(Why::Stalled),
            State::Open(_) if self.asked => return Err(Why::Silent),
            State::Open(_) => {
                self.asked = true;
                progress.ask = true;
            }
            State::Plain { burst, .. } if burst.is_empty() => return Err(Why::TimedOut),
            State::Plain { burst, .. } => progress.burst = Some(std::mem::take(burst)),
        }
        Ok(progress)
    }

    /// Says something: `put` appends whole messages, at most 33 KiB, to the run. On a link that is
    /// not open nothing is said.
    pub fn say(&mut self, spare: &mut Vec<Vec<u8>>, put: impl FnOnce(&mut Vec<u8>)) {
        let State::Open(transport) = &mut self.state else { return };
        if self.said.capacity() == 0 {
            self.said = spare.pop().unwrap_or_default();
        }
        let before = self.said.len();
        put(&mut self.said);
        if self.said.len() > limits::PLAINTEXT_MAX {
            seal(transport.as_mut(), &self.said[..before], &mut self.out);
            self.records += u64::from(before > 0);
            self.said.drain(..before);
        }
    }

    /// Writes plain text as it is.
    pub fn say_plain(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    /// Bytes said and not yet taken.
    pub fn waiting(&self) -> usize {
        self.said.len() + self.out.len()
    }

    /// How many records there are in what was taken since this was last asked.
    pub fn records(&mut self) -> u64 {
        std::mem::take(&mut self.records)
    }

    /// Seals what was said into as few records as it takes and hands over all that is to be
    /// written. The buffer goes back to `spare`, as buffers belong to the thread and not to a link.
    pub fn take(&mut self, spare: &mut Vec<Vec<u8>>) -> Vec<u8> {
        if let State::Open(transport) = &mut self.state
            && !self.said.is_empty()
        {
            if self.out.capacity() == 0 && self.said.len() > SMALL {
                self.out = spare.pop().unwrap_or_default();
            }
            seal(transport.as_mut(), &self.said, &mut self.out);
            self.records += 1;
            self.said.clear();
            if self.said.capacity() > SMALL {
                recycle(spare, std::mem::take(&mut self.said));
            }
        }
        std::mem::take(&mut self.out)
    }

    fn turn_plain(&mut self, now: Mono, progress: &mut Progress) {
        progress.became_plain = true;
        self.state = State::Plain { burst: Vec::new(), last: now };
    }
}

/// Bytes that a record adds to its plaintext.
pub const RECORD_OVERHEAD: usize = limits::TAG_LEN + 2;

fn seal(transport: &mut dyn Transport, plaintext: &[u8], out: &mut Vec<u8>) {
    if plaintext.is_empty() {
        return;
    }
    // In one piece, or the buffer would grow three times for a record.
    out.reserve(plaintext.len() + RECORD_OVERHEAD);
    record::put_prefix(plaintext.len() + limits::TAG_LEN, out);
    transport.encrypt(plaintext, out);
}

#[cfg(test)]
mod tests;

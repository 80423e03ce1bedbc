//! Reads the lines of a run that somebody else may have written, within bounds. Fields that it does
//! not know are ignored, so that a later version may add some; a kind of moment that it does not know
//! is an error, as a report without it would lie. An answer to a person is no moment: it is skipped.

use blake2::{Blake2s256, Digest};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;

use super::VERSION;
use crate::id::{Name, NameError};
use crate::limits::{EVENTS_BYTES_MAX, EVENTS_MAX, EVENTS_TIME_MAX};
use crate::play::{End, Ev, Head, Moment, More, Play, Verdict, WorldKind};
use crate::text::hex;
use crate::text::{Untrusted, escape_display};

/// Why a file of events cannot be read. Says which line, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It has this many bytes.
    #[error("{0} bytes of events are too many; the limit is {EVENTS_BYTES_MAX}; record a shorter run")]
    TooBig(usize),
    /// It has too many lines.
    #[error("line {0}: a run may have {EVENTS_MAX} events and no more; record a shorter one")]
    TooMany(usize),
    /// There is nothing in it.
    #[error("line 1: a header is missing; give a file of events, as `hobnob run` writes it")]
    Empty,
    /// It begins with something else.
    #[error("line 1: \"{0}\" is no header; give the whole file of events")]
    NoHeader(String),
    /// A line is not what a line of events looks like.
    #[error("line {line}: {why}; give a file of events, as `hobnob run` writes it")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The file ends within a line.
    #[error("line {0}: it is cut off; remove it to read what is before")]
    CutOff(usize),
    /// It was written by another version.
    #[error("line {line}: version {found} of the lines; this program reads {VERSION}: use a newer one")]
    Version {
        /// From 1.
        line: usize,
        /// What it says.
        found: u64,
    },
    /// A kind of moment that we do not know.
    #[error("line {line}: unknown event \"{ev}\"; use the version of hobnob that wrote it")]
    Unknown {
        /// From 1.
        line: usize,
        /// Its word, escaped.
        ev: String,
    },
    /// A line is missing or stands in the wrong place.
    #[error("line {line}: it says it is number {found}, not {expected}; give the file as it was written")]
    Order {
        /// From 1.
        line: usize,
        /// Its `n`.
        found: u64,
        /// What should be there.
        expected: u64,
    },
    /// Something follows the end.
    #[error("line {0}: a line after the end; give one run at a time")]
    AfterEnd(usize),
    /// The file is not what was written.
    #[error("line {0}: the lines before do not have this hash, so somebody changed them; record it anew")]
    Hash(usize),
    /// A run of a script ends without a hash.
    #[error("line {0}: the hash of the lines before is missing; record it anew")]
    NoHash(usize),
}

/// A line, whatever kind of moment it is.
#[derive(Deserialize)]
struct Row<'a> {
    v: u64,
    n: u64,
    t: f64,
    #[serde(borrow)]
    ev: Cow<'a, str>,
    #[serde(default, borrow)]
    peer: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    with: Option<Cow<'a, str>>,
    #[serde(default)]
    plain: bool,
    #[serde(default)]
    auto: bool,
    msg: Option<u64>,
    text: Option<Box<str>>,
    line: Option<u32>,
    cause: Option<u64>,
    #[serde(default)]
    lam: u64,
    why: Option<String>,
    verdict: Option<Cow<'a, str>>,
    points: Option<f64>,
    got: Option<f64>,
    sides: Option<[Vec<Cow<'a, str>>; 2]>,
    #[serde(default)]
    one_way: bool,
    expected: Option<Box<str>>,
    #[serde(default)]
    unread: Vec<Box<str>>,
    quote: Option<Box<str>>,
    file: Option<Box<str>>,
    // Of the first and the last line.
    hobnob: Option<String>,
    world: Option<Cow<'a, str>>,
    script: Option<Box<str>>,
    hash: Option<String>,
    seed: Option<u64>,
    #[serde(default)]
    timed: bool,
    wall: Option<i64>,
    result: Option<u8>,
    trace: Option<Cow<'a, str>>,
}

/// What was read so far.
struct Reader {
    play: Play,
    /// Of each line, the number of its moment, if it is one.
    moments: Vec<Option<u64>>,
    scripted: bool,
}

/// A run, from the lines that tell of it.
///
/// # Errors
/// The text is no run, not a whole one, or too big; the error names the line. A file without a last
/// line is a run that did not end.
pub fn read(text: &[u8]) -> Result<Play, ReadError> {
    if text.len() > EVENTS_BYTES_MAX {
        return Err(ReadError::TooBig(text.len()));
    }
    let mut lines = text.split_inclusive(|&byte| byte == b'\n').enumerate();
    let Some((_, first)) = lines.next() else {
        return Err(ReadError::Empty);
    };
    let mut reader = Reader::begin(&row(first, 1)?)?;
    let mut before = first.len();
    for (at, raw) in lines {
        let number = at + 1;
        if reader.play.end.is_some() {
            return Err(ReadError::AfterEnd(number));
        }
        if reader.play.moments.len() >= EVENTS_MAX {
            return Err(ReadError::TooMany(number));
        }
        let row = row(raw, number)?;
        let expected = reader.moments.len() as u64;
        if row.n != expected {
            return Err(ReadError::Order { line: number, found: row.n, expected });
        }
        match &*row.ev {
            "end" => {
                let hashed = text.get(..before).unwrap_or_default();
                reader.end(row, number, hashed)?;
            }
            "reply" => reader.moments.push(None),
            _ => reader.moment(row, number)?,
        }
        before += raw.len();
    }
    Ok(reader.play)
}

/// The fields of a line.
fn row(raw: &[u8], line: usize) -> Result<Row<'_>, ReadError> {
    let parsed: Result<Row<'_>, _> = serde_json::from_slice(raw);
    let row = parsed.map_err(|error| {
        if error.is_eof() && !raw.ends_with(b"\n") {
            ReadError::CutOff(line)
        } else {
            wrong(line, &error.to_string())
        }
    })?;
    if row.v != VERSION {
        return Err(ReadError::Version { line, found: row.v });
    }
    Ok(row)
}

impl Reader {
    fn begin(row: &Row<'_>) -> Result<Self, ReadError> {
        if row.ev != "header" {
            return Err(ReadError::NoHeader(cut(&row.ev)));
        }
        if row.n != 0 {
            return Err(ReadError::Order { line: 1, found: row.n, expected: 0 });
        }
        let world = match row.world.as_deref() {
            Some("sim") => WorldKind::Sim,
            Some("tcp") => WorldKind::Tcp,
            other => return Err(wrong(1, &format!("unknown world \"{}\"", other.unwrap_or_default()))),
        };
        // What a prompt lived through has neither script nor seed.
        let scripted = row.script.is_some();
        let head = Head {
            hobnob: row.hobnob.clone().unwrap_or_default(),
            script: untrusted(row.script.clone().unwrap_or_default()),
            hash: row.hash.clone().unwrap_or_default(),
            seed: row.seed.unwrap_or(0),
            world,
            timed: row.timed || !scripted,
            wall: row.wall,
        };
        let play = Play { head, moments: Vec::new(), end: None };
        Ok(Self { play, moments: vec![None], scripted })
    }

    fn moment(&mut self, mut row: Row<'_>, line: usize) -> Result<(), ReadError> {
        let ev = Ev::of_word(&row.ev).ok_or_else(|| ReadError::Unknown { line, ev: cut(&row.ev) })?;
        let cause = row.cause.map(|cause| self.cause(cause, line)).transpose()?;
        let moment = Moment {
            at: micros(row.t, line)?,
            ev,
            peer: row.peer.take().map(|text| name(&text, line)).transpose()?,
            with: row.with.take().map(|text| name(&text, line)).transpose()?,
            plain: row.plain,
            auto: row.auto,
            msg: row.msg,
            text: row.text.take().map(untrusted),
            line: row.line,
            cause,
            lam: row.lam,
            more: more(row, line)?,
        };
        self.moments.push(Some(self.play.moments.len() as u64));
        self.play.moments.push(moment);
        Ok(())
    }

    fn cause(&self, cause: u64, line: usize) -> Result<u64, ReadError> {
        let moment = usize::try_from(cause).ok().and_then(|at| self.moments.get(at).copied().flatten());
        moment.ok_or_else(|| wrong(line, &format!("its cause {cause} is no event before it")))
    }

    fn end(&mut self, row: Row<'_>, line: usize, before: &[u8]) -> Result<(), ReadError> {
        match row.hash {
            Some(hash) if hash != hex(&Blake2s256::digest(before)) => return Err(ReadError::Hash(line)),
            None if self.scripted => return Err(ReadError::NoHash(line)),
            _ => {}
        }
        let trace = |hex: Cow<'_, str>| {
            u64::from_str_radix(&hex, 16).map_err(|_| wrong(line, "its trace is no number in hex"))
        };
        let result = row.result.ok_or_else(|| wrong(line, "the end has no result"))?;
        let (at, trace) = (micros(row.t, line)?, row.trace.map(trace).transpose()?);
        self.play.end = Some(End { at, result, trace });
        Ok(())
    }
}

fn more(row: Row<'_>, line: usize) -> Result<Option<Box<More>>, ReadError> {
    let verdict = |word: Cow<'_, str>| {
        let all = [Verdict::Pass, Verdict::Fail, Verdict::Flaky];
        let verdict = all.into_iter().find(|verdict| verdict.word() == word);
        verdict.ok_or_else(|| wrong(line, &format!("unknown verdict \"{word}\"")))
    };
    let side =
        |names: &Vec<Cow<'_, str>>| names.iter().map(|text| name(text, line)).collect::<Result<Vec<_>, _>>();
    let sides = match &row.sides {
        Some([one, other]) => Some([side(one)?, side(other)?]),
        None => None,
    };
    let more = More {
        why: row.why,
        verdict: row.verdict.map(verdict).transpose()?,
        points: row.points,
        got: row.got,
        sides,
        one_way: row.one_way,
        expected: row.expected.map(untrusted),
        unread: row.unread.into_iter().map(untrusted).collect(),
        quote: row.quote.map(untrusted),
        file: row.file.map(untrusted),
    };
    Ok((more != More::default()).then(|| Box::new(more)))
}

fn untrusted(text: Box<str>) -> Untrusted<Arc<str>> {
    Untrusted::new(text.into())
}

fn name(text: &str, line: usize) -> Result<Name, ReadError> {
    Name::new(text).map_err(|error: NameError| wrong(line, &error.to_string()))
}

#[expect(clippy::cast_possible_truncation, reason = "the line before has its bounds")]
fn micros(seconds: f64, line: usize) -> Result<u64, ReadError> {
    let micros = (seconds * 1e6).round();
    if !(0.0..=EVENTS_TIME_MAX as f64).contains(&micros) {
        return Err(wrong(line, "its time is not within the 68 years that a run may take"));
    }
    Ok(micros as u64)
}

fn wrong(line: usize, why: &str) -> ReadError {
    ReadError::Line { line, why: cut(why) }
}

/// At most so much of a file stands in an error, and all of it visible.
fn cut(text: &str) -> String {
    escape_display(&text.chars().take(200).collect::<String>())
}

//! Two worlds as one: `me`, who is the prompt's own peer, and the cast of a script, which lives in a
//! world of its own. Numbers shift by one, and what cannot be done to one's own program is refused.
//! Time is the inner world's. To rest is to be quiet for a while, as strangers may always write.

use std::net::SocketAddr;
use std::time::Duration;

use crate::api::command::{Command, CommandError, Dialect};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::guest::seat::Seat;
use crate::id::{Name, RequestId};
use crate::key::PeerKey;
use crate::limits::{GOODBYE, PROMPT_CAST_MAX, QUIET};
use crate::session::Session;
use crate::time::{Mono, Now};
use crate::world::{Entry, Network, PeerNo, Rest, Shape, World, WorldError};

/// See the module. Without `me` it is a test's own world.
pub(super) struct Cast {
    me: Option<Seat>,
    name: Name,
    inner: Box<dyn World>,
    /// When the latest event was: the two worlds' clocks are not one.
    latest: Mono,
}

/// One's own peer for a while.
struct Face<'a> {
    seat: &'a mut Seat,
    inner: &'a mut dyn World,
}

const ME: PeerNo = PeerNo(0);
/// How long the last bytes of goodbyes may take, each time.
const LAST_BYTES: Duration = Duration::from_millis(20);

impl Cast {
    pub(super) fn new(me: Option<Seat>, inner: Box<dyn World>) -> Self {
        let latest = inner.now().mono;
        Self { me, name: Name::claimed("me", "me"), inner, latest }
    }

    fn ours(&self) -> usize {
        usize::from(self.me.is_some())
    }

    fn outer(&self, who: PeerNo) -> PeerNo {
        PeerNo(who.0 + self.ours())
    }

    /// The number in the inner world; `None` for `me`.
    fn inner(&self, who: PeerNo) -> Option<PeerNo> {
        who.0.checked_sub(self.ours()).map(PeerNo)
    }

    fn hear(&mut self) -> bool {
        let now = self.inner.now().mono;
        self.me.as_mut().is_some_and(|me| me.hear(now))
    }

    /// The change as the inner world knows it; nothing if it is about `me`.
    fn shift(&self, change: &Network) -> Option<Network> {
        let at = |who: &PeerNo| self.inner(*who);
        let all = |side: &[PeerNo]| side.iter().map(at).collect::<Option<Vec<_>>>();
        Some(match change {
            Network::Default(shape) => Network::Default(*shape),
            Network::Heal => Network::Heal,
            Network::Link { a, b, shape } => Network::Link { a: at(a)?, b: at(b)?, shape: *shape },
            Network::Partition { from, to, one_way } => {
                Network::Partition { from: all(from)?, to: all(to)?, one_way: *one_way }
            }
            Network::Hold(a, b) => Network::Hold(at(a)?, at(b)?),
            Network::Release(a, b) => Network::Release(at(a)?, at(b)?),
            Network::Reset(a, b) => Network::Reset(at(a)?, at(b)?),
            Network::HalfOpen(a, b) => Network::HalfOpen(at(a)?, at(b)?),
            Network::Clog(a, b, time) => Network::Clog(at(a)?, at(b)?, *time),
            Network::Refuse(who, yes) => Network::Refuse(at(who)?, *yes),
            Network::Slow(who, time) => Network::Slow(at(who)?, *time),
            Network::Disk(who, time) => Network::Disk(at(who)?, *time),
            Network::Skew(who, micros) => Network::Skew(at(who)?, *micros),
            Network::Crash(who) => Network::Crash(at(who)?),
            Network::CrashAfter(who, wishes) => Network::CrashAfter(at(who)?, *wishes),
            Network::Restart(who) => Network::Restart(at(who)?),
        })
    }
}

/// What is refused, by its verb.
fn verb(change: &Network) -> &'static str {
    match change {
        Network::Default(_) => "net",
        Network::Link { .. } => "link",
        Network::Partition { .. } => "partition",
        Network::Heal => "heal",
        Network::Hold(..) => "hold",
        Network::Release(..) => "release",
        Network::Reset(..) => "cut",
        Network::HalfOpen(..) => "half_open",
        Network::Refuse(..) => "refuse",
        Network::Clog(..) => "clog",
        Network::Slow(..) => "slow",
        Network::Disk(..) => "disk",
        Network::Crash(_) => "crash",
        Network::CrashAfter(..) => "crash_after",
        Network::Restart(_) => "restart",
        Network::Skew(..) => "skew",
    }
}

impl World for Cast {
    fn cast(&mut self, name: Name) -> Result<PeerNo, WorldError> {
        if self.find(name).is_some() {
            return Err(WorldError::NameTaken(name));
        }
        if self.inner.peers() >= PROMPT_CAST_MAX {
            let why = format!(
                "a script at a prompt casts {PROMPT_CAST_MAX} peers and no more; for more: hobnob run --tcp FILE"
            );
            return Err(WorldError::Unable("cast", why));
        }
        self.inner.cast(name).map(|who| self.outer(who))
    }

    fn speak(&mut self, dialect: Dialect) {
        self.inner.speak(dialect);
    }

    fn peers(&self) -> usize {
        self.inner.peers() + self.ours()
    }

    fn usual(&self) -> Shape {
        self.inner.usual()
    }

    fn find(&self, name: Name) -> Option<PeerNo> {
        match &self.me {
            Some(_) if name == self.name => Some(ME),
            _ => self.inner.find(name).map(|who| self.outer(who)),
        }
    }

    fn name(&self, who: PeerNo) -> Result<Name, WorldError> {
        self.inner(who).map_or(Ok(self.name), |who| self.inner.name(who))
    }

    fn key(&self, who: PeerNo) -> Result<PeerKey, WorldError> {
        match (self.inner(who), &self.me) {
            (None, Some(seat)) => Ok(seat.me.key),
            (inner, _) => self.inner.key(inner.unwrap_or(who)),
        }
    }

    fn address(&self, who: PeerNo) -> Result<SocketAddr, WorldError> {
        match (self.inner(who), &self.me) {
            (None, Some(seat)) => Ok(seat.me.addr),
            (inner, _) => self.inner.address(inner.unwrap_or(who)),
        }
    }

    fn is_up(&self, who: PeerNo) -> Result<bool, WorldError> {
        self.inner(who).map_or(Ok(true), |who| self.inner.is_up(who))
    }

    fn session(&mut self, who: PeerNo) -> Result<Box<dyn Session + '_>, WorldError> {
        match (self.inner(who), &mut self.me) {
            (None, Some(seat)) => Ok(Box::new(Face { seat, inner: &mut *self.inner })),
            (inner, _) => self.inner.session(inner.unwrap_or(who)),
        }
    }

    fn apply(&mut self, change: &Network) -> Result<(), WorldError> {
        match self.shift(change) {
            Some(change) => self.inner.apply(&change),
            None => {
                let why = "me is your own program, and its network the real one; cast another peer for that";
                Err(WorldError::Unable(verb(change), why.into()))
            }
        }
    }

    fn now(&self) -> Now {
        self.inner.now()
    }

    fn run(&mut self, patience: Duration) -> bool {
        if let Some(me) = &mut self.me {
            me.release();
        }
        if self.hear() || self.me.as_ref().is_some_and(Seat::has_events) {
            return true;
        }
        // What was answered meanwhile is looked at before what came of it is heard.
        let waits = self.me.as_ref().and_then(|me| me.waits(self.inner.now().mono));
        let most = waits.map_or(patience, |waits| waits.min(patience));
        self.inner.run(most) || self.hear() || most < patience
    }

    fn rest(&mut self, patience: Duration) -> Rest {
        if self.me.is_none() {
            return self.inner.rest(patience);
        }
        if let Some(me) = &mut self.me {
            me.release();
        }
        let until = self.now().mono.plus(patience);
        loop {
            if self.hear() || self.me.as_ref().is_some_and(Seat::has_events) {
                return Rest::News;
            }
            let inner = self.inner.rest(until.since(self.now().mono));
            if inner == Rest::News || self.hear() {
                return Rest::News;
            }
            let now = self.now().mono;
            if inner == Rest::Waited || now >= until {
                return Rest::Waited;
            }
            let (asked, stirred) = self.me.as_ref().map_or((0, now), |me| (me.asked, me.stirred));
            let quiet = stirred.plus(QUIET);
            if asked == 0 && now >= quiet {
                return Rest::Quiet;
            }
            // All are quiet but perhaps whoever talks to `me`: that takes a while to know.
            let next = if asked == 0 { quiet.min(until) } else { until };
            if self.inner.run(next.since(now)) {
                return if self.hear() { Rest::News } else { Rest::Waited };
            }
        }
    }

    fn take_event(&mut self) -> Option<(PeerNo, Event)> {
        let now = self.inner.now();
        let seat = self.me.as_mut();
        let (mine_first, holds) =
            seat.map_or((false, false), |seat| (seat.has_message(), seat.holds(now.mono)));
        let mine = |cast: &mut Self| {
            let event = cast.me.as_mut()?.take_event()?;
            Some((ME, Event { at: now, ..event }))
        };
        let mut found = if mine_first { mine(self) } else { None };
        if found.is_none() && !holds {
            found = self.inner.take_event().map(|(who, event)| (self.outer(who), event));
        }
        let (who, mut event) = found.or_else(|| mine(self))?;
        self.latest = self.latest.max(event.at.mono);
        event.at.mono = self.latest;
        Some((who, event))
    }

    fn trace(&self) -> Box<dyn Iterator<Item = &Entry> + '_> {
        Box::new(std::iter::empty())
    }

    fn digest(&self) -> Option<u64> {
        None
    }
}

/// Everybody says goodbye, so that nobody is missed at the prompt when the script is over.
impl Drop for Cast {
    fn drop(&mut self) {
        if self.me.is_none() {
            return;
        }
        for who in (0..self.inner.peers()).map(PeerNo) {
            if let (Ok(true), Ok(mut session)) = (self.inner.is_up(who), self.inner.session(who)) {
                session.submit(Command::Quit);
            }
        }
        let until = self.inner.now().mono.plus(GOODBYE);
        let is_up = |inner: &dyn World| (0..inner.peers()).any(|at| inner.is_up(PeerNo(at)) == Ok(true));
        while is_up(&*self.inner) && self.inner.now().mono < until {
            self.inner.run(until.since(self.inner.now().mono));
            while self.inner.take_event().is_some() {}
        }
        while self.inner.peers() > 0 && self.inner.now().mono < until && self.inner.run(LAST_BYTES) {
            while self.inner.take_event().is_some() {}
        }
    }
}

impl Session for Face<'_> {
    fn submit(&mut self, command: Command) -> RequestId {
        let now = self.inner.now().mono;
        self.seat.submit(command, now)
    }

    fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        self.seat.take_reply(request)
    }

    fn take_event(&mut self) -> Option<Event> {
        self.seat.take_event()
    }

    fn wait(&mut self, patience: Duration) -> bool {
        let is_news = self.inner.run(patience);
        self.seat.hear(self.inner.now().mono) || is_news
    }

    fn now(&self) -> Now {
        self.inner.now()
    }
}

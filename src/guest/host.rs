//! A script that plays on a thread of its own, as the front end has it: what it says is taken, what
//! happens is told to it, and it is ended. Nothing here ever waits for the script but its end.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::api::command::{Command, CommandError};
use crate::api::event::Event;
use crate::api::exit::Exit;
use crate::api::reply::Reply;
use crate::guest::inbox::Inbox;
use crate::guest::perform;
use crate::guest::seat::{Me, Seat, Voice};
use crate::guest::{Outside, THREAD};
use crate::id::RequestId;
use crate::limits::PROMPT_AHEAD_MAX;
use crate::script::Source;
use crate::script::stop::Stop;

/// A script under way.
pub struct Guest {
    said: Receiver<Said>,
    inbox: Arc<Inbox>,
    stop: Stop,
    /// Hangs up when the thread has ended.
    ended: Receiver<()>,
}

/// What a script says to its front end.
pub enum Said {
    /// It wants this done by `me`; to be answered with the same number.
    Command {
        /// The script's own number for it.
        request: RequestId,
        /// What.
        command: Command,
    },
    /// Something to be shown, in one line or several; escaped.
    Line(String),
    /// A line was evaluated: what it gives, or why it failed, and how a batch ends by that.
    Value(Result<Option<String>, (String, Exit)>),
    /// It is over, and says nothing more.
    Ended(Report),
}

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In one line: `demo.rhai: passed`.
    pub sentence: String,
    /// Why it failed, if it did; each in one line or several.
    pub errors: Vec<String>,
    /// How a batch ends by that.
    pub exit: Exit,
}

/// What the thread begins with.
pub(super) struct Part {
    pub(super) seat: Seat,
    pub(super) voice: Voice,
    pub(super) inbox: Arc<Inbox>,
    pub(super) stop: Stop,
    pub(super) outside: Outside,
    pub(super) color: bool,
}

impl Guest {
    /// Plays a script from its beginning to its end.
    ///
    /// # Errors
    /// The system has no room for another thread.
    pub fn play(source: Source, me: Me, outside: &Outside, color: bool) -> std::io::Result<Self> {
        Self::start(me, outside, color, move |part| perform::play(&source, part))
    }

    /// Evaluates lines as they are given, until it is ended. They call themselves `source`.
    ///
    /// # Errors
    /// As [`Self::play`].
    pub fn stand(source: Source, me: Me, outside: &Outside, color: bool) -> std::io::Result<Self> {
        Self::start(me, outside, color, move |part| perform::stand(&source, part))
    }

    fn start(
        me: Me,
        outside: &Outside,
        color: bool,
        perform: impl FnOnce(Part) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, said) = sync_channel(PROMPT_AHEAD_MAX);
        let (alive, ended) = sync_channel(0);
        let (inbox, stop) = (Arc::new(Inbox::default()), Stop::default());
        let voice = Voice { said: sender, bell: outside.bell.clone() };
        let (own_inbox, own_stop, outside) = (Arc::clone(&inbox), stop.clone(), outside.clone());
        // Each level of a script's calls takes more than one of ours.
        std::thread::Builder::new().name(THREAD.into()).stack_size(STACK).spawn(move || {
            let seat = Seat::new(me, voice.clone(), Arc::clone(&own_inbox));
            perform(Part { seat, voice, inbox: own_inbox, stop: own_stop, outside, color });
            drop::<std::sync::mpsc::SyncSender<()>>(alive);
        })?;
        Ok(Self { said, inbox, stop, ended })
    }

    /// What it has said and nobody has taken.
    pub fn take(&self) -> Option<Said> {
        self.said.try_recv().ok()
    }

    /// Something happened to `me`.
    pub fn tell(&self, event: &Event) {
        self.inbox.event(event.clone());
        self.stop.ring();
    }

    /// A command of its own was answered.
    pub fn answer(&self, request: RequestId, answer: Result<Reply, CommandError>) {
        self.inbox.reply(request, answer);
        self.stop.ring();
    }

    /// Gives a line to evaluate; false when too many wait already.
    pub fn ask(&self, line: String) -> bool {
        let is_taken = self.inbox.line(line);
        self.stop.ring();
        is_taken
    }

    /// Ends the script, or the line that it evaluates.
    pub fn interrupt(&self) {
        self.stop.interrupt();
    }

    /// Ends the thread; waits for that, but not longer than this. Then it is left behind.
    pub fn end(self, patience: Duration) {
        self.inbox.close();
        self.stop.interrupt();
        // It may be waiting for us to listen.
        drop(self.said);
        let _ = self.ended.recv_timeout(patience);
    }
}

/// Bytes of stack for scripts.
const STACK: usize = 16 * 1024 * 1024;

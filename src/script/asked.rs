//! Commands that wait for their answers. An answer is taken as soon as it is there, whatever the
//! script does meanwhile, so that a message is on the list as said before anybody hears it: a handler
//! that waits may let the world go on long before whoever asked looks again.

use std::sync::Arc;

use crate::api::command::{Command, CommandError};
use crate::api::event::Who;
use crate::api::reply::Reply;
use crate::id::RequestId;
use crate::play::{Ev, Moment};
use crate::script::error::Failure;
use crate::script::record::text;
use crate::script::scene::Sent;
use crate::script::stage::Stage;
use crate::world::{PeerNo, WorldError};

/// An answer to a command.
pub(super) type Replied = Result<Reply, CommandError>;

/// A command without an answer, or with one that nobody has looked at yet.
pub(super) struct Asked {
    who: PeerNo,
    request: RequestId,
    saying: Option<Saying>,
    answer: Option<Replied>,
}

/// What a command says to others.
pub(super) struct Saying {
    pub(super) words: Arc<str>,
    /// The moment in which the script said it.
    pub(super) cause: u64,
    pub(super) line: u32,
    pub(super) auto: bool,
}

impl Stage {
    /// Gives a command to a peer and remembers that it was asked; see [`Self::answer`].
    pub(super) fn ask(
        &mut self,
        who: PeerNo,
        command: Command,
        saying: Option<Saying>,
    ) -> Result<RequestId, Failure> {
        let request = self.submit(who, command)?;
        self.scene.asked.push(Asked { who, request, saying, answer: None });
        self.take_answers(self.scene.at());
        Ok(request)
    }

    /// The answer, once it is there. Of a peer that has died there will be none.
    pub(super) fn answer(&mut self, who: PeerNo, request: RequestId) -> Option<Result<Replied, Failure>> {
        let is_it = |asked: &&mut Asked| asked.who == who && asked.request == request;
        match self.scene.asked.iter_mut().find(is_it).and_then(|asked| asked.answer.take()) {
            Some(answer) => Some(Ok(answer)),
            None if self.scene.world.is_up(who) == Ok(false) => {
                Some(Err(WorldError::Down(self.name(who)).into()))
            }
            None => None,
        }
    }

    /// Nobody wants the answer any more.
    pub(super) fn forget_asked(&mut self, who: PeerNo, request: RequestId) {
        self.scene.asked.retain(|asked| (asked.who, asked.request) != (who, request));
    }

    /// Takes all answers that are there, and has on the list what they say of messages, as of `at`.
    pub(super) fn take_answers(&mut self, at: u64) {
        for place in 0..self.scene.asked.len() {
            let Asked { who, request, answer: None, .. } = self.scene.asked[place] else { continue };
            let Ok(Some(answer)) =
                self.scene.world.session(who).map(|mut session| session.take_reply(request))
            else {
                continue;
            };
            let asked = &mut self.scene.asked[place];
            asked.answer = Some(answer.clone());
            if let Some(saying) = asked.saying.take() {
                self.said_so(who, at, &answer, &saying);
            }
            if matches!(answer, Ok(Reply::Goodbye)) {
                self.scene.actors[who.0].ended = Some(Ev::Exit);
            }
        }
    }

    /// A node has taken what it was told to say.
    fn said_so(&mut self, me: PeerNo, at: u64, answer: &Replied, saying: &Saying) {
        match answer {
            Ok(Reply::Queued { to, seq, .. }) => self.queued(me, at, to, *seq, saying),
            Ok(Reply::Broadcast(told)) => {
                let mut told: Vec<_> = told.iter().collect();
                // In the order of the cast, as keys differ from seed to seed.
                told.sort_by_key(|(who, _)| self.scene.who(who).no);
                for (who, seq) in told {
                    self.queued(me, at, who, *seq, saying);
                }
            }
            _ => {}
        }
    }

    /// The node has taken a message.
    fn queued(&mut self, me: PeerNo, at: u64, to: &Who, seq: u64, saying: &Saying) {
        let someone = self.scene.who(to);
        let moment = Moment {
            with: Some(someone.name),
            plain: to.id.is_plain(),
            auto: saying.auto,
            msg: Some(seq),
            text: text(Arc::clone(&saying.words)),
            line: Some(saying.line),
            cause: Some(saying.cause),
            ..Moment::new(at, Ev::Queued)
        };
        let moment = self.record_moment(Some(me), moment);
        self.bot_speaks(someone.name.as_str(), saying.auto);
        // An outbox is bounded, so a script cannot go on like this for ever.
        self.went_on();
        if let Some(no) = someone.no {
            self.scene.note_sent(me, no, Sent { moment, seq, text: Arc::clone(&saying.words) });
        }
    }
}

//! The one way in: a front end's talk with one node. Commands go in and are answered once; events
//! come out in order. A prompt, a batch, a script and a test all use this and nothing else, whether
//! the node lives on sockets or in a simulation.

use std::sync::Arc;
use std::time::Duration;

use crate::api::command::{Command, CommandError};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::RequestId;
use crate::time::Now;

/// Ends a wait from another thread: the one under way, or the next. Cheap to clone and to ring.
#[derive(Clone)]
pub struct Bell(Arc<dyn Fn() + Send + Sync>);

impl Bell {
    /// A bell that does this when it is rung.
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(ring))
    }

    /// Rings it.
    pub fn ring(&self) {
        (self.0)();
    }
}

/// A front end's talk with one node.
pub trait Session {
    /// Gives a command; it is obeyed now, and answered now or later.
    fn submit(&mut self, command: Command) -> RequestId;

    /// The answer to a command, once it is there; it is given once.
    fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>>;

    /// The oldest event that was not taken.
    fn take_event(&mut self) -> Option<Event>;

    /// Lets the world run until something new is there to take, somebody rings the bell, or
    /// `patience` is over. False in the last case only. Take what is there before you wait: only
    /// what comes during the wait ends it.
    fn wait(&mut self, patience: Duration) -> bool;

    /// The node's time.
    fn now(&self) -> Now;

    /// Gives a command and waits for its answer; events stay to be taken.
    ///
    /// # Errors
    /// As the node says; or no answer came within `patience`, and the command may still have its
    /// effect.
    fn call(&mut self, command: Command, patience: Duration) -> Result<Reply, CommandError> {
        let request = self.submit(command);
        let until = self.now().mono.plus(patience);
        loop {
            if let Some(reply) = self.take_reply(request) {
                return reply;
            }
            let left = until.since(self.now().mono);
            if left.is_zero() {
                return Err(CommandError::Timeout { who: "the node".into(), within: patience });
            }
            self.wait(left);
        }
    }
}

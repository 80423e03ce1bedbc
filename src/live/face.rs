//! One node's face: commands go in, replies and events come out, and to wait lets all nodes run.

use crate::api::command::{Command, CommandError};
use crate::api::event::Event;
use crate::api::reply::Reply;
use crate::id::RequestId;
use crate::live::Live;
use crate::node::io::Input;
use crate::session::Session;
use crate::time::Now;
use std::time::Duration;

/// One node's face.
pub struct Face<'a> {
    pub(super) live: &'a mut Live,
    pub(super) at: usize,
}

impl Session for Face<'_> {
    fn submit(&mut self, command: Command) -> RequestId {
        let host = &mut self.live.hosts[self.at];
        let request = host.next_request();
        if host.node.is_some() {
            let now = self.live.clock.now();
            self.live.give(self.at, now, Input::Command { request, command });
        } else {
            host.replies.put(request, Err(CommandError::Leaving));
        }
        request
    }

    fn take_reply(&mut self, request: RequestId) -> Option<Result<Reply, CommandError>> {
        self.live.hosts[self.at].replies.take(request)
    }

    fn take_event(&mut self) -> Option<Event> {
        let host = &mut self.live.hosts[self.at];
        let stuffed = host.is_stuffed();
        let event = host.events.pop_front();
        host.numbers.pop_front();
        if stuffed && !host.is_stuffed() {
            self.live.read_again(self.at);
        }
        event
    }

    fn wait(&mut self, patience: Duration) -> bool {
        self.live.wait(patience)
    }

    fn now(&self) -> Now {
        self.live.hosts[self.at].now(self.live.clock.now())
    }
}

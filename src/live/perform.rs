//! What nodes ask for is done: in order, at once, as long as the program that asks for it lives.

use crate::addr::Address;
use crate::api::reply::Reply;
use crate::id::LinkId;
use crate::live::Live;
use crate::live::ready::Token;
use crate::live::slab::Thing;
use crate::live::stream::Stream;
use crate::node::io::{Effect, Input};
use crate::time::Now;

impl Live {
    /// Lets every stirred node end its turn, and performs what comes of it until nothing does.
    pub(super) fn flush(&mut self) {
        while let Some(at) = self.stirred.pop() {
            self.hosts[at].stirred = false;
            let Some(node) = self.hosts[at].node.as_mut() else { continue };
            let mut effects = std::mem::take(&mut self.effects);
            node.flush(&mut effects);
            if !effects.is_empty() {
                self.stir(at);
            }
            let now = self.clock.now();
            self.perform(at, now, &mut effects);
            self.effects = effects;
            self.write_queued(now);
            self.arm_host(at);
        }
    }

    pub(super) fn stir(&mut self, at: usize) {
        if !std::mem::replace(&mut self.hosts[at].stirred, true) {
            self.stirred.push(at);
        }
    }

    pub(super) fn give(&mut self, at: usize, now: Now, input: Input<'_>) {
        let host = &mut self.hosts[at];
        let here = host.now(now);
        let Some(node) = host.node.as_mut() else { return };
        let mut effects = std::mem::take(&mut self.effects);
        node.handle(here, input, &mut effects);
        self.given += 1;
        self.stir(at);
        self.perform(at, now, &mut effects);
        self.effects = effects;
        self.arm_host(at);
    }

    fn perform(&mut self, at: usize, now: Now, effects: &mut Vec<Effect>) {
        let (mut leaves, cast) = (false, self.net.is_some());
        for effect in effects.drain(..) {
            let host = &mut self.hosts[at];
            match effect {
                Effect::Emit(event) => {
                    self.news += 1;
                    host.news += 1;
                    host.events.push_back(event);
                    if cast {
                        host.numbers.push_back(self.news);
                    }
                }
                Effect::Reply { request, result } => {
                    self.news += 1;
                    host.news += 1;
                    leaves |= matches!(result, Ok(Reply::Goodbye));
                    host.replies.put(request, result);
                }
                Effect::Dial { link, to } => self.dial(at, link, to, now),
                Effect::Write { link, bytes } => {
                    if let Some(token) = self.stream_of(at, link, |stream| stream.queue(bytes)) {
                        self.queued.push(token);
                    }
                }
                Effect::Finish { link } => {
                    if let Some(token) = self.stream_of(at, link, Stream::finish) {
                        self.ready.push(token);
                    }
                }
                Effect::Close { link } => {
                    if let Some(token) = self.stream_of(at, link, |stream| stream.close(now.mono)) {
                        self.ready.push(token);
                    }
                    self.hosts[at].streams.remove(&link);
                }
                Effect::Cut { link } => {
                    if let Some(token) = self.stream_of(at, link, Stream::kill) {
                        self.ready.push(token);
                    }
                    self.hosts[at].streams.remove(&link);
                }
                Effect::Pause { link, until } => {
                    if let Some(token) = self.stream_of(at, link, |stream| stream.pause(until)) {
                        self.arm(token);
                    }
                }
                Effect::Save { save, records } => host.store.save(now.mono, save, records),
                Effect::Load { load, query } => host.store.look_up(load, query),
            }
            if cast && let Some(fuse) = &mut self.hosts[at].fuse {
                *fuse = fuse.saturating_sub(1);
                if *fuse == 0 {
                    return self.crash(at);
                }
            }
        }
        // Whoever is not of the cast belongs to a front end, which ends it.
        if leaves && self.hosts[at].life.is_some() {
            self.leave(at, now);
        }
        // A store in memory is done at once; a slower one wakes us.
        self.answer_of_store(at, now, effects);
        if self.hosts[at].store.is_busy() && !self.storing.contains(&at) {
            self.storing.push(at);
        }
    }

    /// Takes what a store on a thread of its own has to say by now.
    pub(super) fn hear_store(&mut self, at: usize, now: Now) {
        let mut effects = std::mem::take(&mut self.effects);
        self.perform(at, now, &mut effects);
        self.effects = effects;
        self.arm_host(at);
    }

    fn answer_of_store(&mut self, at: usize, now: Now, effects: &mut Vec<Effect>) {
        let host = &mut self.hosts[at];
        if let Some(answer) = host.store.answer(now.mono) {
            let here = host.now(now);
            let Some(node) = host.node.as_mut() else { return };
            let behind = node.is_behind();
            node.handle(here, Input::Stored(answer), effects);
            let reads_again = behind && !node.is_behind();
            self.stir(at);
            self.perform(at, now, effects);
            if reads_again {
                self.read_again(at);
            }
        }
    }

    fn dial(&mut self, at: usize, link: LinkId, to: Address, now: Now) {
        if let Some((target, addr)) = self.net.as_ref().and_then(|net| net.member_at(&to)) {
            return self.dial_member(at, link, target, addr, now);
        }
        let token = self.things.add(Thing::Stream(Box::new(Stream::dial(to, now.mono, at, link))));
        self.hosts[at].streams.insert(link, token);
        self.ready.push(token);
    }

    /// Does this to a stream of a node, and says where it is; nothing if it is no more.
    fn stream_of(&mut self, at: usize, link: LinkId, act: impl FnOnce(&mut Stream)) -> Option<Token> {
        let token = *self.hosts[at].streams.get(&link)?;
        act(self.things.stream(token)?);
        Some(token)
    }
}

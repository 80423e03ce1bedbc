//! Everything that can become ready, each at the place that its token names.

use crate::live::listen::Listener;
use crate::live::ready::Token;
use crate::live::stream::Stream;
use crate::time::Mono;

/// All of it.
#[derive(Default)]
pub(super) struct Slab {
    list: Vec<Option<Thing>>,
    free: Vec<Token>,
}

/// One of it.
pub(super) enum Thing {
    Listener(Listener),
    Stream(Box<Stream>),
}

impl Slab {
    pub(super) fn add(&mut self, thing: Thing) -> Token {
        let token = self.reserve();
        self.put(token, thing);
        token
    }

    /// A place for something that must know it beforehand; to be filled or freed.
    pub(super) fn reserve(&mut self) -> Token {
        self.free.pop().unwrap_or_else(|| {
            self.list.push(None);
            Token(self.list.len() - 1)
        })
    }

    pub(super) fn put(&mut self, token: Token, thing: Thing) {
        self.list[token.0] = Some(thing);
    }

    pub(super) fn get(&mut self, token: Token) -> Option<&mut Thing> {
        self.list.get_mut(token.0)?.as_mut()
    }

    pub(super) fn stream(&mut self, token: Token) -> Option<&mut Stream> {
        match self.get(token)? {
            Thing::Stream(stream) => Some(stream),
            Thing::Listener(_) => None,
        }
    }

    pub(super) fn listener(&mut self, token: Token) -> Option<&mut Listener> {
        match self.get(token)? {
            Thing::Stream(_) => None,
            Thing::Listener(listener) => Some(listener),
        }
    }

    /// When the thing is due, and the place where it remembers what it is armed for.
    pub(super) fn deadline(&mut self, token: Token) -> Option<(Option<Mono>, &mut Option<Mono>)> {
        Some(match self.get(token)? {
            Thing::Stream(stream) => (stream.deadline(), &mut stream.armed),
            Thing::Listener(listener) => (listener.deadline(), &mut listener.armed),
        })
    }

    pub(super) fn free(&mut self, token: Token) {
        self.list[token.0] = None;
        self.free.push(token);
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.list.iter().flatten().filter_map(|thing| match thing {
            Thing::Stream(stream) => Some(&**stream),
            Thing::Listener(_) => None,
        })
    }
}

//! Everything that can become ready, each at the place that its token names.

use crate::live::listen::Listener;
use crate::live::ready::{Signs, Token};
use crate::live::stream::Stream;
use crate::live::world::relay::Relay;
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
    /// Lies between two streams; its place is that of its socket to the dialler.
    Relay(Box<Relay>),
    /// The place of a relay's other socket: the relay is there.
    Far(Token),
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
            _ => None,
        }
    }

    pub(super) fn listener(&mut self, token: Token) -> Option<&mut Listener> {
        match self.get(token)? {
            Thing::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    pub(super) fn relay(&mut self, token: Token) -> Option<&mut Relay> {
        match self.get(token)? {
            Thing::Relay(relay) => Some(relay),
            _ => None,
        }
    }

    /// Takes a relay out of its place, which stays its own.
    pub(super) fn take_relay(&mut self, token: Token) -> Option<Box<Relay>> {
        match self.list.get_mut(token.0)?.take_if(|thing| matches!(thing, Thing::Relay(_)))? {
            Thing::Relay(relay) => Some(relay),
            _ => None,
        }
    }

    /// What the system says of a thing.
    pub(super) fn tell(&mut self, token: Token, signs: Signs) {
        match self.get(token) {
            Some(Thing::Stream(stream)) => stream.tell(signs),
            Some(Thing::Relay(relay)) => relay.tell(0, signs),
            Some(Thing::Far(relay)) => {
                let relay = *relay;
                if let Some(relay) = self.relay(relay) {
                    relay.tell(1, signs);
                }
            }
            Some(Thing::Listener(_)) | None => {}
        }
    }

    /// When the thing is due, and the place where it remembers what it is armed for.
    pub(super) fn deadline(&mut self, token: Token) -> Option<(Option<Mono>, &mut Option<Mono>)> {
        Some(match self.get(token)? {
            Thing::Stream(stream) => (stream.deadline(), &mut stream.armed),
            Thing::Listener(listener) => (listener.deadline(), &mut listener.armed),
            Thing::Relay(relay) => (relay.next, &mut relay.armed),
            Thing::Far(_) => return None,
        })
    }

    pub(super) fn free(&mut self, token: Token) {
        self.list[token.0] = None;
        self.free.push(token);
    }

    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.list.iter().flatten().filter_map(|thing| match thing {
            Thing::Stream(stream) => Some(&**stream),
            _ => None,
        })
    }

    /// Every thing with its place.
    pub(super) fn all(&mut self) -> impl Iterator<Item = (Token, &mut Thing)> {
        self.list.iter_mut().enumerate().filter_map(|(at, thing)| Some((Token(at), thing.as_mut()?)))
    }

    /// The same, to look at.
    pub(super) fn view(&self) -> impl Iterator<Item = (Token, &Thing)> {
        self.list.iter().enumerate().filter_map(|(at, thing)| Some((Token(at), thing.as_ref()?)))
    }

    /// A thing, to look at.
    pub(super) fn look(&self, token: Token) -> Option<&Thing> {
        self.list.get(token.0)?.as_ref()
    }

    /// A stream, to look at.
    pub(super) fn peek(&self, token: Token) -> Option<&Stream> {
        match self.look(token)? {
            Thing::Stream(stream) => Some(stream),
            _ => None,
        }
    }
}

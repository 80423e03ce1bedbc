//! The streams of a world by their numbers, which run on and are never used twice. Those that are gone
//! are forgotten as soon as all before them are. Knows nothing of what a stream is.

use std::collections::VecDeque;

/// A stream's number, in the order of being dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamNo(pub(super) u64);

/// Streams, or whatever else is numbered so.
pub(super) struct Streams<S> {
    /// The number of the front.
    first: u64,
    list: VecDeque<Option<Box<S>>>,
}

impl<S> Default for Streams<S> {
    fn default() -> Self {
        Self { first: 0, list: VecDeque::new() }
    }
}

impl<S> Streams<S> {
    pub(super) fn add(&mut self, stream: S) -> StreamNo {
        self.list.push_back(Some(Box::new(stream)));
        StreamNo(self.first + self.list.len() as u64 - 1)
    }

    pub(super) fn get(&self, no: StreamNo) -> Option<&S> {
        self.list.get(self.at(no)?)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, no: StreamNo) -> Option<&mut S> {
        let at = self.at(no)?;
        self.list.get_mut(at)?.as_deref_mut()
    }

    pub(super) fn remove(&mut self, no: StreamNo) -> Option<S> {
        let at = self.at(no)?;
        let stream = self.list.get_mut(at)?.take();
        while let Some(None) = self.list.front() {
            self.list.pop_front();
            self.first += 1;
        }
        stream.map(|stream| *stream)
    }

    /// The numbers of all there are, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = StreamNo> {
        let there = (self.first..).zip(&self.list).filter(|(_, stream)| stream.is_some());
        there.map(|(no, _)| StreamNo(no))
    }

    fn at(&self, no: StreamNo) -> Option<usize> {
        usize::try_from(no.0.checked_sub(self.first)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_one_stream_for_ever() {
        let mut streams = Streams::default();
        let [a, b, c] = ['a', 'b', 'c'].map(|stream| streams.add(stream));
        assert_eq!((streams.remove(b), streams.remove(b)), (Some('b'), None));
        assert_eq!(streams.numbers().collect::<Vec<_>>(), [a, c]);
        assert_eq!(streams.remove(a), Some('a'));
        let d = streams.add('d');
        assert_eq!([a, b, c, d].map(|no| streams.get(no).copied()), [None, None, Some('c'), Some('d')]);
        assert_eq!((a, d), (StreamNo(0), StreamNo(3)));
        assert_eq!(streams.list.len(), 2, "what is gone at the front is forgotten");
    }
}

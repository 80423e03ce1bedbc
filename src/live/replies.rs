//! Answers that a front end has not taken. Requests are numbered in the order of asking and most are
//! answered and taken in that order, so a queue sorted by number is as good as a map, and cheaper.

use std::collections::VecDeque;

use crate::api::command::CommandError;
use crate::api::reply::Reply;
use crate::id::RequestId;

type Answer = Result<Reply, CommandError>;

/// Answers by request.
#[derive(Default)]
pub(super) struct Replies(VecDeque<(RequestId, Answer)>);

impl Replies {
    pub(super) fn put(&mut self, request: RequestId, answer: Answer) {
        match self.0.back() {
            Some((last, _)) if *last > request => {
                let at = self.0.partition_point(|(other, _)| *other < request);
                self.0.insert(at, (request, answer));
            }
            _ => self.0.push_back((request, answer)),
        }
    }

    pub(super) fn take(&mut self, request: RequestId) -> Option<Answer> {
        if self.0.front().is_some_and(|(first, _)| *first == request) {
            return self.0.pop_front().map(|(_, answer)| answer);
        }
        let at = self.0.binary_search_by_key(&request, |(other, _)| *other).ok()?;
        self.0.remove(at).map(|(_, answer)| answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_given_once_whatever_the_order() {
        let mut replies = Replies::default();
        for number in [2, 5, 1, 3] {
            replies.put(RequestId(number), Ok(Reply::Goodbye));
        }
        for number in [3, 1, 5, 2] {
            assert_eq!(replies.take(RequestId(number)), Some(Ok(Reply::Goodbye)));
            assert_eq!(replies.take(RequestId(number)), None);
        }
        assert_eq!(replies.take(RequestId(4)), None, "never answered");
    }
}

//! `expect`: waits for a message from somebody that matches, and says what came instead.

use std::time::Duration;

use crate::addr::Address;
use crate::api::command::{PeerRef, show};
use crate::api::event::Who;
use crate::api::pattern::Pattern;
use crate::id::PeerId;
use crate::shell::failure::Failure;

use crate::shell::front::Front;

impl Front<'_> {
    pub(super) fn is_from(&self, from: Option<&PeerRef>, who: &Who) -> bool {
        match from {
            None => true,
            Some(PeerRef::Id(id)) => who.id == *id,
            Some(PeerRef::At(address)) => match who.id {
                PeerId::Plain(addr) if Address::from(addr) == *address => true,
                _ => {
                    self.present.get(&who.id).and_then(|(_, listens)| *listens).map(Address::from).as_ref()
                        == Some(address)
                }
            },
            Some(PeerRef::Word(word)) => {
                let by_key = match who.id {
                    PeerId::Native(key) => {
                        word.len() >= 4 && key.to_string().starts_with(&word.to_ascii_lowercase())
                    }
                    PeerId::Plain(_) => false,
                };
                // What it is called now counts, and what it was called when it wrote.
                let now = self.present.get(&who.id).map(|(now, _)| now.name);
                who.name.as_str() == word || now.is_some_and(|now| now.as_str() == word) || by_key
            }
        }
    }

    pub(super) fn expect(
        &mut self,
        from: Option<&PeerRef>,
        pattern: &Pattern,
        within: Duration,
    ) -> Result<(), Failure> {
        let take = |front: &mut Self| {
            let unread = std::mem::take(&mut front.unread);
            let mut unread = unread;
            let found = unread.take(|who| front.is_from(from, who), pattern);
            front.unread = unread;
            found
        };
        let found = self.until(within, take)?;
        let now = self.session.now().mono;
        let whom = from.map_or_else(|| "anybody".to_owned(), PeerRef::to_string);
        let shown = crate::text::escape_display(pattern.as_str());
        match found {
            Some((who, _)) => {
                self.out.expected(now, &format!("{} {shown}", who.name));
                Ok(())
            }
            None => {
                let unread = self.unread.explain(|who| self.is_from(from, who), pattern);
                let text = format!(
                    "expect: no message from {whom} matched {shown} within {}; {unread}",
                    show(within)
                );
                Err(Failure::Expectation(text))
            }
        }
    }
}

//! What one native peer may say to another, once the stream is encrypted: a run of postcard values
//! (postcard's wire specification 1.0), each complete in itself, many to a Noise message. A value
//! that is not written the one canonical way is refused, so what was decoded can be encoded back.

use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::limits::{BODY_MAX, NAME_MAX, SEQ_MAX};
use crate::text::Body;

/// One message. The order of the variants is the wire format: append only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message<'a> {
    /// The first in each direction, exactly once.
    Hello {
        /// What it wants to be called; claimed, not proven.
        #[serde(borrow)]
        name: &'a str,
        /// Where it listens on the address that this stream comes from; 0 when it does not.
        port: u16,
        /// Its key ends with its program: once it has left, nobody comes back with that key.
        passing: bool,
        /// Names the stream of chat messages from this sender to this receiver; a later stream has a
        /// greater one.
        epoch: u64,
        /// The oldest number of that stream that it still has; everything before was acknowledged.
        base: u64,
        /// The receiver's stream, as far as this sender has it.
        have: Option<Have>,
        /// Drawn when this sender's program began: another one has begun with what its disk had then.
        life: u64,
    },
    /// Text. Numbers run from 1 without a gap in a stream.
    Chat {
        /// Its number in the sender's stream.
        seq: u64,
        /// Its name for ever.
        id: [u8; 16],
        /// A program sent it, not a person; other programs should not answer it.
        auto: bool,
        /// What it says.
        #[serde(borrow)]
        text: &'a str,
    },
    /// Everything up to `seq` of the receiver's stream `epoch` is saved here.
    Ack {
        /// Which stream.
        epoch: u64,
        /// Up to and with this number.
        seq: u64,
    },
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        nonce: u64,
    },
    /// I am.
    Pong {
        /// From the ping.
        nonce: u64,
    },
    /// Nothing follows on this stream.
    Bye {
        /// Why.
        reason: Bye,
    },
    /// From now on I am called this.
    Rename {
        /// The new name; claimed, not proven.
        #[serde(borrow)]
        name: &'a str,
    },
    /// Something that a later version may say and an earlier one may skip.
    Optional {
        /// What it is.
        kind: u32,
        /// Its content.
        #[serde(borrow)]
        content: &'a [u8],
    },
    /// The stream of chat messages from this sender, as far as it comes on this link, goes by this
    /// name from now on: what the hello said of it no longer holds.
    Stream {
        /// As in the hello.
        epoch: u64,
        /// As in the hello.
        base: u64,
    },
}

/// How far a receiver has a stream of chat messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Have {
    /// Which stream.
    pub epoch: u64,
    /// Everything up to this number is saved; 0 if nothing is.
    pub saved: u64,
    /// The last number that came; 0 if none did.
    pub last: u64,
    /// The name of the message with that number; zeros if none came.
    pub id: [u8; 16],
}

/// Why a peer ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bye {
    /// Its program ends.
    Leaving,
    /// Its user closed this link.
    Disconnecting,
    /// Another stream between the same two peers goes on.
    Duplicate,
}

/// Why bytes are no run of messages. The stream cannot be trusted any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not postcard, cut short, or of an unknown kind.
    #[error("not a message")]
    Malformed,
    /// Decodes, but there is a shorter way to write it.
    #[error("a message not in canonical form")]
    NotCanonical,
    /// A field is longer than allowed.
    #[error("a message with a field that is too long")]
    TooLong,
    /// No stream has come so far.
    #[error("a message with a number that is too large")]
    TooLarge,
}

impl<'a> Message<'a> {
    /// Takes the first message off `run`.
    ///
    /// # Errors
    /// See [`DecodeError`]; `run` is as it was.
    pub fn take(run: &mut &'a [u8]) -> Result<Self, DecodeError> {
        let (message, rest) = postcard::take_from_bytes::<Self>(run).map_err(|_| DecodeError::Malformed)?;
        if message.encoded_len() != run.len() - rest.len() {
            return Err(DecodeError::NotCanonical);
        }
        match &message {
            Message::Hello { name, .. } | Message::Rename { name } if name.len() > NAME_MAX => {
                return Err(DecodeError::TooLong);
            }
            Message::Chat { text, .. } if text.is_empty() || text.len() > BODY_MAX => {
                return Err(DecodeError::TooLong);
            }
            Message::Hello { base: seq, .. }
            | Message::Stream { base: seq, .. }
            | Message::Chat { seq, .. }
                if *seq > SEQ_MAX =>
            {
                return Err(DecodeError::TooLarge);
            }
            _ => {}
        }
        *run = rest;
        Ok(message)
    }

    /// Appends the message to `out`.
    pub fn put(&self, out: &mut Vec<u8>) {
        let taken = std::mem::take(out);
        *out = postcard::to_extend(self, taken).expect("a Vec takes any number of bytes");
    }

    fn encoded_len(&self) -> usize {
        match self {
            // The one on the hot path: tag, seq, id, auto, length of text, text.
            Message::Chat { seq, text, .. } => {
                1 + varint_len(*seq) + 16 + 1 + varint_len(text.len() as u64) + text.len()
            }
            other => postcard::experimental::serialized_size(other).unwrap_or(0),
        }
    }
}

/// A chat message but for its number, so that one that goes to many is encoded once. Cloning
/// shares the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTail {
    head: ArrayVec<u8, HEAD_MAX>,
    text: Body,
}

/// Id, flag, and the length of a text of at most 2,097,151 bytes.
const HEAD_MAX: usize = 16 + 1 + 3;

impl ChatTail {
    /// Everything that stands behind the number.
    pub fn new(id: MessageId, auto: bool, text: Body) -> Self {
        let mut head = ArrayVec::from([0; HEAD_MAX]);
        head[..16].copy_from_slice(&id.0);
        head[16] = u8::from(auto);
        head.truncate(17);
        push_varint(text.as_str().len() as u64, |byte| head.push(byte));
        Self { head, text }
    }

    /// Appends the whole message.
    pub fn put(&self, seq: u64, out: &mut Vec<u8>) {
        out.reserve(11 + self.len());
        out.push(CHAT_TAG);
        push_varint(seq, |byte| out.push(byte));
        out.extend_from_slice(&self.head);
        out.extend_from_slice(self.text.as_str().as_bytes());
    }

    /// Its name.
    pub fn id(&self) -> MessageId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.head[..16]);
        MessageId(id)
    }

    /// Its bytes.
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.head.len() + self.text.as_str().len()
    }
}

/// The position of `Chat` among the variants.
const CHAT_TAG: u8 = 1;

#[expect(clippy::cast_possible_truncation, reason = "the low seven bits are what is wanted")]
fn push_varint(mut value: u64, mut push: impl FnMut(u8)) {
    while value >= 0x80 {
        push(value as u8 | 0x80);
        value >>= 7;
    }
    push(value as u8);
}

fn varint_len(value: u64) -> usize {
    usize::try_from(64 - (value | 1).leading_zeros()).unwrap_or(64).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(message: &Message<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        message.put(&mut out);
        out
    }

    #[test]
    fn the_short_cut_writes_what_postcard_writes() {
        for (seq, text) in [(1, "a"), (127, "b"), (128, "ü"), (u64::MAX, &*"x".repeat(BODY_MAX))] {
            let message = Message::Chat { seq, id: [9; 16], auto: true, text };
            let mut short = Vec::new();
            let body = Body::new(text).expect("a body");
            ChatTail::new(MessageId([9; 16]), true, body).put(seq, &mut short);
            assert_eq!(short, bytes(&message));
            assert_eq!(message.encoded_len(), short.len());
        }
    }

    #[test]
    fn overlong_numbers_are_refused() {
        assert_eq!(
            Message::take(&mut &[3, 0x80, 0x00][..]),
            Err(DecodeError::NotCanonical),
            "ping 0 in two bytes"
        );
        assert_eq!(
            Message::take(&mut &[0x83, 0x00, 0x00][..]),
            Err(DecodeError::NotCanonical),
            "an overlong tag"
        );
        assert_eq!(Message::take(&mut &[3, 0x00][..]), Ok(Message::Ping { nonce: 0 }));
    }

    #[test]
    fn bounds_are_checked() {
        let long = "x".repeat(BODY_MAX + 1);
        let chat = bytes(&Message::Chat { seq: 1, id: [0; 16], auto: false, text: &long });
        assert_eq!(Message::take(&mut &chat[..]), Err(DecodeError::TooLong));
        let rename = bytes(&Message::Rename { name: &long[..NAME_MAX + 1] });
        assert_eq!(Message::take(&mut &rename[..]), Err(DecodeError::TooLong));
        for (seq, refused) in [(SEQ_MAX, None), (SEQ_MAX + 1, Some(DecodeError::TooLarge))] {
            for message in [
                Message::Chat { seq, id: [0; 16], auto: false, text: "x" },
                Message::Stream { epoch: u64::MAX, base: seq },
                Message::Hello {
                    name: "x",
                    port: 0,
                    passing: false,
                    epoch: 1,
                    base: seq,
                    have: None,
                    life: 0,
                },
            ] {
                assert_eq!(Message::take(&mut &bytes(&message)[..]).err(), refused, "{message:?}");
            }
        }
        assert_eq!(Message::take(&mut &[99, 0][..]), Err(DecodeError::Malformed), "an unknown kind");
        assert_eq!(Message::take(&mut &[][..]), Err(DecodeError::Malformed));
    }
}

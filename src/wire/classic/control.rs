//! Which texts are control words. Compares without case, white space, underscores and other
//! punctuation, as programs agree on none of these; knows nothing of headers or dialects.

use super::Kind;

/// Longer than every control word, so that long texts are not copied to be compared.
const WORD_MAX: usize = 32;

/// The kind of a text that is a control word as a whole; None for all other texts.
pub(super) fn control(text: &str) -> Option<Kind> {
    match squeezed(text)?.as_str() {
        "exit" | "disconnect" | "disconnected" | "quit" | "bye" | "peerquit" => Some(Kind::Exit),
        "connect"
        | "connectack"
        | "connectrequest"
        | "connectionrequest"
        | "connectionmessage"
        | "connecting"
        | "connected"
        | "connectionestablished"
        | "reconnection"
        | "handshake" => Some(Kind::Connect),
        _ => None,
    }
}

/// The kind of a text, control word or not.
pub(super) fn kind(text: &str) -> Kind {
    control(text).unwrap_or(Kind::Message)
}

/// The letters and digits of a text in lower case; None when they are more than a control word has.
pub(super) fn squeezed(text: &str) -> Option<String> {
    let mut letters = String::new();
    for letter in text.chars().filter(|letter| letter.is_alphanumeric()) {
        letters.push(letter.to_ascii_lowercase());
        if letters.len() > WORD_MAX {
            return None;
        }
    }
    Some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        for text in ["exit", " EXIT\n", "/quit", "Bye!", "<Disconnect>", "peer quit", "bye 👋"] {
            assert_eq!(control(text), Some(Kind::Exit), "{text:?}");
        }
        for text in [
            "connect",
            "CONNECT_ACK",
            "connect-ack",
            "connection request",
            "Connection_Request",
            "Connection established.",
            "connecting...",
            "Handshake",
            "RECONNECTION",
        ] {
            assert_eq!(control(text), Some(Kind::Connect), "{text:?}");
        }
    }

    #[test]
    fn greetings_and_sentences_are_text() {
        for text in [
            "",
            "...",
            "Hello, peer!",
            "Hello, I am connecting!",
            "Connection from X",
            "exit through the gift shop",
            "éxit",
            "let us connect",
            "PING",
        ] {
            assert_eq!(control(text), None, "{text:?}");
            assert_eq!(kind(text), Kind::Message, "{text:?}");
        }
        assert_eq!(squeezed(&"e".repeat(100_000)), None);
    }
}

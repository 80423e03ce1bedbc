//! The one answer that a plain sender may be waiting for on the connection it opened. Decides what
//! and how urgently; whether 300 ms have passed and the sender is still there is seen above. Never
//! answers an answer on a connection of ours: the caller asks only about accepted ones.

use super::{Context, Dialect, Kind, Plain, Sender, control};

/// What to write back, once, on the connection that the burst came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: silence is expected, or anything said would be taken for a message.
    None,
    /// At once: the sender waits without limit.
    AtOnce(Vec<u8>),
    /// Only if the sender has not closed 300 ms after its burst: most do not wait.
    IfWaiting(Vec<u8>),
}

/// The answer to a burst that was not empty: what it said, the context after it, and who we are. Of
/// several messages the first with the most urgent answer gets it; at most `MESSAGE_MAX` bytes.
pub fn answer(parsed: &[Plain], context: &Context, own: &Sender<'_>) -> Answer {
    match context {
        // Each group of lines waits for one, were it but a blank line.
        Context::Lines { .. } => Answer::AtOnce(b"OK\n".to_vec()),
        // Only the hello waits; an answer to a text would be shown as one.
        Context::PortHello { .. } => parsed
            .iter()
            .find(|plain| plain.kind == Kind::Hello)
            .and_then(|_| own.opening(Dialect::PortHello))
            .map_or(Answer::None, Answer::AtOnce),
        Context::Fresh => {
            let answers = parsed.iter().map(|plain| to_one(plain, own));
            // Of equals the last is the greatest, hence the turn.
            answers.rev().max_by_key(urgency).unwrap_or(Answer::None)
        }
    }
}

/// The answer to a message on a connection that is not persistent.
fn to_one(plain: &Plain, own: &Sender<'_>) -> Answer {
    match plain.dialect {
        Dialect::Flat | Dialect::FlatTwo | Dialect::BracketFlat | Dialect::Bracket => {}
        Dialect::Json | Dialect::Lines | Dialect::PortHello | Dialect::Raw => return Answer::None,
    }
    match control::squeezed(&plain.text).as_deref() {
        Some("connectrequest") if plain.dialect == Dialect::FlatTwo => Answer::AtOnce(b"CONNECTED".to_vec()),
        Some("connect") => Answer::IfWaiting(own.connected()),
        Some(_) | None => {
            let port = own.addr.port();
            Answer::IfWaiting(format!("[ACK] Message received from {port}").into_bytes())
        }
    }
}

fn urgency(answer: &Answer) -> u8 {
    match answer {
        Answer::None => 0,
        Answer::IfWaiting(_) => 1,
        Answer::AtOnce(_) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn check(bursts: &[&str], expect: Answer) {
        let own = Sender { addr: ([10, 0, 0, 1], 5000).into(), name: "us" };
        let mut context = Context::Fresh;
        let mut last = Answer::None;
        for burst in bursts {
            last = answer(&parse(burst.as_bytes(), &mut context), &context, &own);
        }
        assert_eq!(last, expect, "{bursts:?}");
    }

    fn at_once(text: &str) -> Answer {
        Answer::AtOnce(text.into())
    }

    fn if_waiting(text: &str) -> Answer {
        Answer::IfWaiting(text.into())
    }

    #[test]
    fn who_waits_without_limit_is_answered_at_once() {
        check(&["1.2.3.4:5 CONNECT_REQUEST"], at_once("CONNECTED"));
        check(&["1.2.3.4:5 A hi\n1.2.3.4:5 CONNECT_REQUEST"], at_once("CONNECTED"));
        check(&["PORT:7202"], at_once("PORT:5000"));
        check(&["7202\nTheirs\nCONNECT\n"], at_once("OK\n"));
        check(&["7202\nCONNECT\n", "hi\n"], at_once("OK\n"));
        check(&["7202\nCONNECT\n", "\n"], at_once("OK\n"));
    }

    #[test]
    fn a_headed_message_is_acknowledged_if_its_sender_waits() {
        let ack = if_waiting("[ACK] Message received from 5000");
        check(&["1.2.3.4:5 A hi"], ack.clone());
        check(&["1.2.3.4:5 A hi\n1.2.3.4:5 A ho"], ack.clone());
        check(&["<1.2.3.4:5> @ <A>\nhi\n<end>"], ack.clone());
        check(&["1.2.3.4:5 A exit"], ack.clone());
        check(&["1.2.3.4:5 A CONNECT_REQUEST"], ack);
        check(&["1.2.3.4:5 A connect"], if_waiting("10.0.0.1:5000 us connected"));
        check(&["<1.2.3.4:5> A Connect"], if_waiting("10.0.0.1:5000 us connected"));
    }

    #[test]
    fn nothing_is_said_to_those_who_would_show_it() {
        check(&["hello"], Answer::None);
        check(&["connect"], Answer::None);
        check(&[r#"{"type":"connect","content":"x","sender_port":5}"#], Answer::None);
        check(&["PORT:7202", "1.2.3.4:5 A hi"], Answer::None);
        check(&["GET / HTTP/1.1\r\n\r\n1.2.3.4:5 A connect"], Answer::None);
        check(&[" \n"], Answer::None);
    }
}

//! `tail`: no commands, only what peers say and do, until so many messages have come.

use std::time::Duration;

use crate::api::command::show;
use crate::api::exit::Exit;
use crate::limits;
use crate::shell::failure::Failure;
use crate::shell::front::Front;

/// Shows what happens until `count` messages have come, for ever if there is no count; that they
/// did not come `within` a time is a failed expectation.
pub fn run(front: &mut Front<'_>, count: Option<u64>, within: Option<Duration>) -> Exit {
    front.quota = count;
    loop {
        let patience = within.unwrap_or(limits::DURATION_MAX);
        let result = front.until(patience, |front| (front.quota == Some(0)).then_some(()));
        let failure = match (result, within, count) {
            (Ok(Some(())), _, _) | (Ok(None), Some(_), None) => return Exit::Done,
            (Ok(None), None, _) => continue,
            (Ok(None), Some(within), Some(count)) => {
                let came = count - front.quota.unwrap_or(0);
                Failure::Expectation(format!("tail: {came} of {count} messages came within {}", show(within)))
            }
            (Err(failure @ Failure::Output(_)), _, _) => failure,
            (Err(failure), _, _) => return failure.exit(),
        };
        front.complain(&failure);
        return failure.exit();
    }
}

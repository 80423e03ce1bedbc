//! `tail`: no commands, only what peers say and do, until so many messages have come.

use crate::limits;
use crate::shell::failure::Exit;
use crate::shell::front::Front;

/// Shows what happens until `count` messages have come, for ever if there is no count.
pub fn run(front: &mut Front<'_>, count: Option<u64>) -> Exit {
    front.quota = count;
    loop {
        match front.until(limits::LINK_SILENT, |front| (front.quota == Some(0)).then_some(())) {
            Ok(Some(())) => return Exit::Done,
            Ok(None) => {}
            Err(failure) => return failure.exit(),
        }
    }
}

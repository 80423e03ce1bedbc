//! The state of the terminal on standard input. While there is an editor, the terminal neither echoes
//! nor makes signals of keys between two lines either, so that keys pressed early are not lost and
//! Ctrl-C means the same at any moment. However the program ends, the terminal is put right.

use std::io::{self, Write, stdin, stdout};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// As the terminal was before the editor took it, while it has it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// How long a terminal may take for its last bytes.
const LAST: Duration = Duration::from_millis(50);

/// Takes the terminal.
///
/// # Errors
/// It is none.
pub(super) fn take() -> io::Result<()> {
    let before = tcgetattr(stdin())?;
    let mut quiet = before.clone();
    quiet.input_modes &= !(InputModes::ICRNL | InputModes::IXON);
    quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
    quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
    quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
    tcsetattr(stdin(), OptionalActions::Now, &quiet)?;
    Ok(())
}

/// Gives it back as it was, if it was taken; whether it was.
pub(super) fn give_back() -> bool {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Not drained: a terminal that takes nothing must not hold us.
    before.is_some_and(|before| tcsetattr(stdin(), OptionalActions::Now, &before).is_ok())
}

/// Gives it back although the editor may be in the middle of a line: for a panic, a second signal, or
/// an editor that hangs. Does nothing if there is no editor.
pub fn put_right() {
    if !give_back() {
        return;
    }
    // The editor also had pastes marked. On a thread of its own, as the write may not return.
    let (done, wait) = channel();
    thread::spawn(move || {
        let unmark = b"\x1b[?2004l\r\n";
        let _ = done.send(stdout().write_all(unmark).and_then(|()| stdout().flush()));
    });
    let _ = wait.recv_timeout(LAST);
}

/// Whether there still is a terminal.
pub(super) fn is_there() -> bool {
    tcgetattr(stdin()).is_ok()
}

//! A prompt for a node on sockets: the editor, the history, the rc file, and the front end between
//! them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::api::command::Command;
use crate::api::exit::Exit;
use crate::api::settings::{Change, Setting};
use crate::cli::args::{Flags, When};
use crate::cli::home::Home;
use crate::cli::keeping::Kept;
use crate::cli::start::{look, outside, settings, with_front};
use crate::limits;
use crate::live::Live;
use crate::shell::batch;
use crate::shell::editor::Editor;
use crate::shell::feed::Feed;
use crate::shell::front::Front;
use crate::shell::output::{Output, complain};
use crate::shell::prompt::{self, Desk, Screen};
use crate::shell::shared::Shared;

/// A prompt on the terminal; on one that can do nothing, lines without editing.
pub(super) fn run(
    live: &mut Live,
    flags: &Flags,
    home: &Home,
    kept: Kept,
    interrupted: Arc<AtomicBool>,
) -> Exit {
    let (addr, name, bell) = (live.listens(0), live.name(0), live.bell());
    let history = home.history().unwrap_or_else(|error| {
        complain(&format!("hobnob: the history is not kept: {error}"));
        None
    });
    let shared = Shared::new(name.as_str(), look(flags, true).color);
    let (send, typed) = std::sync::mpsc::channel();
    let (editor, printer) = match Editor::start(Arc::clone(&shared), live.bell(), send, history) {
        Ok(started) => started,
        Err(_) => {
            return with_front(live, flags, true, interrupted, |front| {
                settle(front, flags, kept);
                begin(front, flags, home, addr);
                prompt::run_plain(front, &mut Feed::stdin(bell))
            });
        }
    };
    let desk = Desk::new(typed);
    let outside = outside(live.bell());
    let mut face = live.face(0);
    let mut output = Output::text(Box::new(Screen(printer.clone())), look(flags, true), flags.quiet);
    if kept.keeps {
        output.abridge();
    }
    let mut front = Front::new(&mut face, name, output, settings(flags), interrupted);
    front.allow_scripts(outside);
    front.cancelled = Box::new(|| desk.is_cancelled());
    settle(&mut front, flags, kept);
    begin(&mut front, flags, home, addr);
    let exit = prompt::run(&mut front, &desk, &shared);
    editor.stop();
    front.leave();
    let exit = front.end(exit);
    printer.flush(limits::EDITOR_STOP);
    exit
}

/// A prompt goes on with what was set at the last one, unless the command line says otherwise.
fn settle(front: &mut Front<'_>, flags: &Flags, kept: Kept) {
    for (name, value) in kept.settings {
        let setting = name.parse::<Setting>().ok();
        let said = match setting {
            Some(Setting::Color) => flags.color != When::Auto,
            Some(Setting::Timeout) => flags.timeout.is_some(),
            _ => false,
        };
        if let Some(Ok(change)) = setting.filter(|_| !said).map(|setting| Change::new(setting, &value)) {
            front.change(change);
        }
    }
    if let Some(keep) = kept.keep_setting {
        front.remember = Box::new(move |change| {
            // A disk that fails says so by itself.
            let _ = keep.put(change.setting().row().name, &change.value());
        });
    }
}

/// What a prompt starts with: where it listens, whom it keeps, the lines of the rc file.
fn begin(front: &mut Front<'_>, flags: &Flags, home: &Home, addr: Option<SocketAddr>) {
    front.listens(addr);
    for address in &flags.peers {
        front.ask(Command::Keep { address: address.clone() });
    }
    if flags.no_rc {
        return;
    }
    match home.rc() {
        Ok(None) => {}
        Ok(Some(path)) => {
            if let Err(failure) = batch::source(front, &path.display().to_string()) {
                front.complain(&failure);
            }
        }
        Err(error) => front.out.news(&error),
    }
}

//! argv to what is run, and what came of it to an exit code. The one place that reads flags and the
//! environment.

mod args;
mod home;
mod keeping;
mod prompt;
mod scripts;
mod start;

use clap::{CommandFactory, FromArgMatches};
use std::process::ExitCode;

use crate::api::exit::Exit;
use crate::shell::terminal;
use args::{Args, Verb};

/// Runs the program with the arguments it was given.
pub fn main() -> ExitCode {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Whoever hosts it says so, and the terminal is still the editor's.
        if crate::node::shelter::holds() {
            return;
        }
        if std::thread::current().name() == Some(crate::guest::THREAD) {
            return;
        }
        terminal::put_right();
        report(panic);
    }));
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some((word, rest)) = args.split_first()
        && word == crate::launch::shim::WORD
    {
        return crate::launch::shim::main(rest);
    }
    let mut given = std::env::args_os();
    if given.nth(1).is_some_and(|word| word == "bench") {
        return crate::bench::main(std::env::args().skip(2).collect());
    }
    let matches = match Args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are answers, not errors; a broken pipe there is nobody's fault.
            let _ = error.print();
            return code(if error.use_stderr() { Exit::Usage } else { Exit::Done });
        }
    };
    let args = match Args::from_arg_matches(&matches) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    code(match args.verb {
        Some(Verb::Completions { shell }) => completions(shell),
        Some(Verb::Script(_) | Verb::Tail { .. }) | None => begin(args),
    })
}

/// Does what takes more than to print.
fn begin(args: Args) -> Exit {
    if let Err(error) = crate::live::enough() {
        crate::shell::output::complain(&format!("hobnob: {error}"));
        return Exit::Runtime;
    }
    match args.verb {
        Some(Verb::Script(verb)) => scripts::main(*verb, &args.flags),
        _ => start::run(args),
    }
}

fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "hobnob", &mut script);
    let mut out = crate::shell::output::Stdout::default();
    crate::shell::output::Sink::lines(&mut out, &script);
    match crate::shell::output::Sink::flush(&mut out) {
        Ok(()) | Err(std::io::ErrorKind::BrokenPipe) => Exit::Done,
        Err(error) => {
            crate::shell::output::complain(&format!("hobnob: cannot write the output: {error}"));
            Exit::Runtime
        }
    }
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit.code())
}

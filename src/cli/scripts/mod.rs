//! What the command line does with scripts: it plays them, plays them again and compares, sweeps
//! seeds, and makes reports. Here are the worlds made that a script plays in.

mod args;
mod class;
mod ddmin;
mod fresh;
mod grade;
mod lint;
mod made;
mod play;
mod replay;
mod report;
mod run;
mod several;
mod shrink;
mod sweep;
mod verify;

pub(super) use args::ScriptVerb;
pub(super) use play::effort;

use crate::api::exit::Exit;
use crate::cli::args::Flags;
use crate::shell::output::complain;
use args::Wanted;

/// Does what the command line asks for.
pub(super) fn main(verb: ScriptVerb, flags: &Flags) -> Exit {
    match verb {
        ScriptVerb::Run { script, wanted, golden, update, trace } => {
            run::run(&script, &wanted, &run::Beside { golden, update, trace }, flags)
        }
        ScriptVerb::Verify { script, wanted } => verify::verify(&script, &wanted, flags),
        ScriptVerb::Sweep { script, seeds, shrink, wanted } => {
            sweep::sweep(&script, seeds, shrink, &wanted, flags)
        }
        ScriptVerb::Grade { script, submission, classroom, wanted } => match &classroom.class {
            Some(_) if wanted != Wanted::default() => {
                complain(
                    "hobnob: grade: with --class every submission has its reports in --out; leave the others out",
                );
                Exit::Usage
            }
            Some(folder) => class::grade(&script.into(), &submission, &classroom, folder, flags),
            None => grade::grade(&script.into(), &submission, &wanted, flags),
        },
        ScriptVerb::Lint { script, against } => lint::lint(&script.into(), &against, flags),
        ScriptVerb::Replay { bundle } => replay::replay(&bundle, flags),
        ScriptVerb::Report { file, wanted, text, columns } => {
            report::report(&file, &wanted, text.then_some(columns), columns, flags)
        }
    }
}

//! argv in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        Some("bench") => hobnob::bench::main(args.collect()),
        _ => ExitCode::SUCCESS,
    }
}

//! argv in, exit code out.

fn main() -> std::process::ExitCode {
    hobnob::cli::main()
}

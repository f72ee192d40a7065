//! The `mujaz` command: parse, dispatch, exit code. Everything it does is in the library; everything it says is here.

#![warn(missing_docs)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}

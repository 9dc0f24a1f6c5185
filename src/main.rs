//! The `ask` program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut environment = quotable::cli::Environment::of_process();
    let code = quotable::cli::main(std::env::args_os(), &mut environment);
    ExitCode::from(code)
}

//! The command `ccs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ccs::cli::main()
}

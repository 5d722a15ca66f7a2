//! The command `ccs`; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ccs::cli::main()
}

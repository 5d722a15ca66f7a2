//! `cargo run -p published -- pack` packs every published crate into `target/package`, and unpacks it there.
//! `cargo run -p published -- outside` then builds the programs of `examples/outside` from the packages.
//! `cargo run -p published -- api` writes `docs/api/`, the public API of each published crate; with `--check`
//! it compares.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use published::{api, outside, pack};

const USAGE: &str = "usage: published pack | outside | api [--check]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["pack"] => pack::pack().map(|packed| println!("{} packages in target/package", packed.len())),
        ["outside"] => outside::build(),
        ["api"] => api::write(),
        ["api", "--check"] => api::check(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

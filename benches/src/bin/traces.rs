//! Writes the traces of random worlds, a file for each seed, so that two states of the project can be
//! compared.
//!
//! `cargo run --release -p benches --bin traces -- FROM COUNT DIR`, in each of the two states; then
//! `tests/renames/compare.sh BEFORE AFTER` (see there).
use std::path::Path;
use std::process::ExitCode;

use sim::script::{self, random};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, count, dir] = arguments.as_slice() else {
        eprintln!("traces FROM COUNT DIR: seeds, and where their traces go");
        return ExitCode::from(2);
    };
    match write(from, count, Path::new(dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traces: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(from: &str, count: &str, dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(dir)?;
    let (from, count) = (from.parse::<u64>()?, count.parse::<u64>()?);
    for seed in from..from.saturating_add(count) {
        let scripts = script::parse(&random::of_seed(seed))?;
        let world = scripts.first().ok_or_else(|| format!("seed {seed} gives no script"))?;
        let played = script::play(world, None);
        std::fs::write(dir.join(seed.to_string()), format!("{}\n{:?}\n", played.trace, played.verdict))?;
    }
    Ok(())
}

//! Boots a firmware on an emulated board and plays the other end of the cable.
//!
//! ```text
//! cargo run -p emulate                    the charger's firmware, a car on this side
//! cargo run -p emulate -- car             the car's firmware, a charger on this side
//! cargo run -p emulate -- listen          the listener's firmware, a matching on its wire
//! ```
//! What the board says on its serial line is printed. The exit code is 0 after a whole session in order.
#![forbid(unsafe_code)]

mod board;
mod cable;
mod ledger;
mod peer;
mod play;
mod share;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Which firmware runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Image {
    /// The charger's firmware; the other end of the cable is a car.
    Charger,
    /// The car's firmware; the other end of the cable is a charger.
    Car,
    /// The listener's firmware; it hears how a charger and a car are matched.
    Listen,
}

impl Image {
    /// Its binary.
    const fn name(self) -> &'static str {
        match self {
            Self::Charger => "evse",
            Self::Car => "pev",
            Self::Listen => "listen",
        }
    }
}

/// Boots a firmware on an emulated board and plays the other end of the cable: what the board says on its serial line is
/// printed. The exit code is 0 after a whole session in order, 1 if anything is missing of it, 2 for a wrong usage.
#[derive(Parser)]
#[command(name = "emulate", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    play: Wish,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
pub(crate) struct Wish {
    /// Which firmware runs.
    #[arg(value_enum, default_value = "charger")]
    image: Image,
    /// On which machine: RISC-V (QEMU's virt) or Cortex-M4F (QEMU's mps2-an386).
    #[arg(long, value_enum, default_value = "riscv")]
    machine: board::Machine,
    /// The board's program panics while current flows; it must leave every output SAFE.
    #[arg(long, conflicts_with = "ledger")]
    panic: bool,
    /// Records the board's frames, as pcapng.
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compares flash, RAM, stack and instructions with this file: more than it says fails.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Compares flash and RAM of a linked firmware that does not run here with the ledger.
    Size {
        /// Its name in the ledger.
        name: String,
        /// The linked firmware, with debug information.
        elf: PathBuf,
        /// The ledger.
        ledger: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Some(Command::Size { name, elf, ledger }) => {
            ledger::sizes(elf).and_then(|rows| ledger::compare(ledger, name, &rows))
        }
        None => run(&cli.play),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emulate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(wish: &Wish) -> anyhow::Result<()> {
    let elf = board::build(wish.machine, wish.image)?;
    let taken = play::play(wish, &elf)?;
    let Some(path) = &wish.ledger else { return Ok(()) };
    let mut rows = ledger::sizes(&elf)?;
    rows.extend(taken);
    ledger::compare(path, &wish.machine.firmware(wish.image), &rows)
}

//! Boots a firmware on an emulated board and plays the other end of the cable.
//!
//! ```text
//! cargo run -p emulate                    the charger's firmware, a car on this side
//! cargo run -p emulate -- car             the car's firmware, a charger on this side
//! cargo run -p emulate -- listen          the listener's firmware, a session on its wire
//! cargo run -p emulate -- --peer riscv    the charger's firmware and the car's, two boards
//! ```
//! What the board says on its serial line is printed. The exit code is 0 after a whole session in order.
#![forbid(unsafe_code)]

mod board;
mod cable;
mod firmware;
mod ledger;
mod outside;
mod peer;
mod play;
mod senses;
mod share;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// Which firmware runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Image {
    /// The charger's firmware; the other end of the cable is a car.
    Charger,
    /// The car's firmware; the other end of the cable is a charger.
    Car,
    /// The listener's firmware; it hears a session of a charger and a car.
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

    /// Prefix of its log lines when two boards run.
    const fn label(self) -> &'static str {
        match self {
            Self::Charger => "charger ",
            Self::Car => "car     ",
            Self::Listen => "listen  ",
        }
    }

    /// The firmware at the other end of its cable.
    const fn other(self) -> Option<Self> {
        match self {
            Self::Charger => Some(Self::Car),
            Self::Car => Some(Self::Charger),
            Self::Listen => None,
        }
    }
}

/// What the board's program does wrong while current flows. It must leave every output SAFE, and begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It panics.
    Panic,
    /// It stands still: the watchdog's first stage makes the board SAFE, its second resets it.
    Hang,
}

impl Fault {
    /// The contact with which the host requests it.
    const fn contact(self) -> u8 {
        match self {
            Self::Panic => wire::contact::PANIC,
            Self::Hang => wire::contact::HANG,
        }
    }

    /// Start of the board's log line for it.
    const fn reason(self) -> &'static str {
        match self {
            Self::Panic => "panicked at ",
            Self::Hang => "watchdog: ",
        }
    }
}

/// Boots a firmware on an emulated board and plays the other end of the cable: what the board says on its
/// serial line is printed. The exit code is 0 after a whole session in order, 1 if anything is missing of it,
/// 2 for a wrong usage.
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
    /// The other end of the cable is a board, too, on this machine.
    #[arg(long, value_name = "MACHINE", value_enum, conflicts_with = "bridge")]
    peer: Option<board::Machine>,
    /// The other end of the cable is a car on this network interface, in real time and without matching: a
    /// charger's firmware alone.
    #[arg(long, value_name = "INTERFACE", conflicts_with = "ledger")]
    bridge: Option<String>,
    /// The board's program panics while current flows; it must leave every output SAFE, and begin again.
    #[arg(long, conflicts_with_all = ["ledger", "bridge", "peer", "hang"])]
    panic: bool,
    /// The board's program stands still while current flows: the watchdog must make every output SAFE, and
    /// begin again.
    #[arg(long, conflicts_with_all = ["ledger", "bridge", "peer"])]
    hang: bool,
    /// Records the board's frames, as pcapng.
    #[arg(short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Records the other board's frames, as pcapng.
    #[arg(long, value_name = "FILE", requires = "peer")]
    peer_output: Option<PathBuf>,
    /// Types this line at the board before it is started; may be given again. Each is 2 s after the one
    /// before, an empty one only waits.
    #[arg(long = "type", value_name = "LINE")]
    lines: Vec<String>,
    /// Compares flash, RAM, stack and instructions with this file: more than it says fails.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Writes what was measured into the ledger instead of comparing it; reasons and comments in it stay.
    #[arg(long, requires = "ledger")]
    write_ledger: bool,
}

impl Wish {
    const fn fault(&self) -> Option<Fault> {
        match (self.panic, self.hang) {
            (true, _) => Some(Fault::Panic),
            (_, true) => Some(Fault::Hang),
            (false, false) => None,
        }
    }

    /// What does not go together; a wrong usage ends the program.
    fn check(&self) {
        let refuse = |why| Cli::command().error(ErrorKind::ArgumentConflict, why).exit();
        if self.image == Image::Listen && (self.peer.is_some() || self.fault().is_some()) {
            refuse("a listener has no other end and drives nothing: take charger or car");
        }
        if self.image != Image::Charger && self.bridge.is_some() {
            refuse("at an interface is a car: take charger");
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Compares flash and RAM of a linked firmware that does not run here with a ledger.
    Size {
        /// Its name in the ledger.
        name: String,
        /// The linked firmware, with debug information.
        elf: PathBuf,
        /// The ledger.
        ledger: PathBuf,
        /// Writes what was measured into the ledger instead of comparing it; reasons and comments in it stay.
        #[arg(long)]
        write_ledger: bool,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Some(Command::Size { name, elf, ledger, write_ledger }) => {
            ledger::sizes(elf).and_then(|rows| ledger::enter(ledger, name, &rows, *write_ledger))
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
    wish.check();
    if let Some(path) = &wish.ledger {
        ledger::check(path)?;
    }
    let other = wish.peer.zip(wish.image.other());
    let built = std::iter::once((wish.machine, wish.image)).chain(other).map(|(machine, image)| {
        let elf = board::build(machine, image)?;
        Ok(play::Built { machine, image, elf })
    });
    let built = built.collect::<anyhow::Result<Vec<_>>>()?;
    let taken = play::play(wish, &built)?;
    let Some(path) = &wish.ledger else { return Ok(()) };
    let compared = built.iter().zip(taken).map(|(play::Built { machine, image, elf }, taken)| {
        let mut rows = ledger::sizes(elf)?;
        rows.extend(taken);
        ledger::enter(path, &machine.firmware(*image), &rows, wish.write_ledger)
    });
    // Of two boards each is compared, before the first growth ends the program.
    compared.collect::<Vec<_>>().into_iter().collect()
}

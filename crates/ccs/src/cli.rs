//! The command line.

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::command::decode::DecodeArgs;
use crate::command::doctor::DoctorArgs;
use crate::command::evse::EvseArgs;
use crate::command::exi::ExiCommand;
use crate::command::listen::ListenArgs;
use crate::command::manual::{CompletionsArgs, ManArgs};
use crate::command::modem::ModemCommand;
use crate::command::pev::PevArgs;
use crate::command::redact::RedactArgs;
use crate::command::sim_modem::SimModemArgs;
use crate::demo::DemoArgs;
use crate::exit::{Ended, Exit, Usage};
use crate::world::WorldCommand;
use crate::{command, config, exit};

/// The communication stack of CCS and NACS fast charging: decode captures, filter EXI, run a charger.
///
/// Without a subcommand, `ccs` shows a whole charging session inside the process: charger, car, both modems.
/// No hardware, no network, no privileges.
#[derive(Parser)]
#[command(name = "ccs", version, after_help = exit::help())]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows a whole charging session, both sides and both modems, in virtual time; so does `ccs` alone.
    Demo(DemoArgs),
    /// The simulated world: random faults by seed, fault scenarios, reports.
    #[command(
        subcommand,
        after_help = "\
Examples:
  ccs world run --seeds 1000       faults by chance: is any safety rule broken, does every car charge again
  ccs world replay 3               what happened in the world of seed 3, and who stopped
  ccs world list X074              one fault with its cases: what is done, and what must be seen
  ccs world replay X074 --case 2   one of them, played
  ccs world replay my.txt          a file of scenarios, such as a failing seed prints one
  ccs world report --format html -o report.html"
    )]
    World(WorldCommand),
    /// Shows the messages in captures, both directions, in the order in which they were completed.
    Decode(DecodeArgs),
    /// Listens on network interfaces: the messages of both sides live, and why a session stopped.
    Listen(ListenArgs),
    /// Replaces the identifiers and keys in a capture, so that it can be shown to others.
    Redact(RedactArgs),
    /// Filters EXI documents: one line out for every line in.
    #[command(subcommand)]
    Exi(ExiCommand),
    /// Runs a charger on a network interface with a power-line modem.
    Evse(EvseArgs),
    /// Runs a car on a network interface with a power-line modem.
    Pev(PevArgs),
    /// Finds, shows, keys, sets up and restarts power-line modems.
    #[command(subcommand)]
    Modem(ModemCommand),
    /// Says whether this machine, its interface and its modem are ready for a charger or a car.
    Doctor(DoctorArgs),
    /// Simulates the modems of a charger and a car and the power line between them, in real time.
    SimModem(SimModemArgs),
    /// Writes the completions of a shell to the standard output.
    Completions(CompletionsArgs),
    /// Writes the manual pages of `ccs` and of its subcommands into a folder.
    Man(ManArgs),
}

/// Runs the command line and gives the process's exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let words = format!("{error:#}");
            let words = crate::escape::Lines(&words);
            anstream::eprintln!("{}error:{} {words}", crate::style::BAD.render(), crate::style::RESET);
            ExitCode::from(code_of(&error))
        }
    }
}

/// What clap says of a command line, which may have quoted what steers a terminal.
fn refuse(error: &clap::Error) -> ExitCode {
    let words = error.to_string();
    let escaped = crate::escape::Lines(&words).to_string();
    if escaped == words {
        error.exit();
    }
    anstream::eprint!("{escaped}");
    ExitCode::from(2)
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Some(Command::Decode(args)) => command::decode::run(&args, &mut output()),
        Some(Command::Listen(args)) => command::listen::run(&args),
        Some(Command::Redact(args)) => command::redact::run(&args, &mut output()),
        Some(Command::Exi(command)) => {
            command::exi::run(&command, &mut io::BufReader::new(io::stdin()), &mut output())
        }
        Some(Command::Evse(args)) => command::evse::run(&args, &mut io::stdout()),
        Some(Command::Pev(args)) => command::pev::run(&args, &mut io::stdout()),
        Some(Command::Modem(command)) => command::modem::run(&command, &mut io::stdout()),
        Some(Command::Doctor(args)) => command::doctor::run(&args, &mut io::stdout()),
        Some(Command::SimModem(args)) => command::sim_modem::run(&args, &mut io::stdout()),
        Some(Command::Completions(args)) => args.run(Cli::command(), &mut output()),
        Some(Command::Man(args)) => args.run(Cli::command(), &mut output()),
        Some(Command::Demo(args)) => crate::demo::run(&args, &mut output()),
        Some(Command::World(command)) => crate::world::run(&command, &mut output()),
        None => crate::demo::run(&DemoArgs::default(), &mut output()),
    }
}

/// The exit code of what ended the program.
pub fn code_of(error: &anyhow::Error) -> u8 {
    let is_usage =
        |cause: &(dyn std::error::Error + 'static)| cause.is::<Usage>() || cause.is::<config::Error>();
    let is_access = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<hal_linux::Error>().is_some_and(hal_linux::Error::is_access)
    };
    if let Some(ended) = error.downcast_ref::<Ended>() {
        ended.exit().code()
    } else if error.chain().any(is_usage) {
        2
    } else if error.chain().any(is_access) {
        3
    } else {
        1
    }
}

/// The standard output: whoever writes to it decides about colours by [`crate::style`].
fn output() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// The reader of our output closed it (`ccs ... | head`): not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

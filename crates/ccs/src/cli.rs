//! The top level of the command line: the list of subcommands, and how errors become exit codes.

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

/// Communication for CCS and NACS fast charging: reads captures, listens on power lines, runs a charger or a
/// car.
///
/// Without a subcommand `ccs` shows a complete simulated session: charger, car and both modems. That needs no
/// hardware, no network and no privileges.
///
/// First steps: `ccs` alone, `ccs decode FILE` for a capture or a log, `ccs doctor -i IFACE` for a modem, then
/// `ccs listen`, `ccs evse` or `ccs pev`.
#[derive(Parser)]
#[command(name = "ccs", version, after_help = exit::help())]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows a complete simulated session in virtual time, or one with a fault; the default without a
    /// subcommand.
    Demo(DemoArgs),
    /// Runs the simulated world: random faults by seed, fault scenarios, reports.
    #[command(
        subcommand,
        after_help = "\
Examples:
  ccs world run --seeds 1000       random faults: does every safety rule hold, does every car charge again?
  ccs world replay 3               shows the world of seed 3, and which side stopped
  ccs world list X074              lists the cases of one scenario: the fault, and what must follow
  ccs world replay X074 --case 2   plays one of its cases
  ccs world replay my.txt          plays a file of scenarios; a failing seed is printed in this form
  ccs world report --format html -o report.html"
    )]
    World(WorldCommand),
    /// Shows the messages of captures and logs: as lines, summary, JSON, table, curves or HTML.
    Decode(DecodeArgs),
    /// Listens on network interfaces: shows the messages of both sides live, and how each session ended.
    Listen(ListenArgs),
    /// Replaces identifiers and keys in a capture, so that it can be published.
    Redact(RedactArgs),
    /// Converts between EXI in hexadecimal and JSON, line by line.
    #[command(subcommand)]
    Exi(ExiCommand),
    /// Runs a charger (EVSE) on a network interface with a power-line modem.
    Evse(EvseArgs),
    /// Runs a car (PEV) on a network interface with a power-line modem.
    Pev(PevArgs),
    /// Lists, shows, configures and restarts power-line modems, and sets their keys.
    #[command(subcommand)]
    Modem(ModemCommand),
    /// Checks machine, interface and modem for use as a charger or a car, and says what to repair.
    Doctor(DoctorArgs),
    /// Simulates power-line modems on network interfaces, and the power line between them, in real time.
    SimModem(SimModemArgs),
    /// Prints the completion script of a shell.
    Completions(CompletionsArgs),
    /// Writes the manual pages of `ccs` and its subcommands to a directory.
    Man(ManArgs),
}

/// Runs the command line and returns the exit code of the process.
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

/// Prints an error of clap. It may quote an argument, so control sequences for the terminal are escaped.
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

/// The exit code of an error that ends the program.
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

/// Standard output. What is written there uses colours according to [`crate::style`].
fn output() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Whether the reader of the output closed it (`ccs ... | head`), which is not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

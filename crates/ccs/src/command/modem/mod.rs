//! `ccs modem`: administration of power-line modems.

mod bench;
mod key;
mod link;
mod list;
mod pib;
mod reset;
mod show;
mod target;
#[cfg(test)]
mod tests;

use std::io::Write;

use clap::Subcommand;
use hal_linux::Interface;

use crate::drive::Cable;
use crate::exit::Exit;

pub use bench::{Bench, Progress, no_modem};
use key::KeyArgs;
use link::LinkArgs;
use pib::PibCommand;
use reset::ResetArgs;
use show::table;
pub use show::{firmware, stations};
pub use target::{OneModemArgs, TargetArgs};

/// Commands of `ccs modem`.
#[derive(Subcommand)]
#[command(after_help = "\
The own modem is the modem on the interface; the others are reached through its network. Only one
program may control a modem: end `ccs evse` and `ccs pev` on the interface first.

These commands change a modem: key --password, key --random, pib role, pib write, reset. Without --yes they
only print what they would do and end with exit code 2. If no modem responds, the exit code is 62.

Examples:
  ccs modem list -i eth1
  ccs modem key -i eth1 --random         prints the consequences; with --yes it sets the key
  ccs modem pib role -i eth1 evse --yes")]
pub enum ModemCommand {
    /// Lists the modems within reach: the own one, and those of its network.
    List(TargetArgs),
    /// Shows everything about one modem.
    Info(OneModemArgs),
    /// Shows the network of the own modem, or sets its network key.
    Key(KeyArgs),
    /// Shows the state of the link, the stations and their data rates.
    Link(LinkArgs),
    /// Reads, checks, changes and writes the parameters (PIB).
    #[command(subcommand)]
    Pib(PibCommand),
    /// Restarts a modem and waits until it responds again.
    Reset(ResetArgs),
}

/// Runs one command.
pub fn run(command: &ModemCommand, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let at = match command {
        ModemCommand::List(at) => at,
        ModemCommand::Info(of) => &of.at,
        ModemCommand::Key(args) => &args.at,
        ModemCommand::Link(args) => &args.at,
        ModemCommand::Reset(args) => &args.of.at,
        ModemCommand::Pib(PibCommand::Read(args)) => &args.of.at,
        ModemCommand::Pib(PibCommand::Role(args)) => &args.at,
        ModemCommand::Pib(PibCommand::Write(args)) => &args.of.at,
        ModemCommand::Pib(PibCommand::Check(args)) => return pib::check(args, out),
    };
    before(command)?;
    let interface = Interface::find(&at.interface)?;
    // The address that `ccs evse` and `ccs pev` use, so that the modem sees one host only.
    let own = interface.role_mac();
    let mut cable = Cable::open(&interface, own)?;
    let mut bench = Bench::new(&mut cable, own, out, Progress::stderr());
    act(command, &mut bench)
}

/// Refuses invalid or unconfirmed commands before the modem is accessed.
fn before(command: &ModemCommand) -> anyhow::Result<()> {
    match command {
        ModemCommand::Key(args) => key::before(args),
        ModemCommand::Reset(args) => reset::before(args),
        ModemCommand::Pib(PibCommand::Read(args)) => pib::before_read(args),
        ModemCommand::Pib(PibCommand::Write(args)) => pib::load(&args.file).map(|_| ()),
        _ => Ok(()),
    }
}

fn act(command: &ModemCommand, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    match command {
        ModemCommand::List(at) => list::run(at, bench),
        ModemCommand::Info(of) => show::run(of, bench),
        ModemCommand::Key(args) => key::run(args, bench),
        ModemCommand::Link(args) => link::run(args, bench),
        ModemCommand::Reset(args) => reset::run(args, bench),
        ModemCommand::Pib(PibCommand::Read(args)) => pib::read(args, bench),
        ModemCommand::Pib(PibCommand::Role(args)) => pib::role(args, bench),
        ModemCommand::Pib(PibCommand::Write(args)) => pib::write(args, bench),
        ModemCommand::Pib(PibCommand::Check(args)) => pib::check(args, bench.out()),
    }
}

//! `ccs modem`: care of power-line modems.

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

/// What `ccs modem` does.
#[derive(Subcommand)]
#[command(after_help = "\
Questions change nothing. What changes a modem (`key --password|--random`, `pib role`, `pib write`, `reset`) says
what it would do and ends with exit code 2 unless `--yes` is given. No modem: exit code 62. One modem has one
master: end `ccs evse` and `ccs pev` on the interface before.")]
pub enum ModemCommand {
    /// Lists the modems within reach: the own one, and those of its network.
    List(TargetArgs),
    /// Shows everything of one modem.
    Info(OneModemArgs),
    /// Shows the own modem's network, or sets its key.
    Key(KeyArgs),
    /// Shows the link's state, the stations and the rates.
    Link(LinkArgs),
    /// Reads, checks, changes and writes parameters.
    #[command(subcommand)]
    Pib(PibCommand),
    /// Restarts a modem and waits until it is back.
    Reset(ResetArgs),
}

/// Does one thing with a modem.
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
    // The address that `ccs evse` and `ccs pev` have: the modem sees one host.
    let own = interface.role_mac();
    let mut cable = Cable::open(&interface, own)?;
    let mut bench = Bench::new(&mut cable, own, out, Progress::stderr());
    act(command, &mut bench)
}

/// Refuses what needs no modem to be refused.
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

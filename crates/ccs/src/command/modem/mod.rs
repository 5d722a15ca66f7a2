//! `ccs modem`: care of power-line modems.

mod bench;
mod key;
mod link;
mod list;
mod pib;
mod reset;
mod show;
#[cfg(test)]
mod tests;

use std::io::Write;

use hal_linux::Interface;

use crate::cli::{Exit, ModemCommand, PibCommand};
use crate::drive::Cable;

pub use bench::{Bench, Progress, no_modem};
use show::table;
pub use show::{firmware, stations};

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

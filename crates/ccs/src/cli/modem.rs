//! What `ccs modem` and `ccs doctor` take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use roles::Mac;

use crate::name;

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

/// What `ccs modem pib` does.
#[derive(Subcommand)]
pub enum PibCommand {
    /// Saves a modem's parameters to a file, which then holds its keys.
    Read(ReadArgs),
    /// Checks a file: chain, checksums, what is odd; shows role and names. Exit code 1 when it is not sound.
    Check(CheckArgs),
    /// Sets the own modem up for a charger or a car, after a backup.
    Role(RoleArgs),
    /// Writes a file to a modem, after a backup, and compares.
    Write(WriteArgs),
}

/// Which interface, and how to answer.
#[derive(Args)]
pub struct TargetArgs {
    /// The network interface that the modem is connected to.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface)]
    pub interface: String,
    /// One JSON object; nothing else on the standard output.
    #[arg(long)]
    pub json: bool,
}

/// Which modem, and how to answer.
#[derive(Args)]
pub struct OneModemArgs {
    #[command(flatten)]
    /// The interface.
    pub at: TargetArgs,
    /// A modem of the network, instead of the own one.
    #[arg(long, value_name = "MAC", value_parser = mac)]
    pub modem: Option<Mac>,
}

/// What `ccs modem key` takes.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
pub struct KeyArgs {
    #[command(flatten)]
    /// The interface.
    pub at: TargetArgs,
    /// Sets the key of this password, 8 to 64 printable characters; `-` reads it from the standard input.
    #[arg(long, value_name = "PASSWORD", group = "how")]
    pub password: Option<String>,
    /// Sets a key that nobody knows.
    #[arg(long, group = "how")]
    pub random: bool,
    /// Shows the network and sets nothing; so does no option at all.
    #[arg(long, group = "how")]
    pub show: bool,
    /// Shows keys in full.
    #[arg(long)]
    pub show_keys: bool,
    /// Yes: the modem leaves its network and restarts.
    #[arg(long)]
    pub yes: bool,
}

/// What `ccs modem link` takes.
#[derive(Args)]
pub struct LinkArgs {
    #[command(flatten)]
    /// The interface.
    pub at: TargetArgs,
    /// Shows it each second until Ctrl-C; with `--json` one object a line.
    #[arg(long)]
    pub watch: bool,
}

/// What `ccs modem pib read` takes.
#[derive(Args)]
pub struct ReadArgs {
    /// Where to save the parameters; only its owner may read it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    /// The modem.
    pub of: OneModemArgs,
    /// Yes: replace the file if it is there.
    #[arg(long)]
    pub yes: bool,
}

/// What `ccs modem pib check` takes.
#[derive(Args)]
pub struct CheckArgs {
    /// The parameters.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// One JSON object; nothing else on the standard output.
    #[arg(long)]
    pub json: bool,
}

/// What `ccs modem pib role` takes.
#[derive(Args)]
pub struct RoleArgs {
    /// The side of the cable.
    #[arg(value_enum)]
    pub role: RoleName,
    #[command(flatten)]
    /// The interface.
    pub at: TargetArgs,
    /// Where to save the parameters before; else `pib-MAC.bak` in the working directory.
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
    /// Yes: write to the modem.
    #[arg(long)]
    pub yes: bool,
}

/// The sides of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// A charger's.
    Evse,
    /// A car's.
    Pev,
}

/// What `ccs modem pib write` takes.
#[derive(Args)]
pub struct WriteArgs {
    /// The new parameters: a whole chain, as `ccs modem pib read` saves it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where to save what the modem has now; a file that is there must hold just that.
    #[arg(long, value_name = "FILE")]
    pub backup: PathBuf,
    #[command(flatten)]
    /// The modem.
    pub of: OneModemArgs,
    /// Yes: write to the modem.
    #[arg(long)]
    pub yes: bool,
}

/// What `ccs modem reset` takes.
#[derive(Args)]
pub struct ResetArgs {
    #[command(flatten)]
    /// The modem.
    pub of: OneModemArgs,
    /// Yes: the link is lost and the modem away for some seconds.
    #[arg(long)]
    pub yes: bool,
}

/// What `ccs doctor` takes.
#[derive(Args)]
#[command(after_help = "\
Changes nothing. Exit codes: 0 all good, 1 something is to be done.")]
pub struct DoctorArgs {
    #[command(flatten)]
    /// The interface.
    pub at: TargetArgs,
}

/// Six bytes in hexadecimal, with or without separators.
fn mac(text: &str) -> Result<Mac, String> {
    let mut bytes = Vec::new();
    let wrong = "a modem's address has six bytes, such as 00:b0:52:12:34:56";
    crate::hex::parse(text.as_bytes(), &mut bytes).map_err(|_| wrong)?;
    let mac = <[u8; 6]>::try_from(bytes).map(Mac).map_err(|_| wrong)?;
    if mac.is_unicast() { Ok(mac) } else { Err("that is the address of a group, not of one modem".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_any_usual_form_and_a_group_is_refused() {
        for text in ["00:b0:52:00:00:01", "00B052000001", "00-b0-52-00-00-01"] {
            assert_eq!(mac(text), Ok(Mac([0, 0xB0, 0x52, 0, 0, 1])));
        }
        for text in ["", "00:b0:52", "00:b0:52:00:00:0g", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"] {
            assert!(mac(text).is_err(), "{text}");
        }
    }
}

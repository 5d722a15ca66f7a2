//! `ccs evse`: a charger on a network interface.

pub mod role;
pub mod serve;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hal_linux::{Clock, Interface, PacketSocket};

use crate::config::{self, Config, Configured, Megabytes, PLANTS};
use crate::exit::{Exit, Usage};
use crate::inbox::Inbox;
use crate::latches::{self, Latches};
use crate::name;
use crate::plant::SimulatedPlant;
use crate::recording::plant::Watched;
use crate::recording::{Recording, Setup};

use serve::IoParts;

/// The role's part of file names.
const ROLE: &str = "evse";

/// Options of `ccs evse`.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Signals:
  SIGINT (Ctrl-C), SIGTERM, SIGHUP   end the session normally, then the program
  a second SIGINT or SIGTERM         stops immediately
  SIGQUIT                            stops immediately
  SIGUSR1                            logs counters

The last line of the log is the stop reason; its code is the exit code: see `ccs --help`.

Examples:
  ccs evse -i eth1 --plant simulated     a charger that moves nothing real
  ccs evse --print-config > evse.toml    a configuration to edit; then: ccs evse -c evse.toml")]
pub struct EvseArgs {
    /// Network interface to which the modem is connected. Required, here or in the configuration.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface)]
    pub interface: Option<String>,
    /// Configuration file (TOML); command-line options override it. Default: built-in values, see
    /// --print-config.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prints the configuration with all keys and their meaning, then exits.
    #[arg(long)]
    pub print_config: bool,
    /// Plant: what drives pilot and power. `simulated` moves nothing real. Required, here or in the
    /// configuration.
    #[arg(long, value_name = "NAME")]
    pub plant: Option<String>,
    /// Records all frames (with their messages as comments) and the plant's actions to a pcapng file. If PATH
    /// is a directory, each session has its own file there.
    #[arg(long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Records network keys unchanged; by default they are replaced by zeros.
    #[arg(long)]
    pub with_keys: bool,
    /// Ends a recording file at this size in megabytes (1 to 1000000) and logs that. Default: 256.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub record_max_mb: Option<u32>,
    /// Logs every message. By default repeated messages are counted, and the count is logged every 10 s.
    #[arg(long)]
    pub all: bool,
    /// File that stores a latch, a stop that stays in force until its cause is repaired. Default: a file in
    /// `$STATE_DIRECTORY`, else in /var/lib/ccs for root and in ~/.local/state/ccs for other users.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub state: Option<PathBuf>,
    /// Removes the stored latch, then exits: for use after its cause is repaired.
    #[arg(long)]
    pub reset_latch: bool,
    /// Stops after N sessions. Default: no limit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: Option<u32>,
    /// How the link to the car is established. Default: slac.
    #[arg(long, value_enum, value_name = "HOW")]
    pub link: Option<LinkHow>,
}

/// Ways to establish a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LinkHow {
    /// Matching by SLAC through the modem.
    Slac,
    /// The link exists already: paired modems, or plain Ethernet.
    Up,
}

/// Runs the charger until it is stopped. Or prints its configuration, or removes its latch.
pub fn run(args: &EvseArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let config = configure(args)?;
    if args.print_config {
        return print(&config, out);
    }
    if config.interface.is_empty() {
        return Err(Usage(
            "no interface chosen: give `-i IFACE`, or network.interface in the configuration".into(),
        )
        .into());
    }
    if args.reset_latch {
        return latches::reset(config.state.as_deref(), ROLE, &config.interface, out);
    }
    if config.plant.is_empty() {
        return Err(Usage(
            "no plant chosen: give `--plant simulated`, which moves nothing real, or plant.backend in the \
             configuration"
                .into(),
        )
        .into());
    }
    let interface = Interface::find(&config.interface)?;
    let mac = config.mac.unwrap_or_else(|| interface.role_mac());
    let mut socket = PacketSocket::for_role(&interface, mac)?;
    let mut plant = SimulatedPlant::new(config.simulation)?;
    let setup = config.record.as_deref().map(|path| Setup {
        path,
        interface: &config.interface,
        at_most: config.record_max,
        with_keys: args.with_keys,
        configuration: config.to_toml(),
        car: None,
    });
    let recording = setup.map(Recording::open).transpose()?;
    let car_pilot = plant.0.car_pilot();
    let inbox = Inbox::default();
    let mut plant = Watched::new(&mut plant, &inbox);
    let clock = Clock::start();
    let parts = IoParts {
        port: &mut socket,
        plant: &mut plant,
        car_pilot,
        recording,
        latches: Latches::open(config.state.as_deref(), ROLE, &config.interface, clock)?,
        inbox: &inbox,
        all: args.all,
        sessions: args.sessions,
    };
    role::run(&config, &interface, mac, clock, parts, out)
}

/// Prints a configuration as TOML.
pub fn print(config: &impl Configured, out: &mut dyn Write) -> anyhow::Result<Exit> {
    out.write_all(config.to_toml().as_bytes())?;
    out.flush()?;
    Ok(Exit::Good)
}

/// The configuration of the file, overridden by the command line.
fn configure(args: &EvseArgs) -> anyhow::Result<Config> {
    let mut config: Config = config::load(args.config.as_deref())?;
    if let Some(interface) = &args.interface {
        config.interface.clone_from(interface);
    }
    if let Some(plant) = &args.plant {
        if !PLANTS.contains(&plant.as_str()) {
            return Err(Usage("unknown plant; there is: simulated".into()).into());
        }
        config.plant.clone_from(plant);
    }
    if let Some(link) = args.link {
        config.link_up = link == LinkHow::Up;
    }
    if args.record.is_some() {
        config.record.clone_from(&args.record);
    }
    if args.state.is_some() {
        config.state.clone_from(&args.state);
    }
    if let Some(limit) = args.record_max_mb {
        config.record_max = Megabytes(limit);
    }
    Ok(config)
}

//! `ccs evse`: a charger on a network interface.

pub mod clerk;
pub mod role;
pub mod serve;

use std::io::Write;

use hal_linux::{Clock, Interface, PacketSocket, SimulatedPlant};

use crate::cli::{EvseArgs, Exit, LinkHow, Usage};
use crate::config::{self, Config, Configured, Megabytes, PLANTS};
use crate::inbox::Inbox;
use crate::latches::{self, Latches};
use crate::recording::plant::Watched;
use crate::recording::{Recording, Setup};

use serve::Desk;

/// The role's name in the names of files.
const ROLE: &str = "evse";

/// Runs the charger until it is stopped, or prints its configuration.
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
    let desk = Desk {
        port: &mut socket,
        plant: &mut plant,
        car_pilot,
        recording,
        latches: Latches::open(config.state.as_deref(), ROLE, &config.interface, clock)?,
        inbox: &inbox,
        all: args.all,
        sessions: args.sessions,
    };
    role::run(&config, &interface, mac, clock, desk, out)
}

/// Prints a configuration.
pub fn print(config: &impl Configured, out: &mut dyn Write) -> anyhow::Result<Exit> {
    out.write_all(config.to_toml().as_bytes())?;
    out.flush()?;
    Ok(Exit::Good)
}

/// The configuration file with what the command line says on top.
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

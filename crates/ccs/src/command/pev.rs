//! `ccs pev`: a car on a network interface.

pub mod observer;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use hal_linux::{Clock, Interface, OsEntropy, PacketSocket, Signals, Simulated};
use machine::{Cx, Machine};
use pev_fsm::Operator;
use roles::{Pev, PevConfig, PevInput, PevLink, PevStorage};
use sim::Wishes;

use super::evse::LinkHow;
use crate::command::evse::print;
use crate::config::{self, CarConfig, Configured, Megabytes, PLANTS};
use crate::escape::Plain;
use crate::exit::{Exit, Usage};
use crate::inbox::Inbox;
use crate::latches::{self, Latches};
use crate::log_writer::with_log_writer;
use crate::name;
use crate::plant::{SimulatedCable, SimulatedCar};
use crate::recording::plant::Watched;
use crate::recording::{Recording, Setup};
use crate::reporter::{How, Reporter};
use crate::running;

use observer::Observer;

/// The role's name in the names of files.
const ROLE: &str = "pev";

/// What `ccs pev` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
SIGINT (Ctrl-C), SIGTERM and SIGHUP end the session in order; a second SIGINT or SIGTERM, and SIGQUIT, switch off at
once. SIGUSR1 logs counters. The stop reason is the last line, its code the exit code (`ccs --help`).")]
pub struct PevArgs {
    /// The network interface that the modem is connected to.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface, required_unless_present = "print_config")]
    pub interface: Option<String>,
    /// Configuration (TOML); command-line options override it.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prints the configuration with all keys and their meaning, then exits.
    #[arg(long)]
    pub print_config: bool,
    /// What drives contactors and lock: `simulated` moves nothing real. There is no default.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["matches", "reset_latch", "print_config"])]
    pub plant: Option<String>,
    /// How the link to the charger comes about: `slac` matches through the modem; `up` assumes an existing
    /// link.
    #[arg(long, value_enum, value_name = "HOW", default_value = "slac")]
    pub link: LinkHow,
    /// Records all frames, with their messages as comments, and what the plant does into a pcapng file; in a
    /// directory, one file for each session.
    #[arg(long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Writes network keys into the recording as they are; by default they are zeros.
    #[arg(long)]
    pub with_keys: bool,
    /// Ends a file of the recording at this size in megabytes and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = Megabytes::USUAL.0)]
    pub record_max_mb: u32,
    /// Logs every message. By default repeated messages are counted; the count is logged every ten seconds.
    #[arg(long)]
    pub all: bool,
    /// The file that stores a latch across restarts. Default: in `$STATE_DIRECTORY`, else in
    /// /var/lib/ccs for root and in ~/.local/state/ccs for others.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub state: Option<PathBuf>,
    /// Removes the stored latch, then exits: for use after its cause is repaired.
    #[arg(long)]
    pub reset_latch: bool,
    /// Stops after N sessions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: Option<u32>,
    /// State of charge at the start, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub soc: u8,
    /// Target state of charge, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub target_soc: u8,
    /// Light bulbs of 230 V in place of the battery, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["soc", "target_soc"])]
    pub bulbs: bool,
    /// Stops after N matches, each held for a second, without a session.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub matches: Option<u32>,
    /// Stops after this many seconds without a match.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

/// Runs the car until it is stopped, or has charged or matched as often as wanted.
pub fn run(args: &PevArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    if args.plant.as_deref().is_some_and(|plant| !PLANTS.contains(&plant)) {
        return Err(Usage("unknown plant; there is: simulated".into()).into());
    }
    let config: CarConfig = config::load(args.config.as_deref())?;
    if args.print_config {
        return print(&config, out);
    }
    let configuration = config.to_toml();
    let mut car = config.car;
    let name = args.interface.as_deref().unwrap_or_default();
    if args.reset_latch {
        return latches::reset(args.state.as_deref(), ROLE, name, out);
    }
    let interface = Interface::find(name)?;
    let mac = interface.role_mac();
    let address = interface.role_address(mac);
    let mut socket = PacketSocket::for_role(&interface, mac)?;
    let setup = args.record.as_deref().map(|path| Setup {
        path,
        interface: name,
        at_most: Megabytes(args.record_max_mb),
        with_keys: args.with_keys,
        configuration,
        car: Some(mac.0),
    });
    let recording = setup.map(Recording::open).transpose()?;
    car.evcc_id.clear();
    // Six bytes fit into eight.
    let _ = car.evcc_id.extend_from_slice(&mac.0);
    if args.bulbs {
        car.load = pev_fsm::Load::Bulb { voltage_mv: Wishes::BULBS_MV };
    }
    let link = if args.link == LinkHow::Up { PevLink::Up } else { PevLink::matched(mac) };
    let config = PevConfig { mac, address: Some(address), link, discovers: args.matches.is_none(), car };

    let clock = Clock::start();
    let mut cx = Cx { now: clock.now(), entropy: &mut OsEntropy };
    let inbox = Inbox::default();
    let mut storage: PevStorage = PevStorage::new();
    let mut role = Pev::new(&mut cx, config, &mut storage)?;
    role.watch(&inbox);
    let latches = Latches::open(args.state.as_deref(), ROLE, name, clock)?;
    let found = latches.found();
    if let Some((latch, _)) = &found {
        role.handle(&mut cx, PevInput::Operator(Operator::Latch(*latch)));
    }
    let cable = SimulatedCable::plugged()?;
    let mut plant = Simulated(if args.bulbs {
        SimulatedCar::bulbs(cable.clone())
    } else {
        let wishes = Wishes { enough_percent: args.target_soc, ..Wishes::CAR_400V };
        SimulatedCar::new(wishes, args.soc, cable.clone())
    });
    let mut plant = Watched::new(&mut plant, &inbox);
    let signals = Signals::hold()?;
    let how = How { records: recording.is_some(), all: args.all };
    let ready =
        format!("ready on {}: {mac}, [{address}]; the cable is simulated: 5 %", Plain(interface.name()));
    let first: Vec<String> = [ready].into_iter().chain(found.map(|(_, words)| words)).collect();
    with_log_writer(out, recording, |writer| {
        // Let go at the end of this block: a log that stalls for ever can then be interrupted.
        let signals = signals;
        let reporter = Reporter::new(writer, &inbox, clock, how);
        let mut observer = Observer::new(args, reporter, clock.now(), cable, latches);
        Ok(running::run(&mut role, &mut socket, &mut plant, clock, &signals, &first, &mut observer))
    })
}

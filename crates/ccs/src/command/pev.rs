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

/// The role's part of file names.
const ROLE: &str = "pev";

/// Options of `ccs pev`.
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
  ccs pev -i eth1 --plant simulated      a car that moves nothing real
  ccs pev -i eth1 --matches 5            tests matching only
  ccs pev --print-config > pev.toml      a configuration to edit; then add: -c pev.toml")]
pub struct PevArgs {
    /// Network interface to which the modem is connected.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface, required_unless_present = "print_config")]
    pub interface: Option<String>,
    /// Configuration file (TOML); command-line options override it. Default: built-in values, see
    /// --print-config.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prints the configuration with all keys and their meaning, then exits.
    #[arg(long)]
    pub print_config: bool,
    /// Plant: what drives contactors and lock. `simulated` moves nothing real. Required, except with --matches,
    /// --reset-latch or --print-config.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["matches", "reset_latch", "print_config"])]
    pub plant: Option<String>,
    /// How the link to the charger is established.
    #[arg(long, value_enum, value_name = "HOW", default_value = "slac")]
    pub link: LinkHow,
    /// Records all frames (with their messages as comments) and the plant's actions to a pcapng file. If PATH
    /// is a directory, each session has its own file there.
    #[arg(long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Records network keys unchanged; by default they are replaced by zeros.
    #[arg(long)]
    pub with_keys: bool,
    /// Ends a recording file at this size in megabytes (1 to 1000000) and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = Megabytes::USUAL.0)]
    pub record_max_mb: u32,
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
    /// State of charge at the start, in percent (0 to 100).
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub soc: u8,
    /// Target state of charge, in percent (1 to 100).
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub target_soc: u8,
    /// Simulates 230 V light bulbs instead of a battery; charges until Ctrl-C.
    #[arg(long, conflicts_with_all = ["soc", "target_soc"])]
    pub bulbs: bool,
    /// Tests matching only: stops after N matches, each held for 1 s, without a session.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub matches: Option<u32>,
    /// Stops after this many seconds without a match. Default: no limit.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

/// Runs the car until it is stopped, or the requested number of sessions or matches is reached.
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
        // The signals are released at the end of this block, so that Ctrl-C can interrupt a log that stalls.
        let signals = signals;
        let reporter = Reporter::new(writer, &inbox, clock, how);
        let mut observer = Observer::new(args, reporter, clock.now(), cable, latches);
        Ok(running::run(&mut role, &mut socket, &mut plant, clock, &signals, &first, &mut observer))
    })
}

//! `ccs pev`: a car on a network interface.

pub mod observer;
mod plant;

use std::io::Write;

use hal_linux::{Clock, Interface, OsEntropy, PacketSocket, Signals, Simulated};
use machine::{Cx, Machine};
use pev_fsm::Operator;
use roles::{Pev, PevConfig, PevInput, PevLink, PevStorage};
use sim::Wishes;

use crate::cli::{Exit, LinkHow, PevArgs, Usage};
use crate::command::evse::clerk::with_clerk;
use crate::command::evse::print;
use crate::config::{self, CarConfig, Configured, Megabytes, PLANTS};
use crate::escape::Plain;
use crate::inbox::Inbox;
use crate::latches::{self, Latches};
use crate::recording::plant::Watched;
use crate::recording::{Recording, Setup};
use crate::reporter::{How, Reporter};
use crate::running;

use observer::Observer;
use plant::{SimulatedCable, SimulatedCar};

/// The role's name in the names of files.
const ROLE: &str = "pev";

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
    with_clerk(out, recording, |clerk| {
        // Let go at the end of this block: a log that stalls for ever can then be interrupted.
        let signals = signals;
        let reporter = Reporter::new(clerk, &inbox, clock, how);
        let mut observer = Observer::new(args, reporter, clock.now(), cable, latches);
        Ok(running::run(&mut role, &mut socket, &mut plant, clock, &signals, &first, &mut observer))
    })
}

//! `ccs sim-modem`: simulated modems on two or more interfaces, and a power line between them.

use std::io::Write;
use std::os::fd::AsFd;

use clap::{Args, ValueEnum};
use hal_linux::{Clock, Error, Interface, PacketSocket, Signals, wait};
use machine::{Duration, Instant};
use roles::Mac;
use sim::power_line::{Coordinator, Weather};
use sim::{ModemConfig, Port, PowerLine, Span};

use crate::exit::{Exit, Usage};
use crate::log::Log;
use crate::name;
use crate::style::Palette;

/// Addresses of the simulated modems: locally administered, not used by the interfaces.
const CHARGERS: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x00, 0xE0]);
const CARS: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x00, 0xC0]);
const LISTENS_AS_CHARGER: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x01, 0xE0]);
const LISTENS_AS_CAR: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x01, 0xC0]);

/// Frames handled of one interface before the next one: judgement, so that a flood on one does not block the
/// others.
const BURST: usize = 32;

/// Options of `ccs sim-modem`.
#[derive(Args)]
#[command(after_help = "\
Example, as root: two hosts as network namespaces, each with one end of a veth pair. The other ends stay here.
  ip netns add evse; ip link add plc0 netns evse type veth peer name line0; ip link set line0 up
  ip netns add pev;  ip link add plc0 netns pev  type veth peer name line1; ip link set line1 up
  ip -n evse link set plc0 up; ip -n pev link set plc0 up
  ccs sim-modem line0 line1 &
  ip netns exec evse ccs evse -i plc0 --plant simulated &
  ip netns exec pev ccs pev -i plc0 --plant simulated")]
pub struct SimModemArgs {
    /// Interface of the charger's host.
    #[arg(value_name = "CHARGER_IFACE", value_parser = name::Interface)]
    pub charger: String,
    /// Interface of the car's host.
    #[arg(value_name = "CAR_IFACE", value_parser = name::Interface)]
    pub car: String,
    /// Interface of a listener whose modem is a third station on the line, with a charger's role.
    #[arg(long = "listener-as-charger", value_name = "IFACE", value_parser = name::Interface)]
    pub as_charger: Option<String>,
    /// Interface of a listener whose modem is a third station on the line, with a car's role.
    #[arg(long = "listener-as-car", value_name = "IFACE", value_parser = name::Interface)]
    pub as_car: Option<String>,
    /// Model of the charger's modem.
    #[arg(long, value_enum, default_value = "qca7005")]
    pub charger_modem: ModemKindName,
    /// Model of the car's modem.
    #[arg(long, value_enum, default_value = "qca7005")]
    pub car_modem: ModemKindName,
    /// Attenuation between the modems in dB (0 to 255).
    #[arg(long, value_name = "DB", default_value_t = 9)]
    pub attenuation: u8,
    /// Frames lost on the power line, in percent (0 to 100).
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub loss: u8,
    /// Time in milliseconds for which a modem does not respond after a new key.
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    pub restart_ms: u64,
    /// Seed of all random values.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Models of modems that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModemKindName {
    /// QCA7005, automotive.
    Qca7005,
    /// QCA7000, automotive.
    Qca7000,
    /// QCA7420, in powerline adapters: measures no attenuation.
    Qca7420,
    /// INT6000, an older model: no matching.
    Int6000,
    /// Lumissil, automotive.
    Lumissil,
}

/// Simulates the modems until it is interrupted.
pub fn run(args: &SimModemArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let names: Vec<&String> =
        [Some(&args.charger), Some(&args.car), args.as_charger.as_ref(), args.as_car.as_ref()]
            .into_iter()
            .flatten()
            .collect();
    if names.iter().enumerate().any(|(index, name)| names.iter().skip(index + 1).any(|other| name == other)) {
        return Err(Usage("each host needs an interface of its own: a veth pair for each".into()).into());
    }
    let sockets = names.iter().map(|name| open(name)).collect::<Result<Vec<_>, _>>()?;
    let clock = Clock::start();
    let mut line = PowerLine::new(args.seed);
    let restart = Span::exactly(Duration::from_millis(args.restart_ms));
    let lingers = Span::ZERO;
    let listens = |config: ModemConfig| ModemConfig { coordinator: Coordinator::Never, ..config };
    let modems = [
        Some(ModemConfig::evse(kind(args.charger_modem), CHARGERS)),
        Some(ModemConfig::pev(kind(args.car_modem), CARS)),
        args.as_charger
            .as_ref()
            .map(|_| listens(ModemConfig::evse(sim::ModemKind::Qca7005, LISTENS_AS_CHARGER))),
        args.as_car.as_ref().map(|_| listens(ModemConfig::pev(sim::ModemKind::Qca7005, LISTENS_AS_CAR))),
    ];
    let modems = modems.into_iter().flatten().map(|modem| ModemConfig { restart, lingers, ..modem });
    let ports: Vec<Port> = modems.map(|modem| line.add_modem(Instant::ZERO, modem)).collect();
    let (charger, car) = (Port(0), Port(1));
    line.set_attenuation(Instant::ZERO, charger, car, args.attenuation);
    let loss_permille = u16::from(args.loss) * 10;
    line.set_path_weather(charger, car, Weather { loss_permille, ..Weather::default() });

    let signals = Signals::hold()?;
    let mut log = Log::new(Palette::stdout());
    let mut say = |at: Instant, words: &str| -> std::io::Result<()> {
        log.say(at, None, words, out)?;
        out.flush()
    };
    say(
        clock.now(),
        &format!(
            "ready: charger on {}, car on {}, {} dB between their modems; modem 0 is the charger's",
            args.charger, args.car, args.attenuation
        ),
    )?;
    let mut buffer = vec![0; PacketSocket::MAX_FRAME];
    loop {
        let now = clock.now();
        line.handle_timeout(now);
        for (socket, port) in sockets.iter().zip(ports.iter().copied()) {
            take(socket, port, &mut line, &mut buffer, clock)?;
        }
        while let Some((Port(port), frame)) = line.poll_transmit() {
            if let Some(socket) = sockets.get(usize::from(port)) {
                // A full queue loses the frame, as on any wire.
                socket.send(&frame)?;
            }
        }
        while let Some(event) = line.poll_event() {
            say(clock.now(), &event.to_string())?;
        }
        if signals.take()? {
            say(clock.now(), "stopped")?;
            return Ok(Exit::Good);
        }
        let left = line.poll_timeout().map_or(IDLE, |at| at.since(clock.now()).min(IDLE));
        let sources: Vec<_> = sockets.iter().map(AsFd::as_fd).chain([signals.as_fd()]).collect();
        wait(&sources, std::time::Duration::from_micros(left.as_micros()))?;
    }
}

/// Longest wait of the loop: judgement.
const IDLE: Duration = Duration::from_secs(1);

fn open(name: &str) -> anyhow::Result<PacketSocket> {
    let interface = Interface::find(name)?;
    Ok(PacketSocket::open(&interface, interface.mac(), true)?)
}

fn take(
    socket: &PacketSocket,
    port: Port,
    line: &mut PowerLine,
    buffer: &mut [u8],
    clock: Clock,
) -> Result<(), Error> {
    for _ in 0..BURST {
        let Some(frame) = socket.receive(buffer)? else { break };
        line.handle(clock.now(), port, frame);
    }
    Ok(())
}

fn kind(name: ModemKindName) -> sim::ModemKind {
    match name {
        ModemKindName::Qca7005 => sim::ModemKind::Qca7005,
        ModemKindName::Qca7000 => sim::ModemKind::Qca7000,
        ModemKindName::Qca7420 => sim::ModemKind::Qca7420,
        ModemKindName::Int6000 => sim::ModemKind::Int6000,
        ModemKindName::Lumissil => sim::ModemKind::Lumissil,
    }
}

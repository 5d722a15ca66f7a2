//! A role on this machine at an end of the cable.

use control_pilot::{Level, Output};
use hal_linux::OsEntropy;
use machine::{Cx, Instant, Machine, whole};
use roles::{
    Evse, EvseConfig, EvseInput, EvseLink, EvseStorage, MAX_FRAME, Mac, Pev, PevConfig, PevInput, PevStorage,
};
use session::{Contactors, Insulation, Isolation, Phase, Reading, Target};
use wire::{Driven, coil};

use crate::cable::Cable;
use crate::senses::{self, PERIOD, Side};

/// The other end of the cable.
pub(crate) enum Peer<'s> {
    /// A car, for the charger's firmware.
    Car(Box<Pev<'s>>),
    /// A charger, for the car's firmware.
    Charger(Box<Evse<'s>>),
}

impl<'s> Peer<'s> {
    /// A car.
    pub(crate) fn car(now: Instant, mac: Mac, storage: &'s mut PevStorage<'s>) -> anyhow::Result<Self> {
        let mut cx = Cx { now, entropy: &mut OsEntropy };
        Ok(Self::Car(Box::new(Pev::new(&mut cx, PevConfig::new(mac), storage)?)))
    }

    /// A charger.
    pub(crate) fn charger(now: Instant, mac: Mac, storage: &'s mut EvseStorage<'s>) -> anyhow::Result<Self> {
        let mut cx = Cx { now, entropy: &mut OsEntropy };
        let config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
        Ok(Self::Charger(Box::new(Evse::new(&mut cx, config, storage)?)))
    }

    pub(crate) const fn side(&self) -> Side {
        match self {
            Self::Car(_) => Side::Car,
            Self::Charger(_) => Side::Charger,
        }
    }

    /// Delivers a frame from its modem.
    pub(crate) fn frame(&mut self, now: Instant, frame: &[u8]) {
        let mut cx = Cx { now, entropy: &mut OsEntropy };
        match self {
            Self::Car(pev) => pev.handle(&mut cx, PevInput::Frame(frame)),
            Self::Charger(evse) => evse.handle(&mut cx, EvseInput::Frame(frame)),
        }
    }

    /// Passes the readings of its sensors.
    pub(crate) fn sense(&mut self, now: Instant, plugged: bool, driven: &Driven, cable: &Cable) {
        let mut cx = Cx { now, entropy: &mut OsEntropy };
        let reading = |value| Some(Reading::new(value, now));
        match self {
            Self::Car(pev) => {
                let pilot = if plugged { output(driven.pwm) } else { Output::Zero };
                let closed = pev.demand().contactors == Contactors::Closed;
                let plant = pev_fsm::Plant {
                    pilot: Some(Reading::new(pilot, now)),
                    inlet_mv: reading(cable.voltage_mv),
                    current_ma: reading(cable.current_ma),
                    contactors: Some(Reading::new(closed, now)),
                    lock: Some(Reading::new(true, now)),
                    ..pev_fsm::Plant::default()
                };
                pev.handle(&mut cx, PevInput::Snapshot(plant, senses::vehicle(now, cable)));
            }
            Self::Charger(evse) => {
                let level = match (plugged, driven.coils & coil::RELAY != 0) {
                    (false, _) => Level::A,
                    (true, false) => Level::B,
                    (true, true) => Level::C,
                };
                let closed = evse.demand().contactors == Contactors::Closed;
                let monitor =
                    Insulation { count: Some(senses::measurements(now)), ..Insulation::of(Isolation::Valid) };
                let plant = evse_fsm::Plant {
                    pilot: Some(Reading::new(level, now)),
                    voltage_mv: reading(cable.voltage_mv),
                    current_ma: reading(cable.current_ma),
                    isolation: Some(Reading::new(monitor, now)),
                    contactors: Some(Reading::new(closed, now)),
                    emergency_stop: Some(Reading::new(false, now)),
                    ..evse_fsm::Plant::default()
                };
                evse.handle(&mut cx, EvseInput::Plant(plant));
            }
        }
    }

    /// Handles the timers that are due.
    pub(crate) fn timers(&mut self, now: Instant) {
        let mut cx = Cx { now, entropy: &mut OsEntropy };
        match self {
            Self::Car(pev) => {
                if pev.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
                    pev.handle_timeout(&mut cx);
                }
            }
            Self::Charger(evse) => {
                if evse.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
                    evse.handle_timeout(&mut cx);
                }
            }
        }
    }

    /// The next frame for its modem.
    pub(crate) fn transmit(&mut self, buffer: &mut [u8; MAX_FRAME]) -> Option<usize> {
        let sent = whole(match self {
            Self::Car(pev) => pev.poll_transmit(buffer),
            Self::Charger(evse) => evse.poll_transmit(buffer),
        });
        // Its reports are in the board's log from the other side.
        match self {
            Self::Car(pev) => while pev.poll_event().is_some() {},
            Self::Charger(evse) => while evse.poll_event().is_some() {},
        }
        sent.map(|(length, ())| length)
    }

    /// What it drives, as a board in its place would.
    pub(crate) fn driven(&self) -> Driven {
        let both = |contactors| senses::contactors(contactors == Contactors::Closed);
        match self {
            Self::Car(pev) => {
                let demand = pev.demand();
                let relay = if demand.pilot == Level::B { 0 } else { coil::RELAY };
                Driven { coils: both(demand.contactors) | relay, ..Driven::default() }
            }
            Self::Charger(evse) => {
                let demand = evse.demand();
                let Target { voltage_mv: supply_mv, current_ma: supply_ma } = demand.supply;
                Driven {
                    at: 0,
                    coils: both(demand.contactors),
                    pwm: counts(demand.pilot),
                    supply_mv,
                    supply_ma,
                }
            }
        }
    }

    /// Whether its session ended normally.
    pub(crate) fn is_finished(&self) -> bool {
        let (phase, reason) = match self {
            Self::Car(pev) => (pev.phase(), pev.stop_reason()),
            Self::Charger(evse) => (evse.phase(), evse.stop_reason()),
        };
        phase == Phase::Ended && reason.is_some_and(|reason| reason.exit_code() == 0)
    }
}

fn output(pwm: u16) -> Output {
    let period = u32::from(PERIOD);
    match pwm {
        0 => Output::Negative,
        PERIOD.. => Output::Steady,
        counts => Output::Pwm(u16::try_from((u32::from(counts) * 1_000 + period / 2) / period).unwrap_or(0)),
    }
}

fn counts(output: Output) -> u16 {
    match output {
        Output::Steady => PERIOD,
        Output::Pwm(permille) => u16::try_from(u32::from(permille) * u32::from(PERIOD) / 1_000).unwrap_or(0),
        Output::Negative | Output::Zero => 0,
    }
}

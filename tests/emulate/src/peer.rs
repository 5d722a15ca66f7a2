//! The role on this side of the cable, and what the board senses of it.

use control_pilot::{Level, Output};
use hal_linux::OsEntropy;
use machine::{Cx, Duration, Instant, Machine};
use pev_fsm::Vehicle;
use roles::{
    Evse, EvseConfig, EvseLink, EvseStorage, Input, MAX_FRAME, Mac, Pev, PevConfig, PevInput, PevStorage,
};
use session::{Contactors, Insulation, Isolation, Limits, Phase, Reading, Target};
use wire::{Driven, Sensed, coil, contact};

use crate::cable::Cable;

/// Counts of a PWM period.
const PERIOD: u32 = 16_384;
/// So long current flows before the battery has enough.
const CHARGES: Duration = Duration::from_secs(6);
/// So often the role gets a snapshot.
const SNAPSHOT: Duration = Duration::from_millis(5);

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

    /// A frame from its modem.
    pub(crate) fn frame(&mut self, now: Instant, frame: &[u8]) {
        let mut cx = Cx { now, entropy: &mut OsEntropy };
        match self {
            Self::Car(pev) => pev.handle(&mut cx, PevInput::Frame(frame)),
            Self::Charger(evse) => evse.handle(&mut cx, Input::Frame(frame)),
        }
    }

    /// Gives it what its sensors see.
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
                pev.handle(&mut cx, PevInput::Snapshot(plant, vehicle(now, cable)));
            }
            Self::Charger(evse) => {
                let level = match (plugged, driven.coils & coil::RELAY != 0) {
                    (false, _) => Level::A,
                    (true, false) => Level::B,
                    (true, true) => Level::C,
                };
                let closed = evse.demand().contactors == Contactors::Closed;
                let monitor = Insulation { count: Some(count(now)), ..Insulation::of(Isolation::Valid) };
                let plant = evse_fsm::Plant {
                    pilot: Some(Reading::new(level, now)),
                    voltage_mv: reading(cable.voltage_mv),
                    current_ma: reading(cable.current_ma),
                    isolation: Some(Reading::new(monitor, now)),
                    contactors: Some(Reading::new(closed, now)),
                    emergency_stop: Some(Reading::new(false, now)),
                    ..evse_fsm::Plant::default()
                };
                evse.handle(&mut cx, Input::Plant(plant));
            }
        }
    }

    /// Its timers that are due.
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
        let sent = match self {
            Self::Car(pev) => pev.poll_transmit(buffer),
            Self::Charger(evse) => evse.poll_transmit(buffer),
        };
        // What it says is in the board's log from the other side.
        match self {
            Self::Car(pev) => while pev.poll_event().is_some() {},
            Self::Charger(evse) => while evse.poll_event().is_some() {},
        }
        sent.map(|(length, ())| length)
    }

    /// When it is to be sensed again.
    pub(crate) const fn interval() -> Duration {
        SNAPSHOT
    }

    /// Set point of the power stage, and whether the charger's and the car's contactors are closed.
    pub(crate) fn power(&self, driven: &Driven) -> (Target, bool, bool) {
        let both = coil::PLUS | coil::MINUS;
        let board_closed = driven.coils & both == both;
        match self {
            Self::Car(pev) => {
                let supply = Target { voltage_mv: driven.supply_mv, current_ma: driven.supply_ma };
                (supply, board_closed, pev.demand().contactors == Contactors::Closed)
            }
            Self::Charger(evse) => {
                let demand = evse.demand();
                (demand.supply, demand.contactors == Contactors::Closed, board_closed)
            }
        }
    }

    /// What it drives, as a board in its place would.
    pub(crate) fn driven(&self) -> Driven {
        let both = |contactors| if contactors == Contactors::Closed { coil::PLUS | coil::MINUS } else { 0 };
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

    /// What the board senses.
    pub(crate) fn sensed(&self, now: Instant, plugged: bool, driven: &Driven, cable: &Cable) -> Sensed {
        let closed = [(coil::PLUS, contact::PLUS), (coil::MINUS, contact::MINUS)];
        let contacts =
            closed.iter().filter(|(coil, _)| driven.coils & coil != 0).fold(0, |all, (_, of)| all | of);
        let unlocked = driven.coils & coil::UNLOCK != 0;
        let (pilot_mv, pwm) = match self {
            Self::Car(pev) => match (plugged, pev.demand().pilot) {
                (false, _) => (12_000, 0),
                (true, Level::B) => (9_000, 0),
                (true, _) => (6_000, 0),
            },
            Self::Charger(evse) => {
                let high = if driven.coils & coil::RELAY == 0 { 9_000 } else { 6_000 };
                if plugged { (high, counts(evse.demand().pilot)) } else { (0, 16_384) }
            }
        };
        Sensed {
            until: now.as_micros(),
            contacts: contacts | if unlocked { 0 } else { contact::LOCKED },
            pilot_mv,
            pwm,
            voltage_mv: cable.voltage_mv,
            current_ma: cable.current_ma,
            monitor: count(now),
            battery_mv: cable.battery_mv,
            soc_percent: soc(now, cable),
            is_done: u8::from(is_done(now, cable)),
        }
    }

    /// Whether its session ended in order.
    pub(crate) fn is_finished(&self) -> bool {
        let (phase, reason) = match self {
            Self::Car(pev) => (pev.phase(), pev.stop_reason()),
            Self::Charger(evse) => (evse.phase(), evse.stop_reason()),
        };
        phase == Phase::Ended && reason.is_some_and(|reason| reason.exit_code() == 0)
    }
}

/// The isolation monitor measures four times a second.
fn count(now: Instant) -> u32 {
    u32::try_from(now.as_millis() / 250).unwrap_or(u32::MAX)
}

fn is_done(now: Instant, cable: &Cable) -> bool {
    cable.charging.is_some_and(|since| now.since(since) >= CHARGES)
}

fn soc(now: Instant, cable: &Cable) -> u8 {
    let charged = cable.charging.map_or(0, |since| now.since(since).as_millis() / 1_000);
    u8::try_from((42 + charged).min(100)).unwrap_or(100)
}

fn output(pwm: u16) -> Output {
    match u32::from(pwm) {
        0 => Output::Negative,
        PERIOD.. => Output::Steady,
        counts => Output::Pwm(u16::try_from((counts * 1_000 + PERIOD / 2) / PERIOD).unwrap_or(0)),
    }
}

fn counts(output: Output) -> u16 {
    match output {
        Output::Steady => 16_384,
        Output::Pwm(permille) => u16::try_from(u32::from(permille) * PERIOD / 1_000).unwrap_or(0),
        Output::Negative | Output::Zero => 0,
    }
}

fn vehicle(now: Instant, cable: &Cable) -> Vehicle {
    Vehicle {
        at: now,
        limits: Limits {
            max_voltage_mv: 400_000,
            max_current_ma: 60_000,
            max_power_w: 24_000,
            ..Limits::NONE
        },
        battery_mv: Some(cable.battery_mv),
        target: Target { voltage_mv: 400_000, current_ma: 60_000 },
        soc_percent: soc(now, cable),
        capacity_wh: 50_000,
        request_wh: 20_000,
        full_soc_percent: Some(100),
        bulk_soc_percent: Some(80),
        full_in_s: None,
        bulk_in_s: None,
        is_done: is_done(now, cable),
        error: 0,
    }
}

//! The readings at each end of the cable, from the drive of both.

use machine::{Duration, Instant};
use pev_fsm::Vehicle;
use wire::{Driven, Sensed, coil, contact};

use crate::cable::Cable;

/// An end of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Charger,
    Car,
}

/// Counts of a PWM period.
pub(crate) const PERIOD: u16 = 16_384;
/// Duration of the current until the battery has reached its target.
const CHARGES: Duration = Duration::from_secs(6);

const BOTH: u8 = coil::PLUS | coil::MINUS;

/// Whether both contactors are closed.
pub(crate) const fn is_closed(driven: &Driven) -> bool {
    driven.coils & BOTH == BOTH
}

/// The coils of both contactors.
pub(crate) const fn contactors(are_closed: bool) -> u8 {
    if are_closed { BOTH } else { 0 }
}

/// The readings of the board at `side`; `own` and `other` are what it and the other end drive.
pub(crate) fn sensed(
    side: Side,
    now: Instant,
    plugged: bool,
    [own, other]: [&Driven; 2],
    cable: &Cable,
) -> Sensed {
    let closed = [(coil::PLUS, contact::PLUS), (coil::MINUS, contact::MINUS)];
    let closed = closed.iter().filter(|(coil, _)| own.coils & coil != 0).fold(0, |all, (_, of)| all | of);
    let locked = if own.coils & coil::UNLOCK == 0 { contact::LOCKED } else { 0 };
    let high = |car: &Driven| if car.coils & coil::RELAY == 0 { 9_000 } else { 6_000 };
    let (pilot_mv, pwm) = match (side, plugged) {
        (Side::Charger, false) => (12_000, 0),
        (Side::Charger, true) => (high(other), 0),
        (Side::Car, false) => (0, PERIOD),
        (Side::Car, true) => (high(own), other.pwm),
    };
    Sensed {
        until: now.as_micros(),
        contacts: closed | locked,
        pilot_mv,
        pwm,
        voltage_mv: cable.voltage_mv,
        current_ma: cable.current_ma,
        monitor: measurements(now),
        battery_mv: cable.battery_mv,
        soc_percent: soc(now, cable),
        is_done: u8::from(is_done(now, cable)),
    }
}

/// The isolation monitor measures four times a second.
pub(crate) fn measurements(now: Instant) -> u32 {
    u32::try_from(now.as_millis() / 250).unwrap_or(u32::MAX)
}

fn is_done(now: Instant, cable: &Cable) -> bool {
    cable.charging.is_some_and(|since| now.since(since) >= CHARGES)
}

fn soc(now: Instant, cable: &Cable) -> u8 {
    let charged = cable.charging.map_or(0, |since| now.since(since).as_millis() / 1_000);
    u8::try_from((42 + charged).min(100)).unwrap_or(100)
}

/// The battery's report to a car on this machine.
pub(crate) fn vehicle(now: Instant, cable: &Cable) -> Vehicle {
    Vehicle {
        battery_mv: Some(cable.battery_mv),
        soc_percent: soc(now, cable),
        is_done: is_done(now, cable),
        ..Vehicle::example(now)
    }
}

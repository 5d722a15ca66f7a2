//! What is watched while anything is energised.

use control_pilot::{Level, Output, Proximity};
use machine::{Duration, Instant};
use session::{Cause, Limits};

use crate::reading::fresh;
use crate::{Config, Isolation, Plant, PowerStage, Sensors};

/// Over-voltage for so long is a stop (EVerest: 400 ms).
const OVER_VOLTAGE: Duration = Duration::from_millis(400);
/// Beyond the limit by so much, in per cent, is a stop at once: judgement.
const FAR_OVER_PERCENT: i64 = 110;
/// Current beyond the limit that is measurement and control error, in mA: judgement.
const OVER_CURRENT_MA: i32 = 5_000;
/// How far the duty cycle may be from 5 %, in per mille (IEC 61851-1: 3..=7 %).
const DUTY_PERMILLE: u16 = 20;

/// Remembers since when something is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervision {
    over_voltage_since: Option<Instant>,
    /// Since when nothing is energised.
    off_since: Option<Instant>,
    /// Whether it was told that the contactors are closed all the same.
    told: bool,
}

/// Contactors that are still closed so long after they were to open are told: judgement.
const OPENING: Duration = Duration::from_millis(500);

/// What ends a session at any pilot level but B, C and D.
pub(crate) const fn pilot_fault(level: Option<Level>) -> Option<Cause> {
    match level {
        Some(Level::A) => Some(Cause::Unplugged),
        Some(Level::E | Level::F) => Some(Cause::PilotFault),
        _ => None,
    }
}

impl Supervision {
    pub(crate) const fn new() -> Self {
        Self { over_voltage_since: None, off_since: None, told: false }
    }

    /// Why the output must be off, if it must. `in_use`: the car has to be at C or D; `is_connected`: the output
    /// contactors have to be closed.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        limits: &Limits,
        in_use: bool,
        is_connected: bool,
    ) -> Option<Cause> {
        if !in_use {
            self.over_voltage_since = None;
        }
        if let Some(name) = plant.stale(config.sensors, now) {
            return Some(Cause::StaleReading(name));
        }
        let level = fresh(plant.pilot, now);
        if let Some(cause) = pilot_fault(level) {
            return Some(cause);
        }
        if in_use && level == Some(Level::B) {
            return Some(Cause::LeftReady);
        }
        if config.sensors.contains(Sensors::DUTY) && in_use {
            let duty = fresh(plant.duty_permille, now).unwrap_or(0);
            if duty.abs_diff(Output::DIGITAL_PERMILLE) > DUTY_PERMILLE {
                return Some(Cause::PilotLost);
            }
        }
        if in_use && config.sensors.contains(Sensors::LOCK) && fresh(plant.lock, now) == Some(false) {
            return Some(Cause::Lock);
        }
        let gone = matches!(fresh(plant.proximity, now), Some(Proximity::Absent | Proximity::Pressed));
        if in_use && config.sensors.contains(Sensors::PROXIMITY) && gone {
            return Some(Cause::Unplugged);
        }
        if config.power_stage == PowerStage::None || !in_use {
            return None;
        }
        if fresh(plant.isolation, now) == Some(Isolation::Fault) {
            return Some(Cause::Isolation);
        }
        if is_connected && fresh(plant.contactors, now) == Some(false) {
            return Some(Cause::Contactor);
        }
        self.over_voltage(now, plant, limits).or_else(|| {
            let current = fresh(plant.current_ma, now).unwrap_or(0);
            let over = current.saturating_abs() > limits.max_current_ma.saturating_add(OVER_CURRENT_MA);
            over.then_some(Cause::OverCurrent)
        })
    }

    /// Something is energised.
    pub(crate) fn energised(&mut self) {
        (self.off_since, self.told) = (None, false);
    }

    /// Nothing is energised: whether the contactors are closed all the same. Told once.
    pub(crate) fn still_closed(&mut self, now: Instant, plant: &Plant) -> bool {
        let since = *self.off_since.get_or_insert(now);
        let closed = fresh(plant.contactors, now) == Some(true);
        let tell = !self.told && closed && now.since(since) >= OPENING;
        self.told |= tell;
        tell
    }

    fn over_voltage(&mut self, now: Instant, plant: &Plant, limits: &Limits) -> Option<Cause> {
        let voltage = fresh(plant.voltage_mv, now).unwrap_or(0).saturating_abs();
        if voltage <= limits.max_voltage_mv {
            self.over_voltage_since = None;
            return None;
        }
        let since = *self.over_voltage_since.get_or_insert(now);
        let far = i64::from(voltage) * 100 > i64::from(limits.max_voltage_mv) * FAR_OVER_PERCENT;
        (far || now.since(since) >= OVER_VOLTAGE).then_some(Cause::OverVoltage)
    }
}

//! What is watched while anything is energised.

use control_pilot::{Level, Proximity};
use machine::{Duration, Instant};
use session::{Cause, DEAD_MV, Limits};

use crate::following::Following;
use crate::power::Output;
use crate::reading::fresh;
use crate::{Config, Isolation, Plant, PowerStage, Warning};

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
    following: Following,
    /// Since when the voltages before and behind the output contactors differ.
    apart_since: Option<Instant>,
    /// Since when nothing is energised, and something is on all the same.
    on_since: Option<Instant>,
    /// What is on all the same, as it was told.
    foul: Option<Warning>,
}

/// How far the voltages at both sides of closed output contactors may be apart, in mV: 50 V (EVerest).
const APART_MV: i32 = 50_000;
/// For how long: 2 s (EVerest: 30 s; clara gives 2 s to a car's two sources).
const APART: Duration = Duration::from_secs(2);

/// Contactors that are still closed so long after they were to open are told: judgement.
const OPENING: Duration = Duration::from_millis(500);
/// Voltage that is still on the cable so long after that is held by something: 5 s (judgement; 60 V within 1 s are asked
/// for, IEC 61851-23 from memory).
const DISCHARGE: Duration = Duration::from_secs(5);

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
        Self {
            over_voltage_since: None,
            following: Following::new(),
            apart_since: None,
            on_since: None,
            foul: None,
        }
    }

    /// Why the output must be off, if it must.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        limits: &Limits,
        output: Output,
    ) -> Option<Cause> {
        let in_use = output.is_in_use;
        if !in_use {
            self.rest();
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
        let is_off = |duty: u16| duty.abs_diff(control_pilot::Output::DIGITAL_PERMILLE) > DUTY_PERMILLE;
        if in_use && fresh(plant.duty_permille, now).is_some_and(is_off) {
            return Some(Cause::PilotLost);
        }
        if in_use && fresh(plant.lock, now) == Some(false) {
            return Some(Cause::Lock);
        }
        let gone = matches!(fresh(plant.proximity, now), Some(Proximity::Absent | Proximity::Pressed));
        if in_use && gone {
            return Some(Cause::Unplugged);
        }
        if config.power_stage == PowerStage::None || !in_use {
            return None;
        }
        if fresh(plant.isolation, now).is_some_and(|monitor| monitor.status == Isolation::Fault) {
            return Some(Cause::Isolation);
        }
        if output.is_connected && fresh(plant.contactors, now) == Some(false) {
            return Some(Cause::Contactor);
        }
        let over_voltage = self.over_voltage(now, plant, limits);
        let over_current = self.over_current(now, plant, limits, output);
        let apart = self.apart(now, plant);
        over_voltage.or(over_current).or(apart)
    }

    /// The output is not in use: nothing is remembered of it.
    pub(crate) fn rest(&mut self) {
        (self.over_voltage_since, self.apart_since) = (None, None);
        self.following = Following::new();
    }

    /// Something is energised.
    pub(crate) fn energised(&mut self) {
        (self.on_since, self.foul) = (None, None);
    }

    /// Nothing is energised: what is on all the same, once.
    pub(crate) fn off(&mut self, now: Instant, plant: &Plant) -> Option<Warning> {
        let is_closed = fresh(plant.contactors, now) == Some(true);
        let live_mv = fresh(plant.voltage_mv, now).filter(|mv| mv.saturating_abs() >= DEAD_MV);
        if !is_closed && live_mv.is_none() {
            (self.on_since, self.foul) = (None, None);
            return None;
        }
        let waited = now.since(*self.on_since.get_or_insert(now));
        let before = self.foul.is_some();
        self.foul = match live_mv {
            _ if is_closed && waited >= OPENING => Some(Warning::ContactorsStillClosed),
            Some(mv) if waited >= DISCHARGE => Some(Warning::StillLive(mv)),
            _ => None,
        };
        self.foul.filter(|_| !before)
    }

    /// Something is on that must not be.
    pub(crate) fn is_foul(&self) -> bool {
        self.foul.is_some()
    }

    fn over_current(
        &mut self,
        now: Instant,
        plant: &Plant,
        limits: &Limits,
        output: Output,
    ) -> Option<Cause> {
        let current_ma = fresh(plant.current_ma, now).unwrap_or(0).saturating_abs();
        let is_over = output.is_granted && current_ma > limits.max_current_ma.saturating_add(OVER_CURRENT_MA);
        let is_off = self.following.is_off(now, output.demanded_ma, current_ma, output.is_granted);
        (is_over || is_off).then_some(Cause::OverCurrent)
    }

    /// Where there are two sources of voltage, closed contactors make them one.
    fn apart(&mut self, now: Instant, plant: &Plant) -> Option<Cause> {
        let closed = fresh(plant.contactors, now) != Some(false);
        let both = fresh(plant.stage_mv, now).zip(fresh(plant.voltage_mv, now)).filter(|_| closed);
        if both.is_none_or(|(stage, cable)| stage.saturating_sub(cable).saturating_abs() <= APART_MV) {
            self.apart_since = None;
            return None;
        }
        let since = *self.apart_since.get_or_insert(now);
        (now.since(since) >= APART).then_some(Cause::VoltageOff)
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

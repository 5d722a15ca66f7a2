//! The voltage: within both sides' limits, at its target, and equal at all sensors.

use machine::{Duration, Instant};
use session::{APART, Agreement, Cause, DEAD_MV, Lasting, earliest};

use super::Output;
use crate::Plant;
use crate::found::{Found, volts};
use crate::reading::fresh;

/// Over-voltage for this time is a stop (`EVerest`: 400 ms).
const OVER_VOLTAGE: Duration = Duration::from_millis(400);
/// Over-voltage begins above the limit plus this, in per mille of it and in mV: a sensor within 1 % may show
/// the limit itself this high (judgement).
const SENSOR_PERMILLE: i32 = 10;
const SENSOR_MV: i32 = 1_000;
/// Above the limit by this much, in percent, the stop is immediate: judgement.
const FAR_OVER_PERCENT: i64 = 110;
/// Permitted excess of a precharge over its target, in mV: the standard's 20 V.
const ABOVE_MV: i32 = 20_000;
/// Its time, with a constant target and a voltage that does not fall: 3 s.
const ABOVE: Duration = Duration::from_secs(3);
/// Smallest change of a falling voltage within that time, in mV: judgement.
const FALLS_MV: i32 = 2_000;
/// Earlier targets of the session that explain a voltage: the last four (judgement).
const TARGETS: usize = 4;

/// Stores since when each voltage fault has been present.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voltage {
    over: Lasting,
    sources: Agreement,
    dead: Lasting,
    above: Lasting,
    /// The lowest voltage above the target since then, in mV.
    lowest_mv: i32,
    /// The targets of the precharge, newest first, in mV.
    targets: [i32; TARGETS],
    /// The contradiction at the last comparison, for however short a time.
    doubt: Option<Found>,
}

impl Voltage {
    pub(super) const fn new() -> Self {
        let none = Lasting::new();
        Self {
            over: none,
            sources: Agreement::new(),
            dead: none,
            above: none,
            lowest_mv: 0,
            targets: [0; TARGETS],
            doubt: None,
        }
    }

    /// The contradiction at the last comparison: after the contactors have opened no reading can show it
    /// again.
    pub(super) const fn doubt(&self) -> Option<Found> {
        self.doubt
    }

    /// A contradiction of two sensors of one voltage while the output is in use.
    pub(super) fn contradicts(&mut self, now: Instant, plant: &Plant, output: Output) -> Option<Found> {
        let is_one = fresh(plant.contactors, now) != Some(false);
        let (cable, stage) = (fresh(plant.voltage_mv, now), fresh(plant.stage_mv, now).filter(|_| is_one));
        let is_broken = self.sources.is_broken(now, cable, stage);
        // While power is on the car's battery is on the cable, or the stage holds its set point.
        let dead_mv =
            cable.filter(|mv| output.is_granted && output.set_mv >= DEAD_MV && mv.saturating_abs() < DEAD_MV);
        let is_dead = self.dead.for_at_least(now, dead_mv.is_some(), APART);
        if self.sources.is_doubted() {
            let compared = volts("cable", cable.unwrap_or(0), "power stage", stage.unwrap_or(0));
            self.doubt = Some(Found::by(Cause::Suspect("cable and stage voltage"), compared));
        } else if let Some(cable_mv) = dead_mv {
            let compared = volts("cable", cable_mv, "power stage's set point", output.set_mv);
            self.doubt = Some(Found::by(Cause::Suspect("voltage"), compared));
        } else if stage.is_some() || plant.stage_mv.is_none() && output.set_mv >= DEAD_MV {
            self.doubt = None;
        }
        self.doubt.filter(|_| is_broken || is_dead)
    }

    /// A voltage above the limits of car or charger.
    pub(super) fn over(&mut self, now: Instant, voltage_mv: i32, most_mv: i32) -> Option<Found> {
        let size_mv = voltage_mv.saturating_abs();
        let is_far = i64::from(size_mv) * 100 > i64::from(most_mv) * FAR_OVER_PERCENT;
        let allowed_mv = most_mv.saturating_add(most_mv / 1000 * SENSOR_PERMILLE + SENSOR_MV);
        let is_over = self.over.for_at_least(now, size_mv > allowed_mv, OVER_VOLTAGE);
        (is_far || is_over)
            .then(|| Found::by(Cause::OverVoltage, volts("output voltage", voltage_mv, "most", most_mv)))
    }

    /// A precharge that stays above its target, where no earlier target explains it. `least_mv` is the
    /// charger's minimum.
    pub(super) fn above(
        &mut self,
        now: Instant,
        voltage_mv: i32,
        output: Output,
        least_mv: i32,
    ) -> Option<Found> {
        let Some(target_mv) = output.target_mv else {
            self.above.since(now, false);
            return None;
        };
        let is_new = self.targets.first() != Some(&target_mv);
        if is_new {
            self.targets.rotate_right(1);
            let [newest, ..] = &mut self.targets;
            *newest = target_mv;
        }
        let is_near = |target: &i32| voltage_mv.saturating_sub(*target).saturating_abs() <= ABOVE_MV;
        let is_above = target_mv >= least_mv
            && voltage_mv > target_mv.saturating_add(ABOVE_MV)
            && !self.targets.iter().any(is_near);
        let falls = voltage_mv <= self.lowest_mv.saturating_sub(FALLS_MV);
        if is_new || falls || !self.above.holds() {
            self.above = Lasting::new();
            self.lowest_mv = voltage_mv;
        }
        let is_over = self.above.for_at_least(now, is_above, ABOVE);
        is_over.then(|| {
            Found::by(Cause::VoltageOff, volts("output voltage", voltage_mv, "precharge target", target_mv))
        })
    }

    /// When the first fault that is present will have lasted for too long.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let dues =
            [self.over.due(OVER_VOLTAGE), self.dead.due(APART), self.above.due(ABOVE), self.sources.due()];
        earliest(now, &dues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the fault is found, with target and voltage every 100 ms, in V.
    fn found(of: impl Fn(i32) -> (i32, i32)) -> Option<i32> {
        let mut voltage = Voltage::new();
        (0..=12_000_i32).step_by(100).find(|ms| {
            let (target_v, voltage_v) = of(*ms);
            let output = Output { target_mv: Some(target_v * 1_000), ..Output::OFF };
            let now = Instant::from_millis(u64::from(ms.unsigned_abs()));
            voltage.above(now, voltage_v * 1_000, output, 50_000).is_some()
        })
    }

    #[test]
    fn a_precharge_that_stays_above_its_target_is_found_after_3_s() {
        assert_eq!(found(|_| (350, 449)), Some(3_000));
        assert_eq!(found(|_| (350, 370)), None, "20 V are allowed");
        assert_eq!(found(|_| (350, 371)), Some(3_000));
    }

    #[test]
    fn a_voltage_that_falls_or_that_an_earlier_target_explains_is_none_nor_is_a_target_below_the_minimum() {
        assert_eq!(found(|ms| (350, 450 - ms / 1_000)), None, "1 V/s");
        assert_eq!(found(|ms| (if ms < 1_000 { 440 } else { 350 }, 449)), None);
        assert_eq!(found(|ms| (if ms < 1_000 { 420 } else { 350 }, 449)), Some(4_000));
        assert_eq!(found(|_| (0, 300)), None);
        assert_eq!(found(|_| (-15, 300)), None);
        assert_eq!(found(|ms| (350 + ms / 1_000 % 2, 449)), None, "a target that moves");
    }
}

//! Policy: whether what the charger offers may be, when the contactors may close, and how much is asked for.

use machine::Instant;
use session::{EnergyTransfer, Limits, Target, fresh};

use crate::{Config, Load, Plant, Precharge, Vehicle};

/// The target stays this far below the car's own voltage limit, in mV: a target within 1 V of it makes some
/// chargers stop (clara).
const BELOW_LIMIT_MV: i32 = 1_000;
/// The first current that is asked for, in mA: 1 A (Ioniq, clara).
pub(crate) const FIRST_CURRENT_MA: i32 = 1_000;
/// A measurement may be so far below zero, in mV or mA: offset and noise (judgement).
const NOISE: i32 = 10_000;

/// The kind of transfer to ask for, of what is offered (core, extended).
pub(crate) fn transfer(wanted: EnergyTransfer, [core, extended]: [bool; 2]) -> Option<EnergyTransfer> {
    match (core, extended) {
        (true, true) => Some(wanted),
        (true, false) => Some(EnergyTransfer::Core),
        (false, true) => Some(EnergyTransfer::Extended),
        (false, false) => None,
    }
}

/// The voltage to precharge to, in mV.
pub(crate) fn reference_mv(config: &Config, car: &Vehicle) -> Option<i32> {
    match config.load {
        Load::Battery => car.battery_mv.filter(|mv| *mv > 0),
        Load::Bulb { voltage_mv } => Some(voltage_mv),
    }
}

/// Whether what the charger can give is of use to this car.
pub(crate) fn fits(config: &Config, car: &Vehicle, charger: &Limits) -> bool {
    let most = Limits::PLAUSIBLE;
    let reference = reference_mv(config, car);
    (1..=most.max_voltage_mv).contains(&charger.max_voltage_mv)
        && (1..=most.max_current_ma).contains(&charger.max_current_ma)
        && (charger.max_power_w == i32::MAX || (1..=most.max_power_w).contains(&charger.max_power_w))
        && (0..=charger.max_voltage_mv).contains(&charger.min_voltage_mv)
        && (0..=charger.max_current_ma).contains(&charger.min_current_ma)
        && charger.max_voltage_mv >= car.limits.min_voltage_mv
        && reference.is_some_and(|mv| mv > charger.min_voltage_mv && mv <= charger.max_voltage_mv)
}

/// Whether limits that came in the charging loop are such; those that are absent are `i32::MAX`.
pub(crate) fn are_limits(limits: &Limits) -> bool {
    let good = |value: i32, most: i32| value == i32::MAX || (0..=most).contains(&value);
    let most = Limits::PLAUSIBLE;
    good(limits.max_voltage_mv, most.max_voltage_mv)
        && good(limits.max_current_ma, most.max_current_ma)
        && good(limits.max_power_w, most.max_power_w)
}

/// Whether a reported voltage is one.
pub(crate) fn is_voltage(mv: i32) -> bool {
    (-NOISE..=Limits::PLAUSIBLE.max_voltage_mv).contains(&mv)
}

/// Whether a reported current is one.
pub(crate) fn is_current(ma: i32) -> bool {
    (-NOISE..=Limits::PLAUSIBLE.max_current_ma).contains(&ma)
}

/// Up to here, in thousandths of a degree Celsius, the inlet may carry what it is made for, and from
const WARM_MILLICELSIUS: i32 = 70_000;
/// here on nothing; the current falls linearly between (fault list, X104).
const HOT_MILLICELSIUS: i32 = 90_000;
/// What a sensor can tell that works: a broken or shorted one tells less or more (judgement).
const CAN_BE_MILLICELSIUS: core::ops::RangeInclusive<i32> = -50_000..=150_000;

/// How much of its current the inlet may carry at this temperature, in per mille; 0 is too hot.
pub(crate) fn inlet_permille(millicelsius: i32) -> i32 {
    if !CAN_BE_MILLICELSIUS.contains(&millicelsius) {
        return 0;
    }
    let left = HOT_MILLICELSIUS.saturating_sub(millicelsius);
    left.saturating_mul(1_000).saturating_div(HOT_MILLICELSIUS - WARM_MILLICELSIUS).clamp(0, 1_000)
}

/// How the voltage at the inlet compares with the battery's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Near enough.
    Near,
    /// Not yet.
    Far,
    /// Own measurement and the charger's report disagree.
    Disagree,
}

/// Compares at the end of a `PreChargeRes` that reported `reported_mv`.
pub(crate) fn compare(
    now: Instant,
    plant: &Plant,
    config: &Config,
    reference_mv: i32,
    reported_mv: i32,
) -> Compared {
    let measured = fresh(plant.inlet_mv, now);
    let far = |a: i32, b: i32, limit: i32| a.saturating_sub(b).saturating_abs() > limit;
    let deciding = match (config.precharge, measured) {
        (Precharge::Reported, _) => reported_mv,
        (Precharge::Compared { limit_mv }, Some(mv)) if far(mv, reported_mv, limit_mv) => {
            return Compared::Disagree;
        }
        (_, Some(mv)) => mv,
        (_, None) => return Compared::Far,
    };
    if far(deciding, reference_mv, config.tolerance_mv) { Compared::Far } else { Compared::Near }
}

/// The target of a precharge: the battery's voltage, within what both sides bear.
pub(crate) fn precharge(config: &Config, car: &Vehicle, charger: &Limits) -> Target {
    let voltage_mv = reference_mv(config, car).unwrap_or(0);
    let most = car.limits.and(charger);
    Target {
        voltage_mv: voltage_mv.clamp(0, most.max_voltage_mv.max(0)),
        current_ma: config.precharge_current_ma,
    }
}

/// What the charging loop may ask for at most: the car's target within its limits and the charger's newest, the
/// power at `present_mv` included; of the car's current so much, in per mille, as its inlet may carry.
pub(crate) fn goal(car: &Vehicle, charger: &Limits, present_mv: i32, permille: i32) -> Target {
    let own_ma = i64::from(car.limits.max_current_ma) * i64::from(permille) / 1_000;
    let own = Limits { max_current_ma: i32::try_from(own_ma).unwrap_or(0), ..car.limits };
    let both = own.and(charger);
    let own_mv = car.limits.max_voltage_mv.saturating_sub(BELOW_LIMIT_MV);
    let most_ma = both.max_current_ma.min(both.current_at_power(present_mv)).max(0);
    Target {
        voltage_mv: car.target.voltage_mv.clamp(0, own_mv.min(both.max_voltage_mv).max(0)),
        current_ma: car.target.current_ma.clamp(0, most_ma),
    }
}

/// The current that is asked for: rises by a ramp, falls at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    asked_ma: i32,
    stepped: Instant,
}

impl Ramp {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { asked_ma: 0, stepped: now }
    }

    /// The current to ask for now in mA, toward `goal_ma`.
    pub(crate) fn step(&mut self, now: Instant, goal_ma: i32, ramp_ma_per_s: i32) -> i32 {
        let micros = i64::try_from(now.since(self.stepped).as_micros()).unwrap_or(i64::MAX);
        let rise = i64::from(ramp_ma_per_s).saturating_mul(micros) / 1_000_000;
        let risen = i64::from(self.asked_ma).saturating_add(rise).max(i64::from(FIRST_CURRENT_MA));
        self.asked_ma = i32::try_from(risen).unwrap_or(i32::MAX).min(goal_ma);
        self.stepped = now;
        self.asked_ma
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Reading;

    #[test]
    fn the_transfer_that_is_wanted_is_preferred_and_any_dc_is_taken() {
        use EnergyTransfer::{Core, Extended};
        assert_eq!(transfer(Extended, [true, true]), Some(Extended));
        assert_eq!(transfer(Core, [true, true]), Some(Core));
        assert_eq!(transfer(Extended, [true, false]), Some(Core));
        assert_eq!(transfer(Core, [false, true]), Some(Extended));
        assert_eq!(transfer(Core, [false, false]), None);
    }

    #[test]
    fn the_current_rises_by_the_ramp_from_one_ampere_and_falls_at_once() {
        let at = Instant::from_millis;
        let mut ramp = Ramp::new(at(0));
        assert_eq!(ramp.step(at(0), 100_000, 10_000), 1_000);
        assert_eq!(ramp.step(at(90), 100_000, 10_000), 1_900);
        assert_eq!(ramp.step(at(2_090), 100_000, 10_000), 21_900);
        assert_eq!(ramp.step(at(2_180), 5_000, 10_000), 5_000);
        assert_eq!(ramp.step(at(2_270), 0, 10_000), 0);
    }

    #[test]
    fn an_inlet_carries_less_from_70_degrees_on_and_nothing_from_90_or_where_its_sensor_is_broken() {
        let table = [
            (-40_000, 1_000),
            (70_000, 1_000),
            (71_000, 950),
            (80_000, 500),
            (89_990, 0),
            (90_000, 0),
            (-50_001, 0),
            (i32::MIN, 0),
            (i32::MAX, 0),
        ];
        for (millicelsius, permille) in table {
            assert_eq!(inlet_permille(millicelsius), permille, "{millicelsius}");
        }
    }

    #[test]
    fn the_own_measurement_decides_and_a_disagreement_is_told() {
        let now = Instant::from_millis(1_000);
        let plant = |mv| Plant { inlet_mv: Some(Reading::new(mv, now)), ..Plant::default() };
        let with = |precharge| Config { precharge, ..Config::default() };
        let own = with(Precharge::Measured);
        assert_eq!(compare(now, &plant(350_000), &own, 360_000, 0), Compared::Near);
        assert_eq!(compare(now, &plant(339_999), &own, 360_000, 360_000), Compared::Far);
        assert_eq!(compare(now, &Plant::default(), &own, 360_000, 360_000), Compared::Far);
        let both = with(Precharge::Compared { limit_mv: 20_000 });
        assert_eq!(compare(now, &plant(350_000), &both, 360_000, 371_000), Compared::Disagree);
        assert_eq!(compare(now, &plant(350_000), &both, 360_000, 370_000), Compared::Near);
        let reported = with(Precharge::Reported);
        assert_eq!(compare(now, &plant(0), &reported, 360_000, 340_000), Compared::Near);
    }
}

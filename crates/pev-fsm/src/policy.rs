//! Decisions without state: whether the charger's values are acceptable, when the contactors may close, and
//! how much current to request.

use machine::Instant;
use session::{By, Cause, EnergyTransfer, Limits, Target, fresh};

use crate::trouble::Trouble;
use crate::{Config, Load, Plant, Precharge, Vehicle};

/// The target stays this far below the car's own voltage limit, in mV: some chargers stop at a target within
/// 1 V of it (clara).
const BELOW_LIMIT_MV: i32 = 1_000;
/// The first requested current, in mA: 1 A (Ioniq, clara).
pub(crate) const FIRST_CURRENT_MA: i32 = 1_000;
/// A measurement may be this far below zero, in mV or mA: offset and noise (judgement).
const NOISE: i32 = 10_000;

/// The kind of transfer to request, of the offered ones (core, extended).
pub(crate) fn transfer(wanted: EnergyTransfer, [core, extended]: [bool; 2]) -> Option<EnergyTransfer> {
    match (core, extended) {
        (true, true) => Some(wanted),
        (true, false) => Some(EnergyTransfer::Core),
        (false, true) => Some(EnergyTransfer::Extended),
        (false, false) => None,
    }
}

/// The voltage at the car's side of its contactors, in mV: the target of the precharge.
pub(crate) fn load_mv(config: &Config, car: &Vehicle) -> Option<i32> {
    match config.load {
        Load::Battery => car.battery_mv.filter(|mv| *mv > 0),
        Load::Bulb { voltage_mv } => Some(voltage_mv),
    }
}

/// The limit of the charger that makes it unusable for this car, if any.
pub(crate) fn misfit(config: &Config, car: &Vehicle, charger: &Limits) -> Option<session::Compared> {
    let most = Limits::PLAUSIBLE;
    let battery_mv = load_mv(config, car).unwrap_or(0);
    let power_w = if charger.max_power_w == i32::MAX { 1 } else { charger.max_power_w };
    let lowest_mv = battery_mv.max(car.limits.min_voltage_mv).max(1);
    #[rustfmt::skip] // a table reads best with one row a line
    let rows = [
        (charger.max_voltage_mv >= lowest_mv, "EVSEMaximumVoltageLimit", charger.max_voltage_mv, "the car's voltage", lowest_mv, "V"),
        (charger.max_voltage_mv <= most.max_voltage_mv, "EVSEMaximumVoltageLimit", charger.max_voltage_mv, "the most that can be", most.max_voltage_mv, "V"),
        (charger.min_voltage_mv >= 0, "EVSEMinimumVoltageLimit", charger.min_voltage_mv, "the least that can be", 0, "V"),
        (charger.min_voltage_mv < battery_mv, "EVSEMinimumVoltageLimit", charger.min_voltage_mv, "the car's voltage", battery_mv, "V"),
        (charger.max_current_ma >= 1, "EVSEMaximumCurrentLimit", charger.max_current_ma, "the least of use", 1, "A"),
        (charger.max_current_ma <= most.max_current_ma, "EVSEMaximumCurrentLimit", charger.max_current_ma, "the most that can be", most.max_current_ma, "A"),
        ((0..=charger.max_current_ma).contains(&charger.min_current_ma), "EVSEMinimumCurrentLimit", charger.min_current_ma, "EVSEMaximumCurrentLimit", charger.max_current_ma, "A"),
        ((1..=most.max_power_w).contains(&power_w), "EVSEMaximumPowerLimit", power_w, "the most that can be", most.max_power_w, "kW"),
    ];
    let misfit = rows.into_iter().find(|(fits, ..)| !fits);
    misfit.map(|(_, what, found, against, limit, unit)| session::Compared {
        what,
        found,
        against,
        limit,
        unit,
    })
}

/// Whether a reported voltage is plausible.
pub(crate) fn is_voltage(mv: i32) -> bool {
    (-NOISE..=Limits::PLAUSIBLE.max_voltage_mv).contains(&mv)
}

/// The implausible value of a `CurrentDemandRes`, if any. Absent limits are `i32::MAX`.
pub(crate) fn nonsense(name: &'static str, present: Target, limits: &Limits) -> Option<Trouble> {
    let most = Limits::PLAUSIBLE;
    let is_limit = |value: i32, most: i32| value == i32::MAX || (0..=most).contains(&value);
    let is_current = (-NOISE..=most.max_current_ma).contains(&present.current_ma);
    #[rustfmt::skip] // a table reads best with one row a line
    let rows = [
        (is_voltage(present.voltage_mv), "EVSEPresentVoltage", present.voltage_mv, "V"),
        (is_current, "EVSEPresentCurrent", present.current_ma, "A"),
        (is_limit(limits.max_voltage_mv, most.max_voltage_mv), "EVSEMaximumVoltageLimit", limits.max_voltage_mv, "V"),
        (is_limit(limits.max_current_ma, most.max_current_ma), "EVSEMaximumCurrentLimit", limits.max_current_ma, "A"),
        (is_limit(limits.max_power_w, most.max_power_w), "EVSEMaximumPowerLimit", limits.max_power_w, "kW"),
    ];
    let nonsense = rows.into_iter().find(|(is_good, ..)| !is_good);
    nonsense.map(|(_, what, found, unit)| implausible(name, what, found, unit))
}

/// A stop because of an implausible value in the message `name`.
pub(crate) fn implausible(name: &'static str, what: &'static str, found: i32, unit: &'static str) -> Trouble {
    let most = Limits::PLAUSIBLE;
    let limit = match unit {
        _ if found < 0 => 0,
        "V" => most.max_voltage_mv,
        "A" => most.max_current_ma,
        _ => most.max_power_w,
    };
    let against = "what can be";
    let compared = session::Compared { what, found, against, limit, unit };
    Trouble::new(By::Charger, Cause::Refused(name)).compared(compared)
}

/// Below the temperature at which the inlet may carry no current, its permitted current falls linearly over
/// this range, in thousandths of a degree Celsius: 20 degrees (fault list, X104).
const WARM_MILLICELSIUS: i32 = 20_000;
/// Readings of a sensor without fault; a broken or shorted one shows less or more (judgement).
const CAN_BE_MILLICELSIUS: core::ops::RangeInclusive<i32> = -50_000..=150_000;

/// The share of its current that the inlet may carry at this temperature, in per mille; 0 from
/// `hot_millicelsius` on.
pub(crate) fn inlet_permille(millicelsius: i32, hot_millicelsius: i32) -> i32 {
    if !CAN_BE_MILLICELSIUS.contains(&millicelsius) {
        return 0;
    }
    let left = hot_millicelsius.saturating_sub(millicelsius);
    left.saturating_mul(1_000).saturating_div(WARM_MILLICELSIUS).clamp(0, 1_000)
}

/// How the voltage at the inlet compares with the battery's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Within the tolerance.
    Near,
    /// Outside the tolerance.
    Far,
    /// The car's measurement and the charger's report disagree.
    Disagree,
}

/// Compares after a `PreChargeRes` that reports `present_mv`.
pub(crate) fn compare(
    now: Instant,
    plant: &Plant,
    config: &Config,
    load_mv: i32,
    present_mv: i32,
) -> Compared {
    let measured = fresh(plant.inlet_mv, now);
    let far = |a: i32, b: i32, limit: i32| a.saturating_sub(b).saturating_abs() > limit;
    let deciding = match (config.precharge, measured) {
        (Precharge::Reported, _) => present_mv,
        (Precharge::Compared { limit_mv }, Some(mv)) if far(mv, present_mv, limit_mv) => {
            return Compared::Disagree;
        }
        (_, Some(mv)) => mv,
        (_, None) => return Compared::Far,
    };
    if far(deciding, load_mv, config.tolerance_mv) { Compared::Far } else { Compared::Near }
}

/// The target of a precharge: the battery's voltage, within the limits of both sides.
pub(crate) fn precharge_target(config: &Config, car: &Vehicle, charger: &Limits) -> Target {
    let voltage_mv = load_mv(config, car).unwrap_or(0);
    let most = car.limits.and(charger);
    Target {
        voltage_mv: voltage_mv.clamp(0, most.max_voltage_mv.max(0)),
        current_ma: config.precharge_current_ma,
    }
}

/// The upper bound of requests in the charging loop: the car's target within its own limits and the charger's
/// newest, including the power at `inlet_mv`. The car's current is reduced to the share that its inlet may
/// carry, in per mille. The voltage is never above `named_mv`, the limit that the car has sent to the
/// charger.
pub(crate) fn goal(car: &Vehicle, charger: &Limits, inlet_mv: i32, permille: i32, named_mv: i32) -> Target {
    let own_ma = i64::from(car.limits.max_current_ma) * i64::from(permille) / 1_000;
    let own = Limits { max_current_ma: i32::try_from(own_ma).unwrap_or(0), ..car.limits };
    let both = own.and(charger);
    let most_ma = both.max_current_ma.min(both.current_at_power(inlet_mv)).max(0);
    Target {
        voltage_mv: most_asked_mv(car, named_mv).clamp(0, both.max_voltage_mv.max(0)),
        current_ma: car.target.current_ma.clamp(0, most_ma),
    }
}

/// The highest voltage in mV that the car requests in the charging loop, without the charger's limits.
pub(crate) fn most_asked_mv(car: &Vehicle, named_mv: i32) -> i32 {
    let own_mv = car.limits.max_voltage_mv.min(named_mv).saturating_sub(BELOW_LIMIT_MV);
    car.target.voltage_mv.min(own_mv)
}

/// The requested current: it rises by a ramp and falls immediately.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    asked_ma: i32,
    stepped: Instant,
}

impl Ramp {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { asked_ma: 0, stepped: now }
    }

    /// The current to request now, in mA, toward `goal_ma`.
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
            assert_eq!(inlet_permille(millicelsius, 90_000), permille, "{millicelsius}");
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

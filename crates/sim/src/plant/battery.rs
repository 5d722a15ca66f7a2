use super::{milli, settle, units};

/// What is connected to the car's contactors on the battery side.
#[derive(Clone, Debug)]
pub enum Load {
    /// A battery.
    Battery(Battery),
    /// Light bulbs in parallel and no battery, as hobbyists test chargers; the number of bulbs of 230 V and
    /// 60 W.
    Bulbs(u32),
    /// An ideal source with a resistance, for a car without a known battery.
    Source {
        /// Its voltage without current in mV.
        voltage_mv: i32,
        /// Its resistance in mOhm, more than 0.
        resistance_mohm: i32,
    },
}

/// Data of a battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatteryProfile {
    /// (state of charge in percent, voltage at rest in mV), ascending.
    pub rest_mv: &'static [(i32, i32)],
    /// (state of charge in percent, most requested current in mA), ascending.
    pub request_ma: &'static [(i32, i32)],
    /// Factor for the voltages of `rest_mv`: cells in series.
    pub series: i32,
    /// Factor for the currents of `request_ma` in percent: cells in parallel.
    pub parallel_percent: i32,
    /// Resistance without delay, in mOhm.
    pub resistance_mohm: i32,
    /// Resistance with the time constant [`TIME_S`](Self::TIME_S), in mOhm.
    pub slow_mohm: i32,
    /// Capacity in mAh.
    pub capacity_mah: i32,
    /// Highest permitted voltage in mV.
    pub max_mv: i32,
}

/// A battery: a voltage at rest that depends on its charge, a resistance without delay, and a slow one
/// (charge curve, section 3).
#[derive(Clone, Debug)]
pub struct Battery {
    profile: BatteryProfile,
    charge_mah: f64,
    slow_v: f64,
    is_connected: bool,
}

/// Voltage at rest of a 96-cell pack in mV: 28 % to 90 % measured (charge curve), the ends extrapolated.
const REST_MV: &[(i32, i32)] = &[
    (0, 318_000),
    (5, 325_000),
    (28, 345_100),
    (50, 349_500),
    (57, 353_200),
    (58, 354_700),
    (70, 363_800),
    (80, 375_000),
    (83, 379_300),
    (90, 388_700),
    (98, 398_000),
    (100, 400_000),
];

/// Currents that the same car requested, in mA (charge curve, section 3).
const REQUEST_MA: &[(i32, i32)] = &[
    (0, 125_000),
    (30, 150_000),
    (55, 172_000),
    (70, 158_000),
    (80, 165_000),
    (82, 110_000),
    (83, 57_000),
    (90, 57_000),
    (94, 0),
];

/// Resistance of a bulb of 230 V and 60 W in ohms.
const BULB_OHM: f64 = 230.0 * 230.0 / 60.0;

impl BatteryProfile {
    /// Time constant of the slow resistance in s (charge curve: 20 to 60).
    pub const TIME_S: f64 = 40.0;

    /// The measured car: 28 kWh, 400 V.
    pub const CAR_400V: Self = Self {
        rest_mv: REST_MV,
        request_ma: REQUEST_MA,
        series: 1,
        parallel_percent: 100,
        resistance_mohm: 65,
        slow_mohm: 30,
        capacity_mah: 77_800,
        max_mv: 412_800,
    };

    /// A car of 800 V and up to 500 A: twice the voltage; current and capacity are judgement.
    pub const CAR_800V: Self =
        Self { series: 2, parallel_percent: 290, capacity_mah: 112_000, max_mv: 825_600, ..Self::CAR_400V };
}

impl Load {
    /// A battery at this state of charge in percent.
    pub fn battery(profile: BatteryProfile, soc_percent: i32) -> Self {
        Self::Battery(Battery::new(profile, soc_percent))
    }

    /// Source voltage in V and resistance in ohms; `None` if nothing is connected.
    pub(super) fn source(&self) -> Option<(f64, f64)> {
        match self {
            Self::Battery(battery) if !battery.is_connected => None,
            Self::Battery(battery) => Some((battery.source_v(), units(battery.profile.resistance_mohm))),
            Self::Bulbs(0) => None,
            Self::Source { voltage_mv, resistance_mohm } => {
                Some((units(*voltage_mv), units((*resistance_mohm).max(1))))
            }
            Self::Bulbs(count) => Some((0.0, BULB_OHM / f64::from(*count))),
        }
    }

    /// The battery; `None` for another load.
    pub const fn as_battery(&self) -> Option<&Battery> {
        if let Self::Battery(battery) = self { Some(battery) } else { None }
    }

    pub(super) fn step(&mut self, amps: f64, dt: f64) {
        if let Self::Battery(battery) = self {
            battery.step(amps, dt);
        }
    }

    pub(super) fn set_connected(&mut self, is_connected: bool) {
        if let Self::Battery(battery) = self {
            battery.is_connected = is_connected;
        }
    }
}

impl Battery {
    /// A rested battery at this state of charge in percent.
    pub fn new(profile: BatteryProfile, soc_percent: i32) -> Self {
        let charge_mah = f64::from(profile.capacity_mah) * f64::from(soc_percent.clamp(0, 100)) / 100.0;
        Self { profile, charge_mah, slow_v: 0.0, is_connected: true }
    }

    /// State of charge in percent, rounded down.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    pub fn soc_percent(&self) -> u8 {
        self.soc().clamp(0.0, 100.0) as u8
    }

    /// The most current that it requests now, in mA.
    pub fn request_ma(&self) -> i32 {
        super::milli(interpolate(self.profile.request_ma, self.soc()))
            .saturating_mul(self.profile.parallel_percent)
            / 100
    }

    fn soc(&self) -> f64 {
        self.charge_mah * 100.0 / f64::from(self.profile.capacity_mah)
    }

    /// Voltage at rest in mV.
    pub fn rest_mv(&self) -> i32 {
        milli(self.source_v())
    }

    /// Voltage without the drop at the fast resistance.
    fn source_v(&self) -> f64 {
        interpolate(self.profile.rest_mv, self.soc()) * f64::from(self.profile.series) + self.slow_v
    }

    fn step(&mut self, amps: f64, dt: f64) {
        self.charge_mah = (self.charge_mah + amps * dt / 3.6).max(0.0);
        self.slow_v = settle(self.slow_v, amps * units(self.profile.slow_mohm), dt, BatteryProfile::TIME_S);
    }
}

/// The value at `x` on the line through the points, in units; beyond the ends that of the ends.
fn interpolate(points: &[(i32, i32)], x: f64) -> f64 {
    let next = points.partition_point(|(at, _)| f64::from(*at) < x);
    let before = next.checked_sub(1).and_then(|index| points.get(index));
    match (before, points.get(next)) {
        (Some((from, low)), Some((at, value))) => {
            let part = (x - f64::from(*from)) / f64::from(at - from);
            units(*low) + part * (units(*value) - units(*low))
        }
        (Some((_, value)), None) | (None, Some((_, value))) => units(*value),
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_voltage_goes_through_the_measured_points_and_between_them() {
        for (soc, mv) in [(28, 345_100), (90, 388_700), (75, 369_400), (120, 400_000)] {
            assert_eq!(Battery::new(BatteryProfile::CAR_400V, soc).rest_mv(), mv, "{soc}");
        }
        assert_eq!(Battery::new(BatteryProfile::CAR_800V, 28).rest_mv(), 690_200);
    }

    #[test]
    fn one_percent_takes_16_s_at_172_a_and_the_voltage_rises_as_measured() {
        let mut battery = Battery::new(BatteryProfile::CAR_400V, 58);
        let rest = battery.source_v();
        (0..163).for_each(|_| battery.step(172.0, 0.1));
        assert_eq!(battery.soc_percent(), 59);
        // Measured: 0.075 ohm with the drift, from 354.5 to 367.3 V.
        let rise = milli(battery.source_v() + 172.0 * 0.065 - rest);
        assert!((12_000..16_000).contains(&rise), "{rise}");
    }

    #[test]
    fn the_request_tapers_and_ends_at_94_percent() {
        let request = |soc| Battery::new(BatteryProfile::CAR_400V, soc).request_ma();
        assert_eq!(
            [request(55), request(81), request(85), request(94), request(100)],
            [172_000, 137_500, 57_000, 0, 0]
        );
        assert!(Battery::new(BatteryProfile::CAR_800V, 55).request_ma() >= 498_000);
    }

    #[test]
    fn bulbs_have_no_voltage_of_their_own() {
        let (source, ohms) = Load::Bulbs(3).source().unwrap();
        assert_eq!((milli(source), milli(ohms)), (0, 293_889));
        assert_eq!(Load::Bulbs(0).source(), None);
    }
}

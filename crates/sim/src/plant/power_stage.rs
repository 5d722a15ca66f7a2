use machine::{Duration, Instant};
use session::Target;

use super::{approach, milli, settle, units};

/// Properties of a power stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageProfile {
    /// Slew rate of the voltage, in mV/s.
    pub slew_mv_per_s: i32,
    /// Rate at which the voltage falls, in mV/s: discharge of its capacitors.
    pub fall_mv_per_s: i32,
    /// Voltage without a set point, in mV.
    pub residual_mv: i32,
    /// Difference of the voltage to its set point, in mV.
    pub droop_mv: i32,
    /// Accuracy of the current.
    pub tolerance: Tolerance,
    /// Time from the first set point above [`IDLE_MA`](Self::IDLE_MA) until the current follows.
    pub dead_time: Duration,
    /// Time constant of the current, in ms, more than 0.
    pub lag_ms: i32,
    /// Rate at which the current rises, in mA/s.
    pub rise_ma_per_s: i32,
    /// Rate at which the current falls to a lower demand, in mA/s.
    pub fall_ma_per_s: i32,
    /// Rate at which the current falls when the stage is blocked (0 A demanded), in mA/s.
    pub block_ma_per_s: i32,
    /// Amplitude of the ripple of the measured current, in mA.
    pub ripple_ma: i32,
    /// The limits of the hardware, where a stage that runs away stops.
    pub max: Target,
}

impl StageProfile {
    /// Highest current for precharge, in mA: it flows without the dead time.
    pub const IDLE_MA: i32 = 2_000;
    /// The ripple's period: 300 Hz, of a three-phase rectifier.
    const RIPPLE: Duration = Duration::from_micros(3_333);

    /// Follows exactly and within milliseconds: for tests of other parts.
    pub const PLAIN: Self = Self {
        slew_mv_per_s: 1_000_000,
        fall_mv_per_s: 1_000_000,
        residual_mv: 0,
        droop_mv: 0,
        tolerance: Tolerance::EXACT,
        dead_time: Duration::ZERO,
        lag_ms: 20,
        rise_ma_per_s: 10_000_000,
        fall_ma_per_s: 1_000_000,
        block_ma_per_s: 10_000_000,
        ripple_ma: 0,
        max: Target { voltage_mv: 1_000_000, current_ma: 500_000 },
    };

    /// As the car sees an Alpitronic HYC (charge curve, section 2): 1000 V/s, current 0.5 s late and with a
    /// lag of 0.3 s. The fall of 100 A/s and the blocking within 30 ms are IEC 61851-23's figures, from
    /// memory.
    pub const ALPITRONIC: Self = Self {
        dead_time: Duration::from_millis(500),
        lag_ms: 300,
        fall_ma_per_s: 100_000,
        ripple_ma: 250,
        ..Self::PLAIN
    };

    /// As a Compleo of 125 A and 485 V (charge curve, section 2); slower, with a constant error: judgement.
    pub const COMPLEO: Self = Self {
        slew_mv_per_s: 500_000,
        fall_mv_per_s: 500_000,
        droop_mv: 500,
        dead_time: Duration::from_millis(900),
        max: Target { voltage_mv: 520_000, current_ma: 150_000 },
        ..Self::ALPITRONIC
    };

    /// Rectifiers that raise 900 V in 10 s, supply current after 8 s, and keep 40 V: judgement, by the times
    /// that EVerest waits.
    pub const SLOW: Self = Self {
        slew_mv_per_s: 90_000,
        fall_mv_per_s: 60_000,
        residual_mv: 40_000,
        dead_time: Duration::from_secs(8),
        ..Self::ALPITRONIC
    };
}

/// Error of the current: up to 2.5 A below 50 A, up to 5 % above (IEC 61851-23, from memory).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// Share of the permitted error in thousandths, positive or negative.
    pub permille: i32,
    /// Period in which the error moves between both signs; 0: constant.
    pub drift: Duration,
}

impl Tolerance {
    /// No error.
    pub const EXACT: Self = Self { permille: 0, drift: Duration::ZERO };

    /// Largest permitted error for a demand, in mA.
    pub const fn most_ma(demanded_ma: i32) -> i32 {
        if demanded_ma < 50_000 { 2_500 } else { demanded_ma / 20 }
    }

    /// The error in A of a current of `amps` at `now`.
    fn error(self, now: Instant, amps: f64) -> f64 {
        if self.permille == 0 {
            return 0.0;
        }
        let most = if amps < 50.0 { 2.5 } else { amps / 20.0 };
        let swing = match self.drift.as_micros() {
            0 => 1000,
            period => triangle(now.as_micros() % period, period),
        };
        most * units(self.permille) * units(swing)
    }
}

/// A triangle wave from 0 between -1000 and 1000.
fn triangle(phase: u64, period: u64) -> i32 {
    let part = i32::try_from(phase.saturating_mul(4000) / period.max(1)).unwrap_or(0);
    match part {
        0..1000 => part,
        1000..3000 => 2000 - part,
        _ => part - 4000,
    }
}

/// A fault of a power stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StageFault {
    /// No fault.
    #[default]
    Sound,
    /// It supplies nothing.
    Dead,
    /// Its voltage is this share of the demand in per mille.
    Scaled(i32),
    /// It supplies its maximum, whatever the demand.
    Runaway,
    /// It keeps its present output, whatever the demand.
    Stuck,
    /// It supplies this much more than demanded, in mA.
    Extra(i32),
    /// It draws this current out of the car in mA, whatever the demand.
    Draws(i32),
}

/// A power stage: constant voltage up to a current limit, no reverse current unless it has a fault.
#[derive(Clone, Copy, Debug)]
pub struct PowerStage {
    profile: StageProfile,
    /// The present fault.
    pub fault: StageFault,
    asked: Target,
    volts: f64,
    /// The current limit that it has reached.
    amps: f64,
    /// Time from which the current follows.
    flows_from: Instant,
}

impl PowerStage {
    /// A stage at rest.
    pub const fn new(profile: StageProfile) -> Self {
        let fault = StageFault::Sound;
        Self { profile, fault, asked: Target::ZERO, volts: 0.0, amps: 0.0, flows_from: Instant::ZERO }
    }

    /// Takes a set point.
    pub fn ask(&mut self, now: Instant, asked: Target) {
        if asked.current_ma > StageProfile::IDLE_MA && self.asked.current_ma <= StageProfile::IDLE_MA {
            self.flows_from = now + self.profile.dead_time;
        }
        self.asked = asked;
    }

    /// Advances by `dt` seconds, up to `now`.
    pub(super) fn step(&mut self, now: Instant, dt: f64) {
        let (to_volts, to_amps) = self.goal(now);
        if (to_volts, to_amps) == (self.volts, self.amps) {
            return;
        }
        let profile = &self.profile;
        let slew = if to_volts < self.volts { profile.fall_mv_per_s } else { profile.slew_mv_per_s };
        self.volts = approach(self.volts, to_volts, units(slew) * dt);
        self.amps = if to_amps <= 0.0 {
            approach(self.amps, 0.0, units(profile.block_ma_per_s) * dt)
        } else {
            let next = settle(self.amps, to_amps, dt, units(profile.lag_ms));
            // No small step for the last hundredth of an ampere.
            let next = if (next - to_amps).abs() < 0.01 { to_amps } else { next };
            let (fall, rise) = (units(profile.fall_ma_per_s) * dt, units(profile.rise_ma_per_s) * dt);
            next.clamp(self.amps - fall, self.amps + rise)
        };
    }

    /// Whether a value still moves towards its set point.
    pub(super) fn is_moving(&self, now: Instant) -> bool {
        let (volts, amps) = self.goal(now);
        (self.volts - volts).abs() > 0.001 || (self.amps - amps).abs() > 0.001
    }

    /// When it begins to move without a new set point.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (self.flows_from > now).then_some(self.flows_from)
    }

    fn goal(&self, now: Instant) -> (f64, f64) {
        let volts = units((self.asked.voltage_mv - self.profile.droop_mv).max(self.profile.residual_mv));
        let asked_ma = if now < self.flows_from {
            self.asked.current_ma.min(StageProfile::IDLE_MA)
        } else {
            self.asked.current_ma
        };
        let mut amps = units(asked_ma.max(0));
        // Before power is granted other limits bound a stage.
        if asked_ma > StageProfile::IDLE_MA {
            amps += self.profile.tolerance.error(now, amps);
        }
        match self.fault {
            StageFault::Dead => (0.0, 0.0),
            StageFault::Scaled(permille) => (volts * units(permille), amps),
            StageFault::Runaway => (units(self.profile.max.voltage_mv), units(self.profile.max.current_ma)),
            StageFault::Stuck => (self.volts, self.amps),
            StageFault::Extra(ma) if asked_ma > 0 => (volts, amps + units(ma)),
            StageFault::Sound | StageFault::Extra(_) | StageFault::Draws(_) => (volts, amps),
        }
    }

    /// Output voltage in V and current in A into a load of this source voltage and resistance, or without
    /// load.
    pub(super) fn feed(&self, load: Option<(f64, f64)>) -> (f64, f64) {
        let Some((source, ohms)) = load else { return (self.volts, 0.0) };
        if let StageFault::Draws(ma) = self.fault {
            return (source - units(ma) * ohms, -units(ma));
        }
        let amps = ((self.volts - source) / ohms).clamp(0.0, self.amps);
        (source + amps * ohms, amps)
    }

    /// Error of the measured current by ripple at `now`, in mA: a triangle.
    pub(super) fn ripple_ma(&self, now: Instant) -> i32 {
        let period = StageProfile::RIPPLE.as_micros();
        self.profile.ripple_ma * triangle(now.as_micros() % period, period) / 1000
    }

    /// The largest error by ripple, in mA.
    pub(super) const fn most_ripple_ma(&self) -> i32 {
        self.profile.ripple_ma
    }

    /// Its output voltage without load, in mV.
    pub fn voltage_mv(&self) -> i32 {
        milli(self.volts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATTERY: Option<(f64, f64)> = Some((350.0, 0.065));

    /// Steps of 1 ms up to `millis`; returns voltage in mV and current in mA into the load.
    fn run(stage: &mut PowerStage, from: u64, millis: u64, load: Option<(f64, f64)>) -> (i32, i32) {
        (from + 1..=millis).for_each(|ms| stage.step(Instant::from_millis(ms), 0.001));
        let (volts, amps) = stage.feed(load);
        (milli(volts), milli(amps))
    }

    fn asked(profile: StageProfile, voltage_mv: i32, current_ma: i32) -> PowerStage {
        let mut stage = PowerStage::new(profile);
        stage.ask(Instant::ZERO, Target { voltage_mv, current_ma });
        stage
    }

    #[test]
    fn the_voltage_follows_with_its_slew_and_the_current_with_dead_time_and_lag() {
        let mut stage = asked(StageProfile::ALPITRONIC, 400_000, 100_000);
        assert_eq!(run(&mut stage, 0, 100, None), (100_000, 0));
        let (_, amps) = run(&mut stage, 100, 490, BATTERY);
        assert!(amps < 2_000, "{amps}");
        let (_, amps) = run(&mut stage, 490, 800, BATTERY);
        assert!((60_000..66_000).contains(&amps), "1 - 1/e of it after one time constant: {amps}");
        assert_eq!(run(&mut stage, 800, 5_000, BATTERY), (356_500, 100_000));
    }

    #[test]
    fn current_is_limited_by_voltage_too_and_never_flows_back() {
        let mut stage = asked(StageProfile::PLAIN, 353_250, 100_000);
        assert_eq!(run(&mut stage, 0, 1_000, BATTERY), (353_250, 50_000));
        stage.ask(Instant::from_millis(1_000), Target { voltage_mv: 300_000, current_ma: 100_000 });
        assert_eq!(run(&mut stage, 1_000, 2_000, BATTERY), (350_000, 0));
    }

    #[test]
    fn a_blocked_stage_is_below_5_a_within_30_ms() {
        let mut stage = asked(StageProfile::ALPITRONIC, 400_000, 200_000);
        assert_eq!(run(&mut stage, 0, 5_000, BATTERY).1, 200_000);
        stage.ask(Instant::from_millis(5_000), Target::ZERO);
        assert!(run(&mut stage, 5_000, 5_030, BATTERY).1 < 5_000);
    }

    #[test]
    fn each_fault_shows_at_the_output() {
        let cases = [
            (StageFault::Sound, (351_300, 20_000)),
            (StageFault::Dead, (350_000, 0)),
            (StageFault::Scaled(500), (350_000, 0)),
            (StageFault::Extra(20_000), (352_600, 40_000)),
            (StageFault::Stuck, (351_300, 20_000)),
            (StageFault::Runaway, (382_500, 500_000)),
            (StageFault::Draws(60_000), (346_100, -60_000)),
        ];
        for (fault, expected) in cases {
            let mut stage = asked(StageProfile::PLAIN, 400_000, 20_000);
            run(&mut stage, 0, 2_000, BATTERY);
            stage.fault = fault;
            if fault == StageFault::Stuck {
                stage.ask(Instant::from_millis(2_000), Target::ZERO);
            }
            assert_eq!(run(&mut stage, 2_000, 4_000, BATTERY), expected, "{fault:?}");
        }
    }

    #[test]
    fn a_real_stage_is_off_by_its_tolerance_to_either_side_constant_or_drifting() {
        let current = |permille, drift, asked_ma, until| {
            let tolerance = Tolerance { permille, drift };
            let mut stage = asked(StageProfile { tolerance, ..StageProfile::PLAIN }, 400_000, asked_ma);
            run(&mut stage, 0, until, BATTERY).1
        };
        let constant = Duration::ZERO;
        assert_eq!(current(1000, constant, 100_000, 1_000), 105_000);
        assert_eq!(current(-1000, constant, 100_000, 1_000), 95_000);
        assert_eq!(current(1000, constant, 20_000, 1_000), 22_500);
        let drift = Duration::from_secs(20);
        let ends = [5_000, 15_000].map(|until| current(1000, drift, 100_000, until));
        assert!(ends[0] > 104_500 && ends[1] < 95_500, "{ends:?}");
        assert_eq!([Tolerance::most_ma(49_999), Tolerance::most_ma(50_000)], [2_500, 2_500]);
    }

    #[test]
    fn a_slow_stage_takes_its_time_up_and_down_and_keeps_a_rest() {
        let mut stage = asked(StageProfile::SLOW, 400_000, 2_000);
        assert_eq!(run(&mut stage, 0, 2_000, None).0, 180_000);
        stage.ask(Instant::from_millis(2_000), Target::ZERO);
        assert_eq!(run(&mut stage, 2_000, 3_000, None).0, 120_000);
        assert_eq!(run(&mut stage, 3_000, 20_000, None).0, 40_000);
    }

    #[test]
    fn the_ripple_swings_around_nothing() {
        let stage = PowerStage::new(StageProfile::ALPITRONIC);
        let all: Vec<i32> = (0..3_333).map(|us| stage.ripple_ma(Instant::from_micros(us))).collect();
        assert_eq!((all.iter().min(), all.iter().max()), (Some(&-250), Some(&250)));
        assert!(all.iter().sum::<i32>().abs() < 3_333);
    }
}

use core::fmt;

use control_pilot::{Level, Output};
use embedded_hal::delay::DelayNs;
use hal_esp32p4::{
    Clock, Counter, DutyMeter, Millivolts, Passed, SafeReport, SelfTest, Side, Wanted, WhileSafe,
};
use machine::{Duration, Instant};
use pev_fsm::{Demand, Plant, Vehicle};
use session::Reading;

use super::wiring::Common;
use super::{Cable, CableFault, CablePins, Wiring};
use crate::{Battery, Edges};

/// A car's end of the cable, made of a board's pins and a battery. Its relay pulls the pilot from B to C.
pub struct CarCable<C: CablePins, B> {
    common: Common<C>,
    meter: DutyMeter,
    /// The wire's voltage in mV; `None` if the conversion failed.
    steady_mv: Option<i32>,
    steady_at: Instant,
    /// The pilot at the time when the edges were read last: a loop that is delayed after that does not make
    /// it look steady.
    pilot: Option<Reading<Output>>,
    is_ready: bool,
    battery: B,
}

/// A car's readings of one moment.
#[derive(Clone, Copy, Debug)]
pub struct CarReading {
    /// The car's sensors; a sensor that does not answer is absent.
    pub plant: Plant,
    /// What the battery requests; `None` while it does not answer.
    pub vehicle: Option<Vehicle>,
}

/// Time between two samples of the wire's voltage, for a pilot without edges: judgement.
const STEADY: Duration = Duration::from_millis(1);

impl<C: CablePins, B: Battery> CarCable<C, B> {
    /// Takes the pins and makes them SAFE immediately: pilot B, everything open.
    pub fn new(wiring: Wiring<C>, battery: B) -> Self {
        Self {
            common: Common::new(wiring),
            meter: DutyMeter::new(),
            steady_mv: None,
            steady_at: Instant::ZERO,
            pilot: None,
            is_ready: false,
            battery,
        }
    }

    /// The battery, for the application.
    pub fn battery(&mut self) -> &mut B {
        &mut self.battery
    }
}

impl<C: CablePins, B: Battery> Cable for CarCable<C, B> {
    type Demand = Demand;
    type Reading = CarReading;
    const SIDE: Side = Side::Car;

    fn check(&mut self, now: Instant, test: &mut SelfTest) {
        self.common.check(test);
        // Any pilot passes, also none: at a car the test fails only where the pilot cannot be measured.
        test.pilot(now, self.pilot.map(|reading| Reading::new(Level::A, reading.at)), false);
    }

    fn arm(&mut self, proof: Passed) {
        self.common.outputs.arm(proof);
    }

    fn measure<K: Counter>(&mut self, clock: &mut Clock<K>) {
        self.common.measure_proximity(clock);
        let taken = clock.now();
        while let Some(edge) = self.common.edges.next() {
            self.meter.edge(clock.at(edge.count), edge.is_rising);
        }
        let now = clock.now();
        if now >= self.steady_at {
            self.steady_at = now + STEADY;
            let scale = self.common.pilot_scale;
            self.steady_mv = self.common.pilot.read_mv().ok().map(|pad_mv| scale.wire_mv(pad_mv));
        }
        self.pilot = self.meter.output(taken, self.steady_mv);
    }

    fn read(&mut self, now: Instant) -> CarReading {
        let sensed = self.common.outputs.sense();
        let reading = |value: Option<bool>| value.map(|value| Reading::new(value, now));
        let mut plant = Plant {
            pilot: self.pilot,
            proximity: self.common.proximity(),
            contactors: reading(sensed.contactors),
            lock: reading(sensed.lock),
            emergency_stop: reading(sensed.emergency_stop),
            ..Plant::default()
        };
        let vehicle = self.battery.read(now, &mut plant);
        CarReading { plant, vehicle }
    }

    fn apply(&mut self, now: Instant, demand: &Demand) -> Result<(), CableFault> {
        self.is_ready = demand.pilot != Level::B;
        let wanted =
            Wanted { relay: self.is_ready, contactors: demand.contactors, lock: demand.lock, ..Wanted::SAFE };
        Ok(self.common.apply(now, wanted)?)
    }

    fn make_safe<D: DelayNs>(&mut self, sign: &mut dyn FnMut() -> Instant, delay: &mut D) -> SafeReport {
        let Self { common, battery, is_ready, .. } = self;
        *is_ready = false;
        let mut current = || {
            let now = sign();
            let mut plant = Plant::default();
            battery.read(now, &mut plant);
            session::fresh(plant.current_ma, now)
        };
        common.make_safe(&mut current, delay)
    }

    fn while_safe(&mut self) -> Option<WhileSafe<'_>> {
        self.common.outputs.while_safe()
    }

    fn is_free(&self, _: Instant) -> bool {
        // A car does not drive the pilot.
        true
    }

    fn pilot_test(&self, step: usize) -> Option<Demand> {
        // A car does not drive the pilot: the steps only measure.
        (step < 5).then_some(Demand::SAFE)
    }

    fn describe(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result {
        match session::fresh(self.pilot, now) {
            Some(Output::Pwm(duty)) => write!(out, "pilot pulses {}.{} %", duty / 10, duty % 10)?,
            Some(Output::Steady) => out.write_str("pilot steady")?,
            Some(Output::Zero) => out.write_str("pilot 0 V: no charger")?,
            Some(Output::Negative) => out.write_str("pilot steady -12 V")?,
            None => out.write_str("pilot not measured")?,
        }
        if let Some(mv) = self.steady_mv {
            write!(out, ", {mv} mV")?;
        }
        out.write_str(if self.is_ready { ", pulled to C" } else { ", pulled to B" })?;
        self.common.describe(out)
    }
}

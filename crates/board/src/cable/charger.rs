use core::fmt;

use control_pilot::{Level, Output};
use embedded_hal::delay::DelayNs;
use evse_fsm::{Demand, Plant};
use hal_esp32p4::{
    Clock, Counter, Passed, Phases, PilotMeter, SafeReport, SelfTest, Side, Wanted, WhileSafe,
};
use machine::{Duration, Instant};
use session::{Reading, Target};

use super::wiring::Common;
use super::{Cable, CableFault, CablePins, Wiring};
use crate::{Edges, Stage};

/// A charger's end of the cable, made of a board's pins and a power stage.
pub struct ChargerCable<C: CablePins, S> {
    common: Common<C>,
    meter: PilotMeter,
    driven: Output,
    edge: Option<Instant>,
    stage: S,
}

impl<C: CablePins, S: Stage> ChargerCable<C, S> {
    /// The loop waits for an edge or a sample within this time instead of coming back later: the high phase
    /// of 5 % is 50 us long (judgement).
    const NEAR: Duration = Duration::from_micros(80);
    /// As [`NEAR`](Self::NEAR), while the newest reading is older than [`OLD`](Self::OLD): a loop whose turns
    /// miss the high phase repeatedly waits for a whole period (judgement; readings count for 200 ms).
    const PERIOD: Duration = Duration::from_micros(1_050);
    const OLD: Duration = Duration::from_millis(40);
    /// Longest time that one call takes samples: about two periods (judgement).
    const LONGEST: Duration = Duration::from_millis(2);

    /// Takes the pins and makes them SAFE immediately: pilot steady +12 V, everything open.
    pub fn new(wiring: Wiring<C>, stage: S) -> Self {
        let common = Common::new(wiring);
        let meter = PilotMeter::new(common.pilot_scale);
        Self { common, meter, driven: Output::Steady, edge: None, stage }
    }

    /// The power stage, for the application.
    pub fn stage(&mut self) -> &mut S {
        &mut self.stage
    }

    fn take_edges<K: Counter>(&mut self, clock: &mut Clock<K>) {
        while let Some(edge) = self.common.edges.next() {
            if edge.is_rising {
                let at = clock.at(edge.count);
                self.edge = Some(at);
                self.meter.edge(at);
            }
        }
    }

    /// When the next edge is expected, while the pilot pulses.
    fn next_edge(&self, now: Instant) -> Option<Instant> {
        let Output::Pwm(_) = self.driven else { return None };
        let since = now.since(self.edge?).as_micros();
        let into = since % Phases::PERIOD.as_micros();
        Some(now + Duration::from_micros(Phases::PERIOD.as_micros() - into))
    }

    /// Waits for an edge or a sample that is near and takes the sample that is due; `false`: none is near.
    fn measure_pilot<K: Counter>(&mut self, clock: &mut Clock<K>) -> bool {
        self.take_edges(clock);
        let now = clock.now();
        match self.meter.next(now) {
            Some(at) if at <= now => {
                // A conversion that fails gives no sample: the reading ages.
                let _ = self.meter.sample(&mut self.common.pilot, clock);
                true
            }
            due => {
                let is_old = self.meter.reading().is_none_or(|reading| now.since(reading.at) > Self::OLD);
                let near = if is_old { Self::PERIOD } else { Self::NEAR };
                let edge = self.next_edge(now);
                due.into_iter().chain(edge).min().is_some_and(|at| at.since(now) <= near)
            }
        }
    }
}

impl<C: CablePins, S: Stage> Cable for ChargerCable<C, S> {
    type Demand = Demand;
    type Reading = Plant;
    const SIDE: Side = Side::Charger;

    fn check(&mut self, now: Instant, test: &mut SelfTest) {
        self.common.check(test);
        test.pilot(now, self.meter.reading(), true);
    }

    fn arm(&mut self, proof: Passed) {
        self.common.outputs.arm(proof);
    }

    fn measure<K: Counter>(&mut self, clock: &mut Clock<K>) {
        self.common.measure_proximity(clock);
        let began = clock.now();
        while self.measure_pilot(clock) && clock.now().since(began) < Self::LONGEST {}
    }

    fn read(&mut self, now: Instant) -> Plant {
        let sensed = self.common.outputs.sense();
        let reading = |value: Option<bool>| value.map(|value| Reading::new(value, now));
        let mut plant = Plant {
            pilot: self.meter.reading(),
            proximity: self.common.proximity(),
            contactors: reading(sensed.contactors),
            lock: reading(sensed.lock),
            emergency_stop: reading(sensed.emergency_stop),
            ..Plant::default()
        };
        self.stage.read(now, &mut plant);
        plant
    }

    fn apply(&mut self, now: Instant, demand: &Demand) -> Result<(), CableFault> {
        let wanted = Wanted {
            pilot: demand.pilot,
            relay: demand.is_energised(),
            contactors: demand.contactors,
            lock: demand.lock,
            discharge: demand.discharge,
        };
        // A fault leaves the rest to the SAFE sequence.
        self.common.apply(now, wanted)?;
        self.driven = demand.pilot;
        self.meter.drive(now, demand.pilot);
        Ok(self.stage.apply(now, demand.supply, demand.self_test)?)
    }

    fn make_safe<D: DelayNs>(&mut self, sign: &mut dyn FnMut() -> Instant, delay: &mut D) -> SafeReport {
        let Self { common, stage, meter, driven, .. } = self;
        let mut current = || {
            let now = sign();
            // Zero is requested every millisecond. A stage that does not follow shows it in its current.
            let _ = stage.apply(now, Target::ZERO, false);
            let mut plant = Plant::default();
            stage.read(now, &mut plant);
            session::fresh(plant.current_ma, now)
        };
        let report = common.make_safe(&mut current, delay);
        *driven = Output::Steady;
        meter.drive(sign(), Output::Steady);
        report
    }

    fn while_safe(&mut self) -> Option<WhileSafe<'_>> {
        self.common.outputs.while_safe()
    }

    fn is_free(&self, now: Instant) -> bool {
        session::fresh(self.meter.reading(), now) == Some(Level::A)
    }

    fn pilot_test(&self, step: usize) -> Option<Demand> {
        // Not -12 V: with it the charger cannot detect a plug that is inserted.
        const STEPS: [Output; 5] =
            [Output::Steady, Output::DIGITAL, Output::Pwm(100), Output::Pwm(500), Output::Pwm(960)];
        STEPS.get(step).map(|pilot| Demand { pilot: *pilot, ..Demand::SAFE })
    }

    fn describe(&self, now: Instant, out: &mut dyn fmt::Write) -> fmt::Result {
        match (session::fresh(self.meter.reading(), now), self.meter.voltages()) {
            (Some(level), Some(voltages)) => {
                let high = voltages.high;
                write!(out, "pilot {level:?}, high {}..{} mV", high.min_mv, high.max_mv)?;
                if let Some(low) = voltages.low {
                    write!(out, ", low {}..{} mV", low.min_mv, low.max_mv)?;
                }
            }
            _ => out.write_str("pilot not measured")?,
        }
        match self.driven {
            Output::Pwm(duty) => write!(out, ", driven {}.{} %", duty / 10, duty % 10)?,
            Output::Steady => out.write_str(", driven steady +12 V")?,
            Output::Negative => out.write_str(", driven steady -12 V")?,
            Output::Zero => out.write_str(", driven 0 V")?,
        }
        self.common.describe(out)
    }
}

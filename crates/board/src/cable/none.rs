use core::convert::Infallible;
use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, StatefulOutputPin};
use hal_esp32p4::{
    Clock, Counter, Ledc, Outputs, Parts, Passed, SafeReport, SelfTest, Sensed, Side, Timing, WhileSafe,
};
use machine::{Duration, Instant};
use session::Reading;

use super::{Cable, CableFault};

/// No cable, for Listen: nothing is measured or driven.
#[derive(Debug)]
pub struct NoCable(Outputs<NoPin, NoPin, NoPin>);

impl NoCable {
    /// Outputs without any pin.
    pub fn new() -> Self {
        Self(Outputs::new(Parts::none(Side::Charger), Duration::ZERO).0)
    }
}

impl Default for NoCable {
    fn default() -> Self {
        Self::new()
    }
}

impl Cable for NoCable {
    type Demand = ();
    type Reading = ();
    const SIDE: Side = Side::Charger;

    fn check(&mut self, now: Instant, test: &mut SelfTest) {
        test.outputs(&SafeReport::default());
        test.contacts(&Sensed::default(), false);
        test.pilot(now, Some(Reading::new(control_pilot::Level::A, now)), false);
    }

    fn arm(&mut self, proof: Passed) {
        self.0.arm(proof);
    }

    fn measure<C: Counter>(&mut self, _: &mut Clock<C>) {}

    fn read(&mut self, _: Instant) {}

    fn apply(&mut self, _: Instant, (): &()) -> Result<(), CableFault> {
        Ok(())
    }

    fn make_safe<D: DelayNs>(&mut self, _: &mut dyn FnMut() -> Instant, _: &mut D) -> SafeReport {
        SafeReport::default()
    }

    fn while_safe(&mut self) -> Option<WhileSafe<'_>> {
        self.0.while_safe()
    }

    fn is_free(&self, _: Instant) -> bool {
        true
    }

    fn pilot_test(&self, _: usize) -> Option<()> {
        None
    }

    fn describe(&self, _: Instant, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str("no cable")
    }
}

/// A pin type without values.
#[derive(Debug)]
enum NoPin {}

impl ErrorType for NoPin {
    type Error = Infallible;
}

impl OutputPin for NoPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        match *self {}
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        match *self {}
    }
}

impl StatefulOutputPin for NoPin {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        match *self {}
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        match *self {}
    }
}

impl InputPin for NoPin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        match *self {}
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        match *self {}
    }
}

impl Ledc for NoPin {
    type Error = Infallible;

    fn start(&mut self, _: Timing, _: u16) -> Result<(), Infallible> {
        match *self {}
    }

    fn set_duty(&mut self, _: u16) -> Result<(), Infallible> {
        match *self {}
    }
}

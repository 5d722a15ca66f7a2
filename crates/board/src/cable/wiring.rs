use core::fmt;

use control_pilot::Coding;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, StatefulOutputPin};
use hal_esp32p4::{
    Clock, Counter, Divider, Ledc, Millivolts, OutputFault, Outputs, Parts, ProximityMeter, SafeReport,
    Scale, SelfTest, Wanted,
};
use machine::{Duration, Instant};
use session::Reading;

use crate::Edges;

/// The types of a board's pins on the cable. A board implements it for a type of its own, which needs no
/// values.
pub trait CablePins {
    /// Contactor coils, lock, relay, bleeder.
    type Output: StatefulOutputPin;
    /// Feedback contacts and emergency stop.
    type Input: InputPin;
    /// The pilot's PWM. A car has none and uses a type without values.
    type Ledc: Ledc;
    /// The pilot's edges.
    type Edges: Edges;
    /// The pilot's ADC.
    type Pilot: Millivolts;
    /// The proximity wire's ADC.
    type Proximity: Millivolts;
}

/// How a board is wired to the cable.
pub struct Wiring<C: CablePins> {
    /// Outputs and contacts.
    pub parts: Parts<C::Output, C::Input, C::Ledc>,
    /// Time on the precharge resistor; zero without one.
    pub precharge: Duration,
    /// Edges of the pilot with their times.
    pub edges: C::Edges,
    /// ADC channel of the pilot.
    pub pilot: C::Pilot,
    /// The divider in front of the pilot's ADC: [`Scale::PILOT`] for the default wiring.
    pub pilot_scale: Scale,
    /// The proximity wire; `None`: it is not measured.
    pub proximity: Option<ProximityWire<C::Proximity>>,
}

/// How the proximity wire is measured.
pub struct ProximityWire<A> {
    /// ADC channel of the wire.
    pub adc: A,
    /// Which resistances mean what: Type 1 or Type 2.
    pub coding: Coding,
    /// The divider in front of the ADC: [`Scale::PROXIMITY`] for the default wiring.
    pub scale: Scale,
    /// The resistors of the inlet.
    pub divider: Divider,
}

/// What both ends of the cable have: outputs, contacts, proximity, the pilot's ADC and edges.
pub(super) struct Common<C: CablePins> {
    pub(super) outputs: Outputs<C::Output, C::Input, C::Ledc>,
    pub(super) edges: C::Edges,
    pub(super) pilot: C::Pilot,
    pub(super) pilot_scale: Scale,
    begun: SafeReport,
    has_contactors: bool,
    proximity: Option<(C::Proximity, ProximityMeter)>,
    /// When the proximity wire is sampled next.
    proximity_at: Instant,
}

/// Time between two samples of the proximity wire: 10 samples make a reading, so that a new one comes every
/// 10 ms (judgement).
const PROXIMITY: Duration = Duration::from_millis(1);

impl<C: CablePins> Common<C> {
    /// Takes the pins and makes them SAFE.
    pub(super) fn new(wiring: Wiring<C>) -> Self {
        let Wiring { parts, precharge, edges, pilot, pilot_scale, proximity } = wiring;
        let has_contactors = parts.plus.is_some() || parts.minus.is_some();
        let (outputs, begun) = Outputs::new(parts, precharge);
        let proximity = proximity.map(|ProximityWire { adc, coding, scale, divider }| {
            (adc, ProximityMeter::new(coding, scale, divider))
        });
        Self {
            outputs,
            edges,
            pilot,
            pilot_scale,
            begun,
            has_contactors,
            proximity,
            proximity_at: Instant::ZERO,
        }
    }

    pub(super) fn check(&mut self, test: &mut SelfTest) {
        test.outputs(&self.begun);
        test.contacts(&self.outputs.sense(), self.has_contactors);
    }

    /// Samples the proximity wire when that is due. A conversion that fails gives no sample: the reading
    /// ages.
    pub(super) fn measure_proximity<K: Counter>(&mut self, clock: &mut Clock<K>) {
        let now = clock.now();
        let Some((adc, meter)) = &mut self.proximity else { return };
        if now >= self.proximity_at {
            self.proximity_at = now + PROXIMITY;
            let _ = meter.sample(adc, now);
        }
    }

    pub(super) fn proximity(&self) -> Option<Reading<control_pilot::Proximity>> {
        self.proximity.as_ref().and_then(|(_, meter)| meter.reading())
    }

    pub(super) fn apply(&mut self, now: Instant, wanted: Wanted) -> Result<(), OutputFault> {
        self.outputs.apply(now, &wanted)
    }

    pub(super) fn make_safe(
        &mut self,
        current_ma: &mut dyn FnMut() -> Option<i32>,
        delay: &mut impl DelayNs,
    ) -> SafeReport {
        self.outputs.make_safe(current_ma, delay)
    }

    /// Writes the readings of contacts and proximity wire.
    pub(super) fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let Some((_, meter)) = &self.proximity else { return Ok(()) };
        match (meter.reading(), meter.ohms()) {
            (Some(reading), Some(u32::MAX)) => write!(out, ", proximity {:?}, open", reading.value),
            (Some(reading), Some(ohms)) => write!(out, ", proximity {:?}, {ohms} ohm", reading.value),
            _ => out.write_str(", proximity not measured"),
        }
    }
}

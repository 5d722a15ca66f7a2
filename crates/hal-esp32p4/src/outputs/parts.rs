use control_pilot::Output;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, StatefulOutputPin};
use machine::Duration;
use session::OPEN_BELOW_MA;

use super::{Drive, Sense};
use crate::{Ledc, PilotPwm};

/// The end of the cable that the board is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The charger's end.
    Charger,
    /// The car's end.
    Car,
}

impl Side {
    /// Longest time that the SAFE sequence waits for the current to fall below 1 A before it opens the
    /// contactors anyway: 100 ms at a charger, 2 s in a car (docs/ARCHITECTURE.md, the physical side).
    pub const fn patience(self) -> Duration {
        match self {
            Self::Charger => Duration::from_millis(100),
            Self::Car => Duration::from_secs(2),
        }
    }
}

/// The outputs and contacts of a board; a part that a board does not have is `None`. `P` is the type of its
/// output pins, `I` of its input pins, `L` of its PWM.
///
/// It has no state but the pins'. A panic handler and an interrupt can therefore create one from the bare
/// registers and run [`make_safe`](Self::make_safe).
#[derive(Debug)]
pub struct Parts<P, I, L> {
    /// The end of the cable that the board is at.
    pub side: Side,
    /// The charger's pilot.
    pub pilot: Option<PilotPwm<L>>,
    /// The car's pilot switch from B to C, or the enable of the charger's power stage.
    pub relay: Option<Drive<P>>,
    /// Coil of the contactor in the positive conductor.
    pub plus: Option<Drive<P>>,
    /// Coil of the contactor in the negative conductor.
    pub minus: Option<Drive<P>>,
    /// Relay of the precharge resistor across the positive contactor.
    pub precharge: Option<Drive<P>>,
    /// Relay of the bleeder across the cable.
    pub discharge: Option<Drive<P>>,
    /// The connector lock: the output is on to release the plug.
    pub unlock: Option<Drive<P>>,
    /// Feedback of the positive contactor: active is closed.
    pub plus_feedback: Option<Sense<I>>,
    /// Feedback of the negative contactor: active is closed.
    pub minus_feedback: Option<Sense<I>>,
    /// Feedback of the lock: active is locked.
    pub lock_feedback: Option<Sense<I>>,
    /// The emergency stop: active is pressed.
    pub emergency_stop: Option<Sense<I>>,
}

/// The result of a SAFE sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SafeReport {
    /// Parts that did not take their level, in the order of the sequence. Empty: all are SAFE.
    pub failed: heapless::Vec<&'static str, 7>,
    /// The contactors were opened although 1 A or more may have flowed: they are worn and may be welded.
    pub is_emergency: bool,
}

impl SafeReport {
    fn note(&mut self, part: &'static str, has_failed: bool) {
        if has_failed {
            // The vector has room for every part.
            let _ = self.failed.push(part);
        }
    }
}

impl<P: StatefulOutputPin, I: InputPin, L: Ledc> Parts<P, I, L> {
    /// A board of this side without any part.
    pub const fn none(side: Side) -> Self {
        Self {
            side,
            pilot: None,
            relay: None,
            plus: None,
            minus: None,
            precharge: None,
            discharge: None,
            unlock: None,
            plus_feedback: None,
            minus_feedback: None,
            lock_feedback: None,
            emergency_stop: None,
        }
    }

    /// The SAFE sequence: the same for a normal end, a panic, and the watchdog's first stage.
    ///
    /// 1. The energy is removed: pilot steady +12 V, relay off (car: pilot B; charger: power stage disabled).
    /// 2. While a contactor is driven, or cannot be read, the sequence waits until `current_ma` returns less
    ///    than 1 A, for [`Side::patience`] at most. If it returns `None`, the sequence waits the whole time.
    /// 3. Both contactors, precharge relay and bleeder go off, the lock holds.
    ///
    /// `current_ma` must return immediately: the watchdog's second stage waits only 100 ms longer than the
    /// patience. The sequence continues after a part that fails. A second call changes no output and does not
    /// wait again.
    pub fn make_safe(
        &mut self,
        current_ma: &mut dyn FnMut() -> Option<i32>,
        delay: &mut impl DelayNs,
    ) -> SafeReport {
        let mut report = SafeReport::default();
        self.stop_energy(&mut report);
        report.is_emergency = self.is_connected() && !self.waits_for_no_current(current_ma, delay);
        self.open(&mut report);
        report
    }

    /// The sequence without its wait: for pads that were not driven yet.
    pub(super) fn begin_safe(&mut self) -> SafeReport {
        let mut report = SafeReport::default();
        self.stop_energy(&mut report);
        self.open(&mut report);
        report
    }

    fn stop_energy(&mut self, report: &mut SafeReport) {
        report.note("pilot", self.pilot.as_mut().is_some_and(|pilot| pilot.drive(Output::Steady).is_err()));
        report.note("relay", self.relay.as_mut().is_some_and(|relay| relay.set(false).is_err()));
    }

    /// Waits until the current is below 1 A; `false` if that took too long.
    fn waits_for_no_current(
        &self,
        current_ma: &mut dyn FnMut() -> Option<i32>,
        delay: &mut impl DelayNs,
    ) -> bool {
        let mut is_low = || current_ma().is_some_and(|ma| ma.unsigned_abs() < OPEN_BELOW_MA.unsigned_abs());
        for _ in 0..self.side.patience().as_millis() {
            if is_low() {
                return true;
            }
            delay.delay_ms(1);
        }
        is_low()
    }

    fn open(&mut self, report: &mut SafeReport) {
        let parts = [
            ("contactor +", &mut self.plus),
            ("contactor -", &mut self.minus),
            ("precharge", &mut self.precharge),
            ("discharge", &mut self.discharge),
            ("lock", &mut self.unlock),
        ];
        for (name, part) in parts {
            report.note(name, part.as_mut().is_some_and(|part| part.set(false).is_err()));
        }
    }

    /// Whether a contactor or the precharge relay is driven, or cannot be read.
    fn is_connected(&mut self) -> bool {
        [&mut self.plus, &mut self.minus, &mut self.precharge].into_iter().any(may_be_on)
    }

    /// Whether a part that energy flows through is driven, or cannot be read.
    pub(super) fn is_driven(&mut self) -> bool {
        self.is_connected() || may_be_on(&mut self.relay)
    }
}

fn may_be_on<P: StatefulOutputPin>(part: &mut Option<Drive<P>>) -> bool {
    part.as_mut().is_some_and(|part| part.is_on() != Some(false))
}

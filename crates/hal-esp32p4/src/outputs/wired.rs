use embedded_hal::digital::{InputPin, StatefulOutputPin};

use super::{Drive, Parts, Sense, Side};
use crate::{Ledc, PilotPwm, Pins, Signal};

impl<P: StatefulOutputPin, I: InputPin, L: Ledc> Parts<P, I, L> {
    /// The parts of a side at the pads of a wiring, each created from its pad's number; a signal without a
    /// pad is an absent part. All outputs are active high. Only a charger has the pilot's PWM, and it must be
    /// running already.
    ///
    /// A contact to ground that opens when active reads active at the high level, as with a broken wire: the
    /// mirror contacts of the contactors (closed) and the emergency stop (pressed). The lock's contact closes
    /// when it is locked.
    pub fn wired(
        side: Side,
        pins: &Pins,
        output: impl Fn(u8) -> P,
        input: impl Fn(u8) -> I,
        pilot: impl Fn(u8) -> L,
    ) -> Self {
        let drive = |signal| pins.pad(signal).map(|pad| Drive::active_high(output(pad)));
        let opens = |signal| pins.pad(signal).map(|pad| Sense::active_high(input(pad)));
        let closes = |signal| pins.pad(signal).map(|pad| Sense::active_low(input(pad)));
        let pwm = pins.pad(Signal::PilotPwm).filter(|_| side == Side::Charger);
        Self {
            side,
            pilot: pwm.map(|pad| PilotPwm::running(pilot(pad))),
            relay: drive(Signal::Relay),
            plus: drive(Signal::ContactorPlus),
            minus: drive(Signal::ContactorMinus),
            precharge: drive(Signal::Precharge),
            discharge: drive(Signal::Discharge),
            unlock: drive(Signal::Lock),
            plus_feedback: opens(Signal::PlusFeedback),
            minus_feedback: opens(Signal::MinusFeedback),
            lock_feedback: closes(Signal::LockFeedback),
            emergency_stop: opens(Signal::EmergencyStop),
        }
    }
}

//! From a wiring to the board's parts: each part drives its own pad, and each contact reads its own.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod board;

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use board::{CHARGE, SIDES, at, passed};
use control_pilot::Output;
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, StatefulOutputPin};
use hal_esp32p4::{Ledc, Outputs, Parts, Pins, Sensed, Side, Signal, Timing, Wanted};
use machine::Duration;
use session::Lock;

/// The levels of all pads, and the pads that were set up as outputs.
#[derive(Clone, Default)]
struct Chip(Rc<RefCell<(Vec<u8>, Vec<u8>)>>);

struct Pad(u8, Chip);

impl Chip {
    fn high(&self) -> Vec<u8> {
        let mut high = self.0.borrow().0.clone();
        high.sort_unstable();
        high
    }

    fn set(&self, pad: u8, is_high: bool) {
        let high = &mut self.0.borrow_mut().0;
        high.retain(|other| *other != pad);
        if is_high {
            high.push(pad);
        }
    }

    fn outputs(&self, side: Side, pins: &Pins) -> Outputs<Pad, Pad, Pad> {
        let pad = |number| Pad(number, self.clone());
        let output = |number| {
            self.0.borrow_mut().1.push(number);
            pad(number)
        };
        let (mut outputs, report) = Outputs::new(Parts::wired(side, pins, output, pad, pad), Duration::ZERO);
        assert!(report.failed.is_empty());
        outputs.arm(passed());
        outputs
    }
}

impl ErrorType for Pad {
    type Error = Infallible;
}

impl OutputPin for Pad {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.1.set(self.0, false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.1.set(self.0, true);
        Ok(())
    }
}

impl StatefulOutputPin for Pad {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.1.high().contains(&self.0))
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        self.is_set_high().map(|is_high| !is_high)
    }
}

impl InputPin for Pad {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        self.is_set_high()
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_set_low()
    }
}

/// A duty of more than half a period counts as a high pad.
impl Ledc for Pad {
    type Error = Infallible;

    fn start(&mut self, _: Timing, counts: u16) -> Result<(), Infallible> {
        self.set_duty(counts)
    }

    fn set_duty(&mut self, counts: u16) -> Result<(), Infallible> {
        self.1.set(self.0, counts > 8_192);
        Ok(())
    }
}

/// The default wiring, and a wiring with every movable pad moved.
fn wirings() -> [Pins; 2] {
    let moved = [
        (Signal::PilotPwm, 3),
        (Signal::ContactorPlus, 39),
        (Signal::ContactorMinus, 40),
        (Signal::Precharge, 41),
        (Signal::Discharge, 42),
        (Signal::Relay, 43),
        (Signal::Lock, 44),
        (Signal::PlusFeedback, 13),
        (Signal::MinusFeedback, 14),
        (Signal::LockFeedback, 15),
        (Signal::EmergencyStop, 26),
    ];
    let moved = moved.into_iter().fold(Pins::default(), |pins, (signal, pad)| pins.with(signal, pad));
    assert_eq!(moved.check(), Ok(()));
    [Pins::default(), moved]
}

#[test]
fn each_demand_moves_the_pads_of_its_signals_and_no_other() {
    let steady = Wanted::SAFE;
    let low = Wanted { pilot: Output::Negative, ..steady };
    let demands: [(Wanted, &[Signal]); 4] = [
        (low, &[]),
        (Wanted { relay: true, ..low }, &[Signal::Relay]),
        (Wanted { discharge: true, ..low }, &[Signal::Discharge]),
        (Wanted { lock: Lock::Released, ..low }, &[Signal::Lock]),
    ];
    for (side, pins) in SIDES.into_iter().flat_map(|side| wirings().map(|pins| (side, pins))) {
        let pads = |signals: &[Signal]| {
            let mut pads: Vec<u8> = signals.iter().map(|signal| pins.pad(*signal).unwrap()).collect();
            pads.sort_unstable();
            pads
        };
        let chip = Chip::default();
        let mut outputs = chip.outputs(side, &pins);
        outputs.apply(at(0), &steady).unwrap();
        let pilot: &[Signal] = if side == Side::Charger { &[Signal::PilotPwm] } else { &[] };
        assert_eq!(chip.high(), pads(pilot), "{side:?}: SAFE");
        for (wanted, signals) in &demands {
            outputs.apply(at(0), wanted).unwrap();
            assert_eq!(chip.high(), pads(signals), "{side:?}: {wanted:?}");
        }
    }
}

#[test]
fn the_contactors_close_minus_first_then_precharge_then_plus_at_their_pads() {
    for pins in wirings() {
        let chip = Chip::default();
        let mut outputs = chip.outputs(Side::Car, &pins);
        let pad = |signal| pins.pad(signal).unwrap();
        let steps = [
            (Signal::ContactorMinus, Some(Signal::MinusFeedback)),
            (Signal::Precharge, None),
            (Signal::ContactorPlus, Some(Signal::PlusFeedback)),
        ];
        let mut now = 0;
        for (coil, feedback) in steps {
            while !chip.high().contains(&pad(coil)) {
                assert!(now < 1_000, "{coil} was never driven");
                outputs.apply(at(now), &CHARGE).unwrap();
                now += 1;
            }
            if let Some(feedback) = feedback {
                chip.set(pad(feedback), true);
            }
        }
        assert!(chip.high().contains(&pad(Signal::ContactorMinus)));
    }
}

#[test]
fn a_wire_that_is_broken_reads_as_closed_not_locked_pressed() {
    for (side, pins) in SIDES.into_iter().flat_map(|side| wirings().map(|pins| (side, pins))) {
        let chip = Chip::default();
        let mut outputs = chip.outputs(side, &pins);
        // All contacts to ground are closed: contactors open, lock locked, stop not pressed.
        let sound = Sensed { contactors: Some(false), lock: Some(true), emergency_stop: Some(false) };
        assert_eq!(outputs.sense(), sound);
        let broken = [
            (Signal::PlusFeedback, Sensed { contactors: Some(true), ..sound }),
            (Signal::MinusFeedback, Sensed { contactors: Some(true), ..sound }),
            (Signal::LockFeedback, Sensed { lock: Some(false), ..sound }),
            (Signal::EmergencyStop, Sensed { emergency_stop: Some(true), ..sound }),
        ];
        for (signal, sensed) in broken {
            chip.set(pins.pad(signal).unwrap(), true);
            assert_eq!(outputs.sense(), sensed, "{signal}");
            chip.set(pins.pad(signal).unwrap(), false);
        }
    }
}

#[test]
fn a_signal_without_a_pad_is_a_part_that_is_not_there() {
    let signals = [
        Signal::ContactorPlus,
        Signal::ContactorMinus,
        Signal::Precharge,
        Signal::Discharge,
        Signal::Relay,
        Signal::Lock,
    ];
    for without in signals {
        let chip = Chip::default();
        chip.outputs(Side::Charger, &Pins::default().without(without));
        let mut made = chip.0.borrow().1.clone();
        made.sort_unstable();
        let mut expected: Vec<u8> =
            signals.iter().filter(|signal| **signal != without).map(|signal| signal.default_pad()).collect();
        expected.sort_unstable();
        assert_eq!(made, expected);
    }
}

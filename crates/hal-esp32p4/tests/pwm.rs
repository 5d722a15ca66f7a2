//! The pilot's PWM over a register trait that records its calls.

use control_pilot::{DutyMeaning, Output};
use embedded_hal::pwm::{ErrorKind, SetDutyCycle};
use hal_esp32p4::{Ledc, PilotPwm, PwmError, Timing};
use proptest::prelude::*;

#[derive(Debug, PartialEq)]
enum Write {
    Start(Timing, u16),
    Duty(u16),
}

/// Records its calls, and fails on request.
#[derive(Debug, Default)]
struct Registers {
    writes: Vec<Write>,
    is_dead: bool,
}

impl Ledc for &mut Registers {
    type Error = ErrorKind;

    fn start(&mut self, timing: Timing, counts: u16) -> Result<(), ErrorKind> {
        self.writes.push(Write::Start(timing, counts));
        if self.is_dead { Err(ErrorKind::Other) } else { Ok(()) }
    }

    fn set_duty(&mut self, counts: u16) -> Result<(), ErrorKind> {
        self.writes.push(Write::Duty(counts));
        if self.is_dead { Err(ErrorKind::Other) } else { Ok(()) }
    }
}

/// The counts in the registers after `output` was demanded.
fn counts(output: Output) -> Result<u16, PwmError<ErrorKind>> {
    let mut registers = Registers::default();
    PilotPwm::new(&mut registers)?.drive(output)?;
    let [Write::Start(..), Write::Duty(counts)] = registers.writes[..] else { return Ok(u16::MAX) };
    Ok(counts)
}

#[test]
fn the_divider_makes_exactly_1_khz_of_the_crystal() {
    let timing = Timing::exact(Timing::XTAL_HZ, Timing::PILOT_HZ, 14);
    assert_eq!(timing, Some(Timing::PILOT));
    // 40 MHz / (625 / 256) / 16384 = 1000 Hz, without a remainder.
    let counts_256ths = u64::from(Timing::PILOT.counts()) * u64::from(Timing::PILOT.divider_256ths);
    assert_eq!(u64::from(Timing::XTAL_HZ) * 256, counts_256ths * 1000);
}

#[test]
fn a_frequency_that_the_divider_cannot_make_exactly_is_refused() {
    assert_eq!(Timing::exact(Timing::XTAL_HZ, 999, 14), None);
    assert_eq!(Timing::exact(17_500_000, 1_000, 14), None, "the fast RC oscillator");
    assert_eq!(Timing::exact(40_000_000, 1_000, 16), None, "a divider below 1");
    assert_eq!(Timing::exact(40_000_000, 1_000, 0), None, "a divider beyond 18 bits");
    assert_eq!(Timing::exact(40_000_000, 0, 14), None);
    assert_eq!(Timing::exact(40_000_000, 1_000, 64), None);
}

#[test]
fn the_pilot_begins_at_plus_12_v() {
    let mut registers = Registers::default();
    PilotPwm::new(&mut registers).unwrap();
    assert_eq!(registers.writes, [Write::Start(Timing::PILOT, 16_384)]);
}

#[test]
fn five_percent_steady_high_and_steady_low_have_their_counts() {
    let cases = [
        (Output::DIGITAL, 819),
        (Output::Pwm(100), 1_638),
        (Output::Pwm(500), 8_192),
        (Output::Pwm(960), 15_729),
        (Output::Steady, 16_384),
        (Output::Negative, 0),
    ];
    for (output, expected) in cases {
        assert_eq!(counts(output), Ok(expected), "{output:?}");
    }
}

#[test]
fn what_a_charger_must_not_offer_is_refused_and_leaves_the_pilot_as_it_is() {
    for duty in (0..50).chain(51..100).chain(961..=1001).chain([u16::MAX]) {
        assert_eq!(counts(Output::Pwm(duty)), Err(PwmError::Duty(duty)));
    }
    assert_eq!(counts(Output::Zero), Err(PwmError::Zero));
    let mut registers = Registers::default();
    let mut pilot = PilotPwm::new(&mut registers).unwrap();
    pilot.drive(Output::DIGITAL).unwrap();
    pilot.drive(Output::Pwm(70)).unwrap_err();
    pilot.drive(Output::Zero).unwrap_err();
    assert_eq!(registers.writes.last(), Some(&Write::Duty(819)));
}

#[test]
fn the_raw_side_takes_every_count_and_no_more_than_a_period() {
    let mut registers = Registers::default();
    let mut pilot = PilotPwm::new(&mut registers).unwrap();
    assert_eq!(pilot.max_duty_cycle(), 16_384);
    pilot.set_duty_cycle_percent(5).unwrap();
    pilot.set_duty_cycle_fully_on().unwrap();
    pilot.set_duty_cycle_fully_off().unwrap();
    assert_eq!(pilot.set_duty_cycle(16_385), Err(PwmError::Counts(16_385)));
    assert_eq!(registers.writes[1..], [Write::Duty(819), Write::Duty(16_384), Write::Duty(0)]);
}

#[test]
fn the_timer_says_how_long_ago_the_pilot_rose() {
    // SYSTIMER counts 16 in a microsecond: 5 % of a period is 50 us, the last count 1 ms less 61 ns.
    for (counts, ago) in [(0, 0), (819, 799), (8_192, 8_000), (16_383, 15_999)] {
        assert_eq!(Timing::PILOT.since_edge(counts, 16_000_000), ago);
    }
    // Any value beyond the register's 14 bits, and the fastest clock: no overflow.
    assert_eq!(Timing::PILOT.since_edge(u32::MAX, u32::MAX), 1_125_899_906_318);
}

#[test]
fn hardware_that_does_not_follow_is_reported() {
    let mut registers = Registers { is_dead: true, ..Registers::default() };
    assert_eq!(PilotPwm::new(&mut registers).unwrap_err(), PwmError::Hardware(ErrorKind::Other));
    let mut pilot = PilotPwm::running(&mut registers);
    let error = pilot.drive(Output::Steady).unwrap_err();
    assert!(error.to_string().contains("does not follow"), "{error}");
}

proptest! {
    #[test]
    fn every_legal_duty_is_within_half_a_count_and_a_car_reads_the_same(duty in 100_u16..=960) {
        let counts = i64::from(counts(Output::Pwm(duty)).unwrap());
        let off = counts * 1000 - i64::from(duty) * 16_384;
        prop_assert!(off.abs() <= 500);
        // The measurement of these counts by a car, to the nearest per mille.
        let measured = u16::try_from((counts * 1000 + 8_192) / 16_384).unwrap();
        prop_assert_eq!(DutyMeaning::of(measured), DutyMeaning::of(duty));
    }
}

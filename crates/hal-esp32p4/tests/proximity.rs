//! The proximity wire through the ADC.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use control_pilot::{Coding, Proximity};
use hal_esp32p4::{Divider, Millivolts, ProximityMeter, Scale};
use machine::Instant;
use proptest::prelude::*;

/// Returns these values in turn, repeatedly; `None` is a failed conversion.
struct Adc(Vec<Option<i32>>);

impl Millivolts for Adc {
    type Error = &'static str;

    fn read_mv(&mut self) -> Result<i32, &'static str> {
        self.0.rotate_left(1);
        self.0.last().copied().flatten().ok_or("no answer")
    }
}

/// Voltage at the pad in mV with `ohms` between PP and PE.
fn pad_mv(divider: Divider, ohms: u32) -> i32 {
    let up = 1.0 / f64::from(divider.pull_up_ohms);
    let own = if divider.pull_down_ohms == 0 { 0.0 } else { 1.0 / f64::from(divider.pull_down_ohms) };
    let wire = f64::from(divider.supply_mv) * up / (up + own + 1.0 / f64::from(ohms));
    #[allow(clippy::cast_possible_truncation, reason = "a few thousand")]
    let pad = (wire * 1_000.0 / f64::from(Scale::PROXIMITY.microvolts_per_mv)).round() as i32;
    pad
}

/// The last of the readings from twenty of these samples.
fn read(coding: Coding, divider: Divider, samples: Vec<Option<i32>>) -> Option<Proximity> {
    let mut meter = ProximityMeter::new(coding, Scale::PROXIMITY, divider);
    let mut adc = Adc(samples);
    for ms in 0..20 {
        let _ = meter.sample(&mut adc, Instant::from_millis(ms));
    }
    meter.reading().map(|reading| reading.value)
}

#[test]
fn every_resistor_of_both_codings_is_found_through_its_divider() {
    let cable = |current_ma| Proximity::Cable { current_ma };
    let cases = [
        (Coding::Type2, Divider::TYPE_2, 1_500, cable(13_000)),
        (Coding::Type2, Divider::TYPE_2, 680, cable(20_000)),
        (Coding::Type2, Divider::TYPE_2, 220, cable(32_000)),
        (Coding::Type2, Divider::TYPE_2, 100, cable(63_000)),
        (Coding::Type2, Divider::TYPE_2, 150, Proximity::Unknown),
        (Coding::Type2, Divider::TYPE_2, 1_000_000, Proximity::Absent),
        (Coding::Type1, Divider::TYPE_1, 150, Proximity::Latched),
        (Coding::Type1, Divider::TYPE_1, 480, Proximity::Pressed),
        (Coding::Type1, Divider::TYPE_1, 1_000, Proximity::Unknown),
        (Coding::Type1, Divider::TYPE_1, 1_000_000, Proximity::Absent),
    ];
    for (coding, divider, ohms, expected) in cases {
        assert_eq!(read(coding, divider, vec![Some(pad_mv(divider, ohms))]), Some(expected), "{ohms} ohm");
    }
}

#[test]
fn the_resistance_is_named_for_the_log() {
    let mut meter = ProximityMeter::new(Coding::Type1, Scale::PROXIMITY, Divider::TYPE_1);
    let mut adc = Adc(vec![Some(pad_mv(Divider::TYPE_1, 480))]);
    for _ in 0..10 {
        meter.sample(&mut adc, Instant::ZERO).unwrap();
    }
    assert!(meter.ohms().unwrap().abs_diff(480) <= 1, "{:?}", meter.ohms());
}

#[test]
fn noise_between_two_meanings_is_unknown_and_never_one_of_them() {
    let at = |ohms| Some(pad_mv(Divider::TYPE_1, ohms));
    // The edge of Latched, the edge of Pressed, and a plug that is being pulled.
    for pair in [[at(175), at(190)], [at(570), at(600)], [at(150), at(1_000_000)]] {
        assert_eq!(read(Coding::Type1, Divider::TYPE_1, pair.to_vec()), Some(Proximity::Unknown));
    }
}

#[test]
fn one_sample_of_ten_is_enough_to_doubt() {
    let mut samples = vec![Some(pad_mv(Divider::TYPE_1, 150)); 10];
    samples[3] = Some(pad_mv(Divider::TYPE_1, 480));
    assert_eq!(read(Coding::Type1, Divider::TYPE_1, samples), Some(Proximity::Unknown));
}

#[test]
fn a_short_is_unknown_and_an_adc_without_an_answer_makes_no_reading() {
    for mv in [0, -5] {
        assert_eq!(read(Coding::Type1, Divider::TYPE_1, vec![Some(mv)]), Some(Proximity::Unknown));
    }
    assert_eq!(read(Coding::Type1, Divider::TYPE_1, vec![None]), None);
}

#[test]
fn failed_conversions_between_good_ones_are_left_out() {
    let good = Some(pad_mv(Divider::TYPE_1, 150));
    assert_eq!(read(Coding::Type1, Divider::TYPE_1, vec![good, None]), Some(Proximity::Latched));
}

#[test]
fn a_reading_has_the_time_of_its_first_sample() {
    let mut meter = ProximityMeter::new(Coding::Type1, Scale::PROXIMITY, Divider::TYPE_1);
    let mut adc = Adc(vec![Some(pad_mv(Divider::TYPE_1, 150))]);
    for ms in 5..25 {
        meter.sample(&mut adc, Instant::from_millis(ms)).unwrap();
    }
    assert_eq!(meter.reading().unwrap().at, Instant::from_millis(15));
}

proptest! {
    #[test]
    fn latched_needs_every_sample_within_the_resistors_tolerance(
        ohms in proptest::collection::vec(prop_oneof![3 => 125_u32..175, 1 => 1_u32..10_000], 10),
    ) {
        let samples = ohms.iter().map(|ohms| Some(pad_mv(Divider::TYPE_1, *ohms))).collect();
        if read(Coding::Type1, Divider::TYPE_1, samples) == Some(Proximity::Latched) {
            // One mV at the pad is about 2 ohms here.
            prop_assert!(ohms.iter().all(|ohms| (116..=184).contains(ohms)), "{:?}", ohms);
        }
    }
}

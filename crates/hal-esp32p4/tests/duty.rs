//! The duty cycle, measured from edges.

use control_pilot::{DutyMeaning, Output};
use hal_esp32p4::DutyMeter;
use machine::{Duration, Instant};
use proptest::prelude::*;

/// Periods of this length with this high phase, both in us, from `at` on; returns the time after them.
fn pulses(meter: &mut DutyMeter, mut at: Instant, period_us: u64, high_us: u64, count: u64) -> Instant {
    for _ in 0..count {
        meter.edge(at, true);
        meter.edge(at + Duration::from_micros(high_us), false);
        at += Duration::from_micros(period_us);
    }
    at
}

fn read(period_us: u64, high_us: u64) -> Option<Output> {
    let mut meter = DutyMeter::new();
    let now = pulses(&mut meter, Instant::from_millis(7), period_us, high_us, 12);
    meter.output(now, Some(-12_000)).map(|reading| reading.value)
}

#[test]
fn five_percent_is_read_as_five_percent_with_the_time_of_its_last_edge() {
    let mut meter = DutyMeter::new();
    let now = pulses(&mut meter, Instant::ZERO, 1_000, 50, 6);
    let reading = meter.output(now, None).unwrap();
    assert_eq!((reading.value, reading.at), (Output::DIGITAL, Instant::from_millis(5)));
    assert_eq!(meter.duty_permille(now, None).unwrap().value, 50);
}

#[test]
fn fewer_than_five_periods_say_nothing() {
    let mut meter = DutyMeter::new();
    let now = pulses(&mut meter, Instant::ZERO, 1_000, 50, 5);
    assert_eq!(meter.output(now, None), None);
}

#[test]
fn a_period_within_two_percent_is_the_pilot_and_another_is_not() {
    assert_eq!(read(1_020, 53), Some(Output::Pwm(52)), "to the nearest per mille");
    let cases = [(979, false), (980, true), (995, true), (1_005, true), (1_020, true), (1_021, false)];
    for (period_us, is_pilot) in cases {
        let output = read(period_us, 50).unwrap();
        assert_eq!(output != DutyMeter::INVALID, is_pilot, "{period_us}");
        assert_eq!(matches!(output, Output::Pwm(49..=51)), is_pilot, "{period_us}: {output:?}");
    }
}

#[test]
fn a_duty_out_of_tolerance_is_reported_as_it_is_and_means_nothing() {
    for (high_us, is_digital) in [(29, false), (30, true), (70, true), (75, false), (500, false)] {
        let Some(Output::Pwm(duty)) = read(1_000, high_us) else { panic!("{high_us}") };
        assert_eq!(u64::from(duty), high_us);
        assert_eq!(DutyMeaning::of(duty) == DutyMeaning::Digital, is_digital);
    }
}

#[test]
fn high_phases_that_differ_within_a_group_mean_nothing() {
    for (other_us, output) in [(60, Output::Pwm(52)), (61, DutyMeter::INVALID)] {
        let mut meter = DutyMeter::new();
        let at = pulses(&mut meter, Instant::ZERO, 1_000, 50, 4);
        let now = pulses(&mut meter, at, 1_000, other_us, 2);
        assert_eq!(meter.output(now, None).unwrap().value, output, "{other_us}");
    }
}

#[test]
fn an_edge_too_many_or_too_few_spoils_its_group_and_no_other() {
    type Spoil = fn(&mut DutyMeter, Instant);
    let spoils: [(&str, Spoil); 4] = [
        ("a spike in the low phase", |meter, at| {
            meter.edge(at, true);
            meter.edge(at + Duration::from_micros(50), false);
            meter.edge(at + Duration::from_micros(600), true);
            meter.edge(at + Duration::from_micros(602), false);
        }),
        ("a second falling edge", |meter, at| {
            meter.edge(at, true);
            meter.edge(at + Duration::from_micros(48), false);
            meter.edge(at + Duration::from_micros(52), false);
        }),
        ("no falling edge", |meter, at| meter.edge(at, true)),
        ("no rising edge", |meter, at| meter.edge(at + Duration::from_micros(50), false)),
    ];
    for (what, spoil) in spoils {
        let mut meter = DutyMeter::new();
        let at = pulses(&mut meter, Instant::ZERO, 1_000, 50, 7);
        spoil(&mut meter, at);
        let at = pulses(&mut meter, at + Duration::from_millis(1), 1_000, 50, 4);
        assert_eq!(meter.output(at, None).unwrap().value, DutyMeter::INVALID, "{what}");
        let at = pulses(&mut meter, at, 1_000, 50, 9);
        assert_eq!(meter.output(at, None).unwrap().value, Output::DIGITAL, "{what}");
    }
}

#[test]
fn a_pilot_without_edges_is_steady_at_the_level_that_the_adc_sees() {
    let mut meter = DutyMeter::new();
    let now = pulses(&mut meter, Instant::ZERO, 1_000, 50, 12);
    let last = now + Duration::from_micros(50) - Instant::from_millis(1);
    let quiet = Instant::ZERO + last + DutyMeter::STEADY;
    let cases = [
        (Some(12_000), Some(Output::Steady), Some(1_000)),
        (Some(9_000), Some(Output::Steady), Some(1_000)),
        (Some(6_000), Some(Output::Steady), Some(1_000)),
        (Some(0), Some(Output::Zero), Some(0)),
        (Some(-12_000), Some(Output::Negative), Some(0)),
        (None, None, None),
    ];
    for (mv, output, duty) in cases {
        assert_eq!(meter.output(quiet, mv).map(|reading| reading.value), output);
        assert_eq!(meter.duty_permille(quiet, mv).map(|reading| reading.value), duty);
    }
    let just_before = Instant::from_micros(quiet.as_micros() - 1);
    assert_eq!(meter.output(just_before, Some(12_000)).unwrap().value, Output::DIGITAL);
}

#[test]
fn after_a_pause_nothing_is_said_until_five_periods_are_there() {
    let mut meter = DutyMeter::new();
    let now = pulses(&mut meter, Instant::ZERO, 1_000, 50, 12);
    let again = pulses(&mut meter, now + Duration::from_millis(20), 1_000, 300, 3);
    assert_eq!(meter.output(again, Some(12_000)), None);
    let again = pulses(&mut meter, again, 1_000, 300, 3);
    assert_eq!(meter.output(again, Some(12_000)).unwrap().value, Output::Pwm(300));
}

proptest! {
    #[test]
    fn every_duty_is_read_within_two_per_mille_although_each_edge_is_off_by_a_microsecond(
        duty in 30_u64..=970,
        jitter in proptest::collection::vec(0_u64..=1, 40),
    ) {
        let mut meter = DutyMeter::new();
        let mut now = Instant::ZERO;
        for (index, off) in jitter.chunks(2).enumerate() {
            let begin = Instant::from_micros(1_000 * u64::try_from(index).unwrap());
            meter.edge(begin + Duration::from_micros(off[0]), true);
            meter.edge(begin + Duration::from_micros(duty + off[1]), false);
            now = begin + Duration::from_micros(duty + 1);
        }
        let Some(Output::Pwm(read)) = meter.output(now, None).map(|reading| reading.value) else { panic!("none") };
        prop_assert!(u64::from(read).abs_diff(duty) <= 2, "{read} for {duty}");
    }

    #[test]
    fn edges_by_chance_never_make_five_percent(steps in proptest::collection::vec((1_u64..400, any::<bool>()), 50..200)) {
        let (mut meter, mut at) = (DutyMeter::new(), Instant::ZERO);
        for (us, is_rising) in steps {
            at += Duration::from_micros(us);
            meter.edge(at, is_rising);
            let output = meter.output(at, None).map(|reading| reading.value);
            prop_assert_ne!(output, Some(Output::DIGITAL));
        }
    }
}

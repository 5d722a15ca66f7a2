//! The charger's measurement of the pilot, over a simulated wire in virtual time.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::cell::Cell;
use std::rc::Rc;

use control_pilot::{Level, Output};
use hal_esp32p4::{Clock, Counter, Millivolts, Phases, PilotMeter, Scale, Span};
use machine::{Duration, Instant};
use proptest::prelude::*;

/// Time in us that all parts share.
type Now = Rc<Cell<u64>>;

struct Micros(Now);

impl Counter for Micros {
    const BITS: u32 = 64;
    const HZ: u32 = 1_000_000;

    fn count(&mut self) -> u64 {
        self.0.get()
    }
}

/// The wire at its divider, with an edge that takes 15 us, and an ADC that samples at the start of its
/// conversion.
struct Wire {
    now: Now,
    output: Output,
    high_mv: i32,
    low_mv: i32,
    conversion_us: u64,
    /// Added to each sample, one value after the other.
    noise: Box<dyn FnMut() -> i32>,
    /// Reading of a broken ADC, whatever is on the wire.
    broken: Option<Result<i32, &'static str>>,
}

impl Millivolts for Wire {
    type Error = &'static str;

    fn read_mv(&mut self) -> Result<i32, &'static str> {
        let at = self.now.get() % 1_000;
        self.now.set(self.now.get() + self.conversion_us);
        if let Some(broken) = self.broken {
            return broken;
        }
        let (high, low) = (self.high_mv, self.low_mv);
        let ramp = |from: i32, to: i32, us: u64| from + (to - from) * i32::try_from(us.min(15)).unwrap() / 15;
        let wire = match self.output {
            Output::Pwm(duty) if at < duty.into() => ramp(low, high, at),
            Output::Pwm(duty) => ramp(high, low, at - u64::from(duty)),
            Output::Steady | Output::Zero => high,
            Output::Negative => low,
        };
        let noisy = wire + (self.noise)();
        Ok((noisy * 1_000) / Scale::PILOT.microvolts_per_mv + Scale::PILOT.zero_mv)
    }
}

/// A meter at a wire: the firmware's loop in virtual time.
struct Bench {
    clock: Clock<Micros>,
    now: Now,
    meter: PilotMeter,
    wire: Wire,
    has_edges: bool,
    levels: Vec<Level>,
}

impl Bench {
    fn new(output: Output, high_mv: i32, low_mv: i32) -> Self {
        let now = Now::new(Cell::new(0));
        let mut meter = PilotMeter::new(Scale::PILOT);
        meter.drive(Instant::ZERO, output);
        let wire = Wire {
            now: now.clone(),
            output,
            high_mv,
            low_mv,
            conversion_us: 8,
            noise: Box::new(|| 0),
            broken: None,
        };
        let clock = Clock::new(Micros(now.clone()));
        Self { clock, now, meter, wire, has_edges: true, levels: Vec::new() }
    }

    /// Runs for this time; returns the readings of it.
    fn run(&mut self, ms: u64) -> Vec<Level> {
        self.levels.clear();
        let until = self.now.get() + ms * 1_000;
        while self.now.get() < until {
            let now = self.now.get();
            if now.is_multiple_of(1_000) && self.has_edges && matches!(self.wire.output, Output::Pwm(_)) {
                self.meter.edge(Instant::from_micros(now));
            }
            let next_edge = (now / 1_000 + 1) * 1_000;
            match self.meter.next(Instant::from_micros(now)) {
                Some(at) if at.as_micros() <= now => {
                    let made = self.meter.sample(&mut self.wire, &mut self.clock);
                    self.levels.extend(made.ok().flatten());
                    self.now.set(self.now.get().max(now + 1).min(next_edge));
                }
                Some(at) => self.now.set(at.as_micros().min(next_edge)),
                None => self.now.set(next_edge),
            }
        }
        self.levels.clone()
    }
}

/// Noise in both directions: the sign changes after two samples, because a period has one sample in each
/// phase.
fn both_ways(amplitude_mv: i32) -> Box<dyn FnMut() -> i32> {
    let mut count = 0;
    Box::new(move || {
        count += 1;
        if count / 2 % 2 == 0 { amplitude_mv } else { -amplitude_mv }
    })
}

const LEVELS: [(Level, i32); 5] =
    [(Level::A, 12_000), (Level::B, 9_000), (Level::C, 6_000), (Level::D, 3_000), (Level::E, 0)];

#[test]
fn at_5_percent_only_a_conversion_between_20_and_45_us_after_the_edge_counts() {
    let phases = Phases::of(Output::DIGITAL);
    assert_eq!(phases.high, Span { from_us: 20, until_us: 45 });
    assert_eq!(phases.low, Some(Span { from_us: 70, until_us: 995 }));
    let cases =
        [(19, 27, false), (20, 28, true), (26, 34, true), (37, 45, true), (38, 46, false), (50, 58, false)];
    for (begun_us, done_us, counts) in cases {
        assert_eq!(phases.high.holds(begun_us, done_us), counts, "{begun_us}..{done_us}");
    }
}

#[test]
fn every_level_is_read_at_every_output_that_a_charger_drives() {
    for output in [Output::DIGITAL, Output::Pwm(100), Output::Pwm(533), Output::Pwm(960), Output::Steady] {
        for (level, high_mv) in LEVELS {
            let read = Bench::new(output, high_mv, -12_000).run(200);
            assert!(read.len() >= 18 && read.iter().all(|one| *one == level), "{output:?} {level}: {read:?}");
        }
    }
    let read = Bench::new(Output::Negative, 12_000, -12_000).run(100);
    assert!(read.iter().all(|level| *level == Level::F) && !read.is_empty(), "{read:?}");
}

#[test]
fn noise_within_the_hysteresis_never_flutters_at_any_threshold() {
    for ((upper, upper_mv), (lower, lower_mv)) in LEVELS.into_iter().zip(LEVELS.into_iter().skip(1)) {
        for (settled, settled_mv) in [(upper, upper_mv), (lower, lower_mv)] {
            let mut bench = Bench::new(Output::DIGITAL, settled_mv, -12_000);
            bench.run(50);
            bench.wire.high_mv = i32::midpoint(upper_mv, lower_mv);
            bench.wire.noise = both_ways(250);
            let read = bench.run(500);
            let fluttering = read.iter().skip(1).filter(|level| **level != settled).count();
            assert_eq!(fluttering, 0, "{upper}/{lower} from {settled}: {read:?}");
        }
    }
}

#[test]
fn noise_beyond_the_hysteresis_reads_as_the_level_that_allows_less() {
    // Between two levels, with samples on both sides of the middle.
    let cases = [
        (10_500, Level::E), // A or B: the plug is not out
        (7_500, Level::B),
        (4_500, Level::C),
        (1_500, Level::E), // D or E
    ];
    for (middle_mv, expected) in cases {
        for (_, settled_mv) in LEVELS {
            let mut bench = Bench::new(Output::DIGITAL, settled_mv, -12_000);
            bench.run(50);
            bench.wire.high_mv = middle_mv;
            bench.wire.noise = both_ways(900);
            let read = bench.run(300);
            assert!(read.iter().skip(1).all(|level| *level == expected), "{middle_mv}: {read:?}");
        }
    }
}

#[test]
fn a_plug_that_is_pulled_is_never_read_as_ready_again_and_as_a_within_20_ms() {
    let mut bench = Bench::new(Output::DIGITAL, 6_000, -12_000);
    for shift_ms in 0..10 {
        bench.wire.high_mv = 6_000;
        bench.run(40 + shift_ms);
        bench.wire.high_mv = 12_000;
        let read = bench.run(20);
        assert!(read.contains(&Level::A) && read.iter().skip(1).all(|level| *level == Level::A), "{read:?}");
        assert!(!read.contains(&Level::C) && !read.contains(&Level::B), "{read:?}");
    }
}

#[test]
fn a_missing_diode_is_e_and_one_sample_of_ten_is_enough() {
    let read = Bench::new(Output::DIGITAL, 6_000, -6_000).run(100);
    assert!(read.iter().all(|level| *level == Level::E) && !read.is_empty());
    let mut bench = Bench::new(Output::DIGITAL, 6_000, -12_000);
    let mut count = 0;
    bench.wire.noise = Box::new(move || {
        count += 1;
        // Every 20th sample, in the low phase: two samples in each period, the second is the low one.
        if count % 20 == 0 { 2_300 } else { 0 }
    });
    let read = bench.run(200);
    assert!(read.iter().all(|level| *level == Level::E) && read.len() >= 18, "{read:?}");
}

#[test]
fn noise_across_the_diodes_threshold_is_e_as_long_as_it_lasts() {
    let mut bench = Bench::new(Output::DIGITAL, 6_000, Level::LOW_PHASE_MV);
    bench.wire.noise = both_ways(200);
    let read = bench.run(300);
    assert!(read.iter().all(|level| *level == Level::E) && read.len() >= 28, "{read:?}");
}

#[test]
fn an_adc_that_is_stuck_is_e_while_the_pilot_pulses() {
    for stuck_mv in [0, 1_650, 2_400, 3_300] {
        let mut bench = Bench::new(Output::DIGITAL, 6_000, -12_000);
        assert_eq!(bench.run(50).last(), Some(&Level::C));
        bench.wire.broken = Some(Ok(stuck_mv));
        let read = bench.run(50);
        let expected = if stuck_mv == 0 { Level::F } else { Level::E };
        assert!(
            read.iter().skip(1).all(|level| *level == expected) && read.len() > 2,
            "{stuck_mv}: {read:?}"
        );
    }
}

#[test]
fn without_edges_conversions_in_time_or_an_adc_the_old_reading_stays_and_gets_old() {
    for which in 0..3 {
        let mut bench = Bench::new(Output::DIGITAL, 6_000, -12_000);
        bench.run(50);
        // A window that had begun may still complete one reading.
        match which {
            0 => bench.has_edges = false,
            1 => bench.wire.conversion_us = 30,
            _ => bench.wire.broken = Some(Err("no answer")),
        }
        bench.run(20);
        let before = bench.meter.reading().unwrap();
        assert_eq!((bench.run(300), before.value), (Vec::new(), Level::C), "{which}");
        assert_eq!(bench.meter.reading(), Some(before));
        assert!(Instant::from_micros(bench.now.get()).since(before.at) > session::MAX_AGE);
    }
}

#[test]
fn a_change_of_the_output_begins_a_new_window_after_two_periods() {
    let mut bench = Bench::new(Output::Steady, 9_000, -12_000);
    bench.run(35);
    let changed = Instant::from_micros(bench.now.get());
    bench.meter.drive(changed, Output::DIGITAL);
    // The PWM takes its new duty only now: earlier samples are not of a low phase.
    bench.run(2);
    bench.wire.output = Output::DIGITAL;
    let read = bench.run(100);
    assert!(read.iter().all(|level| *level == Level::B) && read.len() >= 9, "{read:?}");
    let first = bench.meter.reading().unwrap().at;
    assert!(first >= changed + Duration::from_millis(2));
    let voltages = bench.meter.voltages().unwrap();
    assert_eq!((voltages.high.count, voltages.low.unwrap().count), (10, 10));
}

#[test]
fn the_same_output_again_changes_nothing() {
    let mut bench = Bench::new(Output::DIGITAL, 9_000, -12_000);
    let mut read = Vec::new();
    for _ in 0..50 {
        read.extend(bench.run(3));
        bench.meter.drive(Instant::from_micros(bench.now.get()), Output::DIGITAL);
    }
    assert!(read.len() >= 14, "{read:?}");
}

#[test]
fn a_conversion_into_which_an_edge_falls_does_not_count() {
    let mut meter = PilotMeter::new(Scale { zero_mv: 0, microvolts_per_mv: 1_000 });
    meter.drive(Instant::ZERO, Output::Pwm(500));
    for ms in 10..60 {
        let edge = Instant::from_millis(ms);
        let at = |us: i64| Instant::from_micros(edge.as_micros().saturating_add_signed(us));
        meter.edge(edge);
        // The conversion began in the low phase and ended in the high one; the low phase has good samples.
        assert_eq!(meter.take(at(-5), at(30), 6_000), None);
        assert_eq!(meter.take(at(600), at(610), -12_000), None);
    }
}

#[test]
fn what_was_sampled_before_a_change_is_on_the_wire_does_not_count() {
    let mut meter = PilotMeter::new(Scale { zero_mv: 0, microvolts_per_mv: 1_000 });
    meter.drive(Instant::ZERO, Output::Negative);
    for us in 0..2_000 {
        let at = Instant::from_micros(us);
        assert_eq!(meter.take(at, at, 12_000), None);
    }
    let made: Vec<_> = (0..10)
        .filter_map(|us| {
            meter.take(Instant::from_micros(2_000 + us), Instant::from_micros(2_001 + us), -12_000)
        })
        .collect();
    assert_eq!(made, [Level::F]);
    assert_eq!(meter.reading().unwrap().at, Instant::from_micros(2_000), "the time of its first sample");
}

#[test]
fn the_divider_is_undone_and_saturates() {
    assert_eq!(Scale::PILOT.wire_mv(1_650), 0);
    assert_eq!(Scale::PILOT.wire_mv(3_150), 12_000);
    assert_eq!(Scale::PILOT.wire_mv(150), -12_000);
    let steep = Scale { zero_mv: i32::MIN, microvolts_per_mv: i32::MAX };
    assert_eq!((steep.wire_mv(i32::MAX), steep.wire_mv(i32::MIN)), (i32::MAX, 0));
    let falling = Scale { zero_mv: 0, microvolts_per_mv: i32::MIN };
    assert_eq!(falling.wire_mv(i32::MAX), i32::MIN);
}

proptest! {
    /// For any output of the ADC: "ready" needs ten samples that can be C or D and a valid low phase, A needs
    /// ten near 12 V.
    #[test]
    fn no_noise_makes_a_car_ready_or_a_plug_out(
        high in proptest::collection::vec(-13_000..13_000_i32, 30),
        low in proptest::collection::vec(prop_oneof![4 => Just(-12_000), 1 => -13_000..0_i32], 30),
    ) {
        let mut meter = PilotMeter::new(Scale { zero_mv: 0, microvolts_per_mv: 1_000 });
        meter.drive(Instant::ZERO, Output::DIGITAL);
        for (index, (high_mv, low_mv)) in high.iter().zip(&low).enumerate() {
            let edge = Instant::from_millis(10 + u64::try_from(index).unwrap());
            let at = |us| edge + Duration::from_micros(us);
            meter.edge(edge);
            meter.take(at(25), at(30), *high_mv);
            let Some(level) = meter.take(at(500), at(505), *low_mv) else { continue };
            let window = index - 9..=index;
            let (high, low) = (&high[window.clone()], &low[window]);
            let is_sound = low.iter().all(|mv| *mv <= Level::LOW_PHASE_MV);
            if level.is_ready() {
                prop_assert!(is_sound && high.iter().all(|mv| (1_200..=7_800).contains(mv)), "{level} of {high:?}");
            }
            if level == Level::A {
                prop_assert!(is_sound && high.iter().all(|mv| *mv >= 10_200), "{high:?}");
            }
        }
    }
}

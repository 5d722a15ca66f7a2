//! The two stages of the watchdog.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod board;

use board::{Delay, Did, World};
use hal_esp32p4::{Plan, PlanError, Side, Sign, Stage, Stages, Wanted, Watchdog, WatchdogError};
use machine::{Duration, Instant};
use session::Contactors;

/// A timer like the chip's: it counts from the last feeding.
#[derive(Debug, Default)]
struct Timer {
    started: Option<(Duration, Duration)>,
    feedings: u32,
    is_dead: bool,
}

impl Stages for &mut Timer {
    type Error = &'static str;

    fn start(&mut self, first: Duration, second: Duration) -> Result<(), &'static str> {
        self.started = Some((first, second));
        if self.is_dead { Err("no clock") } else { Ok(()) }
    }

    fn feed(&mut self) {
        self.feedings += 1;
    }
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

const SIDES: [Side; 2] = [Side::Charger, Side::Car];

#[test]
fn the_plan_of_each_side_is_safe_and_leaves_the_sequence_its_time() {
    for (side, second_ms) in [(Side::Charger, 200), (Side::Car, 2_100)] {
        let plan = Plan::of(side);
        assert_eq!((plan.first, plan.second), (Duration::from_millis(400), Duration::from_millis(second_ms)));
        assert_eq!(plan.check(side), Ok(()));
        assert!(plan.second > side.patience());
    }
}

#[test]
fn a_plan_that_drives_too_long_or_cuts_the_sequence_is_refused_before_the_timer_starts() {
    let ms = Duration::from_millis;
    let cases = [
        (Plan { first: ms(501), second: ms(2_100) }, PlanError::TooLate(ms(501))),
        (Plan { first: ms(19), second: ms(2_100) }, PlanError::TooEarly(ms(19))),
        (Plan { first: ms(400), second: ms(2_099) }, PlanError::CutsSafe(ms(2_099), ms(2_100))),
    ];
    for (plan, error) in cases {
        let mut timer = Timer::default();
        let started = Watchdog::new(&mut timer, plan).start(at(0), Side::Car);
        assert_eq!((started, timer.started), (Err(WatchdogError::Plan(error)), None));
    }
    assert_eq!(
        PlanError::TooLate(ms(501)).to_string(),
        "the first stage after 0.501 s is too late: it acts within 0.500 s"
    );
}

#[test]
fn a_timer_that_does_not_start_leaves_the_watchdog_off() {
    let mut timer = Timer { is_dead: true, ..Timer::default() };
    let mut watchdog = Watchdog::new(&mut timer, Plan::of(Side::Car));
    assert_eq!(watchdog.start(at(0), Side::Car), Err(WatchdogError::Hardware("no clock")));
    assert_eq!(watchdog.stage(at(9_999)), Stage::Off);
    watchdog.sign(at(1), Sign::Read);
    watchdog.sign(at(1), Sign::Applied);
    assert_eq!(timer.feedings, 0);
}

#[test]
fn only_a_loop_that_reads_and_applies_feeds_it() {
    let mut timer = Timer::default();
    let mut watchdog = Watchdog::new(&mut timer, Plan::of(Side::Charger));
    watchdog.start(at(0), Side::Charger).unwrap();
    for sign in [Sign::Read, Sign::Applied] {
        let mut timer = Timer::default();
        let mut watchdog = Watchdog::new(&mut timer, Plan::of(Side::Charger));
        watchdog.start(at(0), Side::Charger).unwrap();
        for ms in 0..400 {
            watchdog.sign(at(ms), sign);
        }
        assert_eq!((watchdog.stage(at(400)), timer.feedings), (Stage::Safe, 0), "{sign:?} alone");
    }
    for ms in 0..10_000 {
        watchdog.sign(at(ms), Sign::Read);
        watchdog.sign(at(ms), Sign::Applied);
        assert_eq!(watchdog.stage(at(ms)), Stage::Running);
    }
    assert_eq!(timer.feedings, 10_000);
}

#[test]
fn silence_makes_safe_then_resets_and_nothing_feeds_any_more() {
    for side in SIDES {
        let plan = Plan::of(side);
        let (first, second) = (plan.first.as_millis(), plan.second.as_millis());
        let mut timer = Timer::default();
        let mut watchdog = Watchdog::new(&mut timer, plan);
        assert_eq!(watchdog.stage(at(0)), Stage::Off);
        watchdog.start(at(1_000), side).unwrap();
        let stages = [
            (1_000, Stage::Running),
            (999 + first, Stage::Running),
            (1_000 + first, Stage::Safe),
            (999 + first + second, Stage::Safe),
            (1_000 + first + second, Stage::Reset),
        ];
        for (ms, stage) in stages {
            assert_eq!(watchdog.stage(at(ms)), stage, "{ms}");
        }
        watchdog.sign(at(1_000 + first), Sign::Read);
        watchdog.sign(at(1_000 + first), Sign::Applied);
        assert_eq!((watchdog.stage(at(1_001 + first)), timer.feedings), (Stage::Safe, 0));
    }
}

#[test]
fn the_first_stage_has_made_the_board_safe_before_the_second_resets() {
    for side in SIDES {
        let world = World::new();
        let mut outputs = world.armed(side);
        outputs
            .apply(at(0), &Wanted { contactors: Contactors::Closed, relay: true, ..Wanted::SAFE })
            .unwrap();
        let plan = Plan::of(side);
        let mut timer = Timer::default();
        let mut watchdog = Watchdog::new(&mut timer, plan);
        watchdog.start(at(0), side).unwrap();
        // The loop hangs here. The interrupt has only the registers, and no current sensor.
        let interrupt_at = at(0) + plan.first;
        assert_eq!(watchdog.stage(interrupt_at), Stage::Safe);
        let mut parts = world.parts(side);
        world.log.take();
        parts.make_safe(&mut || None, &mut Delay(world.log.clone()));
        let log = world.log.take();
        assert!(World::on(&log).is_empty() && log.contains(&Did::Pin("contactor -", false)), "{log:?}");
        let took = u64::try_from(log.iter().filter(|did| **did == Did::Waited).count()).unwrap();
        assert_eq!(watchdog.stage(interrupt_at + Duration::from_millis(took)), Stage::Safe, "not reset yet");
    }
}

#[test]
fn a_loop_that_runs_the_sequence_itself_feeds_the_watchdog_from_its_wait() {
    for feeds in [true, false] {
        let world = World::new();
        let mut outputs = world.armed(Side::Car);
        outputs.apply(at(0), &Wanted { contactors: Contactors::Closed, ..Wanted::SAFE }).unwrap();
        let mut timer = Timer::default();
        let mut watchdog = Watchdog::new(&mut timer, Plan::of(Side::Car));
        watchdog.start(at(0), Side::Car).unwrap();
        let (mut ms, mut has_acted) = (0, false);
        let mut current = || {
            ms += 1;
            if feeds {
                watchdog.sign(at(ms), Sign::Read);
                watchdog.sign(at(ms), Sign::Applied);
            }
            has_acted |= watchdog.stage(at(ms)) != Stage::Running;
            Some(50_000)
        };
        outputs.make_safe(&mut current, &mut Delay(world.log.clone()));
        assert_eq!((ms, has_acted), (2_001, !feeds));
    }
}

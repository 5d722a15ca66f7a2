use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

impl Snapshot for i32 {
    fn wakes_after(&self, before: &Self) -> bool {
        self != before
    }
}

/// A call of the hardware.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Apply(i32),
    Safe,
}

/// Hardware that blocks in each reading until the test allows it to continue.
struct Slow {
    asked: Sender<Asked>,
    go_on: Receiver<i32>,
    panics_at: i32,
    heartbeat: Heartbeat,
}

impl PlantBackend for Slow {
    type Demand = i32;
    type Reading = i32;

    fn apply(&mut self, _now: Instant, demand: &i32) -> Result<(), PlantFault> {
        let _ = self.asked.send(Asked::Apply(*demand));
        Ok(())
    }

    fn read(&mut self, _now: Instant) -> Result<i32, PlantFault> {
        // The other end was dropped: the test is over.
        let reading = self.go_on.recv().unwrap_or_default();
        assert_ne!(reading, self.panics_at, "the driver's bug");
        if reading < 0 { Err(PlantFault("no answer".into())) } else { Ok(reading) }
    }

    fn make_safe(&mut self, _now: Instant) {
        let _ = self.asked.send(Asked::Safe);
    }

    fn heartbeat(&self) -> Heartbeat {
        self.heartbeat
    }
}

const NEVER: i32 = i32::MAX;
const LONG: Duration = Duration::from_millis(500);
/// Longer than a test lasts: only a demand starts a cycle.
const HOUR: Duration = Duration::from_hours(1);

struct Bench {
    plant: Threaded<i32, i32>,
    clock: Clock,
    asked: Receiver<Asked>,
    go_on: Sender<i32>,
}

/// A plant whose first reading is 1.
fn bench(panics_at: i32, heartbeat: Duration, period: Duration) -> Bench {
    let ((tell, asked), (go_on, wait)) = (channel(), channel());
    let slow = Slow { asked: tell, go_on: wait, panics_at, heartbeat: Heartbeat::Within(heartbeat) };
    go_on.send(1).unwrap();
    let clock = Clock::start();
    let plant = Threaded::start(slow, clock, period).unwrap();
    assert_eq!(asked.recv(), Ok(Asked::Apply(0)));
    Bench { plant, clock, asked, go_on }
}

impl Bench {
    fn wait_for_wake(&self) {
        let fd = self.plant.wakes().unwrap();
        crate::wait(&[fd], Duration::from_mins(1)).unwrap();
    }
}

#[test]
fn a_demand_reaches_hardware_that_blocks_and_the_loop_never_waits() {
    let Bench { mut plant, clock, asked, go_on } = bench(NEVER, LONG, HOUR);
    let now = clock.now();
    assert_eq!(plant.read(now), Ok(1));
    plant.apply(now, &7).unwrap();
    assert_eq!(asked.recv(), Ok(Asked::Apply(7)));
    // The hardware blocks in its reading now. The demand is a level, so only the last one counts.
    for volts in 8..=20 {
        plant.apply(now, &volts).unwrap();
        assert_eq!(plant.read(now), Ok(1), "the latest there is");
    }
    go_on.send(2).unwrap();
    assert_eq!(asked.recv(), Ok(Asked::Apply(20)));
    go_on.send(3).unwrap();
}

#[test]
fn a_change_that_matters_wakes_the_loop() {
    let mut bench = bench(NEVER, LONG, HOUR);
    bench.wait_for_wake();
    assert_eq!(bench.plant.read(bench.clock.now()), Ok(1));
    bench.plant.apply(bench.clock.now(), &5).unwrap();
    bench.go_on.send(2).unwrap();
    bench.wait_for_wake();
    assert_eq!(bench.plant.read(bench.clock.now()), Ok(2));
}

#[test]
fn a_fault_of_the_hardware_wakes_the_loop_and_is_passed_on() {
    let mut bench = bench(NEVER, LONG, HOUR);
    bench.wait_for_wake();
    bench.plant.read(bench.clock.now()).unwrap();
    bench.plant.apply(bench.clock.now(), &5).unwrap();
    bench.go_on.send(-1).unwrap();
    bench.wait_for_wake();
    assert_eq!(bench.plant.read(bench.clock.now()), Err(PlantFault("no answer".into())));
}

#[test]
fn a_panic_of_the_driver_is_a_fault_and_the_hardware_is_made_safe() {
    let mut bench = bench(666, LONG, HOUR);
    bench.wait_for_wake();
    bench.plant.read(bench.clock.now()).unwrap();
    bench.plant.apply(bench.clock.now(), &5).unwrap();
    bench.go_on.send(666).unwrap();
    bench.wait_for_wake();
    let words = bench.plant.read(bench.clock.now()).unwrap_err().to_string();
    assert!(
        words.starts_with("the plant's program failed: ") && words.contains("the driver's bug"),
        "{words}"
    );
    assert_eq!(bench.asked.recv(), Ok(Asked::Apply(5)));
    assert_eq!(bench.asked.recv(), Ok(Asked::Safe));
    bench.plant.make_safe(bench.clock.now());
}

#[test]
fn hardware_that_hangs_is_a_fault_after_its_heartbeat() {
    let mut bench = bench(NEVER, LONG, HOUR);
    let now = bench.clock.now();
    bench.plant.apply(now, &5).unwrap();
    assert_eq!(bench.asked.recv(), Ok(Asked::Apply(5)));
    let late = now + machine::Duration::from_millis(5_000);
    let words = bench.plant.read(late).unwrap_err().to_string();
    assert!(words.contains("has not answered for "), "{words}");
    bench.go_on.send(2).unwrap();
}

#[test]
fn a_loop_that_is_silent_makes_the_hardware_safe_until_it_demands_nothing_energised() {
    let period = Duration::from_millis(1);
    let mut bench = bench(NEVER, Duration::from_millis(50), period);
    bench.plant.apply(bench.clock.now(), &5).unwrap();
    std::thread::scope(|scope| {
        let go_on = bench.go_on.clone();
        let feed = scope.spawn(move || {
            // As many readings as the test can use, in portions, because the channel never blocks the sender.
            for _ in 0..200_000 {
                if go_on.send(1).is_err() {
                    break;
                }
            }
        });
        // No sign of life from here on.
        let first_safe =
            std::iter::repeat_with(|| bench.asked.recv().unwrap()).position(|asked| asked == Asked::Safe);
        assert!(first_safe.is_some());
        // The loop resumes, and still demands what it did before.
        let late = bench.clock.now();
        bench.plant.apply(late, &5).unwrap();
        let words =
            std::iter::repeat_with(|| bench.plant.read(bench.clock.now())).find_map(Result::err).unwrap();
        assert_eq!(words.to_string(), SILENT);
        while let Ok(asked) = bench.asked.try_recv() {
            assert_eq!(asked, Asked::Apply(0), "nothing energised");
        }
        bench.plant.apply(bench.clock.now(), &0).unwrap();
        let good = std::iter::repeat_with(|| bench.plant.read(bench.clock.now())).find_map(Result::ok);
        assert_eq!(good, Some(1));
        bench.plant.apply(bench.clock.now(), &6).unwrap();
        assert!(
            std::iter::repeat_with(|| {
                bench.plant.read(bench.clock.now()).unwrap();
                bench.asked.try_recv()
            })
            .any(|asked| asked == Ok(Asked::Apply(6)))
        );
        feed.join().unwrap();
    });
}

#[test]
fn safe_is_done_when_make_safe_returns_and_dropping_joins_the_thread() {
    let Bench { mut plant, clock, asked, go_on } = bench(NEVER, LONG, HOUR);
    plant.apply(clock.now(), &5).unwrap();
    go_on.send(1).unwrap();
    assert_eq!(asked.recv(), Ok(Asked::Apply(5)));
    plant.make_safe(clock.now());
    assert_eq!(asked.try_recv(), Ok(Asked::Safe));
    drop(go_on);
    drop(plant);
    assert_eq!(asked.iter().last(), Some(Asked::Safe), "and its hardware is gone with it");
}

#[test]
fn hardware_without_a_heartbeat_gets_no_thread() {
    let ((tell, _asked), (_go_on, wait)) = (channel(), channel());
    let slow = Slow { asked: tell, go_on: wait, panics_at: NEVER, heartbeat: Heartbeat::Absent };
    assert!(matches!(Threaded::start(slow, Clock::start(), HOUR), Err(Error::NoHeartbeat)));
}

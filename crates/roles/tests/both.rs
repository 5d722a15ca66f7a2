//! A charger and a car on one cable, both our own, frame by frame. Other tests check what each does with the
//! other's bytes; this one checks that both roles connect and disconnect.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::cell::RefCell;

use control_pilot::{Level, Output};
use evse_fsm::{Insulation, Isolation};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use pev_fsm::{Operator, Vehicle};
use roles::{
    Evse, EvseConfig, EvseInput, EvseStorage, MAX_FRAME, Mac, Pev, PevConfig, PevInput, PevLink, PevStorage,
    Watch,
};
use session::{Cause, Contactors, Direction, Limits, Lock, Phase, Reading, Target};

const BATTERY_MV: i32 = 355_000;
const STEP: Duration = Duration::from_millis(10);

/// Both roles, the cable between them, and the plant of both.
struct Bench<'a> {
    now: Instant,
    evse: Evse<'a>,
    pev: Pev<'a>,
    entropy: ScriptedEntropy<'static>,
    plugged: bool,
    /// Which of the car's frames arrive.
    passes: Pass,
    done: bool,
    /// Voltage on the cable and current into the car.
    cable_mv: i32,
    current_ma: i32,
    charged_ma_steps: u64,
    phases: Vec<Phase>,
    log: Vec<String>,
}

impl<'a> Bench<'a> {
    fn new(evse: &'a mut EvseStorage<'a>, pev: &'a mut PevStorage<'a>) -> Self {
        let now = Instant::ZERO;
        let mut entropy = ScriptedEntropy::new(&[3, 1, 4, 1, 5, 9, 2, 6]);
        let mut cx = Cx { now, entropy: &mut entropy };
        let charger = EvseConfig::new(Mac([2, 0, 0, 0, 0, 0x5E]));
        let evse = Evse::new(&mut cx, charger, evse).unwrap();
        let car = PevConfig { link: PevLink::Up, ..PevConfig::new(Mac([2, 0, 0, 0, 0, 0xE1])) };
        let pev = Pev::new(&mut cx, car, pev).unwrap();
        Self {
            now,
            evse,
            pev,
            entropy,
            plugged: false,
            passes: |_| true,
            done: false,
            cable_mv: 0,
            current_ma: 0,
            charged_ma_steps: 0,
            phases: Vec::new(),
            log: Vec::new(),
        }
    }

    fn tell_car(&mut self, word: Operator) {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.pev.handle(&mut cx, PevInput::Operator(word));
    }

    /// The simplest physics: the voltage follows the stronger side, the current is what the charger supplies.
    fn physics(&mut self) {
        let (charger, car) = (self.evse.demand(), self.pev.demand());
        let (out, inlet) = (charger.contactors == Contactors::Closed, car.contactors == Contactors::Closed);
        self.cable_mv = match (out, inlet) {
            (_, true) => BATTERY_MV,
            (true, false) => charger.supply.voltage_mv,
            (false, false) => 0,
        };
        let flows = out && inlet && charger.supply.voltage_mv > BATTERY_MV;
        self.current_ma = if flows { charger.supply.current_ma } else { 0 };
        self.charged_ma_steps += u64::try_from(self.current_ma).unwrap();
    }

    fn step(&mut self) {
        self.now += STEP;
        self.physics();
        let (at, charger, car) = (self.now, self.evse.demand(), self.pev.demand());
        let read = |value| Some(Reading::new(value, at));
        let yes = |value| Some(Reading::new(value, at));
        let level = if self.plugged { car.pilot } else { Level::A };
        let plant = evse_fsm::Plant {
            pilot: Some(Reading::new(level, at)),
            voltage_mv: read(self.cable_mv),
            current_ma: read(self.current_ma),
            isolation: Some(Reading::new(Insulation::of(Isolation::Valid), at)),
            contactors: yes(charger.contactors == Contactors::Closed),
            lock: yes(charger.lock == Lock::Held),
            emergency_stop: yes(false),
            ..evse_fsm::Plant::default()
        };
        self.evse.handle(&mut Cx { now: at, entropy: &mut self.entropy }, EvseInput::Plant(plant));
        let pilot = if self.plugged { charger.pilot } else { Output::Zero };
        let plant = pev_fsm::Plant {
            pilot: Some(Reading::new(pilot, at)),
            inlet_mv: read(self.cable_mv),
            current_ma: read(self.current_ma),
            contactors: yes(car.contactors == Contactors::Closed),
            lock: yes(car.lock == Lock::Held),
            emergency_stop: yes(false),
            ..pev_fsm::Plant::default()
        };
        let vehicle = self.vehicle();
        self.pev.handle(&mut Cx { now: at, entropy: &mut self.entropy }, PevInput::Vehicle(vehicle));
        self.pev.handle(&mut Cx { now: at, entropy: &mut self.entropy }, PevInput::Plant(plant));
        self.evse.handle_timeout(&mut Cx { now: at, entropy: &mut self.entropy });
        self.pev.handle_timeout(&mut Cx { now: at, entropy: &mut self.entropy });
        self.exchange();
    }

    fn vehicle(&self) -> Vehicle {
        Vehicle {
            at: self.now,
            limits: Limits {
                max_voltage_mv: 410_000,
                max_current_ma: 100_000,
                max_power_w: 40_000,
                ..Limits::NONE
            },
            battery_mv: Some(BATTERY_MV),
            target: Target { voltage_mv: 400_000, current_ma: 80_000 },
            soc_percent: 42,
            capacity_wh: 28_000,
            request_wh: 5_000,
            full_soc_percent: Some(80),
            bulk_soc_percent: None,
            full_in_s: None,
            bulk_in_s: None,
            is_done: self.done,
            error: 0,
        }
    }

    /// Exchanges frames until neither side has any more.
    fn exchange(&mut self) {
        let mut buffer = [0; MAX_FRAME];
        loop {
            let mut moved = false;
            while let Some((len, ())) = self.evse.poll_transmit(&mut buffer).unwrap() {
                moved = true;
                let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
                self.pev.handle(&mut cx, PevInput::Frame(&buffer[..len]));
            }
            while let Some((len, ())) = self.pev.poll_transmit(&mut buffer).unwrap() {
                moved = true;
                if (self.passes)(&buffer[..len]) {
                    let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
                    self.evse.handle(&mut cx, EvseInput::Frame(&buffer[..len]));
                }
            }
            if !moved {
                break;
            }
        }
        while let Some(event) = self.evse.poll_event() {
            self.log.push(format!("{} evse {:?}", self.now, event.what));
        }
        while let Some(event) = self.pev.poll_event() {
            self.log.push(format!("{} pev {event:?}", self.now));
        }
        if self.phases.last() != Some(&self.pev.phase()) {
            self.phases.push(self.pev.phase());
        }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis / STEP.as_millis() {
            self.step();
        }
    }

    fn until(&mut self, millis: u64, wanted: impl Fn(&Self) -> bool) {
        for _ in 0..millis / STEP.as_millis() {
            self.step();
            if wanted(self) {
                return;
            }
        }
        panic!("never reached:\n{}", self.log.join("\n"));
    }
}

fn with_bench(test: impl FnOnce(&mut Bench<'_>)) {
    let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
    test(&mut Bench::new(&mut evse, &mut pev));
}

#[test]
fn a_whole_session_charges_and_ends_in_order_on_both_sides() {
    with_bench(|bench| {
        bench.run(1000);
        bench.plugged = true;
        bench.until(60_000, |bench| bench.current_ma > 50_000);
        bench.run(5000);
        assert_eq!((bench.evse.phase(), bench.pev.phase()), (Phase::ChargeLoop, Phase::ChargeLoop));
        bench.done = true;
        bench.until(20_000, |bench| bench.pev.phase() == Phase::Ended && bench.evse.phase() == Phase::Ended);
        for reason in [bench.evse.stop_reason().unwrap(), bench.pev.stop_reason().unwrap()] {
            assert_eq!((reason.cause, reason.exit_code()), (Cause::Finished, 0), "{}", bench.log.join("\n"));
        }
        assert!(bench.charged_ma_steps > 0);
        assert_eq!(bench.pev.demand().lock, Lock::Released);
    });
}

#[test]
fn a_plug_that_is_pulled_in_the_loop_ends_both_safely_and_the_next_session_works() {
    with_bench(|bench| {
        bench.plugged = true;
        bench.until(60_000, |bench| bench.current_ma > 10_000);
        bench.plugged = false;
        bench.run(2500);
        assert!(!bench.evse.demand().is_energised() && !bench.pev.demand().is_energised());
        assert_eq!(bench.current_ma, 0);
        bench.run(30_000);
        bench.plugged = true;
        bench.until(60_000, |bench| bench.current_ma > 10_000);
    });
}

#[test]
fn after_an_orderly_end_the_next_offer_of_5_percent_begins_a_new_session() {
    with_bench(|bench| {
        bench.plugged = true;
        bench.until(60_000, |bench| bench.current_ma > 10_000);
        bench.done = true;
        bench.until(20_000, |bench| bench.pev.phase() == Phase::Ended && bench.evse.phase() == Phase::Ended);
        bench.done = false;
        bench.until(90_000, |bench| bench.current_ma > 10_000);
    });
}

#[test]
fn a_car_that_its_driver_has_stopped_begins_nothing_until_it_is_wanted_or_the_plug_was_out() {
    type Change = fn(&mut Bench<'_>);
    let replug: Change = |bench| {
        bench.plugged = false;
        bench.run(1000);
        bench.plugged = true;
    };
    let again: [Change; 2] = [|bench| bench.tell_car(Operator::Start), replug];
    for again in again {
        for is_charging in [false, true] {
            with_bench(|bench| {
                bench.plugged = true;
                if is_charging {
                    bench.until(60_000, |bench| bench.current_ma > 10_000);
                }
                bench.run(100);
                bench.tell_car(Operator::Stop);
                bench.run(20_000);
                assert_eq!(bench.current_ma, 0);
                let charged = bench.charged_ma_steps;
                // Three offers of 5 % later.
                bench.run(120_000);
                assert_eq!(bench.charged_ma_steps, charged, "{}", bench.log.join("\n"));
                let reason = bench.pev.stop_reason();
                assert!(reason.is_none_or(|reason| reason.cause == Cause::OperatorStop), "{reason:?}");
                again(bench);
                bench.until(90_000, |bench| bench.current_ma > 10_000);
            });
        }
    }
}

/// Which frames pass.
type Pass = fn(&[u8]) -> bool;

/// IPv6's next header.
fn is_tcp(frame: &[u8]) -> bool {
    frame.get(20) == Some(&6)
}

#[test]
fn a_car_that_nobody_answers_or_connects_says_why_and_goes_on_trying() {
    let cases: [(Pass, Cause, u64, u8); 2] = [
        (|_| false, Cause::NoDiscovery, 14_000, 64),
        (|frame| !is_tcp(frame), Cause::NoConnection, 17_000, 65),
    ];
    for (passes, cause, millis, code) in cases {
        with_bench(|bench| {
            bench.plugged = true;
            bench.passes = passes;
            bench.until(millis, |bench| bench.pev.stop_reason().is_some());
            let reason = bench.pev.stop_reason().unwrap();
            assert_eq!((reason.cause, reason.exit_code()), (cause, code));
            assert!(bench.log.iter().any(|line| line.contains("Session(Stopped(")), "the last line of a log");
            bench.until(60_000, |bench| {
                bench.log.iter().filter(|line| line.contains("Session(Stopped(")).count() == 2
            });
            assert!(!bench.pev.demand().is_energised() && !bench.evse.demand().is_energised());
            bench.passes = |_| true;
            bench.until(60_000, |bench| bench.current_ma > 10_000);
            assert_eq!(bench.pev.stop_reason(), None, "a session is under way");
        });
    }
}

#[test]
fn a_car_whose_interface_stays_down_says_so_and_not_that_nobody_answers() {
    for is_charging in [true, false] {
        with_bench(|bench| {
            bench.plugged = true;
            let current_ma = if is_charging { 10_000 } else { 0 };
            bench.until(60_000, |bench| bench.current_ma >= current_ma);
            bench.passes = |_| false;
            for _ in 0..300 {
                let mut cx = Cx { now: bench.now, entropy: &mut bench.entropy };
                bench.pev.handle(&mut cx, PevInput::InterfaceDown);
                bench.run(200);
            }
            let cause = bench.pev.stop_reason().map(|reason| reason.cause);
            assert_eq!(cause, is_charging.then_some(Cause::InterfaceDown), "{}", bench.log.join("\n"));
            bench.passes = |_| true;
            bench.until(60_000, |bench| bench.current_ma > 10_000);
        });
    }
}

/// Messages that one side has received or sent, in its order.
#[derive(Default)]
struct Seen(RefCell<Vec<(Direction, Vec<u8>)>>);

impl Watch for Seen {
    fn message(&self, _at: Instant, direction: Direction, payload_type: u16, document: &[u8]) {
        assert_eq!(payload_type, 0x8001);
        self.0.borrow_mut().push((direction, document.to_vec()));
    }
}

#[test]
fn what_one_side_sends_the_other_takes_and_both_watchers_see_all_of_it() {
    let (at_charger, at_car) = (Seen::default(), Seen::default());
    let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
    let mut bench = Bench::new(&mut evse, &mut pev);
    bench.evse.watch(&at_charger);
    bench.pev.watch(&at_car);
    bench.plugged = true;
    bench.until(60_000, |bench| bench.current_ma > 10_000);
    bench.done = true;
    bench.until(20_000, |bench| bench.pev.phase() == Phase::Ended && bench.evse.phase() == Phase::Ended);
    let (mut mirrored, at_charger) = (at_car.0.take(), at_charger.0.take());
    for (direction, _) in &mut mirrored {
        *direction = match direction {
            Direction::Received => Direction::Sent,
            Direction::Sent => Direction::Received,
        };
    }
    assert_eq!(at_charger, mirrored);
    assert!(at_charger.len() > 40, "{} messages", at_charger.len());
}

//! The car's own contactors during a stop, contactors that do not follow their command, and the latches for
//! that.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, NAMES};
use machine::Duration;
use pev_fsm::{Contactors, Event, Input, Latch, Lock, Operator};
use session::Cause;

#[test]
fn a_welded_contactor_of_its_own_is_latched_and_stays_locked() {
    let mut bench = Bench::at("PowerOff");
    bench.contactors_stuck = Some(true);
    bench.end();
    assert_eq!(bench.car.latched(), Some(Latch::Contactors));
    bench.run(60_000);
    assert_eq!(bench.car.demand().lock, Lock::Held);
    bench.input(Input::Operator(Operator::Reset));
    assert!(!bench.car.may_begin());
}

/// A car whose contactors were commanded to close and have not confirmed it.
fn closing() -> Bench {
    let mut bench = Bench::at("PreChargeReq");
    bench.contactors_stuck = Some(false);
    while bench.car.demand().contactors == Contactors::Open {
        bench.tick();
    }
    bench
}

#[test]
fn contactors_that_never_confirmed_are_told_to_open_with_the_stop_itself() {
    type Fault = fn(&mut Bench);
    let table: [(Fault, u64); 3] = [
        (|bench| bench.input(Input::Operator(Operator::Stop)), 0),
        (|bench| bench.emergency_stop = true, 20),
        (|bench| bench.missing = Some(2), 230),
    ];
    for (number, (fault, millis)) in table.into_iter().enumerate() {
        let mut bench = closing();
        fault(&mut bench);
        bench.run(millis);
        bench.assert_safe(&number.to_string());
        let unknown = bench.events.contains(&Event::EmergencyOpening { current_ma: None });
        assert_eq!(unknown, number == 2, "an unknown current is recorded");
    }
}

#[test]
fn contactors_that_close_although_they_were_told_to_open_are_found() {
    let mut bench = closing();
    bench.contactors_stuck = Some(true);
    bench.input(Input::Operator(Operator::Stop));
    bench.assert_safe("told to open");
    bench.run(1_990);
    assert_eq!(bench.car.latched(), None);
    bench.run(20);
    assert_eq!(bench.car.latched(), Some(Latch::Contactors));
    assert!(!bench.names().contains(&"SessionStopReq"), "nothing is said before they are known to be open");
}

#[test]
fn a_weld_behind_an_emergency_stop_is_latched_too_and_no_reset_hides_it() {
    let mut bench = Bench::at("CurrentDemandReq");
    bench.run(500);
    bench.contactors_stuck = Some(true);
    bench.input(Input::Operator(Operator::EmergencyStop));
    bench.end();
    let latches: Vec<_> = bench.events.iter().filter(|event| matches!(event, Event::Latched(_))).collect();
    assert_eq!(latches, [&Event::Latched(Latch::EmergencyStop), &Event::Latched(Latch::Contactors)]);
    bench.run(15_000);
    bench.input(Input::Operator(Operator::Reset));
    assert_eq!(bench.car.latched(), Some(Latch::Contactors));
    bench.contactors_stuck = None;
    bench.run(100);
    bench.input(Input::Operator(Operator::Reset));
    assert!(bench.car.may_begin());
}

#[test]
fn a_lesser_latch_does_not_take_the_place_of_a_worse_one() {
    let mut bench = Bench::at("PowerOff");
    bench.contactors_stuck = Some(true);
    bench.end();
    bench.emergency_stop = true;
    bench.run(100);
    assert_eq!(bench.car.latched(), Some(Latch::Contactors));
    (bench.contactors_stuck, bench.inlet_mv) = (None, Some(0));
    bench.run(100);
    bench.input(Input::Operator(Operator::Reset));
    bench.run(20);
    assert_eq!(bench.car.latched(), Some(Latch::EmergencyStop), "a pressed button latches again by itself");
}

#[test]
fn contactors_that_are_closed_although_nobody_told_them_to_be_are_latched_unless_they_bounce() {
    let mut bench = Bench::new();
    bench.contactors_stuck = Some(true);
    bench.run(50);
    assert_eq!(bench.car.latched(), None);
    bench.run(100);
    assert_eq!(bench.car.latched(), Some(Latch::Contactors));
    bench.connect();
    assert!(bench.sent.is_empty());
    for name in &NAMES[..8] {
        let mut bench = Bench::at(name);
        bench.contactors_stuck = Some(true);
        bench.run(150);
        bench.assert_safe(name);
        let cause = bench.car.stop_reason().map(|stop| stop.cause);
        // With closed contactors the battery's voltage is at the inlet.
        assert!(matches!(cause, Some(Cause::Contactor | Cause::WeldSuspected)), "{name}: {cause:?}");
        assert_eq!(bench.car.latched(), Some(Latch::Contactors), "{name}");
    }
}

#[test]
fn a_voltage_at_the_inlet_before_pilot_c_holds_the_session_off_until_it_is_gone() {
    let mut bench = Bench::new();
    for inlet_mv in [60_000, -60_000] {
        bench.inlet_mv = Some(inlet_mv);
        bench.run(20);
        assert!(!bench.car.may_begin());
    }
    bench.connect();
    assert!(bench.events.contains(&Event::Dropped(pev_fsm::Dropped::Connection)));
    bench.run(20);
    bench.inlet_mv = Some(59_999);
    bench.run(20);
    assert!(bench.car.may_begin());
    bench.latency = Duration::from_millis(100);
    bench.start_to("ChargeParameterDiscoveryReq");
    bench.inlet_mv = Some(60_000);
    assert_eq!(bench.end().cause, Cause::WeldSuspected);
    assert!(!bench.names().contains(&"CableCheckReq"));
}

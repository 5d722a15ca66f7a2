//! Latches: which causes set them, for how long, and their events.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD};
use control_pilot::{Level, Output};
use evse_fsm::{Closed, Event, Input, Isolation, Latch, Operator};
use exi_din::ResponseCode;

/// A session that fails in its isolation test, from the handshake on; the car leaves.
fn fail(bench: &mut Bench, change: fn(&mut Bench)) {
    bench.pass_all(&GOOD[..5]);
    bench.pilot = Level::C;
    bench.run(40);
    change(bench);
    while bench.ask("CableCheckReq").unwrap().1 == ResponseCode::Ok {
        bench.run(100);
    }
    leave(bench);
}

fn leave(bench: &mut Bench) {
    let _ = bench.ask("SessionStopReq");
    bench.input(Input::Closed(Closed::Fin));
    (bench.measured_mv, bench.contactors_stuck) = (None, None);
    bench.isolation = Isolation::Valid;
    bench.pilot = Level::B;
    bench.run(10_000);
}

fn offers(bench: &Bench) -> bool {
    bench.charger.demand().pilot == Output::DIGITAL
}

type Change = fn(&mut Bench);
const FAULTS: [(Change, Latch); 4] = [
    (|bench| bench.isolation = Isolation::Fault, Latch::Isolation),
    (|bench| bench.measured_mv = Some(0), Latch::Voltage),
    (|bench| bench.contactors_stuck = Some(false), Latch::Contactors),
    (|bench| bench.measured_mv = Some(60_000), Latch::VoltagePresent),
];

#[test]
fn a_test_that_fails_twice_latches_until_a_reset_or_until_the_plug_was_out() {
    for (change, latch) in FAULTS {
        for reset in [true, false] {
            let mut bench = Bench::connected();
            fail(&mut bench, change);
            assert!(offers(&bench), "{latch:?}: one more try");
            bench.reopen();
            fail(&mut bench, change);
            assert!(bench.has_said(Event::Latched(latch)), "{latch:?} {:?}", bench.events);
            bench.run(600_000);
            assert!(!offers(&bench), "{latch:?}");
            if reset {
                bench.input(Input::Operator(Operator::Reset));
            } else {
                bench.pilot = Level::A;
                bench.run(1_000);
            }
            assert!(bench.has_said(Event::Unlatched(latch)));
            bench.pilot = Level::B;
            bench.run(5_000);
            assert!(offers(&bench), "{latch:?}");
            // The count starts again.
            bench.reopen();
            fail(&mut bench, change);
            assert!(offers(&bench), "{latch:?}");
        }
    }
}

#[test]
fn a_session_that_charges_in_order_clears_the_count() {
    let (change, latch) = FAULTS[0];
    let mut bench = Bench::connected();
    fail(&mut bench, change);
    bench.reopen();
    bench.pass_all(GOOD);
    leave(&mut bench);
    bench.reopen();
    fail(&mut bench, change);
    assert!(!bench.has_said(Event::Latched(latch)));
    assert!(offers(&bench));
}

#[test]
fn a_session_that_ends_before_it_charges_clears_nothing() {
    let (change, latch) = FAULTS[0];
    let mut bench = Bench::connected();
    fail(&mut bench, change);
    bench.reopen();
    bench.pass_all(&GOOD[..6]);
    bench.pilot = Level::B;
    bench.run(100);
    leave(&mut bench);
    bench.reopen();
    fail(&mut bench, change);
    assert!(bench.has_said(Event::Latched(latch)));
}

#[test]
fn what_was_latched_before_the_start_is_given_back_and_holds_with_the_plug_out_or_in() {
    for latch in [Latch::NoCurrent, Latch::OutOfRange, Latch::EmergencyStop, Latch::Unreadable] {
        let mut bench = Bench::unplugged(|_| {});
        bench.input(Input::Operator(Operator::Latch(latch)));
        bench.run(500);
        bench.pilot = Level::B;
        bench.run(5_000);
        assert!(!offers(&bench), "{latch:?}");
        bench.input(Input::Connected);
        assert!(bench.charger.wants_close());
        bench.input(Input::Operator(Operator::Reset));
        assert!(bench.has_said(Event::Unlatched(latch)));
        bench.run(5_000);
        assert!(offers(&bench), "{latch:?}");
    }
}

#[test]
fn an_emergency_stop_that_was_released_and_a_worse_latch_take_the_place_of_one_before() {
    let mut bench = Bench::connected();
    bench.input(Input::Operator(Operator::Latch(Latch::OutOfRange)));
    bench.input(Input::Operator(Operator::EmergencyStop));
    assert!(bench.has_said(Event::Latched(Latch::EmergencyStop)));
    bench.events.clear();
    bench.input(Input::Operator(Operator::Latch(Latch::Isolation)));
    assert!(!bench.has_said(Event::Latched(Latch::Isolation)), "the worse one stays");
    bench.input(Input::Operator(Operator::Reset));
    assert!(bench.has_said(Event::Unlatched(Latch::EmergencyStop)));
}

#[test]
fn a_suspect_sensor_outlasts_a_worse_latch_and_holds_the_plug_below_it() {
    let mut bench = Bench::connected();
    bench.input(Input::Operator(Operator::Latch(Latch::Suspect)));
    bench.input(Input::Operator(Operator::Latch(Latch::Contactors)));
    bench.events.clear();
    assert_eq!(bench.charger.demand().lock, session::Lock::Held);
    bench.input(Input::Operator(Operator::Reset));
    assert!(bench.has_said(Event::Unlatched(Latch::Contactors)));
    assert!(bench.has_said(Event::Latched(Latch::Suspect)));
    assert_eq!(bench.charger.demand().lock, session::Lock::Held);
    bench.input(Input::Operator(Operator::Reset));
    assert!(bench.has_said(Event::Unlatched(Latch::Suspect)));
}

//! Invariants of the demand, for any input in any order at any time. Checked after every call.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, NAMES, encode, good, ongoing, with_code, with_status};
use control_pilot::{Level, Output};
use exi_din::*;
use machine::Duration;
use pev_fsm::{Closed, Contactors, Event, Input, Latch, Lock, MAX_AGE, MAX_VEHICLE_AGE, Operator};
use proptest::prelude::*;
use session::fresh;

/// One input.
#[derive(Clone, Debug)]
enum Happens {
    Run(u64),
    Connect,
    Close,
    LinkLost,
    Operator(Operator),
    Output(Output),
    EmergencyStop(bool),
    Contactors(Option<bool>),
    Lock(Option<bool>),
    Inlet(Option<i32>),
    Current(Option<i32>),
    Supply(Option<i32>),
    Sensors(bool),
    Missing(Option<usize>),
    Vehicle(bool),
    Battery(i32),
    Wanted(i32),
    Error(u8),
    Garbage(Vec<u8>),
    /// The next responses are modified.
    Bent(Bent),
}

#[derive(Clone, Copy, Debug)]
enum Bent {
    No,
    Silent,
    Ongoing,
    Flipped(usize),
    Code(ResponseCode),
    Status(DcEvseStatusCode),
    Isolation(Option<IsolationLevel>),
    Other(usize),
    Limit(i16),
}

fn bent() -> impl Strategy<Value = Bent> {
    use DcEvseStatusCode::*;
    let codes =
        vec![EvseNotReady, EvseReady, EvseShutdown, EvseEmergencyShutdown, EvseMalfunction, ReservedC];
    let levels =
        [IsolationLevel::Invalid, IsolationLevel::Valid, IsolationLevel::Warning, IsolationLevel::Fault];
    prop_oneof![
        2 => Just(Bent::No),
        1 => Just(Bent::Silent),
        1 => Just(Bent::Ongoing),
        6 => (0_usize..800).prop_map(Bent::Flipped),
        1 => Just(Bent::Code(ResponseCode::FailedSequenceError)),
        2 => prop::sample::select(codes).prop_map(Bent::Status),
        2 => prop::option::of(prop::sample::select(levels.to_vec())).prop_map(Bent::Isolation),
        1 => (1..NAMES.len()).prop_map(Bent::Other),
        2 => (-50_i16..400).prop_map(Bent::Limit),
    ]
}

fn happens() -> impl Strategy<Value = Happens> {
    let outputs = vec![
        Output::Steady,
        Output::DIGITAL,
        Output::DIGITAL,
        Output::Pwm(500),
        Output::Zero,
        Output::Negative,
    ];
    let words = vec![
        Operator::Stop,
        Operator::Start,
        Operator::EmergencyStop,
        Operator::Reset,
        Operator::Latch(Latch::NoCurrent),
        Operator::Latch(Latch::Suspect),
    ];
    let stuck = || prop::option::weighted(0.5, any::<bool>());
    prop_oneof![
        20 => (0_u64..1_500).prop_map(Happens::Run),
        4 => Just(Happens::Connect),
        1 => Just(Happens::Close),
        1 => Just(Happens::LinkLost),
        2 => prop::sample::select(words).prop_map(Happens::Operator),
        2 => prop::sample::select(outputs).prop_map(Happens::Output),
        1 => any::<bool>().prop_map(Happens::EmergencyStop),
        2 => stuck().prop_map(Happens::Contactors),
        2 => stuck().prop_map(Happens::Lock),
        2 => prop::option::of(-100_000_i32..600_000).prop_map(Happens::Inlet),
        2 => prop::option::of(-20_000_i32..300_000).prop_map(Happens::Current),
        2 => prop::option::of(0_i32..600_000).prop_map(Happens::Supply),
        1 => any::<bool>().prop_map(Happens::Sensors),
        1 => prop::option::of(0_usize..6).prop_map(Happens::Missing),
        1 => any::<bool>().prop_map(Happens::Vehicle),
        1 => (-1_i32..600_000).prop_map(Happens::Battery),
        2 => (-1_i32..400_000).prop_map(Happens::Wanted),
        1 => (0_u8..13).prop_map(Happens::Error),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Happens::Garbage),
        6 => bent().prop_map(Happens::Bent),
    ]
}

/// A modified response.
fn bend(bent: Bent, answer: Answer) -> Answer {
    match bent {
        Bent::No => answer,
        Bent::Silent => Answer::Silence,
        Bent::Ongoing => ongoing(answer),
        Bent::Flipped(bit) => {
            let mut bytes = encode(&answer);
            let count = bytes.len() * 8;
            let at = bit % count;
            bytes[at / 8] ^= 0x80 >> (at % 8);
            Answer::Bytes(bytes)
        }
        Bent::Code(code) => with_code(answer, code),
        Bent::Status(code) => with_status(answer, |status| status.evse_status_code = code),
        Bent::Isolation(level) => with_status(answer, |status| status.evse_isolation_status = level),
        Bent::Other(index) => match answer {
            Answer::Din { id, .. } => {
                let name = if NAMES[index].starts_with("Power") { "PowerDeliveryReq" } else { NAMES[index] };
                Answer::Din { id, body: good(name, 350_000, 0) }
            }
            other => other,
        },
        Bent::Limit(amperes) => match answer {
            Answer::Din { id, body: BodyElement::CurrentDemandRes(mut res) } => {
                res.evse_maximum_current_limit = Some(bench::amperes(amperes));
                Answer::Din { id, body: BodyElement::CurrentDemandRes(res) }
            }
            other => other,
        },
    }
}

/// The invariants, by the car's inputs and its demand, independent of its state.
fn check(bench: &mut Bench) {
    let (before, demand, given, now) = (bench.last, bench.car.demand(), bench.given, bench.now);
    let inlet = fresh(given.inlet_mv, now);
    let (was_closed, is_closed) =
        (before.contactors == Contactors::Closed, demand.contactors == Contactors::Closed);
    if is_closed && !was_closed {
        let battery = bench.vehicle.battery_mv.unwrap();
        assert!(
            inlet.is_some_and(|mv| (mv - battery).abs() <= 20_000),
            "closed at {inlet:?}, battery {battery}"
        );
        assert!(bench.told.isolated, "closed without a good isolation test");
        assert_eq!(fresh(given.lock, now), Some(true), "closed without the lock");
        assert_eq!(fresh(given.contactors, now), Some(false), "closed although one is closed already");
        assert!(bench.connected && demand.pilot == Level::C);
    }
    if was_closed && !is_closed {
        let gone = fresh(given.current_ma, now).is_some_and(|ma| ma.abs() < 1_000);
        let recorded = bench.events.iter().rev().take(8).any(|e| matches!(e, Event::EmergencyOpening { .. }));
        assert!(gone || recorded, "opened under {:?} mA without a record", given.current_ma);
        assert_eq!(demand.pilot, Level::B);
    }
    if demand.lock == Lock::Released && before.lock == Lock::Held {
        assert_eq!(
            fresh(given.contactors, now),
            Some(false),
            "unlocked with contactors not known to be open"
        );
        assert!(inlet.is_some_and(|mv| mv.abs() < 60_000), "unlocked at {inlet:?}");
    }
    if demand.lock == Lock::Released {
        assert!(!demand.is_energised(), "energised and not locked");
    }
    if demand.pilot == Level::C {
        let oldest = [
            given.pilot.map(|reading| reading.at),
            given.inlet_mv.map(|reading| reading.at),
            given.current_ma.map(|reading| reading.at),
            given.contactors.map(|reading| reading.at),
            given.lock.map(|reading| reading.at),
        ];
        assert!(oldest.iter().all(|at| at.is_some_and(|at| now.since(at) <= MAX_AGE)), "stale readings");
        assert!(now.since(bench.vehicle_at) <= MAX_VEHICLE_AGE, "stale battery");
        assert_ne!(fresh(given.emergency_stop, now), Some(true), "ready with the emergency stop pressed");
        assert!(bench.connected, "ready without a connection");
        let lost = bench.pilot_lost_since.is_some_and(|since| now.since(since) > Duration::from_millis(100));
        assert!(!lost, "ready without a pilot");
    }
    let winding_down = is_closed && demand.pilot == Level::B;
    if !winding_down {
        bench.winding_down_since = None;
    }
    let since = *bench.winding_down_since.get_or_insert(now);
    assert!(!winding_down || now.since(since) <= Duration::from_millis(2_020), "closed 2 s after the stop");
    if let Some(sent) = bench.sent.last().filter(|sent| sent.name == "CurrentDemandReq" && sent.at == now) {
        let Some(BodyElement::CurrentDemandReq(req)) = V2gMessage::decode(&sent.stream).unwrap().body.element
        else {
            panic!("another message")
        };
        let asked = req.ev_target_current.milli_of(UnitSymbol::A);
        let most = bench.told.max_current_ma.min(200_000);
        assert!((0..=most).contains(&asked), "{asked} mA asked for, {most} mA allowed");
    }
}

fn play(start: Option<usize>, steps: Vec<Happens>) -> Bench {
    let mut bench = Bench::new();
    bench.check = Some(check);
    if let Some(index) = start {
        bench.start_to(NAMES[index]);
    }
    for step in steps {
        match step {
            Happens::Run(millis) => bench.run(millis),
            Happens::Connect if !bench.connected => bench.connect(),
            Happens::Close if bench.connected => bench.close(Closed::Rst),
            Happens::Connect | Happens::Close => {}
            Happens::LinkLost => {
                bench.connected = false;
                bench.input(Input::LinkLost);
            }
            Happens::Operator(word) => bench.input(Input::Operator(word)),
            Happens::Output(output) => bench.output = output,
            Happens::EmergencyStop(pressed) => bench.emergency_stop = pressed,
            Happens::Contactors(stuck) => bench.contactors_stuck = stuck,
            Happens::Lock(stuck) => bench.lock_stuck = stuck,
            Happens::Inlet(mv) => bench.inlet_mv = mv,
            Happens::Current(ma) => bench.current_ma = ma,
            Happens::Supply(mv) => bench.supply_mv = mv,
            Happens::Sensors(on) => bench.has_sensors = on,
            Happens::Missing(sensor) => bench.missing = sensor,
            Happens::Vehicle(on) => bench.has_vehicle = on,
            Happens::Battery(mv) => {
                bench.vehicle.battery_mv = Some(mv);
                let vehicle = bench.vehicle;
                bench.input(Input::Vehicle(vehicle));
            }
            Happens::Wanted(ma) => bench.vehicle.target.current_ma = ma,
            Happens::Error(error) => bench.vehicle.error = error,
            Happens::Garbage(bytes) => bench.garbage(&bytes),
            Happens::Bent(bent) => {
                // Three responses, then the charger has no fault again.
                let mut left = 3;
                bench.tamper(move |_, answer| {
                    let bent = if left > 0 { bent } else { Bent::No };
                    left -= i32::from(left > 0);
                    bend(bent, answer)
                });
            }
        }
    }
    bench
}

/// All faults are over: a new session reaches the charging loop, after a reset.
fn recover(bench: &mut Bench) {
    bench.tamper = None;
    (bench.contactors_stuck, bench.lock_stuck, bench.inlet_mv) = (None, None, None);
    (bench.current_ma, bench.supply_mv, bench.emergency_stop) = (None, None, false);
    (bench.has_sensors, bench.has_vehicle, bench.output) = (true, true, Output::DIGITAL);
    bench.missing = None;
    bench.vehicle = bench::vehicle(bench.now);
    if bench.connected {
        bench.close(Closed::Rst);
    }
    bench.run(15_000);
    // A suspect sensor may be below another latch, and a dead inlet needs a reading.
    for _ in 0..3 {
        bench.input(Input::Operator(Operator::Reset));
        bench.run(100);
    }
    bench.connect();
    bench.run_to("CurrentDemandReq");
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_demand_stays_within_its_invariants_and_the_car_can_charge_again(
        start in prop::option::weighted(0.9, 0..NAMES.len()),
        steps in prop::collection::vec(happens(), 1..40),
    ) {
        let mut bench = play(start, steps);
        recover(&mut bench);
    }
}

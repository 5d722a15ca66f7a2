//! Invariants of the demand, for any input in any order.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Bench, GOOD, NAMES};
use control_pilot::Level;
use evse_fsm::{Closed, Contactors, Input, Isolation, Operator, PAYLOAD_TYPE};
use machine::{Duration, Instant};
use proptest::prelude::*;

/// One input.
#[derive(Clone, Debug)]
enum Step {
    /// The next request of a successful session.
    Good,
    /// Any request.
    Ask(usize),
    /// Any request of another session.
    Foreign(usize),
    Garbage(Vec<u8>),
    Pilot(Level),
    Isolation(Isolation),
    Operator(Operator),
    Run(u64),
    Reconnect,
    LinkLost,
}

fn step() -> impl Strategy<Value = Step> {
    let levels = [Level::A, Level::B, Level::C, Level::D, Level::E, Level::F];
    let results = [Isolation::Measuring, Isolation::Valid, Isolation::Warning, Isolation::Fault];
    let words = [
        Operator::Authorise(false),
        Operator::Stop,
        Operator::EmergencyStop,
        Operator::Reset,
        Operator::Available(false),
        Operator::Available(true),
        Operator::Retry,
    ];
    prop_oneof![
        40 => Just(Step::Good),
        3 => (0..NAMES.len()).prop_map(Step::Ask),
        1 => (0..NAMES.len()).prop_map(Step::Foreign),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Garbage),
        2 => prop::sample::select(levels.to_vec()).prop_map(Step::Pilot),
        1 => prop::sample::select(results.to_vec()).prop_map(Step::Isolation),
        1 => prop::sample::select(words.to_vec()).prop_map(Step::Operator),
        6 => (0_u64..1500).prop_map(Step::Run),
        1 => Just(Step::Reconnect),
        1 => Just(Step::LinkLost),
    ]
}

/// What was sent in this connection up to now, as far as the invariants need it.
struct Witness {
    bench: Bench,
    next: usize,
    cable_check: bool,
    power_on: bool,
    fed: Instant,
    /// Since when the pilot is outside C and D, as the charger reads it.
    left: Option<Instant>,
    /// The demand when the session was last being stopped.
    stopping: Option<session::Target>,
}

impl Witness {
    /// The lower maximum of both sides, in mV: 450 V of the car, 500 V of the charger.
    const MOST_MV: i32 = 450_000;

    fn reconnect(&mut self) {
        self.bench.input(Input::Closed(Closed::Rst));
        self.bench.pilot = Level::B;
        self.bench.run(5_000);
        self.bench.reopen();
        (self.next, self.cable_check, self.power_on, self.stopping) = (0, false, false, None);
    }

    fn ask(&mut self, name: &str) {
        let answer = self.bench.ask(name);
        let ok = answer.is_some_and(|(_, code)| !code.is_failed());
        self.cable_check |= name == "CableCheckReq" && ok;
        if name == "PowerDeliveryReq" && ok {
            self.power_on = true;
            self.fed = self.bench.now;
        }
        if name == "CurrentDemandReq" && ok {
            self.fed = self.bench.now;
        }
    }

    fn good(&mut self) {
        let name = GOOD[self.next.min(GOOD.len() - 1)];
        match name {
            "CableCheckReq" => self.bench.pilot = Level::C,
            "WeldingDetectionReq" => self.bench.pilot = Level::B,
            _ => {}
        }
        self.bench.run(40);
        let rounds = if matches!(name, "CableCheckReq" | "PreChargeReq") { 30 } else { 1 };
        for _ in 0..rounds {
            self.ask(name);
            self.check();
            if name == "CableCheckReq" && self.bench.is_finished {
                break;
            }
            self.bench.run(100);
        }
        self.next += 1;
    }

    fn check(&mut self) {
        let demand = self.bench.charger.demand();
        let supply = demand.supply;
        let ready = matches!(self.bench.pilot, Level::C | Level::D);
        assert!(supply.voltage_mv >= 0 && supply.current_ma >= 0, "negative: {supply:?}");
        assert!(self.cable_check || !demand.is_energised(), "energised before the first CableCheckReq");
        assert!(supply.voltage_mv <= Self::MOST_MV, "{} mV is more than the car bears", supply.voltage_mv);
        assert!(self.power_on || supply.current_ma <= 2_000, "{} mA before power on", supply.current_ma);
        assert!(
            demand.contactors == Contactors::Closed || supply == session::Target::ZERO,
            "a set point with open contactors"
        );
        let silent = self.bench.now.since(self.fed) > Duration::from_millis(1_040);
        assert!(
            !(self.power_on && silent) || supply.current_ma == 0,
            "current without a demand for a second"
        );
        assert!(ready || supply.current_ma == 0, "current with the pilot at {:?}", self.bench.pilot);
        // Two readings 30 ms apart decide, with a reading every 20 ms.
        let left = if ready { None } else { Some(self.left.unwrap_or(self.bench.now)) };
        let is_settled = left.is_some_and(|left| self.bench.now.since(left) >= Duration::from_millis(40));
        assert!(
            !is_settled || supply == session::Target::ZERO,
            "driven with the pilot at {:?}",
            self.bench.pilot
        );
        self.left = left;
        if let Some(before) = self.stopping {
            let rises = supply.voltage_mv > before.voltage_mv || supply.current_ma > before.current_ma;
            assert!(!rises, "{supply:?} after {before:?} while the session is being stopped");
        }
        let is_stopping = |event: &evse_fsm::Event| matches!(event, evse_fsm::Event::Stopping(_));
        self.stopping = self.bench.events.iter().any(is_stopping).then_some(supply);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_demand_stays_within_its_invariants(
        prefix in 0..=GOOD.len(),
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let bench = Bench::connected();
        let mut witness = Witness {
            next: 0,
            cable_check: false,
            power_on: false,
            fed: bench.now,
            left: None,
            stopping: None,
            bench,
        };
        // First a successful session, up to any request.
        for _ in 0..prefix {
            witness.good();
        }
        prop_assert!(prefix != 9 || witness.bench.charger.demand().supply.current_ma > 2_000, "it charges");
        for step in steps {
            match step {
                Step::Good => witness.good(),
                Step::Ask(index) => witness.ask(NAMES[index]),
                Step::Foreign(index) => {
                    let id = witness.bench.id.clone();
                    witness.bench.id = vec![0xee; 4];
                    let before = witness.bench.charger.demand();
                    witness.bench.ask(NAMES[index]);
                    if NAMES[index] == "SessionSetupReq" {
                        continue;
                    }
                    let after = witness.bench.charger.demand();
                    prop_assert!(after.supply.voltage_mv <= before.supply.voltage_mv);
                    prop_assert!(after.supply.current_ma <= before.supply.current_ma);
                    witness.bench.id = id;
                }
                Step::Garbage(bytes) => {
                    witness.bench.input(Input::Message { payload_type: PAYLOAD_TYPE, payload: &bytes });
                }
                Step::Pilot(level) => {
                    witness.bench.pilot = level;
                    // The sensors measure the change.
                    witness.bench.run(20);
                }
                Step::Isolation(result) => witness.bench.isolation = result,
                Step::Operator(word) => witness.bench.input(Input::Operator(word)),
                Step::Run(millis) => witness.bench.run(millis),
                Step::Reconnect => witness.reconnect(),
                Step::LinkLost => {
                    witness.bench.input(Input::LinkLost);
                    witness.reconnect();
                }
            }
            witness.check();
        }
    }
}

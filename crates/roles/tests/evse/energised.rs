//! The demand of a charger while it charges.

use control_pilot::Level;
use evse_fsm::{Contactors, Direction, Values};
use proptest::prelude::*;
use roles::Happening;
use session::{Phase, Target};

use crate::hostile::{bent, is_reset, solicitation, syn};
use crate::loss::noise;
use crate::world::{CAR, CHARGER, HANDSHAKE_REQ, SESSION_SETUP_REQ, World, bytes, config};

/// Requests of a Hyundai Ioniq, `2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng`, frames 282 to 586.
/// Their session id is 0102030405060708.
const SERVICE_DISCOVERY: &str = "809a02004080c1014181c2119400";
const PAYMENT: &str = "809a02004080c1014181c211b2001280";
const AUTHENTICATION: &str = "809a02004080c1014181c210b8";
const PARAMETERS: &str =
    "809a02004080c1014181c2107190000003604061a01e04070c84c02050a02000c24383680403090d89f0105e0a60";
const CABLE_CHECK: &str = "809a02004080c1014181c2101100000360";
const PRECHARGE: &str = "809a02004080c1014181c211510000036040a1ee3404060140";
const POWER_ON: &str = "809a02004080c1014181c2113222000006c00000";
/// 1 A at up to 402 V.
const CURRENT_DEMAND: &str =
    "809a02004080c1014181c210d100000360406014010285010004061a01e04070c84c0000c083503006041f80e040a1ec3400";

impl World {
    /// Whether the last response of this name was Finished, or there was none.
    fn finished(&self, wanted: &str) -> bool {
        let answers = self.events.iter().rev().filter_map(|event| match event {
            Happening::Session(evse_fsm::Event::Message(message)) => Some(message),
            _ => None,
        });
        let mut answers =
            answers.filter(|message| message.direction == Direction::Sent && message.name == wanted);
        let Values { finished, .. } = answers.next().expect("an answer").values;
        finished != Some(false)
    }

    /// A car and a charger in the charging loop.
    fn charging() -> Self {
        let mut config = config();
        config.charger = evse_fsm::Config::default();
        let mut world = Self::with(config, roles::Plain);
        world.connect(0, 50_001);
        let requests =
            [HANDSHAKE_REQ, SESSION_SETUP_REQ, SERVICE_DISCOVERY, PAYMENT, AUTHENTICATION, PARAMETERS];
        for request in requests {
            world.ask(request);
        }
        world.pilot = Some(Level::C);
        world.run(60);
        for _ in 0..100 {
            world.ask(CABLE_CHECK);
            if world.finished("CableCheckRes") {
                break;
            }
            world.run(200);
        }
        assert!(world.finished("CableCheckRes"), "{:?}", world.events);
        for _ in 0..20 {
            world.ask(PRECHARGE);
            world.run(200);
        }
        world.ask(POWER_ON);
        world.flows = true;
        for _ in 0..10 {
            world.ask(CURRENT_DEMAND);
            world.run(100);
        }
        assert_eq!(world.evse.phase(), Phase::ChargeLoop, "{:?}", world.events);
        assert!(world.evse.demand().is_energised());
        assert_eq!(world.evse.demand().supply.current_ma, 1_000);
        world.events.clear();
        world
    }

    fn is_off(&self) -> bool {
        !self.evse.demand().is_energised()
    }
}

#[test]
fn a_fin_in_the_charging_loop_switches_off() {
    let mut world = World::charging();
    world.car().tcp().close();
    world.run(10);
    assert_eq!(world.evse.demand().supply.current_ma, 0);
    assert!(world.until(150, |world| world.is_off()));
}

#[test]
fn a_reset_in_the_charging_loop_switches_off() {
    let mut world = World::charging();
    world.car().tcp().abort();
    world.run(10);
    assert_eq!(world.evse.demand().supply.current_ma, 0);
    assert!(world.until(150, |world| world.is_off()));
}

#[test]
fn a_broken_stream_in_the_charging_loop_switches_off() {
    let mut world = World::charging();
    world.car().send(b"not V2GTP at all");
    world.run(10);
    assert_eq!(world.evse.demand().supply.current_ma, 0);
    assert!(world.until(150, |world| world.is_off()));
}

#[test]
fn a_cut_wire_ends_the_current_in_a_second_and_the_rest_when_the_connection_is_dead() {
    let mut world = World::charging();
    world.pass = Box::new(|_, _| false);
    world.run(1_100);
    assert_eq!(world.evse.demand().supply.current_ma, 0);
    world.run(20_000);
    assert!(world.is_off());
}

#[test]
fn half_of_all_frames_lost_while_charging_ends_safe() {
    for seed in 1..6 {
        let mut world = World::charging();
        let most = world.evse.demand().supply.current_ma.max(1_000);
        let mut random = noise(seed);
        world.pass = Box::new(move |_, _| (random() >> 20).is_multiple_of(2));
        for _ in 0..300 {
            // Half duplex: the next request when the one before has arrived.
            if world.car().tcp().may_send() && world.car().tcp().send_queue() == 0 {
                world.car().send_exi(&bytes(CURRENT_DEMAND));
            }
            world.run(100);
            while world.car().message().is_some() {}
            assert!(world.evse.demand().supply.current_ma <= most, "seed {seed}");
        }
        // The car aborts.
        world.car().tcp().abort();
        world.run(1_100);
        assert_eq!(world.evse.demand().supply.current_ma, 0, "seed {seed}");
        world.run(25_000);
        assert!(world.is_off(), "seed {seed}");
        assert_eq!(world.evse.demand().contactors, Contactors::Open);
    }
}

#[test]
fn other_frames_in_the_charging_loop_are_answered_and_disturb_nothing() {
    let mut world = World::charging();
    let before = world.evse.demand();
    world.frame(&syn(CAR, 50_002, sdp::DEFAULT_TCP_PORT));
    assert!(world.cars[0].was_sent(|frame| is_reset(frame, 50_002)));
    world.cars[0].wire.to_car.clear();
    world.frame(&solicitation(CAR, CHARGER.0, CHARGER.link_local(), CHARGER.link_local()));
    assert!(world.cars[0].was_sent(|frame| frame[14 + 6] == 58));
    assert_eq!(world.evse.demand(), before);
    world.ask(CURRENT_DEMAND);
    assert_eq!(world.evse.phase(), Phase::ChargeLoop);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_frame_raises_the_demand_of_a_charger_that_charges(
        frames in prop::collection::vec(prop_oneof![bent(), any::<Vec<u8>>()], 1..60),
    ) {
        let mut world = World::charging();
        // The current has reached the car's request, so more would be a fault.
        let Target { voltage_mv, current_ma } = world.evse.demand().supply;
        for frame in frames {
            world.frame(&frame);
            let supply = world.evse.demand().supply;
            prop_assert!(supply.current_ma <= current_ma && supply.voltage_mv <= voltage_mv, "{supply:?}");
        }
    }
}

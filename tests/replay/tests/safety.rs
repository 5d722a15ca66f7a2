//! Events that must switch off, in every state of a recorded session: the demand becomes SAFE as
//! `docs/ARCHITECTURE.md` defines it - pilot steady, 0 V and 0 A immediately, contactors open within 100 ms
//! after the current has ended, lock held.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Lock, Operator, Sensors};
use exi_din::ResponseCode;
use replay::{Session, World, code, config, moments, replay, sessions};
use roles::{EvseConfig, EvseStorage};
use session::Target;

/// An Ioniq at an Alpitronic charger: from the handshake to `SessionStop`, with a real power stage.
const CAPTURE: &str = "spi_ioniq_alpiHYC300_SWIsued_2024-03-22_ok_stopOnCharger.csv.pcap";

/// Time for SAFE: one reading, and the 100 ms in which the contactors open at the latest.
const SAFE_US: u64 = 160_000;

fn recorded() -> Option<Session> {
    sessions(CAPTURE).into_iter().next()
}

fn with_duty(session: &Session) -> EvseConfig {
    let mut config = config(session);
    config.charger.sensors |= Sensors::DUTY;
    config
}

/// Runs the session up to each of its states, applies `fault` there, and checks the demand after it.
/// `always`: the pilot must be steady even if nothing was energised. Returns the number of energised states.
fn in_every_state(always: bool, fault: fn(&mut World<'_>)) -> usize {
    let Some(session) = recorded() else { return 2 };
    let mut energised = 0;
    for index in moments(&session) {
        let mut storage = EvseStorage::new();
        let mut world = replay(&session, index, with_duty(&session), &mut storage).unwrap();
        let label =
            format!("before {} (frame {})", session.requests[index].name, session.requests[index].frame);
        let was_energised = world.evse.demand().is_energised();
        fault(&mut world);
        world.run(world.now + SAFE_US);
        if !was_energised && !always {
            continue;
        }
        energised += usize::from(was_energised);
        let demand = world.evse.demand();
        assert_eq!(demand.supply, Target::ZERO, "{label}: supply");
        assert_eq!(demand.contactors, Contactors::Open, "{label}: contactors");
        assert_eq!(demand.lock, Lock::Held, "{label}: lock");
        assert_eq!(demand.pilot, Output::Steady, "{label}: pilot");
        // The demand stays SAFE, whatever the car continues to send.
        world.send(&session.requests[index].stream);
        world.run(world.now + 1_000_000);
        let demand = world.evse.demand();
        assert!(!demand.is_energised(), "{label}: energised again");
    }
    energised
}

#[test]
fn pilot_a_makes_it_safe_in_every_state() {
    let energised = in_every_state(true, |world| {
        world.pilot = Level::A;
        world.read();
        // A second reading must confirm it before the voltage falls.
        assert_eq!(world.evse.demand().supply.current_ma, 0);
    });
    assert!(energised > 1);
}

#[test]
fn pilot_e_makes_it_safe_in_every_state() {
    assert!(in_every_state(true, |world| world.pilot = Level::E) > 1);
}

#[test]
fn pilot_f_makes_it_safe_in_every_state() {
    assert!(in_every_state(true, |world| world.pilot = Level::F) > 1);
}

#[test]
fn pilot_from_c_to_b_makes_it_safe_in_every_energised_state() {
    let energised = in_every_state(false, |world| {
        world.pilot = Level::B;
        world.read();
        // A second reading must confirm it before the voltage falls.
        assert_eq!(world.evse.demand().supply.current_ma, 0);
    });
    assert!(energised > 1);
}

#[test]
fn the_emergency_stop_makes_it_safe_in_every_state_pressed_or_commanded() {
    assert!(in_every_state(true, |world| world.emergency_stop = true) > 1);
    assert!(in_every_state(true, |world| world.operator(Operator::EmergencyStop)) > 1);
}

#[test]
fn a_stale_plant_makes_it_safe_in_every_energised_state() {
    let energised = in_every_state(false, |world| {
        world.has_sensors = false;
        // A reading may be 200 ms old at most.
        world.run(world.now + 210_000);
    });
    assert!(energised > 1);
}

#[test]
fn a_lost_duty_cycle_makes_it_safe_in_every_energised_state() {
    assert!(in_every_state(false, |world| world.has_duty = false) > 1);
}

#[test]
fn a_program_held_up_for_more_than_half_a_second_makes_it_safe() {
    let Some(session) = recorded() else { return };
    for index in moments(&session) {
        let mut storage = EvseStorage::new();
        let mut world = replay(&session, index, config(&session), &mut storage).unwrap();
        if world.evse.demand().is_energised() {
            // No call for 800 ms; then a reading as good as before.
            world.now += 800_000;
            world.read();
            world.run(world.now + SAFE_US);
            assert!(!world.evse.demand().is_energised());
        }
    }
}

#[test]
fn power_on_more_than_20_v_off_the_target_is_refused_and_switches_off() {
    let Some(session) = recorded() else { return };
    let precharge = session.requests.iter().position(|request| request.name == "PreChargeReq").unwrap();
    let power_on = session.requests.iter().find(|request| request.name == "PowerDeliveryReq").unwrap();
    let mut config = config(&session);
    // So slow that one request brings the output nowhere near the battery's 350 V.
    config.charger.voltage_ramp_mv_per_s = 400_000;
    config.charger.precharge = evse_fsm::Preset::Step20;
    let mut storage = EvseStorage::new();
    let mut world = replay(&session, precharge + 1, config, &mut storage).unwrap();
    world.send(&power_on.stream);
    let answer = world.answer(world.now + 1_000_000).unwrap();
    assert_eq!(code(&answer.stream).1, Some(ResponseCode::FailedEvsePresentVoltageToLow));
    world.run(world.now + SAFE_US);
    assert!(!world.evse.demand().is_energised());
}

//! Every recorded car against our charger: the car's bytes, sent again at the recorded times.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use evse_fsm::Contactors;
use exi_din::{ResponseCode, V2gMessage};
use replay::{CAPTURES, Session, code, config, moments, replay, served, sessions};
use roles::EvseStorage;

#[test]
fn every_recorded_car_gets_the_right_positive_answers_up_to_where_its_capture_ends() {
    let mut failures = Vec::new();
    let mut replayed = 0;
    for capture in CAPTURES {
        for session in sessions(capture) {
            let mut storage = EvseStorage::new();
            match replay(&session, session.requests.len(), config(&session), &mut storage) {
                Ok(_) => replayed += session.requests.len(),
                Err(failure) => failures.push(failure),
            }
        }
    }
    println!("{replayed} requests");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(replayed > 5000 || corpus::path("captures").is_none(), "only {replayed} requests were replayed");
}

/// Sends `stream` instead of request `index`; checks its response code, and that it increased no demand.
fn put_in(session: &Session, index: usize, stream: &[u8], expected: ResponseCode) {
    let mut storage = EvseStorage::new();
    let mut world =
        replay(session, index, config(session), &mut storage).unwrap_or_else(|failure| panic!("{failure}"));
    let label = format!("{} frame {}", session.name, session.requests[index].frame);
    let before = world.evse.demand();
    world.send(stream);
    let answer = world.answer(world.now + 2_000_000).unwrap_or_else(|| panic!("{label}: no answer"));
    assert_eq!(code(&answer.stream).1, Some(expected), "{label}");
    for _ in 0..20 {
        let after = world.evse.demand();
        assert!(after.supply.voltage_mv <= before.supply.voltage_mv, "{label}: voltage raised");
        assert!(after.supply.current_ma <= before.supply.current_ma, "{label}: current raised");
        assert!(
            after.contactors == Contactors::Open || before.contactors == Contactors::Closed,
            "{label}: closed"
        );
        world.run(world.now + 50_000);
    }
    assert_eq!(world.evse.demand().contactors, Contactors::Open, "{label}: a refusal switches off");
}

#[test]
fn a_request_in_the_place_of_another_is_a_sequence_error_and_raises_nothing() {
    for session in served() {
        for index in moments(&session) {
            let wrong = if session.requests[index].name == "ServiceDiscoveryReq" {
                "ContractAuthenticationReq"
            } else {
                "ServiceDiscoveryReq"
            };
            if let Some(request) = session.requests.iter().find(|request| request.name == wrong) {
                put_in(&session, index, &request.stream, ResponseCode::FailedSequenceError);
            }
        }
    }
}

#[test]
fn a_request_with_one_byte_of_its_session_id_changed_is_of_an_unknown_session_and_raises_nothing() {
    for session in served() {
        for index in moments(&session) {
            let mut message = V2gMessage::decode(&session.requests[index].stream).unwrap();
            let mut id: Vec<u8> = message.header.session_id.iter().collect();
            let last = id.last_mut().unwrap();
            *last ^= 1;
            message.header.session_id = id.as_slice().into();
            let mut stream = [0; 512];
            let length = message.encode(&mut stream).unwrap();
            put_in(&session, index, &stream[..length], ResponseCode::FailedUnknownSession);
        }
    }
}

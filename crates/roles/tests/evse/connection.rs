use evse_fsm::Closed;
use roles::{Happening, StreamError};
use smoltcp::socket::tcp::State;

use crate::car::framed;
use crate::world::{HANDSHAKE_REQ, HANDSHAKE_RES, SESSION_SETUP_REQ, World, bytes};

fn disconnected(closed: Closed) -> impl Fn(&Happening) -> bool {
    move |event| *event == Happening::Disconnected(closed)
}

/// Asserts that a second car can connect: no car is being served.
fn assert_free(world: &mut World) {
    world.connect(1, 50_100);
}

#[test]
fn a_session_begins_over_tcp() {
    let mut world = World::new();
    world.connect(0, 50_001);
    assert_eq!(world.ask(HANDSHAKE_REQ), bytes(HANDSHAKE_RES));
    let setup = world.ask(SESSION_SETUP_REQ);
    assert_eq!(setup[..3], bytes("809a02"), "a DIN message with a session id");
}

#[test]
fn a_message_is_understood_for_every_split_into_two_segments() {
    let message = framed(&bytes(HANDSHAKE_REQ));
    for split in 1..message.len() {
        let mut world = World::new();
        world.connect(0, 50_001);
        world.car().send(&message[..split]);
        world.run(5);
        world.car().send(&message[split..]);
        assert_eq!(world.next_message(100), bytes(HANDSHAKE_RES), "split at {split}");
    }
}

#[test]
fn two_messages_in_one_segment_are_both_answered() {
    let mut world = World::new();
    world.connect(0, 50_001);
    let both = [framed(&bytes(HANDSHAKE_REQ)), framed(&bytes(SESSION_SETUP_REQ))].concat();
    world.car().send(&both);
    assert_eq!(world.next_message(100), bytes(HANDSHAKE_RES));
    assert_eq!(world.next_message(100)[..3], bytes("809a02"));
}

#[test]
fn an_answer_leaves_at_once_with_the_request() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.car().send_exi(&bytes(HANDSHAKE_REQ));
    world.run(2);
    assert_eq!(world.car().message(), Some(bytes(HANDSHAKE_RES)));
}

#[test]
fn a_second_connection_is_refused_and_the_first_goes_on() {
    let mut world = World::new();
    world.connect(0, 50_001);
    assert_eq!(world.ask(HANDSHAKE_REQ), bytes(HANDSHAKE_RES));
    // From another station: its frames are ignored.
    let port = sdp::DEFAULT_TCP_PORT;
    world.frame(&crate::hostile::syn(crate::world::OTHER, 50_100, port));
    assert!(world.saw(|event| matches!(event, Happening::OtherStation(_))));
    assert!(!world.cars[0].was_sent(|_| true));
    // From the same station: refused.
    let syn = crate::hostile::syn(crate::world::CAR, 50_002, port);
    world.cars[0].wire.to_car.clear();
    world.frame(&syn);
    assert!(world.saw(|event| matches!(event, Happening::Refused(from) if from.port == 50_002)));
    assert!(crate::hostile::is_reset(&world.cars[0].wire.to_car[0], 50_002));
    assert_eq!(world.ask(SESSION_SETUP_REQ)[..3], bytes("809a02"));
}

#[test]
fn a_segment_for_another_port_is_reset() {
    let mut world = World::new();
    let syn = crate::hostile::syn(crate::world::CAR, 50_002, 80);
    world.frame(&syn);
    // The charger has to solicit the station's MAC address first, and no station answers.
    world.run(10);
    world.frame(&syn);
    assert!(world.cars[0].was_sent(|frame| crate::hostile::is_reset(frame, 50_002)));
}

#[test]
fn a_fin_ends_the_session_and_the_next_car_may_come() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.ask(HANDSHAKE_REQ);
    world.car().tcp().close();
    world.run(100);
    assert!(world.saw(disconnected(Closed::Fin)));
    assert!(!world.evse.demand().is_energised());
    assert_free(&mut world);
}

#[test]
fn what_came_before_the_fin_is_answered() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.car().send_exi(&bytes(HANDSHAKE_REQ));
    world.car().tcp().close();
    assert_eq!(world.next_message(100), bytes(HANDSHAKE_RES));
    assert!(world.until(2_000, |world| world.saw(|event| *event == Happening::Free)));
}

#[test]
fn a_reset_ends_the_session_and_the_next_car_may_come() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.ask(HANDSHAKE_REQ);
    world.car().tcp().abort();
    world.run(10);
    assert!(world.saw(disconnected(Closed::Rst)));
    assert_free(&mut world);
}

#[test]
fn the_same_car_may_connect_again_at_once_and_begin_when_the_pilot_offers_again() {
    let mut world = World::new();
    for port in 50_001..50_011 {
        world.connect(0, port);
        world.car().tcp().abort();
        world.run(10);
    }
    world.run(10_000);
    world.connect(0, 50_020);
    assert_eq!(world.ask(HANDSHAKE_REQ), bytes(HANDSHAKE_RES));
}

#[test]
fn a_car_that_vanishes_is_noticed_after_19_s() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.ask(HANDSHAKE_REQ);
    world.ask(SESSION_SETUP_REQ);
    world.pass = Box::new(|_, _| false);
    world.run(18_500);
    assert!(!world.saw(|event| matches!(event, Happening::Disconnected(_))));
    world.run(1_500);
    assert!(world.saw(disconnected(Closed::Timeout)));
    world.pass = Box::new(|_, _| true);
    assert_free(&mut world);
}

#[test]
fn a_silent_car_that_answers_no_solicitations_keeps_its_connection() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.ask(HANDSHAKE_REQ);
    world.ask(SESSION_SETUP_REQ);
    let is_icmp = |frame: &[u8]| frame.get(14 + 6) == Some(&58);
    world.pass = Box::new(move |frame, _| !is_icmp(frame));
    world.run(45_000);
    assert!(!world.saw(|event| matches!(event, Happening::Disconnected(_))));
    assert_eq!(world.car().state(), State::Established);
}

#[test]
fn a_connection_without_a_word_is_lost_after_18_s() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.run(17_900);
    assert!(!world.saw(|event| matches!(event, Happening::Disconnected(_))));
    world.run(200);
    assert!(world.saw(|event| matches!(event, Happening::Disconnected(_))));
    assert!(world.until(5_500, |world| world.saw(|event| *event == Happening::Free)));
    assert_free(&mut world);
}

#[test]
fn a_handshake_that_is_never_finished_is_forgotten_after_2_s() {
    let mut world = World::new();
    let syn = crate::hostile::syn(crate::world::CAR, 50_002, sdp::DEFAULT_TCP_PORT);
    // The charger's responses are lost: the car's stack would reset an unknown connection.
    world.pass = Box::new(|_, _| false);
    world.frame(&syn);
    world.run(1_900);
    world.pass = Box::new(|_, _| true);
    assert!(!world.saw(|event| *event == Happening::Free));
    world.run(200);
    assert_free(&mut world);
}

#[test]
fn bytes_that_are_not_v2gtp_close_the_connection() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.car().send(b"GET / HTTP/1.1\r\n\r\n");
    world.run(20);
    let error = StreamError::Frame(v2gtp::Error::Version(b'G', b'E'));
    assert!(world.saw(|event| *event == Happening::Broken(error)));
    assert!(world.saw(disconnected(Closed::Rst)));
    assert_eq!(world.car().state(), State::CloseWait);
    world.car().tcp().close();
    world.run(20);
    assert_free(&mut world);
}

#[test]
fn a_closed_connection_whose_car_never_closes_is_reset_after_5_s() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.car().send(b"GET / HTTP/1.1\r\n\r\n");
    world.run(4_900);
    assert_eq!(world.car().state(), State::CloseWait);
    world.run(200);
    assert_eq!(world.car().state(), State::Closed);
    assert_free(&mut world);
}

#[test]
fn a_message_of_unknown_type_is_told_and_the_connection_goes_on() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.car().send(&[1, 0xFE, 0xBE, 0xEF, 0, 0, 0, 3, 1, 2, 3]);
    world.run(5);
    let skipped = Happening::Skipped(v2gtp::PayloadType(0xBEEF));
    assert!(world.saw(|event| *event == skipped));
    assert_eq!(world.ask(HANDSHAKE_REQ), bytes(HANDSHAKE_RES));
}

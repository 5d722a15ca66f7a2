use std::cell::RefCell;

use machine::Instant;
use roles::Watch;
use session::Direction;
use smoltcp::wire::TcpControl;

use crate::hostile::segment;
use crate::world::{CAR, HANDSHAKE_REQ, HANDSHAKE_RES, OTHER, SESSION_SETUP_REQ, World, bytes};

/// Stores what it observes.
#[derive(Default)]
struct Seen(RefCell<Vec<Shown>>);

type Shown = (Instant, Direction, u16, Vec<u8>);

impl Watch for Seen {
    fn message(&self, at: Instant, direction: Direction, payload_type: u16, document: &[u8]) {
        self.0.borrow_mut().push((at, direction, payload_type, document.to_vec()));
    }
}

impl Seen {
    fn take(&self) -> Vec<(Direction, u16, Vec<u8>)> {
        self.0.take().into_iter().map(|(_, direction, kind, document)| (direction, kind, document)).collect()
    }
}

fn watched() -> (World, &'static Seen) {
    let seen: &Seen = Box::leak(Box::default());
    let mut world = World::new();
    world.evse.watch(seen);
    world.connect(0, 50_001);
    assert_eq!(seen.take(), [], "discovery and the handshake of TCP are no messages");
    (world, seen)
}

/// The payload type of EXI.
const EXI: u16 = 0x8001;

#[test]
fn messages_are_shown_when_they_are_taken_and_when_they_are_answered() {
    let (mut world, seen) = watched();
    world.ask(HANDSHAKE_REQ);
    let now = world.now;
    let times: Vec<Instant> = seen.0.borrow().iter().map(|(at, ..)| *at).collect();
    assert!(times.iter().all(|at| now.since(*at).as_millis() < 10), "{times:?} at {now}");
    let handshake =
        [(Direction::Received, EXI, bytes(HANDSHAKE_REQ)), (Direction::Sent, EXI, bytes(HANDSHAKE_RES))];
    assert_eq!(seen.take(), handshake);
    let answer = world.ask(SESSION_SETUP_REQ);
    let setup = [(Direction::Received, EXI, bytes(SESSION_SETUP_REQ)), (Direction::Sent, EXI, answer)];
    assert_eq!(seen.take(), setup);
}

#[test]
fn a_message_in_pieces_is_shown_once_and_whole() {
    let (mut world, seen) = watched();
    for byte in crate::car::framed(&bytes(HANDSHAKE_REQ)) {
        assert_eq!(seen.take(), []);
        world.car().send(&[byte]);
        world.run(5);
    }
    let seen = seen.take();
    assert_eq!(seen.first(), Some(&(Direction::Received, EXI, bytes(HANDSHAKE_REQ))));
    assert_eq!(seen.len(), 2);
}

#[test]
fn what_does_not_decode_is_shown_as_it_came() {
    let (mut world, seen) = watched();
    world.ask(HANDSHAKE_REQ);
    seen.take();
    world.car().send_exi(&[0x80, 0x9A, 0xFF, 0xFF]);
    world.run(20);
    assert_eq!(seen.take(), [(Direction::Received, EXI, vec![0x80, 0x9A, 0xFF, 0xFF])]);
}

#[test]
fn a_stranger_without_a_connection_is_never_shown() {
    let (mut world, seen) = watched();
    let message = crate::car::framed(&bytes(SESSION_SETUP_REQ));
    let port = sdp::DEFAULT_TCP_PORT;
    // From another station, and from the car's own with numbers and ports that are not those of its
    // connection.
    for (mac, from) in [(OTHER, 50_001), (OTHER, 50_002), (CAR, 50_001), (CAR, 50_002)] {
        for number in [0, 1001, i32::MIN] {
            let forged = segment(mac, from, port, TcpControl::Psh, (number, Some(1)), &message);
            world.frame(&forged);
            world.run(5);
        }
    }
    assert_eq!(seen.take(), []);
}

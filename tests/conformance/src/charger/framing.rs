//! The cases of headers and discovery.

use control_pilot::Level;
use replay::{Car, World};
use roles::EvseStorage;

use super::{ANSWER_S, SECOND, after, body, delivered, due};
use crate::{Outcome, same};

/// A charger with a plug inserted, and a datagram to its discovery port: the security in the response.
fn discovery(datagram: &[u8], wait_s: u64) -> Option<u8> {
    let mut storage = EvseStorage::new();
    let mut world = World::new(delivered(), &mut storage, &[0; 8]);
    world.run(SECOND);
    world.pilot = Level::B;
    world.run((3 + wait_s) * SECOND);
    world.car.datagram(datagram);
    world.run(world.now + 2 * SECOND);
    world.car.discovery_answer().map(|answer| answer.security.0)
}

/// Offsets of the fields: version, its inverse, payload type, payload length.
pub(crate) mod field {
    pub(crate) const VERSION: usize = 0;
    pub(crate) const INVERSE: usize = 1;
    pub(crate) const TYPE: usize = 2;
    pub(crate) const LENGTH: usize = 4;
}

/// Discovery with this security: the security in the response.
pub(crate) fn discovered(security: u8, wanted: Option<u8>, wait_s: u64) -> Outcome {
    let mut datagram = Car::DISCOVERY;
    datagram[8] = security;
    same("security", discovery(&datagram, wait_s), wanted)
}

/// A request whose header has a field changed is not answered.
pub(crate) fn bad_discovery(at: usize, bytes: &[u8]) -> Outcome {
    let mut datagram = Car::DISCOVERY;
    datagram[at..at + bytes.len()].copy_from_slice(bytes);
    same("answer", discovery(&datagram, 0), None)
}

/// The effect of a message on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Answered,
    /// Not answered; the connection stays.
    Skipped,
    /// Not answered; the connection is closed.
    Broken,
}

/// `SessionSetupReq` in a header with a changed field.
pub(crate) fn session_setup_header(at: usize, bytes: &[u8], wanted: Taken) -> Outcome {
    after(due::SESSION_SETUP, |tester| {
        let stream = tester.stream(body("SessionSetupReq"));
        let length = u32::try_from(stream.len()).unwrap();
        let header = v2gtp::Header { payload_type: v2gtp::PayloadType(0x8001), length };
        let mut message = header.to_bytes().to_vec();
        message[at..at + bytes.len()].copy_from_slice(bytes);
        message.extend_from_slice(&stream);
        tester.world.car.send(&message);
        tester.world.exchange();
        let answer = tester.world.answer(tester.world.now + ANSWER_S * SECOND);
        let seen = match answer {
            Some(_) => Taken::Answered,
            None if tester.world.car.is_closed() => Taken::Broken,
            None => Taken::Skipped,
        };
        same("message", seen, wanted)
    })
}

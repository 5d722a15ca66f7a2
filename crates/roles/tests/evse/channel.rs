//! The layer between TCP and V2GTP, with a channel that is not plain.

use evse_fsm::Closed;
use roles::{Broken, Channel, Channels, Happening, Plain, StreamError, Written};
use sdp::Security;

use crate::car::framed;
use crate::world::{HANDSHAKE_REQ, HANDSHAKE_RES, World, bytes, config};

const HELLO: u8 = 0x42;
const KEY: u8 = 0x5A;
/// This byte alone in a segment closes the channel.
const GOODBYE: u8 = 0xB7;

/// Each side sends one byte as a handshake; the rest is the plain bytes, changed.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "four independent facts")]
struct Toy {
    greeted: bool,
    was_greeted: bool,
    plain: Vec<u8>,
    goodbye: bool,
    is_closed: bool,
}

impl Channels for Toy {
    type Channel = Self;

    fn offers(&self, security: Security) -> bool {
        security == Security::TLS
    }

    fn open(&mut self, _: Security) -> Self {
        Self::default()
    }
}

impl Channel for Toy {
    fn read<'a, 'w: 'a>(&'a mut self, wire: &mut &'w [u8]) -> Result<&'a [u8], Broken> {
        if !self.was_greeted {
            let (first, rest) = wire.split_first().unwrap();
            self.was_greeted = *first == HELLO;
            *wire = rest;
            return if self.was_greeted { Ok(&[]) } else { Err(Broken) };
        }
        // At most seven bytes at a time, as records are.
        let (piece, rest) = wire.split_at(wire.len().min(7));
        *wire = rest;
        self.is_closed = piece == [GOODBYE];
        self.plain = if self.is_closed { Vec::new() } else { changed(piece) };
        Ok(&self.plain)
    }

    fn write(&mut self, plain: &[u8], wire: &mut [u8]) -> Written {
        if self.was_greeted && !self.greeted {
            self.greeted = true;
            wire[0] = HELLO;
            return Written { plain: 0, wire: 1 };
        }
        if std::mem::take(&mut self.goodbye) {
            wire[0] = GOODBYE;
            return Written { plain: 0, wire: 1 };
        }
        let len = plain.len().min(wire.len());
        for (to, from) in wire.iter_mut().zip(plain) {
            *to = from ^ KEY;
        }
        Written { plain: len, wire: len }
    }

    fn close(&mut self) {
        self.goodbye = true;
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }

    fn peer(&self) -> Option<&[u8]> {
        None
    }
}

fn changed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ KEY).collect()
}

#[test]
fn discovery_announces_the_channel_that_is_there() {
    let mut world = World::with(config(), Toy::default());
    assert_eq!(world.discover(0).unwrap().security, Security::TLS);
}

#[test]
fn a_session_goes_through_a_channel_with_a_handshake_and_records() {
    let mut world = World::with(config(), Toy::default());
    world.connect(0, 50_001);
    world.car().send(&[HELLO]);
    world.run(5);
    assert_eq!(world.car().take_received(), [HELLO]);
    world.car().send(&changed(&framed(&bytes(HANDSHAKE_REQ))));
    world.run(5);
    assert_eq!(world.car().take_received(), changed(&framed(&bytes(HANDSHAKE_RES))));
}

#[test]
fn a_broken_channel_closes_the_connection() {
    let mut world = World::with(config(), Toy::default());
    world.connect(0, 50_001);
    world.car().send(&[HELLO + 1]);
    world.run(5);
    assert!(world.saw(|event| *event == Happening::Broken(StreamError::Channel(Broken))));
    assert!(world.saw(|event| *event == Happening::Disconnected(Closed::Rst)));
}

#[test]
fn a_channel_closed_by_the_car_is_closed_in_order() {
    let mut world = World::with(config(), Toy::default());
    world.connect(0, 50_001);
    world.car().send(&[HELLO]);
    world.run(5);
    world.car().send(&[GOODBYE]);
    world.run(5);
    assert!(world.saw(|event| *event == Happening::Disconnected(Closed::Fin)));
    assert_eq!(world.car().take_received(), [HELLO, GOODBYE]);
    assert_eq!(world.car().state(), smoltcp::socket::tcp::State::CloseWait);
}

/// Plain and the toy, both accepted.
struct Both;

enum Either {
    Plain(Plain),
    Toy(Toy),
}

impl Channels for Both {
    type Channel = Either;

    fn offers(&self, _: Security) -> bool {
        true
    }

    fn open(&mut self, security: Security) -> Either {
        if security == Security::TLS { Either::Toy(Toy::default()) } else { Either::Plain(Plain) }
    }
}

impl Channel for Either {
    fn read<'a, 'w: 'a>(&'a mut self, wire: &mut &'w [u8]) -> Result<&'a [u8], Broken> {
        match self {
            Self::Plain(plain) => plain.read(wire),
            Self::Toy(toy) => toy.read(wire),
        }
    }

    fn write(&mut self, plain: &[u8], wire: &mut [u8]) -> Written {
        match self {
            Self::Plain(channel) => channel.write(plain, wire),
            Self::Toy(toy) => toy.write(plain, wire),
        }
    }

    fn close(&mut self) {
        if let Self::Toy(toy) = self {
            toy.close();
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self, Self::Toy(toy) if toy.is_closed())
    }

    fn peer(&self) -> Option<&[u8]> {
        None
    }
}

#[test]
fn each_connection_goes_through_the_channel_that_discovery_gave() {
    for (asked, is_toy) in [(Security::NONE, false), (Security::TLS, true)] {
        let seen = |bytes: Vec<u8>| if is_toy { changed(&bytes) } else { bytes };
        let mut world = World::with(config(), Both);
        let found = world.discover_with(0, asked).unwrap();
        assert_eq!(found.security, asked);
        world.connect_to(0, &found, 50_001);
        if is_toy {
            world.car().send(&[HELLO]);
            world.run(5);
            assert_eq!(world.car().take_received(), [HELLO]);
        }
        world.car().send(&seen(framed(&bytes(HANDSHAKE_REQ))));
        world.run(5);
        assert_eq!(world.car().take_received(), seen(framed(&bytes(HANDSHAKE_RES))), "{asked:?}");
    }
}

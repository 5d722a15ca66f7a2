//! A charger answers a car's discovery request: only bytes go in and out.
//!
//! `cargo run -p examples --example answer_discovery`

#![allow(clippy::indexing_slicing, reason = "an example may end where its input is wrong")]

use machine::{Cx, Instant, Machine, ScriptedEntropy};
use sdp::{Datagram, Endpoint, Offer, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut entropy = ScriptedEntropy::new(&[]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };

    let mut server = Server::new(Offer {
        address: "fe80::5054:ff:fe00:1".parse()?,
        plain: Some(sdp::DEFAULT_TCP_PORT),
        tls: None,
    });
    server.start(None);

    // A Hyundai Ioniq's multicast to port 15118: it requests plain TCP.
    let request = [0x01, 0xfe, 0x90, 0x00, 0x00, 0x00, 0x00, 0x02, 0x10, 0x00];
    let car = Endpoint { address: "fe80::1e5:8aff:feb2:77f".parse()?, port: 50032 };
    server.handle(&mut cx, Datagram { from: car, bytes: &request });

    let mut buffer = [0; sdp::MAX_LEN];
    while let Some((length, to)) = server.poll_transmit(&mut buffer)? {
        println!("to [{}]:{}: {:02x?}", to.address, to.port, &buffer[..length]);
        println!("that is {:?}", sdp::Message::parse(&buffer[..length])?);
    }

    // A misdirected response from another charger: not answered, but reported.
    let answer = buffer;
    server.handle(&mut cx, Datagram { from: car, bytes: &answer });
    while let Some(event) = server.poll_event() {
        println!("event: {event:?}");
    }
    Ok(())
}

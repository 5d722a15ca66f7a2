//! Drives a whole charger by hand: a plug is inserted, a car sends a discovery request, and all output -
//! frames, events, the demand - is printed. An adapter does the same with a socket, a clock and a plant.
//!
//! `cargo run -p examples --example drive_evse`

#![allow(clippy::indexing_slicing, reason = "an example may end where its input is wrong")]

use control_pilot::Level;
use evse_fsm::{Plant, Reading};
use machine::{Cx, Instant, Machine, ScriptedEntropy};
use roles::{Evse, EvseConfig, EvseInput, EvseStorage, MAX_FRAME, Mac};

/// Takes all output after a call.
fn take(evse: &mut Evse<'_>, now: Instant) {
    let mut buffer = [0; MAX_FRAME];
    while let Some((length, ())) = machine::whole(evse.poll_transmit(&mut buffer)) {
        println!("{now}  frame out, {length} bytes: {:02x?} ...", &buffer[..14]);
    }
    while let Some(event) = evse.poll_event() {
        println!("{now}  connector {}: {:?}", event.connector, event.what);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut entropy = ScriptedEntropy::new(&[3, 1, 4, 1, 5, 9, 2, 6]);
    let mut storage: EvseStorage = EvseStorage::new();
    let config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 0x01]));
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut evse = Evse::new(&mut cx, config, &mut storage)?;

    // Ten readings of the sensors in a second: the plug is inserted at 0.3 s.
    for millis in (0..1000).step_by(100) {
        let now = Instant::from_millis(millis);
        let level = if millis < 300 { Level::A } else { Level::B };
        let plant = Plant { pilot: Some(Reading::new(level, now)), ..Plant::default() };
        evse.handle(&mut Cx { now, entropy: &mut entropy }, EvseInput::Plant(plant));
        take(&mut evse, now);
        println!("{now}  pilot {level:?}, demand {:?}", evse.demand().pilot);
    }

    // From a car to all nodes: Ethernet, IPv6, UDP 50032 to 15118, a discovery request for plain TCP.
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1, 0x04, 0x65, 0x65, 0, 0x64, 0xc3, 0x86, 0xdd];
    frame.extend([0x60, 0, 0, 0, 0, 18, 17, 10]);
    frame.extend("fe80::665:65ff:fe00:64c3".parse::<std::net::Ipv6Addr>()?.octets());
    frame.extend("ff02::1".parse::<std::net::Ipv6Addr>()?.octets());
    frame.extend([0xc3, 0x70, 0x3b, 0x0e, 0, 18, 0x92, 0x9d, 0x01, 0xfe, 0x90, 0, 0, 0, 0, 2, 0x10, 0]);
    let now = Instant::from_millis(1000);
    evse.handle(&mut Cx { now, entropy: &mut entropy }, EvseInput::Frame(&frame));
    take(&mut evse, now);
    println!("{now}  energised: {}", evse.demand().is_energised());
    println!("next deadline: {:?}", evse.poll_timeout());
    Ok(())
}

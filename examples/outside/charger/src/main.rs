//! A charger with its own plant: a plug is inserted, a car sends a discovery request, and the output -
//! frames, events, the demand - is printed. A product does the same with a socket, a clock and its power
//! stage.

use fastcharge::control_pilot::Level;
use fastcharge::evse::{Config, Demand, Evse, Input, MAX_FRAME, Mac, Plant, Storage};
use fastcharge::machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use fastcharge::session::{Contactors, Reading};

/// The hardware: a cable that is plugged in after 300 ms, contactors that follow, no voltage.
struct Hardware {
    contactors_closed: bool,
}

impl Hardware {
    /// The readings of the sensors.
    fn sense(&self, now: Instant) -> Plant {
        let level = if now < Instant::from_millis(300) { Level::A } else { Level::B };
        Plant {
            pilot: Some(Reading::new(level, now)),
            voltage_mv: Some(Reading::new(0, now)),
            current_ma: Some(Reading::new(0, now)),
            contactors: Some(Reading::new(self.contactors_closed, now)),
            emergency_stop: Some(Reading::new(false, now)),
            ..Plant::default()
        }
    }

    /// Applies the charger's demand.
    fn apply(&mut self, demand: &Demand) {
        self.contactors_closed = demand.contactors == Contactors::Closed;
    }
}

/// A discovery request of a car for plain TCP: Ethernet, IPv6, UDP 50032 to 15118, V2GTP.
fn discovery_request() -> Vec<u8> {
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1, 0x04, 0x65, 0x65, 0, 0x64, 0xc3, 0x86, 0xdd];
    frame.extend([0x60, 0, 0, 0, 0, 18, 17, 10]);
    frame.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x06, 0x65, 0x65, 0xff, 0xfe, 0, 0x64, 0xc3]);
    frame.extend([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([0xc3, 0x70, 0x3b, 0x0e, 0, 18, 0x92, 0x9d, 0x01, 0xfe, 0x90, 0, 0, 0, 0, 2, 0x10, 0]);
    frame
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut entropy = ScriptedEntropy::new(&[3, 1, 4, 1, 5, 9, 2, 6]); // a product uses a real source
    let mut hardware = Hardware { contactors_closed: false };
    let mut storage = Storage::new();
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut evse = Evse::new(&mut cx, Config::new(Mac([0x02, 0, 0, 0, 0, 0x01])), &mut storage)?;

    let mut sent = 0;
    for turn in 0..15 {
        let now = Instant::ZERO + Duration::from_millis(100 * turn);
        let mut cx = Cx { now, entropy: &mut entropy };
        if evse.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            evse.handle_timeout(&mut cx);
        }
        evse.handle(&mut cx, Input::Plant(hardware.sense(now)));
        if turn == 10 {
            evse.handle(&mut cx, Input::Frame(&discovery_request()));
        }
        let mut frame = [0; MAX_FRAME];
        while let Some((length, ())) = evse.poll_transmit(&mut frame)? {
            sent += 1;
            println!("{now}  frame of {length} bytes");
        }
        while let Some(event) = evse.poll_event() {
            println!("{now}  {event:?}");
        }
        hardware.apply(&evse.demand());
    }
    println!("{sent} frames sent, energised: {}", evse.demand().is_energised());
    Ok(())
}

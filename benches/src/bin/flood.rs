//! Floods a charger and a car on one link with everything that a stranger can send, at the full rate of this
//! machine: `flood INTERFACE SECONDS CHARGER_MAC CAR_MAC [KIND...]`, SECONDS of each kind, by default of all
//! kinds.
//!
//! For tests in network namespaces (`tests/interop/flood.sh`). Bounded in time and in frames.
#![allow(clippy::print_stdout, reason = "its output")]

use std::process::ExitCode;

use benches::flood::{Flood, Kind, Target};
use hal_linux::{Clock, Interface, PacketSocket};
use homeplug_mme::Mac;
use machine::Duration;

/// Most frames of a kind.
const MOST: u64 = 2_000_000;
/// Frames between two reads of the clock.
const PIECE: u64 = 64;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flood: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), String> {
    let [interface, seconds, charger, car, kinds @ ..] = args else {
        return Err("usage: flood INTERFACE SECONDS CHARGER_MAC CAR_MAC [KIND...]".into());
    };
    let interface = Interface::find(interface).map_err(|error| error.to_string())?;
    let socket = PacketSocket::open(&interface, interface.mac(), false).map_err(|error| error.to_string())?;
    let time = seconds.parse().map_err(|_| format!("{seconds}: expected whole seconds"))?;
    let (charger, car) = (mac(charger)?, mac(car)?);
    let targets = [
        Target { mac: charger, port: sdp::DEFAULT_TCP_PORT, peer: car },
        Target { mac: car, port: sdp::DEFAULT_TCP_PORT, peer: charger },
    ];
    let (clock, mut all) = (Clock::start(), 0);
    for (name, kind) in
        Kind::ALL.iter().filter(|(name, _)| kinds.is_empty() || kinds.iter().any(|kind| kind == name))
    {
        let (mut flood, began, mut sent, mut lost) = (Flood::new(1), clock.now(), 0, 0);
        while sent < MOST && clock.now().since(began) < Duration::from_secs(time) {
            for target in targets.iter().cycle().take(usize::try_from(PIECE).unwrap_or_default()) {
                let is_sent = socket.send(&flood.frame(*kind, *target)).map_err(|error| error.to_string())?;
                *(if is_sent { &mut sent } else { &mut lost }) += 1;
            }
        }
        println!("{name}: {sent} frames in {} ms, {lost} lost", clock.now().since(began).as_millis());
        all += sent;
    }
    println!("all: {all} frames");
    Ok(())
}

fn mac(text: &str) -> Result<Mac, String> {
    let bytes: Vec<u8> = text.split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    <[u8; 6]>::try_from(bytes)
        .map(Mac)
        .map_err(|_| format!("{text}: expected six bytes like 02:00:00:00:00:0e"))
}

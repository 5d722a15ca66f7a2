//! A measurement of a charger as it stands in a capture: the fields by name, and what a car makes of it.
//!
//! `cargo run -p examples --example watch_matching`

use homeplug_mme::view::View;
use homeplug_mme::{Frame, Slac, Value};

/// Up to the measurement: addresses, Ethernet type, version, type `CM_ATTEN_CHAR.IND` and no fragmentation;
/// then application, security, the car, the run's name, two empty names of stations, ten sounds, 58 groups.
const HEADER: &str = "0200000000e102000000005e88e1016e600000\
    00000200000000e15445534c41204556\
    00000000000000000000000000000000000000000000000000000000000000000000\
    0a3a";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes: Vec<u8> = (0..HEADER.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(HEADER.get(at..at + 2)?, 16).ok())
        .collect();
    bytes.extend((0..58).map(|group| 10 + group % 7));

    let frame = Frame::parse(&bytes)?;
    println!("{} from {} to {}", frame.mm_type, frame.from, frame.to);
    // For those who look: every field as it is.
    View::of(&frame)?.fields(&mut |name, value| match value {
        Value::Secret(_) => println!("  {name}: not shown"),
        Value::Number(number) => println!("  {name}: {number}"),
        Value::Mac(mac) => println!("  {name}: {mac}"),
        Value::Decibels(groups) => println!("  {name}: {groups:?} dB"),
        Value::Bytes(bytes) | Value::Text(bytes) => println!("  {name}: {bytes:02x?}"),
    });

    // For those who act on it: only what the standard allows.
    match Slac::parse(&frame) {
        Some(Ok(Slac::AttenChar { run_id, profile: Some(profile), .. })) => {
            println!("the charger is {}.{:02} dB away", profile.mean_cdb() / 100, profile.mean_cdb() % 100);
            let mut buffer = [0; homeplug_mme::MAX_FRAME];
            let answer = Slac::AttenCharRsp { run_id, car: frame.to, result: 0 };
            let len = answer.emit(frame.from, frame.to, &mut buffer)?;
            println!("the car answers {} with {len} bytes", Frame::parse(&buffer)?.mm_type);
        }
        other => println!("not to be acted on: {other:?}"),
    }
    Ok(())
}

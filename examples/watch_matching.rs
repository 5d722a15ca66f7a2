//! A captured measurement of a charger: the fields by name, and the car's interpretation.
//!
//! `cargo run -p examples --example watch_matching`

use homeplug_mme::view::View;
use homeplug_mme::{Frame, Slac, Value};

/// The frame up to the measurement: addresses, `EtherType`, version, type `CM_ATTEN_CHAR.IND`, no
/// fragmentation; then application, security, the car, the `RunID`, two empty station names, ten sounds, 58
/// groups.
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
    // For display: every field as received.
    View::of(&frame)?.fields(&mut |name, value| match value {
        Value::Secret(_) => println!("  {name}: not shown"),
        Value::Number(number) => println!("  {name}: {number}"),
        Value::Mac(mac) => println!("  {name}: {mac}"),
        Value::Decibels(groups) => println!("  {name}: {groups:?} dB"),
        Value::Bytes(bytes) | Value::Text(bytes) => println!("  {name}: {bytes:02x?}"),
    });

    // For a decision: only what the standard allows.
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

//! Decodes a V2GTP message of a charging session, shows every element with its place in the stream, and
//! changes a value.
//!
//! `cargo run -p examples --example decode_message`

#![allow(clippy::indexing_slicing, reason = "an example may end where its input is wrong")]

use exi::trace::{Sink, Value};
use exi_din::{BodyElement, PhysicalValue, UnitSymbol, V2gMessage};
use v2gtp::Message;

/// A captured TCP segment with `CurrentDemandRes` (message of `bench-messages.txt`: Josev).
const SEGMENT: [u8; 49] = [
    0x01, 0xfe, 0x80, 0x01, 0x00, 0x00, 0x00, 0x29, 0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03,
    0x4d, 0xa2, 0x90, 0xe0, 0x00, 0x40, 0x80, 0x00, 0x01, 0x82, 0x80, 0x08, 0x18, 0x18, 0x00, 0x80, 0x00,
    0x06, 0x0a, 0x1b, 0x00, 0x80, 0x30, 0x30, 0xac, 0x02, 0x02, 0x03, 0x87, 0x40, 0x38, 0x00,
];

/// Prints what the dissector reports.
#[derive(Default)]
struct Print {
    depth: usize,
}

impl<'a> Sink<'a> for Print {
    fn enter(&mut self, name: &'static str, bit: u32) {
        println!("{bit:>4}  {:indent$}{name}", "", indent = self.depth * 2);
        self.depth += 1;
    }
    fn value(&mut self, value: Value<'a>, start: u32, end: u32) {
        println!("{start:>4}  {:indent$}= {value:?}  ({} bits)", "", end - start, indent = self.depth * 2);
    }
    fn leave(&mut self, _bit: u32) {
        self.depth -= 1;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Message { payload_type, payload } = Message::from_datagram(&SEGMENT)?;
    println!("V2GTP {payload_type:?}, {} bytes of EXI", payload.len());
    exi_din::SCHEMA.dissect(payload, false, &mut Print::default())?;

    let mut message = V2gMessage::decode(payload)?;
    let Some(BodyElement::CurrentDemandRes(answer)) = &mut message.body.element else {
        return Err("another message".into());
    };
    println!("{} mV, {} mA", answer.evse_present_voltage.to_milli(), answer.evse_present_current.to_milli());
    answer.evse_present_voltage = PhysicalValue::measurement(399_960, UnitSymbol::V)?;

    let mut buffer = [0; 64];
    let length = message.encode(&mut buffer)?;
    println!("with 399.96 V, to the nearest tenth: {:02x?}", &buffer[..length]);
    Ok(())
}

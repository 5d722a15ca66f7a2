//! The whole DIN codec with error paths and the dissector: the cost of names.
#![no_std]
#![no_main]

use exi::trace::{Sink, Value};
use exi_din::{V2G_MESSAGE, V2gMessage};

/// Writes names and places in the order in which they come.
struct Out;

impl<'a> Sink<'a> for Out {
    fn enter(&mut self, name: &'static str, bit: u32) {
        firmware::write(name.as_bytes());
        firmware::write(&bit.to_le_bytes());
    }
    fn value(&mut self, value: Value<'a>, start: u32, end: u32) {
        if let Value::Enumeration(_, name) = value {
            firmware::write(name.as_bytes());
        }
        firmware::write(&start.to_le_bytes());
        firmware::write(&end.to_le_bytes());
    }
    fn leave(&mut self, bit: u32) {
        firmware::write(&bit.to_le_bytes());
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    firmware::run(again)
}

/// Dissects a message, decodes it and encodes it again.
#[inline(never)]
fn again(stream: &[u8], answer: &mut [u8]) -> usize {
    let _ = exi::trace::dissect::<V2gMessage<'_>>(stream, V2G_MESSAGE, &mut Out);
    let message = V2gMessage::decode(stream);
    message.and_then(|message| core::hint::black_box(message).encode(answer)).unwrap_or(0)
}

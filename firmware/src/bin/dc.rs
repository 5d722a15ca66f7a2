//! The codec of the 22 messages of DC charging, both directions.
#![no_std]
#![no_main]

use core::hint::black_box;

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    firmware::run(again)
}

/// Decodes a message and encodes it again. Not inlined, so that the buffers of `run` are not in the codec's
/// frame.
#[inline(never)]
fn again(stream: &[u8], answer: &mut [u8]) -> usize {
    let message = exi_din::dc::V2gMessage::decode(stream);
    // `black_box`: the compiler must assume any use of the message.
    message.and_then(|message| black_box(message).encode(answer)).unwrap_or(0)
}

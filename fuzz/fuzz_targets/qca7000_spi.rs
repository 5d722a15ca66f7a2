//! Any bytes as the output of a QCA7000: the frames do not depend on how the stream is cut. Whatever the
//! chip's registers contain, the host's deadlines are in the future and its frames in bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machine::{Cx, Duration, Instant, ScriptedEntropy};
use qca7000_spi::{
    Buffers, Data, Deframer, Input, Item, MAX_FRAME, MIN_FRAME, Qca7000, RECEIVE_MIN, SEND_LEN,
};

/// The frames in `stream`, passed in pieces of at most `size`.
fn frames(mut stream: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut buffer = [0; RECEIVE_MIN];
    let mut deframer = Deframer::new(&mut buffer);
    let mut frames = Vec::new();
    while !stream.is_empty() {
        let (piece, rest) = stream.split_at(size.min(deframer.free()).min(stream.len()));
        stream = rest;
        deframer.space()[..piece.len()].copy_from_slice(piece);
        deframer.filled(piece.len());
        while let Some(item) = deframer.poll_item() {
            if let Item::Frame(place) = item {
                frames.push(deframer.get(place).to_vec());
            }
        }
    }
    frames
}

/// The next `into.len()` bytes of `answers`, zeros after its end.
fn answer(answers: &mut &[u8], into: &mut [u8]) {
    let (now, later) = answers.split_at(into.len().min(answers.len()));
    into.fill(0);
    into[..now.len()].copy_from_slice(now);
    *answers = later;
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, stream)) = input.split_first() else { return };
    assert_eq!(frames(stream, usize::from(size).max(1)), frames(stream, RECEIVE_MIN));

    let (mut receive, mut send) = ([0; RECEIVE_MIN], [0; SEND_LEN]);
    let buffers = Buffers { receive: &mut receive, send: &mut send };
    let mut chip = Qca7000::new(buffers).expect("the buffer is large enough");
    let mut entropy = ScriptedEntropy::new(&[]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let mut answers = stream;
    while !answers.is_empty() {
        if let Some(transfer) = chip.poll_transfer() {
            if let Data::Read(into) = transfer.data {
                answer(&mut answers, into);
            }
            chip.handle(&mut cx, Input::Done);
        } else {
            // Each byte is an event while the chip waits: time, a frame to send, the interrupt, an error of
            // the bus.
            let mut happens = [0];
            answer(&mut answers, &mut happens);
            cx.now += Duration::from_micros(u64::from(happens[0]) * 250);
            let _ = chip.send(&[happens[0]; MIN_FRAME]);
            chip.handle(&mut cx, if happens[0] % 2 == 0 { Input::Interrupt } else { Input::Failed });
            chip.handle_timeout(&mut cx);
            assert!(chip.poll_timeout().is_none_or(|deadline| deadline.at > cx.now));
        }
        while let Some(frame) = chip.poll_frame() {
            assert!((MIN_FRAME..=MAX_FRAME).contains(&frame.len()));
        }
        while chip.poll_event().is_some() {}
    }
});

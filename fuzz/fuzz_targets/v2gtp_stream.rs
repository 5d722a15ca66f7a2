//! Any bytes as a TCP stream in pieces of any size: the messages do not depend on how it was cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use v2gtp::{Deframer, Error, Item};

/// The decoded items, in an owned form.
fn items(pieces: impl Iterator<Item = Vec<u8>>) -> (Vec<(u16, usize, Vec<u8>)>, Option<Error>) {
    let mut deframer = Deframer::<256>::new();
    let mut items = Vec::new();
    for piece in pieces {
        let mut rest = piece.as_slice();
        loop {
            match deframer.next(&mut rest) {
                Ok(Some(Item::Message(m))) => {
                    items.push((m.payload_type.0, m.payload.len(), m.payload.to_vec()))
                }
                Ok(Some(Item::Skipped { payload_type, length })) => {
                    items.push((payload_type.0, length as usize, Vec::new()))
                }
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
    }
    (items, None)
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, stream)) = input.split_first() else { return };
    let whole = items(std::iter::once(stream.to_vec()));
    let pieces = items(stream.chunks(usize::from(size).max(1)).map(<[u8]>::to_vec));
    assert_eq!(whole, pieces);
});

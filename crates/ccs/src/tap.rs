//! Listens to the frames of a role, so that its log shows messages with all their values.

use crate::decode::source::{Data, Packet};
use crate::decode::{Content, Decoder};
use crate::log::Log;

/// A decoder of live frames.
#[derive(Default)]
pub struct Tap {
    decoder: Decoder,
    frames: u64,
}

/// The link type of Ethernet.
const ETHERNET: i32 = 1;

impl Tap {
    /// Tells the log what an Ethernet frame carries, before the role's event about it comes.
    pub fn frame(&mut self, frame: &[u8], log: &mut Log) {
        self.frames += 1;
        let packet = Packet { frame: self.frames, time_ns: None, data: Data::Link(ETHERNET, frame) };
        self.decoder.take(packet, &mut |event| {
            if let Content::Exi(exi) = &event.content
                && let (Some(schema), Some(message)) = (exi.schema, exi.message)
            {
                log.on_the_wire(schema, message, exi.payload);
            }
        });
    }
}

//! Storage for the connections of a file.

use listen::{BLOCK_LEN, Block, Parts, Slot, Storage, Talk};

/// Connections tracked at once that gave a V2GTP message, and as many that gave none yet. Judgement: an Ioniq opened 165
/// in one session.
pub const MAX_STREAMS: usize = 256;
/// Bytes held of all connections together, in bytes: judgement, one direction may use half of it. Every real capture needs
/// fewer than ten segments.
pub const MAX_MEMORY: usize = 2 * 1024 * 1024;
/// The longest V2GTP message taken, header included: ISO 15118-20 certificates need the most.
pub const MAX_MESSAGE: usize = 64 * 1024 + v2gtp::HEADER_LEN;

/// Storage on the heap, allocated once.
pub struct Heap {
    slots: Vec<Slot<Talk>>,
    blocks: Vec<Block>,
    message: Vec<u8>,
}

impl Default for Heap {
    fn default() -> Self {
        Self {
            slots: (0..2 * MAX_STREAMS).map(|_| Slot::EMPTY).collect(),
            blocks: vec![Block::EMPTY; MAX_MEMORY / BLOCK_LEN],
            message: vec![0; MAX_MESSAGE],
        }
    }
}

impl Storage for Heap {
    type State = Talk;
    fn parts(&mut self) -> Parts<'_, Talk> {
        Parts { slots: &mut self.slots, blocks: &mut self.blocks, message: &mut self.message }
    }
}

//! Storage for the connections of a file.

use listen::{BLOCK_LEN, Block, Parts, Slot, Storage, Talk};

/// Connections tracked at once that gave a V2GTP message, and as many that gave none yet. Judgement: an Ioniq
/// opened 165 in one session.
pub const MAX_STREAMS: usize = 256;
/// Bytes held of all connections together, in bytes: judgement, one direction may use half of it. Every real
/// capture needs fewer than ten segments.
pub const MAX_MEMORY: usize = 2 * 1024 * 1024;
/// The longest V2GTP message taken, header included: ISO 15118-20 certificates need the most.
pub const MAX_MESSAGE: usize = 64 * 1024 + v2gtp::HEADER_LEN;

/// Storage on the heap, allocated once.
pub struct Heap {
    slots: Vec<Slot<Talk>>,
    blocks: Vec<Block>,
    message: Vec<u8>,
}

/// Likewise where a role records what goes over its own interface: it has one connection at a time, and
/// strangers may open others. Judgement.
pub const ROLE_STREAMS: usize = 8;
/// Likewise.
pub const ROLE_MEMORY: usize = 128 * 1024;

impl Heap {
    /// Storage for the connections of a file.
    pub fn of_file() -> Self {
        Self::with(MAX_STREAMS, MAX_MEMORY)
    }

    /// Storage for those of a role.
    pub fn of_role() -> Self {
        Self::with(ROLE_STREAMS, ROLE_MEMORY)
    }

    fn with(streams: usize, memory: usize) -> Self {
        Self {
            slots: (0..2 * streams).map(|_| Slot::EMPTY).collect(),
            blocks: vec![Block::EMPTY; memory / BLOCK_LEN],
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

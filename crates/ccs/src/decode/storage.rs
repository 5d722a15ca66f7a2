//! Storage for the connections of a file.

use listen::{BLOCK_LEN, Block, Parts, Slot, Storage, Talk};

/// Connections with a V2GTP message that are tracked at the same time, and as many without: judgement, an
/// Ioniq opened 165 in one session.
pub const MAX_STREAMS: usize = 256;
/// Bytes held of all connections together: judgement, one direction may use half of it. Every real capture
/// needs fewer than ten segments.
pub(super) const MAX_MEMORY: usize = 2 * 1024 * 1024;
/// Largest V2GTP message in bytes, header included: ISO 15118-20 certificates need the most.
pub(super) const MAX_MESSAGE: usize = 64 * 1024 + v2gtp::HEADER_LEN;

/// Storage on the heap, allocated once.
pub(super) struct Heap {
    slots: Vec<Slot<Talk>>,
    blocks: Vec<Block>,
    message: Vec<u8>,
}

/// As [`MAX_STREAMS`], for a role that records its own interface: judgement, it has one connection at a time,
/// and other hosts may open more.
pub(super) const ROLE_STREAMS: usize = 8;
/// As [`MAX_MEMORY`], for a role.
pub(super) const ROLE_MEMORY: usize = 128 * 1024;

impl Heap {
    /// Storage for the connections of a file.
    pub(super) fn of_file() -> Self {
        Self::with(MAX_STREAMS, MAX_MEMORY)
    }

    /// Storage for the connections of a role.
    pub(super) fn of_role() -> Self {
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

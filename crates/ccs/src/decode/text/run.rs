//! A run: contiguous bytes of a text.

use std::ops::Range;

/// Contiguous bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub bytes: Vec<u8>,
    /// Index of the first byte of each word.
    pub words: Vec<usize>,
    /// Position in the line.
    pub range: Range<usize>,
    /// Characters at its end that do not make a whole byte.
    pub rest: Vec<u8>,
}

impl Run {
    /// Bytes without words.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), words: Vec::new(), range: 0..0, rest: Vec::new() }
    }
}

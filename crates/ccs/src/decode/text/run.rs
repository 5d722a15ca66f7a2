//! A run: bytes of a text that stand together.

use std::ops::Range;

/// Bytes that stand together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub bytes: Vec<u8>,
    /// At which byte each of its words begins.
    pub words: Vec<usize>,
    /// Where it stands in the line.
    pub range: Range<usize>,
    /// The characters at its end that are not a whole byte.
    pub rest: Vec<u8>,
}

impl Run {
    /// Bytes without words.
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), words: Vec::new(), range: 0..0, rest: Vec::new() }
    }
}

/// A state of an element's grammar: the number of its first-level productions and the width of their codes.
/// One more code is reserved for the second level of the grammar, because the mode is not strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// The number of productions; their codes are `0..codes`.
    pub codes: u8,
    /// The width of a code in bits.
    pub bits: u8,
}

impl State {
    /// A state with `codes` productions.
    pub const fn new(codes: u32) -> Self {
        Self { codes: codes as u8, bits: bits_for(codes + 1) as u8 }
    }
}

/// The number of bits that distinguish `count` values: 0 for one value.
pub const fn bits_for(count: u32) -> u32 {
    if count < 2 { 0 } else { 32 - (count - 1).leading_zeros() }
}

//! Sequence numbers of a connection whose bytes a script has changed.

/// The effect of changed messages on the sequence numbers of their connection.
#[derive(Debug, Default)]
pub(super) struct Splice {
    /// The next byte's number, as the node counts; bytes below have passed.
    pub(super) next: u32,
    /// Changed segments: number and length at the node, and the bytes that were sent instead.
    pub(super) changed: Vec<(u32, u32, Vec<u8>)>,
    /// Number of next segments that are lost.
    pub(super) lost: u32,
}

impl Splice {
    /// The number on the line for the node's `number`.
    pub(super) fn to_line(&self, number: u32) -> u32 {
        let past = self.changed.iter().filter(|(start, ..)| before(*start, number));
        past.fold(number, |shifted, (_, length, bytes)| {
            shifted.wrapping_add(u32::try_from(bytes.len()).unwrap_or_default()).wrapping_sub(*length)
        })
    }

    /// The node's number for a number on the line.
    pub(super) fn to_node(&self, number: u32) -> u32 {
        let mut shift = 0_u32;
        for (start, length, bytes) in &self.changed {
            let end = start.wrapping_add(u32::try_from(bytes.len()).unwrap_or_default()).wrapping_sub(shift);
            if before(number, end) {
                break;
            }
            shift = shift.wrapping_add(*length).wrapping_sub(u32::try_from(bytes.len()).unwrap_or_default());
        }
        number.wrapping_add(shift)
    }

    pub(super) fn instead_of(&self, number: u32) -> Option<&[u8]> {
        self.changed.iter().find(|(start, ..)| *start == number).map(|(.., bytes)| bytes.as_slice())
    }
}

/// Whether a byte's number comes before another.
pub(super) const fn before(number: u32, other: u32) -> bool {
    number.wrapping_sub(other) > u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shifted_after_what_was_changed_and_back_again() {
        let splice =
            Splice { changed: vec![(100, 10, vec![0; 4]), (110, 5, Vec::new())], ..Splice::default() };
        for (node, line) in [(50, 50), (100, 100), (110, 104), (115, 104), (120, 109)] {
            assert_eq!(splice.to_line(node), line, "{node}");
        }
        for (line, node) in [(50, 50), (100, 100), (104, 115), (109, 120)] {
            assert_eq!(splice.to_node(line), node, "{line}");
        }
    }
}

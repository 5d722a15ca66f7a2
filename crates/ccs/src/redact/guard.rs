//! Last check of a frame: it must contain none of the replaced identifiers, at any bit position, as bytes or
//! as hexadecimal digits.

use std::collections::BTreeSet;

/// Bytes that are searched for: shorter identifiers occur at random.
const LENGTH: usize = 6;
const BITS: u32 = 48;

/// The identifiers that must not be found.
pub(super) struct Guard {
    /// Six bytes of each identifier.
    keys: BTreeSet<u64>,
    /// A bit for the upper 16 bits of each, as a fast first check.
    filter: Vec<u64>,
}

impl Guard {
    /// A guard against these identifiers. Those that are too short, or mostly one byte, are left out.
    pub(super) fn new<'a>(originals: impl Iterator<Item = &'a [u8]>) -> Self {
        let keys: BTreeSet<u64> = originals.filter_map(key).collect();
        let mut filter = vec![0; 1 << 10];
        for key in &keys {
            let at = (key >> (BITS - 16)) as usize;
            if let Some(word) = filter.get_mut(at / 64) {
                *word |= 1_u64 << (at % 64);
            }
        }
        Self { keys, filter }
    }

    /// Whether an identifier is in these bytes.
    pub(super) fn finds(&self, bytes: &[u8]) -> bool {
        !self.keys.is_empty() && (self.at_any_bit(bytes) || self.as_digits(bytes))
    }

    fn at_any_bit(&self, bytes: &[u8]) -> bool {
        let mut window: u64 = 0;
        bytes.iter().enumerate().any(|(at, byte)| {
            window = window << 8 | u64::from(*byte);
            // Eight windows end in this byte; each needs 48 bits before its end.
            at + 1 >= LENGTH && (0..8).any(|shift| (at >= LENGTH || shift == 0) && self.has(window >> shift))
        })
    }

    /// Searches hexadecimal digits with anything but letters and digits between them.
    fn as_digits(&self, bytes: &[u8]) -> bool {
        let (mut window, mut count) = (0_u64, 0);
        bytes.iter().any(|byte| {
            if let Some(digit) = char::from(*byte).to_digit(16) {
                window = window << 4 | u64::from(digit);
                count += 1;
                return count >= 2 * LENGTH && self.has(window);
            }
            if byte.is_ascii_alphanumeric() {
                count = 0;
            }
            false
        })
    }

    fn has(&self, window: u64) -> bool {
        let window = window & ((1 << BITS) - 1);
        let at = (window >> (BITS - 16)) as usize;
        let may = self.filter.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
        may && self.keys.contains(&window)
    }
}

/// Six bytes of an identifier as a number; `None` with fewer than four different bytes, which occur at
/// random.
fn key(bytes: &[u8]) -> Option<u64> {
    let different = |window: &&[u8]| window.iter().collect::<BTreeSet<_>>().len();
    let window = bytes.windows(LENGTH).find(|window| different(window) >= 4)?;
    Some(window.iter().fold(0, |key, byte| key << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_found_at_every_bit_and_as_digits() {
        let mac = [0xDC_u8, 0x0E, 0xA1, 0x11, 0x67, 0x08];
        let guard = Guard::new([&mac[..], &[1, 2]].into_iter());
        let number = mac.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        for bit in 0..80 {
            let bytes = (number << bit).to_be_bytes();
            assert!(guard.finds(&bytes), "bit {bit}");
            assert!(!guard.finds(&(number << bit ^ 1 << (bit + 20)).to_be_bytes()), "bit {bit}");
        }
        assert!(guard.finds(&mac));
        for text in ["dc:0e:a1:11:67:08", "xDC0EA1116708", "dc 0e a1 11 67 08", "DC-0E-A1-11-67-08"] {
            assert!(guard.finds(text.as_bytes()), "{text}");
        }
        assert!(!guard.finds(b"dc:0e:a1:11:67:09 DC0EA111 670"));
        assert!(!Guard::new(std::iter::empty()).finds(&mac));
    }
}
